package jobs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The wait and the schedule cannot be seen from outside without waiting for them.

func TestWait(t *testing.T) {
	t.Parallel()
	c := WorkerConfig{Base: 60 * time.Second, Cap: 600 * time.Second}
	for attempt, limit := range map[int]time.Duration{1: 60, 2: 120, 3: 240, 4: 480, 5: 600, 100: 600} {
		limit *= time.Second
		var longest time.Duration
		for range 2000 {
			d := c.wait(attempt)
			require.GreaterOrEqual(t, d, time.Duration(0))
			require.LessOrEqual(t, d, limit)
			longest = max(longest, d)
		}
		require.Greater(t, longest, limit/2)
	}
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return v
	}
	for _, tt := range []struct {
		every, offset time.Duration
		now, want     string
	}{
		{24 * time.Hour, 2 * time.Hour, "2026-01-31T01:59:59Z", "2026-01-31T02:00:00Z"},
		{24 * time.Hour, 2 * time.Hour, "2026-01-31T02:00:00Z", "2026-02-01T02:00:00Z"},
		{24 * time.Hour, 2 * time.Hour, "2026-01-31T23:30:00-05:00", "2026-02-02T02:00:00Z"},
		{5 * time.Minute, 0, "2026-01-31T10:04:59Z", "2026-01-31T10:05:00Z"},
		{5 * time.Minute, time.Minute, "2026-01-31T10:05:30Z", "2026-01-31T10:06:00Z"},
	} {
		require.Equal(t, at(tt.want), schedule{tt.every, tt.offset}.Next(at(tt.now)), tt.now)
	}
}
