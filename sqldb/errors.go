package sqldb

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// The SQLSTATE codes of PostgreSQL that stores act on.
const (
	pgUniqueViolation      = "23505"
	pgSerializationFailure = "40001"
	pgDeadlockDetected     = "40P01"
	pgLockNotAvailable     = "55P03"
)

// The result codes of SQLite that stores act on; the low byte is the primary code.
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqlitePrimaryKey = 1555
	sqliteUnique     = 2067
	sqliteRowID      = 2579
)

// UniqueViolation reports whether err says that a row broke a unique constraint, a unique index
// or a primary key. The constraint is its name on PostgreSQL ("users_email_key") and what the
// message tells on SQLite: the columns ("users.email" or "users.company, users.email"), or
// "index 'name'" for an index on an expression. It is "" when the driver does not tell.
func UniqueViolation(err error) (constraint string, ok bool) {
	if state, found := sqlState(err); found {
		if state != pgUniqueViolation {
			return "", false
		}
		var pgErr *pgconn.PgError
		if errors.As(err, &pgErr) {
			return pgErr.ConstraintName, true
		}
		return "", true
	}
	code, text, found := sqliteCode(err)
	if !found || code != sqliteUnique && code != sqlitePrimaryKey && code != sqliteRowID {
		return "", false
	}
	// "constraint failed: UNIQUE constraint failed: users.email (2067)"
	_, columns, found := strings.Cut(text, "UNIQUE constraint failed: ")
	if !found {
		return "", true
	}
	if cut := strings.LastIndex(columns, " ("); cut >= 0 {
		columns = columns[:cut]
	}
	return columns, true
}

// IsRetryable reports whether the same transaction may succeed when it is run again from its
// start: a serialization failure, a deadlock or a lock time-out on PostgreSQL, a busy or locked
// database on SQLite. A lost connection is not among them, because a commit may have happened.
func IsRetryable(err error) bool {
	if state, found := sqlState(err); found {
		return state == pgSerializationFailure || state == pgDeadlockDetected || state == pgLockNotAvailable
	}
	code, _, found := sqliteCode(err)
	return found && (code&0xff == sqliteBusy || code&0xff == sqliteLocked)
}

// sqlState returns the SQLSTATE in err. pgx and lib/pq answer the same method.
func sqlState(err error) (string, bool) {
	var e interface {
		error
		SQLState() string
	}
	if errors.As(err, &e) {
		return e.SQLState(), true
	}
	return "", false
}

// sqliteCode returns the extended result code in err and the text that belongs to it.
func sqliteCode(err error) (code int, text string, ok bool) {
	var e interface {
		error
		Code() int
	}
	if errors.As(err, &e) {
		return e.Code(), e.Error(), true
	}
	return 0, "", false
}
