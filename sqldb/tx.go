package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// rollbackTimeout bounds a rollback. It runs apart from the caller's context, which is often
// the very thing that has just ended.
const rollbackTimeout = 5 * time.Second

// finish runs fn and then commit or rollback. The rollback sits in a deferred function that
// does not recover, so a panic keeps its stack and runtime.Goexit is covered as well.
func finish(ctx context.Context, commit, rollback func(context.Context) error, fn func() error) (err error) {
	done := false
	defer func() {
		if done {
			return
		}
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		// A transaction that is gone already needs no rollback, and one whose context has ended
		// goes with its connection: only other failures say something new.
		rollbackErr := rollback(clean)
		if rollbackErr != nil && err != nil && ctx.Err() == nil && !closed(rollbackErr) {
			err = errors.Join(err, fmt.Errorf("sqldb: roll back: %w", rollbackErr))
		}
	}()
	if err := fn(); err != nil {
		return err
	}
	if err := commit(ctx); err != nil {
		return fmt.Errorf("sqldb: commit: %w", err)
	}
	done = true
	return nil
}

func closed(err error) bool {
	return errors.Is(err, sql.ErrTxDone) || errors.Is(err, pgx.ErrTxClosed)
}

// inSavepoint runs fn between SAVEPOINT and RELEASE on tx. The name contains the depth so that
// an inner savepoint never hides an outer one.
func inSavepoint(ctx context.Context, tx DB, depth int, fn func() error) error {
	name := "groundwork_" + strconv.Itoa(depth)
	if _, err := tx.Exec(ctx, "SAVEPOINT "+name); err != nil {
		return fmt.Errorf("sqldb: begin: %w", err)
	}
	release := func(ctx context.Context) error {
		_, err := tx.Exec(ctx, "RELEASE SAVEPOINT "+name)
		return err
	}
	rollback := func(ctx context.Context) error {
		if _, err := tx.Exec(ctx, "ROLLBACK TO SAVEPOINT "+name); err != nil {
			return err
		}
		return release(ctx)
	}
	return finish(ctx, release, rollback, fn)
}
