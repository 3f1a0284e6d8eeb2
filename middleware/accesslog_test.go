package middleware_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

func TestAccessLogRecord(t *testing.T) {
	t.Parallel()
	log := &records{}
	clock := time.Unix(1000, 0)
	mw := middleware.Chain(
		middleware.Must(middleware.RequestID(middleware.RequestIDConfig{New: func() string { return "id-1" }})),
		middleware.Must(middleware.ClientIP(middleware.ClientIPConfig{TrustedProxies: prefixes("192.0.2.0/24")})),
		middleware.AccessLog(middleware.AccessLogConfig{
			Handler: log.handler(), Headers: []string{"accept", "authorization", "X-None"},
			Now: func() time.Time { clock = clock.Add(time.Millisecond); return clock },
		}),
	)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		middleware.AddLogAttrs(r.Context(), slog.String("item", r.PathValue("id")))
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "12345")
	})
	call(mw(mux), request("POST", "http://example.com/items/7?token=secret", "User-Agent", "ua", "Accept", "a/b",
		"Accept", "c/d", "Authorization", "Bearer secret", "X-Forwarded-For", "203.0.113.9",
		"Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
	got := log.one(t)
	delete(got, "time")
	require.Equal(t, map[string]any{
		"level": "INFO", "msg": "request", "method": "POST", "host": "example.com", "path": "/items/7",
		"route": "/items/{id}", "proto": "HTTP/1.1", "status": 201.0, "bytes": 5.0, "duration": 1e6,
		"client_ip": "203.0.113.9", "user_agent": "ua", "request_id": "id-1",
		"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "header_accept": "a/b, c/d",
		"header_authorization": "[redacted]", "item": "7",
	}, got)
}

// The status and the bytes are what the client got.
func TestAccessLogOutcome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		method  string
		handler http.HandlerFunc
		status  float64
		bytes   float64
		level   string
	}{
		{name: "nothing written", handler: func(http.ResponseWriter, *http.Request) {}, status: 200},
		{
			name: "103 is not final, the first final status wins",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(http.StatusCreated)
				w.WriteHeader(http.StatusInternalServerError)
			},
			status: 201,
		},
		{
			name: "write, string and reader are counted",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte("ab"))
				_, _ = io.WriteString(w, "cd")
				_, _ = io.Copy(w, io.LimitReader(strings.NewReader("efgh"), 3))
			},
			status: 200, bytes: 7,
		},
		{name: "head has no body", method: "HEAD", handler: ok, status: 200},
		{
			name:    "head from a reader has none either",
			method:  "HEAD",
			handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, strings.NewReader("abc")) },
			status:  200,
		},
		{name: "flush", handler: func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() }, status: 200},
		{
			name:    "server error",
			handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
			status:  502, level: "ERROR",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
				log := &records{}
				srv := start(middleware.AccessLog(middleware.AccessLogConfig{Handler: log.handler()})(tt.handler))
				method := tt.method
				if method == "" {
					method = "GET"
				}
				req, err := http.NewRequest(method, srv.URL, nil)
				require.NoError(t, err)
				resp, err := srv.Client().Do(req)
				require.NoError(t, err)
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				srv.Close() // waits for the handler, so the record is there
				got := log.one(t)
				require.Equal(t, tt.status, got["status"])
				require.Equal(t, tt.bytes, got["bytes"])
				level := tt.level
				if level == "" {
					level = "INFO"
				}
				require.Equal(t, level, got["level"])
			})
		})
	}
}

func TestAccessLogHijack(t *testing.T) {
	t.Parallel()
	log := &records{}
	srv := httptest.NewServer(middleware.AccessLog(middleware.AccessLogConfig{Handler: log.handler()})(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: close\r\n\r\n")
				conn.Close()
			}
		})))
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
	conn.Close()
	require.Eventually(t, func() bool { return len(log.all(t)) == 1 }, 5*time.Second, time.Millisecond)
	srv.Close()
	require.EqualValues(t, 101, log.one(t)["status"])
}

func TestAccessLogClientGone(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		handler func(w http.ResponseWriter, leave func())
		status  float64
		gone    any
	}{
		{"before any answer", func(_ http.ResponseWriter, leave func()) { leave() }, 499, nil},
		{
			"before the answer was written",
			func(w http.ResponseWriter, leave func()) { leave(); w.WriteHeader(http.StatusInternalServerError) },
			499, nil,
		},
		{
			"in the middle of it",
			func(w http.ResponseWriter, leave func()) { w.WriteHeader(http.StatusAccepted); leave() },
			202, true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			log := &records{}
			ctx, leave := context.WithCancel(t.Context())
			h := middleware.AccessLog(middleware.AccessLogConfig{Handler: log.handler()})(http.HandlerFunc(
				func(w http.ResponseWriter, _ *http.Request) { tt.handler(w, leave) }))
			call(h, request("GET", "/").WithContext(ctx))
			got := log.one(t)
			require.Equal(t, tt.status, got["status"])
			require.Equal(t, tt.gone, got["client_gone"])
			require.Equal(t, "INFO", got["level"])
		})
	}
}

func TestAccessLogClientGoneOverTheWire(t *testing.T) {
	t.Parallel()
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		log := &records{}
		entered := make(chan struct{})
		srv := start(middleware.AccessLog(middleware.AccessLogConfig{Handler: log.handler()})(middleware.Handle(
			func(_ http.ResponseWriter, r *http.Request) error {
				close(entered)
				<-r.Context().Done()
				return r.Context().Err()
			})))
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
		require.NoError(t, err)
		go func() { <-entered; cancel() }()
		_, err = srv.Client().Do(req)
		require.ErrorIs(t, err, context.Canceled)
		require.Eventually(t, func() bool { return len(log.all(t)) == 1 }, 5*time.Second, time.Millisecond)
		require.EqualValues(t, 499, log.one(t)["status"])
	})
}

func TestAccessLogChoices(t *testing.T) {
	t.Parallel()
	log := &records{}
	clock := time.Unix(1000, 0)
	cfg := middleware.AccessLogConfig{
		Handler: slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo}),
		Slow:    time.Second,
		Now:     func() time.Time { clock = clock.Add(time.Second); return clock },
		Skip:    func(r *http.Request, status int) bool { return r.URL.Path == "/healthz" && status == 200 },
		Level: func(status int) slog.Level {
			if status == 404 {
				return slog.LevelDebug
			}
			return slog.LevelInfo
		},
	}
	h := func(status int) http.Handler {
		return middleware.AccessLog(cfg)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	}
	call(h(200), request("GET", "/healthz"))
	require.Empty(t, log.all(t), "skipped")
	call(h(503), request("GET", "/healthz"))
	got := log.one(t)
	require.Equal(t, true, got["slow"])
	require.Equal(t, "WARN", got["level"], "slow requests are warnings")

	cfg.Slow = 0
	log = &records{}
	cfg.Handler = slog.NewJSONHandler(log, nil)
	call(h(404), request("GET", "/"))
	require.Empty(t, log.all(t), "level not enabled")

	cfg.Handler = nil
	require.Equal(t, 204, call(h(204), request("GET", "/")).Code, "nil is silent")
}

func TestAddLogAttrsConcurrently(t *testing.T) {
	t.Parallel()
	log := &records{}
	h := middleware.AccessLog(middleware.AccessLogConfig{Handler: log.handler()})(http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) {
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for range 50 {
						middleware.AddLogAttrs(r.Context(), slog.Int("n", 1))
					}
				})
			}
			wg.Wait()
		}))
	call(h, request("GET", "/"))
	require.Equal(t, 400, strings.Count(log.buf.String(), `"n":1`))
	middleware.AddLogAttrs(t.Context(), slog.Int("n", 1)) // outside a request: nothing happens
}

func TestRouteLabel(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET example.com/items/{id}", ok)
	mux.Handle("/named/{id}", middleware.Route("/named/:id", http.HandlerFunc(ok)))
	tests := []struct {
		name, path string
		between    middleware.Middleware
		want       any
	}{
		{"pattern without method", "/items/7", nil, "example.com/items/{id}"},
		{"named route wins", "/named/7", nil, "/named/:id"},
		{"foreign copy hides the pattern", "/items/7", copyRequest, nil},
		{"but not a named route", "/named/7", copyRequest, "/named/:id"},
		{"foreign writer does not", "/items/7", middleware.Chain(hideWriter, middleware.Recover(middleware.RecoverConfig{})), "example.com/items/{id}"},
		{"no match", "/none", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			log := &records{}
			mw := middleware.Chain(middleware.AccessLog(middleware.AccessLogConfig{Handler: log.handler()}), tt.between)
			call(mw(mux), request("GET", "http://example.com"+tt.path))
			require.Equal(t, tt.want, log.one(t)["route"])
		})
	}
}
