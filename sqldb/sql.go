package sqldb

import (
	"context"
	"database/sql"
	"fmt"
)

// SQLHandle is what [SQL] needs of a *sql.DB, *sql.Conn or *sql.Tx.
type SQLHandle interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// beginner is a handle that is not in a transaction yet.
type beginner interface {
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}

// SQL returns a TxDB on a database/sql handle whose driver accepts $1: pgx's stdlib driver for
// PostgreSQL, modernc.org/sqlite for SQLite. On a *sql.Tx, InTx opens a savepoint and the
// caller keeps the right to commit. For a SQLite file that is read and written at the same
// time, [SQLite] with two pools is the better choice.
func SQL(h SQLHandle, d Dialect) TxDB {
	_, begins := h.(beginner)
	return &sqlDB{h: h, dialect: d, inTx: !begins}
}

// SQLTx returns the transaction behind db, so that a job queue or another library on
// database/sql can write in it. It reports false when db is not in a transaction of
// database/sql. The caller must not commit or roll it back.
func SQLTx(db DB) (*sql.Tx, bool) {
	d, ok := db.(*sqlDB)
	if !ok {
		return nil, false
	}
	tx, ok := d.h.(*sql.Tx)
	return tx, ok
}

type sqlDB struct {
	h       SQLHandle
	dialect Dialect
	inTx    bool
	depth   int // savepoints around this value
}

var _ TxDB = (*sqlDB)(nil)

// Dialect returns the dialect the value was made with.
func (d *sqlDB) Dialect() Dialect { return d.dialect }

func (d *sqlDB) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := checkArgs(args); err != nil {
		return 0, err
	}
	result, err := d.h.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (d *sqlDB) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	if err := checkArgs(args); err != nil {
		return nil, err
	}
	rows, err := d.h.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err // not rows: a nil *sql.Rows in the interface would not be nil
	}
	return rows, nil
}

func (d *sqlDB) QueryRow(ctx context.Context, query string, args ...any) Row {
	if err := checkArgs(args); err != nil {
		return errRow{err}
	}
	return d.h.QueryRowContext(ctx, query, args...)
}

func (d *sqlDB) InTx(ctx context.Context, fn func(tx DB) error) error {
	if d.inTx {
		return inSavepoint(ctx, d, d.depth+1, func() error {
			return fn(&sqlDB{h: d.h, dialect: d.dialect, inTx: true, depth: d.depth + 1})
		})
	}
	tx, err := d.h.(beginner).BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("sqldb: begin: %w", err)
	}
	commit := func(context.Context) error { return tx.Commit() }
	rollback := func(context.Context) error { return tx.Rollback() }
	return finish(ctx, commit, rollback, func() error {
		return fn(&sqlDB{h: tx, dialect: d.dialect, inTx: true})
	})
}

// insertBatch prepares the statement once and runs it for each row, in a transaction or, when
// there is one already, a savepoint.
func (d *sqlDB) insertBatch(ctx context.Context, query string, rows [][]any) (int64, error) {
	total := int64(0)
	err := d.InTx(ctx, func(tx DB) error {
		stmt, err := tx.(*sqlDB).h.PrepareContext(ctx, query)
		if err != nil {
			return fmt.Errorf("sqldb: insert batch: %w", err)
		}
		defer func() { _ = stmt.Close() }()
		for i, row := range rows {
			n, err := execPrepared(ctx, stmt, row)
			if err != nil {
				return batchError(i, err)
			}
			total += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return total, nil
}

func execPrepared(ctx context.Context, stmt *sql.Stmt, args []any) (int64, error) {
	if err := checkArgs(args); err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
