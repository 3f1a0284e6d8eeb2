package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/rbac"
)

func TestRun(t *testing.T) {
	t.Parallel()
	const want = `ann (author)
  creates: true
  edits a1 of "ann": yes
  edits b1 of "bob": no: belongs to somebody else
  edits old of "": no: has no owner
  lists [acme ann]: SELECT id FROM articles WHERE tenant = $1 AND owner_id = $2
mo (moderator)
  creates: true
  edits a1 of "ann": yes
  edits b1 of "bob": yes
  edits old of "": yes
  lists [acme]: SELECT id FROM articles WHERE tenant = $1
rob (reader)
  creates: false
  edits a1 of "ann": no: no role of the subject grants it
  edits b1 of "bob": no: no role of the subject grants it
  edits old of "": no: no role of the subject grants it
  lists []: nothing, without asking the database
why may mo create: [moderator author], role author grants article:create
`
	var out strings.Builder
	require.NoError(t, run(&out))
	require.Equal(t, want, out.String())
}

// A refused edit changes nothing, and nobody may do anything.
func TestRefusedEdit(t *testing.T) {
	t.Parallel()
	may, policy, err := newPolicy()
	require.NoError(t, err)
	d := &desk{may: may, articles: map[string]article{"b1": {id: "b1", owner: "bob", text: "as it was"}}}
	for _, who := range []rbac.Subject{
		{}, policy.Subject("acme", "", "author"), policy.Subject("acme", "ann", "author"), policy.Subject("acme", "bob", "no-such-role"),
	} {
		require.ErrorIs(t, d.edit(who, "b1", "changed"), rbac.ErrDenied)
	}
	require.Equal(t, "as it was", d.articles["b1"].text)
	require.NoError(t, d.edit(policy.Subject("acme", "bob", "author"), "b1", "changed"))
	require.Equal(t, "changed", d.articles["b1"].text)
}
