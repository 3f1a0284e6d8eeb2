// Rbac-own-any shows a permission in two sizes: authors edit their own articles, moderators edit
// any, and a list query returns what each may edit. From the root of the repository:
//
//	go run ./examples/rbac-own-any
package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/groundwork-go/groundwork/rbac"
)

// permissions are the handles that the program checks by. They are defined once, at start-up; a role
// that grants anything else does not compile.
type permissions struct {
	create rbac.Permission
	edit   rbac.Scoped // article:edit:own and article:edit:any
}

func newPolicy() (permissions, *rbac.Policy, error) {
	registry := rbac.NewRegistry()
	p := permissions{
		create: registry.MustDefine("article:create", "write a new article"),
		edit:   registry.MustDefineScoped("article:edit", "change an article"),
	}
	policy, err := rbac.Compile(registry,
		rbac.Role{Name: "author", Grants: []string{"article:create", "article:edit:own"}},
		rbac.Role{Name: "moderator", Grants: []string{"article:edit:any"}, Inherits: []rbac.RoleID{{Name: "author"}}},
		rbac.Role{Name: "reader"},
	)
	return p, policy, err
}

type article struct{ id, owner, text string }

type desk struct {
	may      permissions
	articles map[string]article
}

// edit reads the row first, because only the row knows its owner. An owner taken from the request
// would be whatever the client likes.
func (d *desk) edit(who rbac.Subject, id, text string) error {
	a, ok := d.articles[id]
	if !ok {
		return errors.New("no such article")
	}
	if err := who.CheckOn(d.may.edit, a.owner); err != nil {
		return err
	}
	a.text = text
	d.articles[id] = a
	return nil
}

// editable returns the query that lists what the subject may edit, with its arguments. It asks the
// database for those rows only, so pages and totals are right without a check per row.
func (d *desk) editable(who rbac.Subject) (query string, args []any) {
	const base = "SELECT id FROM articles WHERE tenant = $1"
	switch who.ScopeOf(d.may.edit) {
	case rbac.ScopeAny:
		return base, []any{who.Tenant()}
	case rbac.ScopeOwn:
		return base + " AND owner_id = $2", []any{who.Tenant(), who.ID()}
	}
	return "", nil
}

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "rbac-own-any:", err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	may, policy, err := newPolicy()
	if err != nil {
		return err
	}
	d := &desk{may: may, articles: map[string]article{
		"a1": {id: "a1", owner: "ann"}, "b1": {id: "b1", owner: "bob"}, "old": {id: "old"},
	}}
	// The names of the roles come from an access token here; a Checker reads them from a store.
	for _, who := range []rbac.Subject{
		policy.Subject("acme", "ann", "author"),
		policy.Subject("acme", "mo", "moderator"),
		policy.Subject("acme", "rob", "reader"),
	} {
		fmt.Fprintf(out, "%s (%s)\n  creates: %t\n", who.ID(), who.Roles()[0], who.Can(may.create))
		for _, id := range []string{"a1", "b1", "old"} {
			fmt.Fprintf(out, "  edits %s of %q: %s\n", id, d.articles[id].owner, outcome(d.edit(who, id, "by "+who.ID())))
		}
		query, args := d.editable(who)
		fmt.Fprintf(out, "  lists %v: %s\n", args, cmp.Or(query, "nothing, without asking the database"))
	}
	why := policy.Subject("acme", "mo", "moderator").Explain(may.create)
	fmt.Fprintf(out, "why may mo create: %v, %s\n", why.Path, why.Reason)
	return nil
}

func outcome(err error) string {
	var denied *rbac.DeniedError
	switch {
	case err == nil:
		return "yes"
	case errors.As(err, &denied):
		return "no: " + denied.Reason
	}
	return err.Error()
}
