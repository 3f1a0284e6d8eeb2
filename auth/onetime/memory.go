package onetime

import (
	"context"
	"sync"
	"time"

	"github.com/groundwork-go/groundwork/auth"
)

// MemoryStore is an auth.OneTimeStore in the process's memory, for tests and single-process
// servers. Safe for concurrent use. The zero MemoryStore is empty and ready.
type MemoryStore struct {
	mu     sync.Mutex
	byHash map[string]auth.OneTimeRecord
	byUse  map[use]string
}

type use struct{ purpose, subject string }

var _ auth.OneTimeStore = (*MemoryStore)(nil)

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore { return &MemoryStore{} }

// Put implements auth.OneTimeStore.
func (m *MemoryStore) Put(ctx context.Context, r auth.OneTimeRecord) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byHash == nil {
		m.byHash, m.byUse = map[string]auth.OneTimeRecord{}, map[use]string{}
	}
	u := use{r.Purpose, r.Subject}
	delete(m.byHash, m.byUse[u])
	m.byHash[r.Hash], m.byUse[u] = r, r.Hash
	return nil
}

// Take implements auth.OneTimeStore.
func (m *MemoryStore) Take(ctx context.Context, hash string, now time.Time) (auth.OneTimeRecord, error) {
	if err := ctx.Err(); err != nil {
		return auth.OneTimeRecord{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.byHash[hash]
	if !ok || !r.ExpiresAt.After(now) {
		return auth.OneTimeRecord{}, auth.ErrNotFound
	}
	m.remove(r)
	return r, nil
}

// Forget implements auth.OneTimeStore.
func (m *MemoryStore) Forget(ctx context.Context, purpose, subject string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if hash, ok := m.byUse[use{purpose, subject}]; ok {
		m.remove(m.byHash[hash])
	}
	return nil
}

// DeleteExpired implements auth.OneTimeStore.
func (m *MemoryStore) DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	deleted := 0
	for _, r := range m.byHash {
		if deleted >= limit {
			break
		}
		if !r.ExpiresAt.After(before) {
			m.remove(r)
			deleted++
		}
	}
	return deleted, nil
}

func (m *MemoryStore) remove(r auth.OneTimeRecord) {
	delete(m.byHash, r.Hash)
	delete(m.byUse, use{r.Purpose, r.Subject})
}
