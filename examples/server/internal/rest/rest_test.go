package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/middleware"
)

type room struct {
	Name  string   `json:"name" minLength:"2" maxLength:"10"`
	Count int64    `json:"count,omitempty" minimum:"0" maximum:"9000"`
	Big   int64    `json:"big,omitempty"`
	Kind  string   `json:"kind,omitempty" enum:"a,b"`
	Email string   `json:"email,omitempty" format:"email"`
	At    string   `json:"at,omitempty" format:"date-time"`
	Tags  []string `json:"tags,omitempty" maxItems:"2"`
	Items []struct {
		Label string `json:"label" minLength:"1"`
	} `json:"items,omitempty"`
}

type roomInput struct {
	ID    int      `path:"id"`
	Limit int      `query:"limit" maximum:"10"`
	Many  []string `query:"many,explode"`
	Body  room
}

type roomOutput struct{ Body room }

type callerKey struct{}

const secret = "postgres://user:hunter2@db/internal"

// newServer returns a server with one operation of every sort.
func newServer(t *testing.T, logs io.Writer) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	api := rest.New(mux, huma.Info{Title: "test", Version: "1"})
	rest.Register(api, huma.Operation{
		OperationID: "room", Method: http.MethodPost, Path: "/rooms/{id}", MaxBodyBytes: 1024,
	}, func(_ context.Context, in *roomInput) (*roomOutput, error) {
		return &roomOutput{Body: in.Body}, nil
	})
	rest.Register(api, huma.Operation{OperationID: "patch", Method: http.MethodPatch, Path: "/rooms"},
		func(_ context.Context, in *struct{ Body room }) (*roomOutput, error) {
			return &roomOutput{Body: in.Body}, nil
		})
	rest.Register(api, huma.Operation{OperationID: "auth", Method: http.MethodPost, Path: "/v1/auth/x"},
		func(_ context.Context, _ *struct{ Body map[string]string }) (*struct{}, error) { return nil, nil })
	rest.Register(api, huma.Operation{OperationID: "fail", Method: http.MethodGet, Path: "/fail/{how}"},
		func(ctx context.Context, in *struct {
			How string `path:"how"`
		},
		) (*struct{}, error) {
			switch in.How {
			case "secret":
				return nil, fmt.Errorf("connect %s: refused", secret)
			case "problem":
				return nil, fmt.Errorf("wrapped: %w", fault.With(fault.New(fault.SurveyIncomplete, "Add a room."), "missing", []string{"rooms"}))
			case "busy":
				return nil, fault.New(fault.Busy, "")
			case "panic":
				panic(secret)
			}
			<-ctx.Done()
			return nil, errors.New("driver: interrupted")
		})
	rest.Register(api, huma.Operation{
		OperationID: "guarded", Method: http.MethodPost, Path: "/guarded",
		Middlewares: huma.Middlewares{rest.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "" {
					middleware.WriteProblem(w, r, fault.New(fault.Unauthenticated, ""))
					return
				}
				next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, "robin")))
			})
		})},
	}, func(ctx context.Context, _ *struct{ Body room }) (*roomOutput, error) {
		return &roomOutput{Body: room{Name: ctx.Value(callerKey{}).(string)}}, nil
	})
	rest.Handle(mux, api, huma.Operation{OperationID: "upload", Method: http.MethodPost, Path: "/upload"}, nil,
		func(w http.ResponseWriter, r *http.Request) error {
			if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 1<<10)); err != nil {
				return err
			}
			return errors.New(secret)
		})
	shell := middleware.Chain(
		middleware.Must(middleware.RequestID(middleware.RequestIDConfig{})),
		middleware.AccessLog(middleware.AccessLogConfig{Handler: slog.NewJSONHandler(logs, nil)}),
		middleware.Recover(middleware.RecoverConfig{}),
	)
	server := httptest.NewServer(shell(middleware.ErrorMap{}.Mux(mux)))
	t.Cleanup(server.Close)
	return server
}

type problem struct {
	Title     string
	Status    int
	Code      string
	Detail    string
	Instance  string
	RequestID string `json:"request_id"`
	Missing   []string
	Errors    []fault.Field
}

func call(t *testing.T, method, url, contentType, body string) (*http.Response, problem, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var p problem
	if res.StatusCode >= 400 {
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"), "%s", text)
		require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
		require.NoError(t, json.Unmarshal(text, &p))
		require.Equal(t, res.StatusCode, p.Status)
		require.Equal(t, req.URL.EscapedPath(), p.Instance)
		require.Equal(t, res.Header.Get("X-Request-Id"), p.RequestID)
		require.NotEmpty(t, p.RequestID)
		status, known := fault.Status(p.Code)
		require.True(t, known, p.Code)
		require.Equal(t, status, p.Status)
	}
	return res, p, string(text)
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	server := newServer(t, io.Discard)
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for _, tt := range []struct {
		name, query, contentType, body string
		status                         int
		code                           string
		want                           []string // "pointer or parameter code"
	}{
		{name: "good", body: `{"name":"Kitchen","count":3}`, status: 200},
		{name: "good without type", body: `{"name":"Kitchen"}`, status: 200, contentType: "-"},
		{name: "exactly the limit", body: `{"name":"Kitchen"` + strings.Repeat(" ", 1024-18) + `}`, status: 200},
		{name: "over the limit", body: `{"name":"Kitchen"` + strings.Repeat(" ", 1024-17) + `}`, status: 413, code: "too_large"},
		{name: "empty", status: 400, code: "malformed"},
		{name: "not json", body: `{"name"`, status: 400, code: "malformed"},
		{name: "trailing", body: `{"name":"Kitchen"} {}`, status: 400, code: "malformed"},
		{name: "duplicate", body: `{"name":"Kitchen","na\u006de":"Other"}`, status: 400, code: "malformed"},
		{name: "nested duplicate", body: `{"name":"Kitchen","items":[{"label":"a","label":"b"}]}`, status: 400, code: "malformed"},
		{name: "bad utf-8", body: "{\"name\":\"Kit\xff\"}", status: 400, code: "malformed"},
		{name: "byte order mark", body: "\ufeff{\"name\":\"Kitchen\"}", status: 400, code: "malformed"},
		{name: "too deep", body: deep, status: 422, code: "validation_failed", want: []string{"# too_deep"}},
		{name: "nul", body: `{"name":"Kit\u0000chen"}`, status: 422, code: "validation_failed", want: []string{"#/name bad_format"}},
		{name: "huge number", body: `{"name":"Kitchen","items":[{"label":"a"},{"label":1e999}]}`, status: 422, code: "validation_failed", want: []string{"#/items/1/label out_of_range"}},
		{name: "over int64", body: `{"name":"Kitchen","big":99999999999999999999}`, status: 422, code: "validation_failed", want: []string{"#/big out_of_range"}},
		{name: "exponent", body: `{"name":"Kitchen","big":1e3}`, status: 422, code: "validation_failed", want: []string{"#/big wrong_type"}},
		{name: "array", body: `[]`, status: 422, code: "validation_failed", want: []string{"# wrong_type"}},
		{name: "missing", body: `{}`, status: 422, code: "validation_failed", want: []string{"#/name required"}},
		{name: "null", body: `{"name":null}`, status: 422, code: "validation_failed", want: []string{"#/name not_nullable"}},
		{name: "types", body: `{"name":7,"count":"x","tags":{}}`, status: 422, code: "validation_failed", want: []string{"#/count wrong_type", "#/name wrong_type", "#/tags wrong_type"}},
		{name: "fraction", body: `{"name":"Kitchen","count":1.5}`, status: 422, code: "validation_failed", want: []string{"#/count wrong_type"}},
		{name: "ranges", body: `{"name":"K","count":9001,"tags":["a","b","c"]}`, status: 422, code: "validation_failed", want: []string{"#/count out_of_range", "#/name too_short", "#/tags too_long"}},
		{name: "too long", body: `{"name":"Kitchen hunter2"}`, status: 422, code: "validation_failed", want: []string{"#/name too_long"}},
		{name: "enum", body: `{"name":"Kitchen","kind":"hunter2"}`, status: 422, code: "validation_failed", want: []string{"#/kind not_allowed"}},
		{name: "formats", body: `{"name":"Kitchen","email":"hunter2","at":"hunter2"}`, status: 422, code: "validation_failed", want: []string{"#/at bad_format", "#/email bad_format"}},
		{name: "nested", body: `{"name":"Kitchen","items":[{"label":"a"},{}]}`, status: 422, code: "validation_failed", want: []string{"#/items/1/label required"}},
		{name: "unknown", body: `{"name":"Kitchen","Name":"hunter2","a.b/c":"hunter2","items":[{"label":"a","x[0]":1}]}`, status: 422, code: "validation_failed", want: []string{"#/Name unknown_field", "#/a.b~1c unknown_field", "#/items/0/x%5B0%5D unknown_field"}},
		{name: "media type", contentType: "text/plain", body: `{"name":"Kitchen"}`, status: 415, code: "unsupported_media"},
		{name: "charset", contentType: "application/json; charset=latin1", body: `{"name":"Kitchen"}`, status: 415, code: "unsupported_media"},
		{name: "other json", contentType: "application/vnd.x+json", body: `{"name":"Kitchen"}`, status: 415, code: "unsupported_media"},
		{name: "merge patch on post", contentType: "application/merge-patch+json", body: `{"name":"Kitchen"}`, status: 415, code: "unsupported_media"},
		{name: "parameters", query: "?limit=1&limit=2&x=hunter2", body: `{}`, status: 422, code: "validation_failed", want: []string{"limit repeated_parameter", "x unknown_parameter"}},
		{name: "repeatable", query: "?many=1&many=2", body: `{"name":"Kitchen"}`, status: 200},
		{name: "parameter type", query: "?limit=hunter2", body: `{"name":"Kitchen"}`, status: 422, code: "validation_failed", want: []string{"limit wrong_type"}},
		{name: "parameter range", query: "?limit=11", body: `{"name":"K"}`, status: 422, code: "validation_failed", want: []string{"#/name too_short", "limit out_of_range"}},
		{name: "parameter nul", query: "?limit=%00", body: `{"name":"Kitchen"}`, status: 422, code: "validation_failed", want: []string{"limit bad_format"}},
		{name: "parameter escape", query: "?limit=%zz", body: `{"name":"Kitchen"}`, status: 400, code: "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			contentType := tt.contentType
			switch contentType {
			case "":
				contentType = "application/json"
			case "-":
				contentType = ""
			}
			res, p, text := call(t, http.MethodPost, server.URL+"/rooms/1"+tt.query, contentType, tt.body)
			require.Equal(t, tt.status, res.StatusCode, text)
			require.Equal(t, tt.code, p.Code)
			var got []string
			for _, f := range p.Errors {
				require.NotEmpty(t, f.Detail)
				got = append(got, f.Pointer+f.Parameter+" "+f.Code)
			}
			require.ElementsMatch(t, tt.want, got)
			if tt.status >= 400 {
				require.NotContains(t, text, "hunter2")
			}
		})
	}
}

func TestManyFaultsAreBounded(t *testing.T) {
	t.Parallel()
	server := newServer(t, io.Discard)
	var body bytes.Buffer
	body.WriteString(`{"name":"Kitchen"`)
	for i := range 9000 {
		fmt.Fprintf(&body, `,"f%d":1`, i)
	}
	fmt.Fprintf(&body, `,%q:1}`, strings.Repeat("x", 9000))
	_, p, text := call(t, http.MethodPatch, server.URL+"/rooms", "application/json", body.String())
	require.Equal(t, 422, p.Status)
	require.Len(t, p.Errors, 50)
	require.Less(t, len(text), 8000)
}

func TestMergePatch(t *testing.T) {
	t.Parallel()
	res, _, _ := call(t, http.MethodPatch, newServer(t, io.Discard).URL+"/rooms", "application/merge-patch+json", `{"name":"Kitchen"}`)
	require.Equal(t, 200, res.StatusCode)
}

func TestPathsAndMethods(t *testing.T) {
	t.Parallel()
	server := newServer(t, io.Discard)
	for path, status := range map[string]int{"/nothing": 404, "/rooms/hunter2": 404, "/fail/%00": 404, "/fail/%ff": 404} {
		method := http.MethodGet
		if strings.HasPrefix(path, "/rooms") {
			method = http.MethodPost
		}
		_, p, text := call(t, method, server.URL+path, "application/json", `{"name":"Kitchen"}`)
		require.Equal(t, status, p.Status, path)
		require.NotContains(t, strings.ReplaceAll(text, p.Instance, ""), "hunter2")
	}
	res, p, _ := call(t, http.MethodDelete, server.URL+"/rooms/1", "", "")
	require.Equal(t, "method_not_allowed", p.Code)
	require.Equal(t, "POST", res.Header.Get("Allow"))
}

func TestErrors(t *testing.T) {
	t.Parallel()
	var logs bytes.Buffer
	server := newServer(t, &logs)

	_, p, text := call(t, http.MethodGet, server.URL+"/fail/secret", "", "")
	require.Equal(t, "internal", p.Code)
	require.NotContains(t, text, "hunter2")
	_, p, text = call(t, http.MethodGet, server.URL+"/fail/panic", "", "")
	require.Equal(t, "internal", p.Code)
	require.NotContains(t, text, "hunter2")
	_, p, text = call(t, http.MethodPost, server.URL+"/upload", "", "")
	require.Equal(t, "internal", p.Code)
	require.NotContains(t, text, "hunter2")
	_, p, _ = call(t, http.MethodGet, server.URL+"/fail/problem", "", "")
	require.Equal(t, "survey_incomplete", p.Code)
	require.Equal(t, []string{"rooms"}, p.Missing)
	res, p, _ := call(t, http.MethodGet, server.URL+"/fail/busy", "", "")
	require.Equal(t, "busy", p.Code)
	require.Equal(t, "5", res.Header.Get("Retry-After"))
	_, p, _ = call(t, http.MethodPost, server.URL+"/upload", "", strings.Repeat("x", 2000))
	require.Equal(t, "too_large", p.Code)
	_, p, _ = call(t, http.MethodPost, server.URL+"/v1/auth/x", "application/json", `{"a":"`+strings.Repeat("x", 8<<10)+`"}`)
	require.Equal(t, "too_large", p.Code)

	server.Close()
	require.Contains(t, logs.String(), "hunter2", "an unknown error belongs into the log")
}

// A caller without credential learns nothing about what else is wrong.
func TestMiddlewareOfAnOperation(t *testing.T) {
	t.Parallel()
	server := newServer(t, io.Discard)
	_, p, _ := call(t, http.MethodPost, server.URL+"/guarded?x=1", "text/plain", `{`)
	require.Equal(t, "unauthenticated", p.Code)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/guarded", strings.NewReader(`{"name":"Kitchen"}`))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer x")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	var got room
	require.NoError(t, json.NewDecoder(res.Body).Decode(&got))
	require.Equal(t, "robin", got.Name)
}

// A body without declared length is stopped by the limit, and the answer is 413, not 500.
func TestChunkedBodyOverTheLimit(t *testing.T) {
	t.Parallel()
	server := newServer(t, io.Discard)
	body := io.MultiReader(strings.NewReader(`{"name":"`), strings.NewReader(strings.Repeat("x", 4096)))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/rooms/1", body)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
}

// Whoever hangs up is logged as 499, not as an error of ours.
func TestClientGone(t *testing.T) {
	t.Parallel()
	logs := &lines{found: make(chan string, 8)}
	server := newServer(t, logs)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/fail/wait", nil)
	require.NoError(t, err)
	_, err = http.DefaultClient.Do(req) //nolint:bodyclose // there is none
	require.Error(t, err)
	line := <-logs.found
	require.Contains(t, line, `"status":499`)
	require.Contains(t, line, `"level":"INFO"`)

	// Half a body.
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "POST /rooms/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"na")
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	line = <-logs.found
	require.NotContains(t, line, `"level":"ERROR"`)
}

type lines struct{ found chan string }

func (l *lines) Write(p []byte) (int, error) {
	l.found <- string(p)
	return len(p), nil
}

func TestDocument(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	api := rest.New(mux, huma.Info{Title: "test", Version: "1"})
	rest.Register(api, huma.Operation{
		OperationID: "x", Method: http.MethodPost, Path: "/x", Errors: []int{409}, Security: rest.Staff(),
	}, func(context.Context, *struct{ Body room }) (*roomOutput, error) { return &roomOutput{}, nil })
	text, err := json.Marshal(api.OpenAPI())
	require.NoError(t, err)
	var doc struct {
		OpenAPI    string
		Components struct{ Schemas map[string]any }
		Paths      map[string]map[string]struct {
			Responses map[string]struct{ Content map[string]any }
		}
	}
	require.NoError(t, json.Unmarshal(text, &doc))
	require.Equal(t, "3.1.0", doc.OpenAPI)
	require.Contains(t, doc.Paths["/x"]["post"].Responses["409"].Content, "application/problem+json")
	require.Contains(t, doc.Paths["/x"]["post"].Responses["default"].Content, "application/problem+json")
	require.Contains(t, doc.Components.Schemas, "Problem")
	require.NotContains(t, doc.Components.Schemas, "ErrorModel")
	require.NotContains(t, string(text), "$schema")
}
