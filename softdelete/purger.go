package softdelete

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Purgeable is what a [Purger] works on: every [Repository] is one. One with a tenant column is
// handed over as AllTenants.
type Purgeable interface {
	Table() string
	PurgeExpired(ctx context.Context, o PurgeOptions) (PurgeResult, error)
}

// Purger purges several tables again and again. It is immutable and safe for concurrent use;
// several replicas may run one at the same time.
type Purger struct{ cfg PurgerConfig }

// PurgerConfig says what a [Purger] does.
type PurgerConfig struct {
	// Targets are purged one after the other in this order: children before their parents, where
	// the parents do not list them. Required.
	Targets []Purgeable
	// Every is the time between the end of one pass and the begin of the next. Default 24 hours.
	Every time.Duration
	// Options apply to each target.
	Options PurgeOptions
	// OnPass is told how each target of each pass went, with the result up to the error if there
	// was one.
	OnPass func(ctx context.Context, table string, res PurgeResult, err error)
	// Logger gets the errors. Default: none.
	Logger *slog.Logger
	// Sleep waits between passes. Default: a timer that ends with ctx.
	Sleep func(ctx context.Context, d time.Duration) error
}

// NewPurger checks cfg and returns its Purger. It starts nothing: [Purger.Run] does.
func NewPurger(cfg PurgerConfig) (*Purger, error) {
	var errs []error
	if len(cfg.Targets) == 0 {
		errs = append(errs, &ConfigError{Field: "Targets", Reason: "is required"})
	}
	for i, target := range cfg.Targets {
		if target == nil {
			errs = append(errs, &ConfigError{Field: fmt.Sprintf("Targets[%d]", i), Reason: "is nil"})
		}
	}
	if cfg.Every < 0 {
		errs = append(errs, &ConfigError{Field: "Every", Value: cfg.Every, Reason: "must not be negative"})
	}
	if err := cfg.Options.check(); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if cfg.Every == 0 {
		cfg.Every = 24 * time.Hour
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	cfg.Targets = slices.Clone(cfg.Targets)
	return &Purger{cfg: cfg}, nil
}

// Run makes a pass at once and then one after each pause, until ctx ends; it then returns the
// context's error. A target that fails does not keep the others from their turn: its error goes
// to OnPass and Logger, and it is tried again in the next pass.
func (p *Purger) Run(ctx context.Context) error {
	for {
		_ = p.Once(ctx) // reported by Once
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.cfg.Sleep(ctx, p.cfg.Every); err != nil {
			return err
		}
	}
}

// Once makes one pass and returns the joined errors of its targets. It is what a scheduled job
// calls.
func (p *Purger) Once(ctx context.Context) error {
	var errs []error
	for _, target := range p.cfg.Targets {
		if err := ctx.Err(); err != nil {
			return errors.Join(append(errs, err)...)
		}
		res, err := target.PurgeExpired(ctx, p.cfg.Options)
		if p.cfg.OnPass != nil {
			p.cfg.OnPass(ctx, target.Table(), res, err)
		}
		if err == nil {
			continue
		}
		errs = append(errs, fmt.Errorf("%s: %w", target.Table(), err))
		if p.cfg.Logger != nil {
			p.cfg.Logger.ErrorContext(ctx, "purge failed", "table", target.Table(), "rows", res.Rows, "error", err)
		}
	}
	return errors.Join(errs...)
}
