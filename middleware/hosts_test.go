package middleware_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

// hostCases are also the seeds of the fuzz target.
var hostCases = []struct {
	pattern, host string
	ok            bool
}{
	{"example.com", "example.com", true},
	{"example.com", "example.com:8080", true},
	{"example.com", "EXAMPLE.Com", true},
	{"EXAMPLE.com", "example.com", true},
	{"example.com", "example.com.", true},
	{"example.com", "example.com.:80", true},
	{"example.com.", "example.com", true},
	{"example.com", "example.com..", false},
	{"example.com", "sub.example.com", false},
	{"example.com", "example.com.evil.com", false},
	{"example.com", "example.com:99999", false},
	{"example.com", "example.com:", false},
	{"example.com", "example.com:80:80", false},
	{"example.com", "example.com:9000.evil", false},
	{"example.com", "evil.com@example.com", false},
	{"example.com", "example.com/", false},
	{"example.com", " example.com", false},
	{"example.com", "", false},
	{"example.com", ".", false},
	{"example.com", ".example.com", false},
	{"example.com:8080", "example.com:8080", true},
	{"example.com:8080", "example.com", false},
	{"example.com:8080", "example.com:80", false},
	{"*.example.com", "a.example.com", true},
	{"*.example.com", "a.b.EXAMPLE.com.:443", true},
	{"*.example.com", "example.com", false},
	{"*.example.com", ".example.com", false},
	{"*.example.com", "evil-example.com", false},
	{"*.example.com", "a.example.com.evil.com", false},
	{"*.example.com:8443", "a.example.com:8443", true},
	{"*.example.com:8443", "a.example.com", false},
	{"localhost", "localhost:3000", true},
	{"::1", "[::1]", true},
	{"[::1]", "[::1]:8080", true},
	{"[::1]", "[0:0::1]", true},
	{"[::1]:80", "[::1]:80", true},
	{"[::1]:80", "[::1]", false},
	{"[::1]", "::1", false},
	{"[::1]", "[::1", false},
	{"[::1]", "[::1]x", false},
	{"[::1]", "[fe80::1%25eth0]", false},
	{"127.0.0.1", "127.0.0.1:80", true},
	{"127.0.0.1", "127.0.0.01", false},
	{"127.0.0.1", "127.1", false},
	{"127.0.0.1", "[::ffff:127.0.0.1]", true},
}

func TestTrustedHosts(t *testing.T) {
	t.Parallel()
	for _, tt := range hostCases {
		t.Run(fmt.Sprintf("%s by %s", tt.host, tt.pattern), func(t *testing.T) {
			t.Parallel()
			mw, err := middleware.TrustedHosts(middleware.HostsConfig{Allowed: []string{tt.pattern}})
			require.NoError(t, err)
			r := request("GET", "/", "X-Forwarded-Host", "example.com")
			r.Host = tt.host
			w := call(mw(http.HandlerFunc(ok)), r)
			if tt.ok {
				require.Equal(t, 200, w.Code)
				return
			}
			require.Equal(t, 421, w.Code)
			require.Equal(t, "wrong_host", problemOf(t, w.Header(), w.Body.String())["code"])
		})
	}
}

func TestHostsConfig(t *testing.T) {
	t.Parallel()
	bad := []string{"", "*", "*.", "a*.com", "*.*.com", "http://x", "x/y", "*.com", "*.127.0.0.1", "x:y", "x:70000", "a b", "é.com", "a..b", "300.0.0.1", "[::1%1]"}
	_, err := middleware.TrustedHosts(middleware.HostsConfig{Allowed: bad, Status: 500})
	require.Len(t, reasons(t, err), len(bad)+1)
	_, err = middleware.TrustedHosts(middleware.HostsConfig{})
	require.Equal(t, []string{"HostsConfig.Allowed"}, reasons(t, err))

	mw := middleware.Must(middleware.TrustedHosts(middleware.HostsConfig{
		Allowed: []string{"example.com"}, Status: 400,
		OnError: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, err.Error())
		},
	}))
	w := call(mw(http.HandlerFunc(ok)), request("GET", "http://evil.com/"))
	require.Equal(t, 418, w.Code)
	require.Contains(t, w.Body.String(), "wrong_host")
}

// What only a raw connection can send.
func TestTrustedHostsOverTheWire(t *testing.T) {
	t.Parallel()
	log := &records{}
	srv := httptest.NewServer(shell(log.handler())(http.HandlerFunc(ok)))
	t.Cleanup(srv.Close)
	tests := []struct {
		name, raw string
		status    int
	}{
		{"allowed", "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", 200},
		{"empty", "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", 421},
		{"HTTP/1.0 without", "GET / HTTP/1.0\r\n\r\n", 421},
		{"port 99999", "GET / HTTP/1.1\r\nHost: example.com:99999\r\nConnection: close\r\n\r\n", 421},
		{"absolute form decides", "GET http://evil.com/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", 421},
		{"absolute form allowed", "GET http://example.com/ HTTP/1.1\r\nHost: evil.com\r\nConnection: close\r\n\r\n", 200},
	}
	for _, tt := range tests {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(conn, tt.raw)
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, tt.status, resp.StatusCode, tt.name)
		require.Equal(t, "DENY", resp.Header.Get("X-Frame-Options"), "refusals carry the security headers")
		require.NotEmpty(t, resp.Header.Get("X-Request-Id"))
		conn.Close()
	}
	require.Eventually(t, func() bool { return len(log.all(t)) == len(tests) }, 5*time.Second, time.Millisecond, "refusals are logged")
}

func TestTrustedHostsAllocatesNothing(t *testing.T) {
	h := middleware.Must(middleware.TrustedHosts(middleware.HostsConfig{Allowed: []string{"*.example.com", "localhost"}}))(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r, w := request("GET", "http://API.v1.Example.com:8080/"), httptest.NewRecorder()
	require.Zero(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }))
}
