package rbac

import (
	"strings"
	"unicode/utf8"
)

// AllPermissions is the grant of the whole registry. It is a pattern of its own so that a search for
// it finds every role that may do everything.
const AllPermissions = "*"

const (
	maxSegments    = 4
	maxSegment     = 64
	maxTenant      = 256
	maxSubject     = 1024
	maxDescription = 1024
)

// segments checks the grammar of a permission's name and counts its segments.
func segments(name string) (n int, ok bool) {
	for part := range strings.SplitSeq(name, ":") {
		if !word(part) {
			return 0, false
		}
		if n++; n > maxSegments {
			return n, false
		}
	}
	return n, true
}

// word reports whether s is [a-z][a-z0-9_-]* of at most 64 bytes: a segment or a role's name.
func word(s string) bool {
	if s == "" || len(s) > maxSegment || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

func scopeSuffix(name string) bool {
	return strings.HasSuffix(name, ":own") || strings.HasSuffix(name, ":any")
}

// validGrant reports whether s can stand in Role.Grants: a permission's name in which whole
// segments may be "*", or AllPermissions.
func validGrant(s string) bool {
	if s == AllPermissions {
		return true
	}
	n := 0
	for part := range strings.SplitSeq(s, ":") {
		if part != "*" && !word(part) {
			return false
		}
		n++
	}
	return n >= 2 && n <= maxSegments
}

func isPattern(grant string) bool { return strings.Contains(grant, "*") }

// matches reports whether a grant covers the permission's name. "*" stands for one whole segment,
// at the end for one or more.
func matches(grant, name string) bool {
	for {
		g, gRest, gMore := strings.Cut(grant, ":")
		n, nRest, nMore := strings.Cut(name, ":")
		switch {
		case g == "*" && !gMore:
			return true
		case g != "*" && g != n:
			return false
		case !gMore || !nMore:
			return gMore == nMore
		}
		grant, name = gRest, nRest
	}
}

// storable reports whether s is text of 1 to limit bytes that every database keeps as it is.
func storable(s string, limit int) bool {
	return s != "" && len(s) <= limit && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}
