package rbac_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/groundwork-go/groundwork/rbac"
)

func Example() {
	registry := rbac.NewRegistry()
	read := registry.MustDefine("area:read", "See areas.")
	edit := registry.MustDefineScoped("area:edit", "Change areas.")

	policy, err := rbac.Compile(registry,
		rbac.Role{Name: "user", Grants: []string{"area:read", "area:edit:own"}},
		rbac.Role{Name: "moderator", Grants: []string{"area:*"}, Inherits: []rbac.RoleID{{Name: "user"}}})
	if err != nil {
		panic(err)
	}

	ann := policy.Subject("", "ann", "user")
	fmt.Println("reads:", ann.Can(read))
	fmt.Println("edits her own:", ann.CanOn(edit, "ann"))
	fmt.Println("edits Bob's:", ann.CanOn(edit, "bob"))
	mod := policy.Subject("", "mod", "moderator")
	fmt.Println("moderator edits Bob's:", mod.CanOn(edit, "bob"))
	fmt.Println("because", mod.Explain(edit.Any).Reason)
	// Output:
	// reads: true
	// edits her own: true
	// edits Bob's: false
	// moderator edits Bob's: true
	// because role moderator grants area:*
}

// The memory store is enough for a program whose roles are written in code.
func ExampleMemoryStore() {
	ctx := context.Background()
	registry := rbac.NewRegistry()
	bid := registry.MustDefine("market:bid", "Place bids.")

	store := rbac.NewMemoryStore()
	_, err := store.PutRole(ctx, rbac.Role{Name: "mover", Grants: []string{"market:bid"}}, rbac.Guard{})
	if err != nil {
		panic(err)
	}
	err = store.Assign(ctx, rbac.Assignment{Tenant: "acme", Subject: "ann", Role: rbac.RoleID{Name: "mover"}}, rbac.Guard{})
	if err != nil {
		panic(err)
	}

	checker, err := rbac.New(rbac.Config{Registry: registry, Store: store})
	if err != nil {
		panic(err)
	}
	for _, tenant := range []string{"acme", "other", ""} {
		subject, err := checker.Subject(ctx, tenant, "ann")
		fmt.Printf("%q: %v %v\n", tenant, subject.Can(bid), err)
	}
	// Output:
	// "acme": true <nil>
	// "other": false <nil>
	// "": false <nil>
}

func ExampleRequire() {
	ctx := context.Background()
	registry := rbac.NewRegistry()
	read := registry.MustDefine("audit:read", "See the audit log.")
	store := rbac.NewMemoryStore()
	_, _ = store.PutRole(ctx, rbac.Role{Name: "admin", Grants: []string{rbac.AllPermissions}}, rbac.Guard{})
	_ = store.Assign(ctx, rbac.Assignment{Tenant: rbac.AnyTenant, Subject: "root", Role: rbac.RoleID{Name: "admin"}}, rbac.Guard{})

	checker, err := rbac.New(rbac.Config{
		Registry: registry, Store: store,
		Identify: func(r *http.Request) (tenant, subject string, err error) {
			return "", r.Header.Get("X-User"), nil // from auth.PrincipalFrom in a real program
		},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /audit", rbac.Require(read)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "entries")
	})))
	handler := checker.Resolve(mux)

	for _, user := range []string{"", "ann", "root"} {
		r := httptest.NewRequest(http.MethodGet, "/audit", nil)
		r.Header.Set("X-User", user)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Printf("%q: %d\n", user, w.Code)
	}
	// Output:
	// "": 401
	// "ann": 403
	// "root": 200
}

// A list query returns what the subject may see, without asking for each row.
func ExampleSubject_ScopeOf() {
	registry := rbac.NewRegistry()
	unlocks := registry.MustDefineScoped("unlock:read", "See unlocks.")
	policy, err := rbac.Compile(registry, rbac.Role{Name: "user", Grants: []string{"unlock:read:own"}})
	if err != nil {
		panic(err)
	}
	subject := policy.Subject("", "ann", "user")
	switch subject.ScopeOf(unlocks) {
	case rbac.ScopeAny:
		fmt.Println("SELECT ... FROM unlocks")
	case rbac.ScopeOwn:
		fmt.Println("SELECT ... FROM unlocks WHERE user_id = $1", subject.ID())
	default:
		fmt.Println("403")
	}
	// Output: SELECT ... FROM unlocks WHERE user_id = $1 ann
}

// Faults in roles are found when they are compiled, all at once.
func ExampleCompile_faults() {
	registry := rbac.NewRegistry()
	registry.MustDefine("area:read", "")
	_, err := rbac.Compile(registry,
		rbac.Role{Name: "user", Grants: []string{"area:raed"}},
		rbac.Role{Name: "a", Inherits: []rbac.RoleID{{Name: "b"}}},
		rbac.Role{Name: "b", Inherits: []rbac.RoleID{{Name: "a"}}})
	fmt.Println(err)
	fmt.Println(errors.Is(err, rbac.ErrUnknownPermission), errors.Is(err, rbac.ErrCycle))
	// Output:
	// rbac: unknown permission: role user: "area:raed"
	// rbac: inheritance cycle: role a: a -> b -> a
	// true true
}

// Nobody can give what he does not have.
func ExampleManager_escalation() {
	ctx := context.Background()
	registry := rbac.NewRegistry()
	assign := registry.MustDefine("member:manage", "")
	registry.MustDefine("billing:manage", "")
	store := rbac.NewMemoryStore()
	for _, role := range []rbac.Role{
		{Name: "owner", Grants: []string{"member:manage", "billing:manage"}},
		{Name: "lead", Grants: []string{"member:manage"}},
	} {
		if _, err := store.PutRole(ctx, role, rbac.Guard{}); err != nil {
			panic(err)
		}
	}
	_ = store.Assign(ctx, rbac.Assignment{Tenant: "acme", Subject: "ann", Role: rbac.RoleID{Name: "lead"}}, rbac.Guard{})

	checker, err := rbac.New(rbac.Config{Registry: registry, Store: store})
	if err != nil {
		panic(err)
	}
	manager, err := rbac.NewManager(rbac.ManagerConfig{Registry: registry, Store: store, Checker: checker, Assign: assign})
	if err != nil {
		panic(err)
	}
	ann, err := checker.Fresh(ctx, "acme", "ann")
	if err != nil {
		panic(err)
	}
	err = manager.Assign(ctx, ann, rbac.Assignment{Tenant: "acme", Subject: "ann", Role: rbac.RoleID{Name: "owner"}})
	fmt.Println(err)
	err = manager.Unassign(ctx, ann, rbac.Assignment{Tenant: "acme", Subject: "ann", Role: rbac.RoleID{Name: "lead"}})
	fmt.Println(err)
	// Output:
	// rbac: privilege escalation: role owner: actor lacks billing:manage
	// rbac: last manager
}
