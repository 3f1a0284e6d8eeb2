package pagination_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
)

func TestCollectFailures(t *testing.T) {
	t.Parallel()
	spec := newSpec(t)
	broken := errors.New("broken")
	row := []any{"a", int64(1), int64(2)}
	for name, tc := range map[string]struct {
		rows *fakeRows
		scan func(pagination.Scanner) (string, error)
		want error
	}{
		"rows fail":     {rows: &fakeRows{rows: [][]any{row}, err: broken}, scan: scanText, want: broken},
		"close fails":   {rows: &fakeRows{rows: [][]any{row}, closeErr: broken}, scan: scanText, want: broken},
		"scan fails":    {rows: &fakeRows{rows: [][]any{row}}, scan: func(pagination.Scanner) (string, error) { return "", broken }, want: broken},
		"scan forgot":   {rows: &fakeRows{rows: [][]any{row}}, scan: func(pagination.Scanner) (string, error) { return "", nil }},
		"null in a key": {rows: &fakeRows{rows: [][]any{{"a", nil, int64(2)}}}, scan: scanText, want: pagination.ErrNullKey},
		"wrong type":    {rows: &fakeRows{rows: [][]any{{"a", "x", int64(2)}}}, scan: scanText},
		"odd type":      {rows: &fakeRows{rows: [][]any{{"a", struct{}{}, int64(2)}}}, scan: scanText},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page, err := pagination.Collect(tc.rows, parse(t, spec, ""), tc.scan)
			require.Error(t, err)
			if tc.want != nil {
				require.ErrorIs(t, err, tc.want)
			}
			require.NotNil(t, page.Items)
			require.Empty(t, page.Items)
			require.Equal(t, 1, tc.rows.closed)
		})
	}
}

func TestSlice(t *testing.T) {
	t.Parallel()
	list := []string{"a", "b", "c", "d", "e"}
	spec := newSpec(t, pageOnly)
	for query, want := range map[string][]string{
		"size=2": {"a", "b"}, "size=2&page=3": {"e"}, "size=5": list, "size=2&page=4": {}, "size=2&page=50000": {},
	} {
		page, err := pagination.Slice(list, parse(t, spec, query))
		require.NoError(t, err)
		require.Equal(t, want, page.Items, query)
		require.Equal(t, int64(5), *page.Total)
		require.Equal(t, query == "size=2", page.HasMore, query)
		require.Empty(t, page.NextCursor)
	}
	page, err := pagination.Slice([]string(nil), parse(t, spec, ""))
	require.NoError(t, err)
	require.NotNil(t, page.Items)
	page, err = pagination.Slice(list, parse(t, spec, "size=2"))
	require.NoError(t, err)
	_ = append(page.Items, "x")
	require.Equal(t, "c", list[2], "the list is not aliased")

	both := newSpec(t)
	cursor := firstCursor(t, both, "", int64(1), int64(2))
	_, err = pagination.Slice(list, parse(t, both, "cursor="+cursor, "tenant a"))
	require.ErrorIs(t, err, pagination.ErrCursorSlice)
}

// pages is a source of n pages with two items each, named by their cursor.
func pages(n int, asked *[]string) func(context.Context, string) (pagination.Page[string], error) {
	return func(_ context.Context, cursor string) (pagination.Page[string], error) {
		*asked = append(*asked, cursor)
		at, _ := strconv.Atoi(cursor)
		page := pagination.Page[string]{Items: []string{fmt.Sprint(at, "a"), fmt.Sprint(at, "b")}}
		if at+1 < n {
			page.NextCursor = strconv.Itoa(at + 1)
		}
		return page, nil
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	var asked, got []string
	for item, err := range pagination.All(t.Context(), pages(3, &asked)) {
		require.NoError(t, err)
		got = append(got, item)
	}
	require.Equal(t, []string{"0a", "0b", "1a", "1b", "2a", "2b"}, got)
	require.Equal(t, []string{"", "1", "2"}, asked)

	asked = nil
	for range pagination.All(t.Context(), pages(3, &asked)) {
		break
	}
	require.Equal(t, []string{""}, asked, "breaking off fetches nothing more")
}

func TestAllEnds(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx  context.Context
		next func(context.Context, string) (pagination.Page[string], error)
		want error
	}{
		"error": {t.Context(), func(context.Context, string) (pagination.Page[string], error) {
			return pagination.Page[string]{}, broken
		}, broken},
		"loop": {t.Context(), func(context.Context, string) (pagination.Page[string], error) {
			return pagination.Page[string]{NextCursor: "same"}, nil
		}, pagination.ErrLoop},
		"cancelled": {cancelled, pages(3, new([]string)), context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var last error
			n := 0
			for _, err := range pagination.All(tc.ctx, tc.next) {
				last = err
				n++
			}
			require.ErrorIs(t, last, tc.want)
			require.Equal(t, 1, n)
		})
	}
}
