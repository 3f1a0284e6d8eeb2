package vision

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Retry says how often and after what wait a call is repeated that failed with status 408, 409,
// 429 or 5xx, or without any answer. An exhausted quota is never retried.
type Retry struct {
	Attempts int           // Repetitions after the first call; negative means none. Default 2.
	Base     time.Duration // First wait; each further one is twice as long. Default 500 ms.
	Max      time.Duration // Longest wait of our own choice. Default 8 s.
	// MaxWait is the longest wait that a provider's Retry-After is obeyed for. A longer one ends
	// the analysis at once, with the wait in ModelError.RetryAfter. Default 2 minutes.
	MaxWait time.Duration
}

func (r Retry) withDefaults() Retry {
	if r.Attempts == 0 {
		r.Attempts = 2
	}
	if r.Base == 0 {
		r.Base = 500 * time.Millisecond
	}
	if r.Max == 0 {
		r.Max = max(8*time.Second, r.Base)
	}
	if r.MaxWait == 0 {
		r.MaxWait = 2 * time.Minute
	}
	return r
}

// backoff returns the wait before the given repetition, counted from 0. Up to a quarter is taken
// off at random so that clients which failed together do not come back together; the waits still
// grow until Max. The randomness protects nothing, so a fast generator is enough.
func (r Retry) backoff(n int) time.Duration {
	d := r.Max
	if n < 30 && r.Base<<n < r.Max && r.Base<<n > 0 {
		d = r.Base << n
	}
	return d - time.Duration(rand.Float64()*float64(d)/4)
}

// retryAfter reads the wait a provider asks for: Retry-After-Ms, or Retry-After in seconds or as an
// HTTP date (RFC 9110, section 10.2.3). 0 means none; garbage and the past count as none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if d, ok := parseWait(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d
	}
	value := strings.TrimSpace(h.Get("Retry-After"))
	if d, ok := parseWait(value, time.Second); ok {
		return d
	}
	if t, err := http.ParseTime(value); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// parseWait reads a non-negative decimal number of units. Anything over a day becomes a day, which
// is more than any caller waits and cannot overflow.
func parseWait(s string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(n >= 0) {
		return 0, false
	}
	const day = 24 * time.Hour
	if n > float64(day/unit) {
		return day, true
	}
	return time.Duration(n * float64(unit)), true
}

// retryable reports whether a call with this outcome may succeed when it is repeated.
func (e *ModelError) retryable() bool {
	return errors.Is(e.Err, ErrRateLimited) || errors.Is(e.Err, ErrUnavailable)
}

// sleep waits for d or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
