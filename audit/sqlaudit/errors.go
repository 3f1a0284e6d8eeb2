package sqlaudit

import (
	"errors"
	"fmt"
)

// Conditions that callers may want to tell apart with errors.Is.
var (
	// ErrNoKeys reports sealing, verifying or purging without [Config.Keys].
	ErrNoKeys = errors.New("sqlaudit: no keys")
	// ErrTampered is matched by every [*Fault]: the stored trail is not what was sealed.
	ErrTampered = errors.New("sqlaudit: trail was tampered with")
	// ErrCheckpoint reports a checkpoint whose signature is wrong or whose key is unknown.
	ErrCheckpoint = errors.New("sqlaudit: invalid checkpoint")
	// ErrFormat reports an unknown export format.
	ErrFormat = errors.New("sqlaudit: unknown format")
)

// ConfigError is one fault in a configuration. Constructors report all faults at once, joined
// with [errors.Join].
type ConfigError struct {
	Field  string // name of the field
	Value  any    // what was given; nil for secrets
	Reason string // what is wrong with it
}

// Error returns field, value and reason in one line.
func (e *ConfigError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("sqlaudit: config: %s: %s", e.Field, e.Reason)
	}
	return fmt.Sprintf("sqlaudit: config: %s: %v: %s", e.Field, e.Value, e.Reason)
}
