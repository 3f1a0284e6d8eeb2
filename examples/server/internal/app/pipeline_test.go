package app_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/app"
	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// ask sends one request and returns the answer with its body.
func ask(t *testing.T, method, address string, header map[string]string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	require.NoError(t, err)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	const own, foreign = "https://pages.example.com", "https://evil.example"
	s := servertest.Start(t, servertest.Options{Environ: []string{"ALLOWED_ORIGINS=" + own}})
	for _, tt := range []struct {
		name, method, origin, site string
		preflight                  string
		status                     int
		readable                   bool
	}{
		{"preflight of the page", "OPTIONS", own, "cross-site", "PATCH", 204, true},
		{"preflight of a foreign page", "OPTIONS", foreign, "cross-site", "PATCH", 403, false},
		{"the page may read even a refusal", "GET", own, "cross-site", "", 401, true},
		{"a foreign page may not", "GET", foreign, "cross-site", "", 401, false},
		{"the page may send", "POST", own, "cross-site", "", 422, true},
		{"a foreign page may not", "POST", foreign, "cross-site", "", 403, false},
		{"nor one of the same site", "POST", "https://other.example.com", "same-site", "", 403, false},
		{"its own pages may", "POST", s.URL, "same-origin", "", 422, false},
		{"programs may", "POST", "", "", "", 422, false},
	} {
		path := "/v1/auth/login"
		if tt.method == "GET" {
			path = "/v1/auth/me"
		}
		header := map[string]string{"Content-Type": "application/json"}
		if tt.origin != "" {
			header["Origin"], header["Sec-Fetch-Site"] = tt.origin, tt.site
		}
		if tt.preflight != "" {
			header["Access-Control-Request-Method"] = tt.preflight
			header["Access-Control-Request-Headers"] = "authorization,content-type,if-match"
		}
		resp, body := ask(t, tt.method, s.URL+path, header)
		if tt.status == 422 { // it got as far as the handler, which misses the body
			require.Contains(t, []int{400, 422}, resp.StatusCode, "%s: %s", tt.name, body)
		} else {
			require.Equal(t, tt.status, resp.StatusCode, "%s: %s", tt.name, body)
		}
		require.Equal(t, tt.readable, resp.Header.Get("Access-Control-Allow-Origin") == own, tt.name)
		require.NotEmpty(t, resp.Header.Get("X-Request-Id"), tt.name)
	}
}

func TestMetricsHaveTheirOwnAddress(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := servertest.Start(t, servertest.Options{App: app.Options{MetricsListener: listener}})
	for range 3 {
		ask(t, "GET", s.URL+"/v1/jobs/7", nil)
		ask(t, "GET", s.URL+"/nowhere", nil)
	}
	resp, _ := ask(t, "GET", s.URL+"/metrics", nil)
	require.Equal(t, 404, resp.StatusCode, "not on the public address")
	resp, text := ask(t, "GET", "http://"+listener.Addr().String()+"/metrics", nil)
	require.Equal(t, 200, resp.StatusCode)
	require.Contains(t, text, `http_requests_total{endpoint="unmatched",method="GET",status="404"} 4`)
	require.Regexp(t, `http_requests_total\{endpoint="/v1/jobs/\{[a-z]+\}",method="GET",status="401"\} 3`, text)
	require.Contains(t, text, "go_goroutines")
	require.NotContains(t, strings.ToLower(text), "/v1/jobs/7")
}
