// Package uuid7 makes the time-ordered identifiers of RFC 9562, section 5.7.
package uuid7

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// New returns a version 7 UUID in its 36-character lower-case text form: 48 bits of now in
// Unix milliseconds, then 74 random bits. Identifiers of one millisecond have no order among
// themselves. A time before 1970 counts as 1970.
func New(now time.Time) string {
	var id [16]byte
	ms := uint64(max(now.UnixMilli(), 0))
	binary.BigEndian.PutUint64(id[:8], ms<<16)
	rand.Read(id[6:]) // never fails: the runtime ends the program instead
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80

	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	text[8] = '-'
	hex.Encode(text[9:13], id[4:6])
	text[13] = '-'
	hex.Encode(text[14:18], id[6:8])
	text[18] = '-'
	hex.Encode(text[19:23], id[8:10])
	text[23] = '-'
	hex.Encode(text[24:36], id[10:16])
	return string(text[:])
}

// Valid reports whether s is a UUID of any version in the text form that New returns. Stores
// ask it before they send a caller's identifier to a database, which would answer a malformed
// one with an error of its own.
func Valid(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f':
		default:
			return false
		}
	}
	return true
}
