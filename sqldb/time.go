package sqldb

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// TimeLayout is the text form in which [Time] is bound: UTC, microseconds, always 27 bytes, so
// that text order is time order.
const TimeLayout = "2006-01-02T15:04:05.000000Z"

// ErrTime is matched by the error for a time that cannot be stored or read.
var ErrTime = errors.New("sqldb: invalid time")

// Time is a moment as both databases keep it: in UTC, cut to microseconds. Bind [At] of a
// moment and scan into a *Time; the columns are TIMESTAMPTZ on PostgreSQL and TIMESTAMP or TEXT
// on SQLite. The zero Time is NULL both ways.
type Time struct{ time.Time }

var (
	_ driver.Valuer             = Time{}
	_ sql.Scanner               = (*Time)(nil)
	_ pgtype.TimestamptzValuer  = Time{}
	_ pgtype.TimestamptzScanner = (*Time)(nil)
)

// At returns t in UTC, cut to microseconds and without monotonic reading: what reading it back
// will give. Cut a time this way before you hash it or put it into a cursor.
func At(t time.Time) Time {
	return Time{t.UTC().Truncate(time.Microsecond)}
}

// AtPtr is [At] for an optional time: nil becomes the zero Time, which is NULL.
func AtPtr(t *time.Time) Time {
	if t == nil {
		return Time{}
	}
	return At(*t)
}

// Ptr returns the time, or nil for the zero Time.
func (t Time) Ptr() *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t.Time
}

// Value implements [driver.Valuer] with the text of [TimeLayout], or nil for the zero Time. A
// year outside 1 to 9999 has no text that both databases take and is [ErrTime].
func (t Time) Value() (driver.Value, error) {
	at, err := t.storable()
	if err != nil || at.IsZero() {
		return nil, err
	}
	return at.Format(TimeLayout), nil
}

func (t Time) storable() (Time, error) {
	at := At(t.Time)
	if year := at.Year(); !at.IsZero() && (year < 1 || year > 9999) {
		return Time{}, fmt.Errorf("%w: year %d", ErrTime, year)
	}
	return at, nil
}

// TimestamptzValue implements [pgtype.TimestamptzValuer], so that native pgx sends the eight bytes of
// a TIMESTAMPTZ. By Value alone it would try the text as binary, fail, and try again.
func (t Time) TimestamptzValue() (pgtype.Timestamptz, error) {
	at, err := t.storable()
	return pgtype.Timestamptz{Time: at.Time, Valid: !at.IsZero()}, err
}

// ScanTimestamptz implements [pgtype.TimestamptzScanner]. Infinity is [ErrTime], and t keeps its value.
func (t *Time) ScanTimestamptz(v pgtype.Timestamptz) error {
	switch {
	case !v.Valid:
		*t = Time{}
	case v.InfinityModifier != pgtype.Finite:
		return fmt.Errorf("%w: %s", ErrTime, v.InfinityModifier)
	default:
		*t = At(v.Time)
	}
	return nil
}

// Scan implements [sql.Scanner]. It takes NULL, a [time.Time], the text forms of both databases
// (a text without zone is UTC) and int64 microseconds since 1970. Anything else is [ErrTime],
// and t keeps its value.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = Time{}
	case time.Time:
		*t = At(v)
	case int64:
		*t = At(time.UnixMicro(v))
	case string:
		return t.parse(v)
	case []byte:
		return t.parse(string(v))
	default:
		return fmt.Errorf("%w: cannot scan a %T", ErrTime, src)
	}
	return nil
}

func (t *Time) parse(text string) error {
	// time.Parse takes a fraction of a second after any of these without being told.
	layouts := [...]string{
		"2006-01-02T15:04:05Z07:00",     // TimeLayout and RFC 3339
		"2006-01-02 15:04:05Z07:00",     // SQLite functions and the modernc driver
		"2006-01-02 15:04:05Z07",        // PostgreSQL, whole hours
		"2006-01-02 15:04:05Z07:00:00",  // PostgreSQL, historic zones
		"2006-01-02 15:04:05",           // CURRENT_TIMESTAMP of SQLite
		"2006-01-02T15:04:05",           //
		"2006-01-02",                    // a date
		"2006-01-02 15:04:05 -0700 MST", // time.Time.String
	}
	text, _, _ = strings.Cut(text, " m=") // the monotonic reading of time.Time.String
	for _, layout := range layouts {
		if parsed, err := time.Parse(layout, text); err == nil {
			*t = At(parsed)
			return nil
		}
	}
	return fmt.Errorf("%w: text of %d bytes", ErrTime, len(text))
}
