package auth_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/stretchr/testify/require"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a settable time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: epoch} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// secretOf returns 32 bytes that differ from name to name.
func secretOf(name string) []byte {
	return append(bytes.Repeat([]byte{7}, 32), name...)
}

func hmacKey(t testing.TB, kid string) auth.Key {
	t.Helper()
	k, err := auth.NewHMACKey(kid, secretOf(kid))
	require.NoError(t, err)
	return k
}

func keySet(t testing.TB, c *clock, active auth.Key, published ...auth.Key) *auth.KeySet {
	t.Helper()
	set, err := auth.NewKeySet(auth.KeySetConfig{Active: active, Published: published, Now: c.Now})
	require.NoError(t, err)
	return set
}

func refreshKeys(t testing.TB, names ...string) auth.RefreshKeys {
	t.Helper()
	var previous [][]byte
	for _, n := range names[1:] {
		previous = append(previous, secretOf(n))
	}
	keys, err := auth.NewRefreshKeys(secretOf(names[0]), previous...)
	require.NoError(t, err)
	return keys
}

// bench is a service with everything a test looks at.
type bench struct {
	*auth.Service
	clock    *clock
	store    *spyStore
	denylist *auth.MemoryDenylist
	mu       sync.Mutex
	events   []auth.Event
}

func (b *bench) eventTypes() (types []auth.EventType) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.events {
		types = append(types, e.Type)
	}
	return types
}

// newBench builds a service on a memory store; change may alter its configuration.
func newBench(t testing.TB, change func(*auth.Config)) *bench {
	t.Helper()
	b := &bench{clock: newClock(), store: &spyStore{Store: auth.NewMemoryStore()}}
	var err error
	b.denylist, err = auth.NewMemoryDenylist(auth.MemoryDenylistConfig{Now: b.clock.Now})
	require.NoError(t, err)
	cfg := auth.Config{
		Issuer: "https://id.example", Audience: []string{"api"},
		Keys: keySet(t, b.clock, hmacKey(t, "k1")), RefreshKeys: refreshKeys(t, "r1"),
		Store: b.store, Denylist: b.denylist, Now: b.clock.Now,
		OnEvent: func(_ context.Context, e auth.Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.events = append(b.events, e)
		},
	}
	if change != nil {
		change(&cfg)
	}
	b.Service, err = auth.New(cfg)
	require.NoError(t, err)
	return b
}

func (b *bench) login(t testing.TB) auth.Tokens {
	t.Helper()
	tokens, err := b.Login(t.Context(), auth.Login{Subject: "user", ClientID: "app", Methods: []string{"pwd"}})
	require.NoError(t, err)
	return tokens
}

func (b *bench) refresh(t testing.TB, tokens auth.Tokens) auth.Tokens {
	t.Helper()
	next, err := b.Refresh(t.Context(), tokens.Refresh)
	require.NoError(t, err)
	return next
}

// spyStore counts calls and can be made to fail, or to hang until the caller's context ends.
type spyStore struct {
	auth.Store
	hang  atomic.Bool
	mu    sync.Mutex
	calls int
	fail  error
}

func (s *spyStore) called() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func (s *spyStore) failWith(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

func (s *spyStore) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	return s.fail
}

func (s *spyStore) Create(ctx context.Context, r auth.Record, limit int) ([]string, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	return s.Store.Create(ctx, r, limit)
}

func (s *spyStore) Rotate(ctx context.Context, r auth.RotateRequest) (auth.RotateResult, error) {
	if err := s.enter(); err != nil {
		return auth.RotateResult{}, err
	}
	if s.hang.Load() {
		<-ctx.Done()
		return auth.RotateResult{}, ctx.Err()
	}
	return s.Store.Rotate(ctx, r)
}

func (s *spyStore) Get(ctx context.Context, id string) (auth.Session, error) {
	if err := s.enter(); err != nil {
		return auth.Session{}, err
	}
	return s.Store.Get(ctx, id)
}

func (s *spyStore) Revoke(ctx context.Context, id, reason string, now time.Time) (bool, error) {
	if err := s.enter(); err != nil {
		return false, err
	}
	return s.Store.Revoke(ctx, id, reason, now)
}

func TestLoginRefreshLogout(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	first := b.login(t)
	p, err := b.Verifier().Verify(t.Context(), first.Access)
	require.NoError(t, err)
	require.Equal(t, "user", p.Subject)
	require.Equal(t, first.Session.ID, p.SessionID)
	require.Equal(t, "app", p.ClientID)
	require.Equal(t, []string{"pwd"}, p.Methods)
	require.Equal(t, 15*time.Minute, first.AccessTTL)
	require.Equal(t, 30*24*time.Hour, first.RefreshTTL)

	b.clock.Add(time.Minute)
	second := b.refresh(t, first)
	require.NotEqual(t, first.Refresh, second.Refresh)
	_, err = b.Verifier().Verify(t.Context(), first.Access)
	require.NoError(t, err, "a refresh must not end the old access token")
	_, err = b.Verifier().Verify(t.Context(), second.Access)
	require.NoError(t, err)

	require.NoError(t, b.Logout(t.Context(), second.Refresh))
	_, err = b.Verifier().Verify(t.Context(), second.Access)
	require.ErrorIs(t, err, auth.ErrRevoked)
	_, err = b.Refresh(t.Context(), second.Refresh)
	require.ErrorIs(t, err, auth.ErrRevoked)
	require.ErrorIs(t, err, auth.ErrRefreshInvalid)
	require.Equal(t, []auth.EventType{auth.EventLogin, auth.EventRefresh, auth.EventRevoke}, b.eventTypes())
}

func sha256Of(b []byte) [auth.HashBytes]byte { return sha256.Sum256(b) }
