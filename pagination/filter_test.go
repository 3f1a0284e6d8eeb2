package pagination_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Every operator on every kind, against PostgreSQL's native types and SQLite's.
func TestFilters(t *testing.T) {
	t.Parallel()
	rows := []item{
		{
			ID: 1, Rank: -5, Big: 1<<53 + 1, Name: ptr("Alpha"), Score: ptr(0.5), Done: ptr(true),
			At: ptr("2026-01-02T03:04:05.000001Z"), Day: ptr("2026-01-02"), UID: "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f",
		},
		{
			ID: 2, Rank: 7, Big: 1<<53 + 2, Name: ptr("alphabet"), Score: ptr(1e300), Done: ptr(false),
			At: ptr("2026-01-02T03:04:05.000002Z"), Day: ptr("2026-02-03"), UID: "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e70",
		},
		{ID: 3, Rank: 7, Big: 3, Name: ptr("50%_!x"), Score: ptr(-2.0)},
		{ID: 4, Rank: 9, Big: 4},
	}
	cases := map[string][]int64{
		"rank=7": {2, 3}, "rank[eq]=7": {2, 3}, "rank[ne]=7": {1, 4}, "rank[lt]=7": {1}, "rank[le]=7": {1, 2, 3},
		"rank[gt]=7": {4}, "rank[ge]=7&rank[lt]=9": {2, 3}, "rank[in]=9,-5,9": {1, 4}, "rank=007": {2, 3},
		"rank=3000000000": {}, "rank[lt]=9223372036854775807": {1, 2, 3, 4}, "rank[in]=7,3000000000": {2, 3},
		"big=9007199254740993": {1}, "big[gt]=9007199254740993": {2},
		"name[eq]=Alpha": {1}, "name[eq]=alpha": {}, "name[eq]=null": {4}, "name[ne]=Alpha": {2, 3, 4}, "name[ne]=null": {1, 2, 3},
		"name[isnull]=true": {4}, "name[isnull]=false": {1, 2, 3}, "name[in]=Alpha,alphabet,null": {1, 2},
		"name=alpha": {2}, "name=Alpha": {1}, "name=A": {1}, "name=%25": {}, "name=50%25_!": {3}, "name=50%25__": {}, "name=_": {},
		"score=0.5": {1}, "score[gt]=1e299": {2}, "score[lt]=0": {3}, "score=null": {4}, "score[ne]=0.5": {2, 3, 4},
		"done=true": {1}, "done=false": {2}, "done=null": {3, 4}, "done[ne]=true": {2, 3, 4},
		"at=2026-01-02T03:04:05.000001Z": {1}, "at=2026-01-02T08:34:05.000001%2B05:30": {1},
		"at[gt]=2026-01-02T03:04:05.000001Z": {2}, "at[le]=2026-01-02T03:04:05.000002Z": {1, 2}, "at=null": {3, 4},
		"day=2026-01-02": {1}, "day[gt]=2026-01-02": {2}, "day[in]=2026-01-02,2026-02-03": {1, 2},
		"uid=0192F0C1-A4E0-7C5B-9F6D-2A1B3C4D5E6F":     {1},
		"uid[gt]=0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f": {2, 3, 4},
		"tenant=t1": {1, 2, 3, 4}, "tenant=t2": {}, "tenant[in]=t1,t2": {1, 2, 3, 4}, "tenant[ne]=t2": {1, 2, 3, 4},
		"name=' OR 1=1 --": {}, "name=x'; DROP TABLE items; --": {},
	}
	// The order of UUIDs made from small ids is not of interest: these sort after both given ones.
	rows[2].UID, rows[3].UID = "f0000000-0000-4000-8000-000000000003", "f0000000-0000-4000-8000-000000000004"
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		insertItems(t, db, rows...)
		spec := newSpec(t)
		for query, want := range cases {
			query = strings.NewReplacer(" ", "+", ";", "%3B").Replace(query)
			page := get(t, db, spec, query+"&sort=id", "")
			require.Equal(t, want, page.Items, query)
			require.Equal(t, int64(len(want)), *page.Total, query)
			walked := ids(forward(t, db, spec, query+"&sort=-at,name&size=1"))
			slices.Sort(walked)
			require.Equal(t, want, walked, query)
		}
	})
}

// Wildcards are literals, case and accents of case do not matter, limits hold.
func TestSearch(t *testing.T) {
	t.Parallel()
	names := []string{"100% sure", "100 sure", "snake_case", "snakeXcase", `back\slash`, "wow!", "ÉTÉ", "été", "Kelvin \u212A", "Straße"}
	cases := map[string][]int64{
		"100%": {1}, "100": {1, 2}, "%%": {}, "__": {}, "e_c": {3}, `k\s`: {5}, "w!": {6}, "!!": {}, "ÉT": {7, 8}, "été": {7, 8},
		"KELVIN k": {9}, "straß": {10}, "  sure ": {1, 2}, "no such": {}, "' OR '": {}, "SNAKE": {3, 4},
	}
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		insertItems(t, db, numbered(len(names), func(it *item) { it.Name = &names[it.ID-1] })...)
		for q, want := range cases {
			params := url.Values{"q": {q}, "sort": {"id"}}
			require.Equal(t, want, get(t, db, newSpec(t), params.Encode(), "").Items, q)
		}
	})
}

func TestSearchLimits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 100)
	runParams(t, newSpec(t), []paramCase{
		{"q=ab", nil},
		{"q=" + long, nil},
		{"q=" + long + "x", []string{"q too_long"}},
		{"q=", []string{"q too_short"}},
		{"q=a", []string{"q too_short"}},
		{"q=é", []string{"q too_short"}},
		{"q=+a+", []string{"q too_short"}},
		{"q=++++", []string{"q too_short"}},
		{"q=a%00b", []string{"q bad_format"}},
		{"q=%ff%fe", []string{"q bad_format"}},
		{"q=ab&q=cd", []string{"q repeated_parameter"}},
	})
	runParams(t, newSpec(t, func(c *pagination.Config) { c.Search = pagination.Search{} }), []paramCase{
		{"q=ab", []string{"q unknown_parameter"}},
	})
}

func TestFold(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ÉÀ": "éà", "ſ": "s", "\u212A": "k", "İ": "i", "ı": "i", "Σς": "σσ", "a\x00b": "ab", "\xff": "\uFFFD", "Ω": "ω",
	} {
		require.Equal(t, want, pagination.Fold(in), in)
		require.Equal(t, want, pagination.Fold(pagination.Fold(in)), "folding twice changes nothing")
	}
}
