package uuid7_test

import (
	"testing"
	"time"

	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/stretchr/testify/require"
)

func TestNewHasVersionVariantAndTime(t *testing.T) {
	t.Parallel()
	id := uuid7.New(time.UnixMilli(0x0192_f0c1_a4e0))
	require.Len(t, id, 36)
	require.Equal(t, "0192f0c1-a4e0-7", id[:15])
	require.Contains(t, "89ab", id[19:20])
	require.True(t, uuid7.Valid(id))
}

func TestNewSortsByMillisecond(t *testing.T) {
	t.Parallel()
	start := time.UnixMilli(1_700_000_000_000)
	last := ""
	for i := range 1000 {
		id := uuid7.New(start.Add(time.Duration(i) * time.Millisecond))
		require.Less(t, last, id)
		last = id
	}
}

func TestNewIsUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	now := time.UnixMilli(1_700_000_000_000)
	for range 10_000 {
		id := uuid7.New(now)
		require.False(t, seen[id])
		seen[id] = true
	}
}

func TestNewBeforeTheEpochCountsAsTheEpoch(t *testing.T) {
	t.Parallel()
	require.Equal(t, "00000000-0000-7", uuid7.New(time.UnixMilli(-5))[:15])
}

func TestValid(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "x", "0192F0C1-a4e0-7c5b-9f6d-2a1b3c4d5e6f", "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6", "0192f0c1aa4e0-7c5b-9f6d-2a1b3c4d5e6f"} {
		require.False(t, uuid7.Valid(s), s)
	}
	require.True(t, uuid7.Valid("0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f"))
}
