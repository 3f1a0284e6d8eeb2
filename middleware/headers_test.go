package middleware_test

import (
	"crypto/tls"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

func TestPresets(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"Content-Security-Policy":           "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
		"X-Content-Type-Options":            "nosniff",
		"X-Frame-Options":                   "DENY",
		"Referrer-Policy":                   "no-referrer",
		"Cross-Origin-Opener-Policy":        "same-origin",
		"Cross-Origin-Resource-Policy":      "same-origin",
		"X-Xss-Protection":                  "0",
		"X-Permitted-Cross-Domain-Policies": "none",
		"Cache-Control":                     "no-store",
	}
	w := call(middleware.Must(middleware.Headers(middleware.APIHeaders()))(http.HandlerFunc(ok)), request("GET", "/"))
	for name, value := range want {
		require.Equal(t, []string{value}, w.Header()[name], name)
	}
	require.NotContains(t, w.Header(), "Strict-Transport-Security", "not over plain HTTP")

	r := request("GET", "/")
	r.TLS = &tls.ConnectionState{}
	w = call(middleware.Must(middleware.Headers(middleware.PageHeaders()))(http.HandlerFunc(ok)), r)
	require.Equal(t, "max-age=63072000; includeSubDomains", w.Header().Get("Strict-Transport-Security"))
	require.Equal(t, "camera=(), geolocation=(), microphone=()", w.Header().Get("Permissions-Policy"))
	require.NotContains(t, w.Header().Get("Content-Security-Policy"), "nonce", "nobody asked for one")
}

func TestHeadersOnRejectionsAndRedirects(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/dir/", ok)
	h := middleware.Chain(
		middleware.Must(middleware.ClientIP(middleware.ClientIPConfig{TrustedProxies: prefixes("192.0.2.0/24")})),
		middleware.Must(middleware.Headers(middleware.APIHeaders())),
		middleware.Must(middleware.TrustedHosts(middleware.HostsConfig{Allowed: []string{"example.com"}})))(mux)
	for target, status := range map[string]int{"http://example.com/dir": 307, "http://evil.com/": 421, "http://example.com/none": 404} {
		w := call(h, request("GET", target, "X-Forwarded-Proto", "https"))
		require.Equal(t, status, w.Code)
		require.Len(t, w.Header()["Strict-Transport-Security"], 1, target)
		require.Equal(t, "DENY", w.Header().Get("X-Frame-Options"))
	}
}

func TestHandlerHasTheLastWord(t *testing.T) {
	t.Parallel()
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		docs := middleware.Must(middleware.Headers(middleware.HeadersConfig{ContentSecurityPolicy: "default-src 'self'"}))
		mux := http.NewServeMux()
		mux.HandleFunc("/own", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=60")
			w.Header().Del("X-Frame-Options")
			w.Header().Add("Content-Security-Policy", "sandbox")
		})
		mux.Handle("/docs", docs(http.HandlerFunc(ok)))
		srv := start(shell(slog.DiscardHandler)(mux))
		resp, _ := get(t, srv, "/own")
		require.Equal(t, "public, max-age=60", resp.Header.Get("Cache-Control"))
		require.Empty(t, resp.Header.Get("X-Frame-Options"))
		require.Len(t, resp.Header["Content-Security-Policy"], 2)
		resp, _ = get(t, srv, "/docs")
		require.Equal(t, []string{"default-src 'self'"}, resp.Header["Content-Security-Policy"], "the inner one wins")
		require.Equal(t, "DENY", resp.Header.Get("X-Frame-Options"))
	})
}

// The page gets one nonce, in its body and in its policies, and another one each time. HSTS is for TLS.
func TestPageHeadersOverHTTP(t *testing.T) {
	t.Parallel()
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		srv := start(shell(slog.DiscardHandler)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/deletes" {
				w.Header().Del("Strict-Transport-Security")
				w.Header().Del("Content-Security-Policy")
				return
			}
			_, _ = io.WriteString(w, middleware.NonceFrom(r.Context()))
		})))
		seen := map[string]bool{}
		for range 3 {
			resp, nonce := get(t, srv, "/")
			require.Regexp(t, `^[A-Za-z0-9+/]{22}==$`, nonce)
			require.False(t, seen[nonce])
			seen[nonce] = true
			require.Len(t, resp.Header["Content-Security-Policy"], 1)
			require.Equal(t, 2, strings.Count(resp.Header.Get("Content-Security-Policy"), "'nonce-"+nonce+"'"))
			require.Equal(t, resp.TLS != nil, resp.Header.Get("Strict-Transport-Security") != "")
		}
		resp, _ := get(t, srv, "/deletes")
		require.NotContains(t, resp.Header, "Strict-Transport-Security")
		require.NotContains(t, resp.Header, "Content-Security-Policy")
		require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
	})
}

// Changing the value slices of one answer must not leak into another.
func TestHeaderValuesAreNotShared(t *testing.T) {
	t.Parallel()
	for name, mw := range map[string]middleware.Middleware{
		"alone":    middleware.Must(middleware.Headers(middleware.APIHeaders())),
		"in stack": shell(slog.DiscardHandler),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			poison := false
			h := mw(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range w.Header() {
					if poison {
						values[0] = "poison"
						w.Header()[name] = append(values, "poison")
					}
				}
			}))
			clean := call(h, request("GET", "http://example.com/")).Header()
			poison = true
			for name, values := range call(h, request("GET", "http://example.com/")).Header() {
				require.Equal(t, []string{"poison", "poison"}, values, name)
			}
			poison = false
			again := call(h, request("GET", "http://example.com/")).Header()
			clean.Del("X-Request-Id")
			again.Del("X-Request-Id")
			require.Equal(t, clean, again)
		})
	}
}

func TestNonce(t *testing.T) {
	t.Parallel()
	cfg := middleware.PageHeaders()
	cfg.ContentSecurityPolicyReportOnly = "script-src 'nonce-{nonce}'; report-to csp"
	page := middleware.Must(middleware.Headers(cfg))
	seen := map[string]bool{}
	for range 100 {
		var nonce string
		w := call(page(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			nonce = middleware.NonceFrom(r.Context())
			require.Equal(t, nonce, middleware.NonceFrom(r.Context()))
		})), request("GET", "/"))
		raw, err := base64.StdEncoding.DecodeString(nonce)
		require.NoError(t, err)
		require.Len(t, raw, 16)
		require.False(t, seen[nonce])
		seen[nonce] = true
		require.Equal(t, 2, strings.Count(w.Header().Get("Content-Security-Policy"), "'nonce-"+nonce+"'"))
		require.Equal(t, "script-src 'nonce-"+nonce+"'; report-to csp", w.Header().Get("Content-Security-Policy-Report-Only"))
	}

	t.Run("the handler's own policy stays", func(t *testing.T) {
		t.Parallel()
		w := call(page(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "sandbox")
			require.NotEmpty(t, middleware.NonceFrom(r.Context()))
		})), request("GET", "/"))
		require.Equal(t, "sandbox", w.Header().Get("Content-Security-Policy"))
	})
	t.Run("too late", func(t *testing.T) {
		t.Parallel()
		call(page(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			require.Empty(t, middleware.NonceFrom(r.Context()))
		})), request("GET", "/"))
	})
	t.Run("no place for one", func(t *testing.T) {
		t.Parallel()
		both := middleware.Chain(page, middleware.Must(middleware.Headers(middleware.APIHeaders())))
		call(both(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			require.Empty(t, middleware.NonceFrom(r.Context()))
		})), request("GET", "/"))
		require.Empty(t, middleware.NonceFrom(t.Context()))
	})
}

// cspCases are also the seeds of the fuzz target.
var cspCases = []struct {
	name, policy string
	ok           bool
}{
	{"keywords, hosts, schemes", "default-src 'self' https: data: https://cdn.example.com:443 *.example.com", true},
	{"trailing semicolon", "default-src 'none';", true},
	{"hash", "style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='", true},
	{"others", "upgrade-insecure-requests; sandbox allow-forms; report-to x; require-trusted-types-for 'script'", true},
	{"nonce place", "script-src 'nonce-{nonce}' 'strict-dynamic'", true},
	{"unquoted self", "default-src self", false},
	{"unquoted none", "object-src none", false},
	{"unquoted hash", "style-src sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", false},
	{"hash of wrong length", "style-src 'sha256-abcd'", false},
	{"fixed nonce", "script-src 'nonce-abc'", false},
	{"unknown keyword", "script-src 'slef'", false},
	{"none with others", "script-src 'none' 'self'", false},
	{"no source", "script-src", false},
	{"injected second directive", "script-src 'self'; script-src 'unsafe-inline'", false},
	{"empty directive", "default-src 'self';; img-src *", false},
	{"newline", "default-src 'self'\nX-Evil: 1", false},
	{"comma", "default-src 'self', script-src *", false},
	{"non-ASCII", "default-src ‘self’", false},
	{"unknown directive", "defualt-src 'self'", false},
	{"upper case directive", "Default-Src 'self'", false},
	{"value where none belongs", "upgrade-insecure-requests 1", false},
	{"report-to without group", "report-to", false},
	{"wrong trusted types", "require-trusted-types-for script", false},
	{"only a semicolon", ";", false},
}

func TestCSPCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range cspCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := middleware.Headers(middleware.HeadersConfig{ContentSecurityPolicy: tt.policy})
			require.Equal(t, tt.ok, err == nil, "%v", err)
			_, err = middleware.Headers(middleware.HeadersConfig{ContentSecurityPolicyReportOnly: tt.policy})
			require.Equal(t, tt.ok, err == nil, "%v", err)
		})
	}
}

func TestHeadersConfig(t *testing.T) {
	t.Parallel()
	for _, hsts := range []string{"max-age=1; preload", "includeSubDomains", "max-age=x", "max-age=1; max-age=2", "max-age=1; foo", "max-age=1; preload=1; includeSubDomains"} {
		_, err := middleware.Headers(middleware.HeadersConfig{StrictTransportSecurity: hsts})
		require.Equal(t, []string{"HeadersConfig.StrictTransportSecurity"}, reasons(t, err), hsts)
	}
	_, err := middleware.Headers(middleware.HeadersConfig{
		ContentSecurityPolicy: "x", ContentTypeOptions: "sniff", FrameOptions: "ALLOW-FROM x", ReferrerPolicy: "no-referrer, nope",
		CrossOriginOpenerPolicy: "x", CrossOriginResourcePolicy: "x", CrossOriginEmbedderPolicy: "x",
		XSSProtection: "1; mode=block", PermittedCrossDomainPolicies: "x", CacheControl: "a\r\nb",
		PermissionsPolicy: "é", Extra: map[string]string{"a b": "", "X-Ok": "a\nb"},
	})
	require.ElementsMatch(t, []string{
		"HeadersConfig.ContentSecurityPolicy", "HeadersConfig.ContentTypeOptions", "HeadersConfig.FrameOptions",
		"HeadersConfig.ReferrerPolicy", "HeadersConfig.CrossOriginOpenerPolicy", "HeadersConfig.CrossOriginResourcePolicy",
		"HeadersConfig.CrossOriginEmbedderPolicy", "HeadersConfig.XSSProtection", "HeadersConfig.PermittedCrossDomainPolicies",
		"HeadersConfig.CacheControl", "HeadersConfig.PermissionsPolicy", "HeadersConfig.Extra", "HeadersConfig.Extra",
	}, reasons(t, err))

	w := call(middleware.Must(middleware.Headers(middleware.HeadersConfig{Extra: map[string]string{"server-timing": "a"}}))(
		http.HandlerFunc(ok)), request("GET", "/"))
	require.Equal(t, "a", w.Header().Get("Server-Timing"))
}
