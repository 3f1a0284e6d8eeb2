package pagination_test

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// get fetches the page for a query string, with a cursor when one is given.
func get(t *testing.T, db sqldb.DB, spec *pagination.Spec, query, cursor string) pagination.Page[int64] {
	t.Helper()
	params := values(t, query)
	if cursor != "" {
		params.Set("cursor", cursor)
	}
	q, err := spec.Parse(params, itemTenant)
	require.NoError(t, err)
	return fetch(t, db, q)
}

// forward walks to the end and returns every page.
func forward(t *testing.T, db sqldb.DB, spec *pagination.Spec, query string) []pagination.Page[int64] {
	t.Helper()
	pages := []pagination.Page[int64]{get(t, db, spec, query, "")}
	for pages[len(pages)-1].NextCursor != "" {
		require.Less(t, len(pages), 1_000, "the walk does not end")
		pages = append(pages, get(t, db, spec, query, pages[len(pages)-1].NextCursor))
	}
	return pages
}

func ids(pages []pagination.Page[int64]) []int64 {
	all := []int64{}
	for _, p := range pages {
		all = append(all, p.Items...)
	}
	return all
}

// numbered makes rows 1..n, changed by f.
func numbered(n int, f func(*item)) []item {
	items := make([]item, n)
	for i := range items {
		items[i] = item{ID: int64(i + 1)}
		if f != nil {
			f(&items[i])
		}
	}
	return items
}

func upTo(n int64) []int64 {
	list := []int64{}
	for i := range n {
		list = append(list, i+1)
	}
	return list
}

// Beyond the end there is nothing, and the totals stay right.
func TestPageBeyondTheEnd(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		insertItems(t, db, numbered(5, nil)...)
		page := get(t, db, newSpec(t), "page=9&size=2", "")
		require.Equal(t, []int64{}, page.Items)
		require.Equal(t, int64(5), *page.Total)
		require.Equal(t, int64(3), *page.Pages)
		require.False(t, page.HasMore)
		require.Empty(t, page.NextCursor+page.PrevCursor)
	})
}

// The row a cursor points at may go, and so may all rows ahead of it.
func TestRowUnderTheCursorIsDeleted(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		spec := newSpec(t)
		insertItems(t, db, numbered(6, nil)...)
		first := get(t, db, spec, "sort=id&size=2", "")
		require.NoError(t, deleteItem(db, 2))
		second := get(t, db, spec, "sort=id&size=2", first.NextCursor)
		require.Equal(t, []int64{3, 4}, second.Items)

		require.NoError(t, deleteItem(db, 5))
		require.NoError(t, deleteItem(db, 6))
		end := get(t, db, spec, "sort=id&size=2", second.NextCursor)
		require.Equal(t, []int64{}, end.Items)
		require.False(t, end.HasMore)
		back := get(t, db, spec, "sort=id&size=2", end.PrevCursor)
		require.Equal(t, []int64{3, 4}, back.Items, "the row at the position is part of the way back")
		require.NoError(t, deleteItem(db, 1))
		start := get(t, db, spec, "sort=id&size=2", back.PrevCursor)
		require.Equal(t, []int64{}, start.Items)
		require.True(t, start.HasMore)
		again := get(t, db, spec, "sort=id&size=2", start.NextCursor)
		require.Equal(t, []int64{3, 4}, again.Items)
	})
}

// Ties and NULLs only, and the border between values and NULLs at every size.
func TestTiesAndNulls(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		spec := newSpec(t)
		insertItems(t, db, numbered(9, nil)...) // rank ties, everything nullable is NULL
		for _, sort := range []string{"rank", "name", "-name", "score,-at", "-score,at", "-done,name,-day"} {
			pages := forward(t, db, spec, "size=2&sort="+sort)
			got := ids(pages)
			slices.Sort(got)
			require.Equal(t, upTo(9), got, sort)
		}
		for i := range int64(4) {
			_, err := db.Exec(t.Context(), `UPDATE items SET name = $1 WHERE id = $2`, "v"+strconv.FormatInt(i, 10), i+1)
			require.NoError(t, err)
		}
		for size := 1; size <= 9; size++ {
			query := "size=" + strconv.Itoa(size)
			require.Equal(t, upTo(9), ids(forward(t, db, spec, query+"&sort=name")), "values, then NULLs")
			require.Equal(t, []int64{9, 8, 7, 6, 5, 4, 3, 2, 1}, ids(forward(t, db, spec, query+"&sort=-name")), "NULLs, then values")
		}
	})
}

// There and back, with has_more and the cursors at both ends.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		spec := newSpec(t)
		next := func(it *item) {
			it.Rank = it.ID % 3
			if it.ID%2 == 0 {
				it.Score = ptr(float64(it.ID % 5))
			}
		}
		for _, n := range []int{0, 1, 3, 4, 12, 13} {
			_, err := db.Exec(t.Context(), `DELETE FROM items`)
			require.NoError(t, err)
			insertItems(t, db, numbered(n, next)...)
			for _, sort := range []string{"id", "-rank", "score", "-score,rank", "rank,-score"} {
				query := "size=3&sort=" + sort
				pages := forward(t, db, spec, query)
				require.Len(t, ids(pages), n, query)
				require.Len(t, pages, max(1, (n+2)/3), "exactly size rows are one page")
				require.Empty(t, pages[0].PrevCursor)
				for i, p := range pages {
					require.Equal(t, i < len(pages)-1, p.HasMore)
				}
				back := pages[len(pages)-1]
				mirrored := []pagination.Page[int64]{back}
				for back.PrevCursor != "" {
					back = get(t, db, spec, query, back.PrevCursor)
					require.True(t, back.HasMore)
					mirrored = append([]pagination.Page[int64]{back}, mirrored...)
				}
				require.Equal(t, ids(pages), ids(mirrored), query)
			}
		}
	})
}

// Turning round in the middle repeats nothing of the page at hand.
func TestTurningRound(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		spec := newSpec(t)
		insertItems(t, db, numbered(12, func(it *item) {
			if it.ID > 6 {
				it.Name = ptr("x")
			}
		})...)
		for _, sort := range []string{"id", "-name", "name,-rank"} {
			query := "size=3&sort=" + sort
			all := ids(forward(t, db, spec, query))
			one := get(t, db, spec, query, "")
			two := get(t, db, spec, query, one.NextCursor)
			three := get(t, db, spec, query, two.NextCursor)
			require.Equal(t, two.Items, get(t, db, spec, query, three.PrevCursor).Items, sort)
			require.Equal(t, one.Items, get(t, db, spec, query, two.PrevCursor).Items, sort)
			turned := get(t, db, spec, query, three.PrevCursor)
			require.Equal(t, three.Items, get(t, db, spec, query, turned.NextCursor).Items, sort)
			require.Equal(t, all[:9], slices.Concat(one.Items, two.Items, three.Items))
			// Page mode leads on by cursor, too.
			paged := get(t, db, spec, query+"&page=2", "")
			require.Equal(t, three.Items, get(t, db, spec, query, paged.NextCursor).Items)
			require.Equal(t, one.Items, get(t, db, spec, query, paged.PrevCursor).Items)
		}
	})
}

// Rows inserted behind the walk stay unseen, rows ahead of it are met.
func TestRowsInsertedDuringTheWalk(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		spec := newSpec(t)
		for i := int64(10); i <= 60; i += 10 {
			insertItems(t, db, item{ID: i})
		}
		first := get(t, db, spec, "sort=id&size=2", "")
		insertItems(t, db, item{ID: 5}, item{ID: 15}, item{ID: 20 - 1}, item{ID: 25}, item{ID: 65})
		rest := []int64{}
		for cursor := first.NextCursor; cursor != ""; {
			page := get(t, db, spec, "sort=id&size=2", cursor)
			rest = append(rest, page.Items...)
			cursor = page.NextCursor
		}
		require.Equal(t, []int64{25, 30, 40, 50, 60, 65}, rest)
	})
}

// The sort column is not among the caller's columns. Neither test list selects one, so
// here the caller selects a single computed column.
func TestSortColumnNotSelected(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		spec := newSpec(t)
		insertItems(t, db, numbered(5, func(it *item) { it.Name = ptr(string(rune('a' + it.ID))) })...)
		only := pagination.Select{Columns: "'n' || i.name", From: "items AS i"}
		got, cursor := []string{}, ""
		for {
			params := url.Values{"sort": {"-name"}, "size": {"2"}}
			if cursor != "" {
				params.Set("cursor", cursor)
			}
			q, err := spec.Parse(params)
			require.NoError(t, err)
			text, args, err := q.SQL(only)
			require.NoError(t, err)
			rows, err := db.Query(t.Context(), text, args...)
			require.NoError(t, err)
			page, err := pagination.Collect(rows, q, scanText)
			require.NoError(t, err)
			got = append(got, page.Items...)
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		require.Equal(t, []string{"nf", "ne", "nd", "nc", "nb"}, got)
	})
}

// Both databases give the same sequence, text in byte order.
func TestSameSequenceEverywhere(t *testing.T) {
	t.Parallel()
	names := []*string{ptr("b"), ptr("B"), nil, ptr("é"), ptr(""), ptr("a_"), ptr("Z"), ptr("a"), ptr("ß"), nil, ptr("aa")}
	want := map[string][]int64{
		"name":      {5, 2, 7, 8, 6, 11, 1, 9, 4, 3, 10},
		"-name":     {10, 3, 4, 9, 1, 11, 6, 8, 7, 2, 5},
		"name,-id":  {5, 2, 7, 8, 6, 11, 1, 9, 4, 10, 3},
		"-name,id":  {3, 10, 4, 9, 1, 11, 6, 8, 7, 2, 5},
		"rank,name": {5, 2, 7, 8, 6, 11, 1, 9, 4, 3, 10},
	}
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		insertItems(t, db, numbered(len(names), func(it *item) { it.Name = names[it.ID-1] })...)
		for sort, sequence := range want {
			require.Equal(t, sequence, ids(forward(t, db, newSpec(t), "size=2&sort="+sort)), sort)
		}
	})
}

// The capped count at its border.
func TestCappedCount(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, tr transport, db sqldb.TxDB) {
		insert := `INSERT INTO items (id, tenant, rank, big, folded, uid)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
			SELECT i, 't1', 0, 0, '', `
		if tr.dialect == sqldb.DialectPostgres {
			insert += `gen_random_uuid() FROM n`
		} else {
			insert += `CAST(i AS TEXT) FROM n`
		}
		_, err := db.Exec(t.Context(), insert)
		require.NoError(t, err)
		spec := newSpec(t)
		page := get(t, db, spec, "", "")
		require.Equal(t, int64(9999), *page.Total)
		require.Equal(t, pagination.TotalExact, page.TotalKind)
		insertItems(t, db, item{ID: 10_000})
		page = get(t, db, spec, "", "")
		require.Equal(t, int64(10_000), *page.Total)
		require.Equal(t, int64(500), *page.Pages)
		insertItems(t, db, item{ID: 10_001})
		page = get(t, db, spec, "", "")
		require.Equal(t, pagination.TotalAtLeast, page.TotalKind)
		require.Nil(t, page.Total)
		require.Nil(t, page.Pages)
		exact := newSpec(t, func(c *pagination.Config) { c.Count = pagination.CountExact })
		require.Equal(t, int64(10_001), *get(t, db, exact, "", "").Total)
		require.Equal(t, int64(1), *get(t, db, exact, "id=7", "").Total)
		require.Nil(t, get(t, db, spec, "", page.NextCursor).Total, "a cursor page counts nothing")
	})
}

// Rows that come between count and page never make the total smaller than its items.
func TestTotalIsNeverBelowItems(t *testing.T) {
	t.Parallel()
	spec := newSpec(t)
	for _, tc := range []struct {
		query       string
		rows        int
		counted     int64
		total, kind any
	}{
		{"size=3", 3, 0, int64(3), "exact"},
		{"size=3", 4, 1, int64(4), "exact"},
		{"size=3&page=3", 2, 1, int64(8), "exact"},
		{"size=3&page=3", 0, 1, int64(1), "exact"},
		{"size=3", 4, 50, int64(50), "exact"},
		{"size=3", 4, 10_001, nil, "at_least"},
		{"size=100&page=100", 101, 10_000, nil, "at_least"},
	} {
		q := parse(t, spec, tc.query).WithTotal(tc.counted)
		page := fakePage(t, q, tc.rows, int64(1), int64(2))
		require.Equal(t, tc.kind, page.TotalKind)
		if tc.total == nil {
			require.Nil(t, page.Total)
			continue
		}
		require.Equal(t, tc.total, *page.Total, tc.query)
		require.Equal(t, (*page.Total+int64(page.Size)-1)/int64(page.Size), *page.Pages)
	}
}

func TestRowsInsertedBetweenCountAndPage(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		spec := newSpec(t)
		for _, tc := range []struct{ before, after, total int64 }{{0, 3, 3}, {3, 12, 11}} {
			// A page of ten out of twelve knows of its rows and of one more.
			q, err := parse(t, spec, "sort=id&size=10", itemTenant).Count(t.Context(), base,
				func(ctx context.Context, query string, args ...any) (n int64, err error) {
					err = db.QueryRow(ctx, query, args...).Scan(&n)
					return n, err
				})
			require.NoError(t, err)
			for id := tc.before + 1; id <= tc.after; id++ {
				insertItems(t, db, item{ID: id})
			}
			text, args, err := q.SQL(base)
			require.NoError(t, err)
			rows, err := db.Query(t.Context(), text, args...)
			require.NoError(t, err)
			page, err := pagination.Collect(rows, q, func(row pagination.Scanner) (id int64, err error) {
				var rank int64
				err = row.Scan(&id, &rank)
				return id, err
			})
			require.NoError(t, err)
			require.Equal(t, tc.total, *page.Total)
			require.GreaterOrEqual(t, *page.Total, int64(len(page.Items)))
		}
	})
}

func TestEstimatedCount(t *testing.T) {
	t.Parallel()
	estimate, asked := int64(5_000_000), 0
	spec := newSpec(t, func(c *pagination.Config) {
		c.Count = pagination.CountEstimated
		c.Estimate = func(context.Context) (int64, error) { asked++; return estimate, nil }
	})
	counted := 0
	scalar := func(context.Context, string, ...any) (int64, error) { counted++; return 7, nil }
	total := func(query string) pagination.Page[string] {
		q, err := parse(t, spec, query).Count(t.Context(), base, scalar)
		require.NoError(t, err)
		return fakePage(t, q, 3, int64(1), int64(2))
	}
	page := total("")
	require.Equal(t, int64(5_000_000), *page.Total)
	require.Equal(t, pagination.TotalEstimated, page.TotalKind)
	require.Nil(t, page.Pages)
	require.Equal(t, []int{1, 0}, []int{asked, counted})

	page = total("rank=1") // an estimate of the whole list would be wrong
	require.Equal(t, int64(7), *page.Total)
	require.Equal(t, []int{1, 1}, []int{asked, counted})
	estimate = -1 // not known
	require.Equal(t, pagination.TotalExact, total("").TotalKind)
	require.Equal(t, []int{2, 2}, []int{asked, counted})
}

func TestCountErrorsAreWrapped(t *testing.T) {
	t.Parallel()
	scalar := func(context.Context, string, ...any) (int64, error) { return 0, context.Canceled }
	_, err := parse(t, newSpec(t), "").Count(t.Context(), base, scalar)
	require.ErrorIs(t, err, context.Canceled)
	spec := newSpec(t, func(c *pagination.Config) {
		c.Count = pagination.CountEstimated
		c.Estimate = func(context.Context) (int64, error) { return 0, context.DeadlineExceeded }
	})
	_, err = parse(t, spec, "").Count(t.Context(), base, scalar)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A list that knows cursors only begins without a page number and without a total.
func TestCursorOnlyList(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		insertItems(t, db, numbered(5, nil)...)
		spec := newSpec(t, func(c *pagination.Config) { c.Mode, c.Count = pagination.CursorOnly, pagination.CountExact })
		pages := forward(t, db, spec, "size=2&sort=id")
		require.Equal(t, upTo(5), ids(pages))
		for _, p := range pages {
			require.Zero(t, p.Page)
			require.Nil(t, p.Total)
			require.Empty(t, p.TotalKind)
		}
	})
}

// One tenant never sees another's rows, whatever the filters say.
func TestTenantsStayApart(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		insertItems(t, db, numbered(6, func(it *item) {
			if it.ID%2 == 0 {
				it.Tenant = "t2"
			}
		})...)
		spec := newSpec(t)
		require.Equal(t, []int64{1, 3, 5}, ids(forward(t, db, spec, "size=1&sort=-name,id")))
		require.Equal(t, []int64{}, ids(forward(t, db, spec, "tenant=t2")))
	})
}
