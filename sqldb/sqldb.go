package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Row is the answer to a query of at most one row. Scan returns an error that matches
// [sql.ErrNoRows] when there was none.
type Row interface {
	Scan(dest ...any) error
}

// Rows walks over the answer to a query. Call Close when done, also after an error; closing
// twice is fine. Close or drain it before the next statement on the same [DB] (rule 11). It is
// not safe for concurrent use.
type Rows interface {
	// Next moves to the next row and reports whether there is one.
	Next() bool
	// Scan copies the columns of the current row into dest.
	Scan(dest ...any) error
	// Err returns the error that ended the walk early, if any. Ask it after Next was false.
	Err() error
	// Close ends the walk and frees the connection.
	Close() error
}

// DB runs single statements. Query text uses $1, $2, ... and follows the rules in the package
// comment. All methods are safe for concurrent use unless the value stands for one connection
// or one transaction, which serve one statement at a time.
//
// The values made by this package refuse arguments of type [time.Time], *time.Time,
// [sql.NullTime] and [json.RawMessage] with [ErrArgument]: some transports would store them in
// a form that cannot be compared or read back.
type DB interface {
	// Exec runs a statement and returns the number of rows it inserted, updated or deleted.
	Exec(ctx context.Context, query string, args ...any) (rowsAffected int64, err error)
	// Query runs a statement that returns rows.
	Query(ctx context.Context, query string, args ...any) (Rows, error)
	// QueryRow runs a statement that returns at most one row. Its error comes from Scan.
	QueryRow(ctx context.Context, query string, args ...any) Row
}

// TxDB is a DB that can open transactions.
type TxDB interface {
	DB

	// InTx runs fn inside a transaction and commits when fn returns nil. When fn returns an
	// error, panics or ends its goroutine, everything it wrote is rolled back; the error is
	// returned as it is and the panic goes on. Inside fn use only the DB it was given: it is a
	// TxDB too, and its InTx nests by savepoint. It is invalid once fn has returned.
	//
	// On PostgreSQL a failed statement ends the transaction even if fn ignores the error: InTx
	// then rolls back and returns an error (rule 10).
	InTx(ctx context.Context, fn func(tx DB) error) error
}

// ErrArgument is matched by the error for an argument whose type does not behave the same on
// every transport. The text names the position and what to bind instead.
var ErrArgument = errors.New("sqldb: argument type is not portable")

// Dialect names a database. The zero value is no dialect.
type Dialect int

// The databases that the stores of this module know. The names carry the prefix because
// [SQLite] is a constructor.
const (
	DialectPostgres Dialect = iota + 1
	DialectSQLite
)

// String returns "postgres", "sqlite" or "unknown".
func (d Dialect) String() string {
	switch d {
	case DialectPostgres:
		return "postgres"
	case DialectSQLite:
		return "sqlite"
	}
	return "unknown"
}

// DialectOf returns the dialect that db speaks: of a value of this package the one it was made
// with, of any other the answer of its method Dialect() Dialect, and 0 when it has none.
func DialectOf(db DB) Dialect {
	if d, ok := db.(interface{ Dialect() Dialect }); ok {
		return d.Dialect()
	}
	return 0
}

// checkArgs enforces rule 3 and the part of rule 4 that types alone can show.
func checkArgs(args []any) error {
	for i, arg := range args {
		var instead string
		switch arg.(type) {
		case time.Time:
			instead = "bind sqldb.At"
		case *time.Time:
			instead = "bind sqldb.AtPtr"
		case sql.NullTime:
			instead = "bind sqldb.Time"
		case json.RawMessage, *json.RawMessage:
			instead = "bind JSON as a string"
		default:
			continue
		}
		return fmt.Errorf("%w: $%d is a %T, %s", ErrArgument, i+1, arg, instead)
	}
	return nil
}

// errRow is a Row that only has an error.
type errRow struct{ err error }

func (r errRow) Scan(...any) error { return r.err }
