package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	text := out.String()
	require.NotContains(t, text, "t0ps3cret")
	for _, want := range []string{
		"nothing  4 events verified, fault: <nil>", "edit     2 events verified", "content at 3",
		"undo     4 events verified, fault: <nil>", "delete   1 events verified", "missing at 2", "tail at 1",
	} {
		require.Contains(t, text, want)
	}
}
