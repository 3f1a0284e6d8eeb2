package moving

import (
	"strconv"
	"strings"
)

// IfMatch is a parsed If-Match header. The zero value, for a request without the header, accepts
// every version.
type IfMatch struct {
	sent     bool
	any      bool
	versions []int64
}

// ParseIfMatch reads the header of RFC 9110, section 13.1.1: "*" or a list of quoted tags. A weak tag
// and one that is no version of ours match nothing. ErrBadIfMatch when the header has another form.
func ParseIfMatch(header string) (IfMatch, error) {
	rest := strings.Trim(header, " \t")
	if rest == "" {
		return IfMatch{}, nil
	}
	match := IfMatch{sent: true}
	if rest == "*" {
		match.any = true
		return match, nil
	}
	for {
		weak := strings.HasPrefix(rest, "W/")
		rest = strings.TrimPrefix(rest, "W/")
		if !strings.HasPrefix(rest, `"`) {
			return IfMatch{}, ErrBadIfMatch
		}
		tag, after, closed := strings.Cut(rest[1:], `"`)
		if !closed {
			return IfMatch{}, ErrBadIfMatch
		}
		if version, err := strconv.ParseInt(tag, 10, 64); err == nil && !weak {
			match.versions = append(match.versions, version)
		}
		after = strings.TrimLeft(after, " \t")
		if after == "" {
			return match, nil
		}
		if !strings.HasPrefix(after, ",") {
			return IfMatch{}, ErrBadIfMatch
		}
		rest = strings.TrimLeft(after[1:], " \t")
	}
}

// Sent reports whether the request had the header.
func (m IfMatch) Sent() bool { return m.sent }

// Accepts reports whether the entity may be changed in this version.
func (m IfMatch) Accepts(version int64) bool {
	if !m.sent || m.any {
		return true
	}
	for _, v := range m.versions {
		if v == version {
			return true
		}
	}
	return false
}

// etag is the entity tag of a version.
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
