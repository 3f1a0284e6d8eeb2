package auth

import (
	"context"
	"time"
)

// Session is one sign-in of one user on one device. It contains no secret.
type Session struct {
	ID       string // UUIDv7 text
	Subject  string
	Tenant   string
	ClientID string
	Methods  []string // amr of the sign-in

	// Attributes is what Login was given, such as ip and user_agent.
	Attributes map[string]string

	AuthTime      time.Time // when the user proved who he is
	CreatedAt     time.Time
	LastUsedAt    time.Time // last rotation of the refresh token
	IdleExpiresAt time.Time // moves on with each rotation, never beyond ExpiresAt
	ExpiresAt     time.Time // absolute end
	RevokedAt     time.Time // zero while the session is not revoked
	RevokeReason  string    // one of the Reason constants, or the caller's own
}

// Live reports whether the session can still be refreshed at that time.
func (s *Session) Live(now time.Time) bool {
	return s.RevokedAt.IsZero() && now.Before(s.IdleExpiresAt) && now.Before(s.ExpiresAt)
}

// HashBytes and SaltBytes are the lengths of the secrets' hashes and of the salts that a Store keeps.
const (
	HashBytes = 32
	SaltBytes = 16
)

// Record is a new session as a Store keeps it: the Session, the hash of its first refresh secret
// and a salt, at generation 0.
type Record struct {
	Session Session
	Hash    [HashBytes]byte
	Salt    [SaltBytes]byte
}

// RotateRequest asks a Store to judge a refresh token and, if it is the current one, to replace it.
type RotateRequest struct {
	ID         string
	Generation uint32          // of the presented token
	Hash       [HashBytes]byte // of the presented secret

	NextHash [HashBytes]byte // of the successor's secret
	NextSalt [SaltBytes]byte // the successor was derived with

	Now        time.Time
	IdleUntil  time.Time     // new idle end, before the cap at the absolute end
	Window     time.Duration // how long the parent may come back; 0: never
	MaxReplays int           // answers to the parent within Window; 0: superseded at once
}

// RotateResult is a Store's answer to a RotateRequest.
type RotateResult struct {
	Verdict    Verdict
	Session    Session         // after the change; zero for VerdictNotFound
	Generation uint32          // after the change
	Salt       [SaltBytes]byte // of the current generation, for VerdictReplayed
}

// Verdict is the outcome of a rotation.
type Verdict uint8

// The verdicts, in the order in which a Store tests for them; the first that applies wins.
const (
	// VerdictNotFound: no session has this id. Nothing changes.
	VerdictNotFound Verdict = iota
	// VerdictRevoked: the session was revoked before. Nothing changes.
	VerdictRevoked
	// VerdictExpired: Now is not before the idle end or the absolute end. Nothing changes.
	VerdictExpired
	// VerdictRotated: generation and hash are the current ones. The generation grows by one, the
	// current hash becomes the previous one, NextHash and NextSalt take effect, LastUsedAt is Now,
	// the idle end min(IdleUntil, absolute end), the replay count 0.
	VerdictRotated
	// VerdictReplayed: generation and hash are those of the direct parent, Window is positive, Now
	// is at most Window after the rotation, and fewer than MaxReplays replays happened. The count
	// grows by one, nothing else.
	VerdictReplayed
	// VerdictSuperseded: as VerdictReplayed, but the replays are used up. Nothing changes.
	VerdictSuperseded
	// VerdictAhead: the generation is newer than the stored one, so the store lost writes. Nothing
	// changes.
	VerdictAhead
	// VerdictReused: anything else. The session is revoked at Now with ReasonReuse.
	VerdictReused
)

// String returns the verdict's name.
func (v Verdict) String() string {
	switch v {
	case VerdictNotFound:
		return "not found"
	case VerdictRevoked:
		return "revoked"
	case VerdictExpired:
		return "expired"
	case VerdictRotated:
		return "rotated"
	case VerdictReplayed:
		return "replayed"
	case VerdictSuperseded:
		return "superseded"
	case VerdictAhead:
		return "ahead"
	case VerdictReused:
		return "reused"
	}
	return "unknown"
}

// Reasons for the end of a session that this package sets.
const (
	ReasonLogout          = "logout"
	ReasonLogoutAll       = "logout_all"
	ReasonReuse           = "reuse"
	ReasonEvicted         = "evicted"
	ReasonDisabled        = "disabled"
	ReasonRevoked         = "revoked"
	ReasonReauthenticated = "reauthenticated"
)

// Store keeps sessions, one row each. The Service has authenticated every argument that comes
// from a token, hashes every secret, and passes the time, so a Store has no clock of its own.
// Times have microsecond precision. Package authtest tests every sentence below; implementations
// must be safe for concurrent use by several processes. Errors mean that the storage failed, the
// Service reports them as ErrUnavailable; verdicts are no errors.
type Store interface {
	// Create adds a session. With limit > 0, in the same atomic step, the subject's oldest live
	// sessions beyond limit, the new one not counted as old, are revoked at r.Session.CreatedAt with
	// ReasonEvicted, and their ids returned. Parallel calls never leave more than limit live ones.
	// An id that exists already is an error.
	Create(ctx context.Context, r Record, limit int) (evicted []string, err error)

	// Rotate judges the token and changes the row in one atomic step, as the comments of the
	// verdicts say. However many callers present one token at once, one of them at most gets
	// VerdictRotated. A session revoked before the step began is never rotated.
	Rotate(ctx context.Context, r RotateRequest) (RotateResult, error)

	// Get returns a session in any state, or ErrNotFound.
	Get(ctx context.Context, id string) (Session, error)

	// List returns the subject's sessions that are live at now, newest CreatedAt first, the id
	// breaking ties downwards. None is an empty list, no error.
	List(ctx context.Context, subject string, now time.Time) ([]Session, error)

	// Revoke ends one session at now and reports whether this call did it. A session that is
	// unknown or already revoked stays as it is and gives false.
	Revoke(ctx context.Context, id, reason string, now time.Time) (bool, error)

	// RevokeSubject ends all of the subject's sessions that are not revoked, except those in keep,
	// in one atomic step, and returns the ids it ended.
	RevokeSubject(ctx context.Context, subject string, keep []string, reason string, now time.Time) ([]string, error)

	// DeleteExpired removes at most limit sessions whose absolute end or revocation is at or before
	// the given time and returns how many it removed. Parallel calls share the work.
	DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error)
}

// Denylist remembers ids of sessions and access tokens that must be refused although their
// signature is good. Entries are "s:" plus a session id or "j:" plus a token id, never token
// text, because one token has many spellings. Implementations must be safe for concurrent use.
type Denylist interface {
	// Deny refuses the ids until that time. A repeated id keeps the later end. The list may forget
	// an entry after its end, never before; when it cannot keep one it returns an error.
	Deny(ctx context.Context, until time.Time, ids ...string) error
	// Denied reports whether at least one of the ids is refused.
	Denied(ctx context.Context, ids ...string) (bool, error)
}
