package sqldb_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/sqldb"
)

// transport is one way to reach a database. One that is single stands for one connection.
type transport struct {
	name    string
	dialect sqldb.Dialect
	single  bool
	open    func(t *testing.T) sqldb.TxDB
}

func transports() []transport {
	return []transport{
		{"pgx pool", sqldb.DialectPostgres, false, func(t *testing.T) sqldb.TxDB {
			return sqldb.Pgx(openPool(t, pgx.QueryExecModeCacheStatement))
		}},
		{"pgx exec mode", sqldb.DialectPostgres, false, func(t *testing.T) sqldb.TxDB {
			return sqldb.Pgx(openPool(t, pgx.QueryExecModeExec))
		}},
		{"pgx simple protocol", sqldb.DialectPostgres, false, func(t *testing.T) sqldb.TxDB {
			return sqldb.Pgx(openPool(t, pgx.QueryExecModeSimpleProtocol))
		}},
		{"pgx conn", sqldb.DialectPostgres, true, func(t *testing.T) sqldb.TxDB {
			conn, err := pgx.Connect(context.Background(), testdb.Postgres(t))
			require.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close(context.Background()) })
			return sqldb.Pgx(conn)
		}},
		{"pgx tx", sqldb.DialectPostgres, true, func(t *testing.T) sqldb.TxDB {
			tx, err := openPool(t, pgx.QueryExecModeCacheStatement).Begin(context.Background())
			require.NoError(t, err)
			t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
			return sqldb.Pgx(tx)
		}},
		{"sql pgx", sqldb.DialectPostgres, false, func(t *testing.T) sqldb.TxDB {
			return sqldb.SQL(openSQL(t, "pgx", testdb.Postgres(t)), sqldb.DialectPostgres)
		}},
		{"sql pgx tx", sqldb.DialectPostgres, true, func(t *testing.T) sqldb.TxDB {
			return sqldb.SQL(begin(t, openSQL(t, "pgx", testdb.Postgres(t))), sqldb.DialectPostgres)
		}},
		{"sqlite", sqldb.DialectSQLite, false, func(t *testing.T) sqldb.TxDB {
			write, read := openSQLite(t, sqldb.SQLiteConfig{Path: testdb.SQLitePath(t)})
			return sqldb.SQLite(write, read)
		}},
		{"sqlite conn", sqldb.DialectSQLite, true, func(t *testing.T) sqldb.TxDB {
			write, _ := openSQLite(t, sqldb.SQLiteConfig{Path: testdb.SQLitePath(t)})
			conn, err := write.Conn(context.Background())
			require.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close() })
			return sqldb.SQL(conn, sqldb.DialectSQLite)
		}},
		{"sqlite shared memory", sqldb.DialectSQLite, true, func(t *testing.T) sqldb.TxDB {
			db := openSQL(t, "sqlite", "file:"+rand.Text()+"?mode=memory&cache=shared")
			db.SetMaxOpenConns(1) // a second one would meet locks that no timeout waits for
			return sqldb.SQL(db, sqldb.DialectSQLite)
		}},
		{"sqlite tx", sqldb.DialectSQLite, true, func(t *testing.T) sqldb.TxDB {
			write, _ := openSQLite(t, sqldb.SQLiteConfig{Path: testdb.SQLitePath(t)})
			return sqldb.SQL(begin(t, write), sqldb.DialectSQLite)
		}},
	}
}

// onEach runs test on every transport, each with a database of its own.
func onEach(t *testing.T, test func(t *testing.T, tr transport, db sqldb.TxDB)) {
	t.Helper()
	for _, tr := range transports() {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			test(t, tr, tr.open(t))
		})
	}
}

func openPool(t *testing.T, mode pgx.QueryExecMode) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(testdb.Postgres(t))
	require.NoError(t, err)
	cfg.ConnConfig.DefaultQueryExecMode = mode
	// A zone with half an hour shows text that is not in UTC to the scanner.
	cfg.ConnConfig.RuntimeParams["timezone"] = "Asia/Kolkata"
	cfg.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

func openSQL(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	db.SetMaxOpenConns(4)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func openSQLite(t *testing.T, cfg sqldb.SQLiteConfig) (write, read *sql.DB) {
	t.Helper()
	writeDSN, readDSN, err := sqldb.SQLiteDSN(cfg)
	require.NoError(t, err)
	write, read = openSQL(t, "sqlite", writeDSN), openSQL(t, "sqlite", readDSN)
	write.SetMaxOpenConns(1)
	return write, read
}

func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.Begin()
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

func exec(t *testing.T, db sqldb.DB, query string, args ...any) int64 {
	t.Helper()
	n, err := db.Exec(context.Background(), query, args...)
	require.NoError(t, err)
	return n
}

func count(t *testing.T, db sqldb.DB, table string) int {
	t.Helper()
	var n int
	require.NoError(t, db.QueryRow(context.Background(), "SELECT COUNT(*) FROM "+table).Scan(&n))
	return n
}

// moment is the column type that holds a sqldb.Time.
func (tr transport) moment() string {
	if tr.dialect == sqldb.DialectPostgres {
		return "TIMESTAMPTZ"
	}
	return "TIMESTAMP"
}
