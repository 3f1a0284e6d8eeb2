package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver "pgx"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/sqldb"
)

type photoArgs struct {
	ID string `json:"id"`
}

func (photoArgs) Kind() string { return "photo.analyze" }

type sweepArgs struct{}

func (sweepArgs) Kind() string { return "expiry.sweep" }

// fixture is one migrated database.
type fixture struct {
	db       *sql.DB
	tx       sqldb.TxDB
	dialect  sqldb.Dialect
	listener *pgxpool.Pool
}

func (f fixture) runner(t *testing.T, reg *jobs.Registry) *jobs.Runner {
	t.Helper()
	r, err := jobs.New(jobs.Config{DB: f.db, Dialect: f.dialect, Listener: f.listener, Registry: reg})
	require.NoError(t, err)
	return r
}

func (f fixture) enqueue(t *testing.T, r *jobs.Runner, args jobs.Args, opts jobs.Options) {
	t.Helper()
	require.NoError(t, f.tx.InTx(t.Context(), func(tx sqldb.DB) error {
		return r.Enqueue(t.Context(), tx, args, opts)
	}))
}

func (f fixture) states(t *testing.T) map[string]int {
	t.Helper()
	rows, err := f.tx.Query(t.Context(), `SELECT state, COUNT(*) FROM river_job GROUP BY state`)
	require.NoError(t, err)
	defer rows.Close()
	found := map[string]int{}
	for rows.Next() {
		var state string
		var n int
		require.NoError(t, rows.Scan(&state, &n))
		found[state] = n
	}
	require.NoError(t, rows.Err())
	return found
}

func stop(t *testing.T, r *jobs.Runner) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(t, r.Stop(ctx))
}

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		dsn, _, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: testdb.SQLitePath(t)})
		require.NoError(t, err)
		db, err := sql.Open("sqlite", dsn)
		require.NoError(t, err)
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		require.NoError(t, jobs.Migrate(t.Context(), db, sqldb.DialectSQLite, slog.New(slog.DiscardHandler)))
		test(t, fixture{db: db, tx: sqldb.SQL(db, sqldb.DialectSQLite), dialect: sqldb.DialectSQLite})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := testdb.Postgres(t)
		db, err := sql.Open("pgx", url)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		listener, err := pgxpool.New(t.Context(), url)
		require.NoError(t, err)
		t.Cleanup(listener.Close)
		require.NoError(t, jobs.Migrate(t.Context(), db, sqldb.DialectPostgres, slog.New(slog.DiscardHandler)))
		test(t, fixture{
			db: db, tx: sqldb.SQL(db, sqldb.DialectPostgres), dialect: sqldb.DialectPostgres, listener: listener,
		})
	})
}

func TestEnqueueJoinsTheTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		worked := make(chan string, 8)
		reg := jobs.NewRegistry()
		jobs.Register(reg, jobs.WorkerConfig{}, func(_ context.Context, args photoArgs) error {
			worked <- args.ID
			return nil
		})
		r := f.runner(t, reg)
		require.ErrorIs(t, r.Enqueue(t.Context(), f.tx, photoArgs{}, jobs.Options{}), jobs.ErrNoTransaction)
		require.ErrorIs(t, f.tx.InTx(t.Context(), func(tx sqldb.DB) error {
			return r.Enqueue(t.Context(), tx, sweepArgs{}, jobs.Options{})
		}), jobs.ErrUnknownKind)

		rollback := errors.New("no")
		require.ErrorIs(t, f.tx.InTx(t.Context(), func(tx sqldb.DB) error {
			return errors.Join(r.Enqueue(t.Context(), tx, photoArgs{ID: "rolled back"}, jobs.Options{}), rollback)
		}), rollback)
		require.NoError(t, r.Start(t.Context()))
		defer stop(t, r)
		f.enqueue(t, r, photoArgs{ID: "first"}, jobs.Options{})
		require.Equal(t, "first", <-worked)

		// An idle queue picks a job up at once: a customer looks at a progress bar.
		start := time.Now()
		f.enqueue(t, r, photoArgs{ID: "second"}, jobs.Options{})
		require.Equal(t, "second", <-worked)
		require.Less(t, time.Since(start), 3*time.Second)
		t.Logf("insert to start: %s", time.Since(start))
	})
}

func TestRetriesThenDeadLetter(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		attempts := make(chan jobs.Attempt, 8)
		reg := jobs.NewRegistry()
		jobs.Register(reg, jobs.WorkerConfig{MaxAttempts: 3, Base: time.Millisecond, Cap: time.Millisecond},
			func(ctx context.Context, args photoArgs) error {
				if args.ID == "permanent" {
					return jobs.Permanent(errors.New("gone"))
				}
				attempts <- jobs.AttemptFrom(ctx)
				if args.ID == "panic" {
					panic("boom")
				}
				return errors.New("upstream failed")
			})
		r := f.runner(t, reg)
		require.NoError(t, r.Start(t.Context()))
		f.enqueue(t, r, photoArgs{ID: "fails"}, jobs.Options{})
		for n := 1; n <= 3; n++ {
			a := <-attempts
			require.Equal(t, jobs.Attempt{Number: n, Max: 3}, a)
			require.Equal(t, n == 3, a.Last())
		}
		f.enqueue(t, r, photoArgs{ID: "permanent"}, jobs.Options{})
		f.enqueue(t, r, photoArgs{ID: "panic"}, jobs.Options{})
		for range 3 {
			<-attempts
		}
		require.Eventually(t, func() bool {
			s := f.states(t)
			return s["discarded"] == 2 && s["cancelled"] == 1
		}, 10*time.Second, 20*time.Millisecond)
		stop(t, r)
	})
}

func TestUniqueAndLater(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		reg := jobs.NewRegistry()
		jobs.Register(reg, jobs.WorkerConfig{}, func(context.Context, photoArgs) error { return nil })
		r := f.runner(t, reg)
		later := jobs.Options{Unique: true, RunAt: time.Now().Add(time.Hour)}
		f.enqueue(t, r, photoArgs{ID: "a"}, later)
		f.enqueue(t, r, photoArgs{ID: "a"}, later)
		f.enqueue(t, r, photoArgs{ID: "b"}, later)
		require.Equal(t, map[string]int{"scheduled": 2}, f.states(t))
	})
}

// Stop waits for a job; when it may wait no longer, the job goes back with its attempt not counted.
func TestStop(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		started, release := make(chan struct{}, 4), make(chan struct{})
		var finished atomic.Int32
		reg := jobs.NewRegistry()
		jobs.Register(reg, jobs.WorkerConfig{MaxAttempts: 1}, func(ctx context.Context, args photoArgs) error {
			started <- struct{}{}
			select {
			case <-release:
				finished.Add(1)
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		r := f.runner(t, reg)
		require.NoError(t, r.Start(ctx))
		f.enqueue(t, r, photoArgs{ID: "a"}, jobs.Options{})
		<-started
		cancel() // the signal does not stop the job
		hurry, done := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer done()
		require.NoError(t, r.Stop(hurry))
		require.Equal(t, map[string]int{"available": 1}, f.states(t))

		again := f.runner(t, reg)
		require.NoError(t, again.Start(t.Context()))
		<-started
		close(release)
		stop(t, again)
		require.Equal(t, int32(1), finished.Load())
		require.Equal(t, map[string]int{"completed": 1}, f.states(t))
	})
}

// What a killed process had been running on SQLite starts again with the next process, at once.
func TestReclaim(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		if f.dialect != sqldb.DialectSQLite {
			t.Skip("on PostgreSQL another replica may be running the job")
		}
		worked := make(chan struct{}, 1)
		reg := jobs.NewRegistry()
		jobs.Register(reg, jobs.WorkerConfig{}, func(context.Context, photoArgs) error {
			worked <- struct{}{}
			return nil
		})
		r := f.runner(t, reg)
		f.enqueue(t, r, photoArgs{ID: "a"}, jobs.Options{})
		_, err := f.tx.Exec(t.Context(), `UPDATE river_job SET state = 'running', attempt = 1`)
		require.NoError(t, err)
		require.NoError(t, r.Start(t.Context()))
		<-worked
		stop(t, r)
	})
}

func TestPeriodic(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		worked := make(chan struct{}, 4)
		reg := jobs.NewRegistry()
		jobs.Register(reg, jobs.WorkerConfig{Every: 24 * time.Hour, Offset: 2 * time.Hour, RunOnStart: true},
			func(context.Context, sweepArgs) error {
				worked <- struct{}{}
				return nil
			})
		r := f.runner(t, reg)
		require.NoError(t, r.Start(t.Context()))
		<-worked
		stop(t, r)
	})
}

func TestRunnerWithoutWorkers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		r := f.runner(t, jobs.NewRegistry())
		require.NoError(t, r.Start(t.Context()))
		stop(t, r)
	})
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	reg := jobs.NewRegistry()
	run := func(context.Context, photoArgs) error { return nil }
	jobs.Register(reg, jobs.WorkerConfig{
		MaxAttempts: 99, Timeout: time.Hour, Base: time.Hour, Cap: time.Second, Every: 7 * time.Minute, Offset: time.Hour,
	}, run)
	jobs.Register(reg, jobs.WorkerConfig{}, run)
	_, err := jobs.New(jobs.Config{Registry: reg, Workers: -1})
	var fault *jobs.ConfigError
	require.ErrorAs(t, err, &fault)
	for _, field := range []string{"MaxAttempts", "Timeout", "Cap", "Every", "Offset", "Kind", "DB", "Workers"} {
		require.ErrorContains(t, err, field)
	}
}

func TestRunOutsideTheQueue(t *testing.T) {
	t.Parallel()
	reg := jobs.NewRegistry()
	jobs.Register(reg, jobs.WorkerConfig{}, func(ctx context.Context, args photoArgs) error {
		if jobs.AttemptFrom(ctx).Last() {
			return errors.New("last " + args.ID)
		}
		return nil
	})
	require.EqualError(t, reg.Run(t.Context(), photoArgs{ID: "a"}), "last a")
	require.NoError(t, reg.Run(jobs.WithAttempt(t.Context(), jobs.Attempt{Number: 1, Max: 2}), photoArgs{}))
	require.ErrorIs(t, reg.Run(t.Context(), sweepArgs{}), jobs.ErrUnknownKind)
}
