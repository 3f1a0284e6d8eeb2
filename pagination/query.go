package pagination

import (
	"context"
	"fmt"
)

// Query is one checked request for a page. It is immutable, safe for concurrent use, and made by
// [Spec.Parse] only; the zero Query gives [ErrZeroQuery].
type Query struct {
	spec    *Spec
	mode    queryMode
	size    int
	page    int64
	keys    []key
	filters []filter
	search  string
	print   fingerprint
	at      *position // cursor mode only
	count   CountMode
	total   int64
	counted bool
}

type queryMode uint8

const (
	pageMode   queryMode = iota // by page number
	firstMode                   // the first page of a list that knows cursors only
	cursorMode                  // from a position
)

type filter struct {
	field  *field
	op     Op
	id     string
	values []value
}

// Size returns the page size that was asked for, or the default.
func (q Query) Size() int { return q.size }

// Page returns the one-based page number, 0 in cursor mode.
func (q Query) Page() int64 { return q.page }

// Sort returns the order in the grammar of the sort parameter, tie-breaker included.
func (q Query) Sort() string { return sortText(q.keys) }

func (q Query) offset() int64 {
	if q.mode != pageMode {
		return 0
	}
	return (q.page - 1) * int64(q.size)
}

// Filtered reports whether a filter or a search narrows the list.
func (q Query) Filtered() bool { return len(q.filters) > 0 || q.search != "" }

// CountMode returns how the total is to be found: CountNone in cursor mode, otherwise the
// configured mode, lowered by the request and to CountCapped where an estimate would be wrong.
func (q Query) CountMode() CountMode {
	if q.spec == nil || q.mode != pageMode {
		return CountNone
	}
	return q.count
}

// WithTotal returns q knowing the count, so that [Collect] can report it. Use it when the result
// of [Query.CountSQL] was fetched by other means than [Query.Count].
func (q Query) WithTotal(n int64) Query {
	q.total, q.counted = max(n, 0), true
	return q
}

// Count finds the total the way the spec says and returns q knowing it; run it before [Query.SQL]
// and [Collect]. In cursor mode, and with CountNone, it does nothing. Scalar runs one statement
// that returns one integer:
//
//	q, err = q.Count(ctx, base, func(ctx context.Context, query string, args ...any) (n int64, err error) {
//		err = db.QueryRow(ctx, query, args...).Scan(&n)
//		return n, err
//	})
func (q Query) Count(
	ctx context.Context, base Select, scalar func(ctx context.Context, query string, args ...any) (int64, error),
) (Query, error) {
	if q.spec == nil {
		return q, ErrZeroQuery
	}
	switch q.CountMode() {
	case CountNone:
		return q, nil
	case CountEstimated:
		n, err := q.spec.estimate(ctx)
		if err != nil {
			return q, fmt.Errorf("pagination: estimate: %w", err)
		}
		if n >= 0 {
			return q.WithTotal(n), nil
		}
		q.count = CountCapped
	}
	text, args, err := q.CountSQL(base)
	if err != nil {
		return q, err
	}
	n, err := scalar(ctx, text, args...)
	if err != nil {
		return q, fmt.Errorf("pagination: count: %w", err)
	}
	return q.WithTotal(n), nil
}

// cursorFor seals a position of this query.
func (q Query) cursorFor(p *position) (string, error) {
	return q.spec.keyring.seal(p, &q.print)
}

// backward says that rows are read from the end of the page to its start.
func (q Query) backward() bool { return q.at != nil && q.at.backward() }

// hidden is the number of key columns behind the caller's.
func (q Query) hidden() int {
	if q.spec.mode == PageOnly {
		return 0
	}
	return len(q.keys)
}
