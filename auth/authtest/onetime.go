package authtest

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/groundwork-go/groundwork/auth"
)

// TestOneTimeStore runs the conformance suite against the stores that open returns. Every call of
// open must give a fresh, empty store; all of them are used in parallel. selfCleaning says that the
// store drops expired records by itself and DeleteExpired may return 0.
func TestOneTimeStore(t *testing.T, selfCleaning bool, open func(t *testing.T) auth.OneTimeStore) {
	// The wall clock, because some stores drop records by their own.
	now := time.Now().Truncate(time.Second).UTC()
	record := func(hash, purpose, subject string) auth.OneTimeRecord {
		return auth.OneTimeRecord{
			Hash: hash, Purpose: purpose, Subject: subject, Data: `a "b" ü`, ExpiresAt: now.Add(time.Hour),
		}
	}
	for _, c := range []struct {
		name string
		run  func(s *oneTime)
	}{
		{"TakeOnce", func(s *oneTime) {
			want := record("h1", "reset", "user")
			s.put(want)
			got := s.take("h1", now, nil)
			if got.Hash != want.Hash || got.Purpose != want.Purpose || got.Subject != want.Subject ||
				got.Data != want.Data || !got.ExpiresAt.Equal(want.ExpiresAt) {
				s.t.Fatalf("Take: %+v, want %+v", got, want)
			}
			s.take("h1", now, auth.ErrNotFound)
		}},
		{"UnknownIsNotFound", func(s *oneTime) {
			s.take("nothing", now, auth.ErrNotFound)
			s.take("", now, auth.ErrNotFound)
		}},
		{"ExpiredAtTheBoundary", func(s *oneTime) {
			s.put(record("h1", "reset", "user"))
			s.take("h1", now.Add(time.Hour), auth.ErrNotFound)
			s.take("h1", now.Add(2*time.Hour), auth.ErrNotFound)
			s.put(record("h2", "reset", "user"))
			s.take("h2", now.Add(time.Hour-time.Microsecond), nil)
		}},
		{"NewerVoidsOlder", func(s *oneTime) {
			s.put(record("h1", "reset", "user"))
			s.put(record("h2", "verify", "user"))
			s.put(record("h3", "reset", "other"))
			s.put(record("h4", "reset", "user"))
			s.take("h1", now, auth.ErrNotFound)
			for _, h := range []string{"h2", "h3", "h4"} {
				s.take(h, now, nil)
			}
		}},
		{"Forget", func(s *oneTime) {
			s.put(record("h1", "reset", "user"))
			s.put(record("h2", "verify", "user"))
			for range 2 {
				if err := s.store.Forget(s.t.Context(), "reset", "user"); err != nil {
					s.t.Fatalf("Forget: %v", err)
				}
			}
			s.take("h1", now, auth.ErrNotFound)
			s.take("h2", now, nil)
			s.put(record("h3", "reset", "user"))
			s.take("h3", now, nil)
		}},
		{"NamesAreOpaque", func(s *oneTime) {
			names := []string{"a", "A", "a:b", "b", "ü", "{x}", "%", strings.Repeat("x", 1000)}
			for i, p := range names {
				for j, n := range names {
					s.put(record("h"+digits(uint32(i*10+j)), p, n))
				}
			}
			for i, p := range names {
				for j, n := range names {
					if r := s.take("h"+digits(uint32(i*10+j)), now, nil); r.Purpose != p || r.Subject != n {
						s.t.Fatalf("%q %q came back as %q %q", p, n, r.Purpose, r.Subject)
					}
				}
			}
		}},
		{"HundredTakes", func(s *oneTime) {
			s.put(record("h1", "reset", "user"))
			won := make([]bool, racers)
			var wg sync.WaitGroup
			for i := range won {
				wg.Go(func() {
					_, err := s.store.Take(s.t.Context(), "h1", now)
					if won[i] = err == nil; err != nil && !errors.Is(err, auth.ErrNotFound) {
						s.t.Errorf("Take: %v", err)
					}
				})
			}
			wg.Wait()
			count := 0
			for _, w := range won {
				if w {
					count++
				}
			}
			if count != 1 {
				s.t.Fatalf("%d of %d took the token, want 1", count, racers)
			}
		}},
		{"HundredPuts", func(s *oneTime) {
			var wg sync.WaitGroup
			for i := range racers {
				wg.Go(func() { s.put(record("h"+digits(uint32(i)), "reset", "user")) })
			}
			wg.Wait()
			good := 0
			for i := range racers {
				if _, err := s.store.Take(s.t.Context(), "h"+digits(uint32(i)), now); err == nil {
					good++
				}
			}
			if good != 1 {
				s.t.Fatalf("%d tokens are good, want 1", good)
			}
		}},
		{"DeleteExpired", func(s *oneTime) {
			for i := range uint32(3) {
				s.put(record("h"+digits(i), "reset", digits(i)))
			}
			late := record("h9", "reset", "late")
			late.ExpiresAt = now.Add(2 * time.Hour)
			s.put(late)
			total := 0
			for _, limit := range []int{0, 2, 2} {
				n, err := s.store.DeleteExpired(s.t.Context(), now.Add(time.Hour), limit)
				if err != nil || n > limit {
					s.t.Fatalf("DeleteExpired: %d, %v", n, err)
				}
				total += n
			}
			if total != 3 && !selfCleaning {
				s.t.Fatalf("%d records deleted, want 3", total)
			}
			s.take("h9", now, nil)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(&oneTime{t, open(t)})
		})
	}
}

type oneTime struct {
	t     *testing.T
	store auth.OneTimeStore
}

func (s *oneTime) put(r auth.OneTimeRecord) {
	if err := s.store.Put(s.t.Context(), r); err != nil {
		s.t.Errorf("Put: %v", err)
	}
}

func (s *oneTime) take(hash string, now time.Time, want error) auth.OneTimeRecord {
	s.t.Helper()
	r, err := s.store.Take(s.t.Context(), hash, now)
	if !errors.Is(err, want) {
		s.t.Fatalf("Take(%q): %v, want %v", hash, err, want)
	}
	return r
}
