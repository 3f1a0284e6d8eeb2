package authtest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/groundwork-go/groundwork/auth"
)

// TestService runs an [auth.Service] on the stores that open returns: races, lost answers and
// revocations as a client meets them. It complements [TestStore].
func TestService(t *testing.T, open func(t *testing.T) auth.Store) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *service)
	}{
		{"HundredRefreshesStrict", func(t *testing.T, s *service) { s.hundred(auth.RaceStrict) }},
		{"HundredRefreshesReject", func(t *testing.T, s *service) { s.hundred(auth.RaceReject) }},
		{"HundredRefreshesReplay", func(t *testing.T, s *service) { s.hundred(auth.RaceReplay) }},
		{"LostAnswerIsRepeated", lostAnswer},
		{"TheftEndsTheFamily", theft},
		{"HangingUpMidCallLosesNothing", hangUpRotation},
		{"HangingUpMidCallDodgesNothing", hangUpReuse},
		{"FiftyLoginsKeepTheCap", fiftyLogins},
		{"LogoutAgainstRefresh", logoutAgainstRefresh},
		{"LogoutAllAgainstRefresh", logoutAllAgainstRefresh},
		{"LogoutAllKeepsOne", logoutAllKeepsOne},
		{"SweepInParallel", sweepInParallel},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, &service{t: t, store: open(t), now: epoch})
		})
	}
}

// service builds services on one store and one clock.
type service struct {
	t     *testing.T
	store auth.Store
	mu    sync.Mutex
	now   time.Time
}

func (s *service) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *service) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *service) build(change func(*auth.Config)) *auth.Service {
	s.t.Helper()
	key, err := auth.NewHMACKey("k1", []byte("authtest: a secret of enough bytes"))
	if err != nil {
		s.t.Fatal(err)
	}
	keys, err := auth.NewKeySet(auth.KeySetConfig{Active: key, Now: s.clock})
	if err != nil {
		s.t.Fatal(err)
	}
	refreshKeys, err := auth.NewRefreshKeys([]byte("authtest: another secret, long too"))
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := auth.Config{
		Issuer: "https://id.example", Audience: []string{"api"}, Keys: keys, RefreshKeys: refreshKeys,
		Store: s.store, Now: s.clock, StoreTimeout: time.Minute, MaxReplays: racers,
	}
	if change != nil {
		change(&cfg)
	}
	svc, err := auth.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return svc
}

func (s *service) login(svc *auth.Service) auth.Tokens {
	s.t.Helper()
	tokens, err := svc.Login(s.t.Context(), auth.Login{Subject: "user"})
	if err != nil {
		s.t.Fatalf("Login: %v", err)
	}
	return tokens
}

func (s *service) refresh(svc *auth.Service, token string, want error) auth.Tokens {
	s.t.Helper()
	tokens, err := svc.Refresh(s.t.Context(), token)
	if !errors.Is(err, want) {
		s.t.Fatalf("Refresh: %v, want %v", err, want)
	}
	return tokens
}

// hundred refreshes one token in parallel, three generations long where the session lives on.
func (s *service) hundred(policy auth.RacePolicy) {
	svc := s.build(func(cfg *auth.Config) { cfg.OnRace = policy })
	token := s.login(svc).Refresh
	for range 3 {
		tokens := make([]auth.Tokens, racers)
		errs := make([]error, racers)
		var wg sync.WaitGroup
		for i := range racers {
			wg.Go(func() { tokens[i], errs[i] = svc.Refresh(s.t.Context(), token) })
		}
		wg.Wait()
		rotated, successors, counts := 0, map[string]bool{}, map[error]int{}
		for i := range racers {
			for _, known := range []error{auth.ErrSuperseded, auth.ErrReused, auth.ErrRevoked} {
				if errors.Is(errs[i], known) {
					counts[known]++
				}
			}
			if errs[i] != nil {
				continue
			}
			if !tokens[i].Replayed {
				rotated++
			}
			successors[tokens[i].Refresh] = true
			if _, err := svc.Verifier().Verify(s.t.Context(), tokens[i].Access); err != nil {
				s.t.Fatalf("an access token of the race: %v", err)
			}
			token = tokens[i].Refresh
		}
		if rotated != 1 || len(successors) != 1 {
			s.t.Fatalf("%d rotations and %d successors, want one of each", rotated, len(successors))
		}
		want := map[error]int{}
		switch policy {
		case auth.RaceStrict:
			want[auth.ErrReused], want[auth.ErrRevoked] = 1, racers-2
		case auth.RaceReject:
			want[auth.ErrSuperseded] = racers - 1
		}
		for _, known := range []error{auth.ErrSuperseded, auth.ErrReused, auth.ErrRevoked} {
			if counts[known] != want[known] {
				s.t.Fatalf("%v: %d times, want %d", known, counts[known], want[known])
			}
		}
		if policy == auth.RaceStrict {
			s.refresh(svc, token, auth.ErrRevoked)
			return
		}
	}
	s.refresh(svc, token, nil)
}

func lostAnswer(t *testing.T, s *service) {
	svc := s.build(nil)
	first := s.login(svc)
	lost := s.refresh(svc, first.Refresh, nil)
	s.advance(9 * time.Second)
	again := s.refresh(svc, first.Refresh, nil)
	if again.Refresh != lost.Refresh || !again.Replayed || lost.Replayed {
		t.Fatal("the retry did not get the same successor")
	}
	s.refresh(svc, again.Refresh, nil)
}

func theft(_ *testing.T, s *service) {
	svc := s.build(nil)
	first := s.login(svc)
	second := s.refresh(svc, first.Refresh, nil)
	s.advance(11 * time.Second)
	s.refresh(svc, first.Refresh, auth.ErrReused)
	s.refresh(svc, second.Refresh, auth.ErrRevoked)
	s.refresh(svc, first.Refresh, auth.ErrRevoked)
}

// hangingUp is a store that ends the client's request when a rotation reaches it.
type hangingUp struct {
	auth.Store

	hangUp func()
}

func (s *hangingUp) Rotate(ctx context.Context, r auth.RotateRequest) (auth.RotateResult, error) {
	s.hangUp()
	return s.Store.Rotate(ctx, r)
}

// hangUp refreshes for a client that is gone before the store has done anything.
func (s *service) hangUp(token string) (auth.Tokens, error) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	svc := s.build(func(cfg *auth.Config) { cfg.Store = &hangingUp{s.store, cancel} })
	tokens, err := svc.Refresh(ctx, token)
	if ctx.Err() == nil {
		s.t.Fatal("the client is still there")
	}
	return tokens, err
}

func hangUpRotation(t *testing.T, s *service) {
	svc := s.build(nil)
	first := s.login(svc)
	lost, err := s.hangUp(first.Refresh)
	if err != nil {
		t.Fatalf("Refresh: %v", err)
	}
	again := s.refresh(svc, first.Refresh, nil)
	if again.Refresh != lost.Refresh || !again.Replayed {
		t.Fatal("the retry did not get the token that was lost")
	}
	s.refresh(svc, again.Refresh, nil)
}

func hangUpReuse(t *testing.T, s *service) {
	svc := s.build(nil)
	first := s.login(svc)
	second := s.refresh(svc, first.Refresh, nil)
	s.advance(11 * time.Second)
	if _, err := s.hangUp(first.Refresh); !errors.Is(err, auth.ErrReused) {
		t.Fatalf("Refresh: %v, want ErrReused", err)
	}
	ses, err := s.store.Get(t.Context(), first.Session.ID)
	if err != nil || ses.RevokeReason != auth.ReasonReuse {
		t.Fatalf("the session was not revoked: %+v, %v", ses, err)
	}
	s.refresh(svc, second.Refresh, auth.ErrRevoked)
}

func fiftyLogins(t *testing.T, s *service) {
	const limit = 4
	svc := s.build(func(cfg *auth.Config) { cfg.MaxSessions = limit })
	tokens := make([]auth.Tokens, 50)
	var wg sync.WaitGroup
	for i := range tokens {
		wg.Go(func() { tokens[i] = s.login(svc) })
	}
	wg.Wait()
	live := 0
	for _, tok := range tokens {
		if _, err := svc.Refresh(t.Context(), tok.Refresh); err == nil {
			live++
		} else if !errors.Is(err, auth.ErrRevoked) {
			t.Fatalf("Refresh of an evicted session: %v", err)
		}
	}
	if live != limit {
		t.Fatalf("%d sessions live, want %d", live, limit)
	}
}

func logoutAgainstRefresh(t *testing.T, s *service) {
	svc := s.build(nil)
	s.endingRace(svc, func(tokens auth.Tokens) error { return svc.Logout(t.Context(), tokens.Refresh) })
}

func logoutAllAgainstRefresh(t *testing.T, s *service) {
	svc := s.build(nil)
	s.endingRace(svc, func(auth.Tokens) error {
		_, err := svc.LogoutAll(t.Context(), "user")
		return err
	})
}

// endingRace checks that nothing made by a refresh survives an end that has returned.
func (s *service) endingRace(svc *auth.Service, end func(auth.Tokens) error) {
	s.t.Helper()
	for range 100 {
		tokens := s.login(svc)
		made := tokens
		var wg sync.WaitGroup
		wg.Go(func() {
			if next, err := svc.Refresh(s.t.Context(), tokens.Refresh); err == nil {
				made = next
			}
		})
		wg.Go(func() {
			if err := end(tokens); err != nil {
				s.t.Errorf("end: %v", err)
			}
		})
		wg.Wait()
		for _, token := range []string{tokens.Refresh, made.Refresh} {
			s.refresh(svc, token, auth.ErrRevoked)
		}
	}
}

func logoutAllKeepsOne(t *testing.T, s *service) {
	svc := s.build(nil)
	a, b, c := s.login(svc), s.login(svc), s.login(svc)
	n, err := svc.LogoutAll(t.Context(), "user", b.Session.ID)
	if err != nil || n != 2 {
		t.Fatalf("LogoutAll: %d, %v", n, err)
	}
	s.refresh(svc, a.Refresh, auth.ErrRevoked)
	s.refresh(svc, b.Refresh, nil)
	s.refresh(svc, c.Refresh, auth.ErrRevoked)
}

func sweepInParallel(t *testing.T, s *service) {
	svc := s.build(func(cfg *auth.Config) { cfg.Retention = time.Hour })
	ended := s.login(svc)
	if err := svc.Logout(t.Context(), ended.Refresh); err != nil {
		t.Fatal(err)
	}
	live := s.login(svc)
	s.advance(time.Hour - time.Second)
	if n, err := svc.Sweep(t.Context(), 100); n != 0 || err != nil {
		t.Fatalf("Sweep before the retention's end: %d, %v", n, err)
	}
	s.advance(time.Second)
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for range 4 {
		wg.Go(func() {
			n, err := svc.Sweep(t.Context(), 100)
			if err != nil {
				t.Errorf("Sweep: %v", err)
			}
			mu.Lock()
			total += n
			mu.Unlock()
		})
	}
	wg.Wait()
	if total != 1 {
		t.Fatalf("%d sessions swept, want 1", total)
	}
	s.refresh(svc, ended.Refresh, auth.ErrRefreshInvalid)
	s.refresh(svc, live.Refresh, nil)
}
