package middleware_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

func TestRecoverBeforeAnyWrite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		handler http.HandlerFunc
	}{
		{"string", func(http.ResponseWriter, *http.Request) { panic("secret") }},
		{"error", func(http.ResponseWriter, *http.Request) { panic(errors.New("secret")) }},
		{"problem", func(http.ResponseWriter, *http.Request) { panic(&middleware.Problem{Status: 404, Detail: "secret"}) }},
		{"nil", func(http.ResponseWriter, *http.Request) { panic(nil) }},
		{"runtime", func(http.ResponseWriter, *http.Request) { var m map[int]int; m[0] = 1 }},
		{"after 103", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); panic("secret") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
				logged := &records{}
				resp, body := get(t, start(shell(logged.handler())(tt.handler)), "/")
				require.Equal(t, 500, resp.StatusCode)
				p := problemOf(t, resp.Header, body)
				require.Equal(t, "internal", p["code"])
				require.Equal(t, resp.Header.Get("X-Request-Id"), p["request_id"])
				require.NotContains(t, body, "secret")
				require.Eventually(t, func() bool { return len(logged.all(t)) == 2 }, 5*time.Second, time.Millisecond)
				require.Equal(t, "panic", logged.all(t)[0]["msg"])
				require.Contains(t, logged.all(t)[0]["stack"], "recover_test.go")
				require.EqualValues(t, 500, logged.all(t)[1]["status"])
			})
		})
	}
}

// Headers the handler set for the body that never came go. What was set outside of Recover is back as it
// was, and all other headers stay, wherever they were set.
func TestRecoverHeaders(t *testing.T) {
	t.Parallel()
	outside := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "outer")
			w.Header().Set("Content-Language", "en")
			w.Header().Set("Content-Location", "/outer")
			w.Header().Set("X-Outside", "1")
			w.Header().Set("Vary", "Accept-Encoding")
			next.ServeHTTP(w, r)
		})
	}
	entity := []string{
		"Content-Length", "Content-Encoding", "Content-Range", "Content-Disposition", "Content-Language",
		"ETag", "Last-Modified", "Cache-Control", "Expires", "Accept-Ranges", "Trailer", "Location",
	}
	mw := middleware.Chain(outside, middleware.Recover(middleware.RecoverConfig{}),
		middleware.Must(middleware.Headers(middleware.APIHeaders())))
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		srv := start(mw(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, name := range entity {
				w.Header().Set(name, "5")
			}
			w.Header().Set(http.TrailerPrefix+"Sum", "5")
			w.Header().Add("Vary", "Accept")
			w.Header().Set("X-Inside", "1")
			if r.URL.Path == "/deletes" {
				w.Header().Del("Content-Encoding")
			}
			panic("x")
		})))
		for _, path := range []string{"/", "/deletes"} {
			resp, body := get(t, srv, path)
			h := resp.Header
			require.Equal(t, 500, resp.StatusCode)
			problemOf(t, h, body)
			require.Equal(t, []string{"outer"}, h["Content-Encoding"])
			require.Equal(t, []string{"en"}, h["Content-Language"])
			require.Equal(t, []string{"/outer"}, h["Content-Location"])
			require.Equal(t, []string{"1"}, h["X-Outside"])
			require.Equal(t, []string{"1"}, h["X-Inside"])
			require.Equal(t, []string{"Accept-Encoding", "Accept"}, h["Vary"])
			require.Equal(t, []string{"DENY"}, h["X-Frame-Options"])
			require.Equal(t, []string{"no-store"}, h["Cache-Control"])
			require.Empty(t, resp.Trailer)
			for _, name := range []string{
				"Content-Range", "Content-Disposition", "Etag", "Last-Modified", "Expires", "Accept-Ranges", "Trailer", "Location",
			} {
				require.NotContains(t, h, name)
			}
		}
	})
}

func TestRecoverAfterBytesBreaksTheConnection(t *testing.T) {
	t.Parallel()
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		for _, flush := range []bool{true, false} {
			logged := &records{}
			srv := start(shell(logged.handler())(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "half")
				if flush {
					_ = http.NewResponseController(w).Flush()
				}
				panic("boom")
			})))
			resp, err := srv.Client().Get(srv.URL)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			require.Error(t, err, "flush %v", flush)
			require.Eventually(t, func() bool { return len(logged.all(t)) >= 2 }, 5*time.Second, time.Millisecond)
			require.Equal(t, "boom", logged.all(t)[0]["value"])
			require.Equal(t, true, logged.all(t)[1]["aborted"])
		}
	})
}

// http.ErrAbortHandler closes the connection or the stream, and nothing calls it an error: not the panic
// log, not the access log, not net/http. A client that got no status is counted as 444.
func TestAbort(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("proxy: %w", http.ErrAbortHandler)
	withLog := func(log slog.Handler, obs middleware.Observer) middleware.Middleware {
		return middleware.Chain(middleware.Metrics(middleware.MetricsConfig{Observer: obs}),
			middleware.AccessLog(middleware.AccessLogConfig{Handler: log}))
	}
	whole := func(log slog.Handler, obs middleware.Observer) middleware.Middleware {
		return middleware.Must(middleware.Stack(fullStack(log, obs)))
	}
	tests := []struct {
		name    string
		value   error
		begun   bool // the handler has answered 200 before
		mw      func(slog.Handler, middleware.Observer) middleware.Middleware
		status  int
		silence bool // net/http itself has nothing to say
	}{
		{"plain", http.ErrAbortHandler, false, whole, middleware.StatusAborted, true},
		{"wrapped", wrapped, false, whole, middleware.StatusAborted, true},
		{"after the answer began", http.ErrAbortHandler, true, whole, 200, true},
		{"wrapped, after the answer began", wrapped, true, whole, 200, true},
		{"without Recover", http.ErrAbortHandler, false, withLog, middleware.StatusAborted, true},
		{"wrapped, without Recover", wrapped, false, withLog, middleware.StatusAborted, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
				logged, complaints, obs := &records{}, &records{}, &tally{}
				srv := start(tt.mw(logged.handler(), obs)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if tt.begun {
						_, _ = io.WriteString(w, "half")
						_ = http.NewResponseController(w).Flush()
					}
					panic(tt.value)
				})))
				srv.Config.ErrorLog.SetOutput(complaints)
				resp, err := srv.Client().Get(srv.URL)
				if tt.begun {
					require.NoError(t, err)
					_, err = io.ReadAll(resp.Body)
					resp.Body.Close()
				}
				require.Error(t, err)
				srv.Close() // waits for the handler
				got := logged.one(t)
				require.Equal(t, "request", got["msg"])
				require.Equal(t, "INFO", got["level"])
				require.EqualValues(t, tt.status, got["status"])
				require.Equal(t, true, got["aborted"])
				require.Len(t, obs.seen, 1)
				require.Equal(t, tt.status, obs.seen[0].Status)
				require.Zero(t, obs.inFlight)
				if tt.silence {
					require.Empty(t, complaints.text())
					return
				}
				// On HTTP/2 net/http speaks up after it has told the client.
				require.Eventually(t, func() bool { return complaints.text() != "" }, 5*time.Second, time.Millisecond)
			})
		})
	}
}

// Without Recover the panics of a handler are errors of 500, and still net/http's to report.
func TestPanicsPassTheLogAndTheMetrics(t *testing.T) {
	t.Parallel()
	logged, obs := &records{}, &tally{}
	h := middleware.Chain(middleware.Metrics(middleware.MetricsConfig{Observer: obs}),
		middleware.AccessLog(middleware.AccessLogConfig{Handler: logged.handler()}))(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) { panic("boom") }))
	require.PanicsWithValue(t, "boom", func() { call(h, request("GET", "/")) })
	got := logged.one(t)
	require.EqualValues(t, 500, got["status"])
	require.Equal(t, "ERROR", got["level"])
	require.Equal(t, true, got["aborted"])
	require.Equal(t, 500, obs.seen[0].Status)
}

// runtime.Goexit cannot be answered: the client sees the connection end.
func TestGoexitOverTheWire(t *testing.T) {
	t.Parallel()
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		logged := &records{}
		srv := start(shell(logged.handler())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runtime.Goexit() })))
		_, err := srv.Client().Get(srv.URL)
		require.Error(t, err)
		require.Eventually(t, func() bool { return len(logged.all(t)) == 2 }, 5*time.Second, time.Millisecond)
		require.Contains(t, logged.all(t)[0]["value"], "Goexit")
		require.EqualValues(t, 500, logged.all(t)[1]["status"])
	})
}

func TestRecoverGoexit(t *testing.T) {
	t.Parallel()
	logged := &records{}
	h := middleware.Recover(middleware.RecoverConfig{Handler: logged.handler()})(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) { runtime.Goexit() }))
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(w, request("GET", "/"))
	}()
	<-done
	require.Contains(t, logged.one(t)["value"], "Goexit")
	require.Zero(t, w.Body.Len())
}

func TestRecoverAfterHijack(t *testing.T) {
	t.Parallel()
	logged, complaints := &records{}, &records{}
	srv := httptest.NewUnstartedServer(shell(logged.handler())(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
		panic("after hijack")
	})))
	srv.Config.ErrorLog = log.New(complaints, "", 0)
	srv.Start()
	_, err := srv.Client().Get(srv.URL)
	require.Error(t, err)
	srv.Close()
	require.Eventually(t, func() bool { return len(logged.all(t)) >= 2 }, 5*time.Second, time.Millisecond)
	require.Empty(t, complaints.text(), "net/http would complain about a write")
	last := logged.all(t)[len(logged.all(t))-1]
	require.EqualValues(t, 101, last["status"])
}

// panicky is a slog handler that fails in the worst way.
type panicky struct{ slog.Handler }

func (panicky) Enabled(context.Context, slog.Level) bool  { return true }
func (panicky) Handle(context.Context, slog.Record) error { panic("log handler") }

func TestRecoverSurvivesItsHooks(t *testing.T) {
	t.Parallel()
	boom := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })

	t.Run("hook panics", func(t *testing.T) {
		t.Parallel()
		logged := &records{}
		h := middleware.Recover(middleware.RecoverConfig{
			Handler: logged.handler(),
			OnPanic: func(_ *http.Request, v any, stack []byte) {
				require.Equal(t, "boom", v)
				require.NotEmpty(t, stack)
				panic("hook")
			},
		})(boom)
		require.Equal(t, 500, call(h, request("GET", "/")).Code)
		require.Equal(t, "panic in OnPanic", logged.all(t)[1]["msg"])
	})
	for name, handler := range map[string]slog.Handler{
		"log handler panics": panicky{},
		"log handler fails":  slog.NewJSONHandler(failingWriter{}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var errorLog bytes.Buffer
			srv := httptest.NewUnstartedServer(middleware.Recover(middleware.RecoverConfig{Handler: handler})(boom))
			srv.Config.ErrorLog = log.New(lockedWriter{&mu, &errorLog}, "", 0)
			srv.Start()
			defer srv.Close()
			resp, _ := get(t, srv, "/")
			require.Equal(t, 500, resp.StatusCode)
			mu.Lock()
			defer mu.Unlock()
			require.Contains(t, errorLog.String(), "boom")
		})
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// A compressor between the two parts has its own writer; Recover inside it must see its own writes.
func TestRecoverUnderAForeignWriter(t *testing.T) {
	t.Parallel()
	mw := middleware.Chain(shell(slog.DiscardHandler), bufferAll, middleware.Recover(middleware.RecoverConfig{}))
	h := mw(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 10))
		panic("late")
	}))
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { call(h, request("GET", "http://example.com/")) })
}

// bufferAll holds the body back until the handler is done, as compressors do.
func bufferAll(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := &bufferedWriter{ResponseWriter: w}
		next.ServeHTTP(b, r)
		_, _ = w.Write(b.buf.Bytes())
	})
}

type bufferedWriter struct {
	http.ResponseWriter
	buf bytes.Buffer
}

func (b *bufferedWriter) Write(p []byte) (int, error) { return b.buf.Write(p) }
func (b *bufferedWriter) WriteHeader(int)             {}
