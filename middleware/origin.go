package middleware

import (
	"fmt"
	"net/netip"
	"strings"
)

// originSet matches serialized origins (RFC 6454 section 6.2) against a list of full origins and of
// patterns such as https://*.example.com. CORS and CSRF share it, so that they cannot disagree.
type originSet struct {
	exact map[string]struct{}
	below map[string]struct{} // "https://example.com:8443" for https://*.example.com:8443
}

// newOriginSet parses a list and reports every fault in it.
func newOriginSet(f *faults, field string, list []string) originSet {
	set := originSet{exact: map[string]struct{}{}, below: map[string]struct{}{}}
	for _, entry := range list {
		scheme, rest, _ := strings.Cut(entry, "://")
		bare, wildcard := strings.CutPrefix(rest, "*.")
		plain := entry
		if wildcard {
			plain = scheme + "://" + bare
		}
		reason := originFault(plain)
		switch {
		case reason != "":
		case wildcard && scheme != "https" && scheme != "http":
			reason = "has a wildcard, which needs http or https"
		case wildcard:
			reason = wildcardFault(bare)
		}
		switch {
		case reason != "":
			f.add(field, entry, reason)
		case wildcard:
			set.below[plain] = struct{}{}
		default:
			set.exact[entry] = struct{}{}
		}
	}
	return set
}

// wildcardFault says why nothing may be allowed below a host, or "". A dot at the end does not make a
// top-level domain a lower one.
func wildcardFault(hostport string) string {
	h, _ := parseHost(hostport)
	switch {
	case h.addr.IsValid():
		return "has a wildcard below an address"
	case !strings.Contains(h.name, ".") && h.name != "localhost":
		return "would allow a whole top-level domain"
	case len(h.name) > maxHostName-len("a."):
		return "is too long for a name below it"
	}
	return ""
}

// allows reports whether origin, a header value, is in the set. It does not allocate.
func (s *originSet) allows(origin string) bool {
	if _, ok := s.exact[origin]; ok {
		return true
	}
	const longest = len("https://") + maxHostName + len(":65535")
	if len(s.below) == 0 || len(origin) > longest || !isOrigin(origin) {
		return false
	}
	var space [longest]byte
	schemeEnd := strings.Index(origin, "://") + 3
	buf := append(space[:0], origin[:schemeEnd]...)
	for k := schemeEnd; k < len(origin); k++ {
		if origin[k] == '.' {
			if _, ok := s.below[string(append(buf, origin[k+1:]...))]; ok {
				return true
			}
		}
	}
	return false
}

// isOrigin reports whether s is exactly what a browser sends for an origin: lower-case scheme and
// host, no default port, nothing else. "null" is not.
func isOrigin(s string) bool { return originFault(s) == "" }

// originFault says why s is not a serialized origin, or "".
func originFault(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case s == "null":
		return "stands for any sandboxed page and cannot be trusted"
	case s == "*":
		return "must stand alone"
	case !ok || scheme == "":
		return "needs a scheme, as in https://example.com"
	case !validScheme(scheme):
		return "has a malformed or upper-case scheme"
	case scheme == "file":
		return "is a file, of which browsers say null"
	case rest == "":
		return "needs a host"
	case strings.HasSuffix(rest, "/") && strings.Count(rest, "/") == 1 && !strings.ContainsAny(rest, "?#"):
		return "ends in a slash"
	case strings.ContainsRune(rest, '#'):
		return "has a fragment"
	case strings.ContainsRune(rest, '?'):
		return "has a query"
	case strings.ContainsRune(rest, '/'):
		return "has a path"
	case strings.ContainsRune(rest, '@'):
		return "has user information"
	case !printableASCII(rest):
		return "has a host outside ASCII; write it in punycode (xn--)"
	case strings.ContainsRune(rest, '*'):
		return "may have a wildcard as its whole first label only, as in https://*.example.com"
	case rest != strings.ToLower(rest):
		return "has an upper-case host"
	}
	return originHostFault(scheme, rest)
}

func originHostFault(scheme, rest string) string {
	host := rest
	if colon := strings.LastIndexByte(rest, ':'); colon > strings.LastIndexByte(rest, ']') {
		port := rest[colon+1:]
		host = rest[:colon]
		n, ok := parsePort(port)
		switch {
		case !ok || n == 0 || port[0] == '0':
			return "has a bad port"
		case scheme == "https" && n == 443, scheme == "http" && n == 80:
			return "names the default port, which browsers leave out"
		}
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		a, err := netip.ParseAddr(host[1 : len(host)-1])
		if err != nil || !a.Is6() || a.Zone() != "" {
			return "has a bad IPv6 address"
		}
		if shortIPv6(a) != host[1:len(host)-1] {
			return "has an IPv6 address that is not in its short form"
		}
		return ""
	}
	h, ok := parseHost(host)
	switch {
	case !ok, h.port >= 0:
		return "has a malformed host"
	case h.addr.IsValid() && strings.HasSuffix(host, "."):
		return "has an IPv4 address with a dot at its end, which browsers take away"
	}
	return ""
}

// shortIPv6 is the address as browsers write it: netip's form, but without dots in an IPv4-mapped one.
func shortIPv6(a netip.Addr) string {
	if !a.Is4In6() {
		return a.String()
	}
	b := a.As16()
	return fmt.Sprintf("::ffff:%x:%x", uint16(b[12])<<8|uint16(b[13]), uint16(b[14])<<8|uint16(b[15]))
}

func validScheme(s string) bool {
	for k := range len(s) {
		c := s[k]
		switch {
		case 'a' <= c && c <= 'z':
		case k > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// isLoopback reports whether an origin is the developer's own machine.
func isLoopback(origin string) bool {
	_, rest, _ := strings.Cut(origin, "://")
	h, ok := parseHost(rest)
	if !ok {
		return false
	}
	return h.name == "localhost" || strings.HasSuffix(h.name, ".localhost") || h.addr.IsLoopback()
}
