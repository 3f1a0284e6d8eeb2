package softdelete_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

func TestParallelDeletesHaveOneWinner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add("j")
		r := w.jobs(nil)
		var winner int
		wins := 0
		for i, err := range atOnce(16, func(i int) error {
			_, err := r.Delete(t.Context(), "j", fmt.Sprintf("user-%d", i))
			return err
		}) {
			if err == nil {
				wins++
				winner = i
				continue
			}
			require.ErrorIs(t, err, softdelete.ErrAlreadyDeleted)
		}
		require.Equal(t, 1, wins)
		w.advance(time.Hour)
		_, err := r.Delete(t.Context(), "j", "late")
		require.ErrorIs(t, err, softdelete.ErrAlreadyDeleted)
		var at sqldb.Time
		var by string
		require.NoError(t, w.db.QueryRow(t.Context(), `SELECT deleted_at, deleted_by FROM jobs WHERE id = 'j'`).Scan(&at, &by))
		require.Equal(t, start, at.Time)
		require.Equal(t, fmt.Sprintf("user-%d", winner), by)
		require.Equal(t, 1, w.count(`SELECT COUNT(DISTINCT deletion_id) FROM items`))

		wins = 0
		for _, err := range atOnce(16, func(int) error {
			_, err := r.Restore(t.Context(), "j", "u")
			return err
		}) {
			if err == nil {
				wins++
				continue
			}
			require.ErrorIs(t, err, softdelete.ErrNotDeleted)
		}
		require.Equal(t, 1, wins)
		require.Equal(t, "j", w.live("jobs"))
		require.Equal(t, "j1x j1y j2x j2y", w.live("items"))
	})
}

func TestEachRefusalHasItsErrorAndWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add("j")
		w.add("k")
		r := w.jobs(nil)
		_, err := r.Delete(t.Context(), "k", "u")
		require.NoError(t, err)
		before := w.dump()
		one := func(_ softdelete.Result, err error) error { return err }
		for name, tt := range map[string]struct {
			got, want error
		}{
			"delete missing":    {one(r.Delete(t.Context(), "nobody", "u")), softdelete.ErrNotFound},
			"delete NUL":        {one(r.Delete(t.Context(), "a\x00", "u")), softdelete.ErrNotFound},
			"delete twice":      {one(r.Delete(t.Context(), "k", "u")), softdelete.ErrAlreadyDeleted},
			"restore missing":   {one(r.Restore(t.Context(), "nobody", "u")), softdelete.ErrNotFound},
			"restore no UTF-8":  {one(r.Restore(t.Context(), "\xff", "u")), softdelete.ErrNotFound},
			"restore live":      {one(r.Restore(t.Context(), "j", "u")), softdelete.ErrNotDeleted},
			"purge missing":     {one(r.Purge(t.Context(), "nobody", "u")), softdelete.ErrNotFound},
			"purge NUL":         {one(r.Purge(t.Context(), "\x00", "u")), softdelete.ErrNotFound},
			"purge live":        {one(r.Purge(t.Context(), "j", "u")), softdelete.ErrNotDeleted},
			"purge live, plain": {one(w.plain().Purge(t.Context(), "j", "u")), softdelete.ErrNotDeleted},
			"hold deleted":      {r.Hold(t.Context(), "k"), softdelete.ErrNotFound},
			"hold NUL":          {r.Hold(t.Context(), "\x00"), softdelete.ErrNotFound},
		} {
			require.ErrorIs(t, tt.got, tt.want, name)
		}
		require.Equal(t, before, w.dump())
	})
}

func TestReadsInEachScope(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.jobs(nil)
		for i := range 7 {
			w.addJob(fmt.Sprint(i), "a")
		}
		w.addJob("other", "b")
		_, err := r.DeleteMany(t.Context(), []string{"1", "4"}, "u")
		require.NoError(t, err)
		var zero softdelete.Scope
		require.Equal(t, softdelete.Live, zero)

		for _, tt := range []struct {
			scope         []softdelete.Scope
			ids           string
			live, deleted bool
		}{
			{nil, "0 2 3 5 6", true, false},
			{[]softdelete.Scope{zero}, "0 2 3 5 6", true, false},
			{[]softdelete.Scope{softdelete.WithDeleted}, "0 1 2 3 4 5 6", true, true},
			{[]softdelete.Scope{softdelete.OnlyDeleted}, "1 4", false, true},
		} {
			n, err := r.Count(t.Context(), tt.scope...)
			require.NoError(t, err)
			require.EqualValues(t, len(strings.Fields(tt.ids)), n)
			require.Equal(t, tt.ids, w.walk(r, tt.scope...))
			for id, want := range map[string]bool{"0": tt.live, "1": tt.deleted, "other": false, "\x00": false} {
				got, err := r.Get(t.Context(), id, tt.scope...)
				if want {
					require.NoError(t, err)
					require.Equal(t, job{ID: id, Slug: "slug-" + id}, got)
				} else {
					require.ErrorIs(t, err, softdelete.ErrNotFound)
				}
			}
			if len(tt.scope) == 1 {
				require.Equal(t, len(strings.Fields(tt.ids)),
					w.count("SELECT COUNT(*) FROM jobs j WHERE j.tenant = 'a' AND "+r.Where(tt.scope[0], "j")))
			}
		}
		page, err := r.ListWhere(t.Context(), w.query("size=2", "a"), "jobs.slug <> $1", []any{"slug-0"})
		require.NoError(t, err)
		require.Equal(t, []job{{"2", "slug-2"}, {"3", "slug-3"}}, page.Items)
		require.EqualValues(t, 4, *page.Total)

		for _, scopes := range [][]softdelete.Scope{{9}, {softdelete.Live, softdelete.Live}} {
			_, err = r.Get(t.Context(), "0", scopes...)
			require.ErrorIs(t, err, softdelete.ErrScope)
			_, err = r.List(t.Context(), w.query("", "a"), scopes...)
			require.ErrorIs(t, err, softdelete.ErrScope)
			_, err = r.Count(t.Context(), scopes...)
			require.ErrorIs(t, err, softdelete.ErrScope)
		}
		_, err = r.Select(9, "")
		require.ErrorIs(t, err, softdelete.ErrScope)
		require.Equal(t, "FALSE", r.Where(9, ""))
	})
}

func TestTenantsDoNotMeet(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add("j")
		a, b := w.jobs(nil), w.jobs(nil).For("b")
		check := func(r *jobs, want error) {
			t.Helper()
			before := w.dump()
			for _, err := range []error{
				second(r.Get(t.Context(), "j", softdelete.WithDeleted)), second(r.Delete(t.Context(), "j", "u")),
				second(r.DeleteMany(t.Context(), []string{"j"}, "u")), second(r.Restore(t.Context(), "j", "u")),
				second(r.Purge(t.Context(), "j", "u")), r.Hold(t.Context(), "j"),
			} {
				require.ErrorIs(t, err, want)
			}
			require.Equal(t, before, w.dump())
		}
		check(b, softdelete.ErrNotFound)
		_, err := a.Delete(t.Context(), "j", "u")
		require.NoError(t, err)
		check(b, softdelete.ErrNotFound)
		w.advance(365 * 24 * time.Hour)
		res, err := b.PurgeExpired(t.Context(), softdelete.PurgeOptions{})
		require.NoError(t, err)
		require.Zero(t, res)
		require.Empty(t, w.walk(b, softdelete.WithDeleted))

		// Without a tenant nothing runs at all.
		for _, tenant := range []any{nil, "", "\x00"} {
			r := a.For(tenant)
			check(r, softdelete.ErrNoTenant)
			for _, err := range []error{
				second(r.PurgeExpired(t.Context(), softdelete.PurgeOptions{})), second(r.Count(t.Context())),
				second(r.List(t.Context(), w.query("", "a"))), second(r.DeleteMany(t.Context(), nil, "u")),
			} {
				require.ErrorIs(t, err, softdelete.ErrNoTenant)
			}
		}
		res, err = a.AllTenants().PurgeExpired(t.Context(), softdelete.PurgeOptions{})
		require.NoError(t, err)
		require.EqualValues(t, 1, res.Rows)
	})
}

func second[T any](_ T, err error) error { return err }

func TestUniqueValuesAreFreeAfterDelete(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add("j")
		r := w.jobs(nil)
		insert := func(id string) error {
			_, err := w.db.Exec(t.Context(), `INSERT INTO jobs (id, tenant, slug) VALUES ($1, 'a', 'slug-j')`, id)
			return err
		}
		_, unique := sqldb.UniqueViolation(insert("k"))
		require.True(t, unique, "blocked while live")
		_, err := r.Delete(t.Context(), "j", "u")
		require.NoError(t, err)
		require.NoError(t, insert("k"))
		before := w.dump()
		_, err = r.Restore(t.Context(), "j", "u")
		require.ErrorIs(t, err, softdelete.ErrConflict)
		_, unique = sqldb.UniqueViolation(err)
		require.True(t, unique)
		require.Equal(t, before, w.dump())

		// A value of a child counts as well.
		w.exec(`UPDATE jobs SET slug = 'free' WHERE id = 'k'`)
		w.exec(`INSERT INTO rooms (id, tenant, slug) VALUES ('thief', 'a', 'slug-j2')`)
		before = w.dump()
		_, err = r.Restore(t.Context(), "j", "u")
		require.ErrorIs(t, err, softdelete.ErrConflict)
		require.Equal(t, before, w.dump())

		// In a caller's transaction the refusal undoes itself, and the transaction goes on.
		require.NoError(t, w.db.InTx(t.Context(), func(tx sqldb.DB) error {
			_, err := r.In(tx).Restore(t.Context(), "j", "u")
			require.ErrorIs(t, err, softdelete.ErrConflict)
			_, err = tx.Exec(t.Context(), `DELETE FROM rooms WHERE id = 'thief'`)
			require.NoError(t, err)
			_, err = r.In(tx).Restore(t.Context(), "j", "u")
			return err
		}))
		require.Equal(t, "j1 j2", w.live("rooms"))
	})
}

func TestCascadeOfThreeLevels(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add("j")
		w.add("k")
		r := w.jobs(nil)
		untouched := w.dump()
		res, err := r.Delete(t.Context(), "j", "u")
		require.NoError(t, err)
		require.Equal(t, start, res.At)
		require.EqualValues(t, 1, res.Rows)
		require.Equal(t, []softdelete.Affected{{Table: "rooms", Rows: 2}, {Table: "items", Rows: 4}}, res.Children)
		require.Equal(t, "k", w.live("jobs"))
		require.Equal(t, "k1 k2", w.live("rooms"))
		require.Equal(t, "k1x k1y k2x k2y", w.live("items"))
		require.Equal(t, 4, w.count(`SELECT COUNT(*) FROM items WHERE deletion_id = $1 AND deleted_by = 'u'`, res.DeletionID))

		back, err := r.Restore(t.Context(), "j", "u")
		require.NoError(t, err)
		require.Equal(t, res.DeletionID, back.DeletionID)
		require.Equal(t, res.Children, back.Children)
		require.Equal(t, untouched, w.dump())

		// A failure on the lowest level undoes them all.
		if w.tr.dialect == sqldb.DialectSQLite {
			w.exec(`CREATE TRIGGER refuse BEFORE UPDATE ON items BEGIN SELECT RAISE(ABORT, 'no'); END`)
		} else {
			w.exec(`ALTER TABLE items ADD CONSTRAINT refuse CHECK (deleted_at IS NULL)`)
		}
		_, err = r.Delete(t.Context(), "j", "u")
		require.Error(t, err)
		require.Equal(t, untouched, w.dump())
	})
}

func TestOnlyTheSameDeletionComesBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add("j")
		jobs, rooms := w.jobs(nil), w.rooms()
		_, err := rooms.Delete(t.Context(), "j1", "u") // earlier, at the same microsecond
		require.NoError(t, err)
		_, err = jobs.Delete(t.Context(), "j", "u")
		require.NoError(t, err)
		w.addRoom("j3", "j") // appears under a deleted parent, and is deleted on its own
		_, err = rooms.Delete(t.Context(), "j3", "u")
		require.NoError(t, err)
		_, err = jobs.Restore(t.Context(), "j", "u")
		require.NoError(t, err)
		require.Equal(t, "j2", w.live("rooms"))
		require.Equal(t, "j2x j2y", w.live("items"))
		_, err = rooms.Restore(t.Context(), "j1", "u")
		require.NoError(t, err)
		require.Equal(t, "j1 j2", w.live("rooms"))
		require.Equal(t, "j1x j1y j2x j2y", w.live("items"))
	})
}

// Rows deleted together by DeleteMany come back one by one, each with its own children.
func TestRestoreOneOfMany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add("j")
		w.add("k")
		r := w.jobs(nil)
		res, err := r.DeleteMany(t.Context(), []string{"j", "k", "j"}, "u")
		require.NoError(t, err)
		require.EqualValues(t, 2, res.Rows)
		require.Equal(t, []softdelete.Affected{{Table: "rooms", Rows: 4}, {Table: "items", Rows: 8}}, res.Children)
		_, err = r.Restore(t.Context(), "k", "u")
		require.NoError(t, err)
		require.Equal(t, "k", w.live("jobs"))
		require.Equal(t, "k1x k1y k2x k2y", w.live("items"))
		_, err = r.Restore(t.Context(), "j", "u")
		require.NoError(t, err)
		require.Equal(t, "j1 j2 k1 k2", w.live("rooms"))
		require.Zero(t, w.count(`SELECT COUNT(*) FROM items WHERE deletion_id IS NOT NULL`))
	})
}

func TestRestoreUnderADeletedParent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add("j")
		jobs, rooms := w.jobs(nil), w.rooms()
		w.exec(`INSERT INTO rooms (id, tenant, slug) VALUES ('loose', 'a', 'loose')`)
		_, err := rooms.DeleteMany(t.Context(), []string{"j1", "loose"}, "u")
		require.NoError(t, err)
		_, err = jobs.Delete(t.Context(), "j", "u")
		require.NoError(t, err)
		before := w.dump()
		for _, id := range []string{"j1", "j2"} {
			_, err = rooms.Restore(t.Context(), id, "u")
			require.ErrorIs(t, err, softdelete.ErrParentDeleted)
		}
		require.Equal(t, before, w.dump())
		_, err = rooms.Restore(t.Context(), "loose", "u") // belongs to nobody
		require.NoError(t, err)
		_, err = jobs.Restore(t.Context(), "j", "u")
		require.NoError(t, err)
		_, err = rooms.Restore(t.Context(), "j1", "u")
		require.NoError(t, err)
		_, err = rooms.Restore(t.Context(), "j1", "u")
		require.ErrorIs(t, err, softdelete.ErrNotDeleted)
	})
}

// Whoever wins, no live room is left under a deleted job.
func TestRestoreAgainstDeleteOfTheParent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		jobs, rooms := w.jobs(nil), w.rooms()
		w.add("j")
		for range rounds() {
			_, err := rooms.Delete(t.Context(), "j1", "u")
			require.NoError(t, err)
			errs := atOnce(2, func(i int) error {
				if i == 0 {
					return second(jobs.Delete(t.Context(), "j", "u"))
				}
				return second(rooms.Restore(t.Context(), "j1", "u"))
			})
			require.NoError(t, errs[0])
			if errs[1] != nil {
				require.ErrorIs(t, errs[1], softdelete.ErrParentDeleted)
			}
			require.Empty(t, w.live("rooms"))
			_, err = jobs.Restore(t.Context(), "j", "u")
			require.NoError(t, err)
			if errs[1] != nil {
				_, err = rooms.Restore(t.Context(), "j1", "u")
				require.NoError(t, err)
			}
			require.Equal(t, "j1 j2", w.live("rooms"))
		}
	})
}

// A child that is inserted under Hold never ends up live under a deleted parent.
func TestHoldAgainstDelete(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.jobs(nil)
		for i := range rounds() {
			id := fmt.Sprintf("job-%d", i)
			w.addJob(id, "a")
			errs := atOnce(2, func(i int) error {
				if i == 0 {
					return second(r.Delete(t.Context(), id, "u"))
				}
				return w.db.InTx(t.Context(), func(tx sqldb.DB) error {
					if err := r.In(tx).Hold(t.Context(), id); err != nil {
						return err
					}
					_, err := tx.Exec(t.Context(), `INSERT INTO rooms (id, tenant, job_id, slug) VALUES ($1, 'a', $1, $1)`, id)
					return err
				})
			})
			require.NoError(t, errs[0])
			if errs[1] != nil && !errors.Is(errs[1], softdelete.ErrNotFound) {
				require.True(t, sqldb.IsRetryable(errs[1]), errs[1])
			}
			require.Empty(t, w.live("rooms"))
		}
	})
}

func TestTimesRoundTrip(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if w.tr.dialect == sqldb.DialectSQLite {
			w.exec(`ALTER TABLE jobs DROP COLUMN created_at`)
			w.exec(`CREATE TABLE texts (id TEXT PRIMARY KEY, slug TEXT, deleted_at TEXT, deleted_by TEXT, deletion_id TEXT)`)
		} else {
			w.exec(`CREATE TABLE texts (id TEXT PRIMARY KEY, slug TEXT, deleted_at TIMESTAMPTZ, deleted_by TEXT, deletion_id UUID)`)
		}
		w.exec(`INSERT INTO texts (id, slug) VALUES ('x', 's')`)
		zone := time.FixedZone("odd", -(5*3600 + 45*60))
		r := w.jobs(func(cfg *softdelete.Config[job, string]) {
			cfg.Table, cfg.Tenant, cfg.Children, cfg.Unique = "texts", "", nil, nil
			cfg.Now = func() time.Time { return start.Add(789).In(zone) } // nanoseconds are cut
		})
		res, err := r.Delete(t.Context(), "x", "u")
		require.NoError(t, err)
		require.Equal(t, start, res.At)
		var at sqldb.Time
		require.NoError(t, w.db.QueryRow(t.Context(), `SELECT deleted_at FROM texts`).Scan(&at))
		require.Equal(t, start, at.Time)
		require.Equal(t, start.Add(30*24*time.Hour), r.PurgeAt(at.Time))
		_, err = r.Restore(t.Context(), "x", "u")
		require.NoError(t, err)
	})
}

func TestOnChangeIsPartOfTheChange(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add("j")
		refuse := errors.New("no")
		var fail error
		r := w.jobs(func(cfg *softdelete.Config[job, string]) {
			cfg.OnChange = func(ctx context.Context, tx sqldb.DB, c change) error {
				w.changes = append(w.changes, c)
				_, err := tx.Exec(ctx, `INSERT INTO log (line) VALUES ($1)`, string(c.Kind)+" "+c.IDs[0])
				return errors.Join(err, fail)
			}
		})
		before := w.dump()
		fail = refuse
		_, err := r.Delete(t.Context(), "j", "u")
		require.ErrorIs(t, err, refuse)
		_, err = r.DeleteMany(t.Context(), []string{"j"}, "u")
		require.ErrorIs(t, err, refuse)
		require.Equal(t, before, w.dump())
		require.Zero(t, w.count(`SELECT COUNT(*) FROM log`))
		w.changes, fail = nil, nil

		res, err := r.Delete(t.Context(), "j", "u")
		require.NoError(t, err)
		fail = refuse
		deleted := w.dump()
		require.ErrorIs(t, second(r.Restore(t.Context(), "j", "u")), refuse)
		require.ErrorIs(t, second(r.Purge(t.Context(), "j", "u")), refuse)
		w.advance(31 * 24 * time.Hour)
		require.ErrorIs(t, second(r.PurgeExpired(t.Context(), softdelete.PurgeOptions{})), refuse)
		require.Equal(t, deleted, w.dump())
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM log`))
		fail = nil
		_, err = r.Restore(t.Context(), "j", "v")
		require.NoError(t, err)
		_, err = r.Delete(t.Context(), "j", "u")
		require.NoError(t, err)
		_, err = r.Purge(t.Context(), "j", "p")
		require.NoError(t, err)
		require.Equal(t, 4, w.count(`SELECT COUNT(*) FROM log`))

		first, last := w.changes[0], w.changes[len(w.changes)-1]
		require.Equal(t, change{
			Kind: softdelete.Deleted, Table: "jobs", Tenant: "a", DeletionID: res.DeletionID, By: "u", At: start,
			IDs: []string{"j"}, Rows: []job{{"j", "slug-j"}}, Children: res.Children,
		}, first)
		require.Equal(t, softdelete.Purged, last.Kind)
		require.Equal(t, "p", last.By)
		require.Equal(t, []job{{"j", "slug-j"}}, last.Rows)
		require.Equal(t, []softdelete.Affected{{Table: "notes", Rows: 2}, {Table: "items", Rows: 4}, {Table: "rooms", Rows: 2}, {Table: "tags", Rows: 0}}, last.Children)
	})
}

func TestInJoinsTheTransaction(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add("j")
		r := w.jobs(nil)
		before := w.dump()
		undo := errors.New("undo")
		require.ErrorIs(t, w.db.InTx(t.Context(), func(tx sqldb.DB) error {
			_, err := r.In(tx).Delete(t.Context(), "j", "u")
			require.NoError(t, err)
			_, err = r.In(tx).Get(t.Context(), "j")
			require.ErrorIs(t, err, softdelete.ErrNotFound)
			return undo
		}), undo)
		require.Equal(t, before, w.dump())
		// A DB of another package has no savepoints but works.
		require.NoError(t, w.db.InTx(t.Context(), func(tx sqldb.DB) error {
			in := r.In(struct{ sqldb.DB }{tx})
			_, err := in.Delete(t.Context(), "j", "u")
			return err
		}))
		require.Empty(t, w.live("items"))
	})
}

func TestDeleteManyIsChunkedAndAtomic(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := 40_000 // above SQLite's 32,766 parameters
		if raceDetector {
			n = 2_000
		}
		rows := make([][]any, n)
		ids := make([]string, n)
		for i := range rows {
			ids[i] = fmt.Sprintf("%05d", i)
			rows[i] = []any{ids[i]}
		}
		_, err := sqldb.InsertBatch(t.Context(), w.db, `INSERT INTO jobs (id, tenant, slug) VALUES ($1, 'a', $1)`, rows)
		require.NoError(t, err)
		w.exec(`ANALYZE jobs`) // what the planner guesses without it makes it read all live rows each time
		r := w.plain()
		_, err = r.Delete(t.Context(), ids[n-1], "u")
		require.NoError(t, err)
		_, err = r.DeleteMany(t.Context(), append(ids, "nobody", "\x00"), "u")
		require.ErrorIs(t, err, softdelete.ErrNotFound)
		_, err = r.DeleteMany(t.Context(), append(ids, "nobody"), "u")
		var many *softdelete.ManyError[string]
		require.ErrorAs(t, err, &many)
		require.Equal(t, []string{"nobody"}, many.NotFound)
		require.Equal(t, ids[n-1:], many.AlreadyDeleted)
		require.ErrorIs(t, err, softdelete.ErrNotFound)
		require.ErrorIs(t, err, softdelete.ErrAlreadyDeleted)
		require.Equal(t, n-1, w.count(`SELECT COUNT(*) FROM jobs WHERE deleted_at IS NULL`))
		res, err := r.DeleteMany(t.Context(), ids[:n-1], "u")
		require.NoError(t, err)
		require.EqualValues(t, n-1, res.Rows)
		require.Zero(t, w.count(`SELECT COUNT(*) FROM jobs WHERE deleted_at IS NULL`))
		res, err = r.DeleteMany(t.Context(), nil, "u")
		require.NoError(t, err)
		require.Zero(t, res)
	})
}

// rounds is how often a race of two is run.
func rounds() int {
	if raceDetector {
		return 10
	}
	return 60
}
