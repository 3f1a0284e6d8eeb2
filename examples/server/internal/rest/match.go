package rest

import (
	"slices"
	"strings"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
)

// ErrBadIfMatch answers an If-Match header that cannot be read.
var ErrBadIfMatch = fault.New(fault.Malformed, "If-Match is not a list of entity tags.")

// Match is a parsed If-Match header. The zero value, for a request without the header, accepts every
// tag.
type Match struct {
	sent bool
	any  bool
	tags []string
}

// ParseMatch reads the header of RFC 9110, section 13.1.1: "*" or a list of quoted tags. A weak tag
// matches nothing. [ErrBadIfMatch] when the header has another form.
func ParseMatch(header string) (Match, error) {
	rest := strings.Trim(header, " \t")
	if rest == "" {
		return Match{}, nil
	}
	match := Match{sent: true}
	if rest == "*" {
		match.any = true
		return match, nil
	}
	for {
		weak := strings.HasPrefix(rest, "W/")
		rest = strings.TrimPrefix(rest, "W/")
		if !strings.HasPrefix(rest, `"`) {
			return Match{}, ErrBadIfMatch
		}
		tag, after, closed := strings.Cut(rest[1:], `"`)
		if !closed {
			return Match{}, ErrBadIfMatch
		}
		if !weak {
			match.tags = append(match.tags, tag)
		}
		after = strings.TrimLeft(after, " \t")
		if after == "" {
			return match, nil
		}
		if !strings.HasPrefix(after, ",") {
			return Match{}, ErrBadIfMatch
		}
		rest = strings.TrimLeft(after[1:], " \t")
	}
}

// Sent reports whether the request had the header.
func (m Match) Sent() bool { return m.sent }

// Accepts reports whether an entity with that tag, without its quotes, may be changed.
func (m Match) Accepts(tag string) bool {
	return !m.sent || m.any || slices.Contains(m.tags, tag)
}
