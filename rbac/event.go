package rbac

import (
	"context"
	"time"
)

// EventType says what happened.
type EventType string

// The events of a [Checker] and a [Manager].
const (
	EventReload           EventType = "reload"            // a new policy is in use; Version, Changes
	EventReloadFailed     EventType = "reload_failed"     // the store failed or its policy does not compile; Err
	EventVersionBackwards EventType = "version_backwards" // the store's version is older than the one in use
	EventUnknownGrant     EventType = "unknown_grant"     // a grant was skipped (SkipUnknownGrants); Err
	EventUnknownRole      EventType = "unknown_role"      // an assignment names a role that the policy lacks; Role
	EventServedStale      EventType = "served_stale"      // the store failed, the subject's last roles were used; Err

	EventAssign     EventType = "assign"      // Actor, Assignment
	EventUnassign   EventType = "unassign"    // Actor, Assignment
	EventPutRole    EventType = "put_role"    // Actor, Role, Version, Changes
	EventDeleteRole EventType = "delete_role" // Actor, Role, Version, Changes
	EventRefused    EventType = "refused"     // a change the Manager or the store refused: Actor, Role, Err
)

// Event is told to Config.OnEvent and ManagerConfig.OnEvent.
type Event struct {
	Type       EventType
	Time       time.Time
	Tenant     string
	Subject    string
	Actor      string
	Role       RoleID
	Assignment Assignment
	Version    uint64
	Changes    []Change
	Err        error
}

func emit(ctx context.Context, hook func(context.Context, Event), now time.Time, e Event) {
	if hook == nil {
		return
	}
	e.Time = now
	hook(ctx, e)
}
