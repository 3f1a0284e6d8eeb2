package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/sqldb"
)

const (
	// sweepBatch is how many rows one statement of the sweep removes: on SQLite nobody else writes
	// meanwhile.
	sweepBatch = 500
	// inviteRetention is how long an invitation that is over is kept, so that its link says why it does
	// not work.
	inviteRetention = 30 * 24 * time.Hour
	// unverifiedLife is how long an account without company may wait for the confirmation of its
	// address.
	unverifiedLife = 7 * 24 * time.Hour
)

// cleanup is the daily sweep.
type cleanup struct{}

// Kind implements jobs.Args.
func (cleanup) Kind() string { return "tokens.cleanup" }

// registerSweep runs the sweep daily at 02:00 UTC.
func (s *Service) registerSweep(reg *jobs.Registry) {
	jobs.Register(reg, jobs.WorkerConfig{
		Every: 24 * time.Hour, Offset: 2 * time.Hour, Timeout: 10 * time.Minute,
	}, func(ctx context.Context, _ cleanup) error { return s.Sweep(ctx) })
}

// expiring is the part of a store that forgets what is over.
type expiring interface {
	DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error)
}

// Sweep removes what is of no use any more: ended sessions, entries of the deny-list, expired one-time
// tokens, old invitations, and accounts without company whose address was never confirmed. A failure
// of one part does not keep the others from being swept.
func (s *Service) Sweep(ctx context.Context) error {
	tokens, err := s.tokens(s.db)
	if err != nil {
		return err
	}
	now := s.clock()
	steps := []func() (int, error){
		func() (int, error) { return s.sessions.Sweep(ctx, sweepBatch) },
		func() (int, error) { return tokens.Sweep(ctx, sweepBatch) },
		func() (int, error) { return s.sweepRows(ctx, deleteOldInvites, now.Add(-inviteRetention)) },
		func() (int, error) { return s.sweepRows(ctx, deleteUnverified, now.Add(-unverifiedLife)) },
	}
	if list, ok := s.denylist.(expiring); ok {
		steps = append(steps, func() (int, error) { return list.DeleteExpired(ctx, now, sweepBatch) })
	}
	var faults []error
	for _, step := range steps {
		for {
			n, err := step()
			if err != nil {
				faults = append(faults, fmt.Errorf("identity: sweep: %w", err))
			}
			if err != nil || n < sweepBatch {
				break
			}
		}
	}
	return errors.Join(faults...)
}

const (
	deleteOldInvites = `
DELETE FROM company_invites WHERE id IN (
       SELECT i.id FROM company_invites AS i WHERE i.expires_at <= $1 ORDER BY i.expires_at, i.id LIMIT $2)`

	// An account that was used once is kept: its address may wait for another confirmation.
	deleteUnverified = `
DELETE FROM users WHERE email_verified_at IS NULL AND id IN (
       SELECT u.id FROM users AS u
        WHERE u.email_verified_at IS NULL AND u.created_at <= $1 AND u.last_login_at IS NULL AND u.disabled_at IS NULL
          AND u.deleted_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM company_members AS m WHERE m.user_id = u.id)
          AND NOT EXISTS (SELECT 1 FROM company_invites AS i WHERE i.invited_by = u.id)
        ORDER BY u.created_at, u.id LIMIT $2)`
)

func (s *Service) sweepRows(ctx context.Context, query string, before time.Time) (int, error) {
	n, err := s.db.Exec(ctx, query, sqldb.At(before), int64(sweepBatch))
	return int(n), err
}
