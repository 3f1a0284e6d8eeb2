package identity

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/pagination"
)

func (s *Service) wireLists(keys *pagination.Keyring) error {
	var errs [3]error
	s.sessionList, errs[0] = newSessionList()
	s.memberList, errs[1] = newMemberList(keys)
	s.inviteList, errs[2] = newInviteList(keys)
	return errors.Join(errs[:]...)
}

// queryParams documents the parameters of a list in the words of its specification.
func queryParams(list *pagination.Spec) []*huma.Param {
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

// headerOnly collects the headers of helpers that want a response writer.
type headerOnly struct{ header http.Header }

func (h headerOnly) Header() http.Header         { return h.header }
func (h headerOnly) Write(b []byte) (int, error) { return len(b), nil }
func (h headerOnly) WriteHeader(int)             {}

func links[T any](query url.Values, page pagination.Page[T]) string {
	w := headerOnly{http.Header{}}
	pagination.WriteLinks(w, &http.Request{URL: &url.URL{RawQuery: query.Encode()}}, page)
	return w.header.Get("Link")
}
