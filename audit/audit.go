package audit

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/groundwork-go/groundwork/internal/uuid7"
)

// Logger completes, redacts, cleans and limits events before it hands them to a [Sink]. Nothing
// that the caller holds is shared with the sink. It is safe for concurrent use; a zero Logger is
// invalid.
type Logger struct {
	sink     Sink
	redactor *Redactor
	policy   func(Event) Level
	timeout  time.Duration
	failOpen bool
	onError  func(ctx context.Context, e Event, err error)
	limits   Limits
	now      func() time.Time
}

// Config describes a [Logger].
type Config struct {
	// Sink takes the events of Log and Change. Required.
	Sink Sink
	// Redactor masks secrets. Default: NewRedactor with its default names.
	Redactor *Redactor
	// Policy says how much of an event is kept. It gets the completed event. A Critical event
	// keeps at least LevelMetadata. Default: LevelFull for all.
	Policy func(Event) Level
	// Timeout bounds a write of Log and Change. They go on after the caller's context has ended:
	// a client that hangs up must not suppress its own entry. Default 10 seconds.
	Timeout time.Duration
	// FailOpen makes Log and Change return nil when the sink fails, except for Critical events;
	// OnError hears of it. Default: the error is returned. LogTo and ChangeTo always return it.
	FailOpen bool
	// OnError hears of each event that could not be written or had to be reduced. Default: silent.
	OnError func(ctx context.Context, e Event, err error)
	// Limits bounds the size of events.
	Limits Limits
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Level is how much of an event is kept.
type Level int

// The levels.
const (
	LevelFull     Level = iota // everything
	LevelMetadata              // no Changes, no Data
	LevelNone                  // nothing is written
)

// New returns a Logger. The error joins a [*ConfigError] for each fault.
func New(cfg Config) (*Logger, error) {
	var faults []error
	fault := func(field string, value any, reason string) {
		faults = append(faults, &ConfigError{Field: field, Value: value, Reason: reason})
	}
	if cfg.Sink == nil {
		fault("Sink", nil, "is required")
	}
	if cfg.Timeout < 0 {
		fault("Timeout", cfg.Timeout, "must not be negative")
	}
	cfg.Limits.check(fault)
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	l := &Logger{
		sink: cfg.Sink, redactor: cfg.Redactor, policy: cfg.Policy, timeout: cfg.Timeout,
		failOpen: cfg.FailOpen, onError: cfg.OnError, limits: cfg.Limits.withDefaults(), now: cfg.Now,
	}
	if l.redactor == nil {
		l.redactor = defaultRedactor()
	}
	if l.timeout == 0 {
		l.timeout = 10 * time.Second
	}
	if l.policy == nil {
		l.policy = func(Event) Level { return LevelFull }
	}
	if l.onError == nil {
		l.onError = func(context.Context, Event, error) {}
	}
	if l.now == nil {
		l.now = time.Now
	}
	return l, nil
}

// Log writes events to the Logger's sink in one call. With an [Async] sink a nil error means
// accepted, otherwise stored. It works on for up to Config.Timeout after ctx has ended.
func (l *Logger) Log(ctx context.Context, events ...Event) error {
	ready, err := l.prepareAll(ctx, events)
	if err != nil {
		return err
	}
	return l.send(ctx, ready)
}

// LogTo writes events to another sink under the caller's context, in one call: to a sink on the
// transaction of the change that they describe, or to the Durable side of an [Async]. Its error
// is always returned, so that the change is not committed without its entry.
func (l *Logger) LogTo(ctx context.Context, sink Sink, events ...Event) error {
	ready, err := l.prepareAll(ctx, events)
	if err != nil {
		return err
	}
	return l.sendTo(ctx, sink, ready)
}

// Change logs e with the difference between before and after as its Changes; nothing is logged
// when there is none. Nil stands for "not there": a creation has a nil before, a deletion a nil
// after, and each field of the other side is one change. Fields with the struct tag
// `audit:"redact"` are masked like those that the Redactor knows by name.
func (l *Logger) Change(ctx context.Context, e Event, before, after any) error {
	ready, err := l.changed(ctx, e, before, after)
	if err != nil {
		return err
	}
	return l.send(ctx, ready)
}

// ChangeTo is [Logger.Change] with the sink and the rules of [Logger.LogTo].
func (l *Logger) ChangeTo(ctx context.Context, sink Sink, e Event, before, after any) error {
	ready, err := l.changed(ctx, e, before, after)
	if err != nil {
		return err
	}
	return l.sendTo(ctx, sink, ready)
}

// Prepare returns e as Log would hand it to a sink, for code that talks to sinks itself. The
// policy is not asked.
func (l *Logger) Prepare(ctx context.Context, e Event) (Event, error) {
	return l.prepare(ctx, e, nil)
}

func (l *Logger) prepareAll(ctx context.Context, events []Event) ([]Event, error) {
	ready := make([]Event, 0, len(events))
	for _, e := range events {
		p, err := l.prepare(ctx, e, nil)
		if err != nil {
			return nil, err
		}
		if p, keep := l.applyPolicy(p); keep {
			ready = append(ready, p)
		}
	}
	return ready, nil
}

func (l *Logger) changed(ctx context.Context, e Event, before, after any) ([]Event, error) {
	d, err := l.redactor.diff(before, after)
	if err != nil {
		var panicked *PanicError
		if !errors.As(err, &panicked) || panicked.In != "redactor" {
			return nil, err
		}
		// The fields are unknown, the fact is not: an entry without fields is better than none.
		l.onError(ctx, e, err)
		e.Changes, e.Truncated = nil, true
	} else if len(d.changes) == 0 {
		return nil, nil
	}
	p, err := l.prepare(ctx, e, d)
	if err != nil {
		return nil, err
	}
	if p, keep := l.applyPolicy(p); keep {
		return []Event{p}, nil
	}
	return nil, nil
}

func (l *Logger) send(ctx context.Context, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
	defer cancel()
	err := l.sendTo(detached, l.sink, events)
	if err != nil && l.failOpen && !hasCritical(events) {
		return nil
	}
	return err
}

func (l *Logger) sendTo(ctx context.Context, sink Sink, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	err := write(ctx, sink, events)
	if err == nil {
		return nil
	}
	for _, e := range events {
		l.onError(ctx, e, err)
	}
	return fmt.Errorf("audit: write: %w", err)
}

func hasCritical(events []Event) bool {
	for i := range events {
		if events[i].Class == Critical {
			return true
		}
	}
	return false
}

func (l *Logger) applyPolicy(e Event) (Event, bool) {
	level := l.policy(e)
	if level == LevelNone && e.Class == Critical {
		level = LevelMetadata
	}
	if level == LevelMetadata {
		e.Changes, e.Data = nil, nil
	}
	return e, level != LevelNone
}

// prepare completes e. Changes come from d when it is given, and from the event otherwise.
func (l *Logger) prepare(ctx context.Context, e Event, d *difference) (Event, error) {
	if err := l.complete(ctx, &e); err != nil {
		return Event{}, err
	}
	changes, data := e.Changes, e.Data
	if d != nil {
		changes = d.changes
	}
	e.Changes, e.Data = nil, nil
	if err := l.redact(&e, changes, data, d); err != nil {
		l.onError(ctx, e, err)
		e.Changes, e.Data, e.Truncated = nil, nil, true
		e.Request.Path = pathOnly(e.Request.Path)
	}
	l.limits.apply(&e)
	if e.Action == "" || e.ID == "" {
		return Event{}, fmt.Errorf("%w: no action or no id", ErrInvalidEvent)
	}
	return e, nil
}

func (l *Logger) complete(ctx context.Context, e *Event) error {
	now := l.now()
	if e.ID == "" {
		e.ID = uuid7.New(now)
	}
	if e.At.IsZero() {
		e.At = now
	}
	e.At = e.At.UTC().Truncate(time.Microsecond)
	if e.Actor == (Actor{}) {
		e.Actor, _ = ActorFrom(ctx)
	}
	if e.Actor.Type == "" {
		e.Actor.Type = ActorAnonymous
		if e.Actor.ID != "" {
			e.Actor.Type = ActorUser
		}
	}
	if e.Request == (Request{}) {
		e.Request, _ = RequestOf(ctx)
	}
	if e.Tenant == "" {
		e.Tenant = e.Actor.Tenant
	}
	if e.Outcome == "" {
		e.Outcome = Success
	}
	if e.Class == "" {
		e.Class = Normal
	}
	switch {
	case e.At.IsZero() || e.At.Year() < 1 || e.At.Year() > 9999:
		return fmt.Errorf("%w: time", ErrInvalidEvent)
	case e.Outcome != Success && e.Outcome != Failure && e.Outcome != Denied:
		return fmt.Errorf("%w: outcome", ErrInvalidEvent)
	case e.Class != Normal && e.Class != Critical:
		return fmt.Errorf("%w: class", ErrInvalidEvent)
	}
	return nil
}

// redact fills the masked changes and data into e. A panic of the caller's own code (a Match
// function, a MarshalJSON method) is an error.
func (l *Logger) redact(e *Event, changes []Change, data map[string]any, d *difference) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{In: "redactor", Value: v, Stack: debug.Stack()}
		}
	}()
	e.Request.Path = l.redactor.path(e.Request.Path)
	e.Changes = l.redactor.mask(changes, d, l.limits, &e.Truncated)
	e.Data = l.redactor.data(data, l.limits, &e.Truncated)
	return nil
}
