package middleware_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

func TestProblemJSON(t *testing.T) {
	t.Parallel()
	p := &middleware.Problem{
		Type: "about:blank", Status: 422, Detail: "Two <fields>.", Instance: "/v1/x", Code: "validation_failed",
		RequestID: "abc", Errors: []middleware.FieldError{{Pointer: "#/a", Code: "too_short", Detail: "Use 3."}},
		Extensions: map[string]any{"zeta": 1, "alpha": []int{2}, "status": 200, "bad": func() {}, "": 1},
		Header:     http.Header{"X": {"y"}}, Err: errors.New("secret"),
	}
	got, err := json.Marshal(p)
	require.NoError(t, err)
	require.Equal(t, `{"title":"Unprocessable Entity","status":422,"detail":"Two \u003cfields\u003e.",`+
		`"instance":"/v1/x","code":"validation_failed","request_id":"abc",`+
		`"errors":[{"pointer":"#/a","code":"too_short","detail":"Use 3."}],"alpha":[2],"zeta":1}`, string(got))

	got, err = json.Marshal(&middleware.Problem{})
	require.NoError(t, err)
	require.Equal(t, `{"title":"Internal Server Error","status":500}`, string(got))
}

func TestProblemIsAnError(t *testing.T) {
	t.Parallel()
	notFound := &middleware.Problem{Status: 404, Code: "not_found", Detail: "No."}
	cause := errors.New("no rows")
	copied := notFound.With("No such item.", cause)
	require.ErrorIs(t, fmt.Errorf("load: %w", copied), notFound)
	require.ErrorIs(t, copied, cause)
	require.Equal(t, "not_found: No such item.: no rows", copied.Error())
	require.Equal(t, "not_found: No.", notFound.Error())
	require.Equal(t, "Internal Server Error", (&middleware.Problem{}).Error())
	require.NotErrorIs(t, copied, &middleware.Problem{Status: 410, Code: "not_found"})
	require.NotErrorIs(t, &middleware.Problem{}, &middleware.Problem{})
	require.Equal(t, "No.", notFound.With("", nil).Detail)
}

type quotaError struct{ wait time.Duration }

func (e *quotaError) Error() string { return "quota" }

func TestErrorMap(t *testing.T) {
	t.Parallel()
	errGone := errors.New("gone")
	var seen []string
	m := middleware.ErrorMap{
		Rules: []middleware.ErrorRule{
			{Is: errGone, Problem: &middleware.Problem{Status: 410, Code: "gone"}},
			middleware.AsRule(func(e *quotaError) *middleware.Problem {
				if e.wait == 0 {
					return nil
				}
				return &middleware.Problem{
					Status: 429, Code: "rate_limited", Header: http.Header{"retry-after": {"7"}, "Cache-Control": {"private"}},
				}
			}),
		},
		OnError: func(_ *http.Request, err error, p *middleware.Problem) {
			seen = append(seen, fmt.Sprintf("%v %s", err, p.Code))
		},
	}
	tests := []struct {
		name   string
		err    error
		status int
		code   string
	}{
		{"sentinel", fmt.Errorf("x: %w", errGone), 410, "gone"},
		{"typed", &quotaError{wait: 1}, 429, "rate_limited"},
		{"typed but passed on", &quotaError{}, 500, "internal"},
		{"problem in the chain", fmt.Errorf("x: %w", &middleware.Problem{Status: 409, Code: "conflict"}), 409, "conflict"},
		{"body limit", &http.MaxBytesError{Limit: 3}, 413, "too_large"},
		{"deadline", fmt.Errorf("db: %w", context.DeadlineExceeded), 503, "unavailable"},
		{"client gone", fmt.Errorf("db: %w", context.Canceled), 499, "client_closed"},
		{"unknown", errors.New("postgres://user:password@host"), 500, "internal"},
		{"nil", nil, 500, "internal"},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		w.Header().Set("X-Request-Id", "id-1")
		w.Header().Set("Etag", `"old"`)
		m.Write(w, request("GET", "/a%20b/<c>?token=secret"), tt.err)
		require.Equal(t, tt.status, w.Code, tt.name)
		body := map[string]any{}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
		require.Equal(t, tt.code, body["code"], tt.name)
		require.Equal(t, "id-1", body["request_id"])
		require.Equal(t, "/a%20b/%3Cc%3E", body["instance"])
		require.NotEmpty(t, body["title"])
		require.NotContains(t, w.Body.String(), "password")
		require.Empty(t, w.Header().Get("Etag"))
		require.Equal(t, fmt.Sprint(w.Body.Len()), w.Header().Get("Content-Length"))
		if tt.status == 429 {
			require.Equal(t, "7", w.Header().Get("Retry-After"))
			require.Equal(t, "private", w.Header().Get("Cache-Control"))
		}
	}
	require.Len(t, seen, len(tests))
	require.Nil(t, m.Problem(nil))
}

func TestHandle(t *testing.T) {
	t.Parallel()
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		log := &records{}
		mux := http.NewServeMux()
		mux.Handle("/fine", middleware.Handle(func(w http.ResponseWriter, _ *http.Request) error {
			_, err := io.WriteString(w, "fine")
			return err
		}))
		mux.Handle("/early", middleware.Handle(func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "text/csv")
			w.Header().Set("Content-Length", "5")
			w.Header().Set("Content-Encoding", "br")
			w.Header().Set("ETag", `"x"`)
			return &middleware.Problem{Status: 409, Code: "conflict"}
		}))
		mux.Handle("/late", middleware.Handle(func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "half of it")
			_ = http.NewResponseController(w).Flush()
			return errors.New("disk gone")
		}))
		mux.Handle("/large", middleware.Handle(func(w http.ResponseWriter, r *http.Request) error {
			return json.NewDecoder(http.MaxBytesReader(w, r.Body, 4)).Decode(new(any))
		}))
		srv := start(middleware.AccessLog(middleware.AccessLogConfig{Handler: log.handler()})(mux))

		resp, body := get(t, srv, "/fine")
		require.Equal(t, "fine", body)
		require.Equal(t, 200, resp.StatusCode)

		resp, body = get(t, srv, "/early")
		require.Equal(t, 409, resp.StatusCode)
		require.Equal(t, "conflict", problemOf(t, resp.Header, body)["code"])
		require.Empty(t, resp.Header.Get("Etag"))
		require.Empty(t, resp.Header.Get("Content-Encoding"))

		resp, err := srv.Client().Get(srv.URL + "/late")
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.Error(t, err, "half an answer must not look whole")
		resp.Body.Close()

		// A reader without a known length is sent in chunks.
		resp, err = srv.Client().Post(srv.URL+"/large", "application/json", io.MultiReader(strings.NewReader(`{"a":"bcdefgh"}`)))
		require.NoError(t, err)
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, 413, resp.StatusCode)
		require.Equal(t, "too_large", problemOf(t, resp.Header, string(raw))["code"])
	})
}

func TestMuxAnswersWithProblems(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.PathValue("id"))
	})
	mux.HandleFunc("GET /dir/", ok)
	h := middleware.ErrorMap{}.Mux(mux)

	require.Equal(t, "7", call(h, request("GET", "/items/7")).Body.String())
	require.Equal(t, "/dir/", call(h, request("GET", "/dir")).Header().Get("Location"))

	w := call(h, request("GET", "/none"))
	require.Equal(t, 404, w.Code)
	require.Equal(t, "not_found", problemOf(t, w.Header(), w.Body.String())["code"])

	w = call(h, request("PUT", "/items/7"))
	require.Equal(t, 405, w.Code)
	require.Equal(t, "method_not_allowed", problemOf(t, w.Header(), w.Body.String())["code"])
	require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))

	r := request("OPTIONS", "/")
	r.RequestURI = "*"
	require.Equal(t, 400, call(h, r).Code)
}

// A handler that fails in the middle of its answer must not leave a whole-looking half: neither when its
// deadline ended it, nor when the server did.
func TestLateErrorsBreakTheAnswer(t *testing.T) {
	t.Parallel()
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		logged := &records{}
		var mu sync.Mutex
		var told []string
		answers := middleware.ErrorMap{OnError: func(_ *http.Request, err error, p *middleware.Problem) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprint(p.Status, " ", err))
		}}
		half := func(end func(r *http.Request) error) http.Handler {
			return answers.Handle(func(w http.ResponseWriter, r *http.Request) error {
				_, _ = io.WriteString(w, "half of it")
				_ = http.NewResponseController(w).Flush()
				return end(r)
			})
		}
		mux := http.NewServeMux()
		mux.Handle("/disk", half(func(*http.Request) error { return errors.New("disk gone") }))
		mux.Handle("/deadline", middleware.Timeout(time.Millisecond)(half(func(r *http.Request) error {
			<-r.Context().Done()
			return fmt.Errorf("query: %w", r.Context().Err())
		})))
		stopped, stop := context.WithCancel(t.Context())
		stop()
		mux.Handle("/stopped", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			half(func(r *http.Request) error { return r.Context().Err() }).ServeHTTP(w, r.WithContext(stopped))
		}))
		srv := start(middleware.Chain(middleware.AccessLog(middleware.AccessLogConfig{Handler: logged.handler()}),
			middleware.Recover(middleware.RecoverConfig{Handler: logged.handler()}))(mux))
		for _, path := range []string{"/disk", "/deadline", "/stopped"} {
			resp, err := srv.Client().Get(srv.URL + path)
			require.NoError(t, err, path)
			_, err = io.ReadAll(resp.Body)
			require.Error(t, err, path)
			resp.Body.Close()
		}
		srv.Close()
		require.Equal(t, []string{"500 disk gone", "503 query: context deadline exceeded", "499 context canceled"}, told)
		require.Len(t, logged.all(t), 3, "no panic is logged")
		for k, text := range []any{"disk gone", "query: context deadline exceeded", nil} {
			record := logged.all(t)[k]
			require.EqualValues(t, 200, record["status"])
			require.Equal(t, true, record["aborted"])
			if text != nil {
				require.Equal(t, text, record["error"])
			}
		}
	})
}

// After a hijack nothing can be answered, but the error is not lost.
func TestErrorAfterHijack(t *testing.T) {
	t.Parallel()
	logged := &records{}
	told := make(chan error, 1)
	answers := middleware.ErrorMap{OnError: func(_ *http.Request, err error, _ *middleware.Problem) { told <- err }}
	srv := httptest.NewServer(middleware.AccessLog(middleware.AccessLogConfig{Handler: logged.handler()})(answers.Handle(
		func(w http.ResponseWriter, _ *http.Request) error {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return err
			}
			conn.Close()
			return errors.New("bad frame")
		})))
	t.Cleanup(srv.Close)
	_, err := srv.Client().Get(srv.URL)
	require.Error(t, err)
	require.EqualError(t, <-told, "bad frame")
	require.Eventually(t, func() bool { return len(logged.all(t)) == 1 }, 5*time.Second, time.Millisecond)
	require.Equal(t, "bad frame", logged.one(t)["error"])
	require.EqualValues(t, 101, logged.one(t)["status"])
	require.NotContains(t, logged.one(t), "aborted")
}
