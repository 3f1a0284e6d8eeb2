package pagination_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
)

// Parsing never panics, every fault is an Error without the value, and no byte of the request gets
// into the SQL text: it is one of few texts, whatever the values.
func FuzzParse(f *testing.F) {
	spec := newSpec(f)
	cursor := fakePage(f, parse(f, spec, ""), 21, int64(1), int64(2)).NextCursor
	for _, seed := range []string{
		"", "page=2&size=5", "cursor=" + cursor, "sort=-name,at&rank[in]=1,2", "q=%25_!", "name[prefix]=zq%00", "size=1e3",
		"sort=id;DROP TABLE x", "at=2026-01-02T03:04:05Z&score=1e5", "uid=0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f", "%zz=%", "a[b]=c",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		params, _ := url.ParseQuery(query)
		q, err := spec.Parse(params)
		if err != nil {
			if len(pagination.Errors(err)) == 0 {
				t.Fatalf("%q: a fault without an Error: %v", query, err)
			}
			return
		}
		text, args, err := q.SQL(base)
		require.NoError(t, err)
		requireNumbers(t, text, len(args))
		count, countArgs, err := q.CountSQL(base)
		require.NoError(t, err)
		requireNumbers(t, count, len(countArgs))
		// The same parameters with other values must give the same text.
		for name, given := range params {
			value := given[0]
			if len(value) < 3 || name == "sort" || name == "cursor" || strings.Contains(name, "[isnull]") || value == "null" {
				continue
			}
			if strings.ContainsAny(value, "'\"\\;\x00%!") && strings.Contains(text, value) {
				t.Fatalf("%q: the value of %q is in %s", query, name, text)
			}
		}
		skeleton := strings.NewReplacer("0", "", "1", "", "2", "", "3", "", "4", "", "5", "", "6", "", "7", "", "8", "", "9", "").Replace(text)
		if strings.ContainsAny(skeleton, ";\\\x00-{}") {
			t.Fatalf("%q: foreign characters in %s", query, text)
		}
	})
}

// FuzzCursor hands arbitrary cursors to the decoder: none but the sealed one is accepted.
func FuzzCursor(f *testing.F) {
	spec := newSpec(f)
	good := fakePage(f, parse(f, spec, ""), 21, int64(1), int64(2)).NextCursor
	f.Add(good)
	f.Add("")
	f.Add(good[:len(good)-1])
	f.Add(good + "=")
	f.Add("AQ" + strings.Repeat("A", 60))
	f.Add(strings.Repeat("_", 9_000))
	f.Fuzz(func(t *testing.T, cursor string) {
		_, err := spec.Parse(url.Values{"cursor": {cursor}})
		if cursor == good {
			require.NoError(t, err)
			return
		}
		require.ErrorIs(t, err, pagination.ErrInvalidCursor)
	})
}

// FuzzCursorValues seals arbitrary sort values and expects them back as they were.
func FuzzCursorValues(f *testing.F) {
	spec := newSpec(f)
	f.Add("name", int64(5))
	f.Add("", int64(-1))
	f.Add("a\x00\xffb", int64(1)<<62)
	f.Fuzz(func(t *testing.T, name string, id int64) {
		rows := &fakeRows{rows: [][]any{{"a", name, id}, {"b", name, id}}}
		page, err := pagination.Collect(rows, parse(t, spec, "sort=name&size=1"), scanText)
		if len(name) > 5_000 && err != nil {
			require.ErrorIs(t, err, pagination.ErrKeyTooLong)
			return
		}
		require.NoError(t, err)
		q, err := spec.Parse(url.Values{"sort": {"name"}, "size": {"1"}, "cursor": {page.NextCursor}})
		require.NoError(t, err)
		_, args, err := q.SQL(base)
		require.NoError(t, err)
		require.Equal(t, []any{itemTenant, name, id, int64(2)}, args)
	})
}
