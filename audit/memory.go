package audit

import (
	"context"
	"fmt"
	"sync"
)

// Memory is a [Sink] that keeps events in memory, for tests and small tools. The zero value is
// ready to use and keeps everything. It is safe for concurrent use.
type Memory struct {
	mu     sync.Mutex
	limit  int
	events []Event
	ids    map[string]bool
	grown  chan struct{} // closed when events are added
}

var _ Sink = (*Memory)(nil)

// NewMemory returns a Memory that keeps the latest limit events; 0 or less means all.
func NewMemory(limit int) *Memory { return &Memory{limit: limit} }

// Write implements [Sink].
func (m *Memory) Write(_ context.Context, events []Event) error {
	for i := range events {
		if events[i].ID == "" {
			return fmt.Errorf("%w: %w: no id", ErrRejected, ErrInvalidEvent)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ids == nil {
		m.ids = map[string]bool{}
	}
	for _, e := range events {
		if m.ids[e.ID] {
			continue
		}
		m.ids[e.ID] = true
		m.events = append(m.events, e.Clone())
	}
	if m.limit > 0 && len(m.events) > m.limit {
		for _, e := range m.events[:len(m.events)-m.limit] {
			delete(m.ids, e.ID)
		}
		m.events = append([]Event(nil), m.events[len(m.events)-m.limit:]...)
	}
	if m.grown != nil {
		close(m.grown)
		m.grown = nil
	}
	return nil
}

// Events returns copies of the events in the order they were written.
func (m *Memory) Events() []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]Event, len(m.events))
	for i, e := range m.events {
		list[i] = e.Clone()
	}
	return list
}

// Wait returns as soon as at least n events are kept, or the error of ctx.
func (m *Memory) Wait(ctx context.Context, n int) error {
	for {
		m.mu.Lock()
		if len(m.events) >= n {
			m.mu.Unlock()
			return nil
		}
		if m.grown == nil {
			m.grown = make(chan struct{})
		}
		grown := m.grown
		m.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
