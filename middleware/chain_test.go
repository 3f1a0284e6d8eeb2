package middleware_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
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

// Each part works alone, twice and in any order, also with a foreign middleware in between that hides the
// writer or copies the request: no panic, the same answer, no header twice.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	parts := everyPart()
	parts["foreign writer"], parts["foreign copy"] = hideWriter, copyRequest
	names := slices.Sorted(maps.Keys(parts))
	check := func(order []string) {
		var mw []middleware.Middleware
		for _, name := range order {
			mw = append(mw, parts[name])
		}
		h := middleware.Chain(mw...)
		for _, r := range []*http.Request{
			request("GET", "http://example.com/", "Origin", "https://app.example.net"),
			httptest.NewRequest("POST", "http://example.com/", strings.NewReader("body")),
		} {
			var read string
			w := call(h(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, err := io.ReadAll(r.Body)
				read = string(b)
				if err == nil {
					ok(w, r)
				}
			})), r)
			require.Equal(t, http.StatusOK, w.Code, order)
			require.Equal(t, "ok", w.Body.String(), order)
			require.Equal(t, r.Method == "POST", read == "body", order)
			for name, values := range w.Header() {
				require.Len(t, values, 1, "%s of %v", name, order)
			}
		}
		// A panic becomes a 500 where Recover is mounted, whatever else is.
		if slices.Contains(order, "Recover") || slices.Contains(order, "Stack") {
			w := call(h(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("x") })), request("GET", "http://example.com/"))
			require.Equal(t, http.StatusInternalServerError, w.Code, order)
		}
	}
	for _, name := range names {
		check([]string{name})
		check([]string{name, name})
	}
	random := rand.New(rand.NewPCG(1, 2)) // repeatable, nothing to guess
	for range 150 {
		all := slices.Clone(names)
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		check(all)
		var some []string
		for range 1 + random.IntN(12) {
			some = append(some, names[random.IntN(len(names))])
		}
		check(some)
	}
}

// copyRequest is a foreign middleware that hands on a copy of the request, with a value of its own.
func copyRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, 1)))
	})
}

// hideWriter is a foreign middleware that puts a bare writer on top.
func hideWriter(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	})
}
