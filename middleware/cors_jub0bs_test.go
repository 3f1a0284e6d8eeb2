package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

// jub0bsRules are the differences from jub0bs/cors that run through all of its cases.
var jub0bsRules = []peerRule{
	{whyVary, func(c peerCase, v *verdict) {
		switch {
		case isPreflight(c):
			v.vary = corsVary
		case c.method == "OPTIONS":
			v.vary = "Origin"
		}
	}},
	{whyVaryAny, leavesOutOrigin},
}

// The table of jub0bs/cors v1.0.2 (TestMiddleware), one group per configuration. Its wildcards for
// methods and headers are written out here, its debug mode and its reconfiguration left out.
func TestCORSAgainstJub0bs(t *testing.T) {
	t.Parallel()
	const (
		local, foreign, broken = "http://localhost:9090", "https://example.com", "invalid_origin"
		listed                 = "bar,baz,foo"
	)
	refused, hidden := verdict{status: 403}, verdict{vary: "Origin"}
	plain := verdict{} // OPTIONS that reached the handler, nothing said
	var all []peerCase
	group := func(name string, cfg middleware.CORSConfig, cases ...peerCase) {
		for _, c := range cases {
			c.name, c.cfg = name+": "+c.name, cfg
			all = append(all, c)
		}
	}
	get := func(name, origin string, theirs verdict) peerCase {
		return peerCase{name: "GET " + name, method: "GET", header: []string{"Origin", origin}, theirs: theirs}
	}
	options := func(name, origin string, theirs verdict) peerCase {
		return peerCase{name: "OPTIONS " + name, method: "OPTIONS", header: []string{"Origin", origin}, theirs: theirs}
	}
	preflight := func(name, origin, method string, theirs verdict, lines ...string) peerCase {
		return peerCase{name: "preflight " + name, method: "OPTIONS", header: asks(origin, method, lines...), theirs: theirs}
	}
	differs := func(c peerCase, ours verdict, why string) peerCase {
		c.ours, c.why = &ours, why
		return c
	}
	nonCORS := []peerCase{{name: "GET without an origin", method: "GET", theirs: hidden}, {name: "OPTIONS without an origin", method: "OPTIONS", theirs: plain}}
	emptyLines := func(n int, last string) []string { return append(make([]string, n), last) }

	passes := verdict{status: 204, allowed: true, credentials: true, maxAge: "30"}
	passesVaried := passes
	passesVaried.vary = corsVary
	reads := verdict{allowed: true, credentials: true, exposed: "x-bar,x-foo", vary: "Origin"}
	readsOptions := reads
	readsOptions.vary = ""
	credentialed := middleware.CORSConfig{
		Origins: []string{local}, Credentials: true, Methods: []string{"GET", "POST", "PURGE", "HELP"},
		RequestHeaders: []string{"Authorization"}, MaxAge: 30 * time.Second, ExposedHeaders: []string{"X-Bar", "X-Foo"},
	}
	group("credentialed", credentialed, nonCORS...)
	group("credentialed", credentialed,
		get("from allowed", local, reads), get("from disallowed", foreign, hidden), get("from invalid", broken, hidden),
		options("from allowed", local, readsOptions), options("from disallowed", foreign, plain),
		preflight("with GET from allowed", local, "GET", passes),
		preflight("with PURGE from allowed", local, "PURGE", passes),
		preflight("with PURGE and a header that is not listed", local, "PURGE", refused, "content-type"),
		preflight("with PURGE and a listed header", local, "PURGE", passes, "authorization"),
		preflight("with some empty elements", local, "PURGE", passes, ",,authorization,,"),
		differs(preflight("with 17 empty elements", local, "PURGE", refused, "authorization"+strings.Repeat(",", 17)), passesVaried, whyBounded),
		preflight("with 16 empty lines", local, "PURGE", passes, emptyLines(16, "authorization")...),
		differs(preflight("with 17 empty lines", local, "PURGE", refused, emptyLines(17, "authorization")...), passesVaried, whyBounded),
		preflight("with GET from disallowed", foreign, "GET", refused), preflight("with GET from invalid", broken, "GET", refused),
		preflight("with PUT from allowed", local, "PUT", refused), preflight("with PUT from disallowed", foreign, "PUT", refused),
		preflight("with headers from allowed", local, "GET", refused, listed),
		preflight("with headers from disallowed", "https://example.org", "GET", refused, listed),
	)

	withHeaders := credentialed
	withHeaders.Methods, withHeaders.RequestHeaders = nil, []string{"Foo", "Bar", "Baz"}
	group("all request headers", withHeaders,
		preflight("with headers", local, "GET", passes, listed),
		preflight("with white space", local, "GET", passes, "bar , baz\t, foo\t"),
		preflight("with more white space", local, "GET", passes, "bar \t, baz\t, foo\t"),
		preflight("with 16 empty elements", local, "GET", passes, listed+strings.Repeat(",", 16)),
		preflight("with 17 empty elements", local, "GET", passes, listed+strings.Repeat(",", 17)),
		preflight("with 16 empty lines", local, "GET", passes, emptyLines(16, listed)...),
		preflight("with 17 empty lines", local, "GET", passes, emptyLines(17, listed)...),
		preflight("with PURGE", local, "PURGE", refused, listed+",qux"),
	)
	without := credentialed
	without.RequestHeaders = nil
	group("no request headers", without, preflight("with headers", local, "GET", refused, listed), preflight("with PUT", local, "PUT", refused))

	anyone := middleware.CORSConfig{
		Origins: []string{"*"}, Methods: []string{"PURGE", "PUT"}, MaxAge: 30 * time.Second,
		RequestHeaders: []string{"Authorization", "Content-Type", "Foo", "Bar", "Baz"}, ExposedHeaders: []string{"X-Foo"},
	}
	everyone := verdict{allowed: true, exposed: "x-foo"}
	opened := verdict{status: 204, allowed: true, maxAge: "30"}
	group("allow all", anyone,
		peerCase{name: "GET without an origin", method: "GET", theirs: everyone},
		peerCase{name: "OPTIONS without an origin", method: "OPTIONS", theirs: everyone},
		get("from anyone", local, everyone), get("from invalid", broken, everyone), options("from anyone", local, everyone),
		preflight("with GET", local, "GET", opened), preflight("with PURGE", local, "PURGE", opened),
		preflight("with PURGE and a header", local, "PURGE", opened, "content-type"), preflight("from invalid", broken, "GET", opened),
		preflight("with PUT", local, "PUT", opened), preflight("with headers", local, "GET", opened, listed),
	)

	some := middleware.CORSConfig{
		Origins: []string{"https://example.com:8080", "https://*.example.com"}, Credentials: true,
		Methods: []string{"GET", "POST", "PUT", "DELETE"}, RequestHeaders: []string{"Foo", "Bar", "Baz", "Qux", "Quux"},
		MaxAge: 30 * time.Second, ExposedHeaders: []string{"X-Bar", "X-Foo"},
	}
	group("allow some", some, nonCORS...)
	group("allow some", some,
		get("from allowed", "https://example.com:8080", reads), get("from another port", "https://example.com:6060", hidden),
		get("from invalid", broken, hidden), options("from allowed", "https://example.com:8080", readsOptions),
		options("from a subdomain and another port", "https://foo.example.com:8080", plain),
		preflight("with headers", "https://example.com:8080", "GET", passes, listed),
	)

	similar := only("https://foo.com", "https://bar.com")
	for _, origin := range []string{"https://barfoo.com", "https://foobar.com"} {
		group("GHSA-vhxv-fg4m-p2w8", similar, get("from "+origin, origin, hidden), options("from "+origin, origin, plain),
			preflight("with GET", origin, "GET", refused), preflight("with PUT", origin, "PUT", refused),
			preflight("with headers", origin, "GET", refused, listed))
	}

	connector := middleware.CORSConfig{Origins: []string{"connector://example.com"}, Credentials: true}
	own := verdict{allowed: true, credentials: true, vary: "Origin"}
	ownOptions := own
	ownOptions.vary = ""
	group("other scheme", connector, nonCORS...)
	group("other scheme", connector,
		get("from allowed", "connector://example.com", own), get("from another port", "connector://example.com:6060", hidden),
		get("from invalid", broken, hidden), options("from allowed", "connector://example.com", ownOptions),
		options("from another port", "connector://example.com:8080", plain),
		preflight("with headers", "connector://example.com", "GET", refused, listed),
	)

	below := only("http://*.example.com", "http://*.example.com:6060", "http://*.example.com:8080") // theirs: any port
	seen := verdict{allowed: true, vary: "Origin"}
	group("subdomains", below,
		get("from a subdomain", "http://foo.example.com", seen), get("from a subdomain and port", "http://foo.example.com:6060", seen),
		get("from deeper", "http://bar.foo.example.com", seen), get("from deeper and port", "http://bar.foo.example.com:8080", seen),
		get("from the host itself", "http://example.com", hidden),
		preflight("with headers", "http://foo.example.com", "GET", refused, listed),
	)

	names := strings.Fields("bat cat fat hat meerkat mat oat pat rat sat")
	var many []string
	for _, name := range names {
		many = append(many, "https://"+name)
	}
	for _, origin := range many {
		group("many origins", only(many...), get("from "+origin, origin, seen))
	}
	group("many origins", only(many...), get("from a similar one", "https://hazmat", hidden))
	runPeer(t, jub0bsRules, all)
}

// The group with a Vary of an outer middleware: it is kept, whatever else is said.
func TestCORSKeepsAnOuterVary(t *testing.T) {
	t.Parallel()
	const local = "http://localhost:9090"
	cors := middleware.Must(middleware.CORS(only(local)))
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "before")
		cors(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Add("Vary", "foo") })).ServeHTTP(w, r)
	})
	for _, origin := range []string{"", local, "https://example.com", "invalid_origin"} {
		for _, method := range []string{"", "GET", "PURGE", "PUT"} {
			r := httptest.NewRequest("OPTIONS", "/", nil)
			want := []string{"before", "Origin", "foo"}
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
			if method != "" {
				r.Header.Set("Access-Control-Request-Method", method)
				if origin != "" {
					want = []string{"before", "Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"}
				}
			}
			require.Equal(t, want, call(h, r).Header()["Vary"], "%s %s", origin, method)
		}
	}
}

// jub0bsPatterns are the origin patterns of its tests (internal/origins), and whether it takes them.
var jub0bsPatterns = map[string]bool{
	"https://*.a" + longHost: false, "https://*." + longHost: true,
	"null": false, "https://user:password@example.com:6060": false, "https://example.com:6060/foo": false,
	"https://example.com:6060?": false, "https://example.com:6060?foo=bar": false, "https://example.com:6060#nav": false,
	"ab": false, "ab:": false, " http://example.com:6060 ": false, "connector://foo": true, "a://example.com": true,
	"b://example.com": true, "y://example.com": true, "z://example.com": true, "file:///foo": false, "file://example.com": false,
	"42-chrome-extension://foo": false, "chrome-extension*://foo": false, "http://foo:80": false, "https://foo:443": false,
	"https://^foo": false, "http://1:6060": false, "https://résumé.com": false, "https://foo.^bar": false, "https://foo:": false,
	"https://foo:-1": false, "https://foo:0": false, "https://foo:abc": false, "https://foo:06060": false,
	"https://foo:12345foo": false, "https://foo:123456": false, "https://foo:65536": false, "https://foo:12390abc": false,
	"http://foo.bar.255:6060": false, "http://foo.bar.baz.012345678901234567890123456789:6060": false,
	"http://[::1]1:6060": false, "http://127.0.0.1:": false, "http://127.0.0.1:-1": false, "http://127.0.0.1:0": false,
	"https://127.0.0.1:90": true, "https://127.0.0.1.:90": false, "http://127.0.0.1.1": false, "http://69.254.169.254": true,
	"http://127.0.0.1:90": true, "https://[::1]:90": true, "http://[example]:90": false, "https://::1:90": false,
	"http://[::1:90": false, "https://::1]:90": false, "https://abc[::1]:90": false, "https://[::1]abc:90": false,
	"http://[2001:db8:aaaa:1111::100]:9090": true, "http://[::1]:90": true, "http://127.1:3999": false,
	"http://[::::::::::::::::1]:90": false, "http://[2001:4860:4860:0000:0000:0000:0000:8888]:90": false,
	"http://[fe80::1ff:fe23:4567:890a%eth2]:90": false, "http://[::ffff:7f7f:7f7f]:90": false, "http://exAmplE.coM:3999": false,
	"http://ex_am-ple.com:3999": true, "http://example.com.:3999": true, "http://example.com..:3999": false,
	"http://example..com:3999": false, "http://xn--f": false, "http://*.example.com:3999": true, "http://*.example.com:*": true,
	"http://**.example.com:3999": false, "http://fooo.*.example.com:3999": false, "http://*example.com:3999": false,
	"http://*.[::1]:3999": false, "http://*.127.0.0.1:3999": false,
}

// longHost has 251 characters, the most that leave room for one more label.
var longHost = strings.Repeat("a23456789012345678901234567890123456789012345678901234567890.", 4) + "a234567"
