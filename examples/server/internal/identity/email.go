package identity

import (
	"net/mail"
	"strings"
)

// normalEmail returns the address in the form it is stored and compared in: lower case, dots and
// plus parts kept. It reports false for anything but a bare ASCII address of at most 254 bytes whose
// domain has a dot.
func normalEmail(text string) (string, bool) {
	if text == "" || len(text) > 254 {
		return "", false
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return "", false
		}
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text || parsed.Name != "" {
		return "", false
	}
	at := strings.LastIndexByte(text, '@')
	local, domain := text[:at], text[at+1:]
	if len(local) > 64 || strings.HasPrefix(domain, "[") || !strings.Contains(domain, ".") {
		return "", false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return "", false
		}
	}
	return strings.ToLower(text), true
}
