package testdb

import (
	"crypto/rand"
	"database/sql"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/groundwork-go/groundwork/sqldb"
)

// EachTransport runs a test on every database and driver that a SQL store promises to work on, as
// subtests. Each call of open gives a database with freshly made tables; statements lists what makes
// them.
func EachTransport(
	t *testing.T, statements func(sqldb.Dialect) []string, run func(t *testing.T, open func(t *testing.T) sqldb.TxDB),
) {
	t.Run("SQLite", func(t *testing.T) {
		run(t, func(t *testing.T) sqldb.TxDB { return SQLite(t, statements) })
	})
	for name, change := range map[string]func(*pgx.ConnConfig){
		"Pgx": func(*pgx.ConnConfig) {},
		"PgxRepeatableRead": func(cfg *pgx.ConnConfig) {
			cfg.RuntimeParams["default_transaction_isolation"] = "repeatable read"
		},
		"PgxSimpleProtocol": func(cfg *pgx.ConnConfig) {
			cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		},
	} {
		t.Run(name, func(t *testing.T) {
			database := Postgres(t)
			run(t, func(t *testing.T) sqldb.TxDB { return openPgx(t, schema(t, database), change, statements) })
		})
	}
	t.Run("PostgresStdlib", func(t *testing.T) {
		database := Postgres(t)
		run(t, func(t *testing.T) sqldb.TxDB {
			db := openSQL(t, "pgx", schema(t, database))
			db.SetMaxOpenConns(4)
			return migrate(t, sqldb.SQL(db, sqldb.DialectPostgres), statements)
		})
	})
}

// SQLite opens a new SQLite database in a file and makes its tables.
func SQLite(t testing.TB, statements func(sqldb.Dialect) []string) sqldb.TxDB {
	t.Helper()
	write, read, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: SQLitePath(t)})
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	w, r := openSQL(t, "sqlite", write), openSQL(t, "sqlite", read)
	w.SetMaxOpenConns(1)
	return migrate(t, sqldb.SQLite(w, r), statements)
}

func openPgx(
	t testing.TB, database string, change func(*pgx.ConnConfig), statements func(sqldb.Dialect) []string,
) sqldb.TxDB {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(database)
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	cfg.MaxConns = 8
	change(cfg.ConnConfig)
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	t.Cleanup(pool.Close)
	return migrate(t, sqldb.Pgx(pool), statements)
}

func openSQL(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// schema makes a schema of its own in the database and returns the URL that leads to it. Tests there
// need no disk: a crash of the server may lose what they wrote.
func schema(t testing.TB, database string) string {
	t.Helper()
	name := "s_" + strings.ToLower(rand.Text())
	exec(t, database, "CREATE SCHEMA "+name)
	target, err := url.Parse(database)
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	query := target.Query()
	query.Set("search_path", name)
	query.Set("synchronous_commit", "off")
	target.RawQuery = query.Encode()
	return target.String()
}

func migrate(t testing.TB, db sqldb.TxDB, statements func(sqldb.Dialect) []string) sqldb.TxDB {
	t.Helper()
	for _, statement := range statements(sqldb.DialectOf(db)) {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatalf("testdb: %v", err)
		}
	}
	return db
}
