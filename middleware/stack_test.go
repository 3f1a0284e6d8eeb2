package middleware_test

import (
	"log/slog"
	"net/http"
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
	log, obs := &records{}, &tally{}
	mw := middleware.Must(middleware.Stack(fullStack(log.handler(), obs)))
	mux := http.NewServeMux()
	mux.HandleFunc("/x", ok)
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("x") })
	h := mw(mux)
	tests := []struct {
		name   string
		r      *http.Request
		status int
		cors   bool
	}{
		{"plain", request("GET", "http://example.com/x"), 200, false},
		{"preflight", request("OPTIONS", "http://example.com/x", "Origin", "https://app.example.net", "Access-Control-Request-Method", "PUT"), 204, true},
		{"trusted origin posts", request("POST", "http://example.com/x", "Origin", "https://app.example.net", "Sec-Fetch-Site", "cross-site"), 200, true},
		{"foreign origin posts", request("POST", "http://example.com/x", "Origin", "https://evil.com", "Sec-Fetch-Site", "cross-site"), 403, false},
		{"foreign host", request("GET", "http://evil.com/x"), 421, false},
		{"panic, readable by the trusted origin", request("GET", "http://example.com/panic", "Origin", "https://app.example.net"), 500, true},
		{"not found", request("GET", "http://example.com/none"), 404, false},
	}
	for n, tt := range tests {
		w := call(h, tt.r)
		require.Equal(t, tt.status, w.Code, tt.name)
		require.Equal(t, tt.cors, w.Header().Get("Access-Control-Allow-Origin") != "", tt.name)
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"), tt.name)
		require.NotEmpty(t, w.Header().Get("X-Request-Id"), tt.name)
		require.Len(t, obs.seen, n+1)
		require.Equal(t, tt.status, obs.seen[n].Status, tt.name)
	}
	require.Zero(t, obs.inFlight)
	require.Len(t, log.all(t), len(tests)+1, "one record each, and the panic")
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
