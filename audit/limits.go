package audit

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits bounds events, so that no request can grow one until a sink refuses it. What is cut is
// marked in place, and Event.Truncated is set.
type Limits struct {
	// EventBytes bounds Changes and Data together. Default 64 KiB, at least 1 KiB.
	EventBytes int
	// ValueBytes bounds one old or new value and one value of Data, as JSON. Default 8 KiB, at
	// least 64.
	ValueBytes int
	// Depth bounds the nesting of a value. Default 16.
	Depth int
}

// The limits of the fixed fields, in bytes.
const (
	idBytes     = 128
	nameBytes   = 128
	refBytes    = 512
	pathBytes   = 1024
	reasonBytes = 2048
)

const (
	unencodable   = "[unencodable]"
	truncatedMark = "[truncated]"
)

func (l Limits) check(fault func(field string, value any, reason string)) {
	if l.EventBytes != 0 && l.EventBytes < 1024 {
		fault("Limits.EventBytes", l.EventBytes, "must be at least 1024")
	}
	if l.ValueBytes != 0 && l.ValueBytes < 64 {
		fault("Limits.ValueBytes", l.ValueBytes, "must be at least 64")
	}
	if l.Depth < 0 {
		fault("Limits.Depth", l.Depth, "must not be negative")
	}
}

func (l Limits) withDefaults() Limits {
	if l.EventBytes == 0 {
		l.EventBytes = 64 << 10
	}
	if l.ValueBytes == 0 {
		l.ValueBytes = 8 << 10
	}
	if l.Depth == 0 {
		l.Depth = 16
	}
	return l
}

// apply cleans and cuts the fixed fields and then the event as a whole.
func (l Limits) apply(e *Event) {
	if len(e.ID) > idBytes || cleanLine(e.ID) != e.ID {
		e.ID = "" // a shortened id could be that of another event
	}
	for _, f := range []struct {
		field *string
		max   int
	}{
		{&e.Tenant, refBytes},
		{&e.Actor.Type, nameBytes},
		{&e.Actor.ID, refBytes},
		{&e.Actor.Name, refBytes},
		{&e.Actor.OnBehalfOf, refBytes},
		{&e.Actor.Tenant, refBytes},
		{&e.Action, nameBytes},
		{&e.Entity.Type, nameBytes},
		{&e.Entity.ID, refBytes},
		{&e.Reason, reasonBytes},
		{&e.Request.ID, nameBytes},
		{&e.Request.SessionID, nameBytes},
		{&e.Request.IP, nameBytes},
		{&e.Request.UserAgent, refBytes},
		{&e.Request.Method, nameBytes},
		{&e.Request.Path, pathBytes},
	} {
		*f.field = l.line(*f.field, f.max, &e.Truncated)
	}
	l.total(e)
}

// line cleans a text of one line and cuts it to max bytes.
func (l Limits) line(s string, limit int, truncated *bool) string {
	s = cleanLine(s)
	if len(s) <= limit {
		return s
	}
	*truncated = true
	return cut(s, limit)
}

// cut shortens s to at most limit bytes with a mark at the end.
func cut(s string, limit int) string {
	const mark = "…"
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}

// cleanLine removes what databases refuse and what forges lines in a text log: NUL goes, control
// characters, line separators and direction overrides become spaces, bad UTF-8 becomes U+FFFD.
func cleanLine(s string) string {
	clean := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return strings.Map(func(c rune) rune {
		switch {
		case c == 0:
			return -1
		case unicode.IsControl(c), c == '\u2028', c == '\u2029', c >= '\u202a' && c <= '\u202e', c >= '\u2066' && c <= '\u2069':
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// cleanText is for strings inside values: they keep their lines, JSON escapes them.
func cleanText(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// value cleans a tree, cuts long texts and deep levels and replaces the whole when it is still
// too large. It changes tree.
func (l Limits) value(tree any, truncated *bool) any {
	tree = l.clean(tree, 1, truncated)
	if size := len(encode(tree)); size > l.ValueBytes {
		*truncated = true
		if s, ok := tree.(string); ok {
			return l.shorten(s)
		}
		return "[truncated: " + strconv.Itoa(size) + " bytes]"
	}
	return tree
}

func (l Limits) clean(tree any, depth int, truncated *bool) any {
	switch node := tree.(type) {
	case string:
		return cleanText(node)
	case map[string]any:
		if depth > l.Depth {
			*truncated = true
			return truncatedMark
		}
		for _, k := range slices.Sorted(maps.Keys(node)) {
			child := l.clean(node[k], depth+1, truncated)
			name := cleanText(k)
			if name != k {
				delete(node, k)
			}
			node[name] = child
		}
	case []any:
		if depth > l.Depth {
			*truncated = true
			return truncatedMark
		}
		for i, child := range node {
			node[i] = l.clean(child, depth+1, truncated)
		}
	}
	return tree
}

// shorten cuts a text so that its JSON form fits, escapes included.
func (l Limits) shorten(s string) string {
	for limit := min(len(s), l.ValueBytes-2); limit > len(truncatedMark); limit = limit * 3 / 4 {
		short := cut(s, limit-len(truncatedMark)+1) + truncatedMark
		if len(encode(short)) <= l.ValueBytes {
			return short
		}
	}
	return truncatedMark
}

// total keeps Changes and Data within EventBytes: values go first, then whole entries.
func (l Limits) total(e *Event) {
	const entry = 64 // for names, quotes and commas
	left := l.EventBytes
	for i := range e.Changes {
		c := &e.Changes[i]
		cost := entry + len(c.Path) + len(c.Old) + len(c.New)
		if cost > left && len(c.Old)+len(c.New) > 0 {
			e.Truncated = true
			c.Old, c.New = markOf(c.Old), markOf(c.New)
			cost = entry + len(c.Path) + len(c.Old) + len(c.New)
		}
		if cost > left {
			e.Changes, e.Truncated = e.Changes[:i], true
			break
		}
		left -= cost
	}
	for _, k := range slices.Sorted(maps.Keys(e.Data)) {
		cost := entry + len(k) + len(encode(e.Data[k]))
		if cost > left {
			e.Truncated = true
			e.Data[k] = truncatedMark
			cost = entry + len(k) + len(truncatedMark)
		}
		if cost > left {
			delete(e.Data, k)
			continue
		}
		left -= cost
	}
}

func markOf(value []byte) []byte {
	if value == nil {
		return nil
	}
	return encode(truncatedMark)
}
