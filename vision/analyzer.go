package vision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

// OpenAI is an [Analyzer] over the chat completions protocol of OpenAI, which many other servers
// speak too. It is safe for concurrent use. The zero value is invalid; use [New].
type OpenAI struct {
	cfg  Config
	chat chatClient
	// calls and decodes hold one element for each call under way and each photo being decoded.
	calls, decodes chan struct{}
	// noSchema remembers that the server refused a JSON schema, so later calls ask for a plain JSON
	// object and carry the schema in their text.
	noSchema atomic.Bool
}

var _ Analyzer = (*OpenAI)(nil)

// Config configures an [OpenAI] analyzer.
type Config struct {
	// APIKey is sent as bearer token. It may be empty only together with a BaseURL. It appears in
	// no error and no log line.
	APIKey string
	// BaseURL is the root of an OpenAI-compatible API. Default "https://api.openai.com/v1".
	BaseURL string
	// HTTPClient sends the calls. Default a client of its own over http.DefaultTransport; its
	// timeout is CallTimeout.
	HTTPClient *http.Client
	// Model is a name for [ProfileFor]. Default [DefaultModel]. Ignored when Profile names one.
	Model string
	// Profile overrides the built-in profile when its Model is set.
	Profile Profile
	// Items bounds what the model may report.
	Items ItemLimits
	// Uploads bounds the photos, as in [PrepareOptions].
	Uploads Limits
	// BatchSize is the number of photos in one call, 1 to 20. Default 6.
	BatchSize int
	// MaxOutput is the output limit of one call in tokens, at least 4,000. Default 8,000.
	MaxOutput int
	// CallTimeout is the deadline of one call. Default 60 seconds.
	CallTimeout time.Duration
	// Concurrency is the number of calls, and of photos being decoded, at any time, over all
	// analyses together. Default 4.
	Concurrency int
	// Retry says when a failed call is repeated.
	Retry Retry
	// Budget bounds an analysis whose Request has none.
	Budget Budget
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Sleep waits between attempts and returns early with the error of a cancelled ctx. Default a
	// timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Logger gets a warning for each retry, repair and fallback. Nil is silent.
	Logger *slog.Logger
}

// String returns the configuration without the API key.
func (c Config) String() string {
	return fmt.Sprintf("vision.Config{BaseURL: %q, Model: %q}", c.BaseURL, c.Model)
}

// GoString is String, so that no format verb prints the API key.
func (c Config) GoString() string { return c.String() }

// LogValue returns the configuration without the API key.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("api_key", "[redacted]"), slog.String("base_url", c.BaseURL),
		slog.String("model", c.Model))
}

// New returns an analyzer. It makes no call and starts nothing. All faults of cfg are reported
// together, each as a [*ConfigError].
func New(cfg Config) (*OpenAI, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	return &OpenAI{
		cfg:     cfg,
		chat:    newChatClient(cfg),
		calls:   make(chan struct{}, cfg.Concurrency),
		decodes: make(chan struct{}, cfg.Concurrency),
	}, nil
}

func (c Config) withDefaults() Config {
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{}
	}
	if c.Model == "" {
		c.Model = DefaultModel
	}
	if c.Profile.Model == "" {
		c.Profile = ProfileFor(c.Model)
	}
	c.Model = c.Profile.Model
	c.Profile.LongSide = orDefault(c.Profile.LongSide, 1024)
	c.Profile.ShortSide = orDefault(c.Profile.ShortSide, min(768, c.Profile.LongSide))
	if c.Profile.ImageCost == nil {
		c.Profile.ImageCost = PatchCost{1536, 1620}
	}
	c.Items = c.Items.withDefaults()
	c.BatchSize = orDefault(c.BatchSize, 6)
	c.MaxOutput = orDefault(c.MaxOutput, 8000)
	if c.CallTimeout == 0 {
		c.CallTimeout = 60 * time.Second
	}
	c.Concurrency = orDefault(c.Concurrency, 4)
	c.Retry = c.Retry.withDefaults()
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// check returns all faults of a configuration that has its defaults.
func (c Config) check() error {
	var faults []error
	fault := func(bad bool, field, value, reason string) {
		if bad {
			faults = append(faults, &ConfigError{Field: field, Value: value, Reason: reason})
		}
	}
	odd := strings.ContainsFunc(c.APIKey, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	})
	fault(odd, "APIKey", "", "contains spaces or control characters")
	fault(c.APIKey == "" && c.BaseURL == "", "APIKey", "", "is required unless BaseURL is set")
	fault(!validBaseURL(c.BaseURL), "BaseURL", "",
		"must be an absolute http or https URL without user, query or fragment")
	fault(c.BatchSize < 1 || c.BatchSize > 20, "BatchSize", strconv.Itoa(c.BatchSize), "must be 1 to 20")
	fault(c.MaxOutput < 4000, "MaxOutput", strconv.Itoa(c.MaxOutput), "must be at least 4000")
	fault(c.CallTimeout < 0, "CallTimeout", c.CallTimeout.String(), "must not be negative")
	fault(c.Concurrency < 0, "Concurrency", strconv.Itoa(c.Concurrency), "must not be negative")
	p := c.Profile
	fault(p.ShortSide < 64 || p.LongSide < p.ShortSide, "Profile",
		fmt.Sprintf("%d/%d", p.LongSide, p.ShortSide), "needs LongSide >= ShortSide >= 64")
	l := c.Items
	fault(l.MaxName < 1 || l.MaxQuantity < 1 || l.MinSideCM <= 0 || l.MaxSideCM < l.MinSideCM ||
		l.MaxWeightKG < 0 || l.MaxVolumeM3 < 0 || l.MaxNotes < 1 || l.MaxSummary < 1 || l.MaxItems < 1,
		"Items", "", "has a bound below its smallest useful value")
	b := c.Budget
	fault(b.MaxRequests < 0 || b.MaxInputTokens < 0 || b.MaxOutputTokens < 0 || b.MaxCost < 0,
		"Budget", "", "must not be negative")
	r := c.Retry
	fault(r.Base < 0 || r.Max < r.Base || r.MaxWait < 0, "Retry", "",
		"needs 0 <= Base <= Max and MaxWait >= 0")
	return errors.Join(faults...)
}

// validBaseURL accepts the empty default. A user part is refused because URLs end up in errors.
func validBaseURL(raw string) bool {
	if raw == "" {
		return true
	}
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		u.User == nil && u.RawQuery == "" && u.Fragment == ""
}
