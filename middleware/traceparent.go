package middleware

import "context"

// TraceParent is a parsed W3C traceparent header. Its strings are lower-case hexadecimal.
type TraceParent struct {
	TraceID  string // 32 digits, not all zero
	ParentID string // 16 digits, not all zero
	Flags    byte
}

// Sampled reports whether the caller records the trace.
func (t TraceParent) Sampled() bool { return t.Flags&1 != 0 }

// TraceParentFrom returns the trace context of the request, if [RequestID] is mounted and the client
// sent exactly one valid traceparent header.
func TraceParentFrom(ctx context.Context) (TraceParent, bool) {
	if i := infoFrom(ctx); i != nil && i.trace != nil {
		return *i.trace, true
	}
	return TraceParent{}, false
}

// ParseTraceParent parses a traceparent header as W3C Trace Context section 3.2 asks: lower case only,
// no zero ids, version ff invalid, version 00 exactly 55 bytes, later versions with further fields.
func ParseTraceParent(s string) (TraceParent, bool) {
	const size = 55 // 2 version, 32 trace id, 16 parent id, 2 flags, 3 dashes
	if len(s) < size || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return TraceParent{}, false
	}
	version, traceID, parentID, flags := s[:2], s[3:35], s[36:52], s[53:55]
	if !isHex(version) || !isHex(traceID) || !isHex(parentID) || !isHex(flags) || version == "ff" {
		return TraceParent{}, false
	}
	if len(s) > size && (version == "00" || s[size] != '-') {
		return TraceParent{}, false
	}
	if isZeros(traceID) || isZeros(parentID) {
		return TraceParent{}, false
	}
	return TraceParent{TraceID: traceID, ParentID: parentID, Flags: nibble(flags[0])<<4 | nibble(flags[1])}, true
}

func isHex(s string) bool {
	for k := range len(s) {
		if c := s[k]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func isZeros(s string) bool {
	for k := range len(s) {
		if s[k] != '0' {
			return false
		}
	}
	return true
}

func nibble(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}
