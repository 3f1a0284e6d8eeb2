package middleware

import (
	"fmt"
	"net/http"
	"strings"
)

// CSRFConfig configures [CSRF]. The zero value allows the server's own pages only.
type CSRFConfig struct {
	// TrustedOrigins may send unsafe requests too: full origins or patterns, as in
	// [CORSConfig.Origins]. Give both the same list, or use [StackConfig.Origins].
	TrustedOrigins []string
	// BypassPatterns are http.ServeMux patterns of requests that are not checked, such as webhooks
	// that bring their own signature. Only requests that match exactly are exempt, not those a mux
	// would redirect there.
	BypassPatterns []string
	// OnError writes the refusal, a *Problem of 403 with code "cross_origin". Default [WriteProblem].
	OnError func(w http.ResponseWriter, r *http.Request, err error)
}

// CSRF refuses unsafe requests that a page of another origin made a browser send. The decision is
// http.CrossOriginProtection's: by Sec-Fetch-Site, which every browser has sent since 2023, else by
// Origin against Host; requests with neither, which come from programs, pass. No tokens are needed.
//
// Before that it is stricter: one Sec-Fetch-Site and one Origin line at most; without Sec-Fetch-Site
// the Origin must be a serialized origin (net/http also takes http://evil@host), and on a TLS request
// an https one; GET, HEAD and OPTIONS with a method override header count as unsafe.
func CSRF(cfg CSRFConfig) (Middleware, error) {
	var f faults
	trusted := newOriginSet(&f, "CSRFConfig.TrustedOrigins", cfg.TrustedOrigins)
	std := http.NewCrossOriginProtection()
	for _, pattern := range cfg.BypassPatterns {
		if reason := addBypass(std, pattern); reason != "" {
			f.add("CSRFConfig.BypassPatterns", pattern, reason)
		}
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	c := &csrf{trusted: trusted, std: std, bypasses: len(cfg.BypassPatterns) > 0}
	onError := cfg.OnError
	if onError == nil {
		onError = WriteProblem
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !c.allows(r) {
				onError(w, r, &Problem{
					Status: http.StatusForbidden, Code: "cross_origin",
					Detail: "This request came from a page of another origin.",
				})
				return
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

type csrf struct {
	trusted  originSet
	std      *http.CrossOriginProtection
	bypasses bool
}

func (c *csrf) allows(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		if !overridesMethod(r.Header) {
			return true
		}
		unsafe := *r
		unsafe.Method = http.MethodPost
		r = &unsafe
	}
	sites, origins := r.Header["Sec-Fetch-Site"], r.Header["Origin"]
	if len(sites) > 1 || len(origins) > 1 {
		return c.bypassed(r)
	}
	if len(origins) == 1 {
		origin := origins[0]
		if c.trusted.allows(origin) {
			return true
		}
		if len(sites) == 0 || sites[0] == "" {
			if !isOrigin(origin) || (infoFrom(r.Context()).https(r) && !strings.HasPrefix(origin, "https://")) {
				return c.bypassed(r)
			}
		}
	}
	return c.std.Check(r) == nil
}

// bypassed asks about a request that is refused unless a pattern exempts it. A site that no browser
// would name makes the standard check look at nothing but the exemptions.
func (c *csrf) bypassed(r *http.Request) bool {
	if !c.bypasses {
		return false
	}
	bare := *r
	bare.Header = http.Header{"Sec-Fetch-Site": {"cross-site"}}
	return c.std.Check(&bare) == nil
}

func overridesMethod(h http.Header) bool {
	return len(h["X-Http-Method-Override"]) > 0 || len(h["X-Method-Override"]) > 0 || len(h["X-Http-Method"]) > 0
}

// addBypass turns the panic of the standard library into a reason.
func addBypass(std *http.CrossOriginProtection, pattern string) (reason string) {
	defer func() {
		if v := recover(); v != nil {
			reason = fmt.Sprint(v)
		}
	}()
	std.AddInsecureBypassPattern(pattern)
	return ""
}
