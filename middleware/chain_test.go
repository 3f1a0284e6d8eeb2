package middleware_test

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

func TestChain(t *testing.T) {
	t.Parallel()
	var order []string
	mark := func(name string) middleware.Middleware {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order = append(order, name)
				next.ServeHTTP(w, r)
			})
		}
	}
	list := []middleware.Middleware{mark("a"), nil, mark("b")}
	h := middleware.Chain(list...)(http.HandlerFunc(ok))
	list[0] = nil // the chain has its own copy
	require.Equal(t, "ok", call(h, request("GET", "/")).Body.String())
	require.Equal(t, []string{"a", "b"}, order)
	require.Equal(t, "ok", call(middleware.Chain()(http.HandlerFunc(ok)), request("GET", "/")).Body.String())
}

func TestMust(t *testing.T) {
	t.Parallel()
	fault := errors.New("bad")
	require.PanicsWithError(t, "bad", func() { middleware.Must(nil, fault) })
	require.NotPanics(t, func() { middleware.Must(middleware.Chain(), nil) })
}

// Each part works alone, twice and in any order.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) // repeatable, nothing to guess
	parts := []func() middleware.Middleware{
		func() middleware.Middleware {
			return middleware.Must(middleware.RequestID(middleware.RequestIDConfig{}))
		},
		func() middleware.Middleware { return middleware.Must(middleware.ClientIP(middleware.ClientIPConfig{})) },
		func() middleware.Middleware {
			return middleware.AccessLog(middleware.AccessLogConfig{Handler: slog.DiscardHandler})
		},
		func() middleware.Middleware { return middleware.Recover(middleware.RecoverConfig{}) },
		func() middleware.Middleware { return middleware.Must(middleware.Headers(middleware.PageHeaders())) },
		func() middleware.Middleware {
			return middleware.Must(middleware.TrustedHosts(middleware.HostsConfig{Allowed: []string{"example.com"}}))
		},
		func() middleware.Middleware { return hideWriter },
		func() middleware.Middleware {
			return func(next http.Handler) http.Handler { return middleware.Route("/", next) }
		},
	}
	for range 300 {
		var mw []middleware.Middleware
		for range 1 + random.IntN(12) {
			mw = append(mw, parts[random.IntN(len(parts))]())
		}
		w := call(middleware.Chain(mw...)(http.HandlerFunc(ok)), request("GET", "http://example.com/"))
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, "ok", w.Body.String())
		require.LessOrEqual(t, len(w.Header()["Content-Security-Policy"]), 1)
		require.LessOrEqual(t, len(w.Header()["X-Request-Id"]), 1)
	}
}

// hideWriter is a foreign middleware that puts a bare writer on top.
func hideWriter(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	})
}
