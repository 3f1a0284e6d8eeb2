package vision

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Sentinels of [Analyzer.Analyze]; test with [errors.Is]. Those that come from a model's answer are
// inside a [*ModelError].
var (
	// ErrNoPhotos means that the request has no photo, or that none of them could be read.
	ErrNoPhotos = errors.New("vision: no usable photo")
	// ErrInvalidRequest means that a [Request] breaks a documented rule, such as two photos with
	// one ID.
	ErrInvalidRequest = errors.New("vision: invalid request")
	// ErrRefused means that the model, or the provider's content filter, declined to answer.
	// Asking again with the same photos is pointless.
	ErrRefused = errors.New("vision: model refused")
	// ErrTruncated means that the answer did not fit the output limit, even for half the photos.
	ErrTruncated = errors.New("vision: answer truncated")
	// ErrInvalidOutput means that the answer, and its correction, did not have the required form.
	ErrInvalidOutput = errors.New("vision: invalid model output")
	// ErrBudget means that a call was not sent because it could have exceeded the [Budget].
	ErrBudget = errors.New("vision: budget exceeded")
	// ErrRateLimited means that the provider asks to wait, and the allowed attempts and waiting
	// time are used up. [ModelError.RetryAfter] holds the wait when the provider named one.
	ErrRateLimited = errors.New("vision: rate limited")
	// ErrQuota means that the account at the provider has no credit left.
	ErrQuota = errors.New("vision: provider quota exhausted")
	// ErrUnauthorized means that the provider did not accept the API key.
	ErrUnauthorized = errors.New("vision: provider refused the credentials")
	// ErrUnavailable means that the provider could not be reached, timed out or failed.
	ErrUnavailable = errors.New("vision: provider unavailable")
	// ErrRejected means that the provider refused the request itself, for example because there is
	// no such model.
	ErrRejected = errors.New("vision: request rejected by provider")
)

// ModelError is the detail of a failed call. Its text never contains the API key, and what it
// quotes from the provider is one line of at most 300 characters.
type ModelError struct {
	Err        error         // the sentinel, never nil
	Status     int           // HTTP status; 0 when there was no answer
	Code       string        // the provider's error code, such as "insufficient_quota"
	Message    string        // the provider's message or the violations found, cut and on one line
	RequestID  string        // the provider's x-request-id
	RetryAfter time.Duration // the wait the provider asked for; 0 when it named none
	Cause      error         // transport or context error; nil when the provider answered
}

// Error returns the sentinel's text with status, code, request ID and message.
func (e *ModelError) Error() string {
	var b strings.Builder
	b.WriteString(e.Err.Error())
	if e.Status != 0 {
		fmt.Fprintf(&b, ": status %d", e.Status)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ", code %s", e.Code)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, ", request %s", e.RequestID)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry after %s", e.RetryAfter)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

// Unwrap returns the sentinel and the cause.
func (e *ModelError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Cause}
}

// ConfigError is one fault of a [Config]. New returns all of them joined.
type ConfigError struct {
	Field  string // the field's name
	Value  string // the offending value; empty for secrets
	Reason string // what is wrong with it
}

// Error returns the fault on one line.
func (e *ConfigError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("vision: config %s: %s", e.Field, e.Reason)
	}
	return fmt.Sprintf("vision: config %s = %s: %s", e.Field, e.Value, e.Reason)
}

// maxQuoted bounds text of the provider inside errors.
const maxQuoted = 300

// quoted makes foreign text fit for an error or a log line: no secret, no control characters, one
// line, bounded.
func quoted(text, secret string) string {
	if secret != "" {
		text = strings.ReplaceAll(text, secret, "[key]")
	}
	return cleanText(text, maxQuoted)
}

// cleanText turns control characters and runs of space into single spaces, drops invisible
// formatting characters and invalid bytes, and cuts the text after limit runes.
func cleanText(text string, limit int) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = n > 0
			continue
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			continue
		}
		if space {
			if n+2 > limit {
				break
			}
			b.WriteByte(' ')
			n++
			space = false
		}
		if n == limit {
			break
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
