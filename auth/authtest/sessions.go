package authtest

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/groundwork-go/groundwork/auth"
)

func createKeepsEveryField(t *testing.T, h *harness) {
	r := h.record("user", epoch)
	r.Session.Tenant = "tenant"
	r.Session.ClientID = "app"
	r.Session.Methods = []string{"pwd", "otp"}
	r.Session.Attributes = map[string]string{"ip": "192.0.2.1", "user_agent": `Ünï "x" \ <&>`}
	r.Session.AuthTime = epoch.Add(-time.Minute)
	if _, err := h.store.Create(t.Context(), r, 0); err != nil {
		t.Fatalf("Create: %v", err)
	}
	list, err := h.store.List(t.Context(), "user", epoch)
	if err != nil || len(list) != 1 {
		t.Fatalf("List: %v, %v", list, err)
	}
	rotated := h.rotate(request(r.Session.ID, 0, epoch, "a"), auth.VerdictRotated)
	rotated.Session.IdleExpiresAt = r.Session.IdleExpiresAt
	for where, got := range map[string]auth.Session{
		"Get": h.get(r.Session.ID), "List": list[0], "Rotate": rotated.Session,
	} {
		h.wantSession(where, got, r.Session)
	}
}

func createRefusesKnownID(t *testing.T, h *harness) {
	r := h.record("user", epoch)
	if _, err := h.store.Create(t.Context(), r, 0); err != nil {
		t.Fatalf("Create: %v", err)
	}
	r.Session.Subject = "thief"
	if _, err := h.store.Create(t.Context(), r, 0); err == nil {
		t.Fatal("the second Create of one id succeeded")
	}
	if _, err := h.store.Create(t.Context(), r, 1); err == nil {
		t.Fatal("the second Create of one id succeeded, with a limit")
	}
	if got := h.get(r.Session.ID); got.Subject != "user" {
		t.Fatalf("subject is %q now", got.Subject)
	}
}

func createEvictsOldest(t *testing.T, h *harness) {
	var ids []string
	for i := range 5 {
		r := h.record("user", epoch.Add(time.Duration(i)*time.Second))
		evicted, err := h.store.Create(t.Context(), r, 3)
		if err != nil {
			t.Fatalf("Create: %v", err)
		}
		ids = append(ids, r.Session.ID)
		if i < 3 {
			h.wantIDs("evicted", evicted)
		} else {
			h.wantIDs("evicted", evicted, ids[i-3])
			gone := h.get(ids[i-3])
			h.wantTime("RevokedAt", gone.RevokedAt, r.Session.CreatedAt)
			if gone.RevokeReason != auth.ReasonEvicted {
				t.Fatalf("reason %q", gone.RevokeReason)
			}
		}
	}
	// A limit of one keeps the new session alone, even when an older one has a later time.
	r := h.record("user", epoch)
	evicted, err := h.store.Create(t.Context(), r, 1)
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	h.wantIDs("evicted", evicted, ids[2:]...)
	h.wantIDs("left", h.list("user", epoch), r.Session.ID)
	h.rotate(request(ids[4], 0, epoch, "a"), auth.VerdictRevoked)
}

func createCountsLiveOnly(t *testing.T, h *harness) {
	oldest := h.create("user", epoch)
	revoked := h.create("user", epoch.Add(time.Minute))
	h.create("other", epoch.Add(2*time.Minute))
	if _, err := h.store.Revoke(t.Context(), revoked, "x", epoch); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
	idle := h.record("user", epoch.Add(time.Minute))
	idle.Session.IdleExpiresAt = epoch.Add(2 * time.Minute)
	if _, err := h.store.Create(t.Context(), idle, 0); err != nil {
		t.Fatalf("Create: %v", err)
	}
	r := h.record("user", epoch.Add(3*time.Minute))
	evicted, err := h.store.Create(t.Context(), r, 2)
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	h.wantIDs("evicted", evicted)
	h.wantIDs("live", h.list("user", epoch.Add(3*time.Minute)), oldest, r.Session.ID)
}

func createInParallel(t *testing.T, h *harness) {
	const limit = 3
	records := make([]auth.Record, 50)
	for i := range records {
		records[i] = h.record("user", epoch)
	}
	var wg sync.WaitGroup
	for _, r := range records {
		wg.Go(func() {
			if _, err := h.store.Create(t.Context(), r, limit); err != nil {
				t.Errorf("Create: %v", err)
			}
			live, err := h.store.List(t.Context(), "user", epoch)
			if err != nil {
				t.Errorf("List: %v", err)
			}
			if len(live) > limit {
				t.Errorf("%d live sessions, the limit is %d", len(live), limit)
			}
		})
	}
	wg.Wait()
	if got := h.list("user", epoch); len(got) != limit {
		t.Fatalf("%d live sessions at the end, want %d", len(got), limit)
	}
}

func listNewestFirst(t *testing.T, h *harness) {
	if got := h.list("user", epoch); len(got) != 0 {
		t.Fatalf("an empty store lists %v", got)
	}
	a := h.create("user", epoch)
	b := h.create("user", epoch.Add(time.Second))
	c := h.create("user", epoch.Add(time.Second))
	gone := h.create("user", epoch.Add(2*time.Second))
	if _, err := h.store.Revoke(t.Context(), gone, "x", epoch); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
	first, second := max(b, c), min(b, c)
	if got := h.list("user", epoch.Add(3*time.Second)); !slices.Equal(got, []string{first, second, a}) {
		t.Fatalf("List: %v, want %v", got, []string{first, second, a})
	}
	if got := h.list("user", epoch.Add(idleTTL)); slices.Contains(got, a) {
		t.Fatal("List shows a session at its idle end")
	}
	if got := h.list("nobody", epoch); len(got) != 0 {
		t.Fatalf("List of an unknown subject: %v", got)
	}
}

func subjectsAreOpaque(t *testing.T, h *harness) {
	subjects := []string{
		"", "user", "User", "user ", "u%", "u_er", "ü", "u\u0308", "用户", "' OR 1=1--", "{user}", "a:b", "*",
		strings.Repeat("x", 1024),
	}
	made := map[string]string{}
	for _, s := range subjects {
		made[s] = h.create(s, epoch)
	}
	for _, s := range subjects {
		h.wantIDs("List", h.list(s, epoch), made[s])
		if got := h.get(made[s]); got.Subject != s {
			t.Fatalf("subject %q came back as %q", s, got.Subject)
		}
	}
	ended, err := h.store.RevokeSubject(t.Context(), "user", nil, "x", epoch)
	if err != nil {
		t.Fatalf("RevokeSubject: %v", err)
	}
	h.wantIDs("ended", ended, made["user"])
}

func revokeOnce(t *testing.T, h *harness) {
	id := h.create("user", epoch)
	at := epoch.Add(time.Minute)
	for i, want := range []bool{true, false} {
		got, err := h.store.Revoke(t.Context(), id, []string{"first", "second"}[i], at.Add(time.Duration(i)*time.Second))
		if err != nil || got != want {
			t.Fatalf("Revoke: %v, %v, want %v", got, err, want)
		}
	}
	ses := h.get(id)
	h.wantTime("RevokedAt", ses.RevokedAt, at)
	if ses.RevokeReason != "first" {
		t.Fatalf("reason %q, want that of the first call", ses.RevokeReason)
	}
}

func revokeUnknown(t *testing.T, h *harness) {
	for _, id := range []string{sessionID(7), "", "a\x00b"} {
		if did, err := h.store.Revoke(t.Context(), id, "x", epoch); did || err != nil {
			t.Fatalf("Revoke(%q): %v, %v", id, did, err)
		}
	}
	h.rotate(request(sessionID(7), 0, epoch, "a"), auth.VerdictNotFound)
}

func revokeSubjectKeeps(t *testing.T, h *harness) {
	a, b, c := h.create("user", epoch), h.create("user", epoch), h.create("user", epoch)
	other := h.create("other", epoch)
	if _, err := h.store.Revoke(t.Context(), a, "before", epoch); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
	at := epoch.Add(time.Minute)
	ended, err := h.store.RevokeSubject(t.Context(), "user", []string{b, other, "unknown"}, "all", at)
	if err != nil {
		t.Fatalf("RevokeSubject: %v", err)
	}
	h.wantIDs("ended", ended, c)
	h.wantTime("RevokedAt", h.get(c).RevokedAt, at)
	if h.get(c).RevokeReason != "all" || h.get(a).RevokeReason != "before" {
		t.Fatalf("reasons %q and %q", h.get(c).RevokeReason, h.get(a).RevokeReason)
	}
	h.rotate(request(b, 0, at, "a"), auth.VerdictRotated)
	h.rotate(request(other, 0, at, "a"), auth.VerdictRotated)
	ended, err = h.store.RevokeSubject(t.Context(), "user", nil, "all", at)
	if err != nil {
		t.Fatalf("RevokeSubject: %v", err)
	}
	h.wantIDs("ended without keep", ended, b)
	if ended, err = h.store.RevokeSubject(t.Context(), "nobody", nil, "all", at); err != nil || len(ended) != 0 {
		t.Fatalf("RevokeSubject of an unknown subject: %v, %v", ended, err)
	}
}

func deleteExpired(t *testing.T, h *harness) {
	past := h.create("user", epoch.Add(-absoluteTTL)) // absolute end at epoch
	revoked := h.create("user", epoch)
	idle := h.create("user", epoch.Add(-idleTTL)) // idle end at epoch: kept
	live := h.create("user", epoch)
	if _, err := h.store.Revoke(t.Context(), revoked, "x", epoch); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
	h.sweep(epoch.Add(-time.Microsecond), 10, 0)
	h.sweep(epoch, 0, 0)
	h.sweep(epoch, 1, 1)
	h.sweep(epoch, 10, 1)
	h.sweep(epoch, 10, 0)
	h.rotate(request(past, 0, epoch, "a"), auth.VerdictNotFound)
	h.rotate(request(revoked, 0, epoch, "a"), auth.VerdictNotFound)
	h.rotate(request(idle, 0, epoch, "a"), auth.VerdictExpired)
	h.wantIDs("live", h.list("user", epoch), live)
	ended, err := h.store.RevokeSubject(t.Context(), "user", nil, "x", epoch)
	if err != nil {
		t.Fatalf("RevokeSubject: %v", err)
	}
	h.wantIDs("left", ended, live, idle)
}

func (h *harness) sweep(before time.Time, limit, want int) {
	h.t.Helper()
	n, err := h.store.DeleteExpired(h.t.Context(), before, limit)
	if err != nil || n != want {
		h.t.Fatalf("DeleteExpired(%v, %d): %d, %v, want %d", before, limit, n, err, want)
	}
}

func deleteExpiredInParallel(t *testing.T, h *harness) {
	const rows, limit = 60, 7
	for range rows {
		h.create("user", epoch.Add(-absoluteTTL))
	}
	live := h.create("user", epoch)
	var wg sync.WaitGroup
	counts := make([]int, 4)
	for i := range counts {
		wg.Go(func() {
			for {
				n, err := h.store.DeleteExpired(t.Context(), epoch, limit)
				if err != nil || n > limit {
					t.Errorf("DeleteExpired: %d, %v", n, err)
					return
				}
				counts[i] += n
				if n == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	left, err := h.store.DeleteExpired(t.Context(), epoch, rows)
	if err != nil || total+left != rows {
		t.Fatalf("%d rows deleted, then %d, %v; want %d together", total, left, err, rows)
	}
	h.wantIDs("live", h.list("user", epoch), live)
}
