// Package authtest tests implementations of the interfaces of package auth.
//
//	func TestStore(t *testing.T) {
//		authtest.TestStore(t, func(t *testing.T) auth.Store {
//			return newStore(t) // fresh and empty; registers its own clean-up
//		})
//	}
//
// Each subtest checks one sentence of the interface's comment. The tests use the standard library
// only. Run them with -race: several present one refresh token from a hundred goroutines.
package authtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/groundwork-go/groundwork/auth"
)

// epoch is the time at which every test begins, in the precision of stores.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

const (
	idleTTL     = 30 * time.Minute
	absoluteTTL = 2 * time.Hour
	window      = 10 * time.Second
)

// TestStore runs the conformance suite against the stores that open returns. Every call of open
// must give a fresh, empty store; all of them are used in parallel.
func TestStore(t *testing.T, open func(t *testing.T) auth.Store) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, h *harness)
	}{
		{"CreateKeepsEveryField", createKeepsEveryField},
		{"CreateRefusesKnownID", createRefusesKnownID},
		{"CreateEvictsOldestBeyondLimit", createEvictsOldest},
		{"CreateCountsLiveSessionsOnly", createCountsLiveOnly},
		{"CreateInParallelNeverExceedsLimit", createInParallel},
		{"GetUnknownIsNotFound", getUnknown},
		{"ListNewestFirstLiveOnly", listNewestFirst},
		{"SubjectsAreOpaque", subjectsAreOpaque},
		{"RotateUnknownIsNotFound", rotateUnknown},
		{"RotateCurrentToken", rotateCurrent},
		{"RotateCapsIdleAtAbsoluteEnd", rotateCapsIdle},
		{"RotateExpiredAtTheBoundary", rotateExpired},
		{"RotateRevoked", rotateRevoked},
		{"ReplayGivesTheStoredSalt", replayGivesSalt},
		{"ReplayEndsAfterTheWindow", replayEndsAfterWindow},
		{"ReplayBeyondMaxIsSuperseded", replayBeyondMax},
		{"ReplayCountStartsAgainAfterRotation", replayCountResets},
		{"NoReplaysIsSuperseded", noReplays},
		{"NoWindowIsReused", noWindow},
		{"WrongHashIsReused", wrongHash},
		{"OldGenerationIsReused", oldGeneration},
		{"NewerGenerationIsAhead", newerGeneration},
		{"VerdictsFollowTheirOrder", verdictOrder},
		{"RevokeOnce", revokeOnce},
		{"RevokeUnknown", revokeUnknown},
		{"RevokeSubjectKeeps", revokeSubjectKeeps},
		{"DeleteExpired", deleteExpired},
		{"DeleteExpiredInParallel", deleteExpiredInParallel},
		{"RaceStrict", raceStrict},
		{"RaceReject", raceReject},
		{"RaceReplay", raceReplay},
		{"RevokeAgainstRotate", revokeAgainstRotate},
		{"RevokeSubjectAgainstRotate", revokeSubjectAgainstRotate},
		{"CancelledContext", cancelledContext},
		{"CancelledMidwayIsOldOrNew", cancelledMidway},
		{"StoresAreIsolated", func(t *testing.T, h *harness) { storesAreIsolated(t, h, open) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, &harness{t: t, store: open(t)})
		})
	}
}

// harness is a store with helpers that fail the test instead of returning errors.
type harness struct {
	t     *testing.T
	store auth.Store
	made  int
}

// secret makes the hash of a named secret.
func secret(name string) [auth.HashBytes]byte { return sha256.Sum256([]byte(name)) }

func salt(name string) (s [auth.SaltBytes]byte) {
	sum := sha256.Sum256([]byte("salt " + name))
	copy(s[:], sum[:])
	return s
}

// sessionID returns a valid session id that depends on n only.
func sessionID(n int) string {
	sum := sha256.Sum256([]byte{byte(n), byte(n >> 8)})
	sum[6] = sum[6]&0x0f | 0x70
	sum[8] = sum[8]&0x3f | 0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (h *harness) record(subject string, at time.Time) auth.Record {
	h.made++
	id := sessionID(h.made)
	return auth.Record{
		Session: auth.Session{
			ID: id, Subject: subject, AuthTime: at, CreatedAt: at, LastUsedAt: at,
			IdleExpiresAt: at.Add(idleTTL), ExpiresAt: at.Add(absoluteTTL),
		},
		Hash: secret(id + " 0"), Salt: salt(id + " 0"),
	}
}

// create adds a session and returns its id.
func (h *harness) create(subject string, at time.Time) string {
	h.t.Helper()
	r := h.record(subject, at)
	if _, err := h.store.Create(h.t.Context(), r, 0); err != nil {
		h.t.Fatalf("Create: %v", err)
	}
	return r.Session.ID
}

// request presents the token of a generation; the successors of one generation all have the
// same secret, while each request brings a salt of its own.
func request(id string, generation uint32, now time.Time, brings string) auth.RotateRequest {
	return auth.RotateRequest{
		ID: id, Generation: generation, Hash: secret(id + " " + digits(generation)),
		NextHash: secret(id + " " + digits(generation+1)), NextSalt: salt(brings),
		Now: now, IdleUntil: now.Add(idleTTL), Window: window, MaxReplays: 3,
	}
}

func digits(n uint32) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return digits(n/10) + string(rune('0'+n%10))
}

func (h *harness) rotate(r auth.RotateRequest, want auth.Verdict) auth.RotateResult {
	h.t.Helper()
	res, err := h.store.Rotate(h.t.Context(), r)
	if err != nil {
		h.t.Fatalf("Rotate: %v", err)
	}
	if res.Verdict != want {
		h.t.Fatalf("Rotate: verdict %v, want %v", res.Verdict, want)
	}
	if want != auth.VerdictNotFound {
		h.wantSession("the result of "+want.String(), res.Session, h.get(r.ID))
	}
	if want == auth.VerdictRotated && (res.Generation != r.Generation+1 || res.Salt != r.NextSalt) {
		h.t.Fatalf("Rotate: generation %d and salt %x after %d and %x", res.Generation, res.Salt, r.Generation, r.NextSalt)
	}
	return res
}

func (h *harness) wantSession(where string, got, want auth.Session) {
	h.t.Helper()
	if got.ID != want.ID || got.Subject != want.Subject || got.Tenant != want.Tenant ||
		got.ClientID != want.ClientID || !slices.Equal(got.Methods, want.Methods) ||
		!maps.Equal(got.Attributes, want.Attributes) || got.RevokeReason != want.RevokeReason {
		h.t.Fatalf("%s: %+v, want %+v", where, got, want)
	}
	h.wantTime(where+" AuthTime", got.AuthTime, want.AuthTime)
	h.wantTime(where+" CreatedAt", got.CreatedAt, want.CreatedAt)
	h.wantTime(where+" LastUsedAt", got.LastUsedAt, want.LastUsedAt)
	h.wantTime(where+" IdleExpiresAt", got.IdleExpiresAt, want.IdleExpiresAt)
	h.wantTime(where+" ExpiresAt", got.ExpiresAt, want.ExpiresAt)
	h.wantTime(where+" RevokedAt", got.RevokedAt, want.RevokedAt)
}

func (h *harness) get(id string) auth.Session {
	h.t.Helper()
	ses, err := h.store.Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatalf("Get: %v", err)
	}
	return ses
}

func (h *harness) list(subject string, now time.Time) []string {
	h.t.Helper()
	list, err := h.store.List(h.t.Context(), subject, now)
	if err != nil {
		h.t.Fatalf("List: %v", err)
	}
	ids := make([]string, 0, len(list))
	for _, ses := range list {
		ids = append(ids, ses.ID)
	}
	return ids
}

func (h *harness) wantIDs(what string, got []string, want ...string) {
	h.t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		h.t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

func (h *harness) wantTime(what string, got, want time.Time) {
	h.t.Helper()
	if !got.Equal(want) {
		h.t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

func getUnknown(t *testing.T, h *harness) {
	for _, id := range []string{sessionID(7), "", "x", "a\x00b"} {
		if _, err := h.store.Get(t.Context(), id); !errors.Is(err, auth.ErrNotFound) {
			t.Fatalf("Get(%q): %v, want ErrNotFound", id, err)
		}
	}
}

func cancelledContext(t *testing.T, h *harness) {
	id := h.create("user", epoch)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.store.Rotate(ctx, request(id, 0, epoch, "a")); err == nil {
		t.Fatal("Rotate with a cancelled context succeeded")
	}
	if _, err := h.store.Get(ctx, id); err == nil || errors.Is(err, auth.ErrNotFound) {
		t.Fatalf("Get with a cancelled context: %v", err)
	}
	if _, err := h.store.Revoke(ctx, id, "x", epoch); err == nil {
		t.Fatal("Revoke with a cancelled context succeeded")
	}
	h.rotate(request(id, 0, epoch, "a"), auth.VerdictRotated)
}

// cancelledMidway cancels calls at any moment and looks whether the row is still one or the other.
func cancelledMidway(t *testing.T, h *harness) {
	for i := range 40 {
		id := h.create("user", epoch)
		ctx, cancel := context.WithCancel(t.Context())
		started := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			close(started)
			res, err := h.store.Rotate(ctx, request(id, 0, epoch, "lost"))
			if err == nil && res.Verdict != auth.VerdictRotated {
				t.Errorf("Rotate: verdict %v", res.Verdict)
			}
		})
		<-started
		for range i * 50 { // another moment each time
			runtime.Gosched()
		}
		cancel()
		wg.Wait()

		res, err := h.store.Rotate(t.Context(), request(id, 0, epoch, "retry"))
		if err != nil {
			t.Fatalf("Rotate after the cancelled call: %v", err)
		}
		switch {
		case res.Verdict == auth.VerdictRotated:
		case res.Verdict == auth.VerdictReplayed && res.Salt == salt("lost"):
		default:
			t.Fatalf("after the cancelled call: verdict %v, salt %x", res.Verdict, res.Salt)
		}
		h.rotate(request(id, 1, epoch, "next"), auth.VerdictRotated)
	}
}

func storesAreIsolated(t *testing.T, h *harness, open func(t *testing.T) auth.Store) {
	id := h.create("user", epoch)
	other := &harness{t: t, store: open(t)}
	if _, err := other.store.Get(t.Context(), id); !errors.Is(err, auth.ErrNotFound) {
		t.Fatalf("a second store knows the session of the first: %v", err)
	}
	if got := other.list("user", epoch); len(got) != 0 {
		t.Fatalf("a second store lists %v", got)
	}
}
