package docs_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/docs"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
)

func handler(t *testing.T) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	api := rest.New(mux, huma.Info{Title: "test", Version: "1"})
	rest.Register(api, huma.Operation{OperationID: "x", Method: http.MethodGet, Path: "/x"},
		func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	require.NoError(t, docs.Register(mux, api))
	return mux
}

func get(t *testing.T, h http.Handler, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestPagesAskNoOtherHost(t *testing.T) {
	t.Parallel()
	h := handler(t)
	for path, marks := range map[string][]string{
		"/docs":  {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"},
		"/redoc": {"default-src 'none'", "script-src 'self'", "style-src 'self' 'sha256-", "frame-ancestors 'none'"},
	} {
		res := get(t, h, path)
		policy := res.Header.Get("Content-Security-Policy")
		require.NotContains(t, policy, "unsafe")
		require.NotContains(t, policy, "http")
		for _, mark := range marks {
			require.Contains(t, policy, mark)
		}
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NotContains(t, string(body), "//")
	}
	script, err := io.ReadAll(get(t, h, "/redoc/redoc.standalone.js").Body)
	require.NoError(t, err)
	require.NotContains(t, string(script), "cdn.redoc.ly")
	require.Contains(t, string(script), "/redoc/logo.svg")
}

func TestCompressionAndTags(t *testing.T) {
	t.Parallel()
	h := handler(t)
	const path = "/docs/swagger-ui-bundle.js"
	plain := get(t, h, path)
	packed := get(t, h, path, "Accept-Encoding", "br, gzip;q=0.5")
	require.Empty(t, plain.Header.Get("Content-Encoding"))
	require.Equal(t, "gzip", packed.Header.Get("Content-Encoding"))
	require.NotEqual(t, plain.Header.Get("ETag"), packed.Header.Get("ETag"))
	require.Equal(t, "Accept-Encoding", packed.Header.Get("Vary"))
	unpacked, err := gzip.NewReader(packed.Body)
	require.NoError(t, err)
	a, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	b, err := io.ReadAll(plain.Body)
	require.NoError(t, err)
	require.Equal(t, len(a), len(b))
	require.Greater(t, len(a), 1<<20)

	for _, refused := range []string{"gzip;q=0", "gzip; q=0.0", "br", "xgzip", ""} {
		require.Empty(t, get(t, h, path, "Accept-Encoding", refused).Header.Get("Content-Encoding"), refused)
	}
	tag := packed.Header.Get("ETag")
	for _, condition := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		res := get(t, h, path, "Accept-Encoding", "gzip", "If-None-Match", condition)
		require.Equal(t, http.StatusNotModified, res.StatusCode, condition)
		require.Equal(t, tag, res.Header.Get("ETag"))
	}
	require.Equal(t, http.StatusOK, get(t, h, path, "If-None-Match", tag).StatusCode, "another representation")
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	h := handler(t)
	res := get(t, h, "/openapi.json")
	require.Equal(t, "application/json", res.Header.Get("Content-Type"))
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(body), "{\n"))
	res = get(t, h, "/openapi.yaml")
	require.Equal(t, "application/yaml", res.Header.Get("Content-Type"))
	body, err = io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), "openapi: 3.1.0")
}
