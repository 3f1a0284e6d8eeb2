package auth

// The decoder is our own because encoding/base64 skips CR and LF even in strict mode, so that one
// signed token would have many spellings, and because it reads from strings without a copy.

const (
	base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	notBase64      = 0xff
)

// base64Value maps a byte to its six bits, or to notBase64. It is never written after start-up.
var base64Value = func() (table [256]byte) {
	for i := range table {
		table[i] = notBase64
	}
	for i := range len(base64Alphabet) {
		table[base64Alphabet[i]] = byte(i)
	}
	return table
}()

func base64Len(encoded int) int { return encoded * 6 / 8 }

// appendBase64 appends the bytes that s encodes in base64url without padding (RFC 7515, section 2).
// It refuses every foreign byte, impossible lengths and unused bits that are not zero, so each
// byte sequence has exactly one accepted text.
func appendBase64(dst []byte, s string) ([]byte, bool) {
	full := len(s) / 4 * 4
	for i := 0; i < full; i += 4 {
		a, b := base64Value[s[i]], base64Value[s[i+1]]
		c, d := base64Value[s[i+2]], base64Value[s[i+3]]
		if (a|b|c|d)&0xc0 != 0 {
			return dst, false
		}
		dst = append(dst, a<<2|b>>4, b<<4|c>>2, c<<6|d)
	}
	switch rest := s[full:]; len(rest) {
	case 0:
		return dst, true
	case 2:
		a, b := base64Value[rest[0]], base64Value[rest[1]]
		if (a|b)&0xc0 != 0 || b&0x0f != 0 {
			return dst, false
		}
		return append(dst, a<<2|b>>4), true
	case 3:
		a, b, c := base64Value[rest[0]], base64Value[rest[1]], base64Value[rest[2]]
		if (a|b|c)&0xc0 != 0 || c&0x03 != 0 {
			return dst, false
		}
		return append(dst, a<<2|b>>4, b<<4|c>>2), true
	}
	return dst, false
}
