package pagination_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
)

// fakeRows are rows without a database: the visible columns first, then the sort columns.
type fakeRows struct {
	rows     [][]any
	at       int
	err      error
	closeErr error
	closed   int
}

func (r *fakeRows) Next() bool {
	r.at++
	return r.at <= len(r.rows)
}

func (r *fakeRows) Scan(dest ...any) error {
	row := r.rows[r.at-1]
	if len(dest) != len(row) {
		return fmt.Errorf("%d columns into %d places", len(row), len(dest))
	}
	for i, d := range dest {
		switch d := d.(type) {
		case sql.Scanner:
			if err := d.Scan(row[i]); err != nil {
				return err
			}
		case *string:
			*d = row[i].(string)
		case *int64:
			*d = row[i].(int64)
		}
	}
	return nil
}

func (r *fakeRows) Err() error { return r.err }

func (r *fakeRows) Close() error {
	r.closed++
	return r.closeErr
}

func parse(t testing.TB, spec *pagination.Spec, query string, scope ...string) pagination.Query {
	t.Helper()
	q, err := spec.Parse(values(t, query), scope...)
	require.NoError(t, err)
	return q
}

func values(t testing.TB, query string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(query)
	require.NoError(t, err)
	return v
}

// fakePage collects n+1 rows with the given sort values, so that the page has a next cursor.
func fakePage(t testing.TB, q pagination.Query, n int, keys ...any) pagination.Page[string] {
	t.Helper()
	rows := &fakeRows{}
	for i := range n {
		rows.rows = append(rows.rows, append([]any{fmt.Sprintf("row %d", i+1)}, keys...))
	}
	page, err := pagination.Collect(rows, q, scanText)
	require.NoError(t, err)
	require.Equal(t, 1, rows.closed)
	return page
}

func scanText(row pagination.Scanner) (s string, err error) {
	err = row.Scan(&s)
	return s, err
}

// codes lists the faults of err as "param code".
func codes(err error) []string {
	list := []string{}
	for _, e := range pagination.Errors(err) {
		list = append(list, e.Param+" "+e.Code)
	}
	return list
}
