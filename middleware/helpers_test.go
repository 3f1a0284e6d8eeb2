package middleware_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

// records is a slog handler whose records can be read back as maps.
type records struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *records) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *records) handler() slog.Handler { return slog.NewJSONHandler(l, nil) }

func (l *records) all(t *testing.T) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []map[string]any
	dec := json.NewDecoder(bytes.NewReader(l.buf.Bytes()))
	for dec.More() {
		m := map[string]any{}
		require.NoError(t, dec.Decode(&m))
		out = append(out, m)
	}
	return out
}

func (l *records) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *records) one(t *testing.T) map[string]any {
	t.Helper()
	all := l.all(t)
	require.Len(t, all, 1)
	return all[0]
}

// protocols runs a test against a real server, once with HTTP/1.1 and once with HTTP/2.
func protocols(t *testing.T, test func(t *testing.T, start func(h http.Handler) *httptest.Server)) {
	t.Helper()
	for _, name := range []string{"HTTP/1.1", "HTTP/2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, func(h http.Handler) *httptest.Server {
				srv := httptest.NewUnstartedServer(h)
				srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
				if name == "HTTP/2" {
					srv.EnableHTTP2 = true
					srv.StartTLS()
				} else {
					srv.Start()
				}
				t.Cleanup(srv.Close)
				return srv
			})
		})
	}
}

// get fetches url and returns the response with its body read.
func get(t *testing.T, srv *httptest.Server, path string) (*http.Response, string) {
	t.Helper()
	resp, err := srv.Client().Get(srv.URL + path)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

// call runs one request through h without a network.
func call(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// request makes a GET with header lines given as name, value pairs.
func request(method, target string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

// problemOf decodes an error answer and checks what all of them have in common.
func problemOf(t *testing.T, h http.Header, body string) map[string]any {
	t.Helper()
	require.Equal(t, "application/problem+json", h.Get("Content-Type"))
	require.Equal(t, "no-store", h.Get("Cache-Control"))
	m := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(body), &m), body)
	return m
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

// shell is the whole stack, every part switched on, in its documented order.
func shell(log slog.Handler) middleware.Middleware {
	cfg := fullStack(log, silent{})
	headers := middleware.PageHeaders()
	cfg.Headers = &headers
	cfg.Hosts = &middleware.HostsConfig{Allowed: []string{"127.0.0.1", "example.com", "*.example.com"}}
	return middleware.Must(middleware.Stack(cfg))
}

// everyPart is each middleware of the package by name, and the whole stack. None of them refuses a plain
// GET of example.com or 127.0.0.1.
func everyPart() map[string]middleware.Middleware {
	return map[string]middleware.Middleware{
		"RequestID": middleware.Must(middleware.RequestID(middleware.RequestIDConfig{})),
		"ClientIP":  middleware.Must(middleware.ClientIP(middleware.ClientIPConfig{})),
		"Metrics":   middleware.Metrics(middleware.MetricsConfig{Observer: silent{}}),
		"AccessLog": middleware.AccessLog(middleware.AccessLogConfig{Handler: slog.DiscardHandler}),
		"Recover":   middleware.Recover(middleware.RecoverConfig{}),
		"Headers":   middleware.Must(middleware.Headers(middleware.PageHeaders())),
		"TrustedHosts": middleware.Must(middleware.TrustedHosts(middleware.HostsConfig{
			Allowed: []string{"127.0.0.1", "example.com"},
		})),
		"CORS": middleware.Must(middleware.CORS(middleware.CORSConfig{
			Origins: []string{"https://app.example.net"}, Credentials: true,
		})),
		"CSRF":           middleware.Must(middleware.CSRF(middleware.CSRFConfig{})),
		"MaxBody":        middleware.MaxBody(1 << 20),
		"Timeout":        middleware.Timeout(time.Minute),
		"Timeout lifted": middleware.Chain(middleware.Timeout(time.Minute), middleware.Timeout(0)),
		"Route":          func(next http.Handler) http.Handler { return middleware.Route("/", next) },
		"Handle": func(next http.Handler) http.Handler {
			return middleware.Handle(func(w http.ResponseWriter, r *http.Request) error {
				next.ServeHTTP(w, r)
				return nil
			})
		},
		"ErrorMap.Mux": func(next http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/", next)
			return middleware.ErrorMap{}.Mux(mux)
		},
		"Stack": shell(slog.DiscardHandler),
	}
}

// reasons lists the fields of every ConfigError joined in err.
func reasons(t *testing.T, err error) []string {
	t.Helper()
	joined, isJoined := err.(interface{ Unwrap() []error })
	require.True(t, isJoined, "%v", err)
	var fields []string
	for _, e := range joined.Unwrap() {
		var fault *middleware.ConfigError
		require.ErrorAs(t, e, &fault)
		require.True(t, strings.HasPrefix(fault.Error(), "middleware: "))
		require.NotEmpty(t, fault.Reason)
		fields = append(fields, fault.Field)
	}
	return fields
}
