package pagination_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// transport is one way to reach a database that the package promises to work on.
type transport struct {
	name    string
	dialect sqldb.Dialect
	open    func(t *testing.T) sqldb.TxDB
}

func transports() []transport {
	pool := func(mode pgx.QueryExecMode) func(t *testing.T) sqldb.TxDB {
		return func(t *testing.T) sqldb.TxDB {
			cfg, err := pgxpool.ParseConfig(testdb.Postgres(t))
			require.NoError(t, err)
			cfg.ConnConfig.DefaultQueryExecMode = mode
			cfg.ConnConfig.RuntimeParams["timezone"] = "Asia/Kolkata"
			cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "off" // for speed
			handle, err := pgxpool.NewWithConfig(context.Background(), cfg)
			require.NoError(t, err)
			t.Cleanup(handle.Close)
			return sqldb.Pgx(handle)
		}
	}
	return []transport{
		{"sqlite", sqldb.DialectSQLite, func(t *testing.T) sqldb.TxDB {
			write, read, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: testdb.SQLitePath(t)})
			require.NoError(t, err)
			w, r := openSQL(t, "sqlite", write), openSQL(t, "sqlite", read)
			w.SetMaxOpenConns(1)
			return sqldb.SQLite(w, r)
		}},
		{"sqlite plain", sqldb.DialectSQLite, func(t *testing.T) sqldb.TxDB {
			db := openSQL(t, "sqlite", testdb.SQLitePath(t))
			db.SetMaxOpenConns(1)                         // without a busy timeout a second one would fail at once
			_, err := db.Exec("PRAGMA synchronous = OFF") // for speed; all else is SQLite's default
			require.NoError(t, err)
			return sqldb.SQL(db, sqldb.DialectSQLite)
		}},
		{"sqlite shared memory", sqldb.DialectSQLite, func(t *testing.T) sqldb.TxDB {
			db := openSQL(t, "sqlite", "file:"+rand.Text()+"?mode=memory&cache=shared")
			db.SetMaxOpenConns(1) // a second one would meet locks that no timeout waits for
			return sqldb.SQL(db, sqldb.DialectSQLite)
		}},
		{"pgx", sqldb.DialectPostgres, pool(pgx.QueryExecModeCacheStatement)},
		{"pgx simple protocol", sqldb.DialectPostgres, pool(pgx.QueryExecModeSimpleProtocol)},
		{"sql pgx", sqldb.DialectPostgres, func(t *testing.T) sqldb.TxDB {
			return sqldb.SQL(openSQL(t, "pgx", testdb.Postgres(t)+"&synchronous_commit=off"), sqldb.DialectPostgres)
		}},
	}
}

func openSQL(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// onEach runs test on every transport with an empty items table.
func onEach(t *testing.T, test func(t *testing.T, tr transport, db sqldb.TxDB)) {
	t.Helper()
	for _, tr := range transports() {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			db := tr.open(t)
			createItems(t, tr, db)
			test(t, tr, db)
		})
	}
}

// createItems makes a table with one column per kind. PostgreSQL gets its narrow and native
// types on purpose: INTEGER, UUID, DATE, TIMESTAMPTZ.
func createItems(t *testing.T, tr transport, db sqldb.DB) {
	t.Helper()
	ddl := `CREATE TABLE items (
		id BIGINT PRIMARY KEY, tenant TEXT NOT NULL, rank INTEGER NOT NULL, big BIGINT NOT NULL,
		name TEXT COLLATE "C", folded TEXT NOT NULL, score DOUBLE PRECISION, done BOOLEAN,
		at TIMESTAMPTZ, day DATE, uid UUID NOT NULL UNIQUE)`
	if tr.dialect == sqldb.DialectSQLite {
		ddl = strings.NewReplacer(`COLLATE "C"`, "", "TIMESTAMPTZ", "TIMESTAMP", "UUID", "TEXT").Replace(ddl)
	}
	_, err := db.Exec(context.Background(), ddl)
	require.NoError(t, err)
}

// item is one row; a nil pointer is NULL. Times and dates are in their bound form.
type item struct {
	ID     int64
	Tenant string
	Rank   int64
	Big    int64
	Name   *string
	Score  *float64
	Done   *bool
	At     *string
	Day    *string
	UID    string
}

const itemTenant = "t1"

func insertItems(t *testing.T, db sqldb.TxDB, items ...item) {
	t.Helper()
	require.NoError(t, putItems(db, items...))
}

func putItems(db sqldb.TxDB, items ...item) error {
	return db.InTx(context.Background(), func(tx sqldb.DB) error {
		for _, it := range items {
			folded := ""
			if it.Name != nil {
				folded = pagination.Fold(*it.Name)
			}
			_, err := tx.Exec(context.Background(), `INSERT INTO items
				(id, tenant, rank, big, name, folded, score, done, at, day, uid)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
				it.ID, cmp.Or(it.Tenant, itemTenant), it.Rank, it.Big, it.Name, folded, it.Score, it.Done,
				it.At, it.Day, cmp.Or(it.UID, uid(it.ID)))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func deleteItem(db sqldb.DB, id int64) error {
	_, err := db.Exec(context.Background(), `DELETE FROM items WHERE id = $1`, id)
	return err
}

// uid is a UUID whose order has nothing to do with the id's.
func uid(id int64) string {
	const digits = "0123456789abcdef"
	b := []byte("00000000-0000-4000-8000-000000000000")
	x := uint64(id) * 0x9E3779B97F4A7C15
	for i := range b {
		if b[i] == '0' {
			b[i] = digits[x>>60]
			x = x<<4 | x>>60
		}
	}
	tail := "000000000000"
	n := []byte(tail)
	for i, v := len(n)-1, uint64(id); i >= 0; i-- {
		n[i] = digits[v&15]
		v >>= 4
	}
	return string(b[:24]) + string(n)
}

// base is the select of every list in these tests. No sort column but id is in it.
var base = pagination.Select{
	Columns: "i.id, i.rank + 1", From: "items AS i", Where: "i.tenant = $1", Args: []any{itemTenant},
}

// fetch runs a query the way a caller does and returns the page of ids.
func fetch(t testing.TB, db sqldb.DB, q pagination.Query) pagination.Page[int64] {
	t.Helper()
	page, err := list(context.Background(), db, q, base)
	require.NoError(t, err)
	return page
}

func list(
	ctx context.Context, db sqldb.DB, q pagination.Query, base pagination.Select,
) (pagination.Page[int64], error) {
	q, err := q.Count(ctx, base, func(ctx context.Context, query string, args ...any) (n int64, err error) {
		err = db.QueryRow(ctx, query, args...).Scan(&n)
		return n, err
	})
	if err != nil {
		return pagination.Page[int64]{}, err
	}
	text, args, err := q.SQL(base)
	if err != nil {
		return pagination.Page[int64]{}, err
	}
	rows, err := db.Query(ctx, text, args...)
	if err != nil {
		return pagination.Page[int64]{}, err
	}
	return pagination.Collect(rows, q, func(row pagination.Scanner) (id int64, err error) {
		var rank int64
		err = row.Scan(&id, &rank)
		return id, err
	})
}

var testKey = pagination.Key{ID: 1, Secret: [32]byte{1, 2, 3}}

func keyring(t testing.TB, current pagination.Key, older ...pagination.Key) *pagination.Keyring {
	t.Helper()
	ring, err := pagination.NewKeyring(current, older...)
	require.NoError(t, err)
	return ring
}

// itemConfig sorts and filters by every column.
func itemConfig(t testing.TB) pagination.Config {
	ordered := []pagination.Op{
		pagination.Eq, pagination.Ne, pagination.Lt, pagination.Le, pagination.Gt, pagination.Ge, pagination.In,
	}
	fields := []pagination.Field{
		{Name: "id", Column: "i.id", Kind: pagination.Int, Ops: ordered},
		{Name: "rank", Column: "i.rank", Kind: pagination.Int, Ops: ordered},
		{Name: "big", Column: "i.big", Kind: pagination.Int, Ops: ordered},
		{Name: "name", Column: "i.name", Nullable: true, Ops: append([]pagination.Op{pagination.Prefix, pagination.IsNull}, ordered...)},
		{Name: "score", Column: "i.score", Kind: pagination.Float, Nullable: true, Ops: ordered},
		{Name: "done", Column: "i.done", Kind: pagination.Bool, Nullable: true, Ops: []pagination.Op{pagination.Eq, pagination.Ne}},
		{Name: "at", Column: "i.at", Kind: pagination.Time, Nullable: true, Ops: ordered},
		{Name: "day", Column: "i.day", Kind: pagination.Date, Nullable: true, Ops: ordered},
		{Name: "uid", Column: "i.uid", Kind: pagination.UUID, Ops: ordered},
	}
	filters := append([]pagination.Field{}, fields...)
	filters = append(filters, pagination.Field{
		Name: "tenant", Column: "i.tenant", Kind: pagination.Enum, Enum: []string{"t1", "t2"},
		Ops: []pagination.Op{pagination.Eq, pagination.Ne, pagination.In},
	})
	return pagination.Config{
		Sortable: fields, Filterable: filters, DefaultSort: "-rank",
		TieBreaker: pagination.Field{Name: "id", Column: "i.id", Kind: pagination.Int},
		Search:     pagination.Search{Columns: []string{"i.folded"}},
		Keyring:    keyring(t, testKey),
	}
}

func newSpec(t testing.TB, change ...func(*pagination.Config)) *pagination.Spec {
	t.Helper()
	cfg := itemConfig(t)
	for _, f := range change {
		f(&cfg)
	}
	spec, err := pagination.NewSpec(cfg)
	require.NoError(t, err)
	return spec
}

func ptr[T any](v T) *T { return &v }
