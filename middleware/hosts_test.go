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
	{"127.0.0.1", "127.0.0.1.", true},
	{"127.0.0.1", "127.0.0.1..", false},
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

// What a client can send as Host or :authority. A refusal has everything an answer of the stack has.
func TestTrustedHostsOnBothProtocols(t *testing.T) {
	t.Parallel()
	hosts := map[string]int{
		"example.com": 200, "EXAMPLE.com": 200, "example.com.": 200, "example.com:8080": 200, "a.b.example.com": 200,
		"127.0.0.1:1": 200, "evil.com": 421, "example.com.evil.com": 421, "evil-example.com": 421, "example.com:99999": 421,
		"[::1]": 421, "127.0.0.2": 421, "localhost": 421,
	}
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		log := &records{}
		srv := start(shell(log.handler())(http.HandlerFunc(ok)))
		for host, status := range hosts {
			req, err := http.NewRequest("GET", srv.URL, nil)
			require.NoError(t, err)
			req.Host = host
			req.Header.Set("X-Forwarded-Host", "example.com") // from a peer nobody trusts
			resp, err := srv.Client().Do(req)
			require.NoError(t, err, host)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, status, resp.StatusCode, host)
			require.Equal(t, "DENY", resp.Header.Get("X-Frame-Options"), host)
			id := resp.Header.Get("X-Request-Id")
			require.Regexp(t, `^[0-9a-f]{32}$`, id, host)
			if status == 421 {
				p := problemOf(t, resp.Header, string(body))
				require.Equal(t, "wrong_host", p["code"], host)
				require.Equal(t, id, p["request_id"], host)
			}
		}
		srv.Close()
		require.Len(t, log.all(t), len(hosts), "refusals are logged")
		for _, record := range log.all(t) {
			require.EqualValues(t, hosts[record["host"].(string)], record["status"], record["host"])
		}
	})
}

// Not even a trusted proxy can say which host was asked for: nothing reads X-Forwarded-Host.
func TestForwardedHostIsNeverRead(t *testing.T) {
	t.Parallel()
	h := middleware.Must(middleware.Stack(fullStack(nil, nil)))(http.HandlerFunc(ok))
	trusted := request("GET", "http://evil.com/", "X-Forwarded-Host", "example.com", "Forwarded", "host=example.com")
	require.Equal(t, 421, call(h, trusted).Code)
	trusted.Host = "example.com"
	trusted.Header.Set("X-Forwarded-Host", "evil.com")
	require.Equal(t, 200, call(h, trusted).Code)
}

func TestTrustedHostsAllocatesNothing(t *testing.T) {
	h := middleware.Must(middleware.TrustedHosts(middleware.HostsConfig{Allowed: []string{"*.example.com", "localhost"}}))(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r, w := request("GET", "http://API.v1.Example.com:8080/"), httptest.NewRecorder()
	require.Zero(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }))
}
