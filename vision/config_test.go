package vision_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
)

func TestNewReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := vision.New(vision.Config{
		APIKey: testKey + "\n", BaseURL: "ftp://user:secret@host/", BatchSize: 21, MaxOutput: 3999,
		CallTimeout: -1, Concurrency: -1, Items: vision.ItemLimits{MaxName: -1},
		Budget: vision.Budget{MaxCost: -1}, Retry: vision.Retry{Base: time.Minute, Max: time.Second},
		Profile: vision.Profile{Model: "m", LongSide: 10, ShortSide: 20},
	})
	var fields []string
	for _, fault := range err.(interface{ Unwrap() []error }).Unwrap() {
		var e *vision.ConfigError
		require.ErrorAs(t, fault, &e)
		fields = append(fields, e.Field)
	}
	require.Equal(t, []string{
		"APIKey", "BaseURL", "BatchSize", "MaxOutput", "CallTimeout", "Concurrency", "Profile", "Items",
		"Budget", "Retry",
	}, fields)
	require.NotContains(t, err.Error(), "secret")

	var e *vision.ConfigError
	_, err = vision.New(vision.Config{})
	require.ErrorAs(t, err, &e)
	require.Equal(t, "APIKey", e.Field)
	_, err = vision.New(vision.Config{BaseURL: "http://127.0.0.1:11434/v1"})
	require.NoError(t, err, "a local server needs no key")
}

func TestConfigHidesTheKey(t *testing.T) {
	t.Parallel()
	cfg := vision.Config{APIKey: testKey}
	var logs bytes.Buffer
	slog.New(slog.NewJSONHandler(&logs, nil)).Info("x", "config", cfg)
	require.NotContains(t, logs.String()+fmt.Sprintf("%v %+v %#v %s", cfg, cfg, cfg, cfg), testKey)
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]struct {
		temperature bool
		legacy      bool
	}{
		"gpt-4.1-mini": {temperature: true},
		"gpt-5-mini":   {},
		"o4-mini":      {},
		"llava:13b":    {temperature: true, legacy: true},
	} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, reply(items()))
			a := newAnalyzer(t, f, func(c *vision.Config) { c.Model = model })
			_, err := a.Analyze(t.Context(), vision.Request{Photos: pictures(t, "", 1)})
			require.NoError(t, err)
			sent := f.sent()[0]
			require.Equal(t, model, sent.Model)
			require.Equal(t, want.temperature, sent.Temperature != nil)
			require.Equal(t, want.legacy, sent.MaxTokens != nil)
			require.Equal(t, want.legacy, sent.MaxOutput == nil)
		})
	}
}

func TestImageCost(t *testing.T) {
	t.Parallel()
	tile := vision.TileCost{Base: 85, PerTile: 170}
	patch := vision.PatchCost{Cap: 1536, PerMille: 1000}
	mini := vision.PatchCost{Cap: 1536, PerMille: 1620}
	for _, tt := range []struct {
		cost       vision.ImageCost
		w, h, want int
	}{
		{tile, 1024, 1024, 765}, // published examples
		{tile, 2048, 4096, 1105},
		{patch, 1024, 1024, 1024},
		{patch, 1800, 2400, 1452},
		{tile, 4000, 3000, 765},
		{tile, 1500, 1000, 1105},
		{tile, 1024, 683, 765},
		{tile, 768, 512, 425},
		{mini, 4000, 3000, 2352},
		{mini, 1024, 768, 1244},
		{mini, 1152, 768, 1399},
		{mini, 1024, 683, 1140},
		{mini, 768, 512, 622},
		{vision.TileCost{Base: 2833, PerTile: 5667}, 1152, 768, 36835},
		{tile, 0, 0, 85},
		{patch, -1, 5, 0},
		{patch, 1, 100000, 1536},
	} {
		require.Equal(t, tt.want, tt.cost.Tokens(tt.w, tt.h), "%+v %d x %d", tt.cost, tt.w, tt.h)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"7": 7 * time.Second, " 1.5 ": 1500 * time.Millisecond, "0": 0, "-3": 0, "soon": 0, "": 0, "NaN": 0,
		"1e300": 24 * time.Hour, "Inf": 24 * time.Hour,
		"Sun, 01 Mar 2026 12:00:09 GMT": 9 * time.Second, "Sun, 01 Mar 2026 11:00:00 GMT": 0,
	} {
		require.Equal(t, want, vision.RetryAfter(http.Header{"Retry-After": {value}}, now), value)
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("7", "")
	f.Add("", "1500.5")
	f.Add("Sun, 01 Mar 2026 12:00:09 GMT", "x")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, seconds, ms string) {
		if vision.RetryAfter(http.Header{"Retry-After": {seconds}, "Retry-After-Ms": {ms}}, now) < 0 {
			t.Fatal("negative wait")
		}
	})
}

func TestBackoffNeverOverflows(t *testing.T) {
	t.Parallel()
	for _, r := range []vision.Retry{{}, {Base: time.Hour, Max: 1 << 62}} {
		for n := range 200 {
			require.Positive(t, r.Backoff(n))
		}
	}
}

func TestModelErrorText(t *testing.T) {
	t.Parallel()
	e := &vision.ModelError{
		Err: vision.ErrRateLimited, Status: 429, Code: "rate_limit_exceeded", RequestID: "req_1",
		RetryAfter: 7 * time.Second, Message: "Slow down.",
	}
	require.EqualError(t, e, "vision: rate limited: status 429, code rate_limit_exceeded, "+
		"request req_1, retry after 7s: Slow down.")
	require.True(t, errors.Is(e, vision.ErrRateLimited))
	require.True(t, strings.HasSuffix((&vision.ModelError{
		Err: vision.ErrUnavailable, Cause: errors.New("connection refused"),
	}).Error(), ": connection refused"))
}
