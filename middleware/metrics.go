package middleware

import (
	"context"
	"net/http"
	"time"
)

// Observer is told about every request by [Metrics]. Sub-package prommetrics has one for Prometheus;
// an adapter for another library is a few lines. Both methods are called concurrently.
type Observer interface {
	// Begin is called when a request arrives.
	Begin(ctx context.Context)
	// End is called once for every Begin, also when the handler panicked.
	End(ctx context.Context, o Observation)
}

// Observation is one finished request. Route and Method have few values whatever clients send, so
// they may be used as labels.
type Observation struct {
	Route    string // pattern of the path, see [Route], or "unmatched"
	Method   string // one of the nine of RFC 9110 and RFC 5789, or "OTHER"
	Status   int    // as in the access log, with its 101 for upgrades, 444 and 499; see [AccessLog]
	Bytes    int64  // of the body sent
	Duration time.Duration
}

// Class is the status class, "1xx" to "5xx".
func (o Observation) Class() string {
	switch o.Status / 100 {
	case 1:
		return "1xx"
	case 2:
		return "2xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	}
	return "5xx"
}

// MetricsConfig configures [Metrics].
type MetricsConfig struct {
	// Observer receives the figures. Nil means none: Metrics then does nothing.
	Observer Observer
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Metrics reports every request to an observer. Mount it outside [Recover], so that a panic counts as
// the 500 it becomes. Panics are passed on.
func Metrics(cfg MetricsConfig) Middleware {
	if cfg.Observer == nil {
		return func(next http.Handler) http.Handler { return next }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := cfg.Now()
			s, w, r := record(w, r)
			returned := false
			cfg.Observer.Begin(r.Context())
			defer func() {
				var panicked any
				if !returned {
					panicked = recover() // nil for runtime.Goexit, which goes on by itself
				}
				route := s.info.routeLabel()
				if route == "" {
					route = "unmatched"
				}
				cfg.Observer.End(r.Context(), Observation{
					Route: route, Method: methodLabel(r.Method), Status: s.outcome(returned, isAbort(panicked)),
					Bytes: s.rec.bytes, Duration: cfg.Now().Sub(start),
				})
				if panicked != nil {
					panic(panicked)
				}
			}()
			next.ServeHTTP(w, r)
			returned = true
		})
	}
}

func methodLabel(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE":
		return m
	}
	return "OTHER"
}
