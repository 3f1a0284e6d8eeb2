package auth_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/onetime"
)

func TestForgedRefreshTokenNeverReachesTheStore(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	good := b.login(t)
	before := b.store.called()
	bad := []string{
		"", "rt_", "x", good.Access, "xx_" + good.Refresh[3:], good.Refresh + "A", good.Refresh[:len(good.Refresh)-1],
		good.Refresh + "=", " " + good.Refresh, good.Refresh + "\n", strings.ToUpper(good.Refresh),
	}
	for i := range good.Refresh { // every byte
		for _, c := range []byte{good.Refresh[i] ^ 1, 'A', '\n', '='} {
			if c != good.Refresh[i] {
				bad = append(bad, good.Refresh[:i]+string(rune(c))+good.Refresh[i+1:])
			}
		}
	}
	// A right session id with a random secret and tag.
	raw, err := base64.RawURLEncoding.DecodeString(good.Refresh[3:])
	require.NoError(t, err)
	for i := 21; i < len(raw); i++ {
		raw[i] = byte(i * 7)
	}
	bad = append(bad, "rt_"+base64.RawURLEncoding.EncodeToString(raw))
	for _, token := range bad {
		_, err := b.Refresh(t.Context(), token)
		require.Equal(t, auth.ErrRefreshInvalid, err, "%q", token)
		require.NoError(t, b.Logout(t.Context(), token))
	}
	require.Equal(t, before, b.store.called(), "no store call")
	b.refresh(t, good)
	_, err = b.Verifier().Verify(t.Context(), good.Refresh)
	require.Equal(t, auth.ErrInvalidToken, err, "a refresh token is no access token")
}

func TestReuseEndsTheFamilyOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	first := b.login(t)
	tokens := first
	for range 50 {
		b.clock.Add(time.Minute)
		tokens = b.refresh(t, tokens)
	}
	for range 3 {
		_, err := b.Refresh(t.Context(), first.Refresh)
		require.True(t, errors.Is(err, auth.ErrReused) || errors.Is(err, auth.ErrRevoked))
	}
	_, err := b.Refresh(t.Context(), tokens.Refresh)
	require.ErrorIs(t, err, auth.ErrRevoked)
	_, err = b.Verifier().Verify(t.Context(), tokens.Access)
	require.Equal(t, auth.ErrRevoked, err, "the session is deny-listed")
	reuses := 0
	for _, e := range b.events {
		if e.Type == auth.EventReuse {
			reuses++
			require.Equal(t, "user", e.Subject)
			require.Equal(t, first.Session.ID, e.SessionID)
			require.Zero(t, e.Generation)
		}
	}
	require.Equal(t, 1, reuses)
}

func TestReplaysAreBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(cfg *auth.Config) { cfg.MaxReplays = 2 })
	first := b.login(t)
	second := b.refresh(t, first)
	for range 2 {
		require.Equal(t, second.Refresh, b.refresh(t, first).Refresh)
	}
	_, err := b.Refresh(t.Context(), first.Refresh)
	require.Equal(t, auth.ErrSuperseded, err)
	b.refresh(t, second)
}

func TestStrictTakesASecondUseForTheft(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(cfg *auth.Config) { cfg.OnRace = auth.RaceStrict })
	first := b.login(t)
	b.refresh(t, first)
	_, err := b.Refresh(t.Context(), first.Refresh)
	require.Equal(t, auth.ErrReused, err)
}

func TestRefreshKeyRing(t *testing.T) {
	t.Parallel()
	store := auth.NewMemoryStore()
	build := func(names ...string) *bench {
		return newBench(t, func(cfg *auth.Config) { cfg.Store, cfg.RefreshKeys = store, refreshKeys(t, names...) })
	}
	old, both, renewed := build("r1"), build("r2", "r1"), build("r2")
	first := old.login(t)
	second := both.refresh(t, first)
	third := renewed.refresh(t, second)
	require.Equal(t, second.Session.ID, third.Session.ID)
	_, err := renewed.Refresh(t.Context(), first.Refresh)
	require.Equal(t, auth.ErrRefreshInvalid, err, "the secret left the ring")
}

func TestReplayAcrossARollOut(t *testing.T) {
	t.Parallel()
	store := auth.NewMemoryStore()
	build := func(names ...string) *bench {
		return newBench(t, func(cfg *auth.Config) { cfg.Store, cfg.RefreshKeys = store, refreshKeys(t, names...) })
	}
	old, renewed := build("r1", "r2"), build("r2", "r1")
	first := old.login(t)
	a, b := old.refresh(t, first), renewed.refresh(t, first)
	require.True(t, b.Replayed)
	renewed.refresh(t, a) // both texts are the one successor
	_, err := old.Refresh(t.Context(), b.Refresh)
	require.NoError(t, err)
}

func TestStoreThatLostWritesIsNoTheft(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	first := b.login(t)
	backup, err := b.store.Store.Get(t.Context(), first.Session.ID)
	require.NoError(t, err)
	third := b.refresh(t, b.refresh(t, first))

	restored := auth.NewMemoryStore()
	raw, err := base64.RawURLEncoding.DecodeString(first.Refresh[3:])
	require.NoError(t, err)
	record := auth.Record{Session: backup, Hash: sha256Of(raw[21:53])}
	_, err = restored.Create(t.Context(), record, 0)
	require.NoError(t, err)
	b.store.Store = restored
	_, err = b.Refresh(t.Context(), third.Refresh)
	require.Equal(t, auth.ErrRefreshInvalid, err)
	require.Contains(t, b.eventTypes(), auth.EventAhead)
	b.refresh(t, first) // the session lives
}

func TestIdleAndAbsoluteEnd(t *testing.T) {
	t.Parallel()
	build := func() *bench {
		return newBench(t, func(cfg *auth.Config) { cfg.IdleTTL, cfg.AbsoluteTTL = time.Hour, 150*time.Minute })
	}
	b := build()
	tokens := b.login(t)
	b.clock.Add(time.Hour)
	_, err := b.Refresh(t.Context(), tokens.Refresh)
	require.ErrorIs(t, err, auth.ErrExpired)
	require.ErrorIs(t, err, auth.ErrRefreshInvalid)

	b = build()
	tokens = b.login(t)
	end := b.clock.Now().Add(150 * time.Minute)
	for range 2 {
		b.clock.Add(time.Hour - time.Microsecond)
		tokens = b.refresh(t, tokens)
	}
	require.True(t, tokens.RefreshExpires.Equal(end), "sliding stops at the absolute end")
	b.clock.Add(20 * time.Minute)
	tokens = b.refresh(t, tokens)
	require.False(t, tokens.AccessExpires.After(end), "an access token does not outlive its session")
	b.clock.Add(end.Sub(b.clock.Now()))
	_, err = b.Refresh(t.Context(), tokens.Refresh)
	require.ErrorIs(t, err, auth.ErrExpired)
}

func TestClaims(t *testing.T) {
	t.Parallel()
	c := auth.Claims{Tenant: "t1", Roles: []string{"owner"}, Scopes: []string{"a", "b"}, Extra: map[string]any{"plan": "gold", "é": 1}}
	var fail error
	b := newBench(t, func(cfg *auth.Config) {
		cfg.Claims = func(_ context.Context, s auth.Session) (auth.Claims, error) {
			if s.Subject != "user" {
				return auth.Claims{}, errors.New("wrong session")
			}
			return c, fail
		}
	})
	first := b.login(t)
	p, err := b.Verifier().Verify(t.Context(), first.Access)
	require.NoError(t, err)
	require.Equal(t, "t1", p.Tenant)
	require.Equal(t, []string{"owner"}, p.Roles)
	require.Equal(t, []string{"a", "b"}, p.Scopes)
	extra, err := auth.ClaimsAs[map[string]any](p)
	require.NoError(t, err)
	require.Equal(t, "gold", extra["plan"])

	c = auth.Claims{}
	p, err = b.Verifier().Verify(t.Context(), b.refresh(t, first).Access)
	require.NoError(t, err)
	require.Empty(t, p.Roles, "claims are asked for at every refresh")

	for _, extra := range []map[string]any{{"sub": "admin"}, {"exp": 1}, {"f": math.NaN()}, {"big": strings.Repeat("x", 9000)}} {
		c.Extra = extra
		_, err := b.Login(t.Context(), auth.Login{Subject: "user"})
		require.Error(t, err)
	}
}

func TestClaimsFailureAfterRotationLosesNothing(t *testing.T) {
	t.Parallel()
	var fail error
	b := newBench(t, func(cfg *auth.Config) {
		cfg.Claims = func(context.Context, auth.Session) (auth.Claims, error) { return auth.Claims{}, fail }
	})
	first := b.login(t)
	fail = errDown
	_, err := b.Refresh(t.Context(), first.Refresh)
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.ErrorIs(t, err, errDown)
	fail = nil
	second := b.refresh(t, first)
	require.True(t, second.Replayed)
	b.refresh(t, second)
}

func TestDisabledSubject(t *testing.T) {
	t.Parallel()
	var fail error
	b := newBench(t, func(cfg *auth.Config) {
		cfg.Claims = func(context.Context, auth.Session) (auth.Claims, error) { return auth.Claims{}, fail }
	})
	first := b.login(t)
	fail = auth.ErrSubjectDisabled
	_, err := b.Login(t.Context(), auth.Login{Subject: "user"})
	require.ErrorIs(t, err, auth.ErrSubjectDisabled)
	_, err = b.Refresh(t.Context(), first.Refresh)
	require.ErrorIs(t, err, auth.ErrSubjectDisabled)
	status, code := auth.StatusCode(err)
	require.Equal(t, 401, status)
	require.Equal(t, "invalid_refresh", code)
	fail = nil
	_, err = b.Refresh(t.Context(), first.Refresh)
	require.ErrorIs(t, err, auth.ErrRevoked)
	_, err = b.Verifier().Verify(t.Context(), first.Access)
	require.Equal(t, auth.ErrRevoked, err)
}

func TestReauthenticateReplacesTheSession(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	first := b.login(t)
	_, err := b.Reauthenticate(t.Context(), first.Refresh, auth.Login{Subject: "other"})
	require.Equal(t, auth.ErrRefreshInvalid, err)
	_, err = b.Reauthenticate(t.Context(), "garbage", auth.Login{Subject: "user"})
	require.Equal(t, auth.ErrRefreshInvalid, err)
	b.clock.Add(time.Second)
	next, err := b.Reauthenticate(t.Context(), first.Refresh, auth.Login{Subject: "user", Methods: []string{"otp"}})
	require.NoError(t, err)
	require.NotEqual(t, first.Session.ID, next.Session.ID)
	_, err = b.Verifier().Verify(t.Context(), first.Access)
	require.Equal(t, auth.ErrRevoked, err)
	_, err = b.Verifier().Verify(t.Context(), next.Access)
	require.NoError(t, err)
	_, err = b.Refresh(t.Context(), first.Refresh)
	require.ErrorIs(t, err, auth.ErrRevoked)
	b.refresh(t, next)
}

func TestRevokeSessionIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	tokens := b.login(t)
	require.Equal(t, auth.ErrNotFound, b.RevokeSession(t.Context(), "thief", tokens.Session.ID))
	require.Equal(t, auth.ErrNotFound, b.RevokeSession(t.Context(), "user", "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f"))
	require.Equal(t, auth.ErrNotFound, b.RevokeSession(t.Context(), "user", "' OR 1=1"))
	tokens = b.refresh(t, tokens)
	require.NoError(t, b.RevokeSession(t.Context(), "user", tokens.Session.ID))
	require.NoError(t, b.RevokeSession(t.Context(), "user", tokens.Session.ID))
	_, err := b.Refresh(t.Context(), tokens.Refresh)
	require.ErrorIs(t, err, auth.ErrRevoked)
}

func TestOldestSessionGivesWay(t *testing.T) {
	t.Parallel()
	const limit = 3
	b := newBench(t, func(cfg *auth.Config) { cfg.MaxSessions = limit })
	var all []auth.Tokens
	for range limit + 1 {
		b.clock.Add(time.Second)
		all = append(all, b.login(t))
	}
	// The access token first: a refresh of the dead session would deny it again.
	_, err := b.Verifier().Verify(t.Context(), all[0].Access)
	require.Equal(t, auth.ErrRevoked, err)
	_, err = b.Refresh(t.Context(), all[0].Refresh)
	require.ErrorIs(t, err, auth.ErrRevoked)
	for _, tokens := range all[1:] {
		_, err := b.Verifier().Verify(t.Context(), tokens.Access)
		require.NoError(t, err)
		b.refresh(t, tokens)
	}
	last := b.events[len(b.events)-1-limit]
	require.Equal(t, auth.EventRevoke, last.Type)
	require.Equal(t, auth.ReasonEvicted, last.Reason)
	require.Equal(t, all[0].Session.ID, last.SessionID)
}

func TestPasswordResetEndsEverySession(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	once, err := onetime.New(onetime.Config{Store: onetime.NewMemoryStore(), Now: b.clock.Now})
	require.NoError(t, err)
	link, err := once.Issue(t.Context(), onetime.Issue{Purpose: "reset_password", Subject: "user", TTL: time.Hour})
	require.NoError(t, err)
	phone, laptop := b.login(t), b.login(t)

	var wg sync.WaitGroup
	var won atomic.Int64
	for range 100 {
		wg.Go(func() {
			used, err := once.Consume(t.Context(), "reset_password", link)
			if errors.Is(err, onetime.ErrInvalid) {
				return
			}
			if err == nil {
				won.Add(1)
				_, err = b.LogoutAll(t.Context(), used.Subject)
			}
			if err != nil {
				t.Errorf("reset: %v", err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, int64(1), won.Load(), "the link works once")
	for _, tokens := range []auth.Tokens{phone, laptop} {
		_, err := b.Refresh(t.Context(), tokens.Refresh)
		require.ErrorIs(t, err, auth.ErrRevoked)
		_, err = b.Verifier().Verify(t.Context(), tokens.Access)
		require.Equal(t, auth.ErrRevoked, err)
	}
	b.refresh(t, b.login(t))
}

func TestTokensOfOneKindAreNoOther(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	once, err := onetime.New(onetime.Config{Store: onetime.NewMemoryStore(), Now: b.clock.Now})
	require.NoError(t, err)
	tokens := b.login(t)
	link, err := once.Issue(t.Context(), onetime.Issue{Purpose: "reset", Subject: "user", TTL: time.Hour})
	require.NoError(t, err)
	for _, token := range []string{tokens.Refresh, link} {
		_, err := b.Verifier().Verify(t.Context(), token)
		require.Equal(t, auth.ErrInvalidToken, err, "as an access token")
	}
	for _, token := range []string{tokens.Access, link, "rt_" + link[3:]} {
		_, err := b.Refresh(t.Context(), token)
		require.Equal(t, auth.ErrRefreshInvalid, err, "as a refresh token")
	}
	for _, token := range []string{tokens.Access, tokens.Refresh, "ot_" + tokens.Refresh[3:]} {
		_, err := once.Consume(t.Context(), "reset", token)
		require.Equal(t, onetime.ErrInvalid, err, "as a single-use token")
	}
	b.refresh(t, tokens)
	_, err = once.Consume(t.Context(), "reset", link)
	require.NoError(t, err, "none of that used anything up")
}

func TestClockThatGoesBackwardsGivesNoEndlessLife(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(cfg *auth.Config) { cfg.MaxReplays = 3 })
	start := b.clock.Now()
	first := b.login(t)
	b.clock.Add(time.Hour)
	second := b.refresh(t, first)
	b.clock.Add(-time.Hour)
	_, err := b.Verifier().Verify(t.Context(), second.Access)
	require.Equal(t, auth.ErrInvalidToken, err, "a token from the future")
	for range 3 {
		require.Equal(t, second.Refresh, b.refresh(t, first).Refresh)
	}
	_, err = b.Refresh(t.Context(), first.Refresh)
	require.Equal(t, auth.ErrSuperseded, err, "the window is open for an hour, the count is not")
	third := b.refresh(t, second)
	_, err = b.Verifier().Verify(t.Context(), third.Access)
	require.NoError(t, err)
	require.True(t, third.Session.ExpiresAt.Equal(start.Add(90*24*time.Hour)), "the absolute end stays")
	require.False(t, third.RefreshExpires.After(third.Session.ExpiresAt))
	require.NoError(t, b.Logout(t.Context(), third.Refresh))
	_, err = b.Refresh(t.Context(), third.Refresh)
	require.ErrorIs(t, err, auth.ErrRevoked)
}

func TestStoreThatHangsIsUnavailable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(cfg *auth.Config) { cfg.Now, cfg.StoreTimeout = time.Now, 3*time.Second })
		tokens := b.login(t)
		b.store.hang.Store(true)
		started := time.Now()
		_, err := b.Refresh(t.Context(), tokens.Refresh)
		require.ErrorIs(t, err, auth.ErrUnavailable)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 3*time.Second, time.Since(started))
		status, code := auth.StatusCode(err)
		require.Equal(t, 503, status)
		require.Equal(t, "unavailable", code)
		b.store.hang.Store(false)
		b.refresh(t, tokens)
	})
}

// TestNoTokenWithoutRandomness runs itself in a second process, because the runtime ends a program
// whose source of randomness fails.
func TestNoTokenWithoutRandomness(t *testing.T) {
	const variable = "GROUNDWORK_TEST_NO_RANDOMNESS"
	if os.Getenv(variable) != "" {
		b := newBench(t, nil)
		rand.Reader = iotest.ErrReader(errDown) // the process is this test's own
		tokens, err := b.Login(t.Context(), auth.Login{Subject: "user"})
		fmt.Println("issued:", tokens.Refresh, tokens.Access, err)
		return
	}
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNoTokenWithoutRandomness$", "-test.v")
	child.Env = append(os.Environ(), variable+"=1")
	out, err := child.CombinedOutput()
	var failed *exec.ExitError
	require.ErrorAs(t, err, &failed, "%s", out)
	require.Contains(t, string(out), "crypto/rand")
	require.NotContains(t, string(out), "issued:")
}

func TestLogoutAllDeniesEveryAccessToken(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	a, kept, other := b.login(t), b.login(t), b.login(t)
	n, err := b.LogoutAll(t.Context(), "user", kept.Session.ID)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	for token, want := range map[string]error{a.Access: auth.ErrRevoked, other.Access: auth.ErrRevoked, kept.Access: nil} {
		_, err := b.Verifier().Verify(t.Context(), token)
		require.Equal(t, want, err)
	}
	list, err := b.Sessions(t.Context(), "user")
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, kept.Session.ID, list[0].ID)
	n, err = b.LogoutAll(t.Context(), "a\x00b")
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestDenylistOutlastsTheAccessToken(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	tokens := b.login(t)
	b.clock.Add(500 * time.Millisecond)
	tokens = b.refresh(t, tokens)
	require.NoError(t, b.Logout(t.Context(), tokens.Refresh))
	for b.clock.Now().Before(epoch.Add(17 * time.Minute)) { // never a moment in which it works again
		_, err := b.Verifier().Verify(t.Context(), tokens.Access)
		require.Error(t, err, "%v", b.clock.Now())
		b.clock.Add(250 * time.Millisecond)
	}
}

func TestStoreOutageIsUnavailable(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	tokens := b.login(t)
	b.store.failWith(errDown)
	_, err := b.Login(t.Context(), auth.Login{Subject: "user"})
	require.ErrorIs(t, err, auth.ErrUnavailable)
	_, err = b.Refresh(t.Context(), tokens.Refresh)
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.NotErrorIs(t, err, auth.ErrRefreshInvalid)
	require.ErrorIs(t, b.Logout(t.Context(), tokens.Refresh), auth.ErrUnavailable)
	require.ErrorIs(t, b.RevokeSession(t.Context(), "user", tokens.Session.ID), auth.ErrUnavailable)
	b.store.failWith(nil)
	b.refresh(t, tokens)
}

func TestClientThatHangsUpDodgesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	first := b.login(t)
	second := b.refresh(t, first)
	b.clock.Add(time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Refresh(ctx, first.Refresh)
	require.Equal(t, auth.ErrReused, err, "the revocation happens although the client is gone")
	_, err = b.Verifier().Verify(t.Context(), second.Access)
	require.Equal(t, auth.ErrRevoked, err)

	other := b.login(t)
	lost, err := b.Refresh(ctx, other.Refresh)
	require.NoError(t, err)
	require.Equal(t, lost.Refresh, b.refresh(t, other).Refresh, "the retry gets the same pair")
}

func TestDenylistFailureIsToldAndHealed(t *testing.T) {
	t.Parallel()
	list := &flakyDenylist{}
	b := newBench(t, func(cfg *auth.Config) { cfg.Denylist = list })
	inner, err := auth.NewMemoryDenylist(auth.MemoryDenylistConfig{Now: b.clock.Now})
	require.NoError(t, err)
	list.Denylist = inner
	first := b.login(t)
	second := b.refresh(t, first)
	b.clock.Add(time.Minute)
	list.fail = errDown
	_, err = b.Refresh(t.Context(), first.Refresh)
	require.Equal(t, auth.ErrReused, err)
	require.Contains(t, b.eventTypes(), auth.EventError)
	_, err = b.Verifier().Verify(t.Context(), second.Access)
	require.NoError(t, err)
	list.fail = nil
	_, err = b.Refresh(t.Context(), second.Refresh) // the next try repairs the entry
	require.ErrorIs(t, err, auth.ErrRevoked)
	_, err = b.Verifier().Verify(t.Context(), second.Access)
	require.Equal(t, auth.ErrRevoked, err)

	third, _ := b.login(t), b.login(t)
	list.fail = errDown
	require.ErrorIs(t, b.Logout(t.Context(), third.Refresh), auth.ErrUnavailable)
	_, err = b.LogoutAll(t.Context(), "user")
	require.ErrorIs(t, err, auth.ErrUnavailable)
	list.fail = nil
	require.NoError(t, b.Logout(t.Context(), third.Refresh), "log-out may be repeated")
	_, err = b.Verifier().Verify(t.Context(), third.Access)
	require.Equal(t, auth.ErrRevoked, err)
}

// flakyDenylist fails to write while fail is set.
type flakyDenylist struct {
	auth.Denylist
	fail error
}

func (d *flakyDenylist) Deny(ctx context.Context, until time.Time, ids ...string) error {
	if d.fail != nil {
		return d.fail
	}
	return d.Denylist.Deny(ctx, until, ids...)
}

func TestLoginChecksItsInput(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	for name, l := range map[string]auth.Login{
		"no subject": {}, "long subject": {Subject: strings.Repeat("x", 1025)}, "NUL": {Subject: "a\x00"},
		"not UTF-8": {Subject: "a\xff"}, "tenant": {Subject: "a", Tenant: "\x00"}, "client": {Subject: "a", ClientID: "\xff"},
		"empty method": {Subject: "a", Methods: []string{""}}, "many methods": {Subject: "a", Methods: make([]string, 17)},
	} {
		_, err := b.Login(t.Context(), l)
		require.ErrorIs(t, err, auth.ErrInvalidLogin, name)
	}
	tokens, err := b.Login(t.Context(), auth.Login{Subject: "user", Attributes: map[string]string{
		"user_agent": "bad\x00\xff" + strings.Repeat("x", 5000), "ip": "192.0.2.1",
	}})
	require.NoError(t, err)
	ses, err := b.Session(t.Context(), tokens.Session.ID)
	require.NoError(t, err)
	require.Equal(t, "192.0.2.1", ses.Attributes["ip"])
	require.Equal(t, "bad\uFFFD\uFFFD", ses.Attributes["user_agent"][:9])
	require.LessOrEqual(t, len(ses.Attributes["user_agent"]), 1100)
}

func TestTokensAreUniqueAndEven(t *testing.T) {
	t.Parallel()
	const n = 10_000
	b := newBench(t, func(cfg *auth.Config) { cfg.OnEvent = nil })
	seen := map[string]bool{}
	var counts [256]float64
	for range n {
		tokens, err := b.Login(t.Context(), auth.Login{Subject: "user"})
		require.NoError(t, err)
		require.False(t, seen[tokens.Refresh] || seen[tokens.Access])
		seen[tokens.Refresh], seen[tokens.Access] = true, true
		raw, err := base64.RawURLEncoding.DecodeString(tokens.Refresh[3:])
		require.NoError(t, err)
		for _, c := range raw[21:53] {
			counts[c]++
		}
	}
	chi, want := 0.0, float64(n*32)/256
	for _, c := range counts {
		chi += (c - want) * (c - want) / want
	}
	require.InDelta(t, 255, chi, 150, "255 degrees of freedom: over 405 or under 105 is one in ten million")
}

func TestServiceConfigFaults(t *testing.T) {
	t.Parallel()
	_, err := auth.New(auth.Config{
		AccessTTL: 25 * time.Hour, IdleTTL: time.Minute, AbsoluteTTL: time.Second, ReuseInterval: time.Hour,
		OnRace: 9, MaxReplays: -1, MaxSessions: -1, Leeway: time.Hour, StoreTimeout: -1, RefreshPrefix: "no good",
	})
	for _, field := range []string{
		"Issuer", "Audience", "Keys", "RefreshKeys", "Store", "AccessTTL", "IdleTTL", "AbsoluteTTL", "ReuseInterval",
		"OnRace", "MaxReplays", "MaxSessions", "Leeway", "StoreTimeout", "RefreshPrefix",
	} {
		require.ErrorContains(t, err, "config "+field)
	}
	require.Equal(t, "replay", auth.RaceReplay.String())
}

func TestRefreshAllocations(t *testing.T) {
	// Not parallel: AllocsPerRun counts the allocations of the whole process.
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool allocate")
	}
	b := newBench(t, func(cfg *auth.Config) { cfg.OnEvent = nil })
	tokens := b.login(t)
	forged := tokens.Refresh[:60] + "AAAA" + tokens.Refresh[64:]
	got := testing.AllocsPerRun(200, func() { tokens, _ = b.Refresh(context.Background(), tokens.Refresh) })
	require.LessOrEqual(t, got, 24.0)
	t.Logf("refresh: %v allocations", got)
	got = testing.AllocsPerRun(200, func() { _, _ = b.Refresh(context.Background(), forged) })
	require.LessOrEqual(t, got, 1.0)
}
