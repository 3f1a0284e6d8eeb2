// Package migrations holds the server's schema, as goose migrations, once for each database. The two
// folders differ in types only: tables and columns have the same names.
package migrations

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/groundwork-go/groundwork/sqldb"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// FS returns the migrations for a dialect.
func FS(d sqldb.Dialect) (fs.FS, error) {
	switch d {
	case sqldb.DialectSQLite:
		return fs.Sub(files, "sqlite")
	case sqldb.DialectPostgres:
		return fs.Sub(files, "postgres")
	}
	return nil, fmt.Errorf("migrations: unknown dialect %v", d)
}
