package middleware

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/groundwork-go/groundwork/internal/problem"
)

// ErrorMap turns the errors of handlers into answers in one place. The zero value is useful: see
// [WriteProblem]. An ErrorMap is read-only after set-up and then safe for concurrent use.
type ErrorMap struct {
	// Rules are tried in order; the first that matches decides.
	Rules []ErrorRule
	// OnError is told every error and its answer before that is written; nil does nothing. Report
	// answers of 500 and above here. The access log carries the error text of those already.
	OnError func(r *http.Request, err error, p *Problem)
}

// ErrorRule maps one kind of error. Set Is and Problem for sentinels, or As for typed errors.
type ErrorRule struct {
	Is      error    // matches when errors.Is(err, Is)
	Problem *Problem // the answer for Is
	// As returns the answer for err, or nil when the rule does not apply. See [AsRule].
	As func(err error) *Problem
}

// AsRule makes a rule for errors of type T, found with errors.As. answer may return nil to pass.
func AsRule[T error](answer func(T) *Problem) ErrorRule {
	return ErrorRule{As: func(err error) *Problem {
		var target T
		if !errors.As(err, &target) {
			return nil
		}
		return answer(target)
	}}
}

// Problem returns the answer for err: a *Problem in its chain, else the first matching rule, else 413
// too_large for *http.MaxBytesError, 503 unavailable for context.DeadlineExceeded, 499 for
// context.Canceled, else 500 internal. The result may be shared; do not change it. It is nil when err
// is nil.
func (m ErrorMap) Problem(err error) *Problem {
	if err == nil {
		return nil
	}
	var p *Problem
	if errors.As(err, &p) && p != nil {
		return p
	}
	for _, rule := range m.Rules {
		if rule.Is != nil && rule.Problem != nil && errors.Is(err, rule.Is) {
			return rule.Problem
		}
		if rule.As != nil {
			if p := rule.As(err); p != nil {
				return p
			}
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return problemTooLarge()
	case errors.Is(err, context.DeadlineExceeded):
		return problemTimeout()
	case errors.Is(err, context.Canceled):
		return &Problem{Status: StatusClientClosed, Code: "client_closed"}
	}
	return &Problem{
		Status: http.StatusInternalServerError, Code: "internal", Detail: "Something went wrong on our side.",
	}
}

// Write answers r with the problem for err. Title, instance and request_id are filled in, the
// problem's Header is set, Cache-Control becomes no-store unless that header says otherwise.
// Call it before anything was written; a nil err is answered as 500.
func (m ErrorMap) Write(w http.ResponseWriter, r *http.Request, err error) {
	if err == nil {
		err = errNilProblem
	}
	p := m.Problem(err)
	if m.OnError != nil {
		m.OnError(r, err, p)
	}
	if p.status() >= http.StatusInternalServerError {
		AddLogAttrs(r.Context(), slog.String("error", err.Error()))
	}
	body := p.body()
	if id := RequestIDFrom(r.Context()); id != "" && body.RequestID == "" {
		body.RequestID = id
	}
	problem.Write(w, r, body)
}

// Handle makes an http.Handler of a function that returns its failure instead of writing it.
// An error returned before anything was written is answered by [ErrorMap.Write]; headers the function
// had set for its own body are removed first. An error returned later cannot be answered any more:
// OnError and the access log are told, and the connection (HTTP/2: the stream) is broken, so that the
// client does not take half a body for a whole one. A hijacked connection is left to whoever took it.
func (m ErrorMap) Handle(h func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, w, r := record(w, r)
		before := entityHeaders(w.Header())
		err := h(w, r)
		if err == nil {
			return
		}
		if s.rec.status == 0 {
			before.restore(w.Header())
			m.Write(w, r, err)
			return
		}
		if m.OnError != nil {
			m.OnError(r, err, m.Problem(err))
		}
		if !s.gone() { // else the error is that the client left, which the log says by itself
			AddLogAttrs(r.Context(), slog.String("error", err.Error()))
		}
		if !s.rec.hijacked {
			panic(http.ErrAbortHandler)
		}
	})
}

// Handle is [ErrorMap.Handle] of an empty map.
func Handle(h func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return ErrorMap{}.Handle(h)
}

var errNilProblem = errors.New("middleware: WriteProblem called with a nil error")

func problemTooLarge() *Problem {
	return &Problem{
		Status: http.StatusRequestEntityTooLarge, Code: "too_large",
		Detail: "The request body is larger than allowed.",
	}
}

func problemTimeout() *Problem {
	return &Problem{
		Status: http.StatusServiceUnavailable, Code: "unavailable",
		Detail: "The request took too long.", Header: http.Header{"Retry-After": {"5"}},
	}
}
