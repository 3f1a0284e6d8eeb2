package sqlauth_test

import (
	"crypto/rand"
	"database/sql"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/authtest"
	"github.com/groundwork-go/groundwork/auth/sqlauth"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/sqldb"
)

// migrate creates the tables.
func migrate(t *testing.T, db sqldb.TxDB) sqldb.TxDB {
	t.Helper()
	statements := sqlauth.Statements(sqldb.DialectOf(db))
	require.Len(t, statements, 8)
	for _, statement := range statements {
		_, err := db.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	return db
}

func sqliteDB(t *testing.T) sqldb.TxDB {
	t.Helper()
	wdsn, rdsn, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: testdb.SQLitePath(t)})
	require.NoError(t, err)
	write, err := sql.Open("sqlite", wdsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = write.Close() })
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", rdsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = read.Close() })
	return migrate(t, sqldb.SQLite(write, read))
}

// schema makes a schema of its own in the database and returns its name.
func schema(t *testing.T, url string) string {
	t.Helper()
	name := "s_" + strings.ToLower(rand.Text())
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), "CREATE SCHEMA "+name)
	require.NoError(t, err)
	return name
}

func pgxDB(t *testing.T, url string, change func(*pgxpool.Config)) sqldb.TxDB {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(url)
	require.NoError(t, err)
	cfg.MaxConns = 8
	cfg.ConnConfig.RuntimeParams["search_path"] = schema(t, url)
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	change(cfg)
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return migrate(t, sqldb.Pgx(pool))
}

func stdlibDB(t *testing.T, url string) sqldb.TxDB {
	t.Helper()
	db, err := sql.Open("pgx", url+"&synchronous_commit=off&search_path="+schema(t, url))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(4)
	return migrate(t, sqldb.SQL(db, sqldb.DialectPostgres))
}

// transports are the databases and drivers that every test of this package runs on. Each call of
// open gives empty tables.
func transports(t *testing.T, run func(t *testing.T, open func(t *testing.T) sqldb.TxDB)) {
	t.Run("SQLite", func(t *testing.T) { run(t, sqliteDB) })
	for name, change := range map[string]func(*pgxpool.Config){
		"Pgx": func(*pgxpool.Config) {},
		"PgxRepeatableRead": func(cfg *pgxpool.Config) {
			cfg.ConnConfig.RuntimeParams["default_transaction_isolation"] = "repeatable read"
		},
		"PgxSimpleProtocol": func(cfg *pgxpool.Config) {
			cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := testdb.Postgres(t)
			run(t, func(t *testing.T) sqldb.TxDB { return pgxDB(t, url, change) })
		})
	}
	t.Run("PostgresStdlib", func(t *testing.T) {
		url := testdb.Postgres(t)
		run(t, func(t *testing.T) sqldb.TxDB { return stdlibDB(t, url) })
	})
}

func TestStore(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		authtest.TestStore(t, func(t *testing.T) auth.Store { return sqlauth.New(open(t)) })
	})
}
