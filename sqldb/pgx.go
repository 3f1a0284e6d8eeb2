package sqldb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PgxHandle is what [Pgx] needs of a *pgxpool.Pool, *pgxpool.Conn, *pgx.Conn or pgx.Tx.
type PgxHandle interface {
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
	Begin(ctx context.Context) (pgx.Tx, error)
}

// Pgx returns a TxDB on a native pgx pool, connection or transaction, in any query mode. On a
// transaction, InTx opens a savepoint and the caller keeps the right to commit. The result is
// as safe for concurrent use as q: a pool is, a connection and a transaction are not.
func Pgx(q PgxHandle) TxDB {
	_, inTx := q.(pgx.Tx)
	return &pgxDB{q: q, inTx: inTx}
}

type pgxDB struct {
	q     PgxHandle
	inTx  bool
	depth int // savepoints around this value
}

var _ TxDB = (*pgxDB)(nil)

// Dialect returns DialectPostgres.
func (d *pgxDB) Dialect() Dialect { return DialectPostgres }

func (d *pgxDB) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := checkArgs(args); err != nil {
		return 0, err
	}
	tag, err := d.q.Exec(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return tag.RowsAffected(), nil
}

func (d *pgxDB) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	if err := checkArgs(args); err != nil {
		return nil, err
	}
	rows, err := d.q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgxRows{rows}, nil
}

func (d *pgxDB) QueryRow(ctx context.Context, query string, args ...any) Row {
	if err := checkArgs(args); err != nil {
		return errRow{err}
	}
	return d.q.QueryRow(ctx, query, args...)
}

func (d *pgxDB) InTx(ctx context.Context, fn func(tx DB) error) error {
	if d.inTx {
		return inSavepoint(ctx, d, d.depth+1, func() error {
			return fn(&pgxDB{q: d.q, inTx: true, depth: d.depth + 1})
		})
	}
	tx, err := d.q.Begin(ctx)
	if err != nil {
		return fmt.Errorf("sqldb: begin: %w", err)
	}
	return finish(ctx, tx.Commit, tx.Rollback, func() error {
		return fn(&pgxDB{q: tx, inTx: true})
	})
}

// insertBatch sends all rows in one pipeline, which the server treats as one transaction.
func (d *pgxDB) insertBatch(ctx context.Context, query string, rows [][]any) (total int64, err error) {
	var batch pgx.Batch
	for i, row := range rows {
		if err := checkArgs(row); err != nil {
			return 0, batchError(i, err)
		}
		batch.Queue(query, row...)
	}
	results := d.q.SendBatch(ctx, &batch)
	defer func() {
		if closeErr := results.Close(); err == nil && closeErr != nil {
			total, err = 0, fmt.Errorf("sqldb: insert batch: %w", closeErr)
		}
	}()
	for i := range rows {
		tag, err := results.Exec()
		if err != nil {
			return 0, batchError(i, err)
		}
		total += tag.RowsAffected()
	}
	return total, nil
}

// pgxRows gives pgx.Rows the Close of this package.
type pgxRows struct{ pgx.Rows }

func (r pgxRows) Close() error {
	r.Rows.Close()
	return r.Err()
}
