package audit

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

type contextKey int

const (
	actorKey contextKey = iota
	requestKey
)

// WithActor returns a context whose events have a as their actor. Authentication sets it for
// requests; a background job sets its own, usually Actor{Type: ActorSystem, ID: "purge"}.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey, a)
}

// ActorFrom returns the actor that [WithActor] set.
func ActorFrom(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(actorKey).(Actor)
	return a, ok
}

// WithRequest returns a context whose events have r as their request.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey, r)
}

// RequestOf returns the request that [WithRequest] set.
func RequestOf(ctx context.Context) (Request, bool) {
	r, ok := ctx.Value(requestKey).(Request)
	return r, ok
}

// RequestFrom describes an HTTP request. X-Forwarded-For is believed only as far as trusted
// proxies have written it: it is read from its end, and the first address that is not trusted is
// the client. Without trusted proxies the peer is the client. ID and SessionID stay empty: fill
// them from your own middleware, never from a request header.
func RequestFrom(r *http.Request, trusted []netip.Prefix) Request {
	path := r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	return Request{IP: clientIP(r, trusted), UserAgent: r.UserAgent(), Method: r.Method, Path: path}
}

func clientIP(r *http.Request, trusted []netip.Prefix) string {
	client, ok := parseAddr(r.RemoteAddr)
	if !ok {
		return ""
	}
	var hops []string
	for _, line := range r.Header.Values("X-Forwarded-For") {
		hops = append(hops, strings.Split(line, ",")...)
	}
	for i := len(hops) - 1; i >= 0 && contains(trusted, client); i-- {
		hop, ok := parseAddr(strings.TrimSpace(hops[i]))
		if !ok {
			break // what a trusted proxy did not understand is no address
		}
		client = hop
	}
	return client.String()
}

// parseAddr reads an address with or without port, brackets and zone. The zone is dropped: it
// names an interface of this machine.
func parseAddr(s string) (netip.Addr, bool) {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}
	return addr.WithZone("").Unmap(), true
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
