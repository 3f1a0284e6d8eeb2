// Package sqldb is one small SQL interface over native pgx and database/sql.
package sqldb
