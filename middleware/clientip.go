package middleware

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
)

// ClientIPConfig configures [ClientIP]. The zero value trusts nobody: the peer is the client.
type ClientIPConfig struct {
	// TrustedProxies are the networks your own proxies connect from. Only their headers are read.
	// List loopback to trust a proxy on a unix socket.
	TrustedProxies []netip.Prefix
	// Header names the header the proxies write. Default X-Forwarded-For, a list that is walked from
	// the right. Any other header, such as Cf-Connecting-Ip, must hold one address, sent once.
	Header string
	// Hops is the most entries of X-Forwarded-For that are believed. Default 0: as long as the entry
	// before is a trusted proxy. With a known number of proxies and unknown addresses, trust
	// 0.0.0.0/0 and ::/0 and set Hops to that number.
	Hops int
}

// ClientIP finds the address of the client, for [ClientIPFrom] and the access log, and the scheme it
// used, for [SchemeFrom] and HSTS (from X-Forwarded-Proto of a trusted peer, else from the
// connection).
//
// It is safe by construction: X-Forwarded-For is walked from the right, starting at the peer, and the
// walk goes on only past trusted addresses, so nothing a client puts in front is ever reached. Entries
// may carry a port, brackets or a zone. At the first one that is no address the walk stops at the
// nearest trusted hop, so there is always an address to key a limiter by and never one the client
// chose. r.RemoteAddr is not touched. X-Forwarded-Host and Forwarded are not read.
//
// To verify a set-up, send a made-up X-Forwarded-For from outside: it must not show up in the log.
func ClientIP(cfg ClientIPConfig) (Middleware, error) {
	var f faults
	if cfg.Header == "" {
		cfg.Header = forwardedFor
	}
	if !validHeaderName(cfg.Header) {
		f.add("ClientIPConfig.Header", cfg.Header, "is not a header name")
	}
	if cfg.Hops < 0 {
		f.add("ClientIPConfig.Hops", "", "is negative")
	}
	for _, p := range cfg.TrustedProxies {
		if !p.IsValid() {
			f.add("ClientIPConfig.TrustedProxies", p.String(), "is not a valid prefix")
		} else if p.Bits() == 0 && cfg.Hops == 0 {
			f.add("ClientIPConfig.TrustedProxies", p.String(), "trusts everybody; set Hops, or name the networks")
		}
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	finder := ipFinder{hops: cfg.Hops}
	for _, p := range cfg.TrustedProxies {
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		finder.trusted = append(finder.trusted, p)
	}
	finder.header = http.CanonicalHeaderKey(cfg.Header)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			i, w, r := share(w, r)
			peer := peerAddr(r.RemoteAddr)
			i.clientIP, i.scheme = peer, schemeUnknown
			if finder.trusts(peer) {
				i.clientIP = finder.find(peer, r.Header)
				i.scheme = forwardedScheme(r.Header["X-Forwarded-Proto"])
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

const forwardedFor = "X-Forwarded-For"

// ClientIPFrom returns the client's address, without zone and with IPv4 in its short form. It is
// invalid when [ClientIP] is not mounted or the peer has no address. As a limiter's key, fold IPv6 to
// its /64: one customer holds that many.
func ClientIPFrom(ctx context.Context) netip.Addr {
	if i := infoFrom(ctx); i != nil {
		return i.clientIP
	}
	return netip.Addr{}
}

// SchemeFrom returns "https" or "http", whichever the client used as far as can be trusted. It is ""
// when nothing of this package is mounted.
func SchemeFrom(ctx context.Context) string {
	i := infoFrom(ctx)
	switch {
	case i == nil:
		return ""
	case i.https(i.req):
		return "https"
	}
	return "http"
}

type ipFinder struct {
	trusted []netip.Prefix
	header  string
	hops    int
}

func (f *ipFinder) trusts(a netip.Addr) bool {
	for _, p := range f.trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// find walks from the trusted peer towards the client.
func (f *ipFinder) find(peer netip.Addr, h http.Header) netip.Addr {
	lines := h[f.header]
	if f.header != forwardedFor {
		if len(lines) == 1 {
			if a, ok := parseForwarded(lines[0]); ok {
				return a
			}
		}
		return peer
	}
	current, taken := peer, 0
	for k := len(lines) - 1; k >= 0; k-- {
		rest, more := lines[k], true
		for more {
			var entry string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, entry = rest[:comma], rest[comma+1:]
			} else {
				entry, more = rest, false
			}
			a, ok := parseForwarded(entry)
			if !ok {
				return current
			}
			current, taken = a, taken+1
			if taken == f.hops || !f.trusts(current) {
				return current
			}
		}
	}
	return current
}

// peerAddr reads RemoteAddr. A unix socket, whose clients have no address, counts as loopback.
func peerAddr(remote string) netip.Addr {
	if remote == "" || remote[0] == '@' || remote[0] == '/' {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	a, _ := parseForwarded(remote)
	return a
}

// parseForwarded reads ip, ip:port, [ip] and [ip]:port.
func parseForwarded(s string) (netip.Addr, bool) {
	s = trimSpace(s)
	if a, ok := parseIPv4(s); ok { // nearly always, and then at a third of the cost of what follows
		return a, true
	}
	const longest = len("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%zone-of-16-bytes]:65535")
	if s == "" || len(s) > longest {
		return netip.Addr{}, false
	}
	host := s
	switch {
	case s[0] == '[':
		end := strings.IndexByte(s, ']')
		if end < 0 || !validPortSuffix(s[end+1:]) {
			return netip.Addr{}, false
		}
		host = s[1:end]
		if strings.IndexByte(host, ':') < 0 {
			return netip.Addr{}, false
		}
	case strings.Count(s, ":") == 1:
		colon := strings.IndexByte(s, ':')
		if !validPortSuffix(s[colon:]) {
			return netip.Addr{}, false
		}
		host = s[:colon]
	}
	if !maybeAddr(host) {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}

// parseIPv4 reads four decimal numbers without leading zeros, and optionally a port.
func parseIPv4(s string) (netip.Addr, bool) {
	var quad [4]byte
	dots, digits, octet := 0, 0, 0
	for k := range len(s) {
		c := s[k]
		switch {
		case '0' <= c && c <= '9' && (digits == 0 || octet > 0):
			octet = octet*10 + int(c-'0')
			digits++
			if octet > 255 {
				return netip.Addr{}, false
			}
		case c == '.' && digits > 0 && dots < 3:
			quad[dots] = byte(octet)
			dots, digits, octet = dots+1, 0, 0
		case c == ':' && digits > 0 && dots == 3:
			quad[3] = byte(octet)
			_, ok := parsePort(s[k+1:])
			return netip.AddrFrom4(quad), ok
		default:
			return netip.Addr{}, false
		}
	}
	quad[3] = byte(octet)
	return netip.AddrFrom4(quad), digits > 0 && dots == 3
}

// maybeAddr keeps hopeless text away from netip.ParseAddr, which allocates its errors.
func maybeAddr(s string) bool {
	return strings.IndexByte(s, '.') >= 0 || strings.IndexByte(s, ':') >= 0
}

// validPortSuffix accepts nothing or a colon and a port number.
func validPortSuffix(s string) bool {
	if s == "" {
		return true
	}
	_, ok := parsePort(s[1:])
	return s[0] == ':' && ok
}

// parsePort reads 1 to 5 digits up to 65535.
func parsePort(s string) (int, bool) {
	if s == "" || len(s) > 5 {
		return 0, false
	}
	n := 0
	for k := range len(s) {
		if s[k] < '0' || s[k] > '9' {
			return 0, false
		}
		n = n*10 + int(s[k]-'0')
	}
	return n, n <= 65535
}

// forwardedScheme reads the last element of X-Forwarded-Proto, the one the trusted peer wrote.
func forwardedScheme(lines []string) scheme {
	if len(lines) == 0 {
		return schemeUnknown
	}
	last := lines[len(lines)-1]
	last = trimSpace(last[strings.LastIndexByte(last, ',')+1:])
	switch {
	case strings.EqualFold(last, "https"):
		return schemeHTTPS
	case strings.EqualFold(last, "http"):
		return schemeHTTP
	}
	return schemeUnknown
}
