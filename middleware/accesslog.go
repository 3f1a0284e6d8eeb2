package middleware

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// AccessLogConfig configures [AccessLog].
type AccessLogConfig struct {
	// Handler receives one record per request. Nil means silent: AccessLog then does nothing.
	Handler slog.Handler
	// Level chooses the level by status. Default: Error from 500 up, else Info.
	Level func(status int) slog.Level
	// Slow raises requests that take at least this long to Warn and marks them slow=true. Zero is off.
	Slow time.Duration
	// Skip leaves a finished request out, such as a health check that succeeded.
	Skip func(r *http.Request, status int) bool
	// Headers are request headers to log, as header_<name>. Those that carry credentials are logged
	// as "[redacted]".
	Headers []string
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// AccessLog writes one record per request when it is over: message "request" with method, host, path,
// route, proto, status, bytes, duration, client_ip, user_agent, request_id, trace_id, then what
// [AddLogAttrs] added. Other parts add error, the text behind a 5xx, and cors, why a preflight was
// refused. Query strings are left out, they carry tokens. What is not known (route outside a mux, ids
// without [RequestID]) is left out too.
//
// The status is the one the client got: the first final one, 101 after a hijack, 200 when nothing was
// written. Where the client got none it is 499 ([StatusClientClosed]) when the client had left, 444
// ([StatusAborted]) when the handler gave up with http.ErrAbortHandler, and 500 after any other panic.
// client_gone=true marks clients that left later, aborted=true handlers that did not return (panics
// included, unless [Recover] inside answered). Panics are passed on.
func AccessLog(cfg AccessLogConfig) Middleware {
	if cfg.Handler == nil {
		return func(next http.Handler) http.Handler { return next }
	}
	if cfg.Level == nil {
		cfg.Level = statusLevel
	}
	l := &accessLog{AccessLogConfig: cfg}
	for _, name := range cfg.Headers {
		name = http.CanonicalHeaderKey(name)
		key := "header_" + strings.ToLower(strings.ReplaceAll(name, "-", "_"))
		l.headers = append(l.headers, loggedHeader{name: name, key: key, secret: secretHeader(name)})
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := l.now()
			s, w, r := record(w, r)
			returned := false
			defer func() {
				var panicked any
				if !returned {
					panicked = recover() // nil for runtime.Goexit, which goes on by itself
				}
				l.write(s, r, start, returned, isAbort(panicked))
				if panicked != nil {
					panic(panicked)
				}
			}()
			next.ServeHTTP(w, r)
			returned = true
		})
	}
}

// AddLogAttrs adds attributes to the access log record of the request ctx belongs to. Without
// [AccessLog] it does nothing. It is safe for concurrent use; what comes after the handler returned is
// lost.
func AddLogAttrs(ctx context.Context, attrs ...slog.Attr) {
	if i := infoFrom(ctx); i != nil {
		i.mu.Lock()
		i.attrs = append(i.attrs, attrs...)
		i.mu.Unlock()
	}
}

type accessLog struct {
	AccessLogConfig
	headers []loggedHeader
}

type loggedHeader struct {
	name, key string
	secret    bool
}

func (l *accessLog) now() time.Time {
	if l.Now == nil {
		return time.Now()
	}
	return l.Now()
}

// since reads the monotonic clock only, which is half the cost of time.Now.
func (l *accessLog) since(start time.Time) time.Duration {
	if l.Now == nil {
		return time.Since(start)
	}
	return l.Now().Sub(start)
}

func (l *accessLog) write(s *state, r *http.Request, start time.Time, returned, abort bool) {
	elapsed := l.since(start)
	status := s.outcome(returned, abort)
	if l.Skip != nil && l.Skip(r, status) {
		return
	}
	level := l.Level(status)
	slow := l.Slow > 0 && elapsed >= l.Slow
	if slow {
		level = max(level, slog.LevelWarn)
	}
	if !l.Handler.Enabled(r.Context(), level) {
		return
	}
	var space [20]slog.Attr
	attrs := append(space[:0],
		slog.String("method", r.Method),
		slog.String("host", r.Host),
		slog.String("path", r.URL.Path))
	if route := s.info.routeLabel(); route != "" {
		attrs = append(attrs, slog.String("route", route))
	}
	attrs = append(attrs,
		slog.String("proto", r.Proto),
		slog.Int("status", status),
		slog.Int64("bytes", s.rec.bytes),
		slog.Duration("duration", elapsed))
	attrs = s.info.appendIdentity(attrs, r)
	if slow {
		attrs = append(attrs, slog.Bool("slow", true))
	}
	if !returned {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	if status != StatusClientClosed && s.gone() {
		attrs = append(attrs, slog.Bool("client_gone", true))
	}
	for _, h := range l.headers {
		switch values := r.Header[h.name]; {
		case len(values) == 0:
		case h.secret:
			attrs = append(attrs, slog.String(h.key, "[redacted]"))
		default:
			attrs = append(attrs, slog.String(h.key, strings.Join(values, ", ")))
		}
	}
	// Program counter 0: finding the caller costs more than the rest and names this line anyway.
	record := slog.NewRecord(start.Add(elapsed), level, "request", 0)
	s.info.mu.Lock()
	record.AddAttrs(append(attrs, s.info.attrs...)...)
	s.info.mu.Unlock()
	_ = l.Handler.Handle(r.Context(), record) // a log that cannot be written has no one to tell
}

// appendIdentity adds who asked and which request it was.
func (i *info) appendIdentity(attrs []slog.Attr, r *http.Request) []slog.Attr {
	ip := i.clientIP
	if !ip.IsValid() {
		ip = peerAddr(r.RemoteAddr)
	}
	attrs = append(attrs, slog.String("client_ip", ip.String()))
	if ua := r.Header["User-Agent"]; len(ua) > 0 {
		attrs = append(attrs, slog.String("user_agent", ua[0]))
	}
	if i.requestID != "" {
		attrs = append(attrs, slog.String("request_id", i.requestID))
	}
	if i.trace != nil {
		attrs = append(attrs, slog.String("trace_id", i.trace.TraceID))
	}
	return attrs
}

func statusLevel(status int) slog.Level {
	if status >= http.StatusInternalServerError {
		return slog.LevelError
	}
	return slog.LevelInfo
}

func secretHeader(canonical string) bool {
	switch canonical {
	case "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "X-Csrf-Token":
		return true
	}
	return false
}
