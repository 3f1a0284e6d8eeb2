package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"

	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
)

// WorkerConfig says how the jobs of one kind are run.
type WorkerConfig struct {
	// MaxAttempts counts the first run too. Default 3.
	MaxAttempts int
	// Timeout ends the context of a run. Default 1 minute, at most 10 minutes.
	Timeout time.Duration
	// Base and Cap shape the wait before attempt n+1: random between 0 and min(Cap, Base*2^(n-1)).
	// Defaults 5 seconds and 10 minutes.
	Base, Cap time.Duration
	// Every runs the job with zero arguments again and again, at multiples of Every since midnight
	// UTC plus Offset: 24h and 2h mean daily at 02:00 UTC. Zero means never. Every is at least a
	// second and divides a day.
	Every, Offset time.Duration
	// RunOnStart runs a periodic job also when this process takes over the schedule, unless it ran
	// in the current period already.
	RunOnStart bool
}

const (
	defaultAttempts = 3
	defaultTimeout  = time.Minute
	maxTimeout      = 10 * time.Minute
	defaultBase     = 5 * time.Second
	defaultCap      = 10 * time.Minute
	day             = 24 * time.Hour
)

// Registry collects workers before a [Runner] is made of it. It is not safe for concurrent use.
type Registry struct {
	workers  *river.Workers
	periodic []*river.PeriodicJob
	entries  map[string]entry
	faults   []error
	timeout  time.Duration
}

type entry struct {
	cfg WorkerConfig
	run func(ctx context.Context, args Args) error
}

// NewRegistry returns an empty Registry.
func NewRegistry() *Registry {
	return &Registry{workers: river.NewWorkers(), entries: map[string]entry{}}
}

// Register adds the worker of one kind. Mistakes in cfg and a kind that is registered twice are
// reported by [New]. The context of run ends at the timeout and when the server stops the hard way.
func Register[T Args](reg *Registry, cfg WorkerConfig, run func(ctx context.Context, args T) error) {
	var zero T
	kind := zero.Kind()
	cfg = cfg.withDefaults()
	reg.faults = append(reg.faults, cfg.check(kind)...)
	if _, ok := reg.entries[kind]; ok {
		reg.faults = append(reg.faults, &ConfigError{Field: "Kind", Value: kind, Reason: "is registered twice"})
		return
	}
	reg.entries[kind] = entry{cfg: cfg, run: func(ctx context.Context, args Args) error {
		typed, ok := args.(T)
		if !ok {
			return fmt.Errorf("jobs: %s: arguments are %T", kind, args)
		}
		return run(ctx, typed)
	}}
	reg.timeout = max(reg.timeout, cfg.Timeout)
	if err := river.AddWorkerSafely(reg.workers, &worker[T]{cfg: cfg, run: run}); err != nil {
		reg.faults = append(reg.faults, &ConfigError{Field: "Kind", Value: kind, Reason: err.Error()})
		return
	}
	if cfg.Every > 0 {
		reg.periodic = append(reg.periodic, river.NewPeriodicJob(schedule{cfg.Every, cfg.Offset},
			func() (river.JobArgs, *river.InsertOpts) {
				return zero, &river.InsertOpts{
					MaxAttempts: cfg.MaxAttempts,
					UniqueOpts:  river.UniqueOpts{ByPeriod: cfg.Every},
				}
			}, &river.PeriodicJobOpts{ID: kind, RunOnStart: cfg.RunOnStart}))
	}
}

func (c WorkerConfig) withDefaults() WorkerConfig {
	if c.MaxAttempts == 0 {
		c.MaxAttempts = defaultAttempts
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Base == 0 {
		c.Base = defaultBase
	}
	if c.Cap == 0 {
		c.Cap = defaultCap
	}
	return c
}

func (c WorkerConfig) check(kind string) []error {
	var faults []error
	fault := func(field string, value any, reason string) {
		faults = append(faults, &ConfigError{Field: kind + "." + field, Value: fmt.Sprint(value), Reason: reason})
	}
	if len(kind) < 2 {
		fault("Kind", kind, "needs at least two characters")
	}
	if c.MaxAttempts < 1 || c.MaxAttempts > 25 {
		fault("MaxAttempts", c.MaxAttempts, "must be 1 to 25")
	}
	if c.Timeout < 0 || c.Timeout > maxTimeout {
		fault("Timeout", c.Timeout, "must be at most "+maxTimeout.String())
	}
	if c.Base < 0 || c.Cap < c.Base {
		fault("Cap", c.Cap, "must not be below Base")
	}
	if c.Every < 0 || (c.Every > 0 && (c.Every < time.Second || day%c.Every != 0)) {
		fault("Every", c.Every, "must be at least a second and divide a day")
	}
	if c.Offset < 0 || (c.Offset > 0 && c.Offset >= c.Every) {
		fault("Offset", c.Offset, "must be below Every")
	}
	return faults
}

// wait returns the random wait after a failed attempt. Drawing from the whole range (full jitter)
// keeps jobs that failed together from coming back together.
func (c WorkerConfig) wait(attempt int) time.Duration {
	limit := c.Base
	for range attempt - 1 {
		if limit >= c.Cap {
			break
		}
		limit *= 2
	}
	limit = min(limit, c.Cap)
	if limit <= 0 {
		return 0
	}
	// The wait protects no secret, so the fast generator is enough.
	return rand.N(limit + 1)
}

// worker adapts a function to river.
type worker[T Args] struct {
	river.WorkerDefaults[T]
	cfg WorkerConfig
	run func(ctx context.Context, args T) error
}

func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error {
	return w.run(trail.WithSystem(WithAttempt(ctx, attemptOf(job.JobRow)), job.Kind), job.Args)
}

func (w *worker[T]) Timeout(*river.Job[T]) time.Duration { return w.cfg.Timeout }

func (w *worker[T]) NextRetry(job *river.Job[T]) time.Time {
	return time.Now().Add(w.cfg.wait(job.Attempt))
}

// schedule is a fixed grid of times in UTC.
type schedule struct{ every, offset time.Duration }

// Next returns the first grid time after current.
func (s schedule) Next(current time.Time) time.Time {
	midnight := current.UTC().Truncate(day)
	next := midnight.Add(s.offset)
	if elapsed := current.Sub(next); elapsed >= 0 {
		next = next.Add((elapsed/s.every + 1) * s.every)
	}
	return next
}

// ConfigError is one fault of a Config or WorkerConfig.
type ConfigError struct {
	// Field is the setting.
	Field string
	// Value is what it was.
	Value string
	// Reason says what is wrong with it.
	Reason string
}

// Error implements error.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("jobs: %s %q: %s", e.Field, e.Value, e.Reason)
}

func (r *Registry) check() error { return errors.Join(r.faults...) }
