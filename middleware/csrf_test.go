package middleware_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

func TestCSRF(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		method string // default POST
		target string // default http://example.com/form
		tls    bool
		header []string
		ok     bool
	}{
		{name: "GET passes", method: "GET", header: []string{"Sec-Fetch-Site", "cross-site"}, ok: true},
		{name: "HEAD passes", method: "HEAD", header: []string{"Sec-Fetch-Site", "cross-site"}, ok: true},
		{name: "OPTIONS passes", method: "OPTIONS", header: []string{"Sec-Fetch-Site", "cross-site"}, ok: true},
		{name: "TRACE is checked", method: "TRACE", header: []string{"Sec-Fetch-Site", "cross-site"}},
		{name: "same-origin", header: []string{"Sec-Fetch-Site", "same-origin"}, ok: true},
		{name: "same-origin with an opaque origin", header: []string{"Sec-Fetch-Site", "same-origin", "Origin", "null"}, ok: true},
		{name: "typed by the user", header: []string{"Sec-Fetch-Site", "none"}, ok: true},
		{name: "same-site", header: []string{"Sec-Fetch-Site", "same-site"}},
		{name: "cross-site", header: []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.com"}},
		{name: "unknown site", header: []string{"Sec-Fetch-Site", "SAME-ORIGIN"}},
		{name: "two site lines", header: []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"}},
		{name: "no headers: a program", ok: true},
		{name: "old browser, same origin", header: []string{"Origin", "http://example.com"}, ok: true},
		{name: "old browser, other origin", header: []string{"Origin", "https://evil.com"}},
		{name: "origin with user information", header: []string{"Origin", "http://evil@example.com"}},
		{name: "origin with a path", header: []string{"Origin", "http://example.com/x"}},
		{name: "origin of upper case", header: []string{"Origin", "HTTP://example.com"}},
		{name: "null origin", header: []string{"Origin", "null"}},
		{name: "two origin lines", header: []string{"Origin", "http://example.com", "Origin", "http://example.com"}},
		{name: "http page on a TLS request", tls: true, header: []string{"Origin", "http://example.com"}},
		{name: "https page on a TLS request", tls: true, header: []string{"Origin", "https://example.com"}, ok: true},
		{name: "trusted origin", header: []string{"Origin", "https://app.example.net"}, ok: true},
		{name: "trusted origin, cross-site", header: []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://app.example.net"}, ok: true},
		{name: "trusted pattern", header: []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://a.example.org"}, ok: true},
		{name: "http twin of a trusted origin", header: []string{"Sec-Fetch-Site", "cross-site", "Origin", "http://app.example.net"}},
		{name: "bypassed path", target: "http://example.com/hook/", header: []string{"Sec-Fetch-Site", "cross-site"}, ok: true},
		{name: "below the bypassed path", target: "http://example.com/hook/a", header: []string{"Origin", "null"}, ok: true},
		{name: "would be redirected to it", target: "http://example.com/hook", header: []string{"Sec-Fetch-Site", "cross-site"}},
		{name: "would be cleaned to it", target: "http://example.com//hook/a", header: []string{"Sec-Fetch-Site", "cross-site"}},
		{
			name: "GET that overrides its method", method: "GET",
			header: []string{"Sec-Fetch-Site", "cross-site", "X-HTTP-Method-Override", "DELETE"},
		},
		{
			name: "own GET that overrides its method", method: "GET",
			header: []string{"Sec-Fetch-Site", "same-origin", "X-HTTP-Method-Override", "DELETE"}, ok: true,
		},
	}
	mw := middleware.Must(middleware.CSRF(middleware.CSRFConfig{
		TrustedOrigins: []string{"https://app.example.net", "https://*.example.org"}, BypassPatterns: []string{"POST /hook/"},
	}))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			method, target := tt.method, tt.target
			if method == "" {
				method = "POST"
			}
			if target == "" {
				target = "http://example.com/form"
			}
			r := request(method, target, tt.header...)
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			w := call(mw(http.HandlerFunc(func(_ http.ResponseWriter, got *http.Request) {
				require.Equal(t, method, got.Method)
			})), r)
			if tt.ok {
				require.Equal(t, 200, w.Code)
				return
			}
			require.Equal(t, 403, w.Code)
			require.Equal(t, "cross_origin", problemOf(t, w.Header(), w.Body.String())["code"])
		})
	}
}

func TestCSRFConfig(t *testing.T) {
	t.Parallel()
	_, err := middleware.CSRF(middleware.CSRFConfig{
		TrustedOrigins: []string{"app.example.com", "null"}, BypassPatterns: []string{"GET  /{", "/ok"},
	})
	require.Equal(t, []string{"CSRFConfig.TrustedOrigins", "CSRFConfig.TrustedOrigins", "CSRFConfig.BypassPatterns"}, reasons(t, err))

	mw := middleware.Must(middleware.CSRF(middleware.CSRFConfig{
		OnError: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(418) },
	}))
	require.Equal(t, 418, call(mw(http.HandlerFunc(ok)), request("POST", "/", "Sec-Fetch-Site", "cross-site")).Code)
}

func TestCSRFOverHTTP(t *testing.T) {
	t.Parallel()
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		srv := start(middleware.Must(middleware.CSRF(middleware.CSRFConfig{}))(http.HandlerFunc(ok)))
		req, err := http.NewRequest("POST", srv.URL, nil)
		require.NoError(t, err)
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		resp, err := srv.Client().Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, 403, resp.StatusCode)
		require.Equal(t, "cross_origin", problemOf(t, resp.Header, string(body))["code"])
	})
}

func TestCSRFAllocatesNothing(t *testing.T) {
	h := middleware.Must(middleware.CSRF(middleware.CSRFConfig{TrustedOrigins: []string{"https://*.example.org"}}))(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, r := range []*http.Request{
		request("GET", "/", "Sec-Fetch-Site", "cross-site"),
		request("POST", "/", "Sec-Fetch-Site", "same-origin", "Origin", "http://example.com"),
		request("POST", "/", "Sec-Fetch-Site", "cross-site", "Origin", "https://a.example.org"),
	} {
		w := &nullWriter{h: http.Header{}}
		require.Zero(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }))
	}
}
