package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Multi is a [Sink] that writes to several targets at once and waits for each of them no longer
// than its timeout, so that one that hangs delays nobody for good. It is safe for concurrent use.
type Multi struct {
	targets []target
	onError func(name string, events []Event, err error)
	strict  bool // some target is not best effort
}

var _ Sink = (*Multi)(nil)

// MultiConfig describes a [Multi].
type MultiConfig struct {
	// Targets are written in parallel. At least one, with different names.
	Targets []Target
	// OnError hears of every target that failed. It is called by the goroutine of Write; the
	// events must not be changed. Default: silent.
	OnError func(name string, events []Event, err error)
}

// Target is one sink of a [Multi].
type Target struct {
	// Name appears in errors. Required.
	Name string
	// Sink is where events go. Required.
	Sink Sink
	// BestEffort means that a failure of this target alone does not fail the write. When all
	// targets are best effort, at least one must succeed.
	BestEffort bool
	// Timeout bounds one write, even of a sink that ignores its context. Default 5 seconds.
	Timeout time.Duration
}

type target struct {
	Target
	slots chan struct{}
}

// maxHanging is the number of unanswered writes after which a target fails at once.
const maxHanging = 64

// NewMulti returns a Multi. The error joins a [*ConfigError] for each fault.
func NewMulti(cfg MultiConfig) (*Multi, error) {
	var faults []error
	fault := func(field string, value any, reason string) {
		faults = append(faults, &ConfigError{Field: field, Value: value, Reason: reason})
	}
	if len(cfg.Targets) == 0 {
		fault("Targets", nil, "is required")
	}
	m := &Multi{onError: cfg.OnError}
	names := map[string]bool{}
	for i, t := range cfg.Targets {
		field := fmt.Sprintf("Targets[%d]", i)
		if t.Name == "" || names[t.Name] {
			fault(field+".Name", t.Name, "must be set and used once")
		}
		if t.Sink == nil {
			fault(field+".Sink", nil, "is required")
		}
		if t.Timeout < 0 {
			fault(field+".Timeout", t.Timeout, "must not be negative")
		}
		if t.Timeout == 0 {
			t.Timeout = 5 * time.Second
		}
		names[t.Name] = true
		m.strict = m.strict || !t.BestEffort
		m.targets = append(m.targets, target{Target: t, slots: make(chan struct{}, maxHanging)})
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	if m.onError == nil {
		m.onError = func(string, []Event, error) {}
	}
	return m, nil
}

// Write implements [Sink]. The error joins those of the targets that are not best effort; it
// wraps [ErrRejected] only if each of them does. A target that failed may have stored the events
// while others have not: a repetition fills the gap.
func (m *Multi) Write(ctx context.Context, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	results := make([]chan error, len(m.targets))
	for i := range m.targets {
		results[i] = make(chan error, 1)
		go func() { results[i] <- m.targets[i].write(ctx, events) }()
	}
	var required, all []error
	for i, result := range results {
		err := <-result
		if err == nil {
			continue
		}
		err = fmt.Errorf("audit: target %s: %w", m.targets[i].Name, err)
		m.onError(m.targets[i].Name, events, err)
		all = append(all, err)
		if !m.targets[i].BestEffort {
			required = append(required, err)
		}
	}
	if m.strict {
		return joinErrors(required)
	}
	if len(all) == len(m.targets) {
		return joinErrors(all)
	}
	return nil
}

// joinErrors joins errors without letting one rejection make the whole final: the other targets
// may take the events on another try.
func joinErrors(errs []error) error {
	rejected := func(err error) bool { return errors.Is(err, ErrRejected) }
	final := !slices.ContainsFunc(errs, func(err error) bool { return !rejected(err) })
	for i, err := range errs {
		if !final && rejected(err) {
			errs[i] = errors.New(err.Error())
		}
	}
	return errors.Join(errs...)
}

// write returns when the sink does or its time is over. A sink that ignores its context keeps
// its goroutine and one slot until it comes back.
func (t *target) write(ctx context.Context, events []Event) error {
	select {
	case t.slots <- struct{}{}:
	default:
		return ErrBusy
	}
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() { <-t.slots }()
		done <- write(ctx, t.Sink, events)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		select {
		case err := <-done: // it made it in the same moment
			return err
		default:
			return ctx.Err()
		}
	}
}
