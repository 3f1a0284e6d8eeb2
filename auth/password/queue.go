package password

import (
	"context"
	"sync"
)

// queue lets callers in as long as the weights of those inside fit the budget, in the order of
// their arrival.
type queue struct {
	mu         sync.Mutex
	budget     int64
	maxWaiting int
	used       int64
	peak       int64
	waiting    []*waiter
}

type waiter struct {
	weight int64
	turn   chan struct{} // closed when the waiter is let in
}

func newQueue(budget int64, maxWaiting int) *queue {
	return &queue{budget: budget, maxWaiting: maxWaiting}
}

// enter waits for a turn. Something heavier than the whole budget goes in alone.
func (q *queue) enter(ctx context.Context, weight int64) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	weight = min(weight, q.budget)
	q.mu.Lock()
	if len(q.waiting) == 0 && q.used+weight <= q.budget {
		q.take(weight)
		q.mu.Unlock()
		return func() { q.leave(weight) }, nil
	}
	if len(q.waiting) >= q.maxWaiting {
		q.mu.Unlock()
		return nil, ErrBusy
	}
	w := &waiter{weight: weight, turn: make(chan struct{})}
	q.waiting = append(q.waiting, w)
	q.mu.Unlock()

	select {
	case <-w.turn:
		if err := ctx.Err(); err != nil { // both were ready
			q.leave(weight)
			return nil, err
		}
		return func() { q.leave(weight) }, nil
	case <-ctx.Done():
		q.withdraw(w)
		return nil, ctx.Err()
	}
}

func (q *queue) take(weight int64) {
	q.used += weight
	q.peak = max(q.peak, q.used)
}

func (q *queue) leave(weight int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.used -= weight
	q.admit()
}

// admit lets in who is first as long as there is room. A heavy waiter at the front is not overtaken,
// so it cannot starve.
func (q *queue) admit() {
	for len(q.waiting) > 0 && q.used+q.waiting[0].weight <= q.budget {
		w := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.take(w.weight)
		close(w.turn)
	}
}

func (q *queue) withdraw(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, other := range q.waiting {
		if other == w {
			q.waiting = append(q.waiting[:i:i], q.waiting[i+1:]...)
			q.admit() // those behind a heavy waiter may fit now
			return
		}
	}
	q.used -= w.weight // it was let in at the same moment
	q.admit()
}

func (q *queue) stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return Stats{Waiting: len(q.waiting), Memory: q.used, PeakMemory: q.peak}
}
