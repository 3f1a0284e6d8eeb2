package identity

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNormalEmail(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, in, want string
	}{
		{"plain", "a@example.com", "a@example.com"},
		{"upper case is folded", "Ann.Lee@Example.COM", "ann.lee@example.com"},
		{"plus part is kept", "ann+x@example.com", "ann+x@example.com"},
		{"empty", "", ""},
		{"no domain", "ann@", ""},
		{"no dot in the domain", "ann@localhost", ""},
		{"address literal", "ann@[127.0.0.1]", ""},
		{"display name", "Ann <ann@example.com>", ""},
		{"angle brackets", "<ann@example.com>", ""},
		{"two addresses", "a@example.com,b@example.com", ""},
		{"comment", "ann@example.com(x)", ""},
		{"space around", " ann@example.com", ""},
		{"line break", "ann@example.com\r\nBcc: b@example.com", ""},
		{"not ASCII", "änn@example.com", ""},
		{"empty label", "ann@example..com", ""},
		{"trailing dot", "ann@example.com.", ""},
		{"label ends in a hyphen", "ann@example-.com", ""},
		{"local part too long", strings.Repeat("a", 65) + "@example.com", ""},
		{"too long", strings.Repeat("a", 60) + "@" + strings.Repeat("b.", 100) + "com", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ok := normalEmail(test.in)
			require.Equal(t, test.want, got)
			require.Equal(t, test.want != "", ok)
		})
	}
}

func FuzzNormalEmail(f *testing.F) {
	f.Add("ann@example.com")
	f.Add("\"a b\"@example.com")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := normalEmail(text)
		if !ok {
			return
		}
		again, ok := normalEmail(got)
		if !ok || again != got {
			t.Fatalf("normalEmail(%q) = %q is not a fixed point: %q, %v", text, got, again, ok)
		}
	})
}
