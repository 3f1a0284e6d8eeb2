package moving_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/moving"
)

func TestNewReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := moving.New(moving.Config{PublicURL: "example.com"})
	var first *moving.ConfigError
	require.ErrorAs(t, err, &first)
	for _, field := range []string{"DB", "Queue", "Files", "Staff", "RequireStaff", "RequireMember", "RequireVerified", "Found", "Lists", "Audit", "PublicURL"} {
		require.ErrorContains(t, err, "config "+field+" ")
	}
}

func TestParseIfMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		header  string
		accepts bool // version 3
		sent    bool
		wantErr error
	}{
		{"", true, false, nil},
		{"*", true, true, nil},
		{`"3"`, true, true, nil},
		{` "1" , "3"`, true, true, nil},
		{`"4"`, false, true, nil},
		{`W/"3"`, false, true, nil},
		{`"x", "3"`, true, true, nil},
		{`""`, false, true, nil},
		{`3`, false, false, moving.ErrBadIfMatch},
		{`"3`, false, false, moving.ErrBadIfMatch},
		{`"3" "4"`, false, false, moving.ErrBadIfMatch},
		{`"3",`, false, false, moving.ErrBadIfMatch},
		{`*, "3"`, false, false, moving.ErrBadIfMatch},
	}
	for _, tt := range tests {
		match, err := moving.ParseIfMatch(tt.header)
		require.ErrorIs(t, err, tt.wantErr, tt.header)
		if err == nil {
			require.Equal(t, tt.sent, match.Sent(), tt.header)
			require.Equal(t, tt.accepts, match.Accepts(3), tt.header)
		}
	}
}

func FuzzParseIfMatch(f *testing.F) {
	for _, seed := range []string{"", "*", `"3"`, `W/"3", "4"`, `"`, `"3",`, ",", `"9223372036854775808"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		match, err := moving.ParseIfMatch(header)
		if err != nil {
			if !errors.Is(err, moving.ErrBadIfMatch) {
				t.Fatal(err)
			}
			return
		}
		if !match.Sent() && strings.Trim(header, " \t") != "" {
			t.Fatalf("%q counts as absent", header)
		}
	})
}

// Both databases must have the same tables, columns and indexes; only the type of times differs.
func TestMigrationsAgree(t *testing.T) {
	t.Parallel()
	read := func(dialect string) string {
		text, err := os.ReadFile("../../migrations/" + dialect + "/00002_moving.sql")
		require.NoError(t, err)
		return string(text)
	}
	require.Equal(t, strings.ReplaceAll(read("postgres"), "TIMESTAMPTZ", "TIMESTAMP"), read("sqlite"))
}
