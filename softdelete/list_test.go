package softdelete_test

import (
	"net/url"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/softdelete"
)

func (w *world) query(params string, scope ...string) pagination.Query {
	w.t.Helper()
	spec, err := pagination.NewSpec(pagination.Config{
		Sortable:    []pagination.Field{{Name: "slug", Column: "jobs.slug"}},
		DefaultSort: "slug",
		TieBreaker:  pagination.Field{Name: "id", Column: "jobs.id"},
		Keyring:     keyring(w),
	})
	require.NoError(w.t, err)
	values, err := url.ParseQuery(params)
	require.NoError(w.t, err)
	q, err := spec.Parse(values, scope...)
	require.NoError(w.t, err)
	return q
}

func keyring(w *world) *pagination.Keyring {
	ring, err := pagination.NewKeyring(pagination.Key{ID: 1, Secret: [32]byte{1}})
	require.NoError(w.t, err)
	return ring
}

// walk returns the ids of all pages of two rows, in order.
func (w *world) walk(r *jobs, scope ...softdelete.Scope) string {
	w.t.Helper()
	var ids []string
	params := "size=2"
	for {
		page, err := r.List(w.t.Context(), w.query(params, "a"), scope...)
		require.NoError(w.t, err)
		for _, j := range page.Items {
			ids = append(ids, j.ID)
		}
		if page.NextCursor == "" {
			return strings.Join(ids, " ")
		}
		params = "size=2&cursor=" + url.QueryEscape(page.NextCursor)
	}
}
