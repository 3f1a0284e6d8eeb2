package middleware_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

func TestMaxBody(t *testing.T) {
	t.Parallel()
	read := middleware.Handle(func(w http.ResponseWriter, r *http.Request) error {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	})
	tests := []struct {
		name    string
		limits  []int64
		body    string
		chunked bool
		status  int
	}{
		{"below", []int64{5}, "1234", false, 200},
		{"exactly the limit", []int64{5}, "12345", false, 200},
		{"declared above", []int64{5}, "123456", false, 413},
		{"chunked above", []int64{5}, "123456", true, 413},
		{"chunked below", []int64{5}, "12345", true, 200},
		{"no body", []int64{0}, "", false, 200},
		{"zero allows none", []int64{0}, "1", false, 413},
		{"negative is off", []int64{-1}, strings.Repeat("1", 1000), false, 200},
		{"the smaller of two, outside", []int64{5, 50}, "123456", true, 413},
		{"the smaller of two, inside", []int64{50, 5}, "123456", true, 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
				h := read
				for _, n := range tt.limits {
					h = middleware.MaxBody(n)(h)
				}
				srv := start(h)
				var body io.Reader = strings.NewReader(tt.body)
				if tt.chunked {
					body = io.MultiReader(body) // a reader without a known length
				}
				resp, err := srv.Client().Post(srv.URL, "text/plain", body)
				require.NoError(t, err)
				raw, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				resp.Body.Close()
				require.Equal(t, tt.status, resp.StatusCode)
				if tt.status == 413 {
					require.Equal(t, "too_large", problemOf(t, resp.Header, string(raw))["code"])
				}
			})
		})
	}
}

// A client that asks first is told no instead of being invited to send.
func TestMaxBodyDoesNotInvite(t *testing.T) {
	t.Parallel()
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		srv := start(shell(slog.DiscardHandler)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			ok(w, r)
		})))
		srv.Client().Transport.(*http.Transport).ExpectContinueTimeout = time.Minute
		for size, status := range map[int]int{1 << 10: 200, 1<<10 + 1: 413} {
			var invited, sent atomic.Bool
			trace := &httptrace.ClientTrace{Got100Continue: func() { invited.Store(true) }}
			req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "POST", srv.URL,
				readerFunc(func(p []byte) (int, error) {
					sent.Store(true)
					clear(p)
					return len(p), nil
				}))
			require.NoError(t, err)
			req.ContentLength = int64(size)
			req.Body = io.NopCloser(io.LimitReader(req.Body, int64(size)))
			req.Header.Set("Expect", "100-continue")
			resp, err := srv.Client().Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, status, resp.StatusCode)
			require.Equal(t, status == 200, invited.Load(), "a small body is invited, a large one is not")
			require.Equal(t, status == 200, sent.Load())
			if status == 413 {
				require.Equal(t, "too_large", problemOf(t, resp.Header, string(body))["code"])
			}
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// After a body turned out too large net/http must not read on for the next request.
func TestMaxBodyClosesTheConnection(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(middleware.Chain(middleware.Recover(middleware.RecoverConfig{}), middleware.MaxBody(4))(
		middleware.Handle(func(_ http.ResponseWriter, r *http.Request) error {
			return json.NewDecoder(r.Body).Decode(new(any))
		})))
	t.Cleanup(srv.Close)
	resp, err := srv.Client().Post(srv.URL, "application/json", io.MultiReader(strings.NewReader(`"123456789"`)))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 413, resp.StatusCode)
	require.True(t, resp.Close)
}

func TestMaxBodyKeepsThePatternAndTheCallersRequest(t *testing.T) {
	t.Parallel()
	log := &records{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /up", ok)
	foreign := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := r.Body
			copied := r.WithContext(r.Context())
			next.ServeHTTP(w, copied)
			require.Equal(t, body, copied.Body, "a request of others is not changed")
		})
	}
	h := middleware.Chain(middleware.AccessLog(middleware.AccessLogConfig{Handler: log.handler()}), foreign,
		middleware.MaxBody(10))(mux)
	call(h, httptest.NewRequest("POST", "/up", strings.NewReader("abc")))
	require.Equal(t, "/up", log.one(t)["route"])
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	wait := func(r *http.Request) { <-r.Context().Done() }
	tests := []struct {
		name    string
		mw      []middleware.Middleware
		handler http.HandlerFunc
		status  int
		body    string // "" expects a problem
	}{
		{
			"obedient",
			[]middleware.Middleware{middleware.Timeout(time.Second)},
			func(_ http.ResponseWriter, r *http.Request) { wait(r) }, 503, "",
		},
		{
			"obedient through Handle",
			[]middleware.Middleware{middleware.Timeout(time.Second)},
			middleware.Handle(func(_ http.ResponseWriter, r *http.Request) error {
				wait(r)
				return r.Context().Err()
			}).ServeHTTP, 503, "",
		},
		{
			"deaf",
			[]middleware.Middleware{middleware.Timeout(time.Second)},
			func(w http.ResponseWriter, r *http.Request) { wait(r); ok(w, r) }, 200, "ok",
		},
		{
			"in time",
			[]middleware.Middleware{middleware.Timeout(time.Second)},
			ok, 200, "ok",
		},
		{
			"streaming",
			[]middleware.Middleware{middleware.Timeout(time.Second)},
			func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "a")
				w.(http.Flusher).Flush()
				wait(r)
				_, _ = io.WriteString(w, "b")
			}, 200, "ab",
		},
		{
			"lifted inside",
			[]middleware.Middleware{middleware.Timeout(time.Second), middleware.Timeout(0)},
			func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-r.Context().Done():
				case <-time.After(time.Hour):
				}
				require.NoError(t, r.Context().Err())
				ok(w, r)
			}, 200, "ok",
		},
		{
			"longer inside",
			[]middleware.Middleware{middleware.Timeout(time.Second), middleware.Timeout(time.Minute)},
			func(_ http.ResponseWriter, r *http.Request) {
				start := time.Now()
				wait(r)
				require.Equal(t, time.Minute, time.Since(start))
			}, 503, "",
		},
		{
			"shorter inside",
			[]middleware.Middleware{middleware.Timeout(time.Minute), middleware.Timeout(time.Second)},
			func(_ http.ResponseWriter, r *http.Request) {
				start := time.Now()
				wait(r)
				require.Equal(t, time.Second, time.Since(start))
			}, 503, "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &onceWriter{ResponseRecorder: httptest.NewRecorder()}
				middleware.Chain(tt.mw...)(tt.handler).ServeHTTP(w, request("GET", "/"))
				require.Equal(t, tt.status, w.Code)
				require.LessOrEqual(t, w.headers, 1, "one WriteHeader")
				if tt.body != "" {
					require.Equal(t, tt.body, w.Body.String())
					return
				}
				require.Equal(t, "unavailable", problemOf(t, w.Header(), w.Body.String())["code"])
				require.Equal(t, "5", w.Header().Get("Retry-After"))
			})
		})
	}
}

// The same over real connections: an answer that streams goes on after the deadline.
func TestTimeoutOverTheWire(t *testing.T) {
	t.Parallel()
	wait := func(r *http.Request) { <-r.Context().Done() }
	mux := http.NewServeMux()
	mux.HandleFunc("/obedient", func(_ http.ResponseWriter, r *http.Request) { wait(r) })
	mux.Handle("/handle", middleware.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		wait(r)
		return fmt.Errorf("query: %w", r.Context().Err())
	}))
	mux.HandleFunc("/deaf", func(w http.ResponseWriter, r *http.Request) { wait(r); ok(w, r) })
	mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "before, ")
		_ = http.NewResponseController(w).Flush()
		wait(r)
		_, _ = io.WriteString(w, "after")
	})
	mux.Handle("/lifted", middleware.Timeout(0)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, has := r.Context().Deadline()
		fmt.Fprint(w, has, r.Context().Err())
	})))
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		log := &records{}
		cfg := fullStack(log.handler(), nil)
		cfg.Timeout = 10 * time.Millisecond
		srv := start(middleware.Must(middleware.Stack(cfg))(mux))
		for _, path := range []string{"/obedient", "/handle"} {
			resp, body := get(t, srv, path)
			require.Equal(t, 503, resp.StatusCode, path)
			require.Equal(t, "unavailable", problemOf(t, resp.Header, body)["code"], path)
			require.Equal(t, []string{"5"}, resp.Header["Retry-After"], path)
		}
		for path, want := range map[string]string{"/deaf": "ok", "/stream": "before, after", "/lifted": "false <nil>"} {
			resp, body := get(t, srv, path)
			require.Equal(t, 200, resp.StatusCode, path)
			require.Equal(t, want, body, path)
		}
		srv.Close()
		require.Len(t, log.all(t), 5)
	})
}

type onceWriter struct {
	*httptest.ResponseRecorder
	headers int
}

func (o *onceWriter) WriteHeader(status int) {
	o.headers++
	o.ResponseRecorder.WriteHeader(status)
}

// Lifting the deadline must not cut the request loose from its client, or from its values.
func TestTimeoutLiftedStillEndsWithTheClient(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx, leave := context.WithCancelCause(context.WithValue(t.Context(), key{}, "value"))
	h := middleware.Chain(middleware.Timeout(time.Minute), middleware.Timeout(0))(http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) {
			require.Equal(t, "value", r.Context().Value(key{}))
			_, has := r.Context().Deadline()
			require.False(t, has)
			derived, cancel := context.WithCancel(r.Context())
			defer cancel()
			leave(errors.New("gone"))
			<-derived.Done()
			require.ErrorIs(t, r.Context().Err(), context.Canceled)
		}))
	call(h, request("GET", "/").WithContext(ctx))
}
