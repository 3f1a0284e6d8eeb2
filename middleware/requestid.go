package middleware

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"

	"github.com/groundwork-go/groundwork/internal/problem"
)

// RequestIDConfig configures [RequestID]. The zero value is ready to use.
type RequestIDConfig struct {
	// Header carries the id in both directions. Default X-Request-Id; under another name the default
	// error bodies of this module's other packages leave their request_id out.
	Header string
	// MaxLen is the longest inbound id that is kept. Default 64.
	MaxLen int
	// IgnoreInbound makes a new id for every request, whatever the client sent.
	IgnoreInbound bool
	// New makes ids. Default: 128 random bits as 32 hexadecimal digits, unique but not secret. An id
	// that could not be accepted from a client either is replaced by one of those.
	New func() string
}

// RequestID gives every request an id, for [RequestIDFrom], the access log and error bodies, and
// echoes it as one response header. An inbound id is kept if it came once, is at most MaxLen bytes
// long and consists of letters, digits and -_.:/+=@ only; anything else is replaced, never repaired.
// A valid traceparent header is made available through [TraceParentFrom].
func RequestID(cfg RequestIDConfig) (Middleware, error) {
	var f faults
	if cfg.Header == "" {
		cfg.Header = problem.RequestIDHeader
	}
	if !validHeaderName(cfg.Header) {
		f.add("RequestIDConfig.Header", cfg.Header, "is not a header name")
	}
	if cfg.MaxLen < 0 {
		f.add("RequestIDConfig.MaxLen", "", "is negative")
	}
	if cfg.MaxLen == 0 {
		cfg.MaxLen = 64
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	header := http.CanonicalHeaderKey(cfg.Header)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			i, w, r := share(w, r)
			id := ""
			if in := r.Header[header]; len(in) == 1 && !cfg.IgnoreInbound && validRequestID(in[0], cfg.MaxLen) {
				id = in[0]
			}
			if id == "" && cfg.New != nil {
				if id = cfg.New(); !validRequestID(id, maxOwnRequestID) {
					id = ""
				}
			}
			if id == "" {
				id = newRequestID()
			}
			i.requestID = id
			i.set(w.Header(), header, id)
			if tp := r.Header["Traceparent"]; len(tp) == 1 {
				if t, ok := ParseTraceParent(tp[0]); ok {
					i.trace = &t
				}
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

// maxOwnRequestID bounds what RequestIDConfig.New may return.
const maxOwnRequestID = 256

// RequestIDFrom returns the id [RequestID] gave the request, or "".
func RequestIDFrom(ctx context.Context) string {
	if i := infoFrom(ctx); i != nil {
		return i.requestID
	}
	return ""
}

func validRequestID(id string, limit int) bool {
	if id == "" || len(id) > limit {
		return false
	}
	for k := range len(id) {
		switch c := id[k]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '/', c == '+', c == '=', c == '@':
		default:
			return false
		}
	}
	return true
}

func newRequestID() string {
	// An id must be unique and need not be secret: clients may choose their own. The generator is
	// ChaCha8 with a seed of the system's, a tenth of the cost of asking the system each time.
	var raw [16]byte
	binary.NativeEndian.PutUint64(raw[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(raw[8:], rand.Uint64())
	var text [32]byte
	hex.Encode(text[:], raw[:])
	return string(text[:])
}

// validHeaderName reports whether name is a token (RFC 9110 section 5.6.2).
func validHeaderName(name string) bool {
	for k := range len(name) {
		if !isTokenByte(name[k]) {
			return false
		}
	}
	return name != ""
}

func isTokenByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
		return true
	}
	return false
}

// trimSpace removes what RFC 9110 calls optional white space. strings.Trim costs several times as much.
func trimSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
