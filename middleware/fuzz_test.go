package middleware_test

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

// originSeeds are the cases of the tables and each of them with the usual ways to fool a matcher.
func originSeeds() []string {
	var seeds []string
	for _, tt := range originCases {
		seeds = append(seeds, tt.origin)
		scheme, host, found := strings.Cut(tt.origin, "://")
		if !found || host == "" {
			continue
		}
		seeds = append(seeds,
			"http://"+host, "HTTPS://"+host, scheme+":/"+host, scheme+":///"+host, scheme+"://"+strings.ToUpper(host),
			tt.origin+":443", tt.origin+":8443", tt.origin+":08", tt.origin+":99999", tt.origin+":", tt.origin+".",
			tt.origin+"/", tt.origin+"?", tt.origin+"#", tt.origin+"\t", tt.origin+"\x00", tt.origin+", "+tt.origin,
			scheme+"://evil.com/"+host, scheme+"://evil.com@"+host, scheme+"://"+host+"@evil.com",
			scheme+"://"+host+".evil.com", scheme+"://."+host, scheme+"://a."+host, scheme+"://a.."+host,
			scheme+"://-_."+host, scheme+"://"+strings.Repeat("a", 63)+"."+host, scheme+"://"+strings.Repeat("a", 64)+"."+host,
			scheme+"://"+strings.Repeat("b.", 120)+host, scheme+"://*."+host, scheme+"://["+host+"]", scheme+"://xn--a."+host,
		)
	}
	return seeds
}

const naiveLabel = `[a-z0-9_-]{1,63}`

// fitsDNS reports whether the host of an origin is short enough to be one.
func fitsDNS(origin string) bool {
	_, host, _ := strings.Cut(origin, "://")
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host = host[:colon]
	}
	return len(strings.TrimSuffix(host, ".")) <= 253
}

// corsAllows asks the middleware, without a network.
func corsAllows(h http.Handler, origin string) bool {
	w := &nullWriter{h: http.Header{}}
	r := &http.Request{Method: "GET", URL: &url.URL{Path: "/"}, Header: http.Header{"Origin": {origin}}}
	h.ServeHTTP(w, r)
	got := w.h["Access-Control-Allow-Origin"]
	return len(got) == 1 && got[0] == origin
}

// csrfAllows asks whether a page of the origin may post across sites.
func csrfAllows(h http.Handler, origin string) bool {
	w := &statusWriter{nullWriter: nullWriter{h: http.Header{}}}
	h.ServeHTTP(w, &http.Request{Method: "POST", URL: &url.URL{Path: "/"}, Header: http.Header{
		"Origin": {origin}, "Sec-Fetch-Site": {"cross-site"},
	}})
	return w.status == 0
}

type statusWriter struct {
	nullWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) { w.status = status }

func nothing(http.ResponseWriter, *http.Request) {}

func refuse(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusForbidden) }

// FuzzOrigin compares the origin matcher with a regular expression for the same patterns, and CSRF, which
// has the same list, with CORS.
func FuzzOrigin(f *testing.F) {
	for _, seed := range originSeeds() {
		f.Add(seed)
	}
	cfg := corsConfig()
	cors := middleware.Must(middleware.CORS(cfg))(http.HandlerFunc(nothing))
	csrf := middleware.Must(middleware.CSRF(middleware.CSRFConfig{TrustedOrigins: cfg.Origins, OnError: refuse}))(
		http.HandlerFunc(nothing))
	naive := regexp.MustCompile(`\A(https://app\.example\.com|http://localhost:3000|https://\[2001:db8::1\]:8443|` +
		`https://(` + naiveLabel + `\.)+example\.org)\z`)
	f.Fuzz(func(t *testing.T, origin string) {
		got := corsAllows(cors, origin)
		if want := naive.MatchString(origin) && fitsDNS(origin); got != want {
			t.Fatalf("%q: allowed %v, by the regular expression %v", origin, got, want)
		}
		if csrf := csrfAllows(csrf, origin); csrf != got {
			t.Fatalf("%q: CSRF allows %v, CORS %v", origin, csrf, got)
		}
		if got {
			u, err := url.Parse(origin)
			if err != nil || origin != u.Scheme+"://"+u.Host {
				t.Fatalf("%q is reflected and no origin: %v", origin, err)
			}
		}
	})
}

// FuzzOriginPattern does the same with any pattern the constructor accepts.
func FuzzOriginPattern(f *testing.F) {
	patterns := []string{
		"https://example.com", "https://*.example.org", "http://*.example.com:8080", "https://*.a.b.c", "app://x",
		"https://127.0.0.1", "https://[::1]:3000", "https://[::ffff:7f00:1]", "https://example.com.", "https://*.example.com.",
		"https://a_b-c.x1", "http://localhost", "https://*.com", "https://*.*.com", "*", "https://xn--bcher-kva.example:1",
	}
	for k, origin := range originSeeds() {
		f.Add(patterns[k%len(patterns)], origin)
	}
	for _, pattern := range patterns {
		f.Add(pattern, pattern)
		f.Add(pattern, strings.Replace(pattern, "*", "a.b", 1))
		f.Add(pattern, strings.Replace(pattern, "*.", "", 1))
	}
	f.Fuzz(func(t *testing.T, pattern, origin string) {
		mw, err := middleware.CORS(middleware.CORSConfig{Origins: []string{pattern}})
		if err != nil {
			var fault *middleware.ConfigError
			if !errors.As(err, &fault) || fault.Field != "CORSConfig.Origins" {
				t.Fatalf("%q: %v", pattern, err)
			}
			return
		}
		if pattern == "*" {
			return
		}
		scheme, rest, _ := strings.Cut(pattern, "://")
		bare, wildcard := strings.CutPrefix(rest, "*.")
		if u, err := url.Parse(scheme + "://" + bare); err != nil || pattern != strings.ToLower(pattern) ||
			u.Host != bare || u.Host == "" || u.User != nil {
			t.Fatalf("%q was accepted: %v", pattern, err)
		}
		naive := regexp.QuoteMeta(pattern)
		if wildcard {
			if host, _, _ := strings.Cut(bare, ":"); !strings.Contains(strings.TrimSuffix(host, "."), ".") &&
				strings.TrimSuffix(host, ".") != "localhost" {
				t.Fatalf("%q allows a whole top-level domain", pattern)
			}
			naive = regexp.QuoteMeta(scheme+"://") + `(` + naiveLabel + `\.)+` + regexp.QuoteMeta(bare)
		}
		want := regexp.MustCompile(`\A`+naive+`\z`).MatchString(origin) && fitsDNS(origin)
		if got := corsAllows(mw(http.HandlerFunc(nothing)), origin); got != want {
			t.Fatalf("%q by %q: allowed %v, by the regular expression %v", origin, pattern, got, want)
		}
	})
}

// FuzzHost checks that a host is allowed only if splitting it naively gives the pattern's host.
func FuzzHost(f *testing.F) {
	for _, tt := range hostCases {
		f.Add(tt.host)
	}
	mw := middleware.Must(middleware.TrustedHosts(middleware.HostsConfig{
		Allowed: []string{"example.com", "*.example.org", "[::1]", "127.0.0.1", "port.example.net:8080"}, OnError: refuse,
	}))(http.HandlerFunc(nothing))
	label := `[A-Za-z0-9_-]{1,63}`
	name := regexp.MustCompile(`\A(?i:example\.com|(` + label + `\.)+example\.org)\.?\z`)
	f.Fuzz(func(t *testing.T, host string) {
		w := &statusWriter{nullWriter: nullWriter{h: http.Header{}}}
		mw.ServeHTTP(w, &http.Request{Method: "GET", URL: &url.URL{Path: "/"}, Host: host, Header: http.Header{}})
		got := w.status == 0

		bare, port := host, ""
		if h, p, err := net.SplitHostPort(host); err == nil {
			bare, port = h, p
			if strings.Contains(h, ":") != strings.HasPrefix(host, "[") {
				require.False(t, got, "brackets belong to IPv6 and to nothing else")
				return
			}
		} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
			bare = host[1 : len(host)-1]
		}
		want := name.MatchString(bare) && len(strings.TrimSuffix(bare, ".")) <= 253
		address := bare
		if !strings.Contains(bare, ":") { // a dot at the end means the same with IPv4
			address = strings.TrimSuffix(bare, ".")
		}
		if a, err := netip.ParseAddr(address); err == nil && a.Zone() == "" {
			want = a.Unmap() == netip.MustParseAddr("127.0.0.1") || a == netip.IPv6Loopback()
		}
		if strings.EqualFold(strings.TrimSuffix(bare, "."), "port.example.net") {
			want = strings.TrimLeft(port, "0") == "8080"
		}
		if got {
			require.True(t, want, "%q is allowed", host)
			return
		}
		if want { // refused for its port or its form only
			require.True(t, port == "" || !validPort(port) || strings.HasSuffix(bare, ".") || strings.Contains(bare, ":") ||
				strings.HasSuffix(host, ":"), "%q is refused", host)
			require.False(t, host == bare && !strings.Contains(bare, ":"), "%q is refused", host)
		}
	})
}

func validPort(p string) bool {
	n := 0
	for _, c := range p {
		if c < '0' || c > '9' || len(p) > 5 {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return p != "" && n <= 65535
}

// FuzzForwardedFor compares the walk from the right with splitting everything first.
func FuzzForwardedFor(f *testing.F) {
	for _, seed := range []string{
		"1.2.3.4", "1.2.3.4, 10.0.0.2", "10.0.0.3,10.0.0.2", "[::1]:80, 10.0.0.2", "unknown, 10.0.0.2", ",,,", "",
		"1.2.3.4:80", "01.2.3.4", "1.2.3.256", "1.2.3.4.5", "1.2.3", "1.2.3.4:70000", "0.0.0.0:0", "1..3.4", "1.2.3.4:5:6",
		"::ffff:10.0.0.1", "fe80::1%eth0", "1.2.3.4\n10.0.0.2", "[1.2.3.4]", "1.2.3.4:",
	} {
		f.Add(seed)
	}
	trusted := prefixes("10.0.0.0/8")
	mw := middleware.Must(middleware.ClientIP(middleware.ClientIPConfig{TrustedProxies: trusted}))
	naive := func(lines []string) netip.Addr {
		current := netip.MustParseAddr("10.0.0.1")
		all := strings.Split(strings.Join(lines, ","), ",")
		for i := len(all) - 1; i >= 0 && len(lines) > 0 && trusted[0].Contains(current); i-- {
			a, ok := naiveAddr(strings.Trim(all[i], " \t"))
			if !ok {
				break
			}
			current = a
		}
		return current
	}
	f.Fuzz(func(t *testing.T, value string) {
		r := request("GET", "/")
		r.RemoteAddr = "10.0.0.1:99"
		r.Header["X-Forwarded-For"] = strings.Split(value, "\n")
		call(mw(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			require.Equal(t, naive(r.Header["X-Forwarded-For"]), middleware.ClientIPFrom(r.Context()))
		})), r)
	})
}

// naiveAddr is the standard library's idea of ip, ip:port, [v6] and [v6]:port.
func naiveAddr(s string) (netip.Addr, bool) {
	if len(s) > 70 { // no address is longer
		return netip.Addr{}, false
	}
	bare := s
	if host, port, err := net.SplitHostPort(s); err == nil {
		if !validPort(port) || strings.Contains(host, ":") != strings.HasPrefix(s, "[") {
			return netip.Addr{}, false
		}
		bare = host
	} else if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		if bare = s[1 : len(s)-1]; !strings.Contains(bare, ":") || strings.Contains(bare, "]") {
			return netip.Addr{}, false
		}
	}
	a, err := netip.ParseAddr(bare)
	return a.Unmap().WithZone(""), err == nil
}

// FuzzTraceParent compares the parser with the grammar as a regular expression.
func FuzzTraceParent(f *testing.F) {
	for _, tt := range traceParents {
		f.Add(tt.header)
	}
	grammar := regexp.MustCompile(`\A([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\z`)
	f.Fuzz(func(t *testing.T, header string) {
		got, ok := middleware.ParseTraceParent(header)
		m := grammar.FindStringSubmatch(strings.ReplaceAll(header, "\n", " "))
		want := m != nil && m[1] != "ff" && (m[1] != "00" || m[5] == "") &&
			strings.Trim(m[2], "0") != "" && strings.Trim(m[3], "0") != ""
		require.Equal(t, want, ok)
		if ok {
			require.Equal(t, m[2], got.TraceID)
			require.Equal(t, m[3], got.ParentID)
			return
		}
		require.Zero(t, got)
	})
}

// FuzzCSP checks that an accepted policy is one header line, one policy and free of the mistakes
// browsers do not report.
func FuzzCSP(f *testing.F) {
	for _, tt := range cspCases {
		f.Add(tt.policy)
	}
	unquoted := regexp.MustCompile(`(?:^|[\s;])(self|none|unsafe-inline|unsafe-eval|nonce-\S*|sha(256|384|512)-\S*)(?:[\s;]|$)`)
	f.Fuzz(func(t *testing.T, policy string) {
		if policy == "" {
			return
		}
		mw, err := middleware.Headers(middleware.HeadersConfig{ContentSecurityPolicy: policy})
		if err != nil {
			reasons(t, err)
			return
		}
		require.NotContains(t, policy, ",")
		require.NotRegexp(t, `[^ -~]`, policy)
		seen := map[string]bool{}
		for directive := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(policy), ";"), ";") {
			words := strings.Fields(directive)
			require.NotEmpty(t, words)
			require.False(t, seen[words[0]])
			seen[words[0]] = true
			if strings.HasSuffix(words[0], "-src") {
				require.NotRegexp(t, unquoted, strings.Join(words[1:], " "))
			}
		}
		var nonce string
		w := call(mw(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			nonce = middleware.NonceFrom(r.Context())
		})), request("GET", "/"))
		sent := w.Header().Get("Content-Security-Policy")
		require.Equal(t, strings.Contains(policy, "'nonce-{nonce}'"), nonce != "")
		if nonce != "" {
			require.Equal(t, strings.ReplaceAll(policy, "{nonce}", nonce), sent)
		}
	})
}
