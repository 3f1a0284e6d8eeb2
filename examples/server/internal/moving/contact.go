package moving

import (
	"net/mail"
	"regexp"
	"strings"
)

const (
	emailRule = "Use one plain address such as name@example.com."
	phoneRule = "Use 5 to 40 digits, spaces, brackets, dots, hyphens, with a leading + if needed."
)

var phonePattern = regexp.MustCompile(`^\+?[0-9][0-9 ().\-/]{4,39}$`)

func validPhone(phone string) bool { return phonePattern.MatchString(phone) }

// validEmail accepts an ASCII address without display name whose domain has a dot.
func validEmail(address string) bool {
	if len(address) > 254 || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return false
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Name != "" || parsed.Address != address {
		return false
	}
	_, domain, _ := strings.Cut(address, "@")
	dot := strings.LastIndexByte(domain, '.')
	return dot > 0 && dot < len(domain)-1
}
