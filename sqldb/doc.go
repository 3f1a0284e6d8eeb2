// Package sqldb is one small SQL interface over native pgx and database/sql, so that a store is
// written once and runs on PostgreSQL, on SQLite, and inside a transaction its caller opened.
//
//	pool, err := pgxpool.New(ctx, url)                        // PostgreSQL, native
//	db := sqldb.Pgx(pool)
//
//	std, err := sql.Open("pgx", url)                          // PostgreSQL, database/sql
//	db := sqldb.SQL(std, sqldb.DialectPostgres)
//
//	wdsn, rdsn, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: "data/app.db"})
//	write, err := sql.Open("sqlite", wdsn)                    // SQLite, modernc.org/sqlite
//	write.SetMaxOpenConns(1)
//	read, err := sql.Open("sqlite", rdsn)
//	db := sqldb.SQLite(write, read)
//
//	err = db.InTx(ctx, func(tx sqldb.DB) error {
//		n, err := tx.Exec(ctx, `UPDATE seats SET taken_by = $1 WHERE id = $2 AND taken_by IS NULL`, user, seat)
//		if err == nil && n == 0 {
//			err = ErrTaken
//		}
//		return err
//	})
//
// A store that accepts a [DB] works on a pool and on the DB that InTx hands out; what it writes
// there commits with the caller's own rows. A missing row is [sql.ErrNoRows], other conditions
// are told apart by [UniqueViolation] and [IsRetryable]; neither needs a driver import.
//
// # The portable subset
//
// The two databases agree on a large part of SQL, and these rules keep to it. The package
// enforces rule 3 and a part of rule 4 when a statement runs; a test of this repository reads
// the SQL in all Go files for rules 1, 2, 12, 13 and 20.
//
//  1. Placeholders are $1, $2, ... without a gap, and each has one type wherever it appears.
//     PostgreSQL must be able to infer that type: write CAST($1 AS TEXT) where it cannot.
//  2. Placeholders appear for the first time in ascending order. Some SQLite drivers bind by
//     first appearance and would swap the values in silence.
//  3. Never bind a time.Time: SQLite may store it in a form that neither compares nor scans.
//     Bind [At] of it and scan into [Time]. Cut to microseconds before hashing or paging.
//  4. Text and JSON are bound as string, never as []byte: SQLite would store a BLOB, which
//     equals no text. []byte is for binary columns.
//  5. The databases' clocks decide nothing. The caller's clock is passed as an argument.
//  6. Booleans are bound, or written TRUE and FALSE. PostgreSQL has no flag = 1.
//  7. Text from outside goes through [CleanText] first. PostgreSQL refuses NUL, invalid UTF-8
//     and, in JSONB, the escape \u0000; SQLite stores them all.
//  8. Names that come from configuration match a strict pattern and are written
//     table."column": SQLite may take an unknown quoted name for a text.
//  9. The first statement of a transaction is the write that guards it, and the decision comes
//     from its row count or RETURNING. To read first and write later loses updates on
//     PostgreSQL and fails as busy on SQLite.
//  10. Nothing depends on going on after an error inside a transaction, because PostgreSQL does
//     not. Use ON CONFLICT, or a nested InTx.
//  11. Rows are drained or closed before the next statement on the same DB.
//  12. Not available on both, so not used: ILIKE, ANY, ::type, FOR UPDATE and its kin, LIMIT in
//     UPDATE and DELETE, USING in DELETE, data-changing WITH, and all date functions.
//  13. Search is LIKE with ESCAPE '!' on a column that Go has folded: case rules and the default
//     escape character differ.
//  14. A sort key whose columns are NOT NULL and run the same way is compared as a row value,
//     (a, b) < ($1, $2); others are split into segments. Nulls sort first on one database and
//     last on the other. NaN is refused before it is stored.
//  15. No second, redundant range beside a row value: it leads SQLite's planner astray.
//  16. IN lists are written out in chunks. The limits are 65,535 arguments on PostgreSQL and
//     32,766 on SQLite.
//  17. RETURNING gives the new values. Read what a statement will clear before it runs.
//  18. Many rows are inserted with [InsertBatch], not with a hand-built list of VALUES.
//  19. Fixed conditions stand in the text (deleted_at IS NULL), not behind a flag argument:
//     only then does a partial index serve.
//  20. One statement per call.
//
// # What it does not do
//
// It builds no SQL, maps no structs, retries nothing, opens and closes nothing and runs no
// migrations. It does not hide what differs by nature: DDL, full-text search and row estimates
// are per dialect, chosen with [DialectOf].
package sqldb
