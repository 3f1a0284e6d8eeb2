package softdelete

import (
	"errors"
	"fmt"
)

// Conditions a caller may want to tell apart with errors.Is. None of them leaves anything written.
var (
	// ErrNotFound reports a row that does not exist in the scope and the tenant that were asked.
	ErrNotFound = errors.New("softdelete: not found")
	// ErrAlreadyDeleted reports the deletion of a deleted row. Time and actor of the first
	// deletion are kept.
	ErrAlreadyDeleted = errors.New("softdelete: already deleted")
	// ErrNotDeleted reports the restoration or the purge of a live row.
	ErrNotDeleted = errors.New("softdelete: not deleted")
	// ErrConflict reports a restoration that would break a unique index: a live row has taken
	// the value meanwhile. It wraps the driver's error; sqldb.UniqueViolation names the index.
	ErrConflict = errors.New("softdelete: a live row holds the same value")
	// ErrParentDeleted reports the restoration of a row whose parent is deleted or missing.
	ErrParentDeleted = errors.New("softdelete: parent is deleted")
	// ErrBlocked reports the purge of a row that others still refer to.
	ErrBlocked = errors.New("softdelete: other rows refer to it")
	// ErrNoTenant reports a call on a Repository that has a tenant column and was told neither a
	// tenant with For nor AllTenants.
	ErrNoTenant = errors.New("softdelete: no tenant given")
	// ErrScope reports a scope that does not exist, or more than one.
	ErrScope = errors.New("softdelete: invalid scope")
)

// errAgain says that a row changed between a guarded write and the look at why it did nothing.
var errAgain = errors.New("softdelete: row changes too fast")

// ManyError says which rows stood in the way of DeleteMany. It matches [ErrNotFound] and
// [ErrAlreadyDeleted] as far as it lists such rows.
type ManyError[K comparable] struct {
	NotFound       []K // in the order of the call
	AlreadyDeleted []K
}

// Error counts the rows; it does not repeat their ids.
func (e *ManyError[K]) Error() string {
	return fmt.Sprintf("softdelete: %d not found, %d already deleted", len(e.NotFound), len(e.AlreadyDeleted))
}

// Unwrap returns the sentinels that apply.
func (e *ManyError[K]) Unwrap() []error {
	var list []error
	if len(e.NotFound) > 0 {
		list = append(list, ErrNotFound)
	}
	if len(e.AlreadyDeleted) > 0 {
		list = append(list, ErrAlreadyDeleted)
	}
	return list
}

// ConfigError is one fault in a [Config], a [PurgerConfig], a [PurgeOptions] or, from Check, in
// the tables.
type ConfigError struct {
	Field  string // "Children[0].Table"
	Value  any    // what it holds
	Reason string // what is wrong with it
}

// Error returns field, value and reason in one line.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("softdelete: %s %q: %s", e.Field, fmt.Sprint(e.Value), e.Reason)
}

// changeError is an error of OnChange: a constraint that it names is not one of our rows'.
type changeError struct{ error }

// Unwrap returns the error as OnChange gave it.
func (e changeError) Unwrap() error { return e.error }

func ofOnChange(err error) bool {
	var e changeError
	return errors.As(err, &e)
}

// isForeignKey says that err is a foreign key that still points at a row. The drivers' own
// methods tell it, so none of them is imported.
func isForeignKey(err error) bool {
	if ofOnChange(err) {
		return false
	}
	var pg interface {
		error
		SQLState() string
	}
	if errors.As(err, &pg) {
		return pg.SQLState() == "23503" || pg.SQLState() == "23001"
	}
	var lite interface {
		error
		Code() int
	}
	// 787 is SQLITE_CONSTRAINT_FOREIGNKEY; ON DELETE RESTRICT answers as a trigger, 1811.
	return errors.As(err, &lite) && (lite.Code() == 787 || lite.Code() == 1811)
}
