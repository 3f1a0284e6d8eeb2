package middleware

import (
	"errors"
	"fmt"
	"net/http"
)

// Middleware wraps a handler. It is an alias, so plain func(http.Handler) http.Handler values of any
// package mix freely with those of this one.
type Middleware = func(http.Handler) http.Handler

// Chain joins middleware into one. The first is the outermost: it sees the request first and the
// response last. Nil entries are skipped; an empty chain returns the handler unchanged.
func Chain(mw ...Middleware) Middleware {
	mw = append([]Middleware(nil), mw...)
	return func(next http.Handler) http.Handler {
		for i := len(mw) - 1; i >= 0; i-- {
			if mw[i] != nil {
				next = mw[i](next)
			}
		}
		return next
	}
}

// Must returns mw, for start-up code where a wrong configuration should end the program. Panics if
// err is not nil.
func Must(mw Middleware, err error) Middleware {
	if err != nil {
		panic(err)
	}
	return mw
}

// ConfigError is one fault in a configuration. Constructors report every fault at once, joined;
// errors.As finds the first.
type ConfigError struct {
	Field  string // type and field, as in "HostsConfig.Allowed"
	Value  string // the offending value, may be empty
	Reason string // what is wrong with it
}

// Error implements error.
func (e *ConfigError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("middleware: %s: %s", e.Field, e.Reason)
	}
	return fmt.Sprintf("middleware: %s %q: %s", e.Field, e.Value, e.Reason)
}

// faults collects the errors of one constructor.
type faults []error

func (f *faults) add(field, value, reason string) {
	*f = append(*f, &ConfigError{Field: field, Value: value, Reason: reason})
}

func (f faults) err() error { return errors.Join(f...) }
