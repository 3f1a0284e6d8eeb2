package softdelete

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/groundwork-go/groundwork/sqldb"
)

// Schema returns the DDL that soft deletion adds to the tables of the Config, one statement per
// element, for a migration: columns of the table and of its children (run them once, on tables
// that exist), the index that a purge walks, the index that finds the rows of one deletion, and
// the partial unique indexes. Columns that the tables have already are the caller's to leave out.
// It is empty for an unknown dialect.
//
// What it does not write: the foreign keys, which should exist without ON DELETE CASCADE, and an
// index on each foreign key, without which a cascade reads the whole child table.
func (r *Repository[T, K]) Schema(d sqldb.Dialect) []string {
	moment := "TIMESTAMPTZ"
	switch d {
	case sqldb.DialectPostgres:
	case sqldb.DialectSQLite:
		moment = "TIMESTAMP"
	default:
		return nil
	}
	var list []string
	for _, t := range tables(&r.root, r.children) {
		column := func(name, kind string) {
			if name != "" {
				list = append(list, "ALTER TABLE "+t.from()+" ADD COLUMN "+quote(name)+" "+kind)
			}
		}
		column(t.deletedAt, moment)
		column(t.deletedBy, "TEXT")
		column(t.deletionID, "TEXT")
	}
	for _, t := range tables(&r.root, r.children) {
		list = append(list, index("", t, t.name+"_deleted_at", []string{t.deletedAt, t.id}, t.deletedAt, " IS NOT NULL"))
		if t.deletionID != "" {
			list = append(list, index("", t, t.name+"_deletion_id", []string{t.deletionID}, t.deletionID, " IS NOT NULL"))
		}
	}
	for _, columns := range r.unique {
		name := r.root.name + "_" + strings.Join(columns, "_") + "_live"
		list = append(list, index("UNIQUE ", &r.root, name, columns, r.root.deletedAt, " IS NULL"))
	}
	return list
}

func index(unique string, t *table, name string, columns []string, where, is string) string {
	quoted := make([]string, len(columns))
	for i, column := range columns {
		quoted[i] = quote(column)
	}
	return "CREATE " + unique + "INDEX " + quote(short(name)) + " ON " + t.from() +
		" (" + strings.Join(quoted, ", ") + ") WHERE " + quote(where) + is
}

// short keeps a name within PostgreSQL's 63 bytes, where it would be cut and might collide.
func short(name string) string {
	if len(name) <= 63 {
		return name
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(name))
	return fmt.Sprintf("%s_%08x", name[:54], sum.Sum32())
}
