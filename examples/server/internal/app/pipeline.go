package app

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/config"
	"github.com/groundwork-go/groundwork/middleware"
)

// slowRequest is logged as a warning.
const slowRequest = 2 * time.Second

// preflightAge is how long browsers remember what ALLOWED_ORIGINS permits.
const preflightAge = 10 * time.Minute

// pipeline puts the server's middleware around mux, in the order the package middleware gives reasons
// for: request id, client address, metrics, access log, recover, headers, hosts, CORS, CSRF, route.
// What is missing at a path or for a method is answered with a problem too.
func pipeline(cfg config.Config, opts Options, mux *http.ServeMux) (http.Handler, error) {
	logger := opts.Logger
	var faults []error
	must := func(mw middleware.Middleware, err error) middleware.Middleware {
		faults = append(faults, err)
		return mw
	}
	headers := middleware.APIHeaders()
	headers.StrictTransportSecurity = "max-age=31536000; includeSubDomains"
	observer, err := observe(cfg, opts)
	faults = append(faults, err)
	shell := []middleware.Middleware{
		must(middleware.RequestID(middleware.RequestIDConfig{})),
		must(middleware.ClientIP(middleware.ClientIPConfig{TrustedProxies: cfg.TrustedProxies})),
		middleware.Metrics(middleware.MetricsConfig{Observer: observer}),
		middleware.AccessLog(middleware.AccessLogConfig{
			Handler: logger.Handler(), Slow: slowRequest,
			Skip: func(r *http.Request, status int) bool { return isProbe(r) && status < http.StatusInternalServerError },
		}),
		middleware.Recover(middleware.RecoverConfig{Handler: logger.Handler()}),
		must(middleware.Headers(headers)),
		exceptProbes(must(middleware.TrustedHosts(middleware.HostsConfig{Allowed: cfg.AllowedHosts}))),
	}
	if len(cfg.AllowedOrigins) > 0 {
		shell = append(shell, must(middleware.CORS(middleware.CORSConfig{
			Origins:        cfg.AllowedOrigins,
			Methods:        []string{http.MethodPut, http.MethodPatch, http.MethodDelete},
			RequestHeaders: []string{"Authorization", "Content-Type", "If-Match", "X-Request-Id", "Last-Event-ID"},
			ExposedHeaders: []string{"ETag", "Link", "Location", "Retry-After", "X-Request-Id"},
			Credentials:    true,
			MaxAge:         preflightAge,
		})))
	}
	shell = append(shell, must(middleware.CSRF(middleware.CSRFConfig{TrustedOrigins: cfg.AllowedOrigins})))
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return middleware.Chain(shell...)(middleware.ErrorMap{}.Mux(mux)), nil
}

func isProbe(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }

// exceptProbes lets health checks through, which call a container by its address.
func exceptProbes(mw middleware.Middleware) middleware.Middleware {
	if mw == nil {
		return nil
	}
	return func(next http.Handler) http.Handler {
		checked := mw(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isProbe(r) {
				next.ServeHTTP(w, r)
				return
			}
			checked.ServeHTTP(w, r)
		})
	}
}

// endStreams ends event streams when streams ends: they would otherwise hold up the shutdown for as
// long as it may take. Other requests are left to finish.
func endStreams(streams context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/events") {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		stop := context.AfterFunc(streams, cancel)
		defer stop()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
