package pricing_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/moving/pricing"
)

func TestDefaultIsValid(t *testing.T) {
	t.Parallel()
	require.Empty(t, pricing.Default().Faults())
}

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*pricing.Config)
		want   []string
	}{
		{"negative price", func(c *pricing.Config) { c.Tape = -1 }, []string{"tape_price_pence"}},
		{"dearest price", func(c *pricing.Config) { c.Tape = pricing.MaxAmount }, nil},
		{"too dear", func(c *pricing.Config) { c.Tape = pricing.MaxAmount + 1 }, []string{"tape_price_pence"}},
		{"threshold", func(c *pricing.Config) { c.WeightThresholdKg = pricing.MaxThreshold + 1 }, []string{"weight_threshold_kg"}},
		{"equal ends", func(c *pricing.Config) { c.LowBP = c.HighBP }, []string{"estimate_low_bp"}},
		{"low end too low", func(c *pricing.Config) { c.LowBP = 999 }, []string{"estimate_low_bp"}},
		{"several at once", func(c *pricing.Config) { c.PricePerCBM, c.HighBP = -5, 30_001 }, []string{"price_per_cbm_pence", "estimate_high_bp"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := pricing.Default()
			tt.change(&c)
			require.Equal(t, tt.want, c.Faults())
		})
	}
}

// The table of fields and the JSON form must not drift apart.
func TestFieldsCoverTheWholeConfig(t *testing.T) {
	t.Parallel()
	c := pricing.Default()
	text, err := json.Marshal(c)
	require.NoError(t, err)
	var members map[string]int64
	require.NoError(t, json.Unmarshal(text, &members))
	require.Len(t, members, len(c.Fields()))
	for _, f := range c.Fields() {
		require.Equal(t, *f.Value, members[f.Name], f.Name)
	}
}
