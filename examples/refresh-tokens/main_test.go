package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Exactly one racer rotates the token under every policy. Replay gives all of them its one
// successor, reject tells the others to keep what they have, strict takes the race for a theft; and
// a real theft ends the session under all three.
func TestRun(t *testing.T) {
	t.Parallel()
	const want = `replay, T: 20 racers, 20 ok; 1 successor
  owner ok, thief refresh_reused, owner invalid_refresh
reject, T: 20 racers, 1 ok, 19 refresh_superseded; 1 successor
  owner ok, thief refresh_reused, owner invalid_refresh
strict, T: 20 racers, 18 invalid_refresh, 1 ok, 1 refresh_reused; 1 successor
  owner invalid_refresh, thief invalid_refresh, owner invalid_refresh
`
	var out strings.Builder
	require.NoError(t, run(&out))
	for _, transport := range []string{"bearer", "cookie"} {
		var got strings.Builder
		mine := false
		for line := range strings.Lines(out.String()) {
			if !strings.HasPrefix(line, "  ") {
				mine = strings.Contains(line, transport)
			}
			if mine {
				got.WriteString(strings.Replace(line, transport, "T", 1))
			}
		}
		require.Equal(t, want, got.String(), transport)
	}
}
