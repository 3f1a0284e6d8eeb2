// Package roles keeps what the roles of this server grant.
package roles

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

const (
	// pollInterval is how soon another replica's change of a role counts here, maxStaleness how long
	// requests are answered by what is known when the database is silent.
	pollInterval = 5 * time.Second
	maxStaleness = time.Minute
)

// NewChecker returns who knows what roles grant. Start its Run. Grants that this release does not know
// are passed over, with a warning: replicas of the next one may have written them.
func NewChecker(db sqldb.TxDB, now func() time.Time, logger *slog.Logger) (*rbac.Checker, error) {
	checker, err := rbac.New(rbac.Config{
		Registry: permission.Registry(), Store: NewStore(db), Now: now, OnEvent: logEvents(logger),
		PollInterval: pollInterval, MaxStaleness: maxStaleness, SkipUnknownGrants: true,
		SubjectTTL: -1, // what an account may do is cached with the rest of its access record
	})
	if err != nil {
		return nil, fmt.Errorf("roles: %w", err)
	}
	return checker, nil
}

// logEvents tells operators what makes answers of the checker doubtful.
func logEvents(logger *slog.Logger) func(context.Context, rbac.Event) {
	return func(ctx context.Context, e rbac.Event) {
		level := slog.LevelWarn
		switch e.Type {
		case rbac.EventReloadFailed, rbac.EventVersionBackwards:
			level = slog.LevelError
		case rbac.EventServedStale, rbac.EventUnknownGrant, rbac.EventUnknownRole:
		default:
			return
		}
		attrs := []slog.Attr{
			slog.String("event", string(e.Type)), slog.Uint64("version", e.Version), slog.String("role", e.Role.String()),
		}
		if e.Err != nil {
			attrs = append(attrs, slog.String("error", e.Err.Error()))
		}
		logger.LogAttrs(ctx, level, "roles", attrs...)
	}
}
