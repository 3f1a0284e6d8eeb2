package pagination

import (
	"errors"
	"fmt"
)

// Codes of [Error.Code]. They are part of the package's contract and never change their meaning.
const (
	CodeWrongType           = "wrong_type"           // not a number, not true or false
	CodeOutOfRange          = "out_of_range"         // a number or a count outside its limits
	CodeBadFormat           = "bad_format"           // not a time, a date, a UUID or clean text
	CodeTooShort            = "too_short"            // search term below its minimum
	CodeTooLong             = "too_long"             // search term or filter value above its maximum
	CodeNotAllowed          = "not_allowed"          // not one of the listed values
	CodeUnknownParameter    = "unknown_parameter"    // no such parameter or operator
	CodeRepeatedParameter   = "repeated_parameter"   // the same parameter twice
	CodeExclusiveParameters = "exclusive_parameters" // page together with cursor
	CodeUnknownSort         = "unknown_sort"         // a sort field that is not on the list
	CodeInvalidCursor       = "invalid_cursor"       // damaged, or made for another list
	CodeTooDeep             = "too_deep"             // a page beyond [Config.MaxOffset]
)

// Conditions a caller may want to tell apart with [errors.Is].
var (
	// ErrInvalidCursor is wrapped by every [Error] with [CodeInvalidCursor]. The client starts
	// the list again.
	ErrInvalidCursor = errors.New("pagination: invalid cursor")
	// ErrTooDeep is wrapped by every [Error] with [CodeTooDeep]. The client goes on by cursor.
	ErrTooDeep = errors.New("pagination: page too deep")
	// ErrZeroQuery reports a Query that no [Spec] has made.
	ErrZeroQuery = errors.New("pagination: zero query")
	// ErrNullKey reports a NULL in a sort column that is not declared [Field.Nullable].
	ErrNullKey = errors.New("pagination: null in a sort column that is not nullable")
	// ErrKeyTooLong reports sort values that do not fit into a cursor (about 5 kB).
	ErrKeyTooLong = errors.New("pagination: sort values too long for a cursor")
	// ErrCursorSlice reports a cursor handed to [Slice], which knows page numbers only.
	ErrCursorSlice = errors.New("pagination: slice cannot follow a cursor")
	// ErrLoop reports a source that handed [All] the same cursor twice in a row.
	ErrLoop = errors.New("pagination: next cursor repeats")
)

// Error is one fault in one request parameter. Neither field repeats what the client sent as a
// value and neither names a column, so an Error can be shown to the client as it is. It carries
// no HTTP status: that is the caller's choice.
type Error struct {
	// Param is the parameter's name. A name that is not one of ours is cut to 64 bytes and its
	// unprintable characters are replaced.
	Param string
	// Code is one of the Code constants.
	Code string
	// Detail is one English sentence for the person who wrote the client.
	Detail string
}

// Error returns the parameter, the code and the detail in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("pagination: %s: %s: %s", e.Param, e.Code, e.Detail)
}

// Unwrap returns [ErrInvalidCursor] or [ErrTooDeep] for their codes, otherwise nil.
func (e *Error) Unwrap() error {
	switch e.Code {
	case CodeInvalidCursor:
		return ErrInvalidCursor
	case CodeTooDeep:
		return ErrTooDeep
	}
	return nil
}

// Errors returns every [Error] inside err, in the order they were found. It is empty when err is
// nil or comes from elsewhere.
func Errors(err error) []*Error {
	var found []*Error
	switch e := err.(type) { //nolint:errorlint // the tree is walked here, node by node
	case nil:
	case *Error:
		found = append(found, e)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			found = append(found, Errors(inner)...)
		}
	case interface{ Unwrap() error }:
		found = Errors(e.Unwrap())
	}
	return found
}

// ConfigError is one fault in a [Config] or a [Key].
type ConfigError struct {
	Field  string // name of the field, with an index where it is a list
	Value  any    // what it held; never a secret
	Reason string // what is wrong with it
}

// Error returns field, value and reason in one line.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("pagination: config %s = %v: %s", e.Field, e.Value, e.Reason)
}
