package authtest

import (
	"sync"
	"testing"
	"time"

	"github.com/groundwork-go/groundwork/auth"
)

func rotateUnknown(_ *testing.T, h *harness) {
	h.rotate(request(sessionID(7), 0, epoch, "a"), auth.VerdictNotFound)
}

func rotateCurrent(t *testing.T, h *harness) {
	id := h.create("user", epoch)
	for g := range uint32(5) {
		now := epoch.Add(time.Duration(g+1) * time.Minute)
		res := h.rotate(request(id, g, now, "a"), auth.VerdictRotated)
		if res.Generation != g+1 || res.Session.ID != id || res.Session.Subject != "user" {
			t.Fatalf("Rotate: %+v", res)
		}
		for _, ses := range []auth.Session{res.Session, h.get(id)} {
			h.wantTime("LastUsedAt", ses.LastUsedAt, now)
			h.wantTime("IdleExpiresAt", ses.IdleExpiresAt, now.Add(idleTTL))
			h.wantTime("CreatedAt", ses.CreatedAt, epoch)
		}
	}
}

func rotateCapsIdle(_ *testing.T, h *harness) {
	id := h.create("user", epoch)
	step := idleTTL - time.Minute
	var last auth.RotateResult
	for g := range uint32(4) { // the last step ends 4 minutes before the absolute end
		last = h.rotate(request(id, g, epoch.Add(time.Duration(g+1)*step), "a"), auth.VerdictRotated)
	}
	for _, ses := range []auth.Session{last.Session, h.get(id)} {
		h.wantTime("IdleExpiresAt", ses.IdleExpiresAt, epoch.Add(absoluteTTL))
	}
	h.rotate(request(id, 4, epoch.Add(absoluteTTL), "a"), auth.VerdictExpired)
}

func rotateExpired(_ *testing.T, h *harness) {
	id := h.create("user", epoch)
	h.rotate(request(id, 0, epoch.Add(idleTTL), "a"), auth.VerdictExpired)
	h.rotate(request(id, 0, epoch.Add(idleTTL-time.Microsecond), "a"), auth.VerdictRotated)
}

func rotateRevoked(t *testing.T, h *harness) {
	id := h.create("user", epoch)
	if _, err := h.store.Revoke(t.Context(), id, "x", epoch); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
	res := h.rotate(request(id, 0, epoch, "a"), auth.VerdictRevoked)
	h.wantTime("RevokedAt", res.Session.RevokedAt, epoch)
	h.rotate(request(id, 9, epoch, "a"), auth.VerdictRevoked)
}

func replayGivesSalt(t *testing.T, h *harness) {
	id := h.create("user", epoch)
	h.rotate(request(id, 0, epoch, "first"), auth.VerdictRotated)
	for range 2 {
		res := h.rotate(request(id, 0, epoch.Add(time.Second), "later"), auth.VerdictReplayed)
		if res.Salt != salt("first") || res.Generation != 1 || res.Session.ID != id {
			t.Fatalf("Rotate: %+v", res)
		}
	}
	h.wantTime("LastUsedAt", h.get(id).LastUsedAt, epoch)
	h.rotate(request(id, 1, epoch.Add(time.Second), "next"), auth.VerdictRotated)
}

func replayEndsAfterWindow(t *testing.T, h *harness) {
	id := h.create("user", epoch)
	h.rotate(request(id, 0, epoch, "a"), auth.VerdictRotated)
	h.rotate(request(id, 0, epoch.Add(window), "a"), auth.VerdictReplayed)
	at := epoch.Add(window + time.Microsecond)
	res := h.rotate(request(id, 0, at, "a"), auth.VerdictReused)
	for _, ses := range []auth.Session{res.Session, h.get(id)} {
		h.wantTime("RevokedAt", ses.RevokedAt, at)
		if ses.RevokeReason != auth.ReasonReuse {
			t.Fatalf("reason %q", ses.RevokeReason)
		}
	}
	h.rotate(request(id, 1, at, "a"), auth.VerdictRevoked)
}

func replayBeyondMax(_ *testing.T, h *harness) {
	id := h.create("user", epoch)
	h.rotate(request(id, 0, epoch, "a"), auth.VerdictRotated)
	for range 3 {
		h.rotate(request(id, 0, epoch, "a"), auth.VerdictReplayed)
	}
	for range 3 {
		h.rotate(request(id, 0, epoch, "a"), auth.VerdictSuperseded)
	}
	h.rotate(request(id, 1, epoch, "a"), auth.VerdictRotated)
}

func replayCountResets(_ *testing.T, h *harness) {
	id := h.create("user", epoch)
	for g := range uint32(3) {
		h.rotate(request(id, g, epoch, "a"), auth.VerdictRotated)
		for range 3 {
			h.rotate(request(id, g, epoch, "a"), auth.VerdictReplayed)
		}
		h.rotate(request(id, g, epoch, "a"), auth.VerdictSuperseded)
	}
}

func noReplays(_ *testing.T, h *harness) {
	id := h.create("user", epoch)
	h.rotate(request(id, 0, epoch, "a"), auth.VerdictRotated)
	r := request(id, 0, epoch, "a")
	r.MaxReplays = 0
	h.rotate(r, auth.VerdictSuperseded)
	h.rotate(request(id, 1, epoch, "a"), auth.VerdictRotated)
}

func noWindow(_ *testing.T, h *harness) {
	id := h.create("user", epoch)
	h.rotate(request(id, 0, epoch, "a"), auth.VerdictRotated)
	r := request(id, 0, epoch, "a")
	r.Window = 0
	h.rotate(r, auth.VerdictReused)
}

func wrongHash(_ *testing.T, h *harness) {
	id := h.create("user", epoch)
	r := request(id, 0, epoch, "a")
	r.Hash = secret("guess")
	h.rotate(r, auth.VerdictReused)
	parent := h.create("user", epoch)
	h.rotate(request(parent, 0, epoch, "a"), auth.VerdictRotated)
	r = request(parent, 0, epoch, "a")
	r.Hash = secret("guess")
	h.rotate(r, auth.VerdictReused)
}

func oldGeneration(_ *testing.T, h *harness) {
	id := h.create("user", epoch)
	for g := range uint32(50) {
		h.rotate(request(id, g, epoch, "a"), auth.VerdictRotated)
	}
	h.rotate(request(id, 0, epoch, "a"), auth.VerdictReused)
	h.rotate(request(id, 50, epoch, "a"), auth.VerdictRevoked)
}

func newerGeneration(_ *testing.T, h *harness) {
	id := h.create("user", epoch)
	h.rotate(request(id, 0, epoch, "a"), auth.VerdictRotated)
	h.rotate(request(id, 2, epoch, "a"), auth.VerdictAhead)
	h.rotate(request(id, 1, epoch, "a"), auth.VerdictRotated)
}

func verdictOrder(t *testing.T, h *harness) {
	// Revoked comes before expired, expired before everything that looks at the token.
	id := h.create("user", epoch)
	h.rotate(request(id, 5, epoch.Add(idleTTL), "a"), auth.VerdictExpired)
	r := request(id, 0, epoch.Add(idleTTL), "a")
	r.Hash = secret("guess")
	h.rotate(r, auth.VerdictExpired)
	if ses := h.get(id); !ses.RevokedAt.IsZero() {
		t.Fatal("an expired session was revoked")
	}
	if _, err := h.store.Revoke(t.Context(), id, "x", epoch); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
	h.rotate(r, auth.VerdictRevoked)
}

const racers = 100

// race presents one token from many goroutines and counts the verdicts.
func (h *harness) race(id string, generation uint32, change func(r *auth.RotateRequest)) map[auth.Verdict]int {
	h.t.Helper()
	results := make([]auth.RotateResult, racers)
	var start, wg sync.WaitGroup
	start.Add(1)
	for i := range results {
		wg.Go(func() {
			r := request(id, generation, epoch, digits(uint32(i)))
			r.MaxReplays = racers
			change(&r)
			start.Wait()
			res, err := h.store.Rotate(h.t.Context(), r)
			if err != nil {
				h.t.Errorf("Rotate: %v", err)
			}
			results[i] = res
		})
	}
	start.Done()
	wg.Wait()
	counts := map[auth.Verdict]int{}
	winner := -1
	for i, res := range results {
		counts[res.Verdict]++
		if res.Verdict == auth.VerdictRotated {
			winner = i
		}
	}
	if winner < 0 {
		h.t.Fatalf("nobody rotated: %v", counts)
	}
	for _, res := range results {
		if res.Verdict == auth.VerdictReplayed && res.Salt != salt(digits(uint32(winner))) {
			h.t.Fatal("a replay got another salt than the winner brought")
		}
	}
	return counts
}

func (h *harness) wantCounts(got, want map[auth.Verdict]int) {
	h.t.Helper()
	for _, v := range []auth.Verdict{
		auth.VerdictRotated, auth.VerdictReplayed, auth.VerdictSuperseded, auth.VerdictReused, auth.VerdictRevoked,
	} {
		if got[v] != want[v] {
			h.t.Fatalf("verdict %v: %d of %d, want %d (%v)", v, got[v], racers, want[v], got)
		}
	}
}

func raceStrict(_ *testing.T, h *harness) {
	id := h.create("user", epoch)
	got := h.race(id, 0, func(r *auth.RotateRequest) { r.Window = 0 })
	h.wantCounts(got, map[auth.Verdict]int{
		auth.VerdictRotated: 1, auth.VerdictReused: 1, auth.VerdictRevoked: racers - 2,
	})
	h.rotate(request(id, 1, epoch, "a"), auth.VerdictRevoked)
}

func raceReject(_ *testing.T, h *harness) {
	id := h.create("user", epoch)
	got := h.race(id, 0, func(r *auth.RotateRequest) { r.MaxReplays = 0 })
	h.wantCounts(got, map[auth.Verdict]int{auth.VerdictRotated: 1, auth.VerdictSuperseded: racers - 1})
	h.rotate(request(id, 1, epoch, "a"), auth.VerdictRotated)
}

func raceReplay(_ *testing.T, h *harness) {
	id := h.create("user", epoch)
	for g := range uint32(3) {
		got := h.race(id, g, func(*auth.RotateRequest) {})
		h.wantCounts(got, map[auth.Verdict]int{auth.VerdictRotated: 1, auth.VerdictReplayed: racers - 1})
	}
	h.rotate(request(id, 3, epoch, "a"), auth.VerdictRotated)
}

// interleavings is how often a revocation races a rotation.
const interleavings = 1000

func revokeAgainstRotate(t *testing.T, h *harness) {
	h.revocationRace(func(id, _ string) error {
		_, err := h.store.Revoke(t.Context(), id, "x", epoch)
		return err
	})
}

func revokeSubjectAgainstRotate(t *testing.T, h *harness) {
	h.revocationRace(func(_, subject string) error {
		_, err := h.store.RevokeSubject(t.Context(), subject, nil, "x", epoch)
		return err
	})
}

// revocationRace checks that once a revocation has returned, neither the old token nor a
// successor made meanwhile rotates.
func (h *harness) revocationRace(revoke func(id, subject string) error) {
	h.t.Helper()
	n := interleavings
	if testing.Short() {
		n /= 10
	}
	for i := range n {
		subject := digits(uint32(i))
		id := h.create(subject, epoch)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := h.store.Rotate(h.t.Context(), request(id, 0, epoch, "a")); err != nil {
				h.t.Errorf("Rotate: %v", err)
			}
		})
		wg.Go(func() {
			if err := revoke(id, subject); err != nil {
				h.t.Errorf("revoke: %v", err)
			}
			for _, g := range []uint32{0, 1} {
				res, err := h.store.Rotate(h.t.Context(), request(id, g, epoch, "b"))
				if err != nil || res.Verdict != auth.VerdictRevoked {
					h.t.Errorf("after the revocation generation %d gives verdict %v, %v", g, res.Verdict, err)
				}
			}
		})
		wg.Wait()
		if h.t.Failed() {
			return
		}
	}
}
