package middlewaretest_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/middleware/middlewaretest"
)

func TestOurOwn(t *testing.T) {
	t.Parallel()
	headers := middleware.PageHeaders()
	parts := map[string]middleware.Middleware{
		"nothing":    middleware.Chain(),
		"RequestID":  middleware.Must(middleware.RequestID(middleware.RequestIDConfig{})),
		"ClientIP":   middleware.Must(middleware.ClientIP(middleware.ClientIPConfig{})),
		"Metrics":    middleware.Metrics(middleware.MetricsConfig{Observer: silent{}}),
		"AccessLog":  middleware.AccessLog(middleware.AccessLogConfig{Handler: slog.DiscardHandler}),
		"Recover":    middleware.Recover(middleware.RecoverConfig{}),
		"Headers":    middleware.Must(middleware.Headers(headers)),
		"Hosts":      middleware.Must(middleware.TrustedHosts(middleware.HostsConfig{Allowed: []string{"127.0.0.1"}})),
		"CORS":       middleware.Must(middleware.CORS(middleware.CORSConfig{Origins: []string{"*"}})),
		"CSRF":       middleware.Must(middleware.CSRF(middleware.CSRFConfig{})),
		"MaxBody":    middleware.MaxBody(1000),
		"Timeout":    middleware.Timeout(time.Minute),
		"Timeout(0)": middleware.Chain(middleware.Timeout(time.Minute), middleware.Timeout(0)),
		"Route":      func(next http.Handler) http.Handler { return middleware.Route("/", next) },
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
		"Stack": middleware.Must(middleware.Stack(middleware.StackConfig{
			RequestID: &middleware.RequestIDConfig{}, ClientIP: &middleware.ClientIPConfig{},
			Metrics:   &middleware.MetricsConfig{Observer: silent{}},
			AccessLog: &middleware.AccessLogConfig{Handler: slog.DiscardHandler}, Recover: &middleware.RecoverConfig{},
			Headers: &headers, Hosts: &middleware.HostsConfig{Allowed: []string{"127.0.0.1"}},
			CORS: &middleware.CORSConfig{}, CSRF: &middleware.CSRFConfig{}, Origins: []string{"https://app.example.com"},
			MaxBody: 1 << 20, Timeout: time.Minute,
		})),
	}
	for name, mw := range parts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			middlewaretest.TestWriter(t, mw)
		})
	}
}

// silent is an observer that keeps nothing.
type silent struct{}

func (silent) Begin(context.Context)                       {}
func (silent) End(context.Context, middleware.Observation) {}

// Middleware with the usual mistakes must fail. Each runs in a process of its own, since a failing
// subtest fails its parents.
func TestMistakesAreFound(t *testing.T) {
	t.Parallel()
	mistakes := map[string]middleware.Middleware{
		"hides everything": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
			})
		},
		"buffers": func(next http.Handler) http.Handler { return http.TimeoutHandler(next, 200*time.Millisecond, "late") },
		"reads files itself": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&copier{w}, r) })
		},
		"takes 103 for the answer": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&firstStatus{ResponseWriter: w}, r) })
		},
	}
	const variable = "MIDDLEWARETEST_MISTAKE"
	if name := os.Getenv(variable); name != "" {
		middlewaretest.TestWriter(t, mistakes[name])
		return
	}
	want := map[string][]string{
		"hides everything":         {"HTTP1/interfaces", "HTTP1/controller", "HTTP1/duplex", "HTTP1/hijack", "HTTP1/sendfile", "HTTP2/interfaces"},
		"buffers":                  {"HTTP1/interfaces", "HTTP1/controller", "HTTP1/stream", "HTTP2/stream"},
		"reads files itself":       {"HTTP1/sendfile"},
		"takes 103 for the answer": {"HTTP1/informational", "HTTP2/informational"},
	}
	for name := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestMistakesAreFound$", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), variable+"="+name)
			out, err := cmd.CombinedOutput()
			require.Error(t, err)
			for _, sub := range want[name] {
				require.True(t, strings.Contains(string(out), "--- FAIL: TestMistakesAreFound/"+sub+" "), "%s: %s", sub, out)
			}
		})
	}
}

// firstStatus drops every status but the first, whatever it is.
type firstStatus struct {
	http.ResponseWriter
	done bool
}

func (f *firstStatus) Unwrap() http.ResponseWriter { return f.ResponseWriter }

func (f *firstStatus) WriteHeader(status int) {
	if !f.done {
		f.done = true
		f.ResponseWriter.WriteHeader(status)
	}
}

// copier has ReadFrom, but makes an ordinary reader of what it is given.
type copier struct{ http.ResponseWriter }

func (c *copier) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *copier) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(c.ResponseWriter, struct{ io.Reader }{r})
}
