package middleware

import (
	"net/http"
	"net/netip"
	"strings"
)

// HostsConfig configures [TrustedHosts].
type HostsConfig struct {
	// Allowed lists the names this server answers to. "example.com" is that host on any port,
	// "example.com:8080" on one, "*.example.com" every host below example.com but not itself. IP
	// addresses are written as usual, IPv6 in brackets or without. At least one is required.
	Allowed []string
	// Status of the refusal: 421 (default) or 400.
	Status int
	// OnError writes the refusal, a *Problem with code "wrong_host". Default [WriteProblem].
	OnError func(w http.ResponseWriter, r *http.Request, err error)
}

// TrustedHosts refuses requests for other hosts, so that nothing built from r.Host (links, cache keys)
// can be poisoned. Names are compared without regard to case or a trailing dot, addresses by value.
// A missing or malformed Host is refused. X-Forwarded-Host is never read: what counts is the Host the
// server was asked for.
func TrustedHosts(cfg HostsConfig) (Middleware, error) {
	var f faults
	hosts := hostSet{names: map[string]portRule{}, below: map[string]portRule{}, addrs: map[netip.Addr]portRule{}}
	if len(cfg.Allowed) == 0 {
		f.add("HostsConfig.Allowed", "", "is empty")
	}
	for _, pattern := range cfg.Allowed {
		if reason := hosts.add(pattern); reason != "" {
			f.add("HostsConfig.Allowed", pattern, reason)
		}
	}
	if cfg.Status == 0 {
		cfg.Status = http.StatusMisdirectedRequest
	}
	if cfg.Status != http.StatusMisdirectedRequest && cfg.Status != http.StatusBadRequest {
		f.add("HostsConfig.Status", http.StatusText(cfg.Status), "must be 421 or 400")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	if cfg.OnError == nil {
		cfg.OnError = WriteProblem
	}
	refusal := &Problem{Status: cfg.Status, Code: "wrong_host", Detail: "This server does not answer for that host."}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !hosts.allows(r.Host) {
				cfg.OnError(w, r, refusal)
				return
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

// portRule says which ports of a host are allowed.
type portRule struct {
	any   bool
	ports []int
}

func (p portRule) with(port int) portRule {
	if port < 0 {
		p.any = true
	} else {
		p.ports = append(p.ports, port)
	}
	return p
}

func (p portRule) allows(port int) bool {
	if p.any {
		return true
	}
	for _, one := range p.ports {
		if one == port {
			return true
		}
	}
	return false
}

// hostSet matches hosts against patterns without allocating.
type hostSet struct {
	names map[string]portRule     // lower case, no trailing dot
	below map[string]portRule     // "example.com" for *.example.com
	addrs map[netip.Addr]portRule // literal addresses
}

// add parses one pattern and returns what is wrong with it, or "".
func (s *hostSet) add(pattern string) string {
	rest, wildcard := strings.CutPrefix(pattern, "*.")
	if a, err := netip.ParseAddr(rest); err == nil && a.Zone() == "" {
		if wildcard {
			return "an address has nothing below it"
		}
		s.addrs[a.Unmap()] = s.addrs[a.Unmap()].with(-1)
		return ""
	}
	h, ok := parseHost(rest)
	switch {
	case strings.Contains(rest, "*"):
		return `a wildcard must be a whole first label, as in "*.example.com"`
	case strings.Contains(rest, "/"):
		return "is not a host; leave out scheme and path"
	case !ok:
		return "is not a host name or address, optionally with a port"
	case h.addr.IsValid():
		s.addrs[h.addr] = s.addrs[h.addr].with(h.port)
		return ""
	}
	name := strings.ToLower(h.name)
	if !wildcard {
		s.names[name] = s.names[name].with(h.port)
		return ""
	}
	if !strings.Contains(name, ".") {
		return "would trust a whole top-level domain"
	}
	s.below[name] = s.below[name].with(h.port)
	return ""
}

// allows reports whether a Host header value is one of the set.
func (s *hostSet) allows(host string) bool {
	// The usual case: the name as it was configured, without a port. Keys are valid names.
	if rule, found := s.names[host]; found && rule.allows(-1) {
		return true
	}
	h, ok := parseHost(host)
	if !ok {
		return false
	}
	if h.addr.IsValid() {
		rule, found := s.addrs[h.addr]
		return found && rule.allows(h.port)
	}
	var space [maxHostName]byte
	name := space[:len(h.name)]
	for k := range len(h.name) {
		name[k] = lower(h.name[k])
	}
	if rule, found := s.names[string(name)]; found && rule.allows(h.port) {
		return true
	}
	if len(s.below) == 0 {
		return false
	}
	for k, c := range name {
		if c == '.' {
			if rule, found := s.below[string(name[k+1:])]; found && rule.allows(h.port) {
				return true
			}
		}
	}
	return false
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// maxHostName is the longest DNS name in text form.
const maxHostName = 253

// hostPort is a parsed Host value: a name without trailing dot, or an address; port -1 when absent.
type hostPort struct {
	name string
	addr netip.Addr
	port int
}

// parseHost reads host[:port] strictly: ASCII labels of 1 to 63 letters, digits, dashes and
// underscores, IPv4 or bracketed IPv6 without zone, port of digits up to 65535.
func parseHost(s string) (hostPort, bool) {
	h := hostPort{port: -1}
	host := s
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return h, false
		}
		var ok bool
		if h.port, ok = portSuffix(s[end+1:]); !ok {
			return h, false
		}
		addr, err := netip.ParseAddr(s[1:end])
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return h, false
		}
		h.addr = addr.Unmap()
		return h, true
	}
	if colon := strings.IndexByte(s, ':'); colon >= 0 {
		var ok bool
		if h.port, ok = portSuffix(s[colon:]); !ok {
			return h, false
		}
		host = s[:colon]
	}
	host = strings.TrimSuffix(host, ".")
	if !validHostName(host) {
		return h, false
	}
	if last := host[strings.LastIndexByte(host, '.')+1:]; last[0] >= '0' && last[0] <= '9' && allDigits(last) {
		addr, err := netip.ParseAddr(host) // a name that ends in a number is an IPv4 address or nothing
		h.addr = addr
		return h, err == nil
	}
	h.name = host
	return h, true
}

// portSuffix reads nothing or a colon and a port.
func portSuffix(s string) (int, bool) {
	if s == "" {
		return -1, true
	}
	if s[0] != ':' {
		return 0, false
	}
	return parsePort(s[1:])
}

func validHostName(s string) bool {
	if s == "" || len(s) > maxHostName {
		return false
	}
	label := 0
	for k := range len(s) {
		c := s[k]
		switch {
		case c == '.':
			if label == 0 || label > 63 {
				return false
			}
			label = 0
			continue
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
		label++
	}
	return label > 0 && label <= 63
}

func allDigits(s string) bool {
	for k := range len(s) {
		if s[k] < '0' || s[k] > '9' {
			return false
		}
	}
	return s != ""
}
