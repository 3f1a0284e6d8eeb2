package middleware

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/internal/problem"
)

// RecoverConfig configures [Recover]. The zero value is ready to use.
type RecoverConfig struct {
	// Handler receives one Error record per panic, with the stack. Nil means silent.
	Handler slog.Handler
	// OnPanic is told of every panic, to report it elsewhere; it runs before the answer is written.
	OnPanic func(r *http.Request, value any, stack []byte)
}

// Recover turns a panic into an honest answer:
//
//   - Nothing written yet: 500 problem+json. Headers the handler had set for its own body
//     (Content-Encoding, Content-Language, Trailer, Location, ...) are removed or put back to what they
//     were outside, so that a compressor outside still works; those of another body's length, cache
//     and validators (Content-Length, Cache-Control, ETag, ...) never go out with an error, wherever
//     they were set. All others, security headers and Vary among them, stay.
//   - Response under way: the connection (HTTP/2: the stream) is broken, as net/http does by itself,
//     so that the client does not take half an answer for a whole one.
//   - Hijacked: nothing is written.
//   - http.ErrAbortHandler, also wrapped: passed on as http.ErrAbortHandler, not logged.
//   - runtime.Goexit: logged; the goroutine is gone, net/http closes the connection or the stream.
//
// A panic inside OnPanic or the log handler is logged too, in the last resort to the server's
// ErrorLog; the client still gets its answer.
func Recover(cfg RecoverConfig) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, w, r := record(w, r)
			before := entityHeaders(w.Header())
			returned := false
			defer func() {
				if returned {
					return
				}
				v := recover()
				if isAbort(v) {
					panic(http.ErrAbortHandler)
				}
				cfg.report(s, r, v)
				switch {
				case v == nil, s.rec.hijacked: // Goexit cannot be answered
				case s.rec.status != 0:
					panic(http.ErrAbortHandler)
				default:
					before.restore(w.Header())
					WriteProblem(w, r, panicError{v})
				}
			}()
			next.ServeHTTP(w, r)
			returned = true
		})
	}
}

// isAbort reports whether a panic value is http.ErrAbortHandler, wrapped or not.
func isAbort(v any) bool {
	err, ok := v.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}

// panicError carries a panic value to the answer and to the access log.
type panicError struct{ value any }

// Error implements error.
func (e panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

func (cfg *RecoverConfig) report(s *state, r *http.Request, v any) {
	if v == nil {
		v = "handler called runtime.Goexit"
	}
	stack := debug.Stack()
	cfg.log(s, r, "panic", v, stack)
	if cfg.OnPanic == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			cfg.log(s, r, "panic in OnPanic", v, debug.Stack())
		}
	}()
	cfg.OnPanic(r, v, stack)
}

func (cfg *RecoverConfig) log(s *state, r *http.Request, message string, v any, stack []byte) {
	defer func() {
		if second := recover(); second != nil {
			serverLog(r, "middleware: %s: %v; and the log handler panicked: %v\n%s", message, v, second, stack)
		}
	}()
	if cfg.Handler == nil || !cfg.Handler.Enabled(r.Context(), slog.LevelError) {
		return
	}
	record := slog.NewRecord(time.Now(), slog.LevelError, message, 0)
	record.AddAttrs(slog.String("value", fmt.Sprint(v)), slog.String("method", r.Method),
		slog.String("path", r.URL.Path), slog.String("stack", string(stack)))
	if s.info.requestID != "" {
		record.AddAttrs(slog.String("request_id", s.info.requestID))
	}
	if err := cfg.Handler.Handle(r.Context(), record); err != nil {
		serverLog(r, "middleware: %s: %v; and the log handler failed: %v\n%s", message, v, err, stack)
	}
}

// serverLog writes where net/http would have.
func serverLog(r *http.Request, format string, args ...any) {
	if srv, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && srv.ErrorLog != nil {
		srv.ErrorLog.Printf(format, args...)
		return
	}
	log.Printf(format, args...)
}

// entity is what the headers that describe a body were when a handler was entered. It is nearly
// always empty, and then costs nothing.
type entity map[string][]string

// entityHeaders notes the headers of h that describe a body.
func entityHeaders(h http.Header) entity {
	if len(h) == 1 && len(h[problem.RequestIDHeader]) > 0 {
		return nil // the usual case, told apart without a walk
	}
	var e entity
	for name, values := range h {
		if describesBody(name) {
			if e == nil {
				e = make(entity)
			}
			e[name] = append([]string(nil), values...)
		}
	}
	return e
}

// restore undoes what was done to them since, so that an error answer is not sent with the length, tag
// or encoding of another body. What an outer middleware set, such as a compressor's Content-Encoding,
// stays (golang/go issue 66343).
func (e entity) restore(h http.Header) {
	for name := range h {
		if describesBody(name) {
			if _, ok := e[name]; !ok {
				delete(h, name)
			}
		}
	}
	for name, values := range e {
		h[name] = values
	}
}

func describesBody(name string) bool {
	switch name {
	case "Content-Length", "Content-Encoding", "Content-Type", "Content-Range", "Content-Disposition",
		"Content-Language", "Content-Location", "Etag", "Last-Modified", "Cache-Control", "Expires",
		"Accept-Ranges", "Trailer", "Location", "Transfer-Encoding":
		return true
	}
	return strings.HasPrefix(name, http.TrailerPrefix)
}
