package sqldb_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/sqldb"
)

var errStop = errors.New("stop")

const insertItem = `INSERT INTO items (n) VALUES ($1)`

func TestInTx(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, tr transport, db sqldb.TxDB) {
		exec(t, db, `CREATE TABLE items (n BIGINT PRIMARY KEY)`)
		err := db.InTx(t.Context(), func(tx sqldb.DB) error {
			require.Equal(t, tr.dialect, sqldb.DialectOf(tx))
			exec(t, tx, insertItem, 1)
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 1, count(t, db, "items"))

		err = db.InTx(t.Context(), func(tx sqldb.DB) error {
			exec(t, tx, insertItem, 2)
			return errStop
		})
		require.Equal(t, errStop, err, "the error is handed on as it is")
		require.Equal(t, 1, count(t, db, "items"))
	})
}

func TestInTxNests(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		ctx := t.Context()
		exec(t, db, `CREATE TABLE items (n BIGINT PRIMARY KEY)`)
		err := db.InTx(ctx, func(tx sqldb.DB) error {
			exec(t, tx, insertItem, 1)
			require.NoError(t, tx.(sqldb.TxDB).InTx(ctx, func(tx sqldb.DB) error {
				exec(t, tx, insertItem, 2)
				err := tx.(sqldb.TxDB).InTx(ctx, func(tx sqldb.DB) error {
					exec(t, tx, insertItem, 3)
					_, err := tx.Exec(ctx, insertItem, 1)
					return err
				})
				_, unique := sqldb.UniqueViolation(err)
				require.True(t, unique, "%v", err)
				exec(t, tx, insertItem, 4) // the failure inside has not ended this transaction
				return nil
			}))
			require.ErrorIs(t, tx.(sqldb.TxDB).InTx(ctx, func(tx sqldb.DB) error {
				exec(t, tx, insertItem, 5)
				return errStop
			}), errStop)
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, []int{1, 2, 4}, numbers(t, db))
	})
}

func TestInTxRollsBackOnPanic(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		ctx := t.Context()
		exec(t, db, `CREATE TABLE items (n BIGINT PRIMARY KEY)`)
		require.PanicsWithValue(t, "boom", func() {
			_ = db.InTx(ctx, func(tx sqldb.DB) error {
				exec(t, tx, insertItem, 1)
				panic("boom")
			})
		})
		require.Equal(t, 0, count(t, db, "items"))

		// A panic that is caught outside a nested transaction undoes only that one.
		err := db.InTx(ctx, func(tx sqldb.DB) error {
			exec(t, tx, insertItem, 2)
			require.Panics(t, func() {
				_ = tx.(sqldb.TxDB).InTx(ctx, func(tx sqldb.DB) error {
					exec(t, tx, insertItem, 3)
					panic("boom")
				})
			})
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, []int{2}, numbers(t, db))

		// So does the end of the goroutine, which t.FailNow causes.
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = db.InTx(ctx, func(tx sqldb.DB) error {
				_, _ = tx.Exec(ctx, insertItem, 4)
				runtime.Goexit()
				return nil
			})
		}()
		<-done
		require.Equal(t, []int{2}, numbers(t, db))
	})
}

func TestInTxWithAnEndedContext(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, tr transport, db sqldb.TxDB) {
		if tr.single {
			t.Skip("an ended context may close the only connection")
		}
		exec(t, db, `CREATE TABLE items (n BIGINT PRIMARY KEY)`)
		ctx, cancel := context.WithCancel(t.Context())
		err := db.InTx(ctx, func(tx sqldb.DB) error {
			exec(t, tx, insertItem, 1)
			cancel()
			_, err := tx.Exec(ctx, insertItem, 2)
			return err
		})
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, db.InTx(ctx, func(sqldb.DB) error { return nil }), context.Canceled)
		require.Equal(t, 0, count(t, db, "items"))
	})
}

func TestInTxDoesNotCommitAfterAFailedStatement(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, tr transport, db sqldb.TxDB) {
		exec(t, db, `CREATE TABLE items (n BIGINT PRIMARY KEY)`)
		exec(t, db, insertItem, 1)
		err := db.InTx(t.Context(), func(tx sqldb.DB) error {
			exec(t, tx, insertItem, 2)
			_, err := tx.Exec(t.Context(), insertItem, 1)
			require.Error(t, err)
			return nil
		})
		if tr.dialect == sqldb.DialectSQLite { // only the statement failed there
			require.NoError(t, err)
			require.Equal(t, []int{1, 2}, numbers(t, db))
			return
		}
		require.Error(t, err)
		require.Equal(t, []int{1}, numbers(t, db), "a nested transaction is undone as well")
	})
}

func TestSQLTx(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, tr transport, db sqldb.TxDB) {
		exec(t, db, `CREATE TABLE items (n BIGINT PRIMARY KEY)`)
		native := tr.name[:3] == "pgx"
		_, ok := sqldb.SQLTx(db)
		require.Equal(t, tr.name == "sql pgx tx" || tr.name == "sqlite tx", ok)
		err := db.InTx(t.Context(), func(outer sqldb.DB) error {
			return outer.(sqldb.TxDB).InTx(t.Context(), func(tx sqldb.DB) error {
				std, ok := sqldb.SQLTx(tx)
				require.Equal(t, !native, ok)
				if ok {
					_, err := std.ExecContext(t.Context(), insertItem, 9)
					require.NoError(t, err)
				}
				return errStop
			})
		})
		require.ErrorIs(t, err, errStop)
		require.Equal(t, 0, count(t, db, "items"), "it is the same transaction")
	})
}

func numbers(t *testing.T, db sqldb.DB) []int {
	t.Helper()
	rows, err := db.Query(context.Background(), `SELECT n FROM items ORDER BY n`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var all []int
	for rows.Next() {
		var n int
		require.NoError(t, rows.Scan(&n))
		all = append(all, n)
	}
	require.NoError(t, rows.Err())
	return all
}
