package auth

import (
	"context"
	"time"
)

// EventType says what happened to a session.
type EventType string

// The events. Those of one session arrive in the order of its store operations as long as one
// process serves them.
const (
	EventLogin      EventType = "login"
	EventRefresh    EventType = "refresh"    // rotated
	EventReplay     EventType = "replay"     // the parent got its successor once more
	EventSuperseded EventType = "superseded" // a parallel refresh was turned away
	EventReuse      EventType = "reuse"      // an old token came back, the session is revoked: tell the user
	EventAhead      EventType = "ahead"      // a token is newer than the store: the store lost writes
	EventRevoke     EventType = "revoke"     // log-out, eviction, administration; see Reason
	EventError      EventType = "error"      // a deny-list entry could not be written; see Err
)

// Event is told to [Config.OnEvent]. It contains no secret.
type Event struct {
	Type       EventType
	Time       time.Time
	Subject    string
	Tenant     string
	ClientID   string
	SessionID  string
	Generation uint32 // of the presented refresh token
	Reason     string // of a revocation
	Err        error
}

func (s *Service) emit(ctx context.Context, e Event) {
	if s.onEvent == nil {
		return
	}
	e.Time = s.clock()
	s.onEvent(ctx, e)
}

func sessionEvent(t EventType, ses *Session) Event {
	return Event{
		Type: t, Subject: ses.Subject, Tenant: ses.Tenant, ClientID: ses.ClientID, SessionID: ses.ID,
	}
}
