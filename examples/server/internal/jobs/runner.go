package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/groundwork-go/groundwork/sqldb"
)

// Config configures a [Runner].
type Config struct {
	// DB holds the jobs: the pool on PostgreSQL, the write pool of one connection on SQLite. Required.
	DB *sql.DB
	// Dialect of DB. Required.
	Dialect sqldb.Dialect
	// Listener is a pool of one connection that waits for news on PostgreSQL. Without it, and on
	// SQLite, jobs of other processes are found by polling.
	Listener *pgxpool.Pool
	// Registry holds the workers. Required.
	Registry *Registry
	// Logger is told about failures. Nil is silent.
	Logger *slog.Logger
	// Workers is how many jobs run at once. Default 8.
	Workers int
}

// Runner works jobs and takes new ones. It is safe for concurrent use.
type Runner struct {
	client *river.Client[*sql.Tx]
	cfg    Config
}

var _ Queue = (*Runner)(nil)

const (
	defaultWorkers = 8
	// fetchCooldown is the shortest time between two looks for jobs. River's 100 ms would show in
	// the first progress a customer sees.
	fetchCooldown = 20 * time.Millisecond
	// rescueMargin is how long a job may be running past its timeout before it counts as lost with
	// its process. River's default of one hour would leave a customer waiting.
	rescueMargin = 30 * time.Second
)

// New makes a Runner. It neither connects nor starts anything. The error joins a [*ConfigError] for
// each fault of cfg and of the registered workers.
func New(cfg Config) (*Runner, error) {
	var faults []error
	if cfg.DB == nil {
		faults = append(faults, &ConfigError{Field: "DB", Reason: "is required"})
	}
	if cfg.Registry == nil {
		faults = append(faults, &ConfigError{Field: "Registry", Reason: "is required"})
	} else {
		faults = append(faults, cfg.Registry.check())
	}
	if cfg.Workers == 0 {
		cfg.Workers = defaultWorkers
	}
	if cfg.Workers < 0 {
		faults = append(faults, &ConfigError{Field: "Workers", Value: fmt.Sprint(cfg.Workers), Reason: "must be positive"})
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	client, err := river.NewClient(driver(cfg), &river.Config{
		FetchCooldown:        fetchCooldown,
		FetchPollInterval:    pollInterval(cfg),
		JobTimeout:           defaultTimeout,
		Logger:               slog.New(quiet{cfg.Logger.Handler()}),
		PeriodicJobs:         cfg.Registry.periodic,
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: cfg.Workers}},
		RescueStuckJobsAfter: max(cfg.Registry.timeout, defaultTimeout) + rescueMargin,
		Workers:              cfg.Registry.workers,
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return &Runner{client: client, cfg: cfg}, nil
}

// pollInterval is how often a queue without a listener looks for jobs. A look at a local file costs
// little; on PostgreSQL the listener brings the news and polling is the safety net.
func pollInterval(cfg Config) time.Duration {
	if cfg.Dialect == sqldb.DialectSQLite {
		return 100 * time.Millisecond
	}
	return time.Second
}

func driver(cfg Config) riverdriver.Driver[*sql.Tx] {
	switch {
	case cfg.Dialect == sqldb.DialectSQLite:
		return riversqlite.New(cfg.DB)
	case cfg.Listener != nil:
		return riverdatabasesql.NewWithPgxListener(cfg.DB, cfg.Listener)
	}
	return riverdatabasesql.New(cfg.DB)
}

// Migrate creates or updates the tables of the queue. On PostgreSQL the caller holds a lock against
// other processes that migrate.
func Migrate(ctx context.Context, db *sql.DB, dialect sqldb.Dialect, logger *slog.Logger) error {
	migrator, err := rivermigrate.New(driver(Config{DB: db, Dialect: dialect}),
		&rivermigrate.Config{Logger: slog.New(quiet{logger.Handler()})})
	if err != nil {
		return fmt.Errorf("jobs: migrate: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("jobs: migrate: %w", err)
	}
	return nil
}

// Enqueue implements [Queue].
func (r *Runner) Enqueue(ctx context.Context, tx sqldb.DB, args Args, opts Options) error {
	inner, ok := sqldb.SQLTx(tx)
	if !ok {
		return ErrNoTransaction
	}
	entry, ok := r.cfg.Registry.entries[args.Kind()]
	if !ok {
		return fmt.Errorf("%w: %s", ErrUnknownKind, args.Kind())
	}
	insert := &river.InsertOpts{MaxAttempts: entry.cfg.MaxAttempts, ScheduledAt: opts.RunAt}
	if opts.Unique {
		insert.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: unfinished()}
	}
	if _, err := r.client.InsertTx(ctx, inner, args, insert); err != nil {
		return fmt.Errorf("jobs: enqueue %s: %w", args.Kind(), err)
	}
	return nil
}

// Start begins to work jobs. ctx only carries values: its end stops nothing, since a signal must let
// running jobs finish. Use Stop. Without a registered worker there is nothing to start.
func (r *Runner) Start(ctx context.Context) error {
	if len(r.cfg.Registry.entries) == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	if r.cfg.Dialect == sqldb.DialectSQLite {
		if err := r.reclaim(ctx); err != nil {
			return err
		}
	}
	if err := r.client.Start(ctx); err != nil {
		return fmt.Errorf("jobs: start: %w", err)
	}
	return nil
}

// reclaim makes jobs that were running when the process was killed available at once. A SQLite file
// belongs to one server process, so whatever is marked as running at start-up has no one running it.
// A job on its last attempt is left to the rescuer, which counts it as failed: a job that kills the
// process must not do so for ever.
func (r *Runner) reclaim(ctx context.Context) error {
	_, err := r.cfg.DB.ExecContext(ctx,
		`UPDATE river_job SET state = 'available' WHERE state = 'running' AND attempt < max_attempts`)
	if err != nil {
		return fmt.Errorf("jobs: reclaim: %w", err)
	}
	return nil
}

// Stop takes no new jobs and waits for the running ones. When ctx ends first their contexts are
// cancelled; they go back to the queue without having used up an attempt.
func (r *Runner) Stop(ctx context.Context) error {
	err := r.client.Stop(ctx)
	if err == nil {
		return nil
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := r.client.StopAndCancel(hard); err != nil {
		return fmt.Errorf("jobs: stop: %w", err)
	}
	return nil
}

// quiet lets warnings and errors through: River reports each start, stop and migration step.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }
func (q quiet) WithGroup(name string) slog.Handler       { return quiet{q.Handler.WithGroup(name)} }
