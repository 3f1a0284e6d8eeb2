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

// Headers that describe the body that never came go; those set outside, and all others, stay.
func TestRecoverHeaders(t *testing.T) {
	t.Parallel()
	outside := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "outer")
			w.Header().Set("Content-Language", "en")
			next.ServeHTTP(w, r)
		})
	}
	mw := middleware.Chain(outside, middleware.Recover(middleware.RecoverConfig{}),
		middleware.Must(middleware.Headers(middleware.APIHeaders())))
	w := call(mw(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range []string{
			"Content-Length", "Content-Encoding", "ETag", "Cache-Control", "Trailer", "Last-Modified",
			"Content-Range", http.TrailerPrefix + "Sum",
		} {
			w.Header().Set(name, "5")
		}
		w.Header().Set("Vary", "Accept")
		panic("x")
	})), request("GET", "/"))
	h := w.Header()
	require.Equal(t, 500, w.Code)
	require.Equal(t, "outer", h.Get("Content-Encoding"))
	require.Equal(t, "en", h.Get("Content-Language"))
	require.Equal(t, "Accept", h.Get("Vary"))
	require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
	require.Equal(t, "no-store", h.Get("Cache-Control"))
	for _, name := range []string{"Content-Length", "ETag", "Trailer", "Last-Modified", "Content-Range", http.TrailerPrefix + "Sum"} {
		require.Empty(t, h.Values(name), name)
	}
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

func TestRecoverAbort(t *testing.T) {
	t.Parallel()
	for _, value := range []error{http.ErrAbortHandler, fmt.Errorf("proxy: %w", http.ErrAbortHandler)} {
		logged := &records{}
		h := middleware.Recover(middleware.RecoverConfig{Handler: logged.handler()})(http.HandlerFunc(
			func(http.ResponseWriter, *http.Request) { panic(value) }))
		require.PanicsWithValue(t, http.ErrAbortHandler, func() { call(h, request("GET", "/")) })
		require.Empty(t, logged.all(t))
	}
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
	require.Empty(t, complaints.buf.String(), "net/http would complain about a write")
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
