package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/groundwork-go/groundwork/internal/uuid7"
)

// Logout ends the session of a refresh token, in whichever generation and state it is; no access
// token is needed. A token that is not ours, and a session that is over already, are no error:
// log-out is idempotent. The only error is ErrUnavailable.
func (s *Service) Logout(ctx context.Context, refresh string) error {
	token, ok := s.refreshKeys.parse(s.prefix, refresh)
	if !ok {
		return nil
	}
	ses, err := s.Session(ctx, idText(token.id))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.end(ctx, &ses, ReasonLogout)
}

// Session returns a session in any state, or ErrNotFound. Check its Subject before showing it to
// a user.
func (s *Service) Session(ctx context.Context, id string) (Session, error) {
	if !uuid7.Valid(id) {
		return Session{}, ErrNotFound
	}
	ses, err := s.store.Get(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return Session{}, ErrNotFound
	case err != nil:
		return Session{}, fmt.Errorf("%w: get session: %w", ErrUnavailable, err)
	}
	return ses, nil
}

// Sessions lists the subject's live sessions, newest first.
func (s *Service) Sessions(ctx context.Context, subject string) ([]Session, error) {
	if !storable(subject) {
		return nil, nil
	}
	list, err := s.store.List(ctx, subject, s.clock())
	if err != nil {
		return nil, fmt.Errorf("%w: list sessions: %w", ErrUnavailable, err)
	}
	return list, nil
}

// RevokeSession ends one of the subject's sessions. The id of somebody else's session, and an
// unknown one, are ErrNotFound without effect; ending it twice is no error.
func (s *Service) RevokeSession(ctx context.Context, subject, id string) error {
	ses, err := s.Session(ctx, id)
	if err != nil {
		return err
	}
	if ses.Subject != subject {
		return ErrNotFound
	}
	return s.end(ctx, &ses, ReasonRevoked)
}

// LogoutAll ends all sessions of the subject except those whose ids are in keep, and returns how
// many it ended. Call it when a password, a role or the account's state changes.
func (s *Service) LogoutAll(ctx context.Context, subject string, keep ...string) (int, error) {
	if !storable(subject) {
		return 0, nil
	}
	// The deny-list comes first: once the rows are revoked, a repeated call could not tell which
	// access tokens are still about.
	var denied []string
	if s.denylist != nil {
		live, err := s.Sessions(ctx, subject)
		if err != nil {
			return 0, err
		}
		for _, ses := range live {
			if !slices.Contains(keep, ses.ID) {
				denied = append(denied, ses.ID)
			}
		}
		if err := s.deny(ctx, denied...); err != nil {
			return 0, err
		}
	}
	sctx, cancel := s.detach(ctx)
	defer cancel()
	ended, err := s.store.RevokeSubject(sctx, subject, keep, ReasonLogoutAll, s.clock())
	if err != nil {
		return 0, fmt.Errorf("%w: revoke sessions: %w", ErrUnavailable, err)
	}
	var late []string // started between the two steps
	for _, id := range ended {
		s.emit(ctx, Event{Type: EventRevoke, Subject: subject, SessionID: id, Reason: ReasonLogoutAll})
		if !slices.Contains(denied, id) {
			late = append(late, id)
		}
	}
	return len(ended), s.deny(ctx, late...)
}

// Sweep removes at most limit sessions that ended longer than Retention ago and returns how many
// it removed. Call it from a periodic job, again while it returns limit. Replicas may call it at
// the same time.
func (s *Service) Sweep(ctx context.Context, limit int) (int, error) {
	n, err := s.store.DeleteExpired(ctx, s.clock().Add(-s.retention), limit)
	if err != nil {
		return n, fmt.Errorf("%w: sweep: %w", ErrUnavailable, err)
	}
	return n, nil
}

// end revokes a session and refuses its access tokens. It repeats the deny-list entry for a
// session that is revoked already, so that a caller may retry after an error.
func (s *Service) end(ctx context.Context, ses *Session, reason string) error {
	sctx, cancel := s.detach(ctx)
	defer cancel()
	did, err := s.store.Revoke(sctx, ses.ID, reason, s.clock())
	if err != nil {
		return fmt.Errorf("%w: revoke session: %w", ErrUnavailable, err)
	}
	if did {
		e := sessionEvent(EventRevoke, ses)
		e.Reason = reason
		s.emit(ctx, e)
	}
	return s.deny(ctx, ses.ID)
}

// deny refuses the access tokens of sessions until the last of them has expired.
func (s *Service) deny(ctx context.Context, sessionIDs ...string) error {
	if s.denylist == nil || len(sessionIDs) == 0 {
		return nil
	}
	ids := make([]string, len(sessionIDs))
	for i, id := range sessionIDs {
		ids[i] = denySession + id
	}
	sctx, cancel := s.detach(ctx)
	defer cancel()
	// One second more, because token times are whole seconds.
	until := s.clock().Add(s.accessTTL + s.leeway + time.Second)
	if err := s.denylist.Deny(sctx, until, ids...); err != nil {
		return fmt.Errorf("%w: deny-list: %w", ErrUnavailable, err)
	}
	return nil
}

// denyOrTell is deny where the answer is decided already: the failure becomes an event.
func (s *Service) denyOrTell(ctx context.Context, ses *Session, sessionIDs ...string) {
	if err := s.deny(ctx, sessionIDs...); err != nil {
		e := sessionEvent(EventError, ses)
		e.Err = err
		s.emit(ctx, e)
	}
}
