package audit

import (
	"context"
	"runtime/debug"
)

// Sink stores events.
//
// Write stores all events or none; a nil error says that they are as durable as the sink makes
// them. An event whose ID is stored already is passed over without an error, so that a write of
// unknown outcome can be repeated. Writing no events does nothing. Write does not change the
// events, and they are not changed by anyone after the call: it may keep them. An error that no
// repetition can cure wraps [ErrRejected]. Write is safe for concurrent use and returns soon
// after ctx has ended.
type Sink interface {
	Write(ctx context.Context, events []Event) error
}

// SinkFunc is a function as a [Sink].
type SinkFunc func(ctx context.Context, events []Event) error

// Write calls f.
func (f SinkFunc) Write(ctx context.Context, events []Event) error { return f(ctx, events) }

// write calls the sink and turns a panic into an error: no fault of a sink may end the program
// or the worker that serves everybody.
func write(ctx context.Context, s Sink, events []Event) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{In: "sink", Value: v, Stack: debug.Stack()}
		}
	}()
	return s.Write(ctx, events)
}
