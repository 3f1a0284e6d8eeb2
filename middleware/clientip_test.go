package middleware_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func TestClientIP(t *testing.T) {
	t.Parallel()
	proxies := prefixes("10.0.0.0/8", "fd00::/8")
	xff := func(values ...string) []string {
		var h []string
		for _, v := range values {
			h = append(h, "X-Forwarded-For", v)
		}
		return h
	}
	cf := middleware.ClientIPConfig{TrustedProxies: proxies, Header: "cf-connecting-ip"}
	counted := middleware.ClientIPConfig{TrustedProxies: prefixes("0.0.0.0/0", "::/0"), Hops: 2}
	tests := []struct {
		name   string
		cfg    *middleware.ClientIPConfig // nil trusts proxies
		remote string
		header []string
		want   string
	}{
		{name: "untrusted peer's header ignored", remote: "203.0.113.1:5", header: xff("1.1.1.1"), want: "203.0.113.1"},
		{name: "nobody trusted", cfg: &middleware.ClientIPConfig{}, remote: "10.0.0.1:5", header: xff("1.1.1.1"), want: "10.0.0.1"},
		{name: "spoof in front of the real one", remote: "10.0.0.1:5", header: xff("6.6.6.6, 203.0.113.9"), want: "203.0.113.9"},
		{name: "two proxies", remote: "10.0.0.1:5", header: xff("6.6.6.6, 203.0.113.9, 10.0.0.2"), want: "203.0.113.9"},
		{name: "two lines", remote: "10.0.0.1:5", header: xff("6.6.6.6", "203.0.113.9, 10.0.0.2"), want: "203.0.113.9"},
		{name: "three lines", remote: "10.0.0.1:5", header: xff("203.0.113.9", "10.0.0.3", "10.0.0.2"), want: "203.0.113.9"},
		{name: "with port", remote: "10.0.0.1:5", header: xff("203.0.113.9:4711"), want: "203.0.113.9"},
		{name: "bracketed", remote: "10.0.0.1:5", header: xff("[2001:db8::1]"), want: "2001:db8::1"},
		{name: "bracketed with port", remote: "10.0.0.1:5", header: xff("[2001:db8::1]:4711"), want: "2001:db8::1"},
		{name: "bare IPv6", remote: "10.0.0.1:5", header: xff("2001:db8::1"), want: "2001:db8::1"},
		{name: "zone", remote: "10.0.0.1:5", header: xff("fe80::1%eth0"), want: "fe80::1"},
		{name: "v4 in v6", remote: "[::ffff:10.0.0.1]:5", header: xff("::ffff:203.0.113.9"), want: "203.0.113.9"},
		{name: "IPv6 proxy", remote: "[fd00::1]:5", header: xff("203.0.113.9"), want: "203.0.113.9"},
		{name: "unknown", remote: "10.0.0.1:5", header: xff("6.6.6.6, unknown"), want: "10.0.0.1"},
		{name: "garbage after a good hop", remote: "10.0.0.1:5", header: xff("6.6.6.6, <x>, 10.0.0.2"), want: "10.0.0.2"},
		{name: "port out of range", remote: "10.0.0.1:5", header: xff("6.6.6.6:99999"), want: "10.0.0.1"},
		{name: "empty", remote: "10.0.0.1:5", header: xff(""), want: "10.0.0.1"},
		{name: "trailing comma", remote: "10.0.0.1:5", header: xff("6.6.6.6,"), want: "10.0.0.1"},
		{name: "all trusted", remote: "10.0.0.1:5", header: xff("10.0.0.4, 10.0.0.3"), want: "10.0.0.4"},
		{name: "health check of the proxy", remote: "10.0.0.1:5", want: "10.0.0.1"},
		{name: "unix socket, nothing trusted", remote: "@", header: xff("6.6.6.6"), want: "127.0.0.1"},
		{
			name: "unix socket, loopback trusted", cfg: &middleware.ClientIPConfig{TrustedProxies: prefixes("127.0.0.0/8")},
			remote: "@", header: xff("203.0.113.9"), want: "203.0.113.9",
		},
		{
			name: "v4 in v6 prefix", cfg: &middleware.ClientIPConfig{TrustedProxies: prefixes("::ffff:10.0.0.0/104")},
			remote: "10.0.0.1:5", header: xff("203.0.113.9"), want: "203.0.113.9",
		},
		{name: "counted hops", cfg: &counted, remote: "203.0.113.1:5", header: xff("6.6.6.6, 203.0.113.9, 203.0.113.2"), want: "203.0.113.9"},
		{name: "single header", cfg: &cf, remote: "10.0.0.1:5", header: []string{"Cf-Connecting-Ip", "203.0.113.9"}, want: "203.0.113.9"},
		{
			name: "single header ignores the list", cfg: &cf, remote: "10.0.0.1:5",
			header: []string{"X-Forwarded-For", "6.6.6.6"}, want: "10.0.0.1",
		},
		{
			name: "single header sent twice", cfg: &cf, remote: "10.0.0.1:5",
			header: []string{"Cf-Connecting-Ip", "6.6.6.6", "Cf-Connecting-Ip", "203.0.113.9"}, want: "10.0.0.1",
		},
		{name: "single header from a stranger", cfg: &cf, remote: "203.0.113.1:5", header: []string{"Cf-Connecting-Ip", "6.6.6.6"}, want: "203.0.113.1"},
		{name: "no address at all", remote: "pipe", want: "invalid IP"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := middleware.ClientIPConfig{TrustedProxies: proxies}
			if tt.cfg != nil {
				cfg = *tt.cfg
			}
			r := request("GET", "/", tt.header...)
			r.RemoteAddr = tt.remote
			h := middleware.Must(middleware.ClientIP(cfg))(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				require.Equal(t, tt.want, middleware.ClientIPFrom(r.Context()).String())
				require.Equal(t, tt.remote, r.RemoteAddr, "RemoteAddr is not touched")
			}))
			call(h, r)
		})
	}
	require.False(t, middleware.ClientIPFrom(t.Context()).IsValid())
}

// Over a real unix socket the peer has no address: it counts as loopback, and as a proxy only if that is
// trusted.
func TestClientIPOverAUnixSocket(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		trusted []netip.Prefix
		want    string
	}{
		"nobody trusted":   {nil, "127.0.0.1"},
		"loopback trusted": {prefixes("127.0.0.0/8"), "203.0.113.9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, err := os.MkdirTemp("", "s") // t.TempDir can be too long for a socket
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
			path := filepath.Join(dir, "s")
			srv := httptest.NewUnstartedServer(middleware.Must(middleware.ClientIP(middleware.ClientIPConfig{TrustedProxies: tt.trusted}))(
				http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, middleware.ClientIPFrom(r.Context()).String())
				})))
			require.NoError(t, srv.Listener.Close())
			srv.Listener, err = new(net.ListenConfig).Listen(t.Context(), "unix", path)
			require.NoError(t, err)
			srv.Start()
			t.Cleanup(srv.Close)
			client := &http.Client{Transport: &http.Transport{
				DisableKeepAlives: true,
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "unix", path)
				},
			}}
			req, err := http.NewRequestWithContext(t.Context(), "GET", "http://socket/", nil)
			require.NoError(t, err)
			req.Header.Set("X-Forwarded-For", "203.0.113.9")
			resp, err := client.Do(req)
			require.NoError(t, err)
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, tt.want, string(body))
		})
	}
}

func TestScheme(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		remote string
		tls    bool
		proto  []string
		want   string
	}{
		{name: "plain", remote: "203.0.113.1:5", want: "http"},
		{name: "tls", remote: "203.0.113.1:5", tls: true, want: "https"},
		{name: "stranger claims https", remote: "203.0.113.1:5", proto: []string{"https"}, want: "http"},
		{name: "proxy says https", remote: "10.0.0.1:5", proto: []string{"HTTPS"}, want: "https"},
		{name: "proxy appended http", remote: "10.0.0.1:5", proto: []string{"https, http"}, want: "http"},
		{name: "proxy on tls says http", remote: "10.0.0.1:5", tls: true, proto: []string{"http"}, want: "http"},
		{name: "proxy says nonsense", remote: "10.0.0.1:5", tls: true, proto: []string{"gopher"}, want: "https"},
	}
	mw := middleware.Must(middleware.ClientIP(middleware.ClientIPConfig{TrustedProxies: prefixes("10.0.0.0/8")}))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := request("GET", "/")
			r.RemoteAddr = tt.remote
			r.Header["X-Forwarded-Proto"] = tt.proto
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			call(mw(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				require.Equal(t, tt.want, middleware.SchemeFrom(r.Context()))
			})), r)
		})
	}
	require.Empty(t, middleware.SchemeFrom(t.Context()))
}

func TestClientIPConfig(t *testing.T) {
	t.Parallel()
	_, err := middleware.ClientIP(middleware.ClientIPConfig{
		Header: "a:b", Hops: -1, TrustedProxies: []netip.Prefix{{}, netip.MustParsePrefix("10.0.0.0/8")},
	})
	require.Equal(t, []string{"ClientIPConfig.Header", "ClientIPConfig.Hops", "ClientIPConfig.TrustedProxies"}, reasons(t, err))
	_, err = middleware.ClientIP(middleware.ClientIPConfig{TrustedProxies: prefixes("0.0.0.0/0")})
	require.Equal(t, []string{"ClientIPConfig.TrustedProxies"}, reasons(t, err), "trusting everybody needs Hops")
}

// A header of nothing but commas, or of a list without end, is dropped at the first look.
func TestClientIPHugeHeader(t *testing.T) {
	h := middleware.Must(middleware.ClientIP(middleware.ClientIPConfig{TrustedProxies: prefixes("10.0.0.0/8")}))(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	measure := func(value string) float64 {
		r, w := request("GET", "/", "X-Forwarded-For", value), httptest.NewRecorder()
		r.RemoteAddr = "10.0.0.1:5"
		return testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) })
	}
	small := measure("203.0.113.9")
	require.LessOrEqual(t, measure(strings.Repeat(",", 64<<10)), small)
	require.LessOrEqual(t, measure(strings.Repeat("6.6.6.6,", 8<<10)+"203.0.113.9"), small)
	require.LessOrEqual(t, measure(strings.Repeat("6", 64<<10)), small)
}
