package pagination

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// WriteLinks sets the Link header (RFC 8288) with first, prev, next and, with an exact total,
// last. A list that fits on one page has none. Other parameters of the request stay as they are.
//
// The targets are relative references that hold the query only (RFC 3986 section 4.2), so they
// are right behind any proxy and never repeat a Host header. In page mode they are page numbers;
// where the next page is beyond [Config.MaxOffset] the next link goes on by cursor.
func WriteLinks[T any](w http.ResponseWriter, r *http.Request, p Page[T]) {
	set := p.rules
	if set == nil {
		set = &rules{names: ParamNames{}.withDefaults(), maxOffset: defaultOffset}
	}
	query := r.URL.Query()
	var links []string
	add := func(rel, name, value string) {
		to := make(url.Values, len(query)+2)
		for k, v := range query {
			to[k] = v
		}
		to.Del(set.names.Page)
		to.Del(set.names.Cursor)
		to.Set(set.names.Size, strconv.Itoa(p.Size))
		if name != "" {
			to.Set(name, value)
		}
		links = append(links, "<?"+to.Encode()+`>; rel="`+rel+`"`)
	}
	if p.Page > 0 {
		p.pageLinks(set, add)
	} else {
		p.cursorLinks(set, add)
	}
	if len(links) > 0 {
		w.Header().Set("Link", strings.Join(links, ", "))
	}
}

func (p Page[T]) pageLinks(set *rules, add func(rel, name, value string)) {
	single := p.Page == 1 && !p.HasMore
	if single {
		return
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	reachable := func(n int64) bool { return set.maxOffset < 0 || n-1 <= set.maxOffset/int64(max(p.Size, 1)) }
	add("first", set.names.Page, "1")
	if p.Page > 1 {
		add("prev", set.names.Page, number(p.Page-1))
	}
	switch {
	case !p.HasMore:
	case reachable(p.Page + 1):
		add("next", set.names.Page, number(p.Page+1))
	case p.NextCursor != "":
		add("next", set.names.Cursor, p.NextCursor)
	}
	if p.Pages != nil && *p.Pages > 0 && reachable(*p.Pages) {
		add("last", set.names.Page, number(*p.Pages))
	}
}

func (p Page[T]) cursorLinks(set *rules, add func(rel, name, value string)) {
	if p.NextCursor == "" && p.PrevCursor == "" {
		return
	}
	add("first", "", "")
	if p.PrevCursor != "" {
		add("prev", set.names.Cursor, p.PrevCursor)
	}
	if p.NextCursor != "" {
		add("next", set.names.Cursor, p.NextCursor)
	}
}
