package rbac_test

import (
	"fmt"

	"github.com/groundwork-go/groundwork/rbac"
)

// CanOn must be given the owner that was read from the row. Asking before the row is loaded, or
// with the id that the client sent, is the mistake behind most leaks of other people's data. The
// first at least stays closed: an empty owner matches nobody, not even a subject without id. The
// second cannot be seen from here.
func ExampleSubject_CanOn_incorrect() {
	registry := rbac.NewRegistry()
	edit := registry.MustDefineScoped("note:edit", "Change notes.")
	policy, err := rbac.Compile(registry, rbac.Role{Name: "user", Grants: []string{"note:edit:own"}})
	if err != nil {
		panic(err)
	}
	ann := policy.Subject("", "ann", "user")
	var note struct{ AuthorID string }

	fmt.Println("row not loaded:", ann.CanOn(edit, note.AuthorID))
	fmt.Println("wrong, the client's word:", ann.CanOn(edit, "ann"))
	note.AuthorID = "bob"
	fmt.Println("right, the row's author:", ann.CanOn(edit, note.AuthorID))
	fmt.Println(ann.CheckOn(edit, note.AuthorID))
	// Output:
	// row not loaded: false
	// wrong, the client's word: true
	// right, the row's author: false
	// rbac: permission denied: note:edit:own: belongs to somebody else
}
