package middleware_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

// verdict is what a browser concludes from an answer, by the Fetch standard.
type verdict struct {
	allowed     bool // the preflight passes, or the script may read the answer
	credentials bool
	maxAge      string
	exposed     string
}

// judge plays the browser. A preflight needs an ok status (200 to 299), the origin, the method unless
// safelisted, and every header.
func judge(r *http.Request, status int, h http.Header) verdict {
	origin := h.Get("Access-Control-Allow-Origin")
	v := verdict{
		allowed:     len(h["Access-Control-Allow-Origin"]) == 1 && (origin == "*" || origin == r.Header.Get("Origin")),
		credentials: h.Get("Access-Control-Allow-Credentials") == "true" && origin != "*",
		exposed:     strings.ToLower(h.Get("Access-Control-Expose-Headers")),
	}
	method := r.Header.Get("Access-Control-Request-Method")
	if r.Method != "OPTIONS" || method == "" {
		return v
	}
	v.maxAge = h.Get("Access-Control-Max-Age")
	elements := func(values []string) []string {
		var out []string
		for e := range strings.SplitSeq(strings.Join(values, ","), ",") {
			if e = strings.ToLower(strings.TrimSpace(e)); e != "" {
				out = append(out, e)
			}
		}
		return out
	}
	safe := method == "GET" || method == "HEAD" || method == "POST"
	methods := elements(h["Access-Control-Allow-Methods"])
	v.allowed = v.allowed && status >= 200 && status <= 299 &&
		(safe || slices.Contains(methods, strings.ToLower(method)))
	for _, name := range elements(r.Header["Access-Control-Request-Headers"]) {
		v.allowed = v.allowed && slices.Contains(elements(h["Access-Control-Allow-Headers"]), name)
	}
	return v
}

// The cases of the published tests of rs/cors v1.11.1 (TestSpec) and gorilla/handlers v1.5.2
// (cors_test.go), as data. theirs is what their tests expect; where ours differs, why says so, and
// the package documentation lists it.
var peerCases = []struct {
	name   string
	cfg    middleware.CORSConfig
	method string
	header []string
	theirs verdict
	ours   *verdict // nil: the same
	why    string
}{
	{
		name: "rs MatchAllOrigin", cfg: middleware.CORSConfig{Origins: []string{"*"}},
		method: "GET", header: []string{"Origin", "http://foobar.com"}, theirs: verdict{allowed: true},
	},
	{
		name: "rs AllowedOrigin", cfg: middleware.CORSConfig{Origins: []string{"http://foobar.com"}},
		method: "GET", header: []string{"Origin", "http://foobar.com"}, theirs: verdict{allowed: true},
	},
	{
		name: "rs WildcardOrigin", cfg: middleware.CORSConfig{Origins: []string{"http://*.bar.com"}},
		method: "GET", header: []string{"Origin", "http://foo.bar.com"}, theirs: verdict{allowed: true},
	},
	{
		name: "rs DisallowedOrigin", cfg: middleware.CORSConfig{Origins: []string{"http://foobar.com"}},
		method: "GET", header: []string{"Origin", "http://barbaz.com"},
	},
	{
		name: "rs DisallowedWildcardOrigin", cfg: middleware.CORSConfig{Origins: []string{"http://*.bar.com"}},
		method: "GET", header: []string{"Origin", "http://foo.baz.com"},
	},
	{
		name:   "rs MaxAge",
		cfg:    middleware.CORSConfig{Origins: []string{"http://example.com"}, MaxAge: 10 * time.Second},
		method: "OPTIONS", header: []string{"Origin", "http://example.com", "Access-Control-Request-Method", "GET"},
		theirs: verdict{allowed: true, maxAge: "10"},
	},
	{
		name:   "rs MaxAgeNegative",
		cfg:    middleware.CORSConfig{Origins: []string{"http://example.com"}, MaxAge: -1},
		method: "OPTIONS", header: []string{"Origin", "http://example.com", "Access-Control-Request-Method", "GET"},
		theirs: verdict{allowed: true, maxAge: "0"},
	},
	{
		name:   "rs AllowedMethod",
		cfg:    middleware.CORSConfig{Origins: []string{"http://foobar.com"}, Methods: []string{"PUT", "DELETE"}},
		method: "OPTIONS", header: []string{"Origin", "http://foobar.com", "Access-Control-Request-Method", "PUT"},
		theirs: verdict{allowed: true},
	},
	{
		name:   "rs DisallowedMethod",
		cfg:    middleware.CORSConfig{Origins: []string{"http://foobar.com"}, Methods: []string{"PUT", "DELETE"}},
		method: "OPTIONS", header: []string{"Origin", "http://foobar.com", "Access-Control-Request-Method", "PATCH"},
	},
	{
		name:   "rs AllowedHeaders",
		cfg:    middleware.CORSConfig{Origins: []string{"http://foobar.com"}, RequestHeaders: []string{"X-Header-1", "x-header-2", "X-HEADER-3"}},
		method: "OPTIONS",
		header: []string{
			"Origin", "http://foobar.com", "Access-Control-Request-Method", "GET",
			"Access-Control-Request-Headers", "x-header-1,x-header-2",
		},
		theirs: verdict{allowed: true},
	},
	{
		name:   "rs DefaultAllowedHeaders",
		cfg:    middleware.CORSConfig{Origins: []string{"http://foobar.com"}},
		method: "OPTIONS",
		header: []string{
			"Origin", "http://foobar.com", "Access-Control-Request-Method", "GET",
			"Access-Control-Request-Headers", "x-requested-with",
		},
		theirs: verdict{allowed: true}, ours: &verdict{}, why: "no request header is allowed that was not listed",
	},
	{
		name:   "rs DisallowedHeader",
		cfg:    middleware.CORSConfig{Origins: []string{"http://foobar.com"}, RequestHeaders: []string{"X-Header-1", "x-header-2"}},
		method: "OPTIONS",
		header: []string{
			"Origin", "http://foobar.com", "Access-Control-Request-Method", "GET",
			"Access-Control-Request-Headers", "x-header-1,x-header-3",
		},
	},
	{
		name:   "rs ExposedHeader",
		cfg:    middleware.CORSConfig{Origins: []string{"http://foobar.com"}, ExposedHeaders: []string{"X-Header-1", "x-header-2"}},
		method: "GET", header: []string{"Origin", "http://foobar.com"},
		theirs: verdict{allowed: true, exposed: "x-header-1, x-header-2"},
	},
	{
		name: "rs AllowedCredentials",
		cfg: middleware.CORSConfig{
			Origins: []string{"http://foobar.com"}, Credentials: true, DangerouslyAllowInsecureOrigins: true,
		},
		method: "OPTIONS", header: []string{"Origin", "http://foobar.com", "Access-Control-Request-Method", "GET"},
		theirs: verdict{allowed: true, credentials: true},
	},
	{
		name: "rs DisallowedPrivateNetwork", cfg: middleware.CORSConfig{Origins: []string{"http://foobar.com"}},
		method: "OPTIONS",
		header: []string{
			"Origin", "http://foobar.com", "Access-Control-Request-Method", "GET",
			"Access-Control-Request-PrivateNetwork", "true",
		},
		theirs: verdict{allowed: true},
	},
	{
		name: "rs NonPreflightOptions", cfg: middleware.CORSConfig{Origins: []string{"http://foobar.com"}},
		method: "OPTIONS", header: []string{"Origin", "http://foobar.com"}, theirs: verdict{allowed: true},
	},
	{
		name:   "rs MultipleACRHHeaders",
		cfg:    middleware.CORSConfig{Origins: []string{"http://foobar.com"}, RequestHeaders: []string{"Content-Type", "Authorization"}},
		method: "OPTIONS",
		header: []string{
			"Origin", "http://foobar.com", "Access-Control-Request-Method", "GET",
			"Access-Control-Request-Headers", "authorization", "Access-Control-Request-Headers", "content-type",
		},
		theirs: verdict{allowed: true},
	},
	{
		name:   "rs MultipleACRHHeadersWithOWSAndEmptyElements",
		cfg:    middleware.CORSConfig{Origins: []string{"http://foobar.com"}, RequestHeaders: []string{"Content-Type", "Authorization"}},
		method: "OPTIONS",
		header: []string{
			"Origin", "http://foobar.com", "Access-Control-Request-Method", "GET",
			"Access-Control-Request-Headers", "authorization\t", "Access-Control-Request-Headers", " ",
			"Access-Control-Request-Headers", " content-type",
		},
		theirs: verdict{allowed: true},
	},
	{
		name: "gorilla DefaultReturnsOkWithOrigin", cfg: middleware.CORSConfig{Origins: []string{"*"}},
		method: "GET", header: []string{"Origin", "http://www.example.com/"}, theirs: verdict{allowed: true},
	},
	{
		name: "gorilla SetsExposedHeaders", cfg: middleware.CORSConfig{Origins: []string{"*"}, ExposedHeaders: []string{"X-CORS-TEST"}},
		method: "GET", header: []string{"Origin", "http://www.example.com"},
		theirs: verdict{allowed: true, exposed: "x-cors-test"},
	},
	{
		name:   "gorilla UnsetRequestMethodForPreflight",
		cfg:    middleware.CORSConfig{Origins: []string{"*"}, Methods: []string{"DELETE"}},
		method: "OPTIONS", header: []string{"Origin", "http://www.example.com"},
		ours: &verdict{allowed: true}, why: "OPTIONS without a requested method is no preflight and reaches the handler",
	},
	{
		name: "gorilla InvalidRequestMethodForPreflight", cfg: middleware.CORSConfig{Origins: []string{"*"}},
		method: "OPTIONS", header: []string{"Origin", "http://www.example.com", "Access-Control-Request-Method", "DELETE"},
	},
	{
		name: "gorilla OptionsMustNotBePassed", cfg: middleware.CORSConfig{Origins: []string{"*"}},
		method: "OPTIONS", header: []string{"Origin", "http://www.example.com", "Access-Control-Request-Method", "GET"},
		theirs: verdict{allowed: true},
	},
	{
		name: "gorilla AllowedMethodForPreflight", cfg: middleware.CORSConfig{Origins: []string{"*"}, Methods: []string{"DELETE"}},
		method: "OPTIONS", header: []string{"Origin", "http://www.example.com", "Access-Control-Request-Method", "DELETE"},
		theirs: verdict{allowed: true},
	},
	{
		name: "gorilla AllowMethodsNotSetForSimpleRequest", cfg: middleware.CORSConfig{Origins: []string{"*"}},
		method: "OPTIONS", header: []string{"Origin", "http://www.example.com", "Access-Control-Request-Method", "POST"},
		theirs: verdict{allowed: true},
	},
	{
		name: "gorilla AllowedHeaderForPreflight", cfg: middleware.CORSConfig{Origins: []string{"*"}, RequestHeaders: []string{"Content-Type"}},
		method: "OPTIONS",
		header: []string{
			"Origin", "http://www.example.com", "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "Content-Type",
		},
		theirs: verdict{allowed: true},
	},
	{
		name: "gorilla InvalidHeaderForPreflight", cfg: middleware.CORSConfig{Origins: []string{"*"}},
		method: "OPTIONS",
		header: []string{
			"Origin", "http://www.example.com", "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "Content-Type",
		},
	},
	{
		name:   "gorilla MaxAge above its ceiling",
		cfg:    middleware.CORSConfig{Origins: []string{"*"}, MaxAge: 3500 * time.Second},
		method: "OPTIONS", header: []string{"Origin", "http://www.example.com", "Access-Control-Request-Method", "POST"},
		theirs: verdict{allowed: true, maxAge: "600"}, ours: &verdict{allowed: true, maxAge: "3500"},
		why: "the age is sent as configured, browsers have ceilings of their own",
	},
	{
		name: "gorilla MultipleAllowOrigins", cfg: middleware.CORSConfig{Origins: []string{"http://www.example.com", "http://google.com"}},
		method: "GET", header: []string{"Origin", "http://www.example.com"}, theirs: verdict{allowed: true},
	},
	{
		name: "gorilla AllowStar", cfg: middleware.CORSConfig{Origins: []string{"*"}},
		method: "GET", header: []string{"Origin", "http://a.example.com"}, theirs: verdict{allowed: true},
	},
}

func TestCORSAgainstPeers(t *testing.T) {
	t.Parallel()
	for _, tt := range peerCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := request(tt.method, "/foo", tt.header...)
			w := call(middleware.Must(middleware.CORS(tt.cfg))(http.HandlerFunc(ok)), r)
			want := tt.theirs
			if tt.ours != nil {
				want = *tt.ours
				require.NotEmpty(t, tt.why)
			}
			require.Equal(t, want, judge(r, w.Code, w.Header()))
		})
	}
}

// What their tests configure and ours refuses to build.
func TestCORSRefusedPeerConfigs(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]middleware.CORSConfig{
		"rs NoConfig, gorilla empty origins":                             {},
		"rs MatchAllOriginWithCredentials, gorilla AllowedCredentials":   {Origins: []string{"*"}, Credentials: true},
		"rs AllowedWildcardHeader":                                       {Origins: []string{"*"}, RequestHeaders: []string{"*"}},
		"rs AllowedCredentials over http without saying it is dangerous": {Origins: []string{"http://foobar.com"}, Credentials: true},
		"gorilla MultipleAllowOrigins with trailing slashes":             {Origins: []string{"http://www.example.com/"}},
	} {
		_, err := middleware.CORS(cfg)
		require.Error(t, err, name)
	}
}
