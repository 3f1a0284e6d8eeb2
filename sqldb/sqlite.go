package sqldb

import (
	"context"
	"database/sql"
	"strings"
)

// SQLite returns a TxDB on two pools of one SQLite file: write has one connection and runs Exec
// and InTx; read has several and runs the queries outside transactions, which WAL mode lets
// proceed while a transaction is open on write. [SQLiteDSN] builds the DSN of each.
//
// Query and QueryRow choose by the first keyword of the statement: SELECT, VALUES, WITH, EXPLAIN
// and PRAGMA go to read, all others (INSERT, UPDATE and DELETE with RETURNING) to write. A query
// sees everything committed before it began.
//
// Inside InTx use only the DB that fn gets: a statement on the outer value would wait for the
// one connection that the transaction holds, until its context ends.
func SQLite(write, read *sql.DB) TxDB {
	return &sqliteDB{
		write: &sqlDB{h: write, dialect: DialectSQLite},
		read:  &sqlDB{h: read, dialect: DialectSQLite},
	}
}

type sqliteDB struct {
	write, read *sqlDB
}

var _ TxDB = (*sqliteDB)(nil)

// Dialect returns DialectSQLite.
func (d *sqliteDB) Dialect() Dialect { return DialectSQLite }

func (d *sqliteDB) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return d.write.Exec(ctx, query, args...)
}

func (d *sqliteDB) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	return d.side(query).Query(ctx, query, args...)
}

func (d *sqliteDB) QueryRow(ctx context.Context, query string, args ...any) Row {
	return d.side(query).QueryRow(ctx, query, args...)
}

func (d *sqliteDB) InTx(ctx context.Context, fn func(tx DB) error) error {
	return d.write.InTx(ctx, fn)
}

func (d *sqliteDB) insertBatch(ctx context.Context, query string, rows [][]any) (int64, error) {
	return d.write.insertBatch(ctx, query, rows)
}

func (d *sqliteDB) side(query string) *sqlDB {
	switch keyword := firstKeyword(query); {
	case strings.EqualFold(keyword, "SELECT"),
		strings.EqualFold(keyword, "VALUES"),
		strings.EqualFold(keyword, "WITH"),
		strings.EqualFold(keyword, "EXPLAIN"),
		strings.EqualFold(keyword, "PRAGMA"):
		return d.read
	}
	return d.write
}

// firstKeyword returns the first word of a statement, past white space and comments.
func firstKeyword(query string) string {
	for {
		query = strings.TrimLeft(query, " \t\r\n\f;")
		var ok bool
		switch {
		case strings.HasPrefix(query, "--"):
			_, query, ok = strings.Cut(query, "\n")
		case strings.HasPrefix(query, "/*"):
			_, query, ok = strings.Cut(query[2:], "*/")
		default:
			end := strings.IndexFunc(query, func(r rune) bool { return !isLetter(r) })
			if end < 0 {
				return query
			}
			return query[:end]
		}
		if !ok {
			return ""
		}
	}
}

func isLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
