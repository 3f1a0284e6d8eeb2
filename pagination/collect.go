package pagination

import (
	"errors"
	"fmt"
	"slices"
)

// Rows is the result of a query: *sql.Rows, or sqldb.Rows.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Scanner reads the columns of one row.
type Scanner interface {
	Scan(dest ...any) error
}

// Collect reads the rows of [Query.SQL] into a page and closes them, also on an error. Scan is
// called once per row and scans exactly the caller's columns, in the order of [Select.Columns],
// in one call; the sort columns behind them stay hidden, so cursors always hold what the
// database holds. An error of scan or of the rows comes back wrapped, with an empty page.
func Collect[T any](rows Rows, q Query, scan func(Scanner) (T, error)) (page Page[T], err error) {
	page = Page[T]{Items: []T{}, Size: q.size, Page: q.page}
	defer func() {
		if closeErr := rows.Close(); closeErr != nil && err == nil {
			err = fmt.Errorf("pagination: close rows: %w", closeErr)
		}
		if err != nil {
			page = Page[T]{Items: []T{}}
		}
	}()
	if q.spec == nil {
		return page, ErrZeroQuery
	}
	page.rules = q.spec.rules
	row := newRowScanner(rows, q)
	more := false
	for rows.Next() {
		if len(page.Items) == q.size {
			more = true
			break
		}
		row.scanned = false
		item, err := scan(row)
		if err != nil {
			return page, fmt.Errorf("pagination: scan row: %w", err)
		}
		if !row.scanned {
			return page, errors.New("pagination: scan row: Scan was not called")
		}
		row.keep(len(page.Items) == 0)
		page.Items = append(page.Items, item)
	}
	if err := rows.Err(); err != nil {
		return page, fmt.Errorf("pagination: read rows: %w", err)
	}
	if q.backward() {
		slices.Reverse(page.Items)
	}
	if err := finish(&page, q, row, more); err != nil {
		return page, err
	}
	page.count(q)
	return page, nil
}

// finish sets what leads on from the page in both directions.
func finish[T any](page *Page[T], q Query, row *rowScanner, more bool) (err error) {
	cursors := q.spec.mode != PageOnly
	if len(page.Items) == 0 {
		if q.at == nil {
			return nil // an empty list, or a page beyond its end
		}
		// Every row ahead has gone; the position still leads back to where it came from.
		back := q.at.turned()
		if q.backward() {
			page.HasMore = true
			page.NextCursor, err = q.cursorFor(&back)
			return err
		}
		page.PrevCursor, err = q.cursorFor(&back)
		return err
	}
	before, after := q.page > 1 || q.at != nil, more
	if q.backward() {
		before, after = more, true
	}
	page.HasMore = after
	first, last := row.first, row.last
	if q.backward() {
		first, last = last, first
	}
	if cursors && after {
		if page.NextCursor, err = q.cursorFor(&last); err != nil {
			return err
		}
	}
	if cursors && before {
		first.flags = flagBackward
		page.PrevCursor, err = q.cursorFor(&first)
	}
	return err
}

// rowScanner adds the hidden columns to the caller's Scan.
type rowScanner struct {
	rows        Rows
	keys        []keyScan
	seg         *int64
	dest        []any
	scanned     bool
	first, last position
}

func newRowScanner(rows Rows, q Query) *rowScanner {
	r := &rowScanner{rows: rows, keys: make([]keyScan, q.hidden())}
	for i := range r.keys {
		r.keys[i].field = q.keys[i].field
	}
	if q.segmented() {
		r.seg = new(int64)
	}
	return r
}

// Scan reads the caller's columns, and behind its back the hidden ones.
func (r *rowScanner) Scan(dest ...any) error {
	r.dest = append(r.dest[:0], dest...)
	for i := range r.keys {
		r.dest = append(r.dest, &r.keys[i])
	}
	if r.seg != nil {
		r.dest = append(r.dest, r.seg)
	}
	r.scanned = true
	return r.rows.Scan(r.dest...)
}

func (r *rowScanner) keep(first bool) {
	at := &r.last
	at.n = len(r.keys)
	for i := range r.keys {
		at.keys[i] = r.keys[i].value
	}
	if first {
		r.first = r.last
	}
}
