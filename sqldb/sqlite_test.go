package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/sqldb"
)

func TestSQLiteReadsBesideATransaction(t *testing.T) {
	t.Parallel()
	write, read := openSQLite(t, sqldb.SQLiteConfig{Path: testdb.SQLitePath(t)})
	db := sqldb.SQLite(write, read)
	exec(t, db, `CREATE TABLE items (n BIGINT PRIMARY KEY)`)
	err := db.InTx(t.Context(), func(tx sqldb.DB) error {
		exec(t, tx, insertItem, 1)
		require.Equal(t, 0, count(t, db, "items"))
		require.Equal(t, 1, count(t, tx, "items"))
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 1, count(t, db, "items"))
}

func TestSQLiteChoosesThePool(t *testing.T) {
	t.Parallel()
	write, read := openSQLite(t, sqldb.SQLiteConfig{Path: testdb.SQLitePath(t)})
	db := sqldb.SQLite(write, read)
	exec(t, db, `CREATE TABLE items (n BIGINT PRIMARY KEY)`)
	reads := map[string]bool{
		"SELECT 1":                             true,
		"  \n\tselect 1":                       true,
		"-- a note\nSELECT 1":                  true,
		"/* INSERT */ SELECT 1":                true,
		"VALUES (1)":                           true,
		"WITH x AS (SELECT 1) SELECT * FROM x": true,
		"EXPLAIN SELECT 1":                     true,
		"PRAGMA foreign_keys":                  true,
		"INSERT INTO items (n) VALUES (1) RETURNING n":    false,
		"/* SELECT */ UPDATE items SET n = 2 RETURNING n": false,
		"DELETE FROM items RETURNING n":                   false,
	}
	// A pool that is closed tells which one a statement went to.
	require.NoError(t, read.Close())
	for query, isRead := range reads {
		rows, err := db.Query(t.Context(), query)
		if isRead {
			require.Error(t, err, query)
			continue
		}
		require.NoError(t, err, query)
		require.NoError(t, rows.Close())
	}
	for _, query := range []string{"", "--", "/* ", "1", "REPLACE"} {
		if err := db.QueryRow(t.Context(), query).Scan(); err != nil {
			require.NotContains(t, err.Error(), "database is closed", query)
		}
	}
}

func TestSQLiteReadPoolRefusesWrites(t *testing.T) {
	t.Parallel()
	write, read := openSQLite(t, sqldb.SQLiteConfig{Path: testdb.SQLitePath(t)})
	exec(t, sqldb.SQL(write, sqldb.DialectSQLite), `CREATE TABLE items (n BIGINT)`)
	_, err := read.Exec(`INSERT INTO items (n) VALUES (1)`)
	require.Error(t, err)
	require.ErrorContains(t, sqldb.CheckSQLite(t.Context(), read), "query_only")
}

func TestSQLiteDSNSettings(t *testing.T) {
	t.Parallel()
	write, read := openSQLite(t, sqldb.SQLiteConfig{
		Path: testdb.SQLitePath(t), BusyTimeout: 1500 * time.Millisecond, Durable: true,
	})
	require.NoError(t, sqldb.CheckSQLite(t.Context(), write))
	for _, db := range []*sql.DB{write, read} {
		for pragma, want := range map[string]string{
			"busy_timeout": "1500", "journal_mode": "wal", "foreign_keys": "1", "synchronous": "2",
		} {
			var got string
			require.NoError(t, db.QueryRow("PRAGMA "+pragma).Scan(&got))
			require.Equal(t, want, got, pragma)
		}
		require.Error(t, db.QueryRow(`SELECT "no_such_column"`).Scan(new(string)))
	}
}

func TestSQLiteDSNWithOddPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"plain.db", "a b.db", "a?mode=memory.db", "a#b.db", "a%20b.db", "a&_query_only=1.db", "ünï.db",
		"a+b=c;d.db", "'quoted\".db", "a\nb.db", "file:x.db", "a:memory:.db",
	} {
		dir := t.TempDir()
		write, read := openSQLite(t, sqldb.SQLiteConfig{Path: filepath.Join(dir, name)})
		db := sqldb.SQLite(write, read)
		exec(t, db, `CREATE TABLE items (n BIGINT)`)
		require.Equal(t, 0, count(t, db, "items"), name)
		_, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err, name)
	}
	// A path with two leading slashes must not become the name of a host.
	path := "/" + testdb.SQLitePath(t)
	write, _ := openSQLite(t, sqldb.SQLiteConfig{Path: path})
	require.NoError(t, write.Ping())
}

func TestSQLiteDSNText(t *testing.T) {
	t.Parallel()
	write, read, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: "data/app.db"})
	require.NoError(t, err)
	const common = "file:data/app.db?_busy_timeout=5000&_synchronous=NORMAL&_foreign_keys=1" +
		"&_time_format=sqlite&_timezone=UTC&_dqs=0&_defensive=1"
	require.Equal(t, common+"&_journal_mode=WAL&_txlock=immediate", write)
	require.Equal(t, common+"&_query_only=1", read)
}

func TestSQLiteDSNRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		cfg    sqldb.SQLiteConfig
		fields []string
	}{
		{"nothing", sqldb.SQLiteConfig{}, []string{"Path"}},
		{"memory", sqldb.SQLiteConfig{Path: ":memory:"}, []string{"Path"}},
		{"uri", sqldb.SQLiteConfig{Path: "file::memory:?cache=shared"}, []string{"Path"}},
		{"nul", sqldb.SQLiteConfig{Path: "a\x00b"}, []string{"Path"}},
		{"both", sqldb.SQLiteConfig{BusyTimeout: -1}, []string{"Path", "BusyTimeout"}},
		{"too short", sqldb.SQLiteConfig{Path: "a", BusyTimeout: time.Microsecond}, []string{"BusyTimeout"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			write, read, err := sqldb.SQLiteDSN(tt.cfg)
			require.Empty(t, write+read)
			require.Equal(t, tt.fields, faultFields(err))
		})
	}
}

func TestCheckSQLite(t *testing.T) {
	t.Parallel()
	file := "file:" + testdb.SQLitePath(t)
	tests := []struct {
		name   string
		dsn    string
		conns  int
		fields []string
	}{
		{"bare", file, 1, []string{"foreign_keys", "busy_timeout", "journal_mode"}},
		{"memory", ":memory:?_foreign_keys=1&_busy_timeout=1000", 4, []string{"MaxOpenConns"}},
		{"memory on one connection", ":memory:?_foreign_keys=1&_busy_timeout=1000", 1, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := openSQL(t, "sqlite", tt.dsn)
			db.SetMaxOpenConns(tt.conns)
			require.Equal(t, tt.fields, faultFields(sqldb.CheckSQLite(t.Context(), db)))
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, sqldb.CheckSQLite(ctx, openSQL(t, "sqlite", file)), context.Canceled)
}

// faultFields lists the fields of the ConfigErrors that err joins.
func faultFields(err error) []string {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var fields []string
	for _, fault := range joined.Unwrap() {
		var config *sqldb.ConfigError
		if errors.As(fault, &config) {
			fields = append(fields, config.Field)
		}
	}
	return fields
}
