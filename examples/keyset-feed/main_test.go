package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	require.Contains(t, out.String(), "20 posts, 0 of them shown twice")
	require.Contains(t, out.String(), "26 posts, 14 of them shown twice")
}
