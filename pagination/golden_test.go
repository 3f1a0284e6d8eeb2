package pagination_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, append(got, '\n'), 0o600))
	}
	want, err := os.ReadFile(path) //nolint:gosec // a fixed name of this folder
	require.NoError(t, err)
	require.Equal(t, string(bytes.TrimSpace(want)), string(got))
}

// The JSON form never changes by accident.
func TestGoldenJSON(t *testing.T) {
	t.Parallel()
	spec := newSpec(t)
	first := parse(t, spec, "size=2")
	cursor := fakePage(t, first, 3, int64(1), int64(2)).NextCursor
	estimated := newSpec(t, func(c *pagination.Config) { c.Keyring = keyring(t, testKey) })
	for name, page := range map[string]pagination.Page[string]{
		"empty":           fakePage(t, parse(t, spec, "").WithTotal(0), 0),
		"offset":          fakePage(t, parse(t, spec, "size=2&page=2").WithTotal(5), 3, int64(1), int64(2)),
		"offset_last":     fakePage(t, parse(t, spec, "size=2&page=3").WithTotal(5), 1, int64(1), int64(2)),
		"offset_beyond":   fakePage(t, parse(t, spec, "size=2&page=9").WithTotal(5), 0),
		"offset_at_least": fakePage(t, parse(t, spec, "size=2").WithTotal(10_001), 3, int64(1), int64(2)),
		"no_total":        fakePage(t, parse(t, estimated, "size=2"), 2, int64(1), int64(2)),
		"cursor":          fakePage(t, parse(t, spec, "size=2&cursor="+cursor), 3, int64(1), int64(2)),
		"cursor_last":     fakePage(t, parse(t, spec, "size=2&cursor="+cursor), 1, int64(1), int64(2)),
		"cursor_empty":    fakePage(t, parse(t, spec, "size=2&cursor="+cursor), 0),
	} {
		got, err := json.Marshal(page)
		require.NoError(t, err)
		golden(t, name+".json", got)
	}
	got, err := json.Marshal(fakePage(t, parse(t, spec, "").WithTotal(0), 0))
	require.NoError(t, err)
	require.JSONEq(t, `{"items":[],"size":20,"page":1,"pages":0,"total":0,"total_kind":"exact","has_more":false}`, string(got))
}

// The statements of one spec, so that a change of the builder shows as text. They follow the
// portable rules: numbers ascend on first use, and every one is used.
func TestGoldenSQL(t *testing.T) {
	t.Parallel()
	spec := newSpec(t)
	for name, query := range map[string]string{
		"page":        "",
		"page_null":   "sort=name",
		"row_value":   "sort=-rank",
		"single":      "sort=id",
		"mixed":       "sort=rank,-big",
		"null":        "sort=-name,at",
		"all_filters": "rank[ge]=1&rank[ne]=4&name=a&name[ne]=b&tenant[in]=t1,t2&q=ab&done=null",
	} {
		q := parse(t, spec, query)
		if !strings.HasPrefix(name, "page") {
			keys := []any{int64(1), int64(2), int64(3)}
			switch {
			case strings.Contains(query, "sort=-name"):
				keys = []any{"n", nil, int64(3)}
			case strings.Contains(query, "sort=id"):
				keys = keys[:1]
			case !strings.Contains(query, ",-big"):
				keys = keys[:2]
			}
			next := fakePage(t, q, 21, keys...).NextCursor
			q = parse(t, spec, query+"&cursor="+next)
		}
		text, args, err := q.SQL(base)
		require.NoError(t, err)
		requireNumbers(t, text, len(args))
		count, countArgs, err := q.CountSQL(base)
		require.NoError(t, err)
		requireNumbers(t, count, len(countArgs))
		wrap := strings.NewReplacer(" FROM ", "\nFROM ", " WHERE ", "\nWHERE ", " UNION ALL ", "\nUNION ALL\n", " ORDER BY ", "\nORDER BY ")
		golden(t, name+".sql", []byte(wrap.Replace(text)+"\n\n"+wrap.Replace(count)))
	}
}

// requireNumbers checks that $1..$n appear, in ascending order of first use.
func requireNumbers(t testing.TB, text string, n int) {
	t.Helper()
	next := 1
	for i := 0; i < len(text); i++ {
		if text[i] != '$' {
			continue
		}
		number := 0
		for i++; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
			number = number*10 + int(text[i]-'0')
		}
		require.LessOrEqual(t, number, next, text)
		if number == next {
			next++
		}
	}
	require.Equal(t, n, next-1, text)
	for _, word := range []string{"::", "ILIKE", "ANY(", "FOR UPDATE"} {
		require.NotContains(t, text, word)
	}
}
