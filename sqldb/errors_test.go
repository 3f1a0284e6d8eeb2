package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/sqldb"
)

func TestUniqueViolation(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, tr transport, db sqldb.TxDB) {
		exec(t, db, `CREATE TABLE users (id TEXT PRIMARY KEY, company TEXT, email TEXT NOT NULL,
			CONSTRAINT one_email UNIQUE (company, email))`)
		const insert = `INSERT INTO users (id, company, email) VALUES ($1, $2, $3)`
		exec(t, db, insert, "a", "c", "m")
		tests := []struct {
			id, company string
			email       any
			unique      bool
			pg, sqlite  string
		}{
			{"a", "d", "n", true, "users_pkey", "users.id"},
			{"b", "c", "m", true, "one_email", "users.company, users.email"},
			{"b", "c", nil, false, "", ""}, // NOT NULL is another class
		}
		for _, tt := range tests {
			err := db.InTx(t.Context(), func(tx sqldb.DB) error {
				_, err := tx.Exec(t.Context(), insert, tt.id, tt.company, tt.email)
				return err
			})
			require.Error(t, err)
			constraint, unique := sqldb.UniqueViolation(fmt.Errorf("users: insert: %w", err))
			require.Equal(t, tt.unique, unique)
			want := tt.pg
			if tr.dialect == sqldb.DialectSQLite {
				want = tt.sqlite
			}
			require.Equal(t, want, constraint)
			require.False(t, sqldb.IsRetryable(err))
		}
	})
}

func TestIsRetryableSQLite(t *testing.T) {
	t.Parallel()
	cfg := sqldb.SQLiteConfig{Path: testdb.SQLitePath(t), BusyTimeout: time.Millisecond}
	first, _ := openSQLite(t, cfg)
	second, _ := openSQLite(t, cfg)
	other := sqldb.SQL(second, sqldb.DialectSQLite)
	err := sqldb.SQL(first, sqldb.DialectSQLite).InTx(t.Context(), func(tx sqldb.DB) error {
		exec(t, tx, `CREATE TABLE items (n BIGINT)`)
		return other.InTx(t.Context(), func(sqldb.DB) error { return nil })
	})
	require.True(t, sqldb.IsRetryable(err), "%v", err)
	_, unique := sqldb.UniqueViolation(err)
	require.False(t, unique)
}

func TestIsRetryablePostgres(t *testing.T) {
	t.Parallel()
	for _, tr := range transports() {
		if tr.dialect != sqldb.DialectPostgres || tr.single {
			continue
		}
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			db := tr.open(t)
			exec(t, db, `CREATE TABLE items (n BIGINT)`)
			exec(t, db, `INSERT INTO items (n) VALUES (1)`)
			const update = `UPDATE items SET n = n + 1`

			err := db.InTx(t.Context(), func(tx sqldb.DB) error {
				exec(t, tx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`)
				require.Equal(t, 1, count(t, tx, "items"))
				exec(t, db, update)
				_, err := tx.Exec(t.Context(), update)
				return err
			})
			require.True(t, sqldb.IsRetryable(err), "serialization failure: %v", err)

			err = db.InTx(t.Context(), func(tx sqldb.DB) error {
				exec(t, tx, update)
				return db.InTx(t.Context(), func(tx sqldb.DB) error {
					exec(t, tx, `SET LOCAL lock_timeout = '20ms'`)
					_, err := tx.Exec(t.Context(), update)
					return err
				})
			})
			require.True(t, sqldb.IsRetryable(err), "lock timeout: %v", err)
		})
	}
}

// stateError and codeError stand for drivers that this module does not know.
type stateError string

func (e stateError) Error() string    { return "driver: " + string(e) }
func (e stateError) SQLState() string { return string(e) }

type codeError int

func (e codeError) Error() string { return "driver: failed" }
func (e codeError) Code() int     { return int(e) }

func TestErrorClassesOfOtherErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name              string
		err               error
		unique, retryable bool
	}{
		{"nil", nil, false, false},
		{"plain", errors.New("UNIQUE constraint failed: a.b"), false, false},
		{"no rows", pgx.ErrNoRows, false, false},
		{"context", context.DeadlineExceeded, false, false},
		{"unique by state", stateError("23505"), true, false},
		{"deadlock", stateError("40P01"), false, true},
		{"foreign key", stateError("23503"), false, false},
		{"unique by code", codeError(2067), true, false},
		{"primary key", codeError(1555), true, false},
		{"row id", codeError(2579), true, false},
		{"check", codeError(275), false, false},
		{"busy snapshot", codeError(517), false, true},
		{"locked shared cache", codeError(262), false, true},
		{"joined", errors.Join(errors.New("x"), codeError(5)), false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			constraint, unique := sqldb.UniqueViolation(tt.err)
			require.Equal(t, tt.unique, unique)
			require.Empty(t, constraint)
			require.Equal(t, tt.retryable, sqldb.IsRetryable(tt.err))
		})
	}
	require.ErrorIs(t, pgx.ErrNoRows, sql.ErrNoRows)
}
