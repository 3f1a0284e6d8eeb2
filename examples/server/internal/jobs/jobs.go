// Package jobs runs work in the background. A job is enqueued inside the transaction that makes it
// necessary, so it exists exactly when the row it is about exists, and is run by this process or by
// another replica soon after the commit.
//
// Jobs survive crashes and may run more than once: a worker must leave the same result when it is
// run again. A worker that fails is tried again after a random wait that grows with each attempt; one
// that fails on its last attempt is kept as a dead letter in state "discarded".
//
// River does the work, on PostgreSQL and on SQLite alike. Only this package knows it.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/groundwork-go/groundwork/sqldb"
)

// Args are the arguments of a job, stored as JSON. Kind names the worker; it is stored too, so it
// never changes. Put identifiers into Args, no secrets and no personal data.
type Args = river.JobArgs

// Options vary one job.
type Options struct {
	// RunAt delays the job. The zero time runs it at once.
	RunAt time.Time
	// Unique drops the job when one of the same kind and arguments is waiting or running.
	Unique bool
}

// Queue takes jobs. It is safe for concurrent use.
type Queue interface {
	// Enqueue adds a job to the transaction tx: it runs after the commit, and never after a rollback.
	// ErrNoTransaction when tx is not a transaction, ErrUnknownKind when no worker has the kind.
	Enqueue(ctx context.Context, tx sqldb.DB, args Args, opts Options) error
}

// Sentinel errors of Enqueue.
var (
	// ErrNoTransaction says that Enqueue was given a database instead of a transaction.
	ErrNoTransaction = errors.New("jobs: enqueue needs a transaction")
	// ErrUnknownKind says that no worker was registered for the kind of the arguments.
	ErrUnknownKind = errors.New("jobs: unknown kind")
)

// Attempt tells a worker which try this is.
type Attempt struct {
	// Number counts from 1.
	Number int
	// Max is how many there are.
	Max int
}

// Last reports whether a failure now makes the job a dead letter.
func (a Attempt) Last() bool { return a.Number >= a.Max }

type attemptKey struct{}

// AttemptFrom returns the attempt a worker is running. Outside a worker it returns the only attempt of
// one.
func AttemptFrom(ctx context.Context) Attempt {
	if a, ok := ctx.Value(attemptKey{}).(Attempt); ok {
		return a
	}
	return Attempt{Number: 1, Max: 1}
}

// WithAttempt returns a context in which AttemptFrom answers a; for tests of workers.
func WithAttempt(ctx context.Context, a Attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// Permanent marks an error that another attempt cannot mend. The job is not run again; it is kept in
// state "cancelled" beside the dead letters.
func Permanent(err error) error { return river.JobCancel(err) }

// Run works one job of args at once in the calling goroutine, past the queue; for tests of workers.
func (r *Registry) Run(ctx context.Context, args Args) error {
	entry, ok := r.entries[args.Kind()]
	if !ok {
		return fmt.Errorf("%w: %s", ErrUnknownKind, args.Kind())
	}
	return entry.run(ctx, args)
}

func attemptOf(job *rivertype.JobRow) Attempt {
	return Attempt{Number: job.Attempt, Max: job.MaxAttempts}
}

// unfinished lists the states in which a unique job stands in the way of another.
func unfinished() []rivertype.JobState {
	return []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
		rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}
}
