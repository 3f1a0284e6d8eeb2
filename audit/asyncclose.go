package audit

import (
	"context"
	"fmt"
)

// Flush returns when all events that were accepted before the call are written or rejected, or
// the error of ctx.
func (a *Async) Flush(ctx context.Context) error {
	a.mu.Lock()
	until := a.accepted
	a.mu.Unlock()
	return a.waitFor(ctx, until)
}

// waitFor waits until so many events are settled. Batches settle in order, so it is the first ones.
func (a *Async) waitFor(ctx context.Context, until int64) error {
	for {
		a.mu.Lock()
		done, changed := a.settled >= until, a.changed
		a.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-a.stop:
			return ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("audit: flush: %w", ctx.Err())
		}
	}
}

// Close refuses new events, waits until the buffer is written and then returns. When ctx ends
// first it cancels the write under way and gives up. The error is nil if every event that was
// ever handed over is stored, and a [*LostError] with the exact counts otherwise. Calls after the
// first wait and answer in the same way.
func (a *Async) Close(ctx context.Context) error {
	a.mu.Lock()
	a.closed = true
	until := a.accepted
	close(a.changed) // callers that wait for room learn that there will be none
	a.changed = make(chan struct{})
	a.mu.Unlock()

	_ = a.waitFor(ctx, until) // the counts say more than its error

	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.stopped {
		a.stopped = true
		close(a.stop)
	}
	lost := &LostError{Pending: int64(a.pending), Rejected: a.stats.Rejected, Dropped: a.stats.Dropped}
	if lost.Events() > 0 {
		return lost
	}
	return nil
}

// Stats returns the counts.
func (a *Async) Stats() AsyncStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.stats
	s.Pending = int64(a.pending)
	return s
}
