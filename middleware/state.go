package middleware

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
)

// state is everything the package keeps for one request, in one allocation: the context handlers
// see, the response recorder, the shared info and the backing array of header values. The outermost
// middleware that needs it creates it with a single copy of the request; the others find it in the
// context. One copy only also keeps r.Pattern, which ServeMux sets on the request it is given,
// readable for the log and the metrics outside the mux.
//
// It is never pooled: handlers may keep the context or the writer in goroutines.
type state struct {
	context.Context // the request's own context; state is the one type here that holds one
	rec             recorder
	info            *info // own, or the outer state's when a foreign writer sits between the two
	own             info
}

// info is what several middleware of one request share.
type info struct {
	req       *http.Request // the innermost copy this package made; ServeMux sets its Pattern
	requestID string
	trace     *TraceParent // nil unless the client sent one
	clientIP  netip.Addr
	route     string      // set by Route
	csp       *cspPolicy  // the innermost Headers' policy when it has a place for a nonce,
	cspHeader http.Header // and the header map it was set in
	deadlines *deadlines  // set by the innermost Timeout

	mu    sync.Mutex // guards the two below, which handler goroutines may touch
	nonce string
	attrs []slog.Attr

	scheme scheme // set by ClientIP
	used   uint8
	vals   [headerSlots]string
}

// headerSlots is room for the request id, the eleven headers of a preset and the usual CORS answer.
const headerSlots = 16

type stateKey struct{}

// Value answers the package's own key and passes every other on.
func (s *state) Value(key any) any {
	if key == (stateKey{}) {
		return s
	}
	return s.Context.Value(key)
}

func stateFrom(ctx context.Context) *state {
	if s, ok := ctx.(*state); ok {
		return s
	}
	s, _ := ctx.Value(stateKey{}).(*state)
	return s
}

func infoFrom(ctx context.Context) *info {
	if s := stateFrom(ctx); s != nil {
		return s.info
	}
	return nil
}

// share returns the request's info, creating the state when this is the outermost middleware.
func share(w http.ResponseWriter, r *http.Request) (*info, http.ResponseWriter, *http.Request) {
	if i := infoFrom(r.Context()); i != nil {
		return i, w, r
	}
	s, w, r := attach(w, r, nil)
	return s.info, w, r
}

// record returns a state whose recorder is w itself, so that it sees all the handler does. When a
// foreign middleware has put its own writer on top of ours, a second state is made that shares the
// first one's info.
func record(w http.ResponseWriter, r *http.Request) (*state, http.ResponseWriter, *http.Request) {
	outer := stateFrom(r.Context())
	if outer != nil {
		if v, ok := w.(view); ok && v.recorder() == &outer.rec.core {
			return outer, w, r
		}
	}
	return attach(w, r, outer)
}

func attach(w http.ResponseWriter, r *http.Request, outer *state) (*state, http.ResponseWriter, *http.Request) {
	s := &state{Context: r.Context()}
	s.info = &s.own
	if outer != nil {
		s.info = outer.info
	}
	s.rec.w, s.rec.ctx, s.rec.head = w, s.Context, r.Method == http.MethodHead
	r = r.WithContext(s)
	s.info.req = r
	return s, s.rec.view(), r
}

// set writes one header with a value slice cut from the request's own array. Shared slices would let
// one handler change the headers of every later response (rs/cors issue 198).
func (i *info) set(h http.Header, canonical, value string) {
	if i.used == headerSlots {
		h[canonical] = []string{value}
		return
	}
	i.vals[i.used] = value
	h[canonical] = i.vals[i.used : i.used+1 : i.used+1]
	i.used++
}

// setPairs is set for many headers, with one copy for all values.
func (i *info) setPairs(h http.Header, pairs []headerPair, values []string) {
	if len(values) > headerSlots-int(i.used) {
		setPairs(h, pairs)
		return
	}
	mine := i.vals[i.used:][:len(values)]
	copy(mine, values)
	i.used += uint8(len(values))
	for k := range pairs {
		h[pairs[k].name] = mine[k : k+1 : k+1]
	}
}

// scheme is what a trusted proxy said about the client's connection.
type scheme uint8

const (
	schemeUnknown scheme = iota // r.TLS decides
	schemeHTTP
	schemeHTTPS
)

// https reports whether the client used TLS, as far as can be trusted.
func (i *info) https(r *http.Request) bool {
	if i != nil && i.scheme != schemeUnknown {
		return i.scheme == schemeHTTPS
	}
	return r.TLS != nil
}
