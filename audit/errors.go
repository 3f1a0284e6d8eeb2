package audit

import (
	"errors"
	"fmt"
)

// Conditions that callers may want to tell apart with errors.Is.
var (
	// ErrInvalidEvent reports an event without an action, with an unknown outcome or class, or
	// with a time outside the years 1 to 9999. A sink that gets an event without ID says so too.
	ErrInvalidEvent = errors.New("audit: invalid event")
	// ErrRejected is wrapped by a [Sink] for events that it can never store. [Async] gives up on
	// them, and retries after every other error.
	ErrRejected = errors.New("audit: event rejected")
	// ErrClosed reports an event handed to a closed [Async].
	ErrClosed = errors.New("audit: closed")
	// ErrFull reports a full buffer under [FullError].
	ErrFull = errors.New("audit: buffer full")
	// ErrBusy reports a target of [Multi] that has not answered many earlier writes.
	ErrBusy = errors.New("audit: target busy")
	// ErrUnencodable reports a value without JSON form: a channel, a function, a cycle, NaN.
	ErrUnencodable = errors.New("audit: value has no JSON form")
	// ErrApply reports a change that does not fit the document it is applied to.
	ErrApply = errors.New("audit: change does not apply")
	// ErrNotMergeable reports a change that RFC 7396 cannot express: a member set to null.
	ErrNotMergeable = errors.New("audit: change has no merge patch")
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
		return fmt.Sprintf("audit: config: %s: %s", e.Field, e.Reason)
	}
	return fmt.Sprintf("audit: config: %s: %v: %s", e.Field, e.Value, e.Reason)
}

// LostError says how many events an [Async] was handed and did not write.
type LostError struct {
	// Pending were accepted and not confirmed as written when Close gave up. A write that was
	// under way may still have succeeded: its events count as pending.
	Pending int64
	// Rejected were refused by the sink for good; each was reported to OnError.
	Rejected int64
	// Dropped found a full buffer under [FullDrop].
	Dropped int64
}

// Error tells the three counts.
func (e *LostError) Error() string {
	return fmt.Sprintf("audit: %d events lost: %d pending, %d rejected, %d dropped",
		e.Events(), e.Pending, e.Rejected, e.Dropped)
}

// Events is the sum of all counts.
func (e *LostError) Events() int64 { return e.Pending + e.Rejected + e.Dropped }

// PanicError is a panic in a sink or a redactor. Its text does not repeat the value, which may
// hold what the trail must not show.
type PanicError struct {
	In    string // "sink", "redactor", "value"
	Value any
	Stack []byte
}

// Error says where the panic happened.
func (e *PanicError) Error() string { return "audit: panic in " + e.In }
