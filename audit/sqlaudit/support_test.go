package sqlaudit_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// transport is one way to reach a database that the package promises to work on. PostgreSQL gets a
// URL; on SQLite it is empty.
type transport struct {
	name    string
	dialect sqldb.Dialect
	dial    func(t testing.TB, dsn string) sqldb.TxDB
}

func sqliteTransports() []transport {
	return []transport{
		{"sqlite", sqldb.DialectSQLite, func(t testing.TB, _ string) sqldb.TxDB { return openSQLite(t, testdb.SQLitePath(t)) }},
		{"sqlite shared memory", sqldb.DialectSQLite, func(t testing.TB, _ string) sqldb.TxDB {
			db := openSQL(t, "sqlite", "file:"+rand.Text()+"?mode=memory&cache=shared")
			db.SetMaxOpenConns(1)
			return sqldb.SQL(db, sqldb.DialectSQLite)
		}},
		{"sqlite bare", sqldb.DialectSQLite, func(t testing.TB, _ string) sqldb.TxDB {
			db := openSQL(t, "sqlite", testdb.SQLitePath(t))
			db.SetMaxOpenConns(1)
			return sqldb.SQL(db, sqldb.DialectSQLite)
		}},
	}
}

func postgresTransports() []transport {
	pool := func(mode pgx.QueryExecMode) func(t testing.TB, dsn string) sqldb.TxDB {
		return func(t testing.TB, dsn string) sqldb.TxDB { return sqldb.Pgx(openPool(t, dsn, mode)) }
	}
	return []transport{
		{"pgx", sqldb.DialectPostgres, pool(pgx.QueryExecModeCacheStatement)},
		{"pgx simple protocol", sqldb.DialectPostgres, pool(pgx.QueryExecModeSimpleProtocol)},
		{"sql pgx", sqldb.DialectPostgres, func(t testing.TB, dsn string) sqldb.TxDB {
			db := openSQL(t, "pgx", dsn)
			db.SetMaxOpenConns(8)
			return sqldb.SQL(db, sqldb.DialectPostgres)
		}},
	}
}

// schema makes a schema of its own in a database and returns the URL that leads to it.
func schema(t testing.TB, dsn string) string {
	t.Helper()
	name := "s" + strings.ToLower(rand.Text())
	_, err := openSQL(t, "pgx", dsn).Exec("CREATE SCHEMA " + name)
	require.NoError(t, err)
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	q := u.Query()
	q.Set("search_path", name)
	q.Set("synchronous_commit", "off") // for speed
	u.RawQuery = q.Encode()
	return u.String()
}

func openPool(t testing.TB, dsn string, mode pgx.QueryExecMode) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(dsn)
	require.NoError(t, err)
	cfg.ConnConfig.DefaultQueryExecMode = mode
	// A zone with half an hour shows times that are not in UTC.
	cfg.ConnConfig.RuntimeParams["timezone"] = "Asia/Kolkata"
	cfg.MaxConns = 8
	handle, err := pgxpool.NewWithConfig(context.Background(), cfg)
	require.NoError(t, err)
	t.Cleanup(handle.Close)
	return handle
}

func openSQL(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func openSQLite(t testing.TB, path string) sqldb.TxDB {
	t.Helper()
	// SQLite lets those who wait for a lock in without order: of 64 writers on two handles and a slow
	// disk one may wait longer than the default.
	write, read, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: path, Durable: true, BusyTimeout: time.Minute})
	require.NoError(t, err)
	w, r := openSQL(t, "sqlite", write), openSQL(t, "sqlite", read)
	w.SetMaxOpenConns(1)
	return sqldb.SQLite(w, r)
}

// opened is a transport with its tables and a trail on it.
type opened struct {
	transport
	db    sqldb.TxDB
	store *sqlaudit.Store
	trail *audit.Logger
	clock time.Time
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

var ctx = context.Background()

func key(id string) sqlaudit.Key {
	secret := make([]byte, 32)
	copy(secret, "the secret of "+id)
	return sqlaudit.Key{ID: id, Secret: secret}
}

func keyring(t testing.TB, current string, older ...string) *sqlaudit.Keyring {
	t.Helper()
	var list []sqlaudit.Key
	for _, id := range older {
		list = append(list, key(id))
	}
	ring, err := sqlaudit.NewKeyring(key(current), list...)
	require.NoError(t, err)
	return ring
}

func signingKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(key("signing").Secret) }

func config(t testing.TB, db sqldb.TxDB) sqlaudit.Config {
	return sqlaudit.Config{
		DB: db, Keys: keyring(t, "k1"), PageSize: 7, Now: func() time.Time { return epoch },
		CheckpointKeys: map[string]sqlaudit.PublicKey{"s1": signingKey().Public().(ed25519.PublicKey)},
	}
}

func newStore(t testing.TB, cfg sqlaudit.Config) *sqlaudit.Store {
	t.Helper()
	store, err := sqlaudit.New(cfg)
	require.NoError(t, err)
	return store
}

func open(t testing.TB, tr transport, dsn string) *opened {
	t.Helper()
	if dsn != "" {
		dsn = schema(t, dsn)
	}
	o := &opened{transport: tr, db: tr.dial(t, dsn), clock: epoch}
	createTables(t, o.db)
	o.store = newStore(t, config(t, o.db))
	o.trail = newTrail(t, o.store)
	return o
}

// openFile opens a SQLite file, for tests of what no database does differently.
func openFile(t testing.TB) *opened { return open(t, sqliteTransports()[0], "") }

func newTrail(t testing.TB, sink audit.Sink) *audit.Logger {
	t.Helper()
	trail, err := audit.New(audit.Config{Sink: sink})
	require.NoError(t, err)
	return trail
}

func createTables(t testing.TB, db sqldb.DB) {
	t.Helper()
	for _, statement := range sqlaudit.Statements(sqldb.DialectOf(db)) {
		_, err := db.Exec(ctx, statement)
		require.NoError(t, err, statement)
	}
}

// transports runs test on every transport. PostgreSQL has one database for all of them, in which
// each call of open makes a schema.
func transports(t *testing.T, test func(t *testing.T, tr transport, dsn string)) {
	t.Helper()
	for _, tr := range sqliteTransports() {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			test(t, tr, "")
		})
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		dsn := testdb.Postgres(t)
		for _, tr := range postgresTransports() {
			t.Run(tr.name, func(t *testing.T) {
				t.Parallel()
				test(t, tr, dsn)
			})
		}
	})
}

// onEach runs test on every transport, each with tables of its own.
func onEach(t *testing.T, test func(t *testing.T, o *opened)) {
	t.Helper()
	transports(t, func(t *testing.T, tr transport, dsn string) { test(t, open(t, tr, dsn)) })
}

// log writes n events with ids that sort like their number, a second apart.
func (o *opened) log(t testing.TB, n int, change ...func(e *audit.Event)) []string {
	t.Helper()
	var events []audit.Event
	var ids []string
	for i := range n {
		o.clock = o.clock.Add(time.Second)
		e := audit.Event{
			ID: uuid7.New(o.clock), At: o.clock, Tenant: "t1", Action: "area.update",
			Actor:  audit.Actor{Type: audit.ActorUser, ID: fmt.Sprintf("u%d", i%3), Name: "Ann", OnBehalfOf: "root", Tenant: "t9"},
			Entity: audit.Entity{Type: "area", ID: fmt.Sprint(i)},
			Reason: "because", Class: audit.Critical, Outcome: audit.Denied,
			Request: audit.Request{ID: "r1", SessionID: "s1", IP: "10.0.0.1", UserAgent: "curl", Method: "PATCH", Path: "/areas/1?x=1"},
			Changes: []audit.Change{{Path: "/name", Op: audit.OpReplace, Old: []byte(`"a"`), New: []byte(`null`)}},
			Data:    map[string]any{"big": 9007199254740993, "nested": []any{map[string]any{"ok": true}}},
		}
		for _, f := range change {
			f(&e)
		}
		events, ids = append(events, e), append(ids, e.ID)
	}
	require.NoError(t, o.trail.Log(ctx, events...))
	return ids
}

func (o *opened) sealer(t testing.TB, change ...func(cfg *sqlaudit.SealerConfig)) *sqlaudit.Sealer {
	t.Helper()
	cfg := sqlaudit.SealerConfig{Store: o.store, Batch: 10}
	for _, f := range change {
		f(&cfg)
	}
	sealer, err := sqlaudit.NewSealer(cfg)
	require.NoError(t, err)
	return sealer
}

func signed(cfg *sqlaudit.SealerConfig) { cfg.SigningKey, cfg.SigningKeyID = signingKey(), "s1" }

func (o *opened) seal(t testing.TB, change ...func(cfg *sqlaudit.SealerConfig)) sqlaudit.SealResult {
	t.Helper()
	result, err := o.sealer(t, change...).Once(ctx)
	require.NoError(t, err)
	return result
}

func (o *opened) verify(t testing.TB, options ...sqlaudit.VerifyOptions) sqlaudit.Report {
	t.Helper()
	report, err := o.store.Verify(ctx, append(options, sqlaudit.VerifyOptions{})[0])
	require.NoError(t, err)
	return report
}

func (o *opened) exec(t testing.TB, query string, args ...any) int64 {
	t.Helper()
	n, err := o.db.Exec(ctx, query, args...)
	require.NoError(t, err, query)
	return n
}

func (o *opened) count(t testing.TB, table string) (n int) {
	t.Helper()
	require.NoError(t, o.db.QueryRow(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n))
	return n
}

// disarm removes the trigger, as an attacker with all rights would.
func (o *opened) disarm(t testing.TB) {
	t.Helper()
	if o.dialect == sqldb.DialectPostgres {
		o.exec(t, "DROP TRIGGER audit_events_insert_only ON audit_events")
		return
	}
	o.exec(t, "DROP TRIGGER audit_events_insert_only")
}

// events returns all events, oldest first.
func (o *opened) events(t testing.TB) []audit.Event {
	t.Helper()
	list := sqlaudit.ListConfig()
	list.Ephemeral, list.DefaultSort, list.MaxSize, list.DefaultSize = true, "at", 10000, 10000
	spec, err := pagination.NewSpec(list)
	require.NoError(t, err)
	q, err := spec.Parse(url.Values{})
	require.NoError(t, err)
	page, err := o.store.Query(ctx, sqlaudit.Filter{AllTenants: true}, q)
	require.NoError(t, err)
	return page.Items
}

// openDSN opens a PostgreSQL URL or the path of a SQLite file.
func openDSN(t testing.TB, dsn string) sqldb.TxDB {
	t.Helper()
	if strings.HasPrefix(dsn, "postgres") {
		return sqldb.Pgx(openPool(t, dsn, pgx.QueryExecModeCacheStatement))
	}
	return openSQLite(t, dsn)
}
