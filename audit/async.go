package audit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Async is a [Sink] that takes events into a bounded buffer and writes them to another sink in
// batches, in order. A failed batch is repeated until it is stored or Close gives up, so the
// other sink must recognise repetitions by id, as a [Sink] does. No event is lost in silence.
//
// An Async has a goroutine only while it holds events. It is safe for concurrent use.
type Async struct {
	cfg AsyncConfig

	mu       sync.Mutex
	queue    []queued
	pending  int // in queue and in the batch under way
	working  bool
	closed   bool
	stopped  bool
	accepted int64 // also the number of the last event that was taken
	settled  int64 // events before this number are written or given up
	stats    AsyncStats
	changed  chan struct{} // closed and replaced whenever pending shrinks
	stop     chan struct{} // closed when Close gives up
}

var _ Sink = (*Async)(nil)

// AsyncConfig describes an [Async].
type AsyncConfig struct {
	// Sink is where batches go. Required.
	Sink Sink
	// Buffer is the number of events that may wait. Default 4,096.
	Buffer int
	// Batch is the largest number of events in one write. Default 256, at most Buffer.
	Batch int
	// OnFull says what happens to an event that finds the buffer full. Default FullBlock.
	OnFull Full
	// Timeout bounds one write. Default 30 seconds.
	Timeout time.Duration
	// RetryBase and RetryCap bound the pause after a failed write, which doubles each time and is
	// shortened at random by up to a half. Defaults 50 milliseconds and 10 seconds.
	RetryBase, RetryCap time.Duration
	// OnError hears of every failed write, of rejected and of dropped events. It is called without
	// locks and must return soon; a panic in it is swallowed. Default: silent.
	OnError func(events []Event, err error)
}

// Full is what happens to an event that finds the buffer full. A Critical event is then written
// straight to the sink by its caller, whatever the policy.
type Full int

// The policies.
const (
	FullBlock Full = iota // wait for room until the caller's context ends
	FullError             // return ErrFull at once
	FullDrop              // drop it, count it, return nil
)

// AsyncStats are counts of events since the start.
type AsyncStats struct {
	Accepted int64 // taken into the buffer
	Written  int64 // stored by the sink
	Direct   int64 // critical events that went past a full buffer
	Rejected int64 // refused by the sink for good
	Dropped  int64 // under FullDrop
	Pending  int64 // in the buffer now
	Retries  int64 // writes, not events
}

type queued struct {
	event Event
	wait  *waiter
}

// waiter is one call of LogWait. It is guarded by Async.mu until done is closed.
type waiter struct {
	left int
	err  error
	done chan struct{}
}

// NewAsync returns an Async. The error joins a [*ConfigError] for each fault.
func NewAsync(cfg AsyncConfig) (*Async, error) {
	var faults []error
	fault := func(field string, value any, reason string) {
		faults = append(faults, &ConfigError{Field: field, Value: value, Reason: reason})
	}
	if cfg.Sink == nil {
		fault("Sink", nil, "is required")
	}
	if cfg.Buffer == 0 {
		cfg.Buffer = 4096
	}
	if cfg.Batch == 0 {
		cfg.Batch = min(256, cfg.Buffer)
	}
	if cfg.Buffer < 0 {
		fault("Buffer", cfg.Buffer, "must not be negative")
	}
	if cfg.Batch < 0 || cfg.Batch > cfg.Buffer {
		fault("Batch", cfg.Batch, "must be between 1 and Buffer")
	}
	if cfg.OnFull < FullBlock || cfg.OnFull > FullDrop {
		fault("OnFull", int(cfg.OnFull), "is unknown")
	}
	for _, d := range []struct {
		field    string
		value    *time.Duration
		fallback time.Duration
	}{
		{"Timeout", &cfg.Timeout, 30 * time.Second},
		{"RetryBase", &cfg.RetryBase, 50 * time.Millisecond},
		{"RetryCap", &cfg.RetryCap, 10 * time.Second},
	} {
		if *d.value < 0 {
			fault(d.field, *d.value, "must not be negative")
		}
		if *d.value == 0 {
			*d.value = d.fallback
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	if cfg.OnError == nil {
		cfg.OnError = func([]Event, error) {}
	}
	return &Async{cfg: cfg, changed: make(chan struct{}), stop: make(chan struct{})}, nil
}

// Write implements [Sink]: nil means that all events are in the buffer, which a crash of the
// process loses. With room in the buffer it succeeds even if ctx has ended. A batch larger than
// the buffer is taken when the buffer is empty. Its errors are those of ctx, [ErrFull],
// [ErrClosed], and that of the sink for critical events that found no room.
func (a *Async) Write(ctx context.Context, events []Event) error {
	return a.put(ctx, events, nil)
}

// LogWait hands events to the buffer and returns when they are stored; callers that wait at the
// same time share a write. After an error of ctx the events may still be stored later. The events
// must be complete: take them from [Logger.Prepare], or use [Async.Durable] with [Logger.LogTo].
func (a *Async) LogWait(ctx context.Context, events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	w := &waiter{left: len(events), done: make(chan struct{})}
	if err := a.put(ctx, events, w); err != nil {
		return err
	}
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return fmt.Errorf("audit: wait for the write: %w", ctx.Err())
	case <-a.stop:
	}
	select {
	case <-w.done: // settled in the same moment
		return w.err
	default:
		return fmt.Errorf("audit: wait for the write: %w", ErrClosed)
	}
}

// Durable returns the side of a whose Write waits like [Async.LogWait].
func (a *Async) Durable() Sink {
	return SinkFunc(func(ctx context.Context, events []Event) error { return a.LogWait(ctx, events...) })
}

func (a *Async) put(ctx context.Context, events []Event, w *waiter) error {
	for i := range events {
		if events[i].ID == "" || events[i].At.IsZero() {
			return fmt.Errorf("%w: %w: not prepared", ErrRejected, ErrInvalidEvent)
		}
	}
	if len(events) == 0 {
		return nil
	}
	for {
		a.mu.Lock()
		if a.closed {
			a.mu.Unlock()
			return ErrClosed
		}
		if a.pending == 0 || a.pending+len(events) <= a.cfg.Buffer {
			a.accept(events, w)
			a.mu.Unlock()
			return nil
		}
		changed := a.changed
		a.mu.Unlock()
		if hasCritical(events) {
			return a.direct(ctx, events, w)
		}
		switch a.cfg.OnFull {
		case FullError:
			return ErrFull
		case FullDrop:
			a.drop(events, w)
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("audit: buffer full: %w", ctx.Err())
		}
	}
}

// accept takes events into the queue. The caller holds a.mu.
func (a *Async) accept(events []Event, w *waiter) {
	for _, e := range events {
		a.queue = append(a.queue, queued{e, w})
	}
	a.pending += len(events)
	a.accepted += int64(len(events))
	a.stats.Accepted += int64(len(events))
	if !a.working {
		a.working = true
		go a.work()
	}
}

func (a *Async) drop(events []Event, w *waiter) {
	a.mu.Lock()
	a.stats.Dropped += int64(len(events))
	if w != nil {
		w.err = ErrFull
		close(w.done)
	}
	a.mu.Unlock()
	a.report(events, ErrFull)
}

// report calls OnError. A panic in it must not end the worker that everybody waits for.
func (a *Async) report(events []Event, err error) {
	defer func() { _ = recover() }()
	a.cfg.OnError(events, err)
}

func (a *Async) direct(ctx context.Context, events []Event, w *waiter) error {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Timeout)
	defer cancel()
	err := write(ctx, a.cfg.Sink, events)
	if err != nil {
		a.report(events, err)
		return fmt.Errorf("audit: buffer full: write: %w", err)
	}
	a.mu.Lock()
	a.stats.Direct += int64(len(events))
	a.mu.Unlock()
	if w != nil {
		close(w.done)
	}
	return nil
}

// work writes batches until the queue is empty or Close gives up.
func (a *Async) work() {
	for {
		a.mu.Lock()
		if len(a.queue) == 0 || a.stopped {
			a.working = false
			a.queue = append([]queued(nil), a.queue...) // lets go of the memory of a burst
			a.mu.Unlock()
			return
		}
		n := min(len(a.queue), a.cfg.Batch)
		batch := a.queue[:n:n]
		a.queue = a.queue[n:]
		a.mu.Unlock()
		a.deliver(batch)
	}
}

// deliver writes a batch until it is stored, rejected or Close gives up.
func (a *Async) deliver(batch []queued) {
	events := make([]Event, len(batch))
	for i, q := range batch {
		events[i] = q.event
	}
	pause := a.cfg.RetryBase
	for {
		select {
		case <-a.stop:
			return
		default:
		}
		err := a.attempt(events)
		if err == nil {
			a.settle(batch, nil)
			return
		}
		a.report(events, err)
		if errors.Is(err, ErrRejected) {
			if len(batch) == 1 {
				a.settle(batch, err)
				return
			}
			for i := range batch { // one bad event must not take the others along
				a.deliver(batch[i : i+1])
			}
			return
		}
		// Spreads the retries of several processes; nothing depends on the numbers.
		timer := time.NewTimer(pause - time.Duration(rand.Int64N(int64(pause)/2+1)))
		select {
		case <-timer.C:
		case <-a.stop:
			timer.Stop()
			return
		}
		pause = min(pause*2, a.cfg.RetryCap)
		a.mu.Lock()
		a.stats.Retries++
		a.mu.Unlock()
	}
}

func (a *Async) attempt(events []Event) error {
	ctx, cancel := context.WithTimeout(context.Background(), a.cfg.Timeout)
	defer cancel()
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-a.stop:
			cancel()
		case <-done:
		}
	}()
	return write(ctx, a.cfg.Sink, events)
}

// settle books a batch as written (err is nil) or rejected and wakes who waits for it.
func (a *Async) settle(batch []queued, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := int64(len(batch))
	if err == nil {
		a.stats.Written += n
	} else {
		a.stats.Rejected += n
	}
	a.settled += n
	a.pending -= len(batch)
	for _, q := range batch {
		if q.wait == nil {
			continue
		}
		q.wait.left--
		if err != nil {
			q.wait.err = err
		}
		if q.wait.left == 0 {
			close(q.wait.done)
		}
	}
	close(a.changed)
	a.changed = make(chan struct{})
}
