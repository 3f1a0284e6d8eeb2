package vision

import (
	"net/http"
	"time"
)

// ParseAnswer is parseAnswer with the default limits, for fuzzing.
func ParseAnswer(content string, ids []string) ([]Item, []string) {
	a, violations := parseAnswer(content, ids, ItemLimits{}.withDefaults())
	return a.items, violations
}

// RetryAfter is retryAfter.
func RetryAfter(h http.Header, now time.Time) time.Duration { return retryAfter(h, now) }

// Backoff is Retry.backoff with the defaults filled in.
func (r Retry) Backoff(n int) time.Duration { return r.withDefaults().backoff(n) }
