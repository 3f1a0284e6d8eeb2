package pagination_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
)

func clamp(c *pagination.Config)    { c.Clamp = true }
func pageOnly(c *pagination.Config) { c.Mode, c.Keyring = pagination.PageOnly, nil }

// paramCase is one request and the faults it has; none means it is accepted.
type paramCase struct {
	query string
	want  []string
}

func runParams(t *testing.T, spec *pagination.Spec, cases []paramCase) {
	t.Helper()
	for _, tc := range cases {
		name := tc.query
		if len(name) > 60 {
			name = name[:60]
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q, err := spec.Parse(values(t, tc.query))
			if len(tc.want) == 0 {
				require.NoError(t, err)
				return
			}
			require.Equal(t, tc.want, codes(err))
			_, _, sqlErr := q.SQL(base)
			require.ErrorIs(t, sqlErr, pagination.ErrZeroQuery, "a faulty request leaves no usable query")
		})
	}
}

func TestSizeStrict(t *testing.T) {
	t.Parallel()
	runParams(t, newSpec(t), []paramCase{
		{"", nil},
		{"size=1", nil},
		{"size=100", nil},
		{"size=0", []string{"size out_of_range"}},
		{"size=101", []string{"size out_of_range"}},
		{"size=-1", []string{"size out_of_range"}},
		{"size=abc", []string{"size wrong_type"}},
		{"size=1e3", []string{"size wrong_type"}},
		{"size=%2B5", []string{"size wrong_type"}},
		{"size=+5", []string{"size wrong_type"}},
		{"size=0x10", []string{"size wrong_type"}},
		{"size=1_0", []string{"size wrong_type"}},
		{"size=٣", []string{"size wrong_type"}},
		{"size=9223372036854775808", []string{"size out_of_range"}},
		{"size=", []string{"size wrong_type"}},
		{"size=-", []string{"size wrong_type"}},
		{"size=5&size=5", []string{"size repeated_parameter"}},
	})
}

// With Clamp sizes are lenient, as AIP-158 has it.
func TestSizeClamp(t *testing.T) {
	t.Parallel()
	spec := newSpec(t, clamp)
	for query, want := range map[string]int{"": 20, "size=0": 20, "size=101": 100, "size=1000000000000": 100, "size=7": 7} {
		require.Equal(t, want, parse(t, spec, query).Size(), query)
	}
	runParams(t, spec, []paramCase{
		{"size=-1", []string{"size out_of_range"}},
		{"size=abc", []string{"size wrong_type"}},
		{"size=9223372036854775808", []string{"size out_of_range"}},
	})
}

// Page numbers, their overflow and their depth.
func TestPageNumbers(t *testing.T) {
	t.Parallel()
	runParams(t, newSpec(t), []paramCase{
		{"page=1", nil},
		{"page=1001&size=100", nil},
		{"page=1002&size=100", []string{"page too_deep"}},
		{"page=100001&size=1", nil},
		{"page=0", []string{"page out_of_range"}},
		{"page=-1", []string{"page out_of_range"}},
		{"page=4611686018427387904&size=100", []string{"page too_deep"}},
		{"page=9223372036854775807&size=100", []string{"page too_deep"}},
		{"page=9223372036854775808", []string{"page out_of_range"}},
		{"page=abc", []string{"page wrong_type"}},
		{"page=", []string{"page wrong_type"}},
		{"page=1&page=2", []string{"page repeated_parameter"}},
	})
}

func TestPageTooDeepNamesTheCursor(t *testing.T) {
	t.Parallel()
	_, err := newSpec(t).Parse(url.Values{"page": {"9999999"}})
	require.ErrorIs(t, err, pagination.ErrTooDeep)
	var fault *pagination.Error
	require.ErrorAs(t, err, &fault)
	require.Contains(t, fault.Detail, "cursor")

	_, err = newSpec(t, pageOnly).Parse(url.Values{"page": {"9999999"}})
	require.ErrorAs(t, err, &fault)
	require.NotContains(t, fault.Detail, "cursor", "there is none")
}

func TestPageWithoutLimitDoesNotWrap(t *testing.T) {
	t.Parallel()
	spec := newSpec(t, func(c *pagination.Config) { c.MaxOffset = -1 })
	_, args, err := parse(t, spec, "page=92233720368547758&size=100").SQL(base)
	require.NoError(t, err)
	require.Equal(t, int64(9223372036854775700), args[len(args)-1])
	_, err = spec.Parse(values(t, "page=9223372036854775807&size=100"))
	require.ErrorIs(t, err, pagination.ErrTooDeep)
}

// Exclusive and unknown parameters.
func TestExclusiveAndUnknown(t *testing.T) {
	t.Parallel()
	spec := newSpec(t)
	next := fakePage(t, parse(t, spec, "size=1"), 2, int64(1), int64(2)).NextCursor
	runParams(t, spec, []paramCase{
		{"size=1&cursor=" + next, nil},
		{"page=1&cursor=" + next, []string{"page exclusive_parameters"}},
		{"page=0&cursor=x", []string{"page exclusive_parameters", "page out_of_range"}},
		{"cursor=", []string{"cursor invalid_cursor"}},
		{"cursor=x&cursor=y", []string{"cursor repeated_parameter"}},
		{"Page=1", []string{"Page unknown_parameter"}},
		{"foo=1", []string{"foo unknown_parameter"}},
		{"=1", []string{" unknown_parameter"}},
		{"total=none", []string{"total unknown_parameter"}},
		{"rank[like]=1", []string{"rank[like] unknown_parameter"}},
		{"a%0Ab%00%ff=1", []string{"a\uFFFDb\uFFFD\uFFFD unknown_parameter"}},
		{strings.Repeat("x", 10_000) + "=1", []string{strings.Repeat("x", 64) + " unknown_parameter"}},
	})
	_, err := newSpec(t, func(c *pagination.Config) { c.IgnoreUnknown = true }).Parse(values(t, "foo=1&foo=2&rank[like]=1"))
	require.NoError(t, err)
}

func TestModesLimitParameters(t *testing.T) {
	t.Parallel()
	cursors := newSpec(t, func(c *pagination.Config) { c.Mode = pagination.CursorOnly })
	runParams(t, cursors, []paramCase{{"page=1", []string{"page unknown_parameter"}}, {"size=5", nil}})
	plain := newSpec(t, func(c *pagination.Config) { c.Sortable, c.DefaultSort = nil, "" })
	runParams(t, plain, []paramCase{{"sort=id", []string{"sort unknown_parameter"}}, {"", nil}})
	runParams(t, newSpec(t, pageOnly), []paramCase{{"cursor=x", []string{"cursor unknown_parameter"}}, {"page=2", nil}})
}

// Everything a sort parameter may be abused for.
func TestSortInjection(t *testing.T) {
	t.Parallel()
	spec := newSpec(t)
	cases := []paramCase{
		{"sort=-rank,name", nil},
		{"sort=rank+desc,+name+asc", nil},
		{"sort=id", nil},
		{"sort=", []string{"sort unknown_sort"}},
		{"sort=,", []string{"sort unknown_sort"}},
		{"sort=id%3BDROP+TABLE+x", []string{"sort unknown_sort"}},
		{"sort=id+desc--", []string{"sort unknown_sort"}},
		{"sort=id+desc+asc", []string{"sort unknown_sort"}},
		{"sort=-id+desc", []string{"sort unknown_sort"}},
		{"sort=--id", []string{"sort unknown_sort"}},
		{"sort=%22id%22", []string{"sort unknown_sort"}},
		{"sort=i.id", []string{"sort unknown_sort"}},
		{"sort=id,id", []string{"sort not_allowed"}},
		{"sort=id,-id", []string{"sort not_allowed"}},
		{"sort=ID", []string{"sort unknown_sort"}},
		{"sort=іd", []string{"sort unknown_sort"}}, // Cyrillic
		{"sort=id%00", []string{"sort unknown_sort"}},
		{"sort=1", []string{"sort unknown_sort"}},
		{"sort=rank,name,at,uid", []string{"sort out_of_range"}},
		{"sort=" + strings.Repeat("rank,", 99) + "rank", []string{"sort out_of_range"}},
		{"sort=id&sort=rank", []string{"sort repeated_parameter"}},
	}
	runParams(t, spec, cases)
	for _, tc := range cases {
		_, err := spec.Parse(values(t, tc.query))
		for _, e := range pagination.Errors(err) {
			require.NotContains(t, e.Error(), "i.", "a column name leaked")
			require.NotContains(t, e.Error(), "DROP", "the value is repeated")
		}
	}
}

func TestSortEndsWithTheTieBreaker(t *testing.T) {
	t.Parallel()
	spec := newSpec(t)
	for query, want := range map[string]string{
		"":                     "-rank,-id",
		"sort=name":            "name,id",
		"sort=name,-at":        "name,-at,-id",
		"sort=-at,name":        "-at,name,id",
		"sort=id":              "id",
		"sort=-id,name":        "-id",
		"sort=rank,-id,name":   "rank,-id",
		"sort=rank desc, name": "-rank,name,id",
	} {
		require.Equal(t, want, parse(t, spec, strings.ReplaceAll(query, " ", "+")).Sort(), query)
	}
	require.Equal(t, "-rank,-id", spec.DefaultSort())
	require.Contains(t, spec.SortNames(), "uid")
}

// Filter names, operators and values.
func TestFilterInjection(t *testing.T) {
	t.Parallel()
	runParams(t, newSpec(t), []paramCase{
		{"rank=1&rank[ne]=3&name[prefix]=a&tenant[in]=t1,t2", nil},
		{"name=null&at=null&done[ne]=null", nil},
		{"name[isnull]=true", nil},
		{"at=2026-01-02T03:04:05.123456%2B05:30", nil},
		{"score=-1.5e3", nil},
		{"rank%22=1", []string{"rank\" unknown_parameter"}},
		{"rank%3B--=1", []string{"rank;-- unknown_parameter"}},
		{"i.rank=1", []string{"i.rank unknown_parameter"}},
		{"RANK=1", []string{"RANK unknown_parameter"}},
		{"rank[eq=1", []string{"rank[eq unknown_parameter"}},
		{"rank[EQ]=1", []string{"rank[EQ] unknown_parameter"}},
		{"rank[]=1", []string{"rank[] unknown_parameter"}},
		{"done[lt]=true", []string{"done[lt] unknown_parameter"}},
		{"rank=1&rank=1", []string{"rank repeated_parameter"}},
		{"rank=1&rank[eq]=1", []string{"rank[eq] repeated_parameter"}},
		{"done=yes", []string{"done wrong_type"}},
		{"done=1", []string{"done wrong_type"}},
		{"done=", []string{"done wrong_type"}},
		{"rank=1.5", []string{"rank wrong_type"}},
		{"rank=1+OR+1%3D1", []string{"rank wrong_type"}},
		{"rank=null", []string{"rank wrong_type"}},
		{"rank=9223372036854775808", []string{"rank out_of_range"}},
		{"rank[in]=1,,2", []string{"rank[in] wrong_type"}},
		{"rank[in]=" + strings.Repeat("1,", 50) + "1", []string{"rank[in] out_of_range"}},
		{"uid=0192f0c1", []string{"uid bad_format"}},
		{"uid=0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6g", []string{"uid bad_format"}},
		{"uid={0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e}", []string{"uid bad_format"}},
		{"at=yesterday", []string{"at bad_format"}},
		{"at=2026-01-02", []string{"at bad_format"}},
		{"at=2026-01-02T03:04:05", []string{"at bad_format"}},
		{"at=2026-01-02T03:04:05.1234567Z", []string{"at bad_format"}},
		{"at=2026-02-30T03:04:05Z", []string{"at bad_format"}},
		{"at=0000-12-31T00:00:00Z", []string{"at out_of_range"}},
		{"at=9999-12-31T23:59:59-01:00", []string{"at out_of_range"}},
		{"day=2026-02-30", []string{"day bad_format"}},
		{"day=0000-01-01", []string{"day bad_format"}},
		{"score=NaN", []string{"score wrong_type"}},
		{"score=Inf", []string{"score wrong_type"}},
		{"score=0x1p-2", []string{"score wrong_type"}},
		{"score=1e400", []string{"score out_of_range"}},
		{"tenant=t3", []string{"tenant not_allowed"}},
		{"tenant=", []string{"tenant not_allowed"}},
		{"name=a%00b", []string{"name bad_format"}},
		{"name=%ff", []string{"name bad_format"}},
		{"name[prefix]=", []string{"name[prefix] too_short"}},
		{"name[isnull]=1", []string{"name[isnull] wrong_type"}},
		{"name=" + strings.Repeat("x", 501), []string{"name too_long"}},
	})
}

// Faults come joined, in name order, and not without end.
func TestFaultsAreJoined(t *testing.T) {
	t.Parallel()
	spec := newSpec(t)
	_, err := spec.Parse(values(t, "size=0&rank=x&page=0&sort=nope&zzz=1&q=a"))
	require.Equal(t, []string{
		"page out_of_range", "q too_short", "rank wrong_type", "size out_of_range", "sort unknown_sort", "zzz unknown_parameter",
	}, codes(err))
	many := url.Values{}
	for i := range 1_000 {
		many.Set(fmt.Sprintf("p%d", i), "1")
	}
	_, err = spec.Parse(many)
	require.Len(t, pagination.Errors(err), 20)

	require.Empty(t, pagination.Errors(nil))
	require.Empty(t, pagination.Errors(errors.New("other")))
	require.Len(t, pagination.Errors(fmt.Errorf("list: %w", &pagination.Error{Code: pagination.CodeTooDeep})), 1)
}

func TestTotalOnlyLowersTheCost(t *testing.T) {
	t.Parallel()
	with := func(mode pagination.CountMode) *pagination.Spec {
		return newSpec(t, func(c *pagination.Config) { c.Count, c.Names.Total = mode, "total" })
	}
	for _, tc := range []struct {
		configured pagination.CountMode
		query      string
		want       pagination.CountMode
	}{
		{pagination.CountExact, "", pagination.CountExact},
		{pagination.CountExact, "total=capped", pagination.CountCapped},
		{pagination.CountExact, "total=none", pagination.CountNone},
		{pagination.CountCapped, "total=exact", pagination.CountCapped},
		{pagination.CountNone, "total=exact", pagination.CountNone},
	} {
		require.Equal(t, tc.want, parse(t, with(tc.configured), tc.query).CountMode(), tc.query)
	}
	runParams(t, with(pagination.CountExact), []paramCase{
		{"total=all", []string{"total not_allowed"}},
		{"total=estimated", []string{"total not_allowed"}},
	})
}
