package onetime_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/authtest"
	"github.com/groundwork-go/groundwork/auth/onetime"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	authtest.TestOneTimeStore(t, false, func(*testing.T) auth.OneTimeStore { return onetime.NewMemoryStore() })
}

func newTokens(t *testing.T, now *time.Time) *onetime.Tokens {
	t.Helper()
	tokens, err := onetime.New(onetime.Config{Store: onetime.NewMemoryStore(), Now: func() time.Time { return *now }})
	require.NoError(t, err)
	return tokens
}

func TestTokenWorksOnceForItsPurpose(t *testing.T) {
	t.Parallel()
	now := epoch
	tokens := newTokens(t, &now)
	issue := onetime.Issue{Purpose: "reset", Subject: "user", Data: "x@example.com", TTL: time.Hour}
	token, err := tokens.Issue(t.Context(), issue)
	require.NoError(t, err)
	require.Regexp(t, `^ot_[A-Za-z0-9_-]{43}$`, token)
	for name, bad := range map[string]string{
		"empty": "", "prefix": "ot_", "other prefix": "xx_" + token[3:], "longer": token + "A", "shorter": token[:45],
		"upper case": strings.ToUpper(token), "refresh token": "rt_" + token[3:],
	} {
		_, err := tokens.Consume(t.Context(), "reset", bad)
		require.Equal(t, onetime.ErrInvalid, err, name)
	}
	_, err = tokens.Consume(t.Context(), "verify", token)
	require.Equal(t, onetime.ErrInvalid, err, "another purpose")
	used, err := tokens.Consume(t.Context(), "reset", token)
	require.NoError(t, err)
	require.Equal(t, onetime.Used{Subject: "user", Data: "x@example.com"}, used)
	_, err = tokens.Consume(t.Context(), "reset", token)
	require.Equal(t, onetime.ErrInvalid, err, "used")

	old, err := tokens.Issue(t.Context(), issue)
	require.NoError(t, err)
	fresh, err := tokens.Issue(t.Context(), issue)
	require.NoError(t, err)
	_, err = tokens.Consume(t.Context(), "reset", old)
	require.Equal(t, onetime.ErrInvalid, err, "an older token after re-issue")
	now = now.Add(time.Hour)
	_, err = tokens.Consume(t.Context(), "reset", fresh)
	require.Equal(t, onetime.ErrInvalid, err, "expired")
	n, err := tokens.Sweep(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)

	token, err = tokens.Issue(t.Context(), issue)
	require.NoError(t, err)
	require.NoError(t, tokens.Void(t.Context(), "reset", "user"))
	_, err = tokens.Consume(t.Context(), "reset", token)
	require.Equal(t, onetime.ErrInvalid, err, "voided")
}

func TestHundredRacersOneSuccess(t *testing.T) {
	t.Parallel()
	now := epoch
	tokens := newTokens(t, &now)
	token, err := tokens.Issue(t.Context(), onetime.Issue{Purpose: "reset", Subject: "user", TTL: time.Hour})
	require.NoError(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 100 {
		wg.Go(func() {
			if _, err := tokens.Consume(t.Context(), "reset", token); err == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, won)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	_, err := onetime.New(onetime.Config{Prefix: "with space"})
	require.ErrorContains(t, err, "Store")
	require.ErrorContains(t, err, "Prefix")
	now := epoch
	tokens := newTokens(t, &now)
	for field, i := range map[string]onetime.Issue{
		"Purpose": {Subject: "a", TTL: time.Hour}, "Subject": {Purpose: "a", Subject: "\x00", TTL: time.Hour},
		"Data": {Purpose: "a", Subject: "a", Data: "\xff", TTL: time.Hour}, "TTL": {Purpose: "a", Subject: "a"},
	} {
		_, err := tokens.Issue(t.Context(), i)
		var fault *onetime.ConfigError
		require.ErrorAs(t, err, &fault)
		require.Equal(t, field, fault.Field)
	}
}

// brokenStore does not answer.
type brokenStore struct{}

var errDown = errors.New("down")

func (brokenStore) Put(context.Context, auth.OneTimeRecord) error { return errDown }
func (brokenStore) Take(context.Context, string, time.Time) (auth.OneTimeRecord, error) {
	return auth.OneTimeRecord{}, errDown
}
func (brokenStore) Forget(context.Context, string, string) error               { return errDown }
func (brokenStore) DeleteExpired(context.Context, time.Time, int) (int, error) { return 0, errDown }

func TestStoreOutageIsNotAnInvalidToken(t *testing.T) {
	t.Parallel()
	tokens, err := onetime.New(onetime.Config{Store: brokenStore{}})
	require.NoError(t, err)
	_, err = tokens.Issue(t.Context(), onetime.Issue{Purpose: "a", Subject: "a", TTL: time.Hour})
	require.ErrorIs(t, err, auth.ErrUnavailable)
	_, err = tokens.Consume(t.Context(), "a", "ot_"+strings.Repeat("A", 43))
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.NotErrorIs(t, err, onetime.ErrInvalid)
	require.ErrorIs(t, tokens.Void(t.Context(), "a", "a"), errDown)
	_, err = tokens.Sweep(t.Context(), 1)
	require.ErrorIs(t, err, errDown)
}
