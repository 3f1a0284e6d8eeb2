package sqldb

import (
	"context"
	"fmt"
)

// batcher is a DB with a way of its own to run one statement for many rows.
type batcher interface {
	insertBatch(ctx context.Context, query string, rows [][]any) (int64, error)
}

// InsertBatch runs query once for each element of rows, which holds its arguments, and returns
// the total of rows affected. Either all rows are written or none. On pgx it is one round trip,
// elsewhere a prepared statement in a transaction. When db is a transaction already, the batch
// is part of it; on PostgreSQL a failed batch ends it like any failed statement.
//
// All rows are held in memory: cut long input into batches of some thousand. No rows is no
// statement. A DB of another package must implement [TxDB].
func InsertBatch(ctx context.Context, db DB, query string, rows [][]any) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	if b, ok := db.(batcher); ok {
		return b.insertBatch(ctx, query, rows)
	}
	outer, ok := db.(TxDB)
	if !ok {
		return 0, fmt.Errorf("sqldb: insert batch: %T has no InTx", db)
	}
	total := int64(0)
	err := outer.InTx(ctx, func(tx DB) error {
		for i, row := range rows {
			n, err := tx.Exec(ctx, query, row...)
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

func batchError(row int, err error) error {
	return fmt.Errorf("sqldb: insert batch: row %d: %w", row, err)
}
