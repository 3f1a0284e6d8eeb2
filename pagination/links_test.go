package pagination_test

import (
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
)

// links follows every link of the header and returns the parameters it leads to.
func links(t *testing.T, target string, page pagination.Page[string]) map[string]url.Values {
	t.Helper()
	r := httptest.NewRequest("GET", target, nil)
	w := httptest.NewRecorder()
	pagination.WriteLinks(w, r, page)
	found := map[string]url.Values{}
	for _, m := range regexp.MustCompile(`<([^>]*)>; rel="([a-z]+)"`).FindAllStringSubmatch(w.Header().Get("Link"), -1) {
		to, err := r.URL.Parse(m[1])
		require.NoError(t, err)
		require.Equal(t, r.URL.EscapedPath(), to.EscapedPath())
		require.Equal(t, r.URL.Host, to.Host)
		found[m[2]] = to.Query()
	}
	return found
}

func TestLinks(t *testing.T) {
	t.Parallel()
	spec := newSpec(t)
	const kept = `/v1/a%20b/"x"?name=a+%22b%22%3E%2C%3B&size=2&tag=1&tag=2&sort=-rank`
	page := func(query string, rows int, total int64) pagination.Page[string] {
		return fakePage(t, parse(t, spec, query).WithTotal(total), rows, int64(1), int64(2))
	}

	require.Empty(t, links(t, kept, page("size=2", 2, 2)), "a single page has none")
	require.Empty(t, links(t, kept, page("size=2", 0, 0)))

	first := links(t, kept, page("size=2", 3, 5))
	require.NotContains(t, first, "prev")
	require.Equal(t, []string{"2"}, first["next"]["page"])
	require.Equal(t, []string{"3"}, first["last"]["page"])
	require.Equal(t, []string{"1"}, first["first"]["page"])
	require.Equal(t, []string{`a "b">,;`}, first["next"]["name"])
	require.Equal(t, []string{"1", "2"}, first["next"]["tag"])
	require.Equal(t, []string{"-rank"}, first["next"]["sort"])

	last := links(t, kept+"&page=3", page("size=2&page=3", 1, 5))
	require.NotContains(t, last, "next")
	require.Equal(t, []string{"2"}, last["prev"]["page"])

	require.NotContains(t, links(t, kept, page("size=2", 3, 10_001)), "last", "only an exact total has one")

	walk := page("size=2", 3, 5)
	walked := fakePage(t, parse(t, spec, "size=2&cursor="+walk.NextCursor), 3, int64(1), int64(2))
	by := links(t, kept+"&cursor="+walk.NextCursor, walked)
	require.Equal(t, []string{walked.NextCursor}, by["next"]["cursor"])
	require.Equal(t, []string{walked.PrevCursor}, by["prev"]["cursor"])
	require.NotContains(t, by["first"], "cursor")
	require.NotContains(t, by, "last")

	deep := links(t, "/x?page=1001&size=100", page("size=100&page=1001", 101, 10_001))
	require.NotContains(t, deep["next"], "page", "the next page would be too deep")
	require.NotEmpty(t, deep["next"]["cursor"])
}

// A path that begins with two slashes must not turn into a link to another host.
func TestLinksStayOnTheHost(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	r.URL = &url.URL{Path: "//evil.example/list", RawQuery: "size=2"}
	w := httptest.NewRecorder()
	spec := newSpec(t)
	pagination.WriteLinks(w, r, fakePage(t, parse(t, spec, "size=2"), 3, int64(1), int64(2)))
	require.NotContains(t, w.Header().Get("Link"), "evil")
}

func TestLinksUseTheConfiguredNames(t *testing.T) {
	t.Parallel()
	spec := newSpec(t, func(c *pagination.Config) {
		c.Names = pagination.ParamNames{Page: "p", Size: "per_page", Cursor: "after"}
	})
	page := pagination.Map(fakePage(t, parse(t, spec, "per_page=2&p=2"), 3, int64(1), int64(2)), func(s string) string { return s + "!" })
	require.Equal(t, "row 1!", page.Items[0])
	found := links(t, "/x?per_page=2&p=2", page)
	require.Equal(t, url.Values{"per_page": {"2"}, "p": {"3"}}, found["next"])
	bare := links(t, "/x", pagination.Page[string]{Items: []string{"a"}, Size: 1, NextCursor: "n", HasMore: true})
	require.Equal(t, url.Values{"size": {"1"}, "cursor": {"n"}}, bare["next"], "a page made by hand")
}
