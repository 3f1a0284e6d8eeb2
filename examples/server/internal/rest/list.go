package rest

import (
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/pagination"
)

// ListParameters documents the query parameters of a list in the words of its specification. The
// operation sets SkipValidateParams, because the specification parses them itself.
func ListParameters(list *pagination.Spec) []*huma.Param {
	var params []*huma.Param
	for _, p := range list.Params() {
		schema := &huma.Schema{Type: p.Type, Format: p.Format}
		for _, value := range p.Enum {
			schema.Enum = append(schema.Enum, value)
		}
		params = append(params, &huma.Param{Name: p.Name, In: "query", Description: p.Description, Schema: schema})
	}
	return params
}

// Links returns the Link header of a page: first, prev, next and last of RFC 8288.
func Links[T any](query url.Values, page pagination.Page[T]) string {
	w := headerOnly{http.Header{}}
	pagination.WriteLinks(w, &http.Request{URL: &url.URL{RawQuery: query.Encode()}}, page)
	return w.header.Get("Link")
}

// headerOnly collects the headers of helpers that want a response writer.
type headerOnly struct{ header http.Header }

func (h headerOnly) Header() http.Header         { return h.header }
func (h headerOnly) Write(b []byte) (int, error) { return len(b), nil }
func (h headerOnly) WriteHeader(int)             {}
