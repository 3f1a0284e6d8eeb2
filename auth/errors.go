package auth

import (
	"errors"
	"fmt"
)

// What can go wrong with a credential. Callers compare with [errors.Is]; none of the texts
// contains a token, a secret or a user name.
var (
	// ErrNoCredential means that the request carries no access token at all.
	ErrNoCredential = errors.New("auth: no credential")
	// ErrTwoCredentials means that a request carries refresh tokens in body and cookie, or several
	// cookies of the name.
	ErrTwoCredentials = errors.New("auth: two credentials")
	// ErrInvalidToken means that an access token is malformed, forged, meant for somebody else
	// or refused by a rule of the Verifier. The reason is told to [VerifierConfig.OnReject] only.
	ErrInvalidToken = errors.New("auth: invalid access token")
	// ErrExpired means that a genuine access token, or the session of a genuine refresh token,
	// is past its end.
	ErrExpired = errors.New("auth: expired")
	// ErrRevoked means that the session was ended: by log-out, by a newer session beyond
	// MaxSessions, by an administrator or after reuse of a refresh token.
	ErrRevoked = errors.New("auth: session revoked")
	// ErrRefreshInvalid means that a refresh token was never issued here, is damaged, belongs to
	// a session that no longer exists, or is newer than the store remembers.
	ErrRefreshInvalid = errors.New("auth: invalid refresh token")
	// ErrReused means that an old refresh token came back outside the replay window. Its session
	// has been revoked in the same atomic step.
	ErrReused = errors.New("auth: refresh token reused")
	// ErrSuperseded means that a parallel request has rotated the token already and this one gets
	// no copy of the successor. The session lives; the client must not delete its tokens.
	ErrSuperseded = errors.New("auth: refresh token superseded")
	// ErrInvalidLogin means that a [Login] holds something a session cannot keep, such as an empty
	// subject.
	ErrInvalidLogin = errors.New("auth: invalid log-in")
	// ErrSubjectDisabled is what a [ClaimsFunc] returns for an account that may not sign in.
	ErrSubjectDisabled = errors.New("auth: subject disabled")
	// ErrUnavailable means that a store, deny-list or key source did not answer. It says nothing
	// about the credential.
	ErrUnavailable = errors.New("auth: temporarily unavailable")
)

// Conditions of stores and key sets.
var (
	// ErrNotFound means that no session of that id exists, or that it belongs to somebody else.
	ErrNotFound = errors.New("auth: session not found")
	// ErrUnknownKey means that no usable key has this kid.
	ErrUnknownKey = errors.New("auth: unknown key")
	// ErrKeyState means that a key cannot make the wanted step: publishing a kid twice, activating
	// a public key, retiring the active key, mixing secret and public-key algorithms.
	ErrKeyState = errors.New("auth: key cannot change to that state")
	// ErrDenylistFull means that a bounded deny-list refuses new entries because every entry it
	// holds is still needed.
	ErrDenylistFull = errors.New("auth: deny-list full")
)

// ConfigError is one fault in a configuration. Constructors report all faults at once, joined
// with [errors.Join].
type ConfigError struct {
	Field  string // name of the field or parameter
	Value  any    // what was given; nil for secrets
	Reason string // what is wrong with it
}

// Error implements error.
func (e *ConfigError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("auth: config %s: %s", e.Field, e.Reason)
	}
	return fmt.Sprintf("auth: config %s = %v: %s", e.Field, e.Value, e.Reason)
}
