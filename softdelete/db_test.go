package softdelete_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

// transport is one way to reach a database that the package promises to work on. On PostgreSQL,
// url is a database that the transports of one test share; each has a schema of its own in it.
type transport struct {
	name    string
	dialect sqldb.Dialect
	open    func(t *testing.T, url string) sqldb.TxDB
}

func transports() (sqlite, postgres []transport) {
	sqlite = []transport{
		{"file", sqldb.DialectSQLite, func(t *testing.T, _ string) sqldb.TxDB {
			write, read, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: testdb.SQLitePath(t)})
			require.NoError(t, err)
			w, r := openSQL(t, "sqlite", write), openSQL(t, "sqlite", read)
			w.SetMaxOpenConns(1)
			return sqldb.SQLite(w, r)
		}},
		{"bare", sqldb.DialectSQLite, func(t *testing.T, _ string) sqldb.TxDB {
			db := openSQL(t, "sqlite", testdb.SQLitePath(t))
			db.SetMaxOpenConns(1)
			_, err := db.Exec("PRAGMA synchronous = OFF") // for speed; all else is SQLite's default
			require.NoError(t, err)
			return sqldb.SQL(db, sqldb.DialectSQLite)
		}},
		{"memory", sqldb.DialectSQLite, func(t *testing.T, _ string) sqldb.TxDB {
			db := openSQL(t, "sqlite", "file:"+uid(t.Name())+"?mode=memory&cache=shared&_pragma=foreign_keys(1)")
			db.SetMaxOpenConns(1)
			return sqldb.SQL(db, sqldb.DialectSQLite)
		}},
	}
	pool := func(mode pgx.QueryExecMode) func(t *testing.T, url string) sqldb.TxDB {
		return func(t *testing.T, url string) sqldb.TxDB {
			cfg, err := pgxpool.ParseConfig(url)
			require.NoError(t, err)
			cfg.ConnConfig.DefaultQueryExecMode = mode
			cfg.ConnConfig.RuntimeParams["timezone"] = "Asia/Kolkata"
			cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
			cfg.ConnConfig.RuntimeParams["search_path"] = schema(t, url)
			cfg.MaxConns = 8
			handle, err := pgxpool.NewWithConfig(context.Background(), cfg)
			require.NoError(t, err)
			t.Cleanup(handle.Close)
			return sqldb.Pgx(handle)
		}
	}
	postgres = []transport{
		{"pgx", sqldb.DialectPostgres, pool(pgx.QueryExecModeCacheStatement)},
		{"pgx simple protocol", sqldb.DialectPostgres, pool(pgx.QueryExecModeSimpleProtocol)},
		{"sql", sqldb.DialectPostgres, func(t *testing.T, url string) sqldb.TxDB {
			db := openSQL(t, "pgx", url+"&synchronous_commit=off&search_path="+schema(t, url))
			db.SetMaxOpenConns(8)
			return sqldb.SQL(db, sqldb.DialectPostgres)
		}},
	}
	return sqlite, postgres
}

// schema makes a schema of its own in the database and returns its name.
func schema(t *testing.T, url string) string {
	t.Helper()
	name := "s_" + strings.ToLower(rand.Text())
	db := openSQL(t, "pgx", url)
	_, err := db.Exec("CREATE SCHEMA " + name)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	return name
}

func uid(name string) string { return strings.NewReplacer("/", "_", " ", "_").Replace(name) }

func openSQL(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// start is when every test begins.
var start = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// world is a database with a small product in it: jobs have rooms, rooms have items; notes have
// no soft deletion; invoices keep their job, tags lose it.
type world struct {
	t       *testing.T
	tr      transport
	db      sqldb.TxDB
	mu      sync.Mutex
	time    time.Time
	changes []change
}

type change = softdelete.Change[job, string]

type job struct{ ID, Slug string }

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

const tables = `
CREATE TABLE jobs (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, slug TEXT NOT NULL, created_at TIMESTAMPTZ);
CREATE TABLE rooms (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, job_id TEXT REFERENCES jobs (id), slug TEXT NOT NULL);
CREATE INDEX rooms_job_id ON rooms (job_id);
CREATE TABLE items (id TEXT PRIMARY KEY, room_id TEXT REFERENCES rooms (id));
CREATE INDEX items_room_id ON items (room_id);
CREATE TABLE notes (id TEXT PRIMARY KEY, item_id TEXT REFERENCES items (id));
CREATE INDEX notes_item_id ON notes (item_id);
CREATE TABLE invoices (id TEXT PRIMARY KEY, job_id TEXT REFERENCES jobs (id));
CREATE INDEX invoices_job_id ON invoices (job_id);
CREATE TABLE tags (id TEXT PRIMARY KEY, job_id TEXT REFERENCES jobs (id));
CREATE INDEX tags_job_id ON tags (job_id);
CREATE TABLE strangers (id TEXT PRIMARY KEY, job_id TEXT REFERENCES jobs (id));
CREATE TABLE log (line TEXT NOT NULL)`

func newWorld(t *testing.T, tr transport, url string) *world {
	w := &world{t: t, tr: tr, db: tr.open(t, url), time: start}
	text := tables
	if tr.dialect == sqldb.DialectSQLite {
		text = strings.ReplaceAll(text, "TIMESTAMPTZ", "TIMESTAMP")
	}
	for statement := range strings.SplitSeq(text, ";") {
		w.exec(statement)
	}
	for _, statement := range w.jobs(nil).Schema(tr.dialect) {
		w.exec(statement)
	}
	w.exec(`CREATE UNIQUE INDEX rooms_slug_live ON rooms (slug) WHERE deleted_at IS NULL`)
	return w
}

// each runs test on every transport, each with a world of its own.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	sqlite, postgres := transports()
	run := func(t *testing.T, list []transport, url string) {
		for _, tr := range list {
			t.Run(tr.name, func(t *testing.T) {
				t.Parallel()
				test(t, newWorld(t, tr, url))
			})
		}
	}
	t.Run("sqlite", func(t *testing.T) { run(t, sqlite, "") })
	t.Run("postgres", func(t *testing.T) { run(t, postgres, testdb.Postgres(t)) })
}

func (w *world) exec(query string, args ...any) int64 {
	w.t.Helper()
	n, err := w.db.Exec(context.Background(), query, args...)
	require.NoError(w.t, err, query)
	return n
}

func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	var n int
	require.NoError(w.t, w.db.QueryRow(context.Background(), query, args...).Scan(&n), query)
	return n
}

// jobsConfig is the configuration of the top of the tree.
func (w *world) jobsConfig() softdelete.Config[job, string] {
	return softdelete.Config[job, string]{
		DB: w.db, Table: "jobs", Columns: []string{"id", "slug"}, Scan: scanJob,
		Tenant: "tenant", Unique: [][]string{{"tenant", "slug"}},
		Children: []softdelete.Child{
			{Table: "rooms", ForeignKey: "job_id", Children: []softdelete.Child{
				{Table: "items", ForeignKey: "room_id", Tenant: "-", Children: []softdelete.Child{
					{Table: "notes", ForeignKey: "item_id", Tenant: "-", DeletedAt: "-"},
				}},
			}},
			{Table: "invoices", ForeignKey: "job_id", Tenant: "-", DeletedAt: "-", OnPurge: softdelete.Restrict},
			{Table: "tags", ForeignKey: "job_id", Tenant: "-", DeletedAt: "-", OnPurge: softdelete.SetNull},
		},
		Now: w.now,
	}
}

func scanJob(row pagination.Scanner) (j job, err error) {
	err = row.Scan(&j.ID, &j.Slug)
	return j, err
}

type jobs = softdelete.Repository[job, string]

// jobs returns the repository of tenant a.
func (w *world) jobs(change func(*softdelete.Config[job, string])) *jobs {
	w.t.Helper()
	cfg := w.jobsConfig()
	if change != nil {
		change(&cfg)
	}
	r, err := softdelete.New(cfg)
	require.NoError(w.t, err)
	return r.For("a")
}

// rooms returns the repository of the middle of the tree, for tenant a.
func (w *world) rooms() *jobs {
	return w.jobs(func(cfg *softdelete.Config[job, string]) {
		cfg.Table, cfg.Children, cfg.Unique = "rooms", cfg.Children[0].Children, nil
		cfg.Parents = []softdelete.Parent{{Table: "jobs", ForeignKey: "job_id"}}
	})
}

// plain returns jobs without children, the shape with the one-statement purge.
func (w *world) plain() *jobs {
	return w.jobs(func(cfg *softdelete.Config[job, string]) { cfg.Children = nil })
}

// add inserts a job of tenant a with two rooms, each with two items, one of which has a note.
func (w *world) add(id string) {
	w.addJob(id, "a")
	for _, room := range []string{id + "1", id + "2"} {
		w.addRoom(room, id)
		for _, item := range []string{room + "x", room + "y"} {
			w.exec(`INSERT INTO items (id, room_id) VALUES ($1, $2)`, item, room)
		}
		w.exec(`INSERT INTO notes (id, item_id) VALUES ($1, $2)`, room+"n", room+"x")
	}
}

func (w *world) addJob(id, tenant string) {
	w.exec(`INSERT INTO jobs (id, tenant, slug, created_at) VALUES ($1, $2, $3, $4)`,
		id, tenant, "slug-"+id, sqldb.At(w.now()))
}

func (w *world) addRoom(id, job string) {
	w.exec(`INSERT INTO rooms (id, tenant, job_id, slug) VALUES ($1, 'a', $2, $3)`, id, job, "slug-"+id)
}

// live returns the ids of the live rows of a table, in order.
func (w *world) live(table string) string { return w.ids(table, "deleted_at IS NULL") }

func (w *world) ids(table, where string) string {
	w.t.Helper()
	rows, err := w.db.Query(context.Background(), "SELECT id FROM "+table+" WHERE "+where+" ORDER BY id")
	require.NoError(w.t, err)
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var id string
		require.NoError(w.t, rows.Scan(&id))
		list = append(list, id)
	}
	require.NoError(w.t, rows.Err())
	return strings.Join(list, " ")
}

// dump is everything about deletion that the tables hold, for comparing before and after.
func (w *world) dump() string {
	w.t.Helper()
	var out strings.Builder
	for _, table := range []string{"jobs", "rooms", "items"} {
		rows, err := w.db.Query(context.Background(),
			"SELECT id, deleted_at, COALESCE(deleted_by, '-'), COALESCE(deletion_id, '-') FROM "+table+" ORDER BY id")
		require.NoError(w.t, err)
		for rows.Next() {
			var id, by, deletion string
			var at sqldb.Time
			require.NoError(w.t, rows.Scan(&id, &at, &by, &deletion))
			out.WriteString(strings.Join([]string{table, id, at.String(), by, deletion}, " ") + "\n")
		}
		require.NoError(w.t, rows.Err())
		require.NoError(w.t, rows.Close())
	}
	return out.String()
}

// atOnce runs fn n times in parallel and returns the errors.
func atOnce(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-begin
			errs[i] = fn(i)
		})
	}
	close(begin)
	wg.Wait()
	return errs
}
