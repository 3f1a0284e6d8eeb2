package vision_test

import (
	"bytes"
	"context"
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

func truncated(content string) step {
	return completion("length", map[string]any{"content": content})
}

func TestFailures(t *testing.T) {
	t.Parallel()
	html := "<html><body>" + strings.Repeat("Bad gateway ", 5000) + "</body></html>"
	rate := apiError("rate_limit_exceeded", "Slow down.")
	tests := []struct {
		name   string
		photos int
		steps  []step
		edit   func(*vision.Config)
		want   error // nil is success
		calls  int
		check  func(t *testing.T, result *vision.Result, err *vision.ModelError)
	}{
		{
			name: "refusal", want: vision.ErrRefused, calls: 1,
			steps: []step{completion("stop", map[string]any{"refusal": "I cannot help\nwith that."})},
			check: func(t *testing.T, r *vision.Result, e *vision.ModelError) {
				require.Equal(t, "I cannot help with that.", e.Message)
				require.Equal(t, "req_42", e.RequestID)
				require.Equal(t, 1100, r.Usage.InputTokens+r.Usage.OutputTokens, "a refusal is billed too")
				require.Equal(t, vision.PhotoFailed, r.Photos[0].Status)
			},
		},
		{
			name: "content filter", want: vision.ErrRefused, calls: 1,
			steps: []step{completion("content_filter", map[string]any{"content": ""})},
		},
		{
			name: "truncated, halves succeed", photos: 5, calls: 3,
			steps: []step{truncated(`{"summary":"`), reply(items(sofa())), reply(items(sofa(`name="Desk"`)))},
			check: func(t *testing.T, r *vision.Result, _ *vision.ModelError) {
				require.Len(t, r.Items(), 2)
				require.Equal(t, []string{"p4"}, r.Items()[1].PhotoIDs, "numbers count within the half")
				require.Equal(t, 3, r.Usage.Requests)
				require.Equal(t, 3000, r.Usage.InputTokens)
			},
		},
		{
			name: "truncated, one half stays so", photos: 4, want: vision.ErrTruncated, calls: 3,
			steps: []step{truncated("{"), truncated("{"), reply(items(sofa()))},
			check: func(t *testing.T, r *vision.Result, _ *vision.ModelError) {
				require.Len(t, r.Items(), 1, "the other half is kept")
				require.Equal(t, vision.PhotoFailed, r.Photos[1].Status)
				require.Equal(t, vision.PhotoAnalyzed, r.Photos[2].Status)
			},
		},
		{name: "truncated, one photo", want: vision.ErrTruncated, calls: 1, steps: []step{truncated("{")}},
		{
			name: "invalid once", calls: 2,
			steps: []step{reply(`{"summary":"","items":[{"name":5,"qty":1},{"qty":1}]}`), reply(items(sofa()))},
			check: func(t *testing.T, r *vision.Result, _ *vision.ModelError) {
				require.Len(t, r.Items(), 1)
				require.Equal(t, 2000, r.Usage.InputTokens, "both answers are counted")
			},
		},
		{
			name: "invalid twice", want: vision.ErrInvalidOutput, calls: 2,
			steps: []step{reply("no json"), reply(`{"items":[]} and more`)},
			check: func(t *testing.T, r *vision.Result, e *vision.ModelError) {
				require.Equal(t, 2000, r.Usage.InputTokens)
				require.Equal(t, "the answer is not valid JSON", e.Message)
			},
		},
		{name: "empty content", want: vision.ErrInvalidOutput, calls: 2, steps: []step{reply(""), reply("")}},
		{
			name: "no choices", want: vision.ErrInvalidOutput, calls: 2,
			steps: []step{status(200, `{"choices":[]}`), nil},
		},
		{name: "fenced", calls: 1, steps: []step{reply("```json\n" + items(sofa()) + "\n```")}},
		{
			name: "content in parts", calls: 1,
			steps: []step{status(200, `{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":`+
				`[{"type":"text","text":"{\"summary\":\"\","},{"type":"text","text":"\"items\":[]}"}]}}]}`)},
		},
		{
			name: "429 in seconds", calls: 2,
			steps: []step{status(429, rate, "Retry-After", "7"), reply(items())},
			check: waited(7 * time.Second),
		},
		{
			name: "429 in milliseconds", calls: 2,
			steps: []step{status(429, rate, "Retry-After-Ms", "1500", "Retry-After", "7"), reply(items())},
			check: waited(1500 * time.Millisecond),
		},
		{
			name: "429 by date", calls: 2,
			steps: []step{status(429, rate, "Retry-After", "Sun, 01 Mar 2026 12:00:09 GMT"), reply(items())},
			check: waited(9 * time.Second),
		},
		{
			name: "429 for ten minutes", want: vision.ErrRateLimited, calls: 1,
			steps: []step{status(429, rate, "Retry-After", "600")},
			check: func(t *testing.T, r *vision.Result, e *vision.ModelError) {
				require.Equal(t, 10*time.Minute, e.RetryAfter)
				require.Equal(t, "rate_limit_exceeded", e.Code)
				require.Zero(t, r.Usage.Duration, "no wait")
			},
		},
		{
			name: "429 for ever", want: vision.ErrRateLimited, calls: 3,
			steps: []step{status(429, rate, "Retry-After", "1"), nil},
		},
		{
			name: "quota", want: vision.ErrQuota, calls: 1,
			steps: []step{status(429, apiError("insufficient_quota", "You exceeded your quota."), "Retry-After", "1")},
		},
		{name: "500 then well", calls: 2, steps: []step{status(500, apiError("server_error", "Oops.")), reply(items())}},
		{
			name: "502 html for ever", want: vision.ErrUnavailable, calls: 3, steps: []step{status(502, html), nil},
			check: func(t *testing.T, _ *vision.Result, e *vision.ModelError) {
				require.Equal(t, 502, e.Status)
				require.Less(t, len(e.Error()), 400)
			},
		},
		{name: "hang up", want: vision.ErrUnavailable, calls: 3, steps: []step{hangUp, nil}},
		{name: "200 with html", want: vision.ErrUnavailable, calls: 3, steps: []step{status(200, html), nil}},
		{name: "200 empty", want: vision.ErrUnavailable, calls: 3, steps: []step{status(200, ""), nil}},
		{
			name: "200 with an error body", calls: 2,
			steps: []step{status(200, `{"error":{"message":"upstream busy","code":503}}`), reply(items())},
		},
		{
			name: "200 with a quota error", want: vision.ErrQuota, calls: 1,
			steps: []step{status(200, apiError("insufficient_quota", "No."))},
		},
		{
			name: "401", want: vision.ErrUnauthorized, calls: 1,
			steps: []step{status(401, apiError("invalid_api_key", "Incorrect API key provided: "+testKey))},
		},
		{
			name: "404 as text", want: vision.ErrRejected, calls: 1,
			steps: []step{status(404, `{"error":"model \"llava\" not found"}`)},
			check: func(t *testing.T, _ *vision.Result, e *vision.ModelError) {
				require.Equal(t, `model "llava" not found`, e.Message)
			},
		},
		{
			name: "json schema refused", calls: 3, photos: 7,
			steps: []step{
				status(400, apiError("", "'response_format.type' must be 'json_object'")), reply(items(sofa())), nil,
			},
		},
		{
			name: "any format refused", want: vision.ErrRejected, calls: 2,
			steps: []step{status(400, apiError("", "unknown field response_format")), nil},
		},
		{
			name: "slow", want: vision.ErrUnavailable, calls: 1,
			steps: []step{func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
			edit: func(c *vision.Config) {
				c.CallTimeout = 50 * time.Millisecond
				c.Retry.Attempts = -1
			},
			check: func(t *testing.T, _ *vision.Result, e *vision.ModelError) {
				require.ErrorIs(t, e, context.DeadlineExceeded)
			},
		},
		{
			name: "model the client library does not send", want: vision.ErrRejected, calls: 0,
			edit: func(c *vision.Config) { c.Profile = vision.Profile{Model: "o3"} },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.steps...)
			var logs bytes.Buffer
			a := newAnalyzer(t, f, func(c *vision.Config) {
				c.Logger = slog.New(slog.NewTextHandler(&logs, nil))
				if tt.edit != nil {
					tt.edit(c)
				}
			})
			result, err := a.Analyze(t.Context(), vision.Request{Photos: pictures(t, "Lounge", max(tt.photos, 1))})
			require.Len(t, f.sent(), tt.calls)
			require.NotNil(t, result)
			require.Equal(t, tt.want == nil, result.Complete)
			require.NotContains(t, logs.String(), testKey)
			var detail *vision.ModelError
			if tt.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tt.want)
				require.ErrorAs(t, err, &detail)
				require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, *detail), testKey)
			}
			if tt.check != nil {
				tt.check(t, result, detail)
			}
		})
	}
}

// waited checks the time by the clock that only waiting moves.
func waited(d time.Duration) func(*testing.T, *vision.Result, *vision.ModelError) {
	return func(t *testing.T, r *vision.Result, _ *vision.ModelError) {
		require.Equal(t, d, r.Usage.Duration)
	}
}

func TestRepairTurn(t *testing.T) {
	t.Parallel()
	first := `{"summary":"","items":[{"name":"Sofa","qty":"two"},{"qty":1}]}`
	f := newFake(t, reply(first), reply(items(sofa())))
	_, err := newAnalyzer(t, f).Analyze(t.Context(), vision.Request{Photos: pictures(t, "", 1)})
	require.NoError(t, err)
	sent := f.sent()[1]
	require.Len(t, sent.Messages, 3)
	require.Equal(t, "assistant", sent.Messages[1].Role)
	require.Equal(t, first, sent.text(1))
	require.Contains(t, sent.text(2), "- items[0].qty must not be a JSON string\n- items[1].name is missing\n")
	require.Equal(t, 1, sent.images(), "the photos are sent again")
}

func TestSchemaFallbackIsRemembered(t *testing.T) {
	t.Parallel()
	f := newFake(t, status(400, apiError("", "json_schema is not supported")), reply(items()), nil)
	a := newAnalyzer(t, f)
	for range 2 {
		_, err := a.Analyze(t.Context(), vision.Request{Photos: pictures(t, "", 1)})
		require.NoError(t, err)
	}
	sent := f.sent()
	require.Len(t, sent, 3)
	require.NotContains(t, sent[0].text(0), "additionalProperties")
	for _, s := range sent[1:] {
		require.Equal(t, "json_object", s.Format.Type)
		require.Contains(t, s.text(0), "additionalProperties")
	}
}

func TestWaitsGrow(t *testing.T) {
	t.Parallel()
	f := newFake(t, status(500, "{}"), nil)
	c := newClock()
	a := newAnalyzer(t, f, func(cfg *vision.Config) {
		cfg.Now, cfg.Sleep, cfg.Retry.Attempts = c.Now, c.Sleep, 5
	})
	_, err := a.Analyze(t.Context(), vision.Request{Photos: pictures(t, "", 1)})
	require.ErrorIs(t, err, vision.ErrUnavailable)
	require.Len(t, c.waits, 5)
	for i, wait := range c.waits {
		full := min(500*time.Millisecond<<i, 8*time.Second)
		require.LessOrEqual(t, wait, full)
		require.Greater(t, wait, full*3/4-1)
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	t.Parallel()
	f := newFake(t, status(429, "{}", "Retry-After", "60"))
	ctx, cancel := context.WithCancel(t.Context())
	a := newAnalyzer(t, f, func(c *vision.Config) {
		c.Sleep = func(ctx context.Context, _ time.Duration) error {
			cancel()
			return ctx.Err()
		}
	})
	result, err := a.Analyze(ctx, vision.Request{Photos: pictures(t, "", 8)})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, result.Usage.Requests)
	require.Equal(t, vision.PhotoNotSent, result.Photos[7].Status)
}

func TestDeadlineShorterThanTheWait(t *testing.T) {
	t.Parallel()
	f := newFake(t, status(429, "{}", "Retry-After", "60"))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	start := time.Now()
	_, err := newAnalyzer(t, f).Analyze(ctx, vision.Request{Photos: pictures(t, "", 1)})
	require.ErrorIs(t, err, vision.ErrRateLimited)
	require.Less(t, time.Since(start), 10*time.Second)
}

func TestFailureEndsTheAnalysis(t *testing.T) {
	t.Parallel()
	f := newFake(t, reply(items(sofa())), status(401, "{}"))
	result, err := newAnalyzer(t, f, func(c *vision.Config) { c.BatchSize = 2 }).
		Analyze(t.Context(), vision.Request{Photos: pictures(t, "", 6)})
	require.ErrorIs(t, err, vision.ErrUnauthorized)
	require.Len(t, result.Items(), 1)
	var got []vision.PhotoStatus
	for _, p := range result.Photos {
		got = append(got, p.Status)
	}
	require.Equal(t, []vision.PhotoStatus{
		"analyzed", "analyzed", "failed", "failed", "not_sent", "not_sent",
	}, got)
}

func TestRefusalEndsOnlyItsBatch(t *testing.T) {
	t.Parallel()
	f := newFake(t, completion("stop", map[string]any{"refusal": "no"}), reply(items(sofa())))
	result, err := newAnalyzer(t, f, func(c *vision.Config) { c.BatchSize = 1 }).
		Analyze(t.Context(), vision.Request{Photos: pictures(t, "", 2)})
	require.ErrorIs(t, err, vision.ErrRefused)
	require.Len(t, result.Items(), 1)
	require.False(t, result.Complete)
}

func TestBudget(t *testing.T) {
	t.Parallel()
	for name, budget := range map[string]vision.Budget{
		"requests": {MaxRequests: 1},
		"input":    {MaxInputTokens: 3000},
		"output":   {MaxOutputTokens: 8050},
		"cost":     {MaxCost: 13_900},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, reply(items(sofa())))
			a := newAnalyzer(t, f, func(c *vision.Config) { c.BatchSize = 2 })
			result, err := a.Analyze(t.Context(), vision.Request{Photos: pictures(t, "", 4), Budget: budget})
			require.ErrorIs(t, err, vision.ErrBudget)
			require.False(t, result.Complete)
			require.Len(t, result.Items(), 1, "what was found before is kept")
			require.Equal(t, vision.PhotoAnalyzed, result.Photos[1].Status)
			require.Equal(t, vision.PhotoOverBudget, result.Photos[2].Status)
			require.Equal(t, 1, result.Usage.Requests)
		})
	}
}

func TestTransportErrorsHideTheKey(t *testing.T) {
	t.Parallel()
	a := newAnalyzer(t, &fake{url: "http://127.0.0.1:1/v1"}, func(c *vision.Config) {
		c.HTTPClient = &http.Client{Transport: leaky{}}
	})
	_, err := a.Analyze(t.Context(), vision.Request{Photos: pictures(t, "", 1)})
	require.ErrorIs(t, err, vision.ErrUnavailable)
	require.NotContains(t, err.Error(), testKey)
}

// leaky is a transport that quotes the request's headers in its errors.
type leaky struct{}

func (leaky) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, errors.New("sent " + r.Header.Get("Authorization"))
}
