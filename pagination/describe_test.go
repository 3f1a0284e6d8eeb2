package pagination_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
)

// Every described parameter is accepted under its name, with a value of its type.
func TestParamsAreAccepted(t *testing.T) {
	t.Parallel()
	samples := map[string]string{
		"date-time": "2026-01-02T03:04:05Z", "date": "2026-01-02", "uuid": "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f",
		"integer": "1", "number": "1.5", "boolean": "true",
	}
	for _, mode := range []pagination.Mode{pagination.PageAndCursor, pagination.PageOnly, pagination.CursorOnly} {
		spec := newSpec(t, func(c *pagination.Config) { c.Mode, c.Names.Total = mode, "total" })
		names := map[string]bool{}
		for _, p := range spec.Params() {
			require.False(t, names[p.Name], p.Name)
			names[p.Name] = true
			require.NotEmpty(t, p.Description)
			require.NotContains(t, p.Description, "i.", "a column name leaked")
			sample := p.Default
			switch {
			case p.Name == "cursor" || p.Name == "total" || strings.HasSuffix(p.Name, "[in]"):
				continue
			case len(p.Enum) > 0:
				sample = p.Enum[0]
			case p.Format != "":
				sample = samples[p.Format]
			case p.Type != "string":
				sample = samples[p.Type]
			case p.Name == "q":
				sample = "ab"
			case strings.Contains(p.Description, "The value null"):
				sample = "null"
			case sample == "":
				sample = "x"
			}
			_, err := spec.Parse(url.Values{p.Name: {sample}})
			require.NoError(t, err, p.Name)
		}
		require.Equal(t, mode != pagination.CursorOnly, names["page"])
		require.Equal(t, mode != pagination.PageOnly, names["cursor"])
		require.True(t, names["rank[ge]"] && names["name[isnull]"] && names["tenant"])
	}
}
