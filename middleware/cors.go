package middleware

import (
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORSConfig configures [CORS]. Mistakes that would open more than was meant, or that could never
// match, are errors.
type CORSConfig struct {
	// Origins that may read answers: full origins ("https://app.example.com"), or every host below
	// one ("https://*.example.com", any depth, not example.com itself). "*" alone is any origin, is
	// said to every request, and excludes Credentials. Required. There is no list of public suffixes:
	// do not write "https://*.co.uk".
	Origins []string
	// Methods beyond GET, HEAD and POST, which browsers send without asking. Case matters.
	Methods []string
	// RequestHeaders that scripts may set beyond the safelisted ones, such as Authorization.
	RequestHeaders []string
	// ExposedHeaders that scripts may read beyond the safelisted ones.
	ExposedHeaders []string
	// Credentials allows cookies and HTTP authentication.
	Credentials bool
	// MaxAge is how long browsers remember a preflight: whole seconds up to 24 hours. Zero leaves it
	// to them (5 seconds), negative is not at all.
	MaxAge time.Duration
	// DangerouslyAllowInsecureOrigins permits http origins together with Credentials: anyone on the
	// network path can then act as the signed-in user. Loopback origins need no permission.
	DangerouslyAllowInsecureOrigins bool
}

// CORS lets scripts of other origins read answers (Fetch standard, CORS protocol). It answers
// preflights itself: 204, or 403 without any CORS header or body when origin, method or a header is not
// allowed; the access log then says which, as the attribute cors. Other requests reach the handler in
// any case, since CORS protects readers and not servers; use [CSRF] for that. Vary names what the
// answer depends on, also when the origin is refused, and is added to, never overwritten.
//
// Mount it on patterns without a method: "GET /items" never sees OPTIONS.
func CORS(cfg CORSConfig) (Middleware, error) {
	var f faults
	c := &cors{credentials: cfg.Credentials}
	c.any = slices.Equal(cfg.Origins, []string{"*"})
	switch {
	case len(cfg.Origins) == 0:
		f.add("CORSConfig.Origins", "", "is empty")
	case c.any && cfg.Credentials:
		f.add("CORSConfig.Origins", "*", "cannot go with CORSConfig.Credentials")
	case !c.any:
		c.origins = newOriginSet(&f, "CORSConfig.Origins", cfg.Origins)
	}
	if cfg.Credentials && !cfg.DangerouslyAllowInsecureOrigins {
		for _, o := range cfg.Origins {
			if strings.HasPrefix(o, "http://") && !isLoopback(strings.Replace(o, "*.", "", 1)) {
				f.add("CORSConfig.Origins", o, "is insecure and cannot go with CORSConfig.Credentials")
			}
		}
	}
	c.setMethods(&f, cfg.Methods)
	c.setRequestHeaders(&f, cfg.RequestHeaders)
	for _, name := range cfg.ExposedHeaders {
		if !validHeaderName(name) || name == "*" || isHiddenHeader(name) {
			f.add("CORSConfig.ExposedHeaders", name, "is not a header that can be exposed")
		}
	}
	c.exposed = strings.Join(cfg.ExposedHeaders, ", ")
	switch seconds := int64(cfg.MaxAge / time.Second); {
	case cfg.MaxAge < 0:
		c.maxAge = "0"
	case seconds > 86400 || (cfg.MaxAge > 0 && cfg.MaxAge%time.Second != 0):
		f.add("CORSConfig.MaxAge", cfg.MaxAge.String(), "must be whole seconds up to 24 hours")
	case seconds > 0:
		c.maxAge = strconv.FormatInt(seconds, 10)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return c.wrap, nil
}

// cors is a checked configuration.
type cors struct {
	any         bool
	origins     originSet
	methods     map[string]struct{}
	headers     map[string]struct{} // lower case
	longest     int                 // of the header names
	maxACRH     int                 // bytes a list of allowed headers can sensibly have
	headerList  string
	exposed     string
	maxAge      string
	credentials bool
}

func (c *cors) setMethods(f *faults, methods []string) {
	c.methods = map[string]struct{}{"GET": {}, "HEAD": {}, "POST": {}}
	for _, m := range methods {
		switch {
		case !validHeaderName(m) || m == "*":
			f.add("CORSConfig.Methods", m, "is not a method")
		case strings.EqualFold(m, "CONNECT"), strings.EqualFold(m, "TRACE"), strings.EqualFold(m, "TRACK"):
			f.add("CORSConfig.Methods", m, "is forbidden to scripts")
		case m != strings.ToUpper(m) && isNormalised(m):
			f.add("CORSConfig.Methods", m, "is sent in upper case by browsers and would never match")
		default:
			c.methods[m] = struct{}{}
		}
	}
}

// isNormalised reports whether browsers turn the method to upper case. PATCH is not among them.
func isNormalised(m string) bool {
	switch strings.ToUpper(m) {
	case "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT":
		return true
	}
	return false
}

func (c *cors) setRequestHeaders(f *faults, names []string) {
	c.headers = map[string]struct{}{}
	var list []string
	for _, name := range names {
		switch {
		case !validHeaderName(name) || name == "*":
			f.add("CORSConfig.RequestHeaders", name, "is not a header name")
			continue
		case isForbiddenHeader(name):
			f.add("CORSConfig.RequestHeaders", name, "cannot be set by scripts")
			continue
		}
		name = strings.ToLower(name)
		if _, twice := c.headers[name]; !twice {
			list = append(list, name)
			c.headers[name] = struct{}{}
			c.longest = max(c.longest, len(name))
			c.maxACRH += len(name)
		}
	}
	slices.Sort(list)
	c.headerList = strings.Join(list, ",")
	const slack = 64 // for empty elements and white space
	c.maxACRH += 4*len(list) + slack
}

// isForbiddenHeader follows the Fetch standard's forbidden request headers.
func isForbiddenHeader(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "accept-charset", "accept-encoding", "connection", "content-length", "cookie", "cookie2", "date",
		"dnt", "expect", "host", "keep-alive", "origin", "referer", "set-cookie", "te", "trailer",
		"transfer-encoding", "upgrade", "via":
		return true
	}
	return strings.HasPrefix(name, "sec-") || strings.HasPrefix(name, "proxy-") ||
		strings.HasPrefix(name, "access-control-")
}

// isHiddenHeader names the response headers that scripts never see or that are CORS itself.
func isHiddenHeader(name string) bool {
	name = strings.ToLower(name)
	return name == "set-cookie" || name == "set-cookie2" || strings.HasPrefix(name, "access-control-")
}

func (c *cors) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origins := r.Header["Origin"]
		set := headerSetter{h: w.Header(), info: infoFrom(r.Context())}
		if r.Method == http.MethodOptions && len(origins) > 0 && len(r.Header["Access-Control-Request-Method"]) > 0 {
			c.preflight(w, r, origins, set)
			return
		}
		// With any origin the answer says so to everyone, also to requests without an Origin: a cache
		// may give it to those that have one.
		if !c.any {
			set.vary("Origin")
		}
		if c.any || (len(origins) == 1 && c.origins.allows(origins[0])) {
			c.allow(&set, origins)
			if c.exposed != "" {
				set.set("Access-Control-Expose-Headers", c.exposed)
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (c *cors) preflight(w http.ResponseWriter, r *http.Request, origins []string, set headerSetter) {
	switch {
	case len(set.h["Vary"]) > 0:
		if !c.any {
			set.vary("Origin")
		}
		set.vary("Access-Control-Request-Method")
		set.vary("Access-Control-Request-Headers")
	case c.any:
		set.h["Vary"] = []string{"Access-Control-Request-Method, Access-Control-Request-Headers"}
	default:
		set.h["Vary"] = []string{"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
	}
	methods, headers := r.Header["Access-Control-Request-Method"], r.Header["Access-Control-Request-Headers"]
	reason := ""
	switch {
	case len(origins) != 1 || (!c.any && !c.origins.allows(origins[0])):
		reason = "origin refused"
	case len(methods) != 1 || !c.allowsMethod(methods[0]):
		reason = "method refused"
	case !c.allowsHeaders(headers):
		reason = "request header refused"
	}
	if reason != "" {
		// No body: only the browser sees it, and a hostile preflight must stay cheap.
		AddLogAttrs(r.Context(), slog.String("cors", reason))
		w.WriteHeader(http.StatusForbidden)
		return
	}
	c.allow(&set, origins)
	set.set("Access-Control-Allow-Methods", methods[0])
	if c.headerList != "" && len(headers) > 0 {
		set.set("Access-Control-Allow-Headers", c.headerList)
	}
	if c.maxAge != "" {
		set.set("Access-Control-Max-Age", c.maxAge)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (c *cors) allow(set *headerSetter, origins []string) {
	origin := "*"
	if !c.any {
		origin = origins[0]
	}
	set.set("Access-Control-Allow-Origin", origin)
	if c.credentials {
		set.set("Access-Control-Allow-Credentials", "true")
	}
}

func (c *cors) allowsMethod(method string) bool {
	_, ok := c.methods[method]
	return ok
}

// allowsHeaders checks every element of every line, in any order and case. What is longer than the
// whole list of allowed headers could be is refused unread, so a hostile header costs nothing.
func (c *cors) allowsHeaders(lines []string) bool {
	total := 0
	for _, line := range lines {
		if total += len(line) + 1; total > c.maxACRH {
			return false
		}
	}
	space := make([]byte, 0, 64)
	for _, line := range lines {
		for more := true; more; {
			var name string
			name, line, more = strings.Cut(line, ",")
			name = trimSpace(name)
			if name == "" {
				continue
			}
			if len(name) > c.longest {
				return false
			}
			space = space[:0]
			for k := range len(name) {
				space = append(space, lower(name[k]))
			}
			if _, ok := c.headers[string(space)]; !ok {
				return false
			}
		}
	}
	return true
}

// headerSetter sets headers in the memory of the request, or, without a state, in one array of its own.
type headerSetter struct {
	h    http.Header
	info *info
	free []string
}

func (s *headerSetter) set(canonical, value string) {
	if s.info != nil {
		s.info.set(s.h, canonical, value)
		return
	}
	if len(s.free) == 0 {
		const most = 6 // headers of a preflight
		s.free = make([]string, most)
	}
	s.free[0] = value
	s.h[canonical] = s.free[:1:1]
	s.free = s.free[1:]
}

// vary adds name to Vary unless it is there already.
func (s *headerSetter) vary(name string) {
	lines := s.h["Vary"]
	if len(lines) == 0 {
		s.set("Vary", name)
		return
	}
	for _, line := range lines {
		for more := true; more; {
			var one string
			one, line, more = strings.Cut(line, ",")
			if one = trimSpace(one); one == "*" || strings.EqualFold(one, name) {
				return
			}
		}
	}
	s.h["Vary"] = append(lines[:len(lines):len(lines)], name)
}
