package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/sqldb"
)

// denylistPatience is how long a request waits for the deny-list.
const denylistPatience = 200 * time.Millisecond

// denylist is the configured deny-list with the session rows behind it: while the list is silent, a
// session that was ended is refused because its row says so. Only when both are silent nobody can tell.
type denylist struct {
	auth.Denylist // may be in another store than the rows

	rows auth.Store
	// later delivers an entry once the list answers again.
	later func(ctx context.Context, entry denyEntry) error
}

// Denied implements auth.Denylist.
func (d *denylist) Denied(ctx context.Context, ids ...string) (bool, error) {
	short, cancel := context.WithTimeout(ctx, denylistPatience)
	defer cancel()
	denied, err := d.Denylist.Denied(short, ids...)
	if err == nil {
		return denied, nil
	}
	middleware.AddLogAttrs(ctx, slog.String("denylist_error", err.Error()))
	for _, id := range ids {
		session, ok := strings.CutPrefix(id, "s:")
		if !ok {
			continue // single access tokens are never denied here
		}
		switch row, rowErr := d.rows.Get(ctx, session); {
		case errors.Is(rowErr, auth.ErrNotFound):
			return true, nil
		case rowErr != nil:
			return false, errors.Join(err, rowErr)
		case !row.RevokedAt.IsZero():
			return true, nil
		}
	}
	return false, nil
}

// Deny implements auth.Denylist. A list that is silent gets the entry later; it would otherwise let
// the session's last access token pass again once it is back.
func (d *denylist) Deny(ctx context.Context, until time.Time, ids ...string) error {
	short, cancel := context.WithTimeout(ctx, denylistPatience)
	defer cancel()
	err := d.Denylist.Deny(short, until, ids...)
	if err == nil {
		return nil
	}
	if laterErr := d.later(ctx, denyEntry{IDs: ids, Until: until}); laterErr != nil {
		return errors.Join(err, laterErr)
	}
	middleware.AddLogAttrs(ctx, slog.String("denylist_error", err.Error()))
	return nil
}

// denyEntry is the queue job of an entry that the deny-list did not take.
type denyEntry struct {
	IDs   []string  `json:"ids"`
	Until time.Time `json:"until"`
}

// Kind implements jobs.Args.
func (denyEntry) Kind() string { return "auth.deny" }

// denyLater queues an entry.
func (s *Service) denyLater(ctx context.Context, entry denyEntry) error {
	return s.db.InTx(ctx, func(tx sqldb.DB) error { return s.enqueue(ctx, tx, entry) })
}

// registerDeny delivers entries of the deny-list until nobody needs them any more.
func (s *Service) registerDeny(reg *jobs.Registry) {
	jobs.Register(reg, jobs.WorkerConfig{
		MaxAttempts: 25, Base: time.Second, Cap: 2 * time.Minute, // for about as long as an access token lives
	}, func(ctx context.Context, entry denyEntry) error {
		if !s.clock().Before(entry.Until) {
			return nil
		}
		if err := s.denylist.Deny(ctx, entry.Until, entry.IDs...); err != nil {
			return fmt.Errorf("identity: %w", err)
		}
		return nil
	})
}
