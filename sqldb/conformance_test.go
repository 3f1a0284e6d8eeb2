package sqldb_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/sqldb"
)

func TestStatements(t *testing.T) {
	t.Parallel()
	type role string
	onEach(t, func(t *testing.T, tr transport, db sqldb.TxDB) {
		ctx := t.Context()
		require.Equal(t, tr.dialect, sqldb.DialectOf(db))
		exec(t, db, `CREATE TABLE notes (id TEXT PRIMARY KEY, role TEXT, n BIGINT, flag BOOLEAN, doc TEXT, opt TEXT)`)

		none := (*string)(nil)
		require.EqualValues(t, 1, exec(t, db,
			`INSERT INTO notes (id, role, n, flag, doc, opt) VALUES ($1, $2, $3, $4, $5, $6)`,
			"a", role("owner"), 7, true, `{"x": 1}`, none))

		var (
			id, doc string
			r       role
			n       int
			flag    bool
			opt     *string
		)
		row := db.QueryRow(ctx, `SELECT id, role, n, flag, doc, opt FROM notes WHERE id = $1 AND flag = TRUE`, "a")
		require.NoError(t, row.Scan(&id, &r, &n, &flag, &doc, &opt))
		require.Equal(t, "a", id)
		require.Equal(t, role("owner"), r)
		require.Equal(t, 7, n)
		require.True(t, flag)
		require.JSONEq(t, `{"x": 1}`, doc)
		require.Nil(t, opt)

		require.NoError(t, db.QueryRow(ctx,
			`INSERT INTO notes (id, n) VALUES ($1, $2) RETURNING n`, "b", int64(8)).Scan(&n))
		require.Equal(t, 8, n)
		require.NoError(t, db.QueryRow(ctx,
			`UPDATE notes SET n = n + $1 WHERE id = $2 RETURNING n`, 2, "b").Scan(&n))
		require.Equal(t, 10, n)

		rows, err := db.Query(ctx, `SELECT id FROM notes WHERE n >= $1 ORDER BY id`, 1)
		require.NoError(t, err)
		var ids []string
		for rows.Next() {
			require.NoError(t, rows.Scan(&id))
			ids = append(ids, id)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
		require.NoError(t, rows.Close())
		require.Equal(t, []string{"a", "b"}, ids)

		err = db.QueryRow(ctx, `SELECT id FROM notes WHERE id = $1`, "none").Scan(&id)
		require.ErrorIs(t, err, sql.ErrNoRows)
		err = db.QueryRow(ctx, `UPDATE notes SET n = 0 WHERE id = $1 RETURNING id`, "none").Scan(&id)
		require.ErrorIs(t, err, sql.ErrNoRows)
		require.EqualValues(t, 2, exec(t, db, `DELETE FROM notes WHERE n > $1`, 0))
	})
}

func TestRowsCanBeLeftEarly(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		exec(t, db, `CREATE TABLE items (n BIGINT)`)
		insertNumbers(t, db, 100)
		rows, err := db.Query(t.Context(), `SELECT n FROM items`)
		require.NoError(t, err)
		require.True(t, rows.Next())
		require.NoError(t, rows.Close())
		require.False(t, rows.Next())
		require.Equal(t, 100, count(t, db, "items"))
	})
}

func TestArgumentsThatAreNotPortable(t *testing.T) {
	t.Parallel()
	now := time.Now()
	args := map[string]any{
		"time": now, "time pointer": &now, "null time": sql.NullTime{Time: now, Valid: true},
		"raw json": json.RawMessage(`{}`),
	}
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		exec(t, db, `CREATE TABLE items (n BIGINT, v TEXT)`)
		const insert = `INSERT INTO items (n, v) VALUES ($1, $2)`
		for name, arg := range args {
			_, err := db.Exec(t.Context(), insert, 1, arg)
			require.ErrorIs(t, err, sqldb.ErrArgument, name)
			require.ErrorContains(t, err, "$2", name)
			_, err = db.Query(t.Context(), `SELECT n FROM items WHERE n = $1 AND v = $2`, 1, arg)
			require.ErrorIs(t, err, sqldb.ErrArgument, name)
			err = db.QueryRow(t.Context(), `SELECT n FROM items WHERE n = $1 AND v = $2`, 1, arg).Scan()
			require.ErrorIs(t, err, sqldb.ErrArgument, name)
			_, err = sqldb.InsertBatch(t.Context(), db, insert, [][]any{{1, "x"}, {2, arg}})
			require.ErrorIs(t, err, sqldb.ErrArgument, name)
		}
		require.Equal(t, 0, count(t, db, "items"))
	})
}

func TestWriteFirstIncrementsLoseNothing(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, tr transport, db sqldb.TxDB) {
		exec(t, db, `CREATE TABLE counters (id TEXT PRIMARY KEY, n BIGINT NOT NULL)`)
		exec(t, db, `CREATE TABLE seen (n BIGINT PRIMARY KEY)`)
		exec(t, db, `INSERT INTO counters (id, n) VALUES ($1, 0)`, "c")
		increment := func(ctx context.Context) error {
			return db.InTx(ctx, func(tx sqldb.DB) error {
				var n int64
				err := tx.QueryRow(ctx, `UPDATE counters SET n = n + 1 WHERE id = $1 RETURNING n`, "c").Scan(&n)
				if err != nil {
					return err
				}
				_, err = tx.Exec(ctx, `INSERT INTO seen (n) VALUES ($1)`, n)
				return err
			})
		}
		workers, each := 8, 50
		if tr.single {
			workers, each = 1, 400
		}
		var wg sync.WaitGroup
		errs := make([]error, workers)
		for w := range workers {
			wg.Go(func() {
				for range each {
					errs[w] = errors.Join(errs[w], increment(t.Context()))
				}
			})
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))
		var n int
		require.NoError(t, db.QueryRow(t.Context(), `SELECT n FROM counters WHERE id = $1`, "c").Scan(&n))
		require.Equal(t, 400, n)
		require.Equal(t, 400, count(t, db, "seen"))
	})
}

func TestInsertBatch(t *testing.T) {
	t.Parallel()
	const insert = `INSERT INTO items (n) VALUES ($1)`
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		exec(t, db, `CREATE TABLE items (n BIGINT PRIMARY KEY)`)
		total, err := sqldb.InsertBatch(t.Context(), db, insert, nil)
		require.NoError(t, err)
		require.Zero(t, total)
		insertNumbers(t, db, 1000)

		// The outer transaction goes on after a batch that failed in a nested one.
		err = db.InTx(t.Context(), func(tx sqldb.DB) error {
			exec(t, tx, insert, 5000)
			err := tx.(sqldb.TxDB).InTx(t.Context(), func(tx sqldb.DB) error {
				_, err := sqldb.InsertBatch(t.Context(), tx, insert, [][]any{{2000}, {7}, {2001}})
				return err
			})
			_, unique := sqldb.UniqueViolation(err)
			require.True(t, unique, "%v", err)
			require.ErrorContains(t, err, "row 1")
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 1001, count(t, db, "items"))

		total, err = sqldb.InsertBatch(t.Context(), db,
			`INSERT INTO items (n) VALUES ($1) ON CONFLICT DO NOTHING`, [][]any{{1}, {3000}})
		require.NoError(t, err)
		require.EqualValues(t, 1, total)
	})
}

func TestInsertBatchIsAtomicWithoutATransaction(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, tr transport, db sqldb.TxDB) {
		if tr.name == "pgx tx" || tr.name == "sql pgx tx" {
			t.Skip("a failed statement ends the transaction that this transport is")
		}
		exec(t, db, `CREATE TABLE items (n BIGINT PRIMARY KEY)`)
		_, err := sqldb.InsertBatch(t.Context(), db, `INSERT INTO items (n) VALUES ($1)`, [][]any{{1}, {2}, {1}})
		_, unique := sqldb.UniqueViolation(err)
		require.True(t, unique, "%v", err)
		require.ErrorContains(t, err, "row 2")
		require.Equal(t, 0, count(t, db, "items"))
	})
}

// plainDB hides everything but the methods of sqldb.DB, as a foreign implementation would.
type plainDB struct{ sqldb.DB }

// plainTxDB adds InTx to it.
type plainTxDB struct {
	plainDB
	tx sqldb.TxDB
}

func (d plainTxDB) InTx(ctx context.Context, fn func(tx sqldb.DB) error) error {
	return d.tx.InTx(ctx, fn)
}

func TestForeignDB(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		exec(t, db, `CREATE TABLE items (n BIGINT PRIMARY KEY)`)
		plain := plainDB{db}
		require.Zero(t, sqldb.DialectOf(plain))
		_, ok := sqldb.SQLTx(plain)
		require.False(t, ok)
		_, err := sqldb.InsertBatch(t.Context(), plain, `INSERT INTO items (n) VALUES ($1)`, [][]any{{1}})
		require.ErrorContains(t, err, "InTx")
		total, err := sqldb.InsertBatch(t.Context(), plainTxDB{plain, db},
			`INSERT INTO items (n) VALUES ($1)`, [][]any{{1}, {2}})
		require.NoError(t, err)
		require.EqualValues(t, 2, total)
	})
}

func TestCleanTextIsStorable(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		exec(t, db, `CREATE TABLE items (s TEXT)`)
		exec(t, db, `INSERT INTO items (s) VALUES ($1)`, sqldb.CleanText("a\x00b\xff\xfec é"))
		var s string
		require.NoError(t, db.QueryRow(t.Context(), `SELECT s FROM items`).Scan(&s))
		require.Equal(t, "ab\uFFFDc é", s)
	})
}

func insertNumbers(t *testing.T, db sqldb.DB, n int) {
	t.Helper()
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = []any{i}
	}
	total, err := sqldb.InsertBatch(t.Context(), db, `INSERT INTO items (n) VALUES ($1)`, rows)
	require.NoError(t, err)
	require.EqualValues(t, n, total)
}
