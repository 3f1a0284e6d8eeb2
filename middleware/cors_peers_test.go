package middleware_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

// verdict is what a browser and a cache conclude from an answer, by the Fetch standard and RFC 9111.
type verdict struct {
	status      int  // of an answer the middleware gave itself; 0 when the handler was reached
	allowed     bool // the preflight passes, or the script may read the answer
	credentials bool
	maxAge      string
	exposed     string
	vary        string
}

// judge plays the browser. A preflight needs an ok status (200 to 299), the origin, the method unless
// safelisted, and every header.
func judge(r *http.Request, handled bool, status int, h http.Header) verdict {
	elements := func(values []string) []string {
		var out []string
		for e := range strings.SplitSeq(strings.Join(values, ","), ",") {
			if e = strings.ToLower(strings.TrimSpace(e)); e != "" {
				out = append(out, e)
			}
		}
		return out
	}
	origin := h.Get("Access-Control-Allow-Origin")
	v := verdict{
		status:      status,
		allowed:     len(h["Access-Control-Allow-Origin"]) == 1 && (origin == "*" || origin == r.Header.Get("Origin")),
		credentials: h.Get("Access-Control-Allow-Credentials") == "true" && origin != "*",
		exposed:     strings.Join(elements(h["Access-Control-Expose-Headers"]), ","),
		vary:        strings.Join(h["Vary"], ", "),
	}
	if handled {
		v.status = 0
		return v
	}
	v.maxAge = h.Get("Access-Control-Max-Age")
	method := r.Header.Get("Access-Control-Request-Method")
	safe := method == "GET" || method == "HEAD" || method == "POST"
	v.allowed = v.allowed && status >= 200 && status <= 299 &&
		(safe || slices.Contains(h["Access-Control-Allow-Methods"], method))
	for _, name := range elements(r.Header["Access-Control-Request-Headers"]) {
		v.allowed = v.allowed && slices.Contains(elements(h["Access-Control-Allow-Headers"]), name)
	}
	return v
}

// peerCase is one case of another library's published tests, in our own words. Where our verdict differs,
// why quotes the package documentation.
type peerCase struct {
	name   string
	cfg    middleware.CORSConfig
	method string
	header []string
	theirs verdict
	ours   *verdict // nil: theirs, after the rules of the library
	why    string
}

// peerRule is a difference that runs through all cases of a library.
type peerRule struct {
	why    string
	adjust func(c peerCase, v *verdict)
}

// runPeer runs the cases of one library. A difference that is not in the package documentation fails, and
// so does one that no case shows any more.
func runPeer(t *testing.T, rules []peerRule, cases []peerCase) {
	doc := packageDoc(t)
	used := make([]bool, len(rules))
	for _, tt := range cases {
		want := tt.theirs
		for k, rule := range rules {
			before := want
			rule.adjust(tt, &want)
			used[k] = used[k] || want != before
		}
		if tt.ours != nil {
			require.NotEqual(t, want, *tt.ours, "%s: no difference", tt.name)
			require.NotEmpty(t, tt.why, tt.name)
			require.Contains(t, doc, tt.why, tt.name)
			want = *tt.ours
		}
		r := request(tt.method, "/foo", tt.header...)
		handled := false
		w := call(middleware.Must(middleware.CORS(tt.cfg))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			handled = true
		})), r)
		require.Equal(t, want, judge(r, handled, w.Code, w.Header()), tt.name)
	}
	for k, rule := range rules {
		require.Contains(t, doc, rule.why)
		require.True(t, used[k], "no case shows that %s", rule.why)
	}
}

// packageDoc is the package documentation as running text.
func packageDoc(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	return strings.Join(strings.Fields(strings.ReplaceAll(string(raw), "//", " ")), " ")
}

const (
	whyRefused  = "A refused preflight is 403"
	whyAllowed  = "an allowed one 204"
	whyListed   = "No request header is allowed that was not listed"
	whyPlain    = "OPTIONS without Access-Control-Request-Method or without Origin reaches the handler"
	whyVaryAny  = "Vary: Origin is left out when any origin is allowed"
	whyVary     = "Vary names on every answer what it depends on"
	whyMaxAge   = "Access-Control-Max-Age is sent as configured"
	whyBounded  = "The header list is bounded by its bytes"
	whyNoOrigin = "With any origin the answer says so to every request"
)

func isPreflight(c peerCase) bool {
	r := request(c.method, "/", c.header...)
	return c.method == "OPTIONS" && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// leavesOutOrigin is the rule for any origin.
func leavesOutOrigin(c peerCase, v *verdict) {
	if slices.Equal(c.cfg.Origins, []string{"*"}) {
		v.vary = strings.TrimPrefix(strings.TrimPrefix(v.vary, "Origin"), ", ")
	}
}

// only makes a configuration of origins alone.
func only(origins ...string) middleware.CORSConfig { return middleware.CORSConfig{Origins: origins} }

// asks makes the headers of a preflight.
func asks(origin, method string, headers ...string) []string {
	list := []string{"Origin", origin, "Access-Control-Request-Method", method}
	for _, line := range headers {
		list = append(list, "Access-Control-Request-Headers", line)
	}
	return list
}

// The table of rs/cors v1.11.1 (TestSpec and the preflight and exposure tests after it).
func TestCORSAgainstRsCors(t *testing.T) {
	t.Parallel()
	const foobar, preflight, actual = "http://foobar.com", corsVary, "Origin"
	passes := verdict{status: 204, allowed: true, vary: preflight}
	reads := verdict{allowed: true, vary: actual}
	with := func(cfg middleware.CORSConfig, change func(*middleware.CORSConfig)) middleware.CORSConfig {
		change(&cfg)
		return cfg
	}
	methods := with(only(foobar), func(c *middleware.CORSConfig) { c.Methods = []string{"PUT", "DELETE"} })
	three := with(only(foobar), func(c *middleware.CORSConfig) { c.RequestHeaders = []string{"X-Header-1", "x-header-2", "X-HEADER-3"} })
	auth := with(only(foobar), func(c *middleware.CORSConfig) { c.RequestHeaders = []string{"Content-Type", "Authorization"} })
	exposes := with(only(foobar), func(c *middleware.CORSConfig) { c.ExposedHeaders = []string{"X-Header-1", "x-header-2"} })
	credentials := with(only(foobar), func(c *middleware.CORSConfig) { c.Credentials, c.DangerouslyAllowInsecureOrigins = true, true })
	age := func(d time.Duration) middleware.CORSConfig {
		return with(only("http://example.com"), func(c *middleware.CORSConfig) { c.MaxAge = d })
	}
	runPeer(t, []peerRule{
		{whyVaryAny, leavesOutOrigin},
		{whyRefused, func(_ peerCase, v *verdict) {
			if v.status == 204 && !v.allowed {
				v.status = 403
			}
		}},
	}, []peerCase{
		{name: "MatchAllOrigin", cfg: only("*"), method: "GET", header: []string{"Origin", foobar}, theirs: reads},
		{name: "AllowedOrigin", cfg: only(foobar), method: "GET", header: []string{"Origin", foobar}, theirs: reads},
		{name: "WildcardOrigin", cfg: only("http://*.bar.com"), method: "GET", header: []string{"Origin", "http://foo.bar.com"}, theirs: reads},
		{name: "DisallowedOrigin", cfg: only(foobar), method: "GET", header: []string{"Origin", "http://barbaz.com"}, theirs: verdict{vary: actual}},
		{name: "DisallowedWildcardOrigin", cfg: only("http://*.bar.com"), method: "GET", header: []string{"Origin", "http://foo.baz.com"}, theirs: verdict{vary: actual}},
		{
			name: "MaxAge", cfg: age(10 * time.Second), method: "OPTIONS", header: asks("http://example.com", "GET"),
			theirs: verdict{status: 204, allowed: true, maxAge: "10", vary: preflight},
		},
		{
			name: "MaxAgeNegative", cfg: age(-1), method: "OPTIONS", header: asks("http://example.com", "GET"),
			theirs: verdict{status: 204, allowed: true, maxAge: "0", vary: preflight},
		},
		{name: "AllowedMethod", cfg: methods, method: "OPTIONS", header: asks(foobar, "PUT"), theirs: passes},
		{name: "DisallowedMethod", cfg: methods, method: "OPTIONS", header: asks(foobar, "PATCH"), theirs: verdict{status: 204, vary: preflight}},
		{name: "AllowedHeaders", cfg: three, method: "OPTIONS", header: asks(foobar, "GET", "x-header-1,x-header-2"), theirs: passes},
		{
			name: "DefaultAllowedHeaders", cfg: only(foobar), method: "OPTIONS", header: asks(foobar, "GET", "x-requested-with"),
			theirs: passes, ours: &verdict{status: 403, vary: preflight}, why: whyListed,
		},
		{name: "DisallowedHeader", cfg: three, method: "OPTIONS", header: asks(foobar, "GET", "x-header-1,x-header-4"), theirs: verdict{status: 204, vary: preflight}},
		{
			name: "ExposedHeader", cfg: exposes, method: "GET", header: []string{"Origin", foobar},
			theirs: verdict{allowed: true, exposed: "x-header-1,x-header-2", vary: actual},
		},
		{
			name: "AllowedCredentials", cfg: credentials, method: "OPTIONS", header: asks(foobar, "GET"),
			theirs: verdict{status: 204, allowed: true, credentials: true, vary: preflight},
		},
		{
			name: "DisallowedPrivateNetwork", cfg: only(foobar), method: "OPTIONS",
			header: append(asks(foobar, "GET"), "Access-Control-Request-Private-Network", "true"), theirs: passes,
		},
		{name: "NonPreflightOptions", cfg: only(foobar), method: "OPTIONS", header: []string{"Origin", foobar}, theirs: reads},
		{name: "MultipleACRHHeaders", cfg: auth, method: "OPTIONS", header: asks(foobar, "GET", "authorization", "content-type"), theirs: passes},
		{name: "MultipleACRHHeadersWithOWSAndEmptyElements", cfg: auth, method: "OPTIONS", header: asks(foobar, "GET", "authorization\t", " ", " content-type"), theirs: passes},
		{
			name: "HandleActualRequestInvalidOriginAbortion", cfg: only("http://foo.com"), method: "GET",
			header: []string{"Origin", "http://example.com"}, theirs: verdict{vary: actual},
		},
		{
			name: "OptionsSuccessStatusCodeDefault", cfg: only("*"), method: "OPTIONS", header: []string{"Access-Control-Request-Method", "GET"},
			theirs: verdict{status: 204, vary: preflight}, ours: &verdict{allowed: true}, why: whyPlain,
		},
		{name: "AccessControlExposeHeadersPresence omit", cfg: only(foobar), method: "GET", header: []string{"Origin", foobar}, theirs: reads},
	})
}

// The tests of gorilla/handlers v1.5.2 (cors_test.go). Where they look at the status only, the rest is what
// the library sends.
func TestCORSAgainstGorilla(t *testing.T) {
	t.Parallel()
	const page = "http://www.example.com"
	passes, refused := verdict{status: 200, allowed: true}, verdict{status: 403}
	methods := middleware.CORSConfig{Origins: []string{"*"}, Methods: []string{"DELETE"}}
	cases := []peerCase{
		{name: "DefaultReturnsOk", cfg: only("*"), method: "GET", theirs: verdict{}, ours: &verdict{allowed: true}, why: whyNoOrigin},
		{name: "DefaultReturnsOkWithOrigin", cfg: only("*"), method: "GET", header: []string{"Origin", page + "/"}, theirs: verdict{allowed: true}},
		{
			name: "SetsExposedHeaders", cfg: middleware.CORSConfig{Origins: []string{"*"}, ExposedHeaders: []string{"X-CORS-TEST"}},
			method: "GET", header: []string{"Origin", page}, theirs: verdict{allowed: true, exposed: "x-cors-test"},
		},
		{
			name: "UnsetRequestMethodForPreflight", cfg: methods, method: "OPTIONS", header: []string{"Origin", page},
			theirs: verdict{status: 400}, ours: &verdict{allowed: true}, why: whyPlain,
		},
		{name: "InvalidRequestMethodForPreflight", cfg: only("*"), method: "OPTIONS", header: asks(page, "DELETE"), theirs: verdict{status: 405}},
		{name: "OptionsRequestMustNotBePassed", cfg: only("*"), method: "OPTIONS", header: asks(page, "GET"), theirs: passes},
		{
			name: "OptionsRequestMustNotBePassed when the origin is not allowed", cfg: only("https://a.b"), method: "OPTIONS",
			header: asks(page, "GET"), theirs: verdict{status: 200},
		},
		{name: "AllowedMethodForPreflight", cfg: methods, method: "OPTIONS", header: asks(page, "DELETE"), theirs: passes},
		{
			name: "AllowedHeaderForPreflight", cfg: middleware.CORSConfig{Origins: []string{"*"}, RequestHeaders: []string{"Content-Type"}},
			method: "OPTIONS", header: asks(page, "POST", "Content-Type"), theirs: passes,
		},
		{name: "InvalidHeaderForPreflight", cfg: only("*"), method: "OPTIONS", header: asks(page, "POST", "Content-Type"), theirs: refused},
		{
			name: "MaxAgeForPreflight", cfg: middleware.CORSConfig{Origins: []string{"*"}, MaxAge: 3500 * time.Second},
			method: "OPTIONS", header: asks(page, "POST"), theirs: verdict{status: 200, allowed: true, maxAge: "600"},
			ours: &verdict{status: 204, allowed: true, maxAge: "3500", vary: "Access-Control-Request-Method, Access-Control-Request-Headers"},
			why:  whyMaxAge,
		},
		{
			name: "MultipleAllowOriginsSetsVaryHeader", cfg: only(page, "http://google.com"), method: "GET",
			header: []string{"Origin", page}, theirs: verdict{allowed: true, vary: "Origin"},
		},
		{name: "OriginValidatorWithExplicitStar", cfg: only("*"), method: "GET", header: []string{"Origin", "http://a.example.com"}, theirs: verdict{allowed: true}},
		{name: "OriginValidator as a pattern", cfg: only("http://*.example.com"), method: "GET", header: []string{"Origin", "http://a.example.com"}, theirs: verdict{allowed: true, vary: "Origin"}},
		{name: "AllowStar", cfg: only("*"), method: "GET", header: []string{"Origin", "http://a.example.com"}, theirs: verdict{allowed: true}},
	}
	for _, method := range []string{"GET", "HEAD", "POST"} {
		cases = append(cases, peerCase{
			name: "AllowMethodsNotSetForSimpleRequestPreflight " + method, cfg: only("*"), method: "OPTIONS",
			header: asks(page, method), theirs: passes,
		})
	}
	for _, name := range []string{"Accept", "Accept-Language", "Content-Language", "Origin"} {
		cases = append(cases, peerCase{
			name: "AllowedHeaderNotSetForSimpleRequestPreflight " + name, cfg: only("*"), method: "OPTIONS",
			header: asks(page, "GET", name), theirs: passes,
			ours: &verdict{status: 403, vary: "Access-Control-Request-Method, Access-Control-Request-Headers"}, why: whyListed,
		})
	}
	runPeer(t, []peerRule{
		{whyRefused, func(_ peerCase, v *verdict) {
			if v.status != 0 && !v.allowed {
				v.status = 403
			}
		}},
		{whyAllowed, func(_ peerCase, v *verdict) {
			if v.status == 200 && v.allowed {
				v.status = 204
			}
		}},
		{whyVary, func(c peerCase, v *verdict) {
			if isPreflight(c) {
				v.vary = corsVary
			}
		}},
		{whyVaryAny, leavesOutOrigin},
	}, cases)
}

// What the tests of the three libraries configure and what becomes of it here. Every fault is a
// *ConfigError, and every difference is in the package documentation.
func TestCORSPeerConfigs(t *testing.T) {
	t.Parallel()
	const (
		accepted, refused = true, false
		whyErrors         = "are errors at construction"
		whyWildcard       = "A wildcard stands for names below a host only"
		whyLocal          = "an http origin with credentials is an error"
		whyMapped         = "IPv4-mapped addresses are origins like others"
		whyPunycode       = "punycode is not decoded"
		whyScheme         = "Origins of other schemes than http count as secure"
		whyMethods        = "Methods are written as browsers send them"
		whyExposed        = "no CORS header can be exposed"
		whyNoStar         = `"*" is not a method, a header or one origin among others`
		whyAge            = "any negative age"
	)
	credentialed := func(origins ...string) middleware.CORSConfig {
		return middleware.CORSConfig{Origins: origins, Credentials: true}
	}
	example := only("https://example.com")
	methods := func(m ...string) middleware.CORSConfig {
		c := example
		c.Methods = m
		return c
	}
	headers := func(h ...string) middleware.CORSConfig { c := example; c.RequestHeaders = h; return c }
	exposed := func(h ...string) middleware.CORSConfig { c := example; c.ExposedHeaders = h; return c }
	age := func(d time.Duration) middleware.CORSConfig { c := example; c.MaxAge = d; return c }
	tests := []struct {
		name         string
		cfg          middleware.CORSConfig
		theirs, ours bool
		why          string
	}{
		{"rs NoConfig, gorilla empty list of origins", only(), accepted, refused, whyErrors},
		{"rs MatchAllOriginWithCredentials, gorilla AllowedCredentials", credentialed("*"), accepted, refused, whyErrors},
		{"rs AllowedCredentials", credentialed("http://foobar.com"), accepted, refused, whyLocal},
		{"rs AllowedWildcardHeader", headers("*"), accepted, refused, whyNoStar},
		{"gorilla origins with a trailing slash", only("http://www.example.com/"), accepted, refused, whyErrors},
		{"jub0bs no origin", only(), refused, refused, ""},
		{"jub0bs any origin with credentials", credentialed("*"), refused, refused, ""},
		{"jub0bs any origin among others", only("*", "https://example.com"), accepted, refused, whyNoStar},
		{"jub0bs insecure origin with credentials", credentialed("http://example.com:6060"), refused, refused, ""},
		{"jub0bs insecure pattern with credentials", credentialed("http://*.example.com:6060"), refused, refused, ""},
		{"jub0bs insecure and said so", middleware.CORSConfig{Origins: []string{"http://example.com"}, Credentials: true, DangerouslyAllowInsecureOrigins: true}, accepted, accepted, ""},
		{"jub0bs other scheme with credentials", credentialed("connector://example.com"), refused, accepted, whyScheme},
		{"jub0bs below a public suffix, said to be dangerous", only("https://*.com"), accepted, refused, whyErrors},
		{"jub0bs below a public suffix of two labels", credentialed("https://*.github.io"), refused, accepted, "There is no list of public suffixes"},
		{"jub0bs any port", only("http://*.example.com:*"), accepted, refused, whyWildcard},
		{"jub0bs empty method", methods(""), refused, refused, ""},
		{"jub0bs malformed method", methods("résumé"), refused, refused, ""},
		{"jub0bs forbidden method", methods("CONNECT"), refused, refused, ""},
		{"jub0bs any method", methods("*"), accepted, refused, whyNoStar},
		{"jub0bs methods in lower case", methods("put"), accepted, refused, whyMethods},
		{"jub0bs own method", methods("PURGE", "HELP"), accepted, accepted, ""},
		{"jub0bs empty header", headers(""), refused, refused, ""},
		{"jub0bs malformed header", headers("résumé"), refused, refused, ""},
		{"jub0bs forbidden header", headers("Connection"), refused, refused, ""},
		{"jub0bs Sec- header", headers("Sec-Foo"), refused, refused, ""},
		{"jub0bs Proxy- header", headers("Proxy-Foo"), refused, refused, ""},
		{"jub0bs header of the protocol", headers("Access-Control-Allow-Origin"), refused, refused, ""},
		{"jub0bs age above the limit", age(86401 * time.Second), refused, refused, ""},
		{"jub0bs age at the limit", age(86400 * time.Second), accepted, accepted, ""},
		{"jub0bs age below -1", age(-2 * time.Second), refused, accepted, whyAge},
		{"jub0bs empty exposed header", exposed(""), refused, refused, ""},
		{"jub0bs malformed exposed header", exposed("résumé"), refused, refused, ""},
		{"jub0bs forbidden exposed header", exposed("Set-Cookie"), refused, refused, ""},
		{"jub0bs prohibited exposed header", exposed("Access-Control-Request-Method"), refused, refused, ""},
		{"jub0bs exposed header of the protocol", exposed("Access-Control-Allow-Origin"), accepted, refused, whyExposed},
		{"jub0bs any exposed header", exposed("*"), accepted, refused, whyNoStar},
	}
	for pattern, accepted := range jub0bsPatterns {
		tests = append(tests, struct {
			name         string
			cfg          middleware.CORSConfig
			theirs, ours bool
			why          string
		}{fmt.Sprintf("jub0bs pattern %.60q", pattern), only(pattern), accepted, accepted, ""})
	}
	for pattern, why := range map[string]string{
		"http://*.example.com:*": whyWildcard, "http://xn--f": whyPunycode, "http://[::ffff:7f7f:7f7f]:90": whyMapped,
	} {
		for k := range tests {
			if slices.Equal(tests[k].cfg.Origins, []string{pattern}) {
				tests[k].ours, tests[k].why = !tests[k].theirs, why
			}
		}
	}
	doc := packageDoc(t)
	for _, tt := range tests {
		_, err := middleware.CORS(tt.cfg)
		require.Equal(t, tt.ours, err == nil, "%s: %v", tt.name, err)
		require.Equal(t, tt.theirs != tt.ours, tt.why != "", tt.name)
		require.Contains(t, doc, tt.why, tt.name)
		if err != nil {
			reasons(t, err)
		}
	}
}
