package rest_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
)

func TestWholeDays(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 2*60*60)
	for in, want := range map[string]string{
		"from=2026-05-01&to=2026-05-31":       "from=2026-05-01T00:00:00+02:00&to=2026-06-01T00:00:00+02:00",
		"from=2026-05-01T10:00:00Z&size=2":    "from=2026-05-01T10:00:00Z&size=2",
		"to=2026-02-30":                       "to=2026-02-30",
		"from=2026-05-01&from=2026-05-02&q=x": "from=2026-05-01&from=2026-05-02&q=x",
		"day=2026-05-01":                      "day=2026-05-01",
	} {
		given, err := url.ParseQuery(in)
		require.NoError(t, err)
		got, err := url.QueryUnescape(rest.WholeDays(given, zone).Encode())
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}
