package middleware_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

func corsConfig() middleware.CORSConfig {
	return middleware.CORSConfig{
		Origins:        []string{"https://app.example.com", "https://*.example.org", "http://localhost:3000", "https://[2001:db8::1]:8443"},
		Methods:        []string{"PUT", "PATCH"},
		RequestHeaders: []string{"Authorization", "Content-Type", "X-Trace"},
		ExposedHeaders: []string{"X-Total", "Link"},
		Credentials:    true,
		MaxAge:         10 * time.Minute,
	}
}

const corsVary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

func corsHeaders(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			out[name] = values
		}
	}
	return out
}

func TestCORSPreflight(t *testing.T) {
	t.Parallel()
	const origin = "https://app.example.com"
	tests := []struct {
		name   string
		header []string // beyond Origin, if that is not among them, and the method PUT
		ok     bool
	}{
		{name: "allowed", ok: true},
		{name: "headers in browser order", header: []string{"Access-Control-Request-Headers", "authorization,content-type"}, ok: true},
		{name: "headers unsorted, mixed case, spaced", header: []string{"Access-Control-Request-Headers", "X-Trace ,\tCONTENT-type, ,authorization,"}, ok: true},
		{name: "headers on two lines", header: []string{"Access-Control-Request-Headers", "authorization", "Access-Control-Request-Headers", "x-trace"}, ok: true},
		{name: "second line forbidden", header: []string{"Access-Control-Request-Headers", "authorization", "Access-Control-Request-Headers", "x-evil"}},
		{name: "header forbidden", header: []string{"Access-Control-Request-Headers", "authorization,x-evil"}},
		{name: "prefix of a header", header: []string{"Access-Control-Request-Headers", "auth"}},
		{name: "safelisted method", header: []string{"Access-Control-Request-Method", "POST"}, ok: true},
		{name: "method of lower case", header: []string{"Access-Control-Request-Method", "put"}},
		{name: "method not listed", header: []string{"Access-Control-Request-Method", "DELETE"}},
		{name: "two method lines", header: []string{"Access-Control-Request-Method", "PUT", "Access-Control-Request-Method", "PUT"}},
		{name: "foreign origin", header: []string{"Origin", "https://evil.com"}},
		{name: "two origin lines", header: []string{"Origin", origin, "Origin", origin}},
		{name: "null", header: []string{"Origin", "null"}},
		{name: "asks for private network access", header: []string{"Access-Control-Request-Private-Network", "true"}, ok: true},
		{name: "64 empty header lines", header: repeat([]string{"Access-Control-Request-Headers", ""}, 64), ok: true},
		{name: "200 empty header lines", header: repeat([]string{"Access-Control-Request-Headers", ""}, 200)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := request("OPTIONS", "/x", tt.header...)
			if r.Header["Origin"] == nil {
				r.Header.Set("Origin", origin)
			}
			if r.Header["Access-Control-Request-Method"] == nil {
				r.Header.Set("Access-Control-Request-Method", "PUT")
			}
			w := call(middleware.Must(middleware.CORS(corsConfig()))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				t.Error("a preflight reached the handler")
			})), r)
			require.Equal(t, []string{corsVary}, w.Header()["Vary"])
			if !tt.ok {
				require.Equal(t, 403, w.Code)
				require.Empty(t, corsHeaders(w.Header()))
				require.Zero(t, w.Body.Len())
				return
			}
			require.Equal(t, 204, w.Code)
			require.Zero(t, w.Body.Len())
			want := http.Header{
				"Access-Control-Allow-Origin":      {origin},
				"Access-Control-Allow-Credentials": {"true"},
				"Access-Control-Allow-Methods":     r.Header["Access-Control-Request-Method"],
				"Access-Control-Max-Age":           {"600"},
			}
			if r.Header["Access-Control-Request-Headers"] != nil {
				want["Access-Control-Allow-Headers"] = []string{"authorization,content-type,x-trace"}
			}
			require.Equal(t, want, corsHeaders(w.Header()))
		})
	}
}

func repeat(pair []string, n int) []string {
	var out []string
	for range n {
		out = append(out, pair...)
	}
	return out
}

// originCases are also the seeds of the fuzz target.
var originCases = []struct {
	origin string
	ok     bool
}{
	{"https://app.example.com", true},
	{"https://a.example.org", true},
	{"https://a.b.example.org", true},
	{"http://localhost:3000", true},
	{"https://[2001:db8::1]:8443", true},
	{"https://example.org", false},
	{"https://xexample.org", false},
	{"https://.example.org", false},
	{"http://a.example.org", false},
	{"https://a.example.org:8443", false},
	{"https://a.example.org.evil.com", false},
	{"https://evil.com/.example.org", false},
	{"https://evil.com@.example.org", false},
	{"https://evil.com#.example.org", false},
	{"https://a.example.org/", false},
	{"HTTPS://APP.EXAMPLE.COM", false},
	{"https://A.example.org", false},
	{"https://app.example.com:443", false},
	{"https://a.example.org:443", false},
	{"https://" + strings.Repeat("a.", 200) + "example.org", false},
	{"https://é.example.org", false},
	{"http://localhost:3001", false},
	{"null", false},
	{"*", false},
	{"", false},
	{"https://", false},
	{"://a.example.org", false},
	{"a.example.org", false},
}

// An actual request always reaches the handler; only an allowed origin may read the answer.
func TestCORSActual(t *testing.T) {
	t.Parallel()
	mw := middleware.Must(middleware.CORS(corsConfig()))
	for _, tt := range originCases {
		t.Run(tt.origin, func(t *testing.T) {
			t.Parallel()
			w := call(mw(http.HandlerFunc(ok)), request("GET", "/", "Origin", tt.origin))
			require.Equal(t, "ok", w.Body.String())
			require.Equal(t, []string{"Origin"}, w.Header()["Vary"])
			if !tt.ok {
				require.Empty(t, corsHeaders(w.Header()))
				return
			}
			require.Equal(t, http.Header{
				"Access-Control-Allow-Origin":      {tt.origin},
				"Access-Control-Allow-Credentials": {"true"},
				"Access-Control-Expose-Headers":    {"X-Total, Link"},
			}, corsHeaders(w.Header()))
		})
	}
	two := call(mw(http.HandlerFunc(ok)), request("GET", "/", "Origin", "https://app.example.com", "Origin", "https://app.example.com"))
	require.Empty(t, corsHeaders(two.Header()))
}

func TestCORSPassesOn(t *testing.T) {
	t.Parallel()
	mw := middleware.Must(middleware.CORS(corsConfig()))
	for name, r := range map[string]*http.Request{
		"no origin":                           request("GET", "/"),
		"OPTIONS without a requested method":  request("OPTIONS", "/", "Origin", "https://app.example.com"),
		"OPTIONS without an origin":           request("OPTIONS", "/", "Access-Control-Request-Method", "PUT"),
		"POST that looks like a preflight":    request("POST", "/", "Origin", "https://evil.com", "Access-Control-Request-Method", "PUT"),
		"asks for private network access too": request("GET", "/", "Access-Control-Request-Private-Network", "true"),
	} {
		w := call(mw(http.HandlerFunc(ok)), r)
		require.Equal(t, "ok", w.Body.String(), name)
		require.Equal(t, []string{"Origin"}, w.Header()["Vary"], name)
		require.Empty(t, w.Header()["Access-Control-Allow-Private-Network"])
	}
}

func TestCORSVaryIsExtended(t *testing.T) {
	t.Parallel()
	outer := func(vary string) middleware.Middleware {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Vary", vary)
				next.ServeHTTP(w, r)
			})
		}
	}
	cors := middleware.Must(middleware.CORS(corsConfig()))
	for vary, want := range map[string][]string{
		"Accept-Encoding":         {"Accept-Encoding", "Origin"},
		"Accept-Encoding, origin": {"Accept-Encoding, origin"},
		"*":                       {"*"},
	} {
		w := call(middleware.Chain(outer(vary), cors, cors)(http.HandlerFunc(ok)), request("GET", "/", "Origin", "https://evil.com"))
		require.Equal(t, want, w.Header()["Vary"])
	}
	w := call(outer("Accept-Encoding")(cors(http.HandlerFunc(ok))),
		request("OPTIONS", "/", "Origin", "https://evil.com", "Access-Control-Request-Method", "PUT"))
	require.Equal(t, []string{"Accept-Encoding", "Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"}, w.Header()["Vary"])
}

// With "*" the answer is the same for everyone, also for requests without an Origin. Only so a cache may
// give an answer that was made for one client to another without Vary.
func TestCORSAnyOrigin(t *testing.T) {
	t.Parallel()
	mw := middleware.Must(middleware.CORS(middleware.CORSConfig{Origins: []string{"*"}, ExposedHeaders: []string{"ETag"}}))
	for name, r := range map[string]*http.Request{
		"opaque origin":      request("GET", "/", "Origin", "null"),
		"no origin":          request("GET", "/"),
		"two lines":          request("GET", "/", "Origin", "https://a.b", "Origin", "https://c.d"),
		"OPTIONS, no method": request("OPTIONS", "/", "Origin", "https://a.b"),
	} {
		w := call(mw(http.HandlerFunc(ok)), r)
		require.Equal(t, "ok", w.Body.String(), name)
		require.Equal(t, http.Header{
			"Access-Control-Allow-Origin": {"*"}, "Access-Control-Expose-Headers": {"ETag"},
		}, corsHeaders(w.Header()), name)
		require.Empty(t, w.Header()["Vary"], name)
	}
	w := call(mw(http.HandlerFunc(ok)), request("OPTIONS", "/", "Origin", "https://x.y", "Access-Control-Request-Method", "GET"))
	require.Equal(t, 204, w.Code)
	require.Equal(t, http.Header{
		"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"GET"},
	}, corsHeaders(w.Header()))
	require.Equal(t, []string{"Access-Control-Request-Method, Access-Control-Request-Headers"}, w.Header()["Vary"])
}

func TestCORSConfig(t *testing.T) {
	t.Parallel()
	// One fault each, with its own reason.
	origins := map[string]string{
		"https://app.example.com/":      "slash",
		"https://app.example.com/a":     "path",
		"https://app.example.com?a":     "query",
		"https://app.example.com#a":     "fragment",
		"https://me@app.example.com":    "user information",
		"https://bücher.example":        "punycode",
		"https://app.example.com:0":     "bad port",
		"https://app.example.com:65536": "bad port",
		"https://app.example.com:08":    "bad port",
		"https://app.example.com:443":   "default port",
		"http://localhost:80":           "default port",
		"HTTPS://app.example.com":       "upper-case scheme",
		"https://App.example.com":       "upper-case host",
		"null":                          "sandboxed",
		"app.example.com":               "scheme",
		"https://":                      "host",
		"https://a..b":                  "malformed host",
		"https://127.0.0.1.":            "dot at its end",
		"https://[::1":                  "malformed host",
		"https://[fe80::1%1]":           "IPv6",
		"https://[0:0::1]":              "short form",
		"https://[::ffff:127.0.0.1]":    "short form",
		"https://[::ffff:7F00:1]":       "upper-case host",
		"https://a*.example.com":        "whole first label",
		"https://a.*.example.com":       "whole first label",
		"https://*.com":                 "top-level domain",
		"https://*.com.":                "top-level domain",
		"https://*.com.:8443":           "top-level domain",
		"file://example.com":            "null",
		"https://*.127.0.0.1":           "below an address",
		"app://*.example.com":           "needs http or https",
		"http://app.example.com":        "insecure",
		"http://*.example.com":          "insecure",
		"*":                             "",
	}
	var all []string
	for origin, reason := range origins {
		all = append(all, origin)
		_, err := middleware.CORS(middleware.CORSConfig{Origins: []string{origin}, Credentials: true})
		require.Equal(t, []string{"CORSConfig.Origins"}, reasons(t, err), origin)
		require.ErrorContains(t, err, reason, origin)
	}
	_, err := middleware.CORS(middleware.CORSConfig{
		Origins: all, Credentials: true, MaxAge: 86401 * time.Second,
		Methods:        []string{"", "*", "CONNECT", "trace", "put", "A B"},
		RequestHeaders: []string{"Origin", "cookie", "Sec-Fetch-Site", "Proxy-X", "Access-Control-X", "*", "a b"},
		ExposedHeaders: []string{"*", "Set-Cookie", "set-cookie2", "Access-Control-Max-Age", "a b"},
	})
	require.Len(t, reasons(t, err), len(all)+1+6+7+5, "every fault at once")

	_, err = middleware.CORS(middleware.CORSConfig{Origins: []string{"*"}, Credentials: true})
	require.ErrorContains(t, err, "CORSConfig.Credentials", "both fields are named")
	_, err = middleware.CORS(middleware.CORSConfig{})
	require.Equal(t, []string{"CORSConfig.Origins"}, reasons(t, err))
	_, err = middleware.CORS(middleware.CORSConfig{Origins: []string{"*"}, MaxAge: time.Millisecond})
	require.Equal(t, []string{"CORSConfig.MaxAge"}, reasons(t, err))

	for _, cfg := range []middleware.CORSConfig{
		{Origins: []string{"http://app.example.com"}, Credentials: true, DangerouslyAllowInsecureOrigins: true},
		{Origins: []string{"http://app.example.com"}},
		{Origins: []string{"http://localhost", "http://127.0.0.1:3000", "http://[::1]:3000", "http://*.dev.localhost", "http://*.localhost:8080"}, Credentials: true},
		{Origins: []string{"chrome-extension://abcdef", "https://xn--bcher-kva.example", "https://[::ffff:7f00:1]"}, Credentials: true},
		{Origins: []string{"https://a.b"}, Methods: []string{"patch"}},
	} {
		_, err := middleware.CORS(cfg)
		require.NoError(t, err)
	}
}

func TestCORSMaxAge(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]string{0: "", -1: "0", time.Second: "1", 24 * time.Hour: "86400"} {
		mw := middleware.Must(middleware.CORS(middleware.CORSConfig{Origins: []string{"https://a.b"}, MaxAge: age}))
		w := call(mw(http.HandlerFunc(ok)), request("OPTIONS", "/", "Origin", "https://a.b", "Access-Control-Request-Method", "GET"))
		require.Equal(t, want, w.Header().Get("Access-Control-Max-Age"))
	}
}

func TestCORSValuesAreNotShared(t *testing.T) {
	t.Parallel()
	mw := middleware.Must(middleware.CORS(corsConfig()))
	do := func(poison bool) http.Header {
		return call(mw(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range w.Header() {
				if poison {
					values[0] = "poison"
					w.Header()[name] = append(values, "poison")
				}
			}
		})), request("GET", "/", "Origin", "https://app.example.com")).Header()
	}
	clean := do(false)
	for name, values := range do(true) {
		require.Equal(t, []string{"poison", "poison"}, values, name)
	}
	require.Equal(t, clean, do(false))
}

func TestCORSOverHTTP(t *testing.T) {
	t.Parallel()
	const origin = "https://app.example.com"
	tests := []struct {
		name, method string
		header       []string
		status       int
		body         string
		want         http.Header
		vary         string
	}{
		{
			name: "preflight allowed", method: "OPTIONS",
			header: []string{
				"Origin", origin, "Access-Control-Request-Method", "PUT",
				"Access-Control-Request-Headers", "X-Trace", "Access-Control-Request-Headers", "authorization, ",
			},
			status: 204,
			want: http.Header{
				"Access-Control-Allow-Origin": {origin}, "Access-Control-Allow-Credentials": {"true"},
				"Access-Control-Allow-Methods": {"PUT"}, "Access-Control-Allow-Headers": {"authorization,content-type,x-trace"},
				"Access-Control-Max-Age": {"600"},
			},
			vary: corsVary,
		},
		{
			name: "second header line refused", method: "OPTIONS",
			header: []string{
				"Origin", origin, "Access-Control-Request-Method", "PUT",
				"Access-Control-Request-Headers", "x-trace", "Access-Control-Request-Headers", "x-evil",
			},
			status: 403, vary: corsVary,
		},
		{
			name: "origin refused", method: "OPTIONS",
			header: []string{"Origin", "https://evil.com", "Access-Control-Request-Method", "GET"}, status: 403, vary: corsVary,
		},
		{
			name: "two origin lines", method: "OPTIONS",
			header: []string{"Origin", origin, "Origin", origin, "Access-Control-Request-Method", "GET"}, status: 403, vary: corsVary,
		},
		{
			name: "asks for private network access", method: "OPTIONS",
			header: []string{"Origin", origin, "Access-Control-Request-Method", "GET", "Access-Control-Request-Private-Network", "true"},
			status: 204,
			want: http.Header{
				"Access-Control-Allow-Origin": {origin}, "Access-Control-Allow-Credentials": {"true"},
				"Access-Control-Allow-Methods": {"GET"}, "Access-Control-Max-Age": {"600"},
			},
			vary: corsVary,
		},
		{
			name: "actual request", method: "GET", header: []string{"Origin", origin}, status: 200, body: "ok",
			want: http.Header{
				"Access-Control-Allow-Origin": {origin}, "Access-Control-Allow-Credentials": {"true"},
				"Access-Control-Expose-Headers": {"X-Total, Link"},
			},
			vary: "Origin",
		},
		{name: "actual request refused", method: "GET", header: []string{"Origin", "null"}, status: 200, body: "ok", vary: "Origin"},
		{name: "no origin", method: "GET", status: 200, body: "ok", vary: "Origin"},
		{name: "plain OPTIONS", method: "OPTIONS", status: 200, body: "ok", vary: "Origin"},
		{
			name: "OPTIONS without an origin", method: "OPTIONS", header: []string{"Access-Control-Request-Method", "PUT"},
			status: 200, body: "ok", vary: "Origin",
		},
	}
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		srv := start(middleware.Must(middleware.CORS(corsConfig()))(http.HandlerFunc(ok)))
		for _, tt := range tests {
			req, err := http.NewRequest(tt.method, srv.URL, nil)
			require.NoError(t, err)
			req.Header = request("GET", "/", tt.header...).Header
			resp, err := srv.Client().Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, tt.status, resp.StatusCode, tt.name)
			require.Equal(t, tt.body, string(body), tt.name)
			if tt.want == nil {
				tt.want = http.Header{}
			}
			require.Equal(t, tt.want, corsHeaders(resp.Header), tt.name)
			require.Equal(t, []string{tt.vary}, resp.Header["Vary"], tt.name)
		}
	})
}

func TestCORSCost(t *testing.T) {
	h := middleware.Must(middleware.CORS(corsConfig()))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	measure := func(r *http.Request) float64 {
		w := &nullWriter{h: http.Header{}}
		return testing.AllocsPerRun(200, func() { clear(w.h); h.ServeHTTP(w, r) })
	}
	require.LessOrEqual(t, measure(request("GET", "/", "Origin", "https://a.example.org")), 1.0)
	preflight := request("OPTIONS", "/", "Origin", "https://a.example.org", "Access-Control-Request-Method", "PUT",
		"Access-Control-Request-Headers", "authorization,content-type")
	require.LessOrEqual(t, measure(preflight), 2.0)

	for _, line := range []string{strings.Repeat(",", 512<<10), strings.Repeat("authorization,", 36<<10), strings.Repeat(" ", 512<<10)} {
		hostile := request("OPTIONS", "/", "Origin", "https://app.example.com", "Access-Control-Request-Method", "PUT")
		hostile.Header["Access-Control-Request-Headers"] = []string{line}
		require.LessOrEqual(t, measure(hostile), 1.0, "one value slice of 16 bytes for Vary")
		require.LessOrEqual(t, allocatedBytes(h, hostile), 64.0)
		began := time.Now()
		measure(hostile)
		require.Less(t, time.Since(began), time.Second/4, "the line is not read")
	}
}

// allocatedBytes is what one request allocates on average. Parallel tests wait while a serial one runs.
func allocatedBytes(h http.Handler, r *http.Request) float64 {
	const runs = 200
	w := &nullWriter{h: http.Header{}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		clear(w.h)
		h.ServeHTTP(w, r)
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / runs
}

func TestCORSRefusalIsLogged(t *testing.T) {
	t.Parallel()
	log := &records{}
	h := middleware.Chain(middleware.AccessLog(middleware.AccessLogConfig{Handler: log.handler()}),
		middleware.Must(middleware.CORS(corsConfig())))(http.HandlerFunc(ok))
	call(h, request("OPTIONS", "/", "Origin", "https://evil.com", "Access-Control-Request-Method", "PUT"))
	require.Equal(t, "origin refused", log.one(t)["cors"])
}

// nullWriter is a response writer that costs nothing.
type nullWriter struct{ h http.Header }

func (n *nullWriter) Header() http.Header         { return n.h }
func (n *nullWriter) Write(b []byte) (int, error) { return len(b), nil }
func (n *nullWriter) WriteHeader(int)             {}
