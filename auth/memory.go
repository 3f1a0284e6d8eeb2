package auth

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// MemoryStore is a Store in the process's memory: the reference implementation, for tests, tools
// and single-process servers that may forget their sessions. Safe for concurrent use. The zero
// MemoryStore is empty and ready.
type MemoryStore struct {
	mu        sync.Mutex
	sessions  map[string]*memorySession
	bySubject map[string]map[string]*memorySession
}

type memorySession struct {
	Session
	generation uint32
	hash       [HashBytes]byte
	previous   [HashBytes]byte
	salt       [SaltBytes]byte
	replays    int
}

var _ Store = (*MemoryStore)(nil)

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore { return &MemoryStore{} }

// Create implements [Store].
func (m *MemoryStore) Create(ctx context.Context, r Record, limit int) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.sessions[r.Session.ID]; ok {
		return nil, fmt.Errorf("auth: memory: %w", errors.New("session id exists"))
	}
	if m.sessions == nil {
		m.sessions = map[string]*memorySession{}
		m.bySubject = map[string]map[string]*memorySession{}
	}
	evicted := m.evict(&r.Session, limit)
	row := &memorySession{Session: cloneSession(r.Session), hash: r.Hash, salt: r.Salt}
	m.sessions[row.ID] = row
	if m.bySubject[row.Subject] == nil {
		m.bySubject[row.Subject] = map[string]*memorySession{}
	}
	m.bySubject[row.Subject][row.ID] = row
	return evicted, nil
}

// evict makes room for one more session.
func (m *MemoryStore) evict(next *Session, limit int) []string {
	if limit <= 0 {
		return nil
	}
	live := m.live(next.Subject, next.CreatedAt)
	if len(live) < limit {
		return nil
	}
	var evicted []string
	for _, row := range live[limit-1:] {
		row.RevokedAt, row.RevokeReason = next.CreatedAt, ReasonEvicted
		evicted = append(evicted, row.ID)
	}
	return evicted
}

// live returns the subject's live sessions, newest first.
func (m *MemoryStore) live(subject string, now time.Time) []*memorySession {
	var live []*memorySession
	for _, row := range m.bySubject[subject] {
		if row.Live(now) {
			live = append(live, row)
		}
	}
	slices.SortFunc(live, func(a, b *memorySession) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return live
}

// Rotate implements [Store].
func (m *MemoryStore) Rotate(ctx context.Context, r RotateRequest) (RotateResult, error) {
	if err := ctx.Err(); err != nil {
		return RotateResult{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	row, ok := m.sessions[r.ID]
	if !ok {
		return RotateResult{Verdict: VerdictNotFound}, nil
	}
	verdict := row.judge(&r)
	switch verdict {
	case VerdictRotated:
		row.previous, row.hash, row.salt = row.hash, r.NextHash, r.NextSalt
		row.generation++
		row.replays = 0
		row.LastUsedAt, row.IdleExpiresAt = r.Now, r.IdleUntil
		if row.ExpiresAt.Before(r.IdleUntil) {
			row.IdleExpiresAt = row.ExpiresAt
		}
	case VerdictReplayed:
		row.replays++
	case VerdictReused:
		row.RevokedAt, row.RevokeReason = r.Now, ReasonReuse
	}
	return RotateResult{
		Verdict: verdict, Session: cloneSession(row.Session),
		Generation: row.generation, Salt: row.salt,
	}, nil
}

func (row *memorySession) judge(r *RotateRequest) Verdict {
	equal := func(a, b [HashBytes]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
	switch {
	case !row.RevokedAt.IsZero():
		return VerdictRevoked
	case !row.Live(r.Now):
		return VerdictExpired
	case r.Generation == row.generation && equal(r.Hash, row.hash):
		return VerdictRotated
	case r.Generation > row.generation:
		return VerdictAhead
	case r.Generation+1 == row.generation && equal(r.Hash, row.previous) &&
		r.Window > 0 && r.Now.Sub(row.LastUsedAt) <= r.Window:
		if row.replays < r.MaxReplays {
			return VerdictReplayed
		}
		return VerdictSuperseded
	}
	return VerdictReused
}

// Get implements [Store].
func (m *MemoryStore) Get(ctx context.Context, id string) (Session, error) {
	if err := ctx.Err(); err != nil {
		return Session{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	row, ok := m.sessions[id]
	if !ok {
		return Session{}, ErrNotFound
	}
	return cloneSession(row.Session), nil
}

// List implements [Store].
func (m *MemoryStore) List(ctx context.Context, subject string, now time.Time) ([]Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Session
	for _, row := range m.live(subject, now) {
		list = append(list, cloneSession(row.Session))
	}
	return list, nil
}

// Revoke implements [Store].
func (m *MemoryStore) Revoke(ctx context.Context, id, reason string, now time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	row, ok := m.sessions[id]
	if !ok || !row.RevokedAt.IsZero() {
		return false, nil
	}
	row.RevokedAt, row.RevokeReason = now, reason
	return true, nil
}

// RevokeSubject implements [Store].
func (m *MemoryStore) RevokeSubject(ctx context.Context, subject string, keep []string, reason string, now time.Time) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var ended []string
	for id, row := range m.bySubject[subject] {
		if row.RevokedAt.IsZero() && !slices.Contains(keep, id) {
			row.RevokedAt, row.RevokeReason = now, reason
			ended = append(ended, id)
		}
	}
	return ended, nil
}

// DeleteExpired implements [Store].
func (m *MemoryStore) DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	deleted := 0
	for id, row := range m.sessions {
		if deleted >= limit {
			break
		}
		if row.ExpiresAt.After(before) && (row.RevokedAt.IsZero() || row.RevokedAt.After(before)) {
			continue
		}
		delete(m.sessions, id)
		delete(m.bySubject[row.Subject], id)
		if len(m.bySubject[row.Subject]) == 0 {
			delete(m.bySubject, row.Subject)
		}
		deleted++
	}
	return deleted, nil
}

func cloneSession(s Session) Session {
	s.Methods = slices.Clone(s.Methods)
	s.Attributes = maps.Clone(s.Attributes)
	return s
}
