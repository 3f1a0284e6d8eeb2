package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/config"
	"github.com/groundwork-go/groundwork/middleware"
)

// slowRequest is logged as a warning.
const slowRequest = 2 * time.Second

// pipeline puts the server's middleware around mux, in the order of DESIGN: request id, client
// address, access log, recover, headers, hosts, route. What is missing at a path or for a method is
// answered with a problem too.
func pipeline(cfg config.Config, logger *slog.Logger, mux *http.ServeMux) (http.Handler, error) {
	var faults []error
	must := func(mw middleware.Middleware, err error) middleware.Middleware {
		faults = append(faults, err)
		return mw
	}
	headers := middleware.APIHeaders()
	headers.StrictTransportSecurity = "max-age=31536000; includeSubDomains"
	shell := []middleware.Middleware{
		must(middleware.RequestID(middleware.RequestIDConfig{})),
		must(middleware.ClientIP(middleware.ClientIPConfig{TrustedProxies: cfg.TrustedProxies})),
		middleware.AccessLog(middleware.AccessLogConfig{
			Handler: logger.Handler(), Slow: slowRequest,
			Skip: func(r *http.Request, status int) bool { return isProbe(r) && status < http.StatusInternalServerError },
		}),
		middleware.Recover(middleware.RecoverConfig{Handler: logger.Handler()}),
		must(middleware.Headers(headers)),
		exceptProbes(must(middleware.TrustedHosts(middleware.HostsConfig{Allowed: cfg.AllowedHosts}))),
	}
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
