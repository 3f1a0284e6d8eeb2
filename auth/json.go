package auth

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// The scanner reads the JSON of token headers and claim sets. encoding/json would match names
// without regard to case, take the last of two equal names and replace invalid UTF-8; each of
// these has made two readers of one token see two different tokens.

const (
	maxJSONDepth   = 8
	maxJSONMembers = 256
)

type scanner struct {
	text string
	pos  int
}

// scanObject walks the one JSON object that text consists of and calls member with each decoded
// name and raw value. Anything but strict JSON without repeated names, and a false from member,
// gives false.
func scanObject(text string, member func(name, raw string) bool) bool {
	if !utf8.ValidString(text) {
		return false
	}
	s := scanner{text: text}
	s.space()
	if !s.object(1, member) {
		return false
	}
	s.space()
	return s.pos == len(text)
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) accept(c byte) bool {
	if s.pos < len(s.text) && s.text[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) object(depth int, member func(name, raw string) bool) bool {
	if depth > maxJSONDepth || !s.accept('{') {
		return false
	}
	s.space()
	if s.accept('}') {
		return true
	}
	var room [16]string
	names := room[:0]
	for {
		s.space()
		raw, ok := s.str()
		if !ok {
			return false
		}
		name, ok := unquote(raw)
		if !ok || len(names) >= maxJSONMembers {
			return false
		}
		for _, seen := range names {
			if seen == name {
				return false
			}
		}
		names = append(names, name)
		s.space()
		if !s.accept(':') {
			return false
		}
		s.space()
		start := s.pos
		if !s.value(depth) || (member != nil && !member(name, s.text[start:s.pos])) {
			return false
		}
		s.space()
		if s.accept(',') {
			continue
		}
		return s.accept('}')
	}
}

// array walks an array and calls element with each raw value.
func (s *scanner) array(depth int, element func(raw string) bool) bool {
	if depth > maxJSONDepth || !s.accept('[') {
		return false
	}
	s.space()
	if s.accept(']') {
		return true
	}
	for {
		s.space()
		start := s.pos
		if !s.value(depth) || (element != nil && !element(s.text[start:s.pos])) {
			return false
		}
		s.space()
		if s.accept(',') {
			continue
		}
		return s.accept(']')
	}
}

func (s *scanner) value(depth int) bool {
	if s.pos >= len(s.text) {
		return false
	}
	switch s.text[s.pos] {
	case '{':
		return s.object(depth+1, nil)
	case '[':
		return s.array(depth+1, nil)
	case '"':
		raw, ok := s.str()
		if !ok {
			return false
		}
		_, ok = unquote(raw)
		return ok
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	return s.number()
}

func (s *scanner) word(w string) bool {
	if len(s.text)-s.pos < len(w) || s.text[s.pos:s.pos+len(w)] != w {
		return false
	}
	s.pos += len(w)
	return true
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.text) && s.text[s.pos] >= '0' && s.text[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) number() bool {
	s.accept('-')
	if !s.accept('0') && !s.digits() {
		return false
	}
	if s.accept('.') && !s.digits() {
		return false
	}
	if s.accept('e') || s.accept('E') {
		if !s.accept('+') {
			s.accept('-')
		}
		return s.digits()
	}
	return true
}

// str reads a string and returns it with its quotes.
func (s *scanner) str() (raw string, ok bool) {
	start := s.pos
	if !s.accept('"') {
		return "", false
	}
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return s.text[start:s.pos], true
		case c == '\\':
			s.pos += 2
		case c < ' ':
			return "", false
		default:
			s.pos++
		}
	}
	return "", false
}

// unquote decodes a raw string. Without escapes, the normal case, it only cuts the quotes off.
func unquote(raw string) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	inner := raw[1 : len(raw)-1]
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			continue
		}
		if !pairedSurrogates(inner[i:]) {
			return "", false
		}
		var text string
		if json.Unmarshal([]byte(raw), &text) != nil {
			return "", false
		}
		return text, true
	}
	return inner, true
}

// pairedSurrogates refuses \u escapes of half a character, which encoding/json would turn into
// U+FFFD, making different names equal.
func pairedSurrogates(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		i++
		if i >= len(s) || s[i] != 'u' {
			continue
		}
		unit, ok := hex4(s[i+1:])
		if !ok {
			return false
		}
		i += 4
		if unit < 0xd800 || unit > 0xdfff {
			continue
		}
		if unit > 0xdbff || len(s) < i+7 || s[i+1] != '\\' || s[i+2] != 'u' {
			return false
		}
		low, ok := hex4(s[i+3:])
		if !ok || low < 0xdc00 || low > 0xdfff {
			return false
		}
		i += 6
	}
	return true
}

func hex4(s string) (uint64, bool) {
	if len(s) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:4], 16, 16)
	return n, err == nil
}

// wholeNumber decodes an integer between 1 and the end of the year 9999 in Unix seconds.
func wholeNumber(raw string) (int64, bool) {
	const lastSecond = 253402300799
	n, err := strconv.ParseInt(raw, 10, 64)
	return n, err == nil && n >= 1 && n <= lastSecond
}

// stringList decodes an array of strings.
func stringList(raw string) ([]string, bool) {
	var list []string
	s := scanner{text: raw}
	ok := s.array(1, func(raw string) bool {
		text, ok := unquote(raw)
		list = append(list, text)
		return ok
	})
	return list, ok
}

// appendString appends text as a JSON string.
func appendString(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(text) // a string always encodes
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, text := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, text)
	}
	return append(b, ']')
}
