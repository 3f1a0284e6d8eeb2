package sqlaudit_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/sqldb"
)

func TestSealAndVerify(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		require.Nil(t, o.verify(t).Fault, "an empty trail has no fault")
		o.log(t, 23)
		report := o.verify(t)
		require.NoError(t, report.Err())
		require.Equal(t, int64(23), report.Unsealed)
		require.Equal(t, epoch.Add(time.Second), report.Oldest)
		require.Equal(t, int64(23), o.seal(t).Sealed)
		require.Zero(t, o.seal(t).Sealed)
		o.log(t, 3)
		require.Equal(t, int64(3), o.seal(t).Sealed)
		report = o.verify(t)
		require.NoError(t, report.Err())
		require.Equal(t, int64(26), report.Events)
		require.Equal(t, int64(26), report.To)
		require.Zero(t, report.Unsealed)
	})
}

// 8 and 64 writers with business locks, four sealers on two handles: no fork, no gap, no
// deadlock. Every third transaction rolls back and leaves no gap in the sequence.
func TestParallelWritersAndSealers(t *testing.T) {
	t.Parallel()
	for _, tr := range []struct {
		name string
		dsn  func(t testing.TB) string
	}{{"sqlite", testdb.SQLitePath}, {"pgx", testdb.Postgres}} {
		for _, writers := range []int{8, 64} {
			t.Run(fmt.Sprintf("%s/%d writers", tr.name, writers), func(t *testing.T) {
				t.Parallel()
				dsn := tr.dsn(t)
				o := &opened{db: openDSN(t, dsn)}
				createTables(t, o.db)
				o.exec(t, "CREATE TABLE counters (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)")
				o.exec(t, "INSERT INTO counters (id, n) VALUES (1, 0)")
				other := openDSN(t, dsn)
				handles := []sqldb.TxDB{o.db, other}
				o.store = newStore(t, sqlaudit.Config{DB: o.db, Keys: keyring(t, "k1")})
				o.trail = newTrail(t, o.store)
				committed := writeInParallel(t, o.trail, handles, writers, func(ctx context.Context) {
					for i := range 4 {
						sealer, err := sqlaudit.NewSealer(sqlaudit.SealerConfig{
							Store:    newStore(t, sqlaudit.Config{DB: handles[i%2], Keys: keyring(t, "k1")}),
							Interval: time.Millisecond,
							OnError:  func(err error) { t.Errorf("seal: %v", err) },
						})
						require.NoError(t, err)
						go func() { _ = sealer.Run(ctx) }()
					}
				})
				o.seal(t)
				report := o.verify(t)
				require.NoError(t, report.Err())
				require.Equal(t, committed, report.Events)
				require.Equal(t, committed, report.To, "the sequence has no gap")
				require.Zero(t, report.Unsealed)
				var n int64
				require.NoError(t, o.db.QueryRow(ctx, "SELECT n FROM counters WHERE id = 1").Scan(&n))
				require.Equal(t, committed, n)
			})
		}
	}
}

// writeInParallel runs 192 transactions, two thirds of which commit, and returns how many did.
func writeInParallel(
	t *testing.T, trail *audit.Logger, handles []sqldb.TxDB, writers int, seal func(ctx context.Context),
) int64 {
	t.Helper()
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	seal(running)
	var committed atomic.Int64
	undo := errors.New("undo")
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range 192 / writers {
				err := handles[w%2].InTx(ctx, func(tx sqldb.DB) error {
					if _, err := tx.Exec(ctx, "UPDATE counters SET n = n + 1 WHERE id = 1"); err != nil {
						return err
					}
					if err := trail.LogTo(ctx, sqlaudit.On(tx), audit.Event{Action: "count"}); err != nil {
						return err
					}
					if (w+i)%3 == 0 {
						return undo
					}
					return nil
				})
				switch {
				case err == nil:
					committed.Add(1)
				case !errors.Is(err, undo):
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	group.Wait()
	return committed.Load()
}

// A transaction that commits after later ones is sealed after them, and not forgotten.
func TestLateCommitIsSealed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		wait time.Duration
		late bool
	}{{"in time", 50 * time.Minute, true}, {"too late", 2 * time.Hour, false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dsn := testdb.Postgres(t) // positions become visible out of order on PostgreSQL only
			for _, tr := range postgresTransports() {
				t.Run(tr.name, func(t *testing.T) {
					t.Parallel()
					o := open(t, tr, dsn)
					now := epoch
					cfg := config(t, o.db)
					cfg.Now = func() time.Time { return now }
					o.store = newStore(t, cfg)
					require.NoError(t, o.db.InTx(ctx, func(tx sqldb.DB) error {
						require.NoError(t, o.trail.LogTo(ctx, sqlaudit.On(tx), audit.Event{ID: "late", Action: "late"}))
						o.log(t, 3)
						require.Equal(t, int64(3), o.seal(t).Sealed)
						now = now.Add(c.wait)
						o.log(t, 1)
						require.Equal(t, int64(1), o.seal(t).Sealed)
						return nil
					}))
					require.Equal(t, int64(1), o.verify(t).Unsealed)
					sealed := o.seal(t).Sealed
					if !c.late {
						require.Zero(t, sealed)
						require.Equal(t, int64(1), o.verify(t).Unsealed)
						result, err := o.sealer(t).Rescan(ctx)
						require.NoError(t, err)
						sealed = result.Sealed
					}
					require.Equal(t, int64(1), sealed)
					report := o.verify(t)
					require.NoError(t, report.Err())
					require.Equal(t, int64(5), report.Events)
					require.Zero(t, report.Unsealed)
				})
			}
		})
	}
}

// Where PostgreSQL refuses to go on after parallel changes, writes and passes are repeated.
func TestRepeatableRead(t *testing.T) {
	t.Parallel()
	cfg, err := pgxpool.ParseConfig(testdb.Postgres(t))
	require.NoError(t, err)
	cfg.ConnConfig.RuntimeParams["default_transaction_isolation"] = "repeatable read"
	cfg.MaxConns = 8
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	o := &opened{db: sqldb.Pgx(pool)}
	createTables(t, o.db)
	o.store = newStore(t, config(t, o.db))
	for i := range 50 {
		o.exec(t, "DELETE FROM audit_sealer") // both make the row
		begin := make(chan struct{})
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				<-begin
				_, err := o.sealer(t).Once(ctx)
				e := audit.Event{ID: fmt.Sprint(i), At: epoch, Action: "x"}
				other := audit.Event{ID: fmt.Sprint("b", i), At: epoch, Action: "x"}
				err = errors.Join(err, o.store.Write(ctx, []audit.Event{e}), o.store.Write(ctx, []audit.Event{e, other}))
				if err != nil {
					t.Errorf("round %d: %v", i, err)
				}
			})
		}
		close(begin)
		group.Wait()
	}
	o.seal(t)
	report := o.verify(t)
	require.NoError(t, report.Err())
	require.Equal(t, int64(100), report.Events)
}

// Someone who moves the sealer's mark hides nothing for good and breaks nothing.
func TestMovedMark(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		o.log(t, 3)
		o.seal(t)
		o.exec(t, "UPDATE audit_sealer SET seen = 0")
		require.Zero(t, o.seal(t).Sealed)
		o.exec(t, "UPDATE audit_sealer SET seen = 1000")
		o.log(t, 25)
		require.Zero(t, o.seal(t).Sealed)
		require.Equal(t, int64(25), o.verify(t).Unsealed)
		result, err := o.sealer(t).Rescan(ctx)
		require.NoError(t, err)
		require.Equal(t, int64(25), result.Sealed)
		require.NoError(t, o.verify(t).Err())
	})
}

// widest wraps a database and remembers how many rows one answer had at most.
type widest struct {
	sqldb.TxDB
	rows *int
}

type countedRows struct {
	sqldb.Rows
	n    int
	rows *int
}

func (w widest) Query(ctx context.Context, query string, args ...any) (sqldb.Rows, error) {
	rows, err := w.TxDB.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return &countedRows{Rows: rows, rows: w.rows}, nil
}

func (r *countedRows) Next() bool {
	ok := r.Rows.Next()
	if ok {
		r.n++
		*r.rows = max(*r.rows, r.n)
	}
	return ok
}

// Verification holds one page, however long the chain, and can start from a checkpoint.
func TestVerifyStreams(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		total := 3000
		if (o.name == "sqlite" || o.name == "pgx") && !testing.Short() && !raceEnabled {
			total = 100_000
		}
		half := fill(t, o, total)
		rows := 0
		cfg := config(t, widest{o.db, &rows})
		cfg.PageSize = 500
		o.store = newStore(t, cfg)
		report := o.verify(t)
		require.NoError(t, report.Err())
		require.Equal(t, int64(total), report.Events)
		require.Equal(t, 500, rows)
		report = o.verify(t, sqlaudit.VerifyOptions{From: &half})
		require.NoError(t, report.Err())
		require.Equal(t, int64(total)-half.Seq, report.Events)
		require.Equal(t, half.Seq, report.From)
	})
}

// fill seals so many events and returns a checkpoint from half-way.
func fill(t *testing.T, o *opened, total int) (half sqlaudit.Checkpoint) {
	t.Helper()
	big := func(cfg *sqlaudit.SealerConfig) { cfg.Batch = 5000 }
	batch := make([]audit.Event, 1000)
	for done := 0; done < total; done += len(batch) {
		for i := range batch {
			batch[i] = audit.Event{Action: "x", At: epoch}
		}
		require.NoError(t, o.trail.Log(ctx, batch...))
		if done == total/2000*1000 {
			half = o.seal(t, signed, big).Checkpoints[0]
		}
	}
	o.seal(t, signed, big)
	return half
}

// The wrong key is told apart from tampering, and keys can be changed.
func TestKeys(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		with := func(current sqlaudit.Key, older ...sqlaudit.Key) {
			ring, err := sqlaudit.NewKeyring(current, older...)
			require.NoError(t, err)
			cfg := config(t, o.db)
			cfg.Keys = ring
			o.store = newStore(t, cfg)
		}
		o.log(t, 5)
		o.seal(t)
		wrong := key("k1")
		wrong.Secret[0]++
		with(wrong)
		report := o.verify(t)
		require.Equal(t, sqlaudit.KindKey, report.Fault.Kind)
		require.Equal(t, int64(1), report.Fault.Seq)
		require.ErrorContains(t, report.Err(), "key mismatch")
		with(key("k2"))
		require.Equal(t, sqlaudit.KindUnknownKey, o.verify(t).Fault.Kind)
		with(key("k2"), key("k1"))
		require.NoError(t, o.verify(t).Err())
		o.log(t, 5)
		o.seal(t)
		report = o.verify(t)
		require.NoError(t, report.Err())
		require.Equal(t, int64(10), report.Events)
		// One of several keys is wrong: it is told where the rows sealed with it begin.
		wrong2 := key("k2")
		wrong2.Secret[0]++
		with(wrong2, key("k1"))
		report = o.verify(t)
		require.Equal(t, sqlaudit.KindKey, report.Fault.Kind)
		require.Equal(t, int64(6), report.Fault.Seq)
		with(key("k3"), key("k1"))
		report = o.verify(t)
		require.Equal(t, sqlaudit.KindUnknownKey, report.Fault.Kind)
		require.Equal(t, int64(6), report.Fault.Seq)
	})
}

func TestChainPerTenant(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		cfg := config(t, o.db)
		cfg.PerTenant = true
		o.store = newStore(t, cfg)
		for _, tenant := range []string{"a", "b", "a", ""} {
			o.log(t, 4, func(e *audit.Event) { e.Tenant, e.Actor.Tenant = tenant, "" })
		}
		o.seal(t)
		chains, err := o.store.Chains(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"", "a", "b"}, chains)
		o.disarm(t)
		o.exec(t, "UPDATE audit_events SET reason = 'x' WHERE tenant = 'b' AND pos = 6")
		for chain, events := range map[string]int64{"": 4, "a": 8, "b": 1} {
			report := o.verify(t, sqlaudit.VerifyOptions{Chain: chain})
			require.Equal(t, events, report.Events)
			require.Equal(t, chain == "b", report.Fault != nil)
		}
	})
}

func TestSealerRun(t *testing.T) {
	t.Parallel()
	failing := openFile(t)
	failing.exec(t, "DROP TABLE audit_sealer")
	o := openFile(t)
	o.log(t, 3)
	heard := make(chan error, 10)
	for _, s := range []*opened{failing, o} {
		running, cancel := context.WithCancel(ctx)
		done := make(chan error)
		sealer := s.sealer(t, signed, func(cfg *sqlaudit.SealerConfig) {
			cfg.Interval = time.Millisecond
			cfg.OnError = func(err error) { heard <- err }
			cfg.OnCheckpoint = func(context.Context, sqlaudit.Checkpoint) error {
				heard <- nil
				return nil
			}
		})
		go func() { done <- sealer.Run(running) }()
		if err := <-heard; s == failing {
			require.Error(t, err)
			require.Error(t, <-heard, "it goes on")
		} else {
			require.NoError(t, err)
		}
		cancel()
		for waiting := true; waiting; {
			select {
			case err := <-done:
				require.ErrorIs(t, err, context.Canceled)
				waiting = false
			case <-heard:
			}
		}
		for len(heard) > 0 {
			<-heard
		}
	}
}

// A chain without its beginning verifies, and what is left is still protected.
func TestPurge(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		o.log(t, 20)
		o.seal(t, signed)
		o.log(t, 5) // not sealed
		before := epoch.Add(11 * time.Second)
		dry, err := o.store.Purge(ctx, sqlaudit.PurgeOptions{Before: before, DryRun: true})
		require.NoError(t, err)
		require.Equal(t, sqlaudit.PurgeResult{Events: 10, Seq: 10}, dry)
		require.Equal(t, 25, o.count(t, "audit_events"))
		result, err := o.store.Purge(ctx, sqlaudit.PurgeOptions{Before: before, Max: 3})
		require.NoError(t, err)
		require.Equal(t, sqlaudit.PurgeResult{Events: 3, Seq: 3, More: true}, result)
		require.NoError(t, o.verify(t).Err())
		result, err = o.store.Purge(ctx, sqlaudit.PurgeOptions{Before: before})
		require.NoError(t, err)
		require.Equal(t, sqlaudit.PurgeResult{Events: 7, Seq: 10}, result, "an event as old as Before is kept")
		report := o.verify(t)
		require.NoError(t, report.Err())
		require.Equal(t, int64(10), report.From)
		require.Equal(t, int64(10), report.Events)
		require.Equal(t, 15, o.count(t, "audit_events"))
		require.Equal(t, 10, o.count(t, "audit_chain"))
		result, err = o.store.Purge(ctx, sqlaudit.PurgeOptions{Before: epoch.Add(time.Hour)})
		require.NoError(t, err)
		require.Equal(t, int64(10), result.Events)
		require.Equal(t, 5, o.count(t, "audit_events"), "what is not sealed stays")
		require.NoError(t, o.verify(t).Err())
		o.seal(t)
		report = o.verify(t)
		require.NoError(t, report.Err())
		require.Equal(t, int64(25), report.To)
		require.Equal(t, int64(1), report.Checkpoints, "the one at the cut agrees with the anchor")
		o.disarm(t)
		o.exec(t, "UPDATE audit_events SET reason = 'x'")
		require.Equal(t, int64(21), o.verify(t).Fault.Seq)
		_, err = o.store.Purge(ctx, sqlaudit.PurgeOptions{})
		require.Error(t, err)
		result, err = o.store.Purge(ctx, sqlaudit.PurgeOptions{Chain: "none", Before: epoch})
		require.NoError(t, err)
		require.Zero(t, result)
	})
}

// A purge must not wash away what it would have to report.
func TestPurgeRefusesATamperedPrefix(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]string{
		"event":  "UPDATE audit_events SET reason = 'x' WHERE pos = 3",
		"link":   "DELETE FROM audit_chain WHERE seq = 3",
		"anchor": "UPDATE audit_heads SET base_seq = 3",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, o *opened) {
				sealed(t, o, 9)
				o.exec(t, do)
				_, err := o.store.Purge(ctx, sqlaudit.PurgeOptions{Before: epoch.Add(time.Hour)})
				require.ErrorIs(t, err, sqlaudit.ErrTampered)
				require.Equal(t, 9, o.count(t, "audit_events"))
			})
		})
	}
}

// Verification beside a purge and a sealer reports no fault that is not there.
func TestVerifyBesidePurgeAndSealer(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		o.log(t, 120)
		o.seal(t)
		var group sync.WaitGroup
		group.Go(func() {
			for i := range 12 {
				_, err := o.store.Purge(ctx, sqlaudit.PurgeOptions{Before: epoch.Add(time.Duration(i*10) * time.Second)})
				if err != nil {
					t.Errorf("purge: %v", err)
				}
			}
		})
		group.Go(func() {
			for range 5 {
				if err := o.trail.Log(ctx, audit.Event{Action: "x", At: epoch.Add(time.Hour)}); err != nil {
					t.Errorf("log: %v", err)
				}
				if _, err := o.sealer(t).Once(ctx); err != nil {
					t.Errorf("seal: %v", err)
				}
			}
		})
		group.Go(func() {
			for range 15 {
				report, err := o.store.Verify(ctx, sqlaudit.VerifyOptions{})
				if err != nil || report.Fault != nil {
					t.Errorf("verify: %v, %v", err, report.Fault)
				}
			}
		})
		group.Wait()
		require.NoError(t, o.verify(t).Err())
	})
}

// A batch that fails before or after its commit is stored exactly once.
func TestAsyncOnTables(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		calls := 0
		flaky := audit.SinkFunc(func(ctx context.Context, events []audit.Event) error {
			switch calls++; calls % 3 {
			case 0:
				return errors.New("before the commit")
			case 1:
				if err := o.store.Write(ctx, events); err != nil {
					return err
				}
				return errors.New("after the commit")
			}
			return o.store.Write(ctx, events)
		})
		async, err := audit.NewAsync(audit.AsyncConfig{
			Sink: flaky, Buffer: 32, Batch: 8, RetryBase: time.Microsecond, RetryCap: time.Millisecond,
		})
		require.NoError(t, err)
		trail := newTrail(t, async)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 20 {
					if err := trail.Log(ctx, audit.Event{Action: "x"}); err != nil {
						t.Errorf("log: %v", err)
					}
				}
			})
		}
		group.Wait()
		require.NoError(t, async.Close(ctx))
		require.Equal(t, 160, o.count(t, "audit_events"))
	})
}
