package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/groundwork-go/groundwork/sqldb"
)

// The embedded database: two pools of one file.
func ExampleSQLite() {
	ctx := context.Background()
	db, done := exampleDB(ctx)
	defer done()

	_, err := db.Exec(ctx, `INSERT INTO seats (id, taken_by) VALUES ($1, $2)`, "1A", nil)
	if err != nil {
		panic(err)
	}
	_, err = db.Exec(ctx, `INSERT INTO seats (id, taken_by) VALUES ($1, $2)`, "1A", "eve")
	constraint, ok := sqldb.UniqueViolation(err)
	fmt.Println(constraint, ok)

	var id string
	err = db.QueryRow(ctx, `SELECT id FROM seats WHERE id = $1`, "9Z").Scan(&id)
	fmt.Println(errors.Is(err, sql.ErrNoRows))
	// Output:
	// seats.id true
	// true
}

// A store takes a DB, so it works on a pool of pgx and in a transaction that its caller opened.
func ExamplePgx() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		panic(err)
	}
	defer pool.Close()
	release := func(db sqldb.DB, seat string) error {
		_, err := db.Exec(ctx, `UPDATE seats SET taken_by = NULL WHERE id = $1`, seat)
		return err
	}
	if err := release(sqldb.Pgx(pool), "1A"); err != nil {
		panic(err)
	}
	tx, err := pool.Begin(ctx)
	if err != nil {
		panic(err)
	}
	if err := release(sqldb.Pgx(tx), "1B"); err != nil {
		panic(err)
	}
	if err := tx.Commit(ctx); err != nil { // the caller's right
		panic(err)
	}
}

// A time is bound with At. As it is, SQLite may store it in a form that equals nothing, so it is
// refused on every database.
func ExampleAt_incorrect() {
	ctx := context.Background()
	db, done := exampleDB(ctx)
	defer done()
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	const insert = `INSERT INTO seats (id, taken_at) VALUES ($1, $2)`
	_, err := db.Exec(ctx, insert, "1A", noon)
	fmt.Println(errors.Is(err, sqldb.ErrArgument))
	_, err = db.Exec(ctx, insert, "1A", sqldb.At(noon))
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

// The first statement of a transaction is the write that guards it, and its row count decides.
func ExampleTxDB() {
	ctx := context.Background()
	db, done := exampleDB(ctx)
	defer done()
	if _, err := db.Exec(ctx, `INSERT INTO seats (id) VALUES ($1)`, "1A"); err != nil {
		panic(err)
	}

	errTaken := errors.New("seat is taken")
	take := func(seat, who string, now time.Time) error {
		return db.InTx(ctx, func(tx sqldb.DB) error {
			n, err := tx.Exec(ctx,
				`UPDATE seats SET taken_by = $1, taken_at = $2 WHERE id = $3 AND taken_by IS NULL`,
				who, sqldb.At(now), seat)
			if err == nil && n == 0 {
				err = errTaken
			}
			return err
		})
	}
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.FixedZone("CEST", 7200))
	fmt.Println(take("1A", "ada", noon))
	fmt.Println(take("1A", "eve", noon))

	var at sqldb.Time
	if err := db.QueryRow(ctx, `SELECT taken_at FROM seats WHERE id = $1`, "1A").Scan(&at); err != nil {
		panic(err)
	}
	fmt.Println(at)
	// Output:
	// <nil>
	// seat is taken
	// 2026-05-01 10:00:00 +0000 UTC
}

func ExampleInsertBatch() {
	ctx := context.Background()
	db, done := exampleDB(ctx)
	defer done()

	n, err := sqldb.InsertBatch(ctx, db, `INSERT INTO seats (id) VALUES ($1)`, [][]any{{"1A"}, {"1B"}, {"1C"}})
	fmt.Println(n, err)
	// Output: 3 <nil>
}

func exampleDB(ctx context.Context) (db sqldb.TxDB, done func()) {
	dir, err := os.MkdirTemp("", "sqldb")
	if err != nil {
		panic(err)
	}
	writeDSN, readDSN, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: filepath.Join(dir, "app.db")})
	if err != nil {
		panic(err)
	}
	write, err := sql.Open("sqlite", writeDSN)
	if err != nil {
		panic(err)
	}
	write.SetMaxOpenConns(1)
	if err := sqldb.CheckSQLite(ctx, write); err != nil {
		panic(err)
	}
	read, err := sql.Open("sqlite", readDSN)
	if err != nil {
		panic(err)
	}
	db = sqldb.SQLite(write, read)
	_, err = db.Exec(ctx, `CREATE TABLE seats (id TEXT PRIMARY KEY, taken_by TEXT, taken_at TIMESTAMP)`)
	if err != nil {
		panic(err)
	}
	return db, func() {
		_ = errors.Join(read.Close(), write.Close(), os.RemoveAll(dir))
	}
}
