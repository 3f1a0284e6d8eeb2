package middleware_test

import (
	"cmp"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

// fullStack has every part switched on.
func fullStack(log slog.Handler, obs middleware.Observer) middleware.StackConfig {
	headers := middleware.APIHeaders()
	return middleware.StackConfig{
		RequestID: &middleware.RequestIDConfig{},
		ClientIP:  &middleware.ClientIPConfig{TrustedProxies: prefixes("192.0.2.0/24")},
		Metrics:   &middleware.MetricsConfig{Observer: obs},
		AccessLog: &middleware.AccessLogConfig{Handler: log},
		Recover:   &middleware.RecoverConfig{Handler: log},
		Headers:   &headers,
		Hosts:     &middleware.HostsConfig{Allowed: []string{"example.com", "127.0.0.1"}},
		CORS:      &middleware.CORSConfig{Methods: []string{"PUT"}, Credentials: true},
		CSRF:      &middleware.CSRFConfig{},
		Origins:   []string{"https://app.example.net"},
		MaxBody:   1 << 10,
		Timeout:   time.Minute,
	}
}

func TestStack(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/x", ok)
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("x") })
	mux.Handle("/read", middleware.Handle(func(w http.ResponseWriter, r *http.Request) error {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	}))
	const page = "https://app.example.net"
	tests := []struct {
		name, method, host, path string
		body                     int
		header                   []string
		status                   int
		cors                     bool
	}{
		{name: "plain", path: "/x", status: 200},
		{
			name: "preflight", method: "OPTIONS", path: "/x", status: 204, cors: true,
			header: []string{"Origin", page, "Access-Control-Request-Method", "PUT"},
		},
		{
			name: "preflight of a foreign origin", method: "OPTIONS", path: "/x", status: 403,
			header: []string{"Origin", "https://evil.com", "Access-Control-Request-Method", "PUT"},
		},
		{
			name: "trusted origin posts", method: "POST", path: "/x", status: 200, cors: true,
			header: []string{"Origin", page, "Sec-Fetch-Site", "cross-site"},
		},
		{
			name: "foreign origin posts", method: "POST", path: "/x", status: 403,
			header: []string{"Origin", "https://evil.com", "Sec-Fetch-Site", "cross-site"},
		},
		{name: "foreign host", host: "evil.com", path: "/x", status: 421},
		{name: "panic, readable by the trusted origin", path: "/panic", status: 500, cors: true, header: []string{"Origin", page}},
		{name: "not found", path: "/none", status: 404},
		{name: "body", method: "POST", path: "/read", body: 1 << 10, status: 200},
		{
			name: "body too large, readable by the trusted origin", method: "POST", path: "/read", body: 1<<10 + 1, status: 413, cors: true,
			header: []string{"Origin", page},
		},
	}
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		log, obs := &records{}, &tally{}
		srv := start(middleware.Must(middleware.Stack(fullStack(log.handler(), obs)))(middleware.ErrorMap{}.Mux(mux)))
		for _, tt := range tests {
			req, err := http.NewRequest(tt.method, srv.URL+tt.path, strings.NewReader(strings.Repeat("x", tt.body)))
			require.NoError(t, err)
			req.Header = request("GET", "/", tt.header...).Header
			req.Host = cmp.Or(tt.host, "example.com")
			resp, err := srv.Client().Do(req)
			require.NoError(t, err, tt.name)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err, tt.name)
			resp.Body.Close()
			require.Equal(t, tt.status, resp.StatusCode, tt.name)
			require.Equal(t, tt.cors, resp.Header.Get("Access-Control-Allow-Origin") == page, tt.name)
			require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"), tt.name)
			require.Len(t, resp.Header["X-Request-Id"], 1, tt.name)
			if tt.status >= 400 && tt.method != "OPTIONS" {
				require.Equal(t, resp.Header.Get("X-Request-Id"), problemOf(t, resp.Header, string(body))["request_id"], tt.name)
			}
		}
		srv.Close() // waits for the handlers
		require.Zero(t, obs.inFlight)
		require.Len(t, obs.seen, len(tests))
		for n, tt := range tests {
			require.Equal(t, tt.status, obs.seen[n].Status, tt.name)
		}
		require.Len(t, log.all(t), len(tests)+1, "one record each, and the panic")
	})
}

func TestStackReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := middleware.Stack(middleware.StackConfig{
		RequestID: &middleware.RequestIDConfig{Header: " "},
		ClientIP:  &middleware.ClientIPConfig{Hops: -1},
		Headers:   &middleware.HeadersConfig{FrameOptions: "x"},
		Hosts:     &middleware.HostsConfig{},
		CORS:      &middleware.CORSConfig{MaxAge: time.Millisecond},
		CSRF:      &middleware.CSRFConfig{},
		Origins:   []string{"https://a.example.com/"},
	})
	require.Equal(t, []string{
		"RequestIDConfig.Header", "ClientIPConfig.Hops", "HeadersConfig.FrameOptions", "HostsConfig.Allowed",
		"CORSConfig.Origins", "CORSConfig.MaxAge", "CSRFConfig.TrustedOrigins",
	}, reasons(t, err))

	mw, err := middleware.Stack(middleware.StackConfig{})
	require.NoError(t, err)
	require.Equal(t, "ok", call(mw(http.HandlerFunc(ok)), request("GET", "/")).Body.String())
}

// The bars of the design: what a request may allocate, the handler and the request excluded.
func TestAllocationBars(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations cannot be counted under the race detector")
	}
	log := slog.NewJSONHandler(&sink{}, nil)
	rival := fullStack(log, nil) // the eight parts of a common stack
	rival.Metrics, rival.MaxBody, rival.Timeout = nil, 0, 0
	tests := []struct {
		name string
		mw   middleware.Middleware
		most float64
	}{
		{"stack", middleware.Must(middleware.Stack(rival)), 10},
		{"headers alone", middleware.Must(middleware.Headers(middleware.APIHeaders())), 1},
		{"access log alone", middleware.AccessLog(middleware.AccessLogConfig{Handler: log}), 5},
		{"metrics alone", middleware.Metrics(middleware.MetricsConfig{Observer: silent{}}), 2},
		{"recover alone", middleware.Recover(middleware.RecoverConfig{}), 2},
	}
	for _, tt := range tests {
		h := tt.mw(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r := request("GET", "http://example.com/x", "Origin", "https://app.example.net", "User-Agent", "ua",
			"X-Forwarded-For", "203.0.113.9")
		w := &nullWriter{h: make(http.Header, 32)}
		got := testing.AllocsPerRun(200, func() { clear(w.h); h.ServeHTTP(w, r) })
		require.LessOrEqual(t, got, tt.most, tt.name)
		t.Logf("%s: %v allocations", tt.name, got)
	}
}

type sink struct{}

func (*sink) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkStack is the eight parts that internal/benchmarks compares with other libraries.
func BenchmarkStack(b *testing.B) {
	cfg := fullStack(slog.NewJSONHandler(&sink{}, nil), nil)
	cfg.Metrics, cfg.MaxBody, cfg.Timeout = nil, 0, 0
	h := middleware.Must(middleware.Stack(cfg))(http.HandlerFunc(ok))
	r := request("GET", "http://example.com/x", "Origin", "https://app.example.net", "Sec-Fetch-Site", "cross-site",
		"X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https", "User-Agent", "Mozilla/5.0 (X11; Linux x86_64)")
	w := &nullWriter{h: make(http.Header, 32)}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.h)
		h.ServeHTTP(w, r)
	}
}
