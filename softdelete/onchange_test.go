package softdelete_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

// An entry of the audit trail that OnChange writes is there exactly if the change is.
func TestAuditEntryCommitsWithTheChange(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, statement := range sqlaudit.Statements(w.tr.dialect) {
			w.exec(statement)
		}
		trail, err := audit.New(audit.Config{Sink: sqlaudit.On(w.db)})
		require.NoError(t, err)
		r := w.jobs(func(cfg *softdelete.Config[job, string]) {
			cfg.OnChange = func(ctx context.Context, tx sqldb.DB, c change) error {
				return trail.LogTo(ctx, sqlaudit.On(tx), audit.Event{
					Action: "job." + string(c.Kind), Entity: audit.Entity{Type: "job", ID: c.IDs[0]},
					Actor: audit.Actor{ID: c.By}, Tenant: c.Tenant.(string), At: c.At,
				})
			}
		})
		entries := func() int { return w.count(`SELECT COUNT(*) FROM audit_events`) }
		w.add("j")
		before := w.dump()
		undo := errors.New("undo")
		require.ErrorIs(t, w.db.InTx(t.Context(), func(tx sqldb.DB) error {
			_, err := r.In(tx).Delete(t.Context(), "j", "u")
			require.NoError(t, err)
			return undo
		}), undo)
		require.Equal(t, before, w.dump())
		require.Zero(t, entries())

		_, err = r.Delete(t.Context(), "j", "u\x00")
		require.NoError(t, err)
		require.ErrorIs(t, second(r.Delete(t.Context(), "j", "v")), softdelete.ErrAlreadyDeleted)
		require.Equal(t, 1, w.count(`SELECT COUNT(*) FROM audit_events
			WHERE action = 'job.deleted' AND entity_id = 'j' AND actor_id = 'u' AND tenant = 'a'`))
		require.Equal(t, 1, entries())

		// Without its entry the change does not happen.
		w.exec(`DROP TABLE audit_events`)
		deleted := w.dump()
		require.Error(t, second(r.Restore(t.Context(), "j", "u")))
		require.Equal(t, deleted, w.dump())
	})
}

// A constraint that OnChange breaks is its own error: no conflict of the row, and no blocked purge.
func TestConstraintsOfOnChange(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if w.tr.name == "bare" {
			w.exec(`PRAGMA foreign_keys = ON`) // on the only connection
		}
		w.exec(`CREATE TABLE once (line TEXT PRIMARY KEY)`)
		w.exec(`INSERT INTO once (line) VALUES ('restored')`)
		r := w.jobs(func(cfg *softdelete.Config[job, string]) {
			cfg.OnChange = func(ctx context.Context, tx sqldb.DB, c change) (err error) {
				switch c.Kind {
				case softdelete.Restored:
					_, err = tx.Exec(ctx, `INSERT INTO once (line) VALUES ('restored')`)
				case softdelete.Purged:
					_, err = tx.Exec(ctx, `INSERT INTO strangers (id, job_id) VALUES ('s', 'nobody')`)
				}
				return err
			}
		})
		w.add("j")
		_, err := r.Delete(t.Context(), "j", "u")
		require.NoError(t, err)
		deleted := w.dump()

		_, err = r.Restore(t.Context(), "j", "u")
		require.NotErrorIs(t, err, softdelete.ErrConflict)
		_, unique := sqldb.UniqueViolation(err)
		require.True(t, unique, "the caller sees the error that OnChange has returned: %v", err)

		_, err = r.Purge(t.Context(), "j", "u")
		require.Error(t, err)
		require.NotErrorIs(t, err, softdelete.ErrBlocked)
		w.advance(31 * day)
		res, err := r.PurgeExpired(t.Context(), softdelete.PurgeOptions{})
		require.Error(t, err)
		require.Zero(t, res.Blocked)
		require.Equal(t, deleted, w.dump())
	})
}
