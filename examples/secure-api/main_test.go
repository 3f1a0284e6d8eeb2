package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

const page = "https://app.example.com"

func TestNotebook(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	registry := prometheus.NewRegistry()
	h, err := newHandler([]string{page}, slog.NewJSONHandler(&log, nil), registry)
	require.NoError(t, err)
	for _, tt := range []struct {
		name, method, path, host, origin, body, cookie string
		status                                         int
		readable                                       bool
	}{
		{"a program writes", "POST", "/notes", "localhost", "", "milk", "", 201, false},
		{"the page writes", "POST", "/notes", "localhost", page, "bread", "", 201, true},
		{"a foreign page cannot write", "POST", "/notes", "localhost", "https://evil.example", "gin", "", 403, false},
		{"the page reads", "GET", "/notes", "localhost", page, "", "writer=you", 200, true},
		{"a foreign page cannot read", "GET", "/notes", "localhost", "https://evil.example", "", "writer=you", 200, false},
		{"without cookie", "GET", "/notes", "localhost", page, "", "", 401, true},
		{"too long", "POST", "/notes", "localhost", page, strings.Repeat("x", 1<<10+1), "", 413, true},
		{"another host", "GET", "/notes", "evil.example", "", "", "", 421, false},
		{"no such path", "GET", "/", "localhost", "", "", "", 404, false},
		{"no such method", "DELETE", "/notes", "localhost", "", "", "", 405, false},
	} {
		r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
		r.Host = tt.host
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}
		if tt.cookie != "" {
			r.Header.Set("Cookie", tt.cookie)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, tt.status, w.Code, tt.name)
		require.Equal(t, tt.readable, w.Header().Get("Access-Control-Allow-Origin") == page, tt.name)
		require.Len(t, w.Header().Get("X-Request-Id"), 32, tt.name)
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"), tt.name)
		if tt.status >= 400 {
			require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"), tt.name)
		}
		if tt.name == "the page reads" {
			require.JSONEq(t, `["milk", "bread"]`, w.Body.String())
		}
	}
	require.Equal(t, 10, strings.Count(log.String(), `"msg":"request"`))
	require.Contains(t, log.String(), `"length":5`)
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == "http_requests_total" {
			require.Len(t, f.GetMetric(), 8, "by method, endpoint and status, whatever clients invent")
		}
	}
}

func TestBadOrigins(t *testing.T) {
	t.Parallel()
	_, err := newHandler([]string{"https://app.example.com/"}, slog.NewTextHandler(io.Discard, nil), prometheus.NewRegistry())
	require.ErrorContains(t, err, "CORSConfig.Origins")
	require.ErrorContains(t, err, "CSRFConfig.TrustedOrigins")
}
