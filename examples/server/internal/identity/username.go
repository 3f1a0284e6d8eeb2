package identity

import (
	"crypto/rand"
	"strings"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
)

// generatedUsername is the name of an account whose owner has typed none.
func generatedUsername() string { return "u-" + strings.ToLower(rand.Text()[:10]) }

// usernameFaults checks a username that somebody typed.
func usernameFaults(pointer, name string) []fault.Field {
	bad := func(code, detail string) []fault.Field { return []fault.Field{fault.Body(pointer, code, detail)} }
	switch {
	case len(name) < 3:
		return bad(fault.FieldTooShort, "Use 3 to 32 characters.")
	case len(name) > 32:
		return bad(fault.FieldTooLong, "Use 3 to 32 characters.")
	}
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '.', r == '-':
		default:
			return bad(fault.FieldBadFormat, "Use letters, digits, underscore, dot and hyphen.")
		}
	}
	folded := strings.ToLower(name)
	switch folded {
	case "admin", "api", "deleted", "moderator", "null", "root", "support", "system":
		return bad(fault.FieldNotAllowed, "This name is reserved.")
	}
	if strings.HasPrefix(folded, "u-") {
		return bad(fault.FieldNotAllowed, "Names that start with u- are reserved.")
	}
	return nil
}
