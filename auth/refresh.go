package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/internal/uuid7"
)

// Login starts a session and returns its first tokens. It fails with ErrInvalidLogin, with
// ErrSubjectDisabled from the ClaimsFunc, with an error about the claims that it returned, or with
// ErrUnavailable; then no session exists, except that after ErrUnavailable from the store one may
// exist whose tokens nobody has.
func (s *Service) Login(ctx context.Context, l Login) (Tokens, error) {
	if err := l.check(); err != nil {
		return Tokens{}, err
	}
	now := s.clock()
	ses := Session{
		ID: uuid7.New(now), Subject: l.Subject, Tenant: l.Tenant, ClientID: l.ClientID,
		Methods: append([]string(nil), l.Methods...), Attributes: attributes(l.Attributes),
		AuthTime: l.AuthTime.Truncate(time.Microsecond), CreatedAt: now, LastUsedAt: now,
		IdleExpiresAt: now.Add(s.idleTTL), ExpiresAt: now.Add(s.absoluteTTL),
	}
	if l.AuthTime.IsZero() {
		ses.AuthTime = now
	}
	token := refreshToken{key: s.refreshKeys.ring[0], id: idRaw(ses.ID)}
	rand.Read(token.secret[:]) // never fails: the runtime ends the program instead
	record := Record{Session: ses, Hash: token.hash()}
	rand.Read(record.Salt[:])

	// Minting comes first, so that a refused subject leaves no session behind.
	tokens, err := s.issue(ctx, ses, token, now)
	if err != nil {
		return Tokens{}, err
	}
	sctx, cancel := s.detach(ctx)
	defer cancel()
	evicted, err := s.store.Create(sctx, record, s.maxSessions)
	if err != nil {
		return Tokens{}, fmt.Errorf("%w: create session: %w", ErrUnavailable, err)
	}
	s.emit(ctx, sessionEvent(EventLogin, &ses))
	for _, id := range evicted {
		e := sessionEvent(EventRevoke, &ses)
		e.SessionID, e.Reason = id, ReasonEvicted
		s.emit(ctx, e)
	}
	s.denyOrTell(ctx, &ses, evicted...)
	return tokens, nil
}

// Errors of a session that is proven dead are errors of its refresh token too, so that one code
// tells clients to sign in again.
var (
	errRefreshExpired  = fmt.Errorf("%w: %w", ErrRefreshInvalid, ErrExpired)
	errRefreshRevoked  = fmt.Errorf("%w: %w", ErrRefreshInvalid, ErrRevoked)
	errRefreshDisabled = fmt.Errorf("%w: %w", ErrRefreshInvalid, ErrSubjectDisabled)
)

// Refresh exchanges a refresh token for new tokens. The old access token stays valid until it
// expires, so requests under way do not fail. Errors, for [errors.Is]:
//
//   - ErrRefreshInvalid: not one of ours, or its session is over; together with ErrExpired,
//     ErrRevoked or ErrSubjectDisabled when that is the cause. Sign in again.
//   - ErrReused: an old token, the session is now revoked. Sign in again and warn the user.
//   - ErrSuperseded: a parallel request has the successor. Nothing is lost, keep the tokens.
//   - ErrUnavailable: try again with the same token; if the rotation did happen, the retry gets its
//     result within ReuseInterval.
//
// The store is not asked for a token whose tag is wrong. On success it is asked once.
func (s *Service) Refresh(ctx context.Context, refresh string) (Tokens, error) {
	rot, err := s.rotate(ctx, refresh)
	if err != nil {
		return Tokens{}, err
	}
	tokens, err := s.issue(ctx, rot.session, rot.token, rot.now)
	if errors.Is(err, ErrSubjectDisabled) {
		if err := s.end(ctx, &rot.session, ReasonDisabled); err != nil {
			return Tokens{}, err
		}
		return Tokens{}, errRefreshDisabled
	}
	if err != nil {
		return Tokens{}, err
	}
	tokens.Replayed = rot.replayed
	e := sessionEvent(EventRefresh, &rot.session)
	if tokens.Replayed {
		e.Type = EventReplay
	}
	e.Generation = rot.token.generation - 1
	s.emit(ctx, e)
	return tokens, nil
}

// Reauthenticate replaces a session after the user has proven again who he is, or when his
// privileges change: a new session starts with l, the one of the refresh token ends (ASVS 7.2.4).
// The refresh token must be current and belong to l.Subject; the errors are those of Refresh and
// Login. When it fails with ErrUnavailable the old session may live on.
func (s *Service) Reauthenticate(ctx context.Context, refresh string, l Login) (Tokens, error) {
	if err := l.check(); err != nil {
		return Tokens{}, err
	}
	rot, err := s.rotate(ctx, refresh)
	if err != nil {
		return Tokens{}, err
	}
	if rot.session.Subject != l.Subject {
		return Tokens{}, ErrRefreshInvalid
	}
	tokens, err := s.Login(ctx, l)
	if err != nil {
		return Tokens{}, err
	}
	if err := s.end(ctx, &rot.session, ReasonReauthenticated); err != nil {
		return Tokens{}, err
	}
	return tokens, nil
}

// rotation is a refresh token that was accepted.
type rotation struct {
	session  Session
	token    refreshToken // the successor
	replayed bool
	// now is read before the store is asked. Access tokens are dated by it, so that a revocation
	// which follows in the store also outlasts them on the deny-list.
	now time.Time
}

// rotate judges a refresh token and returns its successor, fresh or replayed.
func (s *Service) rotate(ctx context.Context, refresh string) (rotation, error) {
	token, ok := s.refreshKeys.parse(s.prefix, refresh)
	if !ok {
		return rotation{}, ErrRefreshInvalid
	}
	now := s.clock()
	var salt [SaltBytes]byte
	rand.Read(salt[:])
	next := token.successor(s.refreshKeys.ring[0], salt)
	sctx, cancel := s.detach(ctx)
	defer cancel()
	res, err := s.store.Rotate(sctx, RotateRequest{
		ID: idText(token.id), Generation: token.generation, Hash: token.hash(),
		NextHash: next.hash(), NextSalt: salt, Now: now, IdleUntil: now.Add(s.idleTTL),
		Window: s.reuseInterval, MaxReplays: s.maxReplays,
	})
	if err != nil {
		return rotation{}, fmt.Errorf("%w: rotate: %w", ErrUnavailable, err)
	}
	switch res.Verdict {
	case VerdictRotated:
		return rotation{session: res.Session, token: next, now: now}, nil
	case VerdictReplayed:
		next = token.successor(s.refreshKeys.ring[0], res.Salt)
		return rotation{session: res.Session, token: next, replayed: true, now: now}, nil
	}
	return rotation{}, s.refused(ctx, &res, token.generation, now)
}

// refused turns the other verdicts into errors and events.
func (s *Service) refused(ctx context.Context, res *RotateResult, generation uint32, now time.Time) error {
	e := sessionEvent("", &res.Session)
	e.Generation = generation
	switch res.Verdict {
	case VerdictExpired:
		return errRefreshExpired
	case VerdictRevoked:
		// The deny-list entry may have failed when the session ended; rewriting it costs nothing.
		if now.Sub(res.Session.RevokedAt) < s.accessTTL {
			s.denyOrTell(ctx, &res.Session, res.Session.ID)
		}
		return errRefreshRevoked
	case VerdictSuperseded:
		e.Type = EventSuperseded
		s.emit(ctx, e)
		return ErrSuperseded
	case VerdictAhead:
		e.Type = EventAhead
		s.emit(ctx, e)
		return ErrRefreshInvalid
	case VerdictReused:
		s.denyOrTell(ctx, &res.Session, res.Session.ID)
		e.Type, e.Reason = EventReuse, ReasonReuse
		s.emit(ctx, e)
		return ErrReused
	}
	return ErrRefreshInvalid
}

// issue asks for claims and encodes both tokens. An access token never outlives its session.
func (s *Service) issue(ctx context.Context, ses Session, token refreshToken, now time.Time) (Tokens, error) {
	claims := Claims{Tenant: ses.Tenant}
	if s.claims != nil {
		var err error
		claims, err = s.claims(ctx, ses)
		if errors.Is(err, ErrSubjectDisabled) {
			return Tokens{}, err
		}
		if err != nil {
			return Tokens{}, fmt.Errorf("%w: claims: %w", ErrUnavailable, err)
		}
	}
	issued := now.Truncate(time.Second)
	expires := issued.Add(s.accessTTL)
	if end := ses.ExpiresAt.Truncate(time.Second); end.Before(expires) {
		expires = end
	}
	access, err := s.mint(s.keys.Active(), &ses, claims, issued, expires)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{
		Access: access, AccessExpires: expires, AccessTTL: expires.Sub(issued),
		Refresh: token.encode(s.prefix), RefreshExpires: ses.IdleExpiresAt,
		RefreshTTL: ses.IdleExpiresAt.Sub(now), Session: ses,
	}, nil
}

// clock reads the time in the precision that every store keeps.
func (s *Service) clock() time.Time { return s.now().Truncate(time.Microsecond) }

// detach returns a context that survives the client but not StoreTimeout.
func (s *Service) detach(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), s.storeTimeout)
}
