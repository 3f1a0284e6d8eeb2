package middleware_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

// Whoever changes the header values of one answer, in place or by appending, changes no later one: neither
// of the same middleware nor of another one with the same configuration. Every kind of answer of every part
// is tried.
func TestChangingOneAnswerChangesNoOther(t *testing.T) {
	t.Parallel()
	tooBusy := &middleware.Problem{Status: 429, Code: "rate_limited", Header: http.Header{"Retry-After": {"7"}, "X-Limit": {"1", "2"}}}
	build := func(alone bool) http.Handler {
		cfg := fullStack(nil, nil)
		cfg.Origins = []string{"https://app.example.com"}
		cfg.RequestID.New = func() string { return "id" }
		cfg.Headers.Extra = map[string]string{"X-Extra": "1"}
		cfg.CORS.RequestHeaders, cfg.CORS.ExposedHeaders = []string{"Authorization"}, []string{"ETag"}
		cfg.CORS.MaxAge = time.Minute
		cfg.Timeout = time.Nanosecond
		stack := middleware.Must(middleware.Stack(cfg))
		if alone { // values that do not live in the object of the request
			stack = middleware.Chain(middleware.Must(middleware.CORS(corsConfig())),
				middleware.Must(middleware.Headers(middleware.APIHeaders())))
		}
		mux := http.NewServeMux()
		mux.HandleFunc("GET /plain", func(http.ResponseWriter, *http.Request) {})
		mux.HandleFunc("POST /plain", func(http.ResponseWriter, *http.Request) {})
		mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("x") })
		mux.Handle("GET /problem", middleware.Handle(func(http.ResponseWriter, *http.Request) error { return tooBusy }))
		mux.Handle("GET /timeout", middleware.Handle(func(_ http.ResponseWriter, r *http.Request) error {
			if alone {
				return errors.New("no deadline here")
			}
			<-r.Context().Done()
			return r.Context().Err()
		}))
		return stack(middleware.ErrorMap{}.Mux(mux))
	}
	const origin = "https://app.example.com"
	requests := map[string]func() *http.Request{
		"plain":        func() *http.Request { return request("GET", "http://example.com/plain") },
		"trusted":      func() *http.Request { return request("GET", "http://example.com/plain", "Origin", origin) },
		"foreign":      func() *http.Request { return request("GET", "http://example.com/plain", "Origin", "https://evil.com") },
		"problem":      func() *http.Request { return request("GET", "http://example.com/problem", "Origin", origin) },
		"panic":        func() *http.Request { return request("GET", "http://example.com/panic") },
		"timeout":      func() *http.Request { return request("GET", "http://example.com/timeout") },
		"no such path": func() *http.Request { return request("GET", "http://example.com/none") },
		"no such verb": func() *http.Request { return request("DELETE", "http://example.com/plain") },
		"wrong host":   func() *http.Request { return request("GET", "http://evil.com/plain") },
		"cross-site": func() *http.Request {
			return request("POST", "http://example.com/plain", "Sec-Fetch-Site", "cross-site")
		},
		"preflight":     func() *http.Request { return preflightOf(origin) },
		"bad preflight": func() *http.Request { return preflightOf("https://evil.com") },
		"too large": func() *http.Request {
			return httptest.NewRequest("POST", "http://example.com/plain", strings.NewReader(strings.Repeat("x", 2000)))
		},
	}
	for name, alone := range map[string]bool{"whole stack": false, "without a request id": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, twin := build(alone), build(alone)
			clean := map[string]http.Header{}
			for name, r := range requests {
				if alone && name == "panic" {
					continue
				}
				clean[name] = call(h, r()).Header().Clone()
			}
			for name := range clean {
				header := call(h, requests[name]()).Header()
				require.Equal(t, clean[name], header, name)
				require.NotEmpty(t, header, name)
				for key, values := range header {
					for k := range values {
						values[k] = key
					}
					header[key] = append(values, key)
				}
				for key, values := range header {
					for _, value := range values {
						require.Equal(t, key, value, "%s: two headers share memory", name)
					}
				}
				for again, want := range clean {
					require.Equal(t, want, call(h, requests[again]()).Header(), "%s after %s", again, name)
					require.Equal(t, want, call(twin, requests[again]()).Header(), "%s of the twin after %s", again, name)
				}
			}
			require.Equal(t, http.Header{"Retry-After": {"7"}, "X-Limit": {"1", "2"}}, tooBusy.Header)
		})
	}
}

func preflightOf(origin string) *http.Request {
	return request("OPTIONS", "http://example.com/plain", "Origin", origin, "Access-Control-Request-Method", "PUT",
		"Access-Control-Request-Headers", "authorization")
}
