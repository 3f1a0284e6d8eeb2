package lists_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

func byName() pagination.Config {
	return pagination.Config{TieBreaker: pagination.Field{Name: "name", Column: "t.name"}, Mode: pagination.PageOnly}
}

func TestAdd(t *testing.T) {
	t.Parallel()
	reg := lists.New(nil)
	base := pagination.Select{Columns: "t.name", From: "things AS t"}
	spec, err := reg.Add("list-things", byName(), base)
	require.NoError(t, err)
	require.Equal(t, []lists.Entry{{Name: "list-things", Spec: spec, Selects: []pagination.Select{base}}}, reg.Entries())

	_, err = reg.Add("list-things", byName())
	require.ErrorContains(t, err, "list-things is registered twice")
	_, err = reg.Add("list-nothing", pagination.Config{})
	require.ErrorContains(t, err, "list-nothing: ")
	cursors := byName()
	cursors.Mode = 0
	_, err = reg.Add("list-with-cursors", cursors)
	require.Error(t, err, "there are no keys for its cursors")
	require.Len(t, reg.Entries(), 1)
}

func TestPage(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t, func(sqldb.Dialect) []string {
		return []string{"CREATE TABLE things (name TEXT PRIMARY KEY)", "INSERT INTO things (name) VALUES ('b'), ('a'), ('c')"}
	})
	spec, err := lists.New(nil).Add("list-things", byName())
	require.NoError(t, err)
	query, err := spec.Parse(url.Values{"size": {"2"}})
	require.NoError(t, err)
	things := pagination.Select{Columns: "t.name", From: "things AS t"}
	scan := func(row pagination.Scanner) (name string, err error) {
		err = row.Scan(&name)
		return name, err
	}
	page, err := lists.Page(t.Context(), db, query, things, scan)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, page.Items)
	require.True(t, page.HasMore)
	require.EqualValues(t, 3, *page.Total)

	_, err = lists.Page(t.Context(), db, query, pagination.Select{Columns: "t.name", From: "nowhere AS t"}, scan)
	require.ErrorContains(t, err, "lists: count: ")
	_, err = lists.Page(t.Context(), db, query, pagination.Select{Columns: "t.colour", From: "things AS t"}, scan)
	require.ErrorContains(t, err, "lists: ")
	unreadable := errors.New("unreadable")
	_, err = lists.Page(t.Context(), db, query, things, func(pagination.Scanner) (string, error) { return "", unreadable })
	require.ErrorIs(t, err, unreadable)
}
