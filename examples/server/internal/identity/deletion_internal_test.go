package identity

import (
	"database/sql"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"github.com/groundwork-go/groundwork/examples/server/migrations"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/sqldb"
)

// The migrations have made the columns and indexes that the deletion of accounts needs.
func TestAccountsSchema(t *testing.T) {
	t.Parallel()
	for _, d := range []struct {
		dialect sqldb.Dialect
		goose   goose.Dialect
		driver  string
		dsn     func(testing.TB) string
	}{
		{sqldb.DialectSQLite, goose.DialectSQLite3, "sqlite", testdb.SQLitePath},
		{sqldb.DialectPostgres, goose.DialectPostgres, "pgx", testdb.Postgres},
	} {
		t.Run(d.driver, func(t *testing.T) {
			t.Parallel()
			db, err := sql.Open(d.driver, d.dsn(t))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			files, err := migrations.FS(d.dialect)
			require.NoError(t, err)
			provider, err := goose.NewProvider(d.goose, db, files)
			require.NoError(t, err)
			_, err = provider.Up(t.Context())
			require.NoError(t, err)
			s := &Service{db: sqldb.SQL(db, d.dialect), now: time.Now}
			accounts, err := s.newAccounts()
			require.NoError(t, err)
			require.NoError(t, accounts.Check(t.Context()))
		})
	}
}
