package auth

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// MemoryDenylistConfig configures a [MemoryDenylist].
type MemoryDenylistConfig struct {
	// MaxEntries bounds the list. A full list drops what has ended; when all entries are still
	// needed it refuses new ones with ErrDenylistFull, it never forgets one early. Default 1,000,000.
	MaxEntries int
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// MemoryDenylist is a Denylist in the process's memory. Other replicas do not see its entries,
// so it suits single-process servers. Safe for concurrent use.
type MemoryDenylist struct {
	max int
	now func() time.Time

	mu      sync.RWMutex
	entries map[string]time.Time
	sweepAt int // size at which ended entries are looked for, so that the search is amortised
}

var _ Denylist = (*MemoryDenylist)(nil)

const minDenylistSweep = 1024

// NewMemoryDenylist checks the configuration and returns an empty list. Errors are *ConfigError.
func NewMemoryDenylist(cfg MemoryDenylistConfig) (*MemoryDenylist, error) {
	d := &MemoryDenylist{
		max: cmp.Or(cfg.MaxEntries, 1_000_000), now: cfg.Now,
		entries: map[string]time.Time{}, sweepAt: minDenylistSweep,
	}
	if d.max < 0 {
		return nil, &ConfigError{Field: "MaxEntries", Value: cfg.MaxEntries, Reason: "is negative"}
	}
	if d.now == nil {
		d.now = time.Now
	}
	return d, nil
}

// Deny implements [Denylist].
func (d *MemoryDenylist) Deny(ctx context.Context, until time.Time, ids ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.entries)+len(ids) > min(d.sweepAt, d.max) {
		for id, end := range d.entries {
			if !now.Before(end) {
				delete(d.entries, id)
			}
		}
		d.sweepAt = max(minDenylistSweep, 2*len(d.entries))
	}
	added := 0
	for _, id := range ids {
		if _, ok := d.entries[id]; !ok {
			added++
		}
	}
	if len(d.entries)+added > d.max {
		return ErrDenylistFull
	}
	for _, id := range ids {
		if until.After(d.entries[id]) {
			d.entries[id] = until
		}
	}
	return nil
}

// Denied implements [Denylist].
func (d *MemoryDenylist) Denied(ctx context.Context, ids ...string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if len(d.entries) == 0 {
		return false, nil
	}
	now := d.now()
	for _, id := range ids {
		if end, ok := d.entries[id]; ok && now.Before(end) {
			return true, nil
		}
	}
	return false, nil
}

// Len returns the number of entries held, ended ones that were not dropped yet included.
func (d *MemoryDenylist) Len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.entries)
}
