package softdelete_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

const day = 24 * time.Hour

// everyAge purges whatever was deleted before now.
func everyAge() softdelete.PurgeOptions {
	return softdelete.PurgeOptions{OlderThan: time.Microsecond}
}

// A model of what should be there runs beside 10,000 random operations, and a second repository
// restores and purges at the same time rows that the model leaves to it.
func TestPurgeNeverTouchesLiveRows(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.plain()
		n, steps := 40, 10_000
		if raceDetector {
			steps = 500
		}
		live := map[string]bool{}
		gone := map[string]bool{}
		for i := range n {
			id := fmt.Sprintf("row-%d", i)
			w.addJob(id, "a")
			live[id] = true
			w.addJob("rival-"+id, "b")
		}
		rival := w.plain().For("b")
		stop := make(chan struct{})
		finished := make(chan error, 1)
		go func() {
			random := rand.New(rand.NewPCG(7, 7))
			for {
				select {
				case <-stop:
					finished <- nil
					return
				default:
				}
				id := fmt.Sprintf("rival-row-%d", random.IntN(n))
				var err error
				if random.IntN(2) == 0 {
					_, err = rival.Delete(context.Background(), id, "u")
				} else {
					_, err = rival.Restore(context.Background(), id, "u")
				}
				if err != nil && !errors.Is(err, softdelete.ErrAlreadyDeleted) && !errors.Is(err, softdelete.ErrNotDeleted) {
					finished <- err
					return
				}
			}
		}()
		random := rand.New(rand.NewPCG(42, 42))
		for step := range steps {
			w.advance(time.Second)
			id := fmt.Sprintf("row-%d", random.IntN(n))
			switch k := random.IntN(100); {
			case k < 45:
				_, err := r.Delete(t.Context(), id, "u")
				require.Equal(t, live[id], err == nil, err)
				delete(live, id)
			case k < 90:
				_, err := r.Restore(t.Context(), id, "u")
				if err == nil {
					require.False(t, live[id])
				}
				require.Equal(t, err == nil, !live[id] && !gone[id], err)
				live[id] = !gone[id]
			case k < 92:
				_, err := r.Purge(t.Context(), id, "u")
				require.Equal(t, err == nil, !live[id] && !gone[id], err)
				gone[id] = gone[id] || err == nil
			case k < 94:
				for other, is := range gone {
					if is {
						w.addJob(other, "a")
						gone[other], live[other] = false, true
					}
				}
			case k < 96:
				res, err := r.PurgeExpired(t.Context(), softdelete.PurgeOptions{OlderThan: time.Minute, Batch: 3})
				require.NoError(t, err)
				require.Zero(t, res.Blocked)
				for i := range n {
					other := fmt.Sprintf("row-%d", i)
					if !live[other] && !gone[other] {
						_, err := r.Get(t.Context(), other, softdelete.WithDeleted)
						gone[other] = err != nil
					}
				}
			default:
				kept := 0
				for _, is := range live {
					if is {
						kept++
					}
				}
				got, err := r.Count(t.Context())
				require.NoError(t, err)
				require.EqualValues(t, kept, got, "step %d", step)
			}
		}
		close(stop)
		require.NoError(t, <-finished)
		require.Equal(t, n, w.count(`SELECT COUNT(*) FROM jobs WHERE tenant = 'b'`))
	})
}

// Each race has a row that is restored and purged at the same moment, with children (the claimed
// purge) and without (the single statement). Exactly one of the two happens, and in full.
func TestPurgeAgainstRestore1000Races(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		races := 1_000
		if raceDetector {
			races = 60
		}
		plain, tree := w.plain(), w.jobs(nil)
		restored, purged := 0, 0
		for i := range races {
			r, id := plain, fmt.Sprintf("row-%d", i)
			w.addJob(id, "a")
			if i%2 == 0 {
				r = tree
				w.addRoom(id, id)
			}
			_, err := r.Delete(t.Context(), id, "u")
			require.NoError(t, err)
			w.advance(time.Second)
			var res softdelete.PurgeResult
			errs := atOnce(2, func(j int) (err error) {
				if (j+i/2)%2 == 0 {
					return second(r.Restore(t.Context(), id, "u"))
				}
				res, err = r.PurgeExpired(t.Context(), everyAge())
				return err
			})
			restoreErr, purgeErr := errs[i/2%2], errs[1-i/2%2]
			require.NoError(t, purgeErr)
			_, err = r.Get(t.Context(), id)
			rooms := w.count(`SELECT COUNT(*) FROM rooms WHERE job_id = $1 AND deleted_at IS NULL`, id)
			if restoreErr == nil {
				restored++
				require.NoError(t, err, "the restored row is lost")
				require.Zero(t, res.Rows)
				require.Equal(t, (i+1)%2, rooms, "the restored child is lost")
			} else {
				purged++
				require.ErrorIs(t, restoreErr, softdelete.ErrNotFound)
				require.ErrorIs(t, err, softdelete.ErrNotFound)
				require.EqualValues(t, 1, res.Rows)
			}
		}
		require.Equal(t, races, restored+purged)
		t.Logf("%d restored, %d purged", restored, purged)
	})
}

// The race of the outer predicate, step by step: the purge waits for the lock of a row whose
// restoration then commits.
func TestPurgeWaitsForAPendingRestore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if w.tr.dialect == sqldb.DialectSQLite {
			t.Skip("SQLite has one writer: the purge cannot begin before the restoration has ended")
		}
		for _, r := range []*jobs{w.plain(), w.jobs(nil)} {
			w.exec(`DELETE FROM rooms`)
			w.exec(`DELETE FROM jobs`)
			w.addJob("back", "a")
			w.addJob("gone", "a")
			w.addRoom("room", "back")
			_, err := r.DeleteMany(t.Context(), []string{"back", "gone"}, "u")
			require.NoError(t, err)
			w.advance(time.Second)
			type answer struct {
				res softdelete.PurgeResult
				err error
			}
			answers := make(chan answer, 1)
			require.NoError(t, w.db.InTx(t.Context(), func(tx sqldb.DB) error {
				_, err := r.In(tx).Restore(t.Context(), "back", "u")
				require.NoError(t, err)
				go func() {
					res, err := r.PurgeExpired(context.Background(), everyAge())
					answers <- answer{res, err}
				}()
				// The purge has reached the lock when PostgreSQL says that it waits for us. Asked on
				// another connection: within a transaction the answer would never change.
				pid := backend(t, tx)
				deadline := time.Now().Add(30 * time.Second)
				for waiting := 0; waiting == 0; {
					require.NoError(t, w.db.QueryRow(t.Context(), `SELECT COUNT(*) FROM pg_stat_activity
						WHERE datname = current_database() AND wait_event_type = 'Lock'
						AND $1 = ANY (pg_blocking_pids(pid))`, pid).Scan(&waiting))
					require.True(t, time.Now().Before(deadline), "the purge does not reach the lock")
				}
				return nil
			}))
			got := <-answers
			require.NoError(t, got.err)
			require.EqualValues(t, 1, got.res.Rows)
			require.Equal(t, "back", w.ids("jobs", "TRUE"))
		}
	})
}

func backend(t *testing.T, tx sqldb.DB) int32 {
	t.Helper()
	var pid int32
	require.NoError(t, tx.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid))
	return pid
}

func TestPurgeBoundary(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.plain()
		w.addJob("j", "a")
		_, err := r.Delete(t.Context(), "j", "u")
		require.NoError(t, err)
		purge := func(want int64) {
			t.Helper()
			res, err := r.PurgeExpired(t.Context(), softdelete.PurgeOptions{})
			require.NoError(t, err)
			require.Equal(t, want, res.Rows)
		}
		w.advance(-2 * time.Hour) // the clock goes backwards
		purge(0)
		w.advance(2*time.Hour + 30*day)
		purge(0) // exactly the retention old
		forever := w.jobs(func(cfg *softdelete.Config[job, string]) { cfg.Children, cfg.Retention = nil, -1 })
		require.Zero(t, forever.PurgeAt(start))
		w.advance(time.Microsecond)
		res, err := forever.PurgeExpired(t.Context(), softdelete.PurgeOptions{})
		require.NoError(t, err)
		require.Zero(t, res)
		purge(1)
	})
}

func TestPurgeInBatches(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if w.tr.name == "bare" {
			w.exec(`PRAGMA foreign_keys = ON`) // on the only connection
		}
		var pauses []time.Duration
		r := w.jobs(func(cfg *softdelete.Config[job, string]) {
			cfg.Sleep = func(_ context.Context, d time.Duration) error {
				pauses = append(pauses, d)
				return nil
			}
		})
		var ids []string
		for i := range 10 {
			id := fmt.Sprintf("job%d", i)
			ids = append(ids, id)
			w.add(id)
		}
		w.exec(`INSERT INTO invoices (id, job_id) VALUES ('i', 'job2')`)  // restricted
		w.exec(`INSERT INTO strangers (id, job_id) VALUES ('s', 'job5')`) // not declared
		w.exec(`INSERT INTO tags (id, job_id) VALUES ('t', 'job6')`)
		_, err := r.DeleteMany(t.Context(), ids[:9], "u")
		require.NoError(t, err)
		w.addRoom("alive", "job7") // a live child of a deleted row
		w.advance(31 * day)
		_, err = r.Delete(t.Context(), "job9", "u") // not yet
		require.NoError(t, err)

		before := w.dump()
		dry, err := r.PurgeExpired(t.Context(), softdelete.PurgeOptions{DryRun: true, Batch: 2})
		require.NoError(t, err)
		require.Equal(t, softdelete.PurgeResult{Rows: 7, Blocked: 2}, dry) // no foreign key was asked
		require.Equal(t, before, w.dump())

		pauses = nil
		res, err := r.PurgeExpired(t.Context(), softdelete.PurgeOptions{Batch: 2, Max: 3, Pause: time.Second})
		require.NoError(t, err)
		require.EqualValues(t, 3, res.Rows)
		require.EqualValues(t, 1, res.Blocked)
		require.True(t, res.More)
		require.Equal(t, []time.Duration{time.Second, time.Second}, pauses)
		require.Equal(t, "job2 job4 job5 job6 job7 job8 job9", w.ids("jobs", "TRUE"))

		res, err = r.PurgeExpired(t.Context(), softdelete.PurgeOptions{Batch: 3, Pause: time.Second})
		require.NoError(t, err)
		require.False(t, res.More)
		require.EqualValues(t, 3, res.Rows)
		require.EqualValues(t, 3, res.Blocked)
		require.Equal(t, []softdelete.Affected{{Table: "notes", Rows: 6}, {Table: "items", Rows: 12}, {Table: "rooms", Rows: 6}, {Table: "tags", Rows: 1}}, res.Children)
		require.Equal(t, "job2 job5 job7 job9", w.ids("jobs", "TRUE"))
		// What is blocked is whole.
		require.Equal(t, "alive job21 job22 job51 job52 job71 job72 job91 job92", w.ids("rooms", "TRUE"))
		require.Equal(t, "t", w.ids("tags", "job_id IS NULL"))
		for _, id := range []string{"job2", "job5", "job7"} {
			_, err = r.Purge(t.Context(), id, "u")
			require.ErrorIs(t, err, softdelete.ErrBlocked, id)
		}
		require.Zero(t, w.count(`SELECT COUNT(*) FROM jobs WHERE deletion_id IS NULL`))
		_, err = r.Restore(t.Context(), "job7", "u")
		require.NoError(t, err)
		require.Equal(t, "alive job71 job72", w.live("rooms"))
	})
}

// A child deleted less than a retention ago keeps its parent, so that it can still be restored.
func TestPurgeKeepsWhatIsTooYoung(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.addJob("j", "a")
		r := w.jobs(nil)
		_, err := r.Delete(t.Context(), "j", "u")
		require.NoError(t, err)
		w.addRoom("late", "j")
		w.advance(20 * day)
		_, err = w.rooms().Delete(t.Context(), "late", "u")
		require.NoError(t, err)
		for _, want := range []int64{0, 1} {
			w.advance(15 * day)
			res, err := r.PurgeExpired(t.Context(), softdelete.PurgeOptions{})
			require.NoError(t, err)
			require.Equal(t, want, res.Rows)
			w.advance(20 * day)
		}
	})
}

// Where the database itself removes children with their parent, a live child still keeps it.
func TestPurgeBesideOnDeleteCascade(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.exec(`DROP TABLE notes`)
		w.exec(`DROP TABLE items`)
		w.exec(`DROP TABLE rooms`)
		w.exec(`CREATE TABLE rooms (id TEXT PRIMARY KEY, job_id TEXT REFERENCES jobs (id) ON DELETE CASCADE,
			deleted_at ` + map[sqldb.Dialect]string{sqldb.DialectPostgres: "TIMESTAMPTZ", sqldb.DialectSQLite: "TEXT"}[w.tr.dialect] +
			`, deleted_by TEXT, deletion_id TEXT)`)
		r := w.jobs(func(cfg *softdelete.Config[job, string]) {
			cfg.Children = []softdelete.Child{{Table: "rooms", ForeignKey: "job_id", Tenant: "-"}}
		})
		w.addJob("j", "a")
		_, err := r.Delete(t.Context(), "j", "u")
		require.NoError(t, err)
		w.exec(`INSERT INTO rooms (id, job_id) VALUES ('alive', 'j')`)
		w.advance(31 * day)
		res, err := r.PurgeExpired(t.Context(), softdelete.PurgeOptions{})
		require.NoError(t, err)
		require.Equal(t, softdelete.PurgeResult{Blocked: 1}, res)
		require.Equal(t, "alive", w.live("rooms"))
	})
}

func TestPurgeCancelledBetweenBatches(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		calls := 0
		r := w.jobs(func(cfg *softdelete.Config[job, string]) {
			cfg.OnChange = func(context.Context, sqldb.DB, change) error {
				if calls++; calls == 3 {
					cancel() // in the middle of the third batch
				}
				return nil
			}
		})
		all := w.jobs(nil)
		var ids []string
		for i := range 9 {
			ids = append(ids, fmt.Sprintf("job%d", i))
			w.add(ids[i])
		}
		_, err := all.DeleteMany(t.Context(), ids, "u")
		require.NoError(t, err)
		w.advance(31 * day)
		res, err := r.PurgeExpired(ctx, softdelete.PurgeOptions{Batch: 2})
		require.ErrorIs(t, err, context.Canceled)
		require.EqualValues(t, 4, res.Rows)
		require.EqualValues(t, 2, res.Batches)
		require.Equal(t, "job4 job5 job6 job7 job8", w.ids("jobs", "TRUE"))
		require.Equal(t, 10, w.count(`SELECT COUNT(*) FROM rooms`))
		res, err = all.PurgeExpired(t.Context(), softdelete.PurgeOptions{})
		require.NoError(t, err)
		require.EqualValues(t, 5, res.Rows)
		require.Zero(t, w.count(`SELECT COUNT(*) FROM notes`))
	})
}

// A tree in one table: folders that hold folders.
func TestTreeInOneTable(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.exec(`CREATE TABLE folders (id TEXT PRIMARY KEY, slug TEXT NOT NULL, parent_id TEXT REFERENCES folders (id))`)
		r := w.jobs(func(cfg *softdelete.Config[job, string]) {
			level := []softdelete.Child{}
			for range 4 {
				level = []softdelete.Child{{Table: "folders", ForeignKey: "parent_id", Children: level}}
			}
			cfg.Table, cfg.Tenant, cfg.Unique, cfg.Children = "folders", "", nil, level
			cfg.Parents = []softdelete.Parent{{Table: "folders", ForeignKey: "parent_id"}}
		})
		for _, statement := range r.Schema(w.tr.dialect) {
			w.exec(statement)
		}
		for _, pair := range [][2]any{{"a", nil}, {"ab", "a"}, {"abc", "ab"}, {"abcd", "abc"}, {"x", nil}} {
			w.exec(`INSERT INTO folders (id, slug, parent_id) VALUES ($1, 's', $2)`, pair[0], pair[1])
		}
		_, err := r.Delete(t.Context(), "abc", "u")
		require.NoError(t, err)
		_, err = r.Delete(t.Context(), "a", "u")
		require.NoError(t, err)
		require.Equal(t, "x", w.live("folders"))
		require.ErrorIs(t, second(r.Restore(t.Context(), "ab", "u")), softdelete.ErrParentDeleted)
		_, err = r.Restore(t.Context(), "a", "u")
		require.NoError(t, err)
		require.Equal(t, "a ab x", w.live("folders"))
		_, err = r.Restore(t.Context(), "abc", "u")
		require.NoError(t, err)
		require.Equal(t, "a ab abc abcd x", w.live("folders"))
		_, err = r.Delete(t.Context(), "a", "u")
		require.NoError(t, err)
		w.advance(31 * day)
		res, err := r.PurgeExpired(t.Context(), softdelete.PurgeOptions{})
		require.NoError(t, err)
		require.Zero(t, res.Blocked)
		require.Equal(t, "x", w.ids("folders", "TRUE"))
	})
}

func TestPurgeOptionsAreChecked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.plain().PurgeExpired(t.Context(), softdelete.PurgeOptions{OlderThan: -1, Batch: -1, Pause: -1, Max: -1})
		for _, field := range []string{"OlderThan", "Batch", "Pause", "Max"} {
			require.ErrorContains(t, err, field)
		}
		_, err = w.plain().PurgeExpired(t.Context(), softdelete.PurgeOptions{Batch: 10_001})
		require.ErrorContains(t, err, "Batch")
	})
}

// Eight workers toggle one row fifty times each: the changes that were reported alternate, and
// none is lost.
func TestWriteFirst(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.addJob("j", "a")
		r := w.jobs(func(cfg *softdelete.Config[job, string]) {
			cfg.OnChange = func(ctx context.Context, tx sqldb.DB, c change) error {
				_, err := tx.Exec(ctx, `INSERT INTO log (line) VALUES ($1)`, string(c.Kind))
				return err
			}
		})
		wins := make([]int, 8)
		for _, err := range atOnce(8, func(i int) error {
			for range 50 {
				_, err := r.Delete(t.Context(), "j", "u")
				if err == nil {
					wins[i]++
				} else if !errors.Is(err, softdelete.ErrAlreadyDeleted) {
					return err
				}
				if err := second(r.Restore(t.Context(), "j", "u")); err == nil {
					wins[i]++
				} else if !errors.Is(err, softdelete.ErrNotDeleted) {
					return err
				}
			}
			return nil
		}) {
			require.NoError(t, err)
		}
		total := 0
		for _, n := range wins {
			total += n
		}
		require.Equal(t, total, w.count(`SELECT COUNT(*) FROM log`))
		deleted := w.count(`SELECT COUNT(*) FROM log WHERE line = 'deleted'`)
		live := w.count(`SELECT COUNT(*) FROM jobs WHERE deleted_at IS NULL`)
		require.Equal(t, 1-live, deleted-(total-deleted))
	})
}
