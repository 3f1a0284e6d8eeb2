package middleware

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
)

// HeadersConfig configures [Headers]. Each field is the value of one response header and an empty
// field leaves that header out; start from [APIHeaders] or [PageHeaders] and change what differs.
// Values are checked by the constructor as far as a wrong one would be ignored by browsers.
type HeadersConfig struct {
	// ContentSecurityPolicy may hold the source 'nonce-{nonce}'; see [NonceFrom].
	ContentSecurityPolicy string
	// ContentSecurityPolicyReportOnly is tried out by browsers but not enforced.
	ContentSecurityPolicyReportOnly string
	// StrictTransportSecurity is sent only to clients that use TLS: over r.TLS, or over a trusted
	// proxy that says so (see [ClientIP]).
	StrictTransportSecurity   string
	ContentTypeOptions        string // X-Content-Type-Options: nosniff
	FrameOptions              string // X-Frame-Options: DENY or SAMEORIGIN
	ReferrerPolicy            string
	PermissionsPolicy         string
	CrossOriginOpenerPolicy   string
	CrossOriginResourcePolicy string
	CrossOriginEmbedderPolicy string // in no preset: it breaks pages that embed foreign resources
	// XSSProtection is X-XSS-Protection and may only be "0": every other value switches on a filter
	// that old browsers had and that could itself be used for attacks (OWASP says 0, too).
	XSSProtection                string
	PermittedCrossDomainPolicies string
	// CacheControl is what answers say whose handler says nothing.
	CacheControl string
	// Extra are further headers by name.
	Extra map[string]string
}

// APIHeaders is the preset for JSON APIs: nothing may be loaded, framed, sniffed or cached.
// HSTS is two years with subdomains, without preload, which cannot be taken back quickly.
func APIHeaders() HeadersConfig {
	return HeadersConfig{
		ContentSecurityPolicy:        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
		StrictTransportSecurity:      "max-age=63072000; includeSubDomains",
		ContentTypeOptions:           "nosniff",
		FrameOptions:                 "DENY",
		ReferrerPolicy:               "no-referrer",
		CrossOriginOpenerPolicy:      "same-origin",
		CrossOriginResourcePolicy:    "same-origin",
		XSSProtection:                "0",
		PermittedCrossDomainPolicies: "none",
		CacheControl:                 "no-store",
	}
}

// PageHeaders is the preset for HTML pages: everything from the own origin, inline scripts and styles
// only with the nonce of [NonceFrom], no framing, no camera, microphone or location.
func PageHeaders() HeadersConfig {
	c := APIHeaders()
	c.ContentSecurityPolicy = "default-src 'self'; script-src 'self' 'nonce-{nonce}'; " +
		"style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; object-src 'none'; base-uri 'none'; " +
		"form-action 'self'; frame-ancestors 'none'"
	c.ReferrerPolicy = "strict-origin-when-cross-origin"
	c.PermissionsPolicy = "camera=(), geolocation=(), microphone=()"
	c.CacheControl = "no-cache"
	return c
}

// Headers sets response headers before the handler runs, so that rejections by inner middleware carry
// them and the handler may still change or delete each one. It sets, never adds: mounted twice, the
// inner one wins. Values live in memory of the request, so changing a header changes no other answer.
func Headers(cfg HeadersConfig) (Middleware, error) {
	var f faults
	cfg.check(&f)
	policy := &cspPolicy{
		enforce: parseCSP(&f, "HeadersConfig.ContentSecurityPolicy", cfg.ContentSecurityPolicy),
		report:  parseCSP(&f, "HeadersConfig.ContentSecurityPolicyReportOnly", cfg.ContentSecurityPolicyReportOnly),
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	plain := cfg.pairs(policy)
	secure := plain
	if cfg.StrictTransportSecurity != "" {
		secure = append(slices.Clip(plain), headerPair{"Strict-Transport-Security", cfg.StrictTransportSecurity})
	}
	values := make([]string, len(secure))
	for k, p := range secure {
		values[k] = p.value
	}
	nonces := policy.nonces()
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			i := infoFrom(r.Context())
			if i == nil && nonces {
				i, w, r = share(w, r)
			}
			pairs := plain
			if i.https(r) {
				pairs = secure
			}
			h := w.Header()
			if i == nil {
				setPairs(h, pairs)
			} else {
				i.setPairs(h, pairs, values[:len(pairs)])
				i.csp, i.cspHeader = nil, nil
				if nonces {
					i.csp, i.cspHeader = policy, h
				}
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

// NonceFrom returns the nonce for inline scripts and styles of this answer, and puts it into the
// Content-Security-Policy headers, in place of {nonce}. Only answers that ask pay for one; all others
// are sent the policy without the nonce source. Every call during one request returns the same value.
//
// Call it before the first write, from the goroutine that writes the answer. It returns "" when
// [Headers] has no policy with 'nonce-{nonce}' for the request, or when the answer has begun.
func NonceFrom(ctx context.Context) string {
	s := stateFrom(ctx)
	if s == nil || s.info.csp == nil {
		return ""
	}
	i := s.info
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.nonce == "" {
		if s.rec.status != 0 {
			return ""
		}
		var raw [16]byte
		_, _ = rand.Read(raw[:]) // never fails, see crypto/rand
		i.nonce = base64.StdEncoding.EncodeToString(raw[:])
	}
	if s.rec.status == 0 {
		i.putPolicy("Content-Security-Policy", i.csp.enforce)
		i.putPolicy("Content-Security-Policy-Report-Only", i.csp.report)
	}
	return i.nonce
}

// putPolicy swaps the plain policy for the one with the nonce, unless the handler has set its own.
func (i *info) putPolicy(name string, text cspText) {
	if now := i.cspHeader[name]; text.nonced() && len(now) == 1 && now[0] == text.plain {
		i.set(i.cspHeader, name, text.with(i.nonce))
	}
}

type headerPair struct{ name, value string }

func setPairs(h http.Header, pairs []headerPair) {
	values := make([]string, len(pairs))
	for k, p := range pairs {
		values[k] = p.value
		h[p.name] = values[k : k+1 : k+1]
	}
}

// pairs lists what is always sent, by canonical name.
func (cfg *HeadersConfig) pairs(policy *cspPolicy) []headerPair {
	all := []headerPair{
		{"Content-Security-Policy", policy.enforce.plain},
		{"Content-Security-Policy-Report-Only", policy.report.plain},
		{"X-Content-Type-Options", cfg.ContentTypeOptions},
		{"X-Frame-Options", cfg.FrameOptions},
		{"Referrer-Policy", cfg.ReferrerPolicy},
		{"Permissions-Policy", cfg.PermissionsPolicy},
		{"Cross-Origin-Opener-Policy", cfg.CrossOriginOpenerPolicy},
		{"Cross-Origin-Resource-Policy", cfg.CrossOriginResourcePolicy},
		{"Cross-Origin-Embedder-Policy", cfg.CrossOriginEmbedderPolicy},
		{"X-Xss-Protection", cfg.XSSProtection},
		{"X-Permitted-Cross-Domain-Policies", cfg.PermittedCrossDomainPolicies},
		{"Cache-Control", cfg.CacheControl},
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Extra)) {
		all = append(all, headerPair{http.CanonicalHeaderKey(name), cfg.Extra[name]})
	}
	return slices.DeleteFunc(all, func(p headerPair) bool { return p.value == "" })
}
