package password

import (
	"errors"
	"fmt"
)

// Outcomes that callers branch on. None of the texts contains a password or a hash.
var (
	// ErrMismatch means that the password does not belong to the hash.
	ErrMismatch = errors.New("password: mismatch")
	// ErrHash means that a stored hash is damaged, of an unknown kind, or out of bounds.
	ErrHash = errors.New("password: unusable hash")
	// ErrBusy means that too many callers wait for a turn already. Answer 503 with Retry-After.
	ErrBusy = errors.New("password: too many hashes wait")
	// ErrTooLong means that a new password is longer than [MaxBytes].
	ErrTooLong = errors.New("password: too long")
	// ErrCredentials means that account and password do not fit together; which of them is wrong
	// is not told.
	ErrCredentials = errors.New("password: invalid credentials")
	// ErrNoAccount is what AuthenticatorConfig.Lookup returns for an unknown name. Authenticate
	// turns it into ErrCredentials.
	ErrNoAccount = errors.New("password: no such account")
)

// ConfigError is one fault in a configuration. Constructors report all faults at once, joined
// with [errors.Join].
type ConfigError struct {
	Field  string // name of the field
	Value  any    // what was given; nil for secrets
	Reason string // what is wrong with it
}

// Error implements error.
func (e *ConfigError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("password: config %s: %s", e.Field, e.Reason)
	}
	return fmt.Sprintf("password: config %s = %v: %s", e.Field, e.Value, e.Reason)
}
