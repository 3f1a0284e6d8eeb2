package main_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the commands say about arguments they cannot use, before they touch anything.
func TestCommandArguments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arguments string
		want      string
	}{
		"unknown command":    {"promote", `unknown command "promote"`},
		"too many":           {"serve now", `unexpected argument "now"`},
		"no address":         {"promote-admin", "promote-admin needs an e-mail address"},
		"two addresses":      {"promote-admin a@example.com b@example.com", `unexpected argument "b@example.com"`},
		"options are listed": {"-h", "promote-admin <email>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := exec.CommandContext(t.Context(), binary(t, "server"), strings.Fields(test.arguments)...)
			command.Dir = t.TempDir()
			output, err := command.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			require.Equal(t, 1, exit.ExitCode())
			require.Contains(t, string(output), test.want)
		})
	}
	// An account is named by its address alone, and a database that has no accounts says so.
	command := exec.CommandContext(t.Context(), binary(t, "server"), "promote-admin", "nobody@example.com")
	command.Dir = t.TempDir()
	command.Env = []string{"APP_ENV=development", "LOG_LEVEL=error"}
	output, err := command.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, "server: there is no account with the address nobody@example.com\n", string(output))
}
