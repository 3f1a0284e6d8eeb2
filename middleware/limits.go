package middleware

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// MaxBody limits request bodies to n bytes; n below zero is no limit. A larger Content-Length is
// answered with 413 at once, before "100 Continue" invites the body. A body that turns out larger
// while it is read gives the reader an *http.MaxBytesError, which [Handle] and [WriteProblem] answer
// with 413. Mounted twice, the smaller limit counts.
func MaxBody(n int64) Middleware {
	if n < 0 {
		return func(next http.Handler) http.Handler { return next }
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > n {
				WriteProblem(w, r, &http.MaxBytesError{Limit: n})
				return
			}
			if r.Body == nil || r.Body == http.NoBody {
				next.ServeHTTP(w, r)
				return
			}
			i, w, r := share(w, r)
			if i.req != r { // not ours to change
				r = r.WithContext(r.Context())
				i.req = r
			}
			r.Body = http.MaxBytesReader(innermost(w), r.Body, n)
			next.ServeHTTP(w, r)
		})
	}
}

// innermost finds net/http's own writer, which MaxBytesReader tells to close the connection.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = u.Unwrap()
	}
}

// Timeout gives the request's context a deadline of d and answers 503 when the handler returned after
// it without an answer of its own. It does not stop a handler that ignores its context: only the
// server's WriteTimeout ends those.
//
// Nothing is buffered, so answers can stream; one that was begun in time is never touched. The
// innermost Timeout decides: on a route below a general one, Timeout(0) lifts the deadline, for
// streams, long polls and uploads.
func Timeout(d time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, w, r := record(w, r)
			i := s.info
			ctx, before := r.Context(), i.deadlines
			if before != nil {
				ctx = lifted{Context: ctx, base: before.base}
			}
			base, cancel := ctx, context.CancelFunc(func() {})
			if before != nil {
				base = before.base
			}
			if d > 0 {
				ctx, cancel = context.WithTimeout(ctx, d)
			}
			defer cancel()
			mine := &deadlines{base: base}
			i.deadlines = mine
			r = r.WithContext(ctx)
			i.req = r
			next.ServeHTTP(w, r)
			decides := i.deadlines == mine // else an inner Timeout has decided
			if decides && errors.Is(ctx.Err(), context.DeadlineExceeded) && s.rec.status == 0 {
				WriteProblem(w, r, problemTimeout())
			}
		})
	}
}

// deadlines is left by each Timeout for those inside it: the context outside all of them.
type deadlines struct{ base context.Context }

// lifted has the values of one context and the end of another, outer one.
type lifted struct {
	context.Context
	base context.Context
}

// Deadline implements context.Context.
func (l lifted) Deadline() (time.Time, bool) { return l.base.Deadline() }

// Done implements context.Context.
func (l lifted) Done() <-chan struct{} { return l.base.Done() }

// Err implements context.Context.
func (l lifted) Err() error { return l.base.Err() }
