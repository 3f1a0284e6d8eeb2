package middleware_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

func TestRequestID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		cfg    middleware.RequestIDConfig
		header []string
		want   string // "" means a new id of 32 hexadecimal digits
	}{
		{name: "none sent"},
		{name: "kept and echoed", header: []string{"X-Request-Id", "a.B-9_:/+=@"}, want: "a.B-9_:/+=@"},
		{name: "64 bytes kept", header: []string{"X-Request-Id", strings.Repeat("a", 64)}, want: strings.Repeat("a", 64)},
		{name: "65 bytes replaced", header: []string{"X-Request-Id", strings.Repeat("a", 65)}},
		{name: "9000 bytes replaced", header: []string{"X-Request-Id", strings.Repeat("a", 9000)}},
		{name: "non-ASCII replaced", header: []string{"X-Request-Id", "é"}},
		{name: "space replaced", header: []string{"X-Request-Id", "a b"}},
		{name: "quote replaced", header: []string{"X-Request-Id", `a"><script>`}},
		{name: "empty replaced", header: []string{"X-Request-Id", ""}},
		{name: "two lines replaced", header: []string{"X-Request-Id", "a", "X-Request-Id", "b"}},
		{name: "inbound ignored", cfg: middleware.RequestIDConfig{IgnoreInbound: true}, header: []string{"X-Request-Id", "a"}},
		{
			name: "shorter limit", cfg: middleware.RequestIDConfig{MaxLen: 3},
			header: []string{"X-Request-Id", "abcd"},
		},
		{name: "own maker", cfg: middleware.RequestIDConfig{New: func() string { return "own-1" }}, want: "own-1"},
		{name: "own maker with a line break", cfg: middleware.RequestIDConfig{New: func() string { return "a\r\nSet-Cookie: x" }}},
		{name: "own maker with nothing", cfg: middleware.RequestIDConfig{New: func() string { return "" }}},
		{
			name: "other header", cfg: middleware.RequestIDConfig{Header: "x-correlation-id"},
			header: []string{"X-Correlation-Id", "c1"}, want: "c1",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var seen string
			h := middleware.Must(middleware.RequestID(tt.cfg))(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				seen = middleware.RequestIDFrom(r.Context())
			}))
			w := call(h, request("GET", "/", tt.header...))
			name := "X-Request-Id"
			if tt.cfg.Header != "" {
				name = http.CanonicalHeaderKey(tt.cfg.Header)
			}
			require.Equal(t, []string{seen}, w.Header()[name])
			if tt.want == "" {
				require.Regexp(t, `^[0-9a-f]{32}$`, seen)
				return
			}
			require.Equal(t, tt.want, seen)
		})
	}
	require.Empty(t, middleware.RequestIDFrom(t.Context()))
}

func TestRequestIDOverHTTP(t *testing.T) {
	t.Parallel()
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		var seen string
		srv := start(shell(slog.DiscardHandler)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			seen = middleware.RequestIDFrom(r.Context())
		})))
		for _, tt := range []struct {
			sent []string
			kept bool
		}{
			{[]string{"trace-7.a"}, true},
			{[]string{strings.Repeat("a", 64)}, true},
			{nil, false},
			{[]string{strings.Repeat("a", 65)}, false},
			{[]string{strings.Repeat("a", 9000)}, false},
			{[]string{"é\"><script>"}, false},
			{[]string{"a b"}, false},
			{[]string{"a", "b"}, false},
		} {
			req, err := http.NewRequest("GET", srv.URL, nil)
			require.NoError(t, err)
			req.Header["X-Request-Id"] = tt.sent
			resp, err := srv.Client().Do(req)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, []string{seen}, resp.Header["X-Request-Id"], "one header")
			if tt.kept {
				require.Equal(t, tt.sent[0], seen)
			} else {
				require.Regexp(t, `^[0-9a-f]{32}$`, seen)
			}
		}
	})
}

func TestRequestIDConfig(t *testing.T) {
	t.Parallel()
	_, err := middleware.RequestID(middleware.RequestIDConfig{Header: "a b", MaxLen: -1})
	require.Equal(t, []string{"RequestIDConfig.Header", "RequestIDConfig.MaxLen"}, reasons(t, err))
}

func TestRequestIDsAreUnique(t *testing.T) {
	t.Parallel()
	n := 1_000_000
	if testing.Short() {
		n = 10_000
	}
	host, _ := os.Hostname()
	seen := make(map[string]struct{}, n)
	h := middleware.Must(middleware.RequestID(middleware.RequestIDConfig{}))(http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) {
			seen[middleware.RequestIDFrom(r.Context())] = struct{}{}
		}))
	w, r := httptest.NewRecorder(), request("GET", "/")
	for range n {
		h.ServeHTTP(w, r)
	}
	require.Len(t, seen, n)
	if host != "" {
		require.NotContains(t, w.Header().Get("X-Request-Id"), host)
	}
}

var traceParents = []struct {
	name, header string
	want         middleware.TraceParent
	ok           bool
}{
	{
		"sampled", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		middleware.TraceParent{TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", ParentID: "00f067aa0ba902b7", Flags: 1},
		true,
	},
	{
		"flags", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-a2",
		middleware.TraceParent{TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", ParentID: "00f067aa0ba902b7", Flags: 0xa2},
		true,
	},
	{
		"future version with extra fields", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-follows",
		middleware.TraceParent{TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", ParentID: "00f067aa0ba902b7", Flags: 1},
		true,
	},
	{name: "future version glued", header: "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x"},
	{name: "version 00 with extra", header: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"},
	{name: "upper case", header: "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"},
	{name: "zero trace id", header: "00-00000000000000000000000000000000-00f067aa0ba902b7-01"},
	{name: "zero parent id", header: "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"},
	{name: "version ff", header: "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
	{name: "short", header: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"},
	{name: "wrong dashes", header: "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
	{name: "empty"},
}

func TestTraceParent(t *testing.T) {
	t.Parallel()
	for _, tt := range traceParents {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := middleware.ParseTraceParent(tt.header)
			require.Equal(t, tt.ok, ok)
			require.Equal(t, tt.want, got)

			var inContext middleware.TraceParent
			h := middleware.Must(middleware.RequestID(middleware.RequestIDConfig{}))(http.HandlerFunc(
				func(_ http.ResponseWriter, r *http.Request) {
					inContext, ok = middleware.TraceParentFrom(r.Context())
				}))
			call(h, request("GET", "/", "traceparent", tt.header))
			require.Equal(t, tt.ok, ok)
			require.Equal(t, tt.want, inContext)
			call(h, request("GET", "/", "traceparent", tt.header, "traceparent", tt.header))
			require.False(t, ok, "two lines are none")
		})
	}
	require.True(t, middleware.TraceParent{Flags: 3}.Sampled())
	require.False(t, middleware.TraceParent{Flags: 2}.Sampled())
}
