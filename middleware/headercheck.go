package middleware

import (
	"maps"
	"slices"
	"strings"
)

// check reports every value that browsers would ignore or that could split a header.
func (cfg *HeadersConfig) check(f *faults) {
	oneOf := func(field, value string, allowed ...string) {
		if value != "" && !slices.Contains(allowed, value) {
			f.add("HeadersConfig."+field, value, "must be one of "+strings.Join(allowed, ", "))
		}
	}
	oneOf("ContentTypeOptions", cfg.ContentTypeOptions, "nosniff")
	oneOf("FrameOptions", cfg.FrameOptions, "DENY", "SAMEORIGIN")
	oneOf("CrossOriginOpenerPolicy", cfg.CrossOriginOpenerPolicy,
		"unsafe-none", "same-origin-allow-popups", "same-origin", "noopener-allow-popups")
	oneOf("CrossOriginResourcePolicy", cfg.CrossOriginResourcePolicy, "same-site", "same-origin", "cross-origin")
	oneOf("CrossOriginEmbedderPolicy", cfg.CrossOriginEmbedderPolicy, "unsafe-none", "require-corp", "credentialless")
	oneOf("XSSProtection", cfg.XSSProtection, "0")
	oneOf("PermittedCrossDomainPolicies", cfg.PermittedCrossDomainPolicies,
		"none", "none-this-response", "master-only", "by-content-type", "by-ftp-filename", "all")
	for policy := range strings.SplitSeq(cfg.ReferrerPolicy, ",") {
		oneOf("ReferrerPolicy", strings.TrimSpace(policy), "no-referrer", "no-referrer-when-downgrade", "origin",
			"origin-when-cross-origin", "same-origin", "strict-origin", "strict-origin-when-cross-origin", "unsafe-url")
	}
	if v := cfg.StrictTransportSecurity; v != "" {
		if reason := checkHSTS(v); reason != "" {
			f.add("HeadersConfig.StrictTransportSecurity", v, reason)
		}
	}
	for field, value := range map[string]string{
		"PermissionsPolicy": cfg.PermissionsPolicy, "CacheControl": cfg.CacheControl,
	} {
		if !printableASCII(value) {
			f.add("HeadersConfig."+field, value, "must be printable ASCII")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Extra)) {
		if !validHeaderName(name) {
			f.add("HeadersConfig.Extra", name, "is not a header name")
		}
		if !printableASCII(cfg.Extra[name]) {
			f.add("HeadersConfig.Extra", name, "has a value that is not printable ASCII")
		}
	}
}

// checkHSTS applies RFC 6797 section 6.1 and the one rule of the preload list that matters here.
func checkHSTS(v string) string {
	seen := map[string]bool{}
	for directive := range strings.SplitSeq(v, ";") {
		name, value, hasValue := strings.Cut(strings.TrimSpace(directive), "=")
		if seen[name] {
			return "repeats " + name
		}
		seen[name] = true
		switch name {
		case "max-age":
			if !allDigits(value) || len(value) > 10 {
				return "max-age must be a number of seconds"
			}
		case "includeSubDomains", "preload":
			if hasValue {
				return name + " takes no value"
			}
		default:
			return "may hold max-age, includeSubDomains and preload only"
		}
	}
	switch {
	case !seen["max-age"]:
		return "needs max-age"
	case seen["preload"] && !seen["includeSubDomains"]:
		return "preload needs includeSubDomains"
	}
	return ""
}

func printableASCII(s string) bool {
	for k := range len(s) {
		if s[k] < ' ' || s[k] > '~' {
			return false
		}
	}
	return true
}
