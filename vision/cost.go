package vision

import (
	"math"
	"strings"
	"sync"
	"time"
)

// Micros is an amount of money in millionths of a US dollar.
type Micros int64

// ImageCost predicts what a model bills for one picture of w by h pixels, in input tokens. An
// implementation is safe for concurrent use.
type ImageCost interface {
	Tokens(w, h int) int
}

// TileCost is the billing of models that cut a picture into tiles of 512 pixels after fitting it
// into 2048 x 2048 and its shorter side to 768: gpt-4o {85, 170}, gpt-4o-mini {2833, 5667}.
type TileCost struct{ Base, PerTile int }

// Tokens returns Base plus PerTile for every tile.
func (c TileCost) Tokens(w, h int) int {
	if w < 1 || h < 1 {
		return c.Base
	}
	fw, fh := float64(w), float64(h)
	scale := min(1, 2048/max(fw, fh))
	scale = min(scale, 768/min(fw, fh))
	tiles := func(side float64) int { return int(math.Ceil(math.Round(side*scale) / 512)) }
	return c.Base + c.PerTile*tiles(fw)*tiles(fh)
}

// PatchCost is the billing of models that cut a picture into patches of 32 pixels and shrink it
// when there would be more than Cap: gpt-4.1-mini {1536, 1620}.
type PatchCost struct {
	Cap      int // most patches of one picture
	PerMille int // tokens for a thousand patches
}

// Tokens returns the number of patches times PerMille / 1000, rounded down as the provider does.
func (c PatchCost) Tokens(w, h int) int {
	if w < 1 || h < 1 {
		return 0
	}
	fw, fh := float64(w), float64(h)
	patches := math.Ceil(fw/32) * math.Ceil(fh/32)
	if limit := float64(c.Cap); c.Cap > 0 && patches > limit {
		r := math.Sqrt(32 * 32 * limit / (fw * fh))
		pw, ph := fw*r/32, fh*r/32
		if pw < 1 || ph < 1 { // thinner than a patch; no accepted picture is
			return c.Cap * c.PerMille / 1000
		}
		r = min(math.Floor(pw)/pw, math.Floor(ph)/ph)
		// A rounding error must not turn a whole number of patches into one more.
		const eps = 1e-9
		patches = math.Ceil(pw*r-eps) * math.Ceil(ph*r-eps)
	}
	return int(patches) * c.PerMille / 1000
}

// Price is what a model costs for a million tokens of each kind.
type Price struct{ Input, CachedInput, Output Micros }

// Profile is what the package must know about a model.
type Profile struct {
	Model string // the name sent to the provider
	// LongSide and ShortSide are the largest picture worth sending, in pixels. Larger ones are
	// scaled down. Default 1024 and 768, which is the cheapest that all models read well.
	LongSide, ShortSide int
	ImageCost           ImageCost // Default PatchCost{1536, 1620}.
	Price               Price     // Zero means that no cost is known: Usage.Cost stays 0.
	// NoTemperature is for models that refuse the parameter. All others get the lowest value that
	// can be sent.
	NoTemperature bool
	// LegacyMaxTokens sends the output limit as max_tokens instead of max_completion_tokens, as
	// many compatible servers know only the old name.
	LegacyMaxTokens bool
}

// DefaultModel is the model of a Config that names none.
const DefaultModel = "gpt-4.1-mini"

// ProfileFor returns the built-in profile of a model by the start of its name, and a cautious one
// without prices for a model it does not know. Prices are the list prices in US dollars of the time
// of release; set [Config.Profile] where they have changed.
func ProfileFor(model string) Profile {
	p := Profile{Model: model, LongSide: 1024, ShortSide: 768}
	patch, tile := PatchCost{1536, 1620}, TileCost{85, 170}
	switch is := func(prefix string) bool { return strings.HasPrefix(model, prefix) }; {
	case is("gpt-4.1-nano"):
		p.ImageCost, p.Price = PatchCost{1536, 2460}, Price{100_000, 25_000, 400_000}
	case is("gpt-4.1-mini"):
		p.ImageCost, p.Price = patch, Price{400_000, 100_000, 1_600_000}
	case is("gpt-4.1"):
		p.ImageCost, p.Price = tile, Price{2_000_000, 500_000, 8_000_000}
	case is("gpt-4o-mini"):
		p.ImageCost, p.Price = TileCost{2833, 5667}, Price{150_000, 75_000, 600_000}
	case is("gpt-4o"):
		p.ImageCost, p.Price = tile, Price{2_500_000, 1_250_000, 10_000_000}
	case is("gpt-5"), is("gpt-6"), is("o1"), is("o3"), is("o4"):
		p.ImageCost, p.NoTemperature = patch, true
	default:
		p.ImageCost, p.LegacyMaxTokens = patch, true
	}
	return p
}

// Budget bounds the calls of one analysis. A field of zero or less is no bound. Before each call its
// largest possible consumption is reserved: the estimated input and the whole output limit. A call
// that could exceed a bound is not sent.
type Budget struct {
	MaxRequests     int    // HTTP calls, counting retries
	MaxInputTokens  int    // input tokens, estimated before a call and settled after it
	MaxOutputTokens int    // output tokens; less than Config.MaxOutput lets nothing through
	MaxCost         Micros // money by Profile.Price; no bound for a model without prices
}

// Usage is what an analysis consumed, summed over all attempts.
type Usage struct {
	Requests        int // HTTP calls
	InputTokens     int // including cached ones
	CachedTokens    int // input tokens billed at the cached price
	OutputTokens    int // including reasoning
	ReasoningTokens int
	Cost            Micros        // by Profile.Price, rounded up for each answer
	Duration        time.Duration // of the whole analysis by Config.Now
}

// cost prices one answer, rounded up.
func (p Price) cost(u Usage) Micros {
	cached := min(u.CachedTokens, u.InputTokens)
	total := Micros(u.InputTokens-cached)*p.Input + Micros(cached)*p.CachedInput +
		Micros(u.OutputTokens)*p.Output
	return (total + 999_999) / 1_000_000
}

// meter keeps the usage of one analysis within its budget.
type meter struct {
	budget Budget
	price  Price

	mu       sync.Mutex
	used     Usage
	reserved Usage // of calls under way
}

// reserve sets the consumption of one call aside, or reports that it could exceed the budget.
func (m *meter) reserve(in, out int) (Usage, bool) {
	want := Usage{Requests: 1, InputTokens: in, OutputTokens: out}
	want.Cost = m.price.cost(want)
	m.mu.Lock()
	defer m.mu.Unlock()
	b, u, r := m.budget, m.used, m.reserved
	over := b.MaxRequests > 0 && u.Requests+r.Requests+1 > b.MaxRequests ||
		b.MaxInputTokens > 0 && u.InputTokens+r.InputTokens+in > b.MaxInputTokens ||
		b.MaxOutputTokens > 0 && u.OutputTokens+r.OutputTokens+out > b.MaxOutputTokens ||
		b.MaxCost > 0 && u.Cost+r.Cost+want.Cost > b.MaxCost
	if over {
		return Usage{}, false
	}
	m.reserved.add(want)
	return want, true
}

// settle replaces a reservation by what the call really consumed.
func (m *meter) settle(reserved, used Usage) {
	used.Cost = m.price.cost(used)
	used.Requests = 1
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reserved.Requests -= reserved.Requests
	m.reserved.InputTokens -= reserved.InputTokens
	m.reserved.OutputTokens -= reserved.OutputTokens
	m.reserved.Cost -= reserved.Cost
	m.used.add(used)
}

func (m *meter) usage() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used
}

func (u *Usage) add(v Usage) {
	u.Requests += v.Requests
	u.InputTokens += v.InputTokens
	u.CachedTokens += v.CachedTokens
	u.OutputTokens += v.OutputTokens
	u.ReasoningTokens += v.ReasoningTokens
	u.Cost += v.Cost
}
