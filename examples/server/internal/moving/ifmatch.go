package moving

import (
	"strconv"

	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
)

// IfMatch is a parsed If-Match header whose tags are versions. The zero value, for a request without
// the header, accepts every version.
type IfMatch struct{ rest.Match }

// ParseIfMatch reads the header. ErrBadIfMatch when it is not a list of entity tags.
func ParseIfMatch(header string) (IfMatch, error) {
	match, err := rest.ParseMatch(header)
	return IfMatch{match}, err
}

// Accepts reports whether the entity may be changed in this version.
func (m IfMatch) Accepts(version int64) bool {
	return m.Match.Accepts(strconv.FormatInt(version, 10))
}

// etag is the entity tag of a version.
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
