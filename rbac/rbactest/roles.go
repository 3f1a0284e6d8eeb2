package rbactest

import (
	"errors"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/rbac"
)

func freshStore(h *harness) {
	h.want("version", h.version(), uint64(1))
	h.want("roles", len(h.load()), 0)
}

func putKeepsFields(h *harness) {
	h.roles("user")
	r := rbac.Role{
		Tenant: "tenant/ü", Name: "editor-2", Description: "Writes \"all\" of it; ünïcode.",
		Grants: []string{"*", "area:*", "area:update:own"}, Inherits: []rbac.RoleID{id("", "user")},
	}
	before := h.version()
	h.want("new version grows", h.put(r) > before, true)
	h.want("roles", h.load("tenant/ü"), []rbac.Role{r})
}

func putReplaces(h *harness) {
	h.roles("a", "b")
	h.put(rbac.Role{Name: "c", Description: "old", Grants: []string{"x:y", "x:z"}, Inherits: []rbac.RoleID{id("", "a")}})
	next := rbac.Role{Name: "c", Description: "new", Grants: []string{"x:z"}, Inherits: []rbac.RoleID{id("", "b")}}
	h.put(next)
	roles := h.load()
	h.want("role", roles[len(roles)-1], next)
	h.put(rbac.Role{Name: "c"})
	roles = h.load()
	h.want("role", roles[len(roles)-1], rbac.Role{Name: "c"})
}

func putChecksForm(h *harness) {
	for _, r := range []rbac.Role{
		{},
		{Name: "Upper"},
		{Name: "a:b"},
		{Name: strings.Repeat("a", 65)},
		{Name: "nul\x00"},
		{Name: "a", Tenant: rbac.AnyTenant},
		{Name: "a", Tenant: "nul\x00"},
		{Name: "a", Tenant: strings.Repeat("a", 257)},
		{Name: "a", Description: "\xff"},
		{Name: "a", Grants: []string{"x"}},
		{Name: "a", Grants: []string{"x:*y"}},
		{Name: "a", Grants: []string{""}},
	} {
		_, err := h.store.PutRole(h.Context(), r, rbac.Guard{})
		if fault := (*rbac.RoleError)(nil); !errors.As(err, &fault) {
			h.Fatalf("PutRole(%+v): %v, want a RoleError", r, err)
		}
	}
	h.want("version", h.version(), uint64(1))
}

func putUnknownParent(h *harness) {
	r := rbac.Role{Name: "a", Inherits: []rbac.RoleID{id("", "nobody")}}
	_, err := h.store.PutRole(h.Context(), r, rbac.Guard{})
	h.wantErr("PutRole", err, rbac.ErrUnknownRole)
	h.want("roles", len(h.load()), 0)
	h.want("version", h.version(), uint64(1))
}

func putCrossTenant(h *harness) {
	h.put(rbac.Role{Tenant: "a", Name: "boss"})
	for _, tenant := range []string{"b", ""} {
		_, err := h.store.PutRole(h.Context(), rbac.Role{
			Tenant: tenant, Name: "spy", Inherits: []rbac.RoleID{id("a", "boss")},
		}, rbac.Guard{})
		h.wantErr("PutRole", err, rbac.ErrCrossTenant)
	}
	h.want("roles", names(h.load()), []string{"a/boss"})
}

func putAtVersion(h *harness) {
	version, err := h.store.PutRole(h.Context(), rbac.Role{Name: "a"}, rbac.Guard{Version: 1})
	h.wantErr("PutRole at 1", err, nil)
	_, err = h.store.PutRole(h.Context(), rbac.Role{Name: "b"}, rbac.Guard{Version: 1})
	h.wantErr("PutRole at an old version", err, rbac.ErrConflict)
	_, err = h.store.PutRole(h.Context(), rbac.Role{Name: "b"}, rbac.Guard{Version: version + 1})
	h.wantErr("PutRole at a future version", err, rbac.ErrConflict)
	_, err = h.store.DeleteRole(h.Context(), id("", "a"), epoch, rbac.Guard{Version: 1})
	h.wantErr("DeleteRole at an old version", err, rbac.ErrConflict)
	h.want("roles", names(h.load()), []string{"a"})
	h.want("version", h.version(), version)
}

func putRace(h *harness) {
	h.roles("user")
	at := h.version()
	const n = 8
	won := 0
	for _, err := range parallel(n, func(i int) error {
		r := rbac.Role{Name: "racer", Description: strings.Repeat("x", i+1), Grants: []string{"a:b", "c:d"}}
		_, err := h.store.PutRole(h.Context(), r, rbac.Guard{Version: at})
		return err
	}) {
		if err == nil {
			won++
		} else {
			h.wantErr("loser", err, rbac.ErrConflict)
		}
	}
	h.want("winners", won, 1)
	h.want("version", h.version(), at+1)
}

func loadSorted(h *harness) {
	for _, role := range []rbac.RoleID{id("b", "a"), id("", "z"), id("a", "z"), id("", "a"), id("a", "a")} {
		h.put(rbac.Role{Tenant: role.Tenant, Name: role.Name, Grants: []string{"b:c", "a:c", "b:c"}})
	}
	roles := h.load()
	h.want("order", names(roles), []string{"a", "z", "a/a", "a/z", "b/a"})
	h.want("grants", roles[0].Grants, []string{"a:c", "b:c"})
}

func loadOfTenants(h *harness) {
	h.roles("user")
	for _, tenant := range []string{"a", "b", "c"} {
		h.put(rbac.Role{Tenant: tenant, Name: "staff", Grants: []string{"x:y"}, Inherits: []rbac.RoleID{id("", "user")}})
	}
	h.want("global", names(h.load("")), []string{"user"})
	h.want("one", names(h.load("a")), []string{"a/staff"})
	h.want("two", names(h.load("c", "")), []string{"user", "c/staff"})
	h.want("unknown", len(h.load("d", "nul\x00", "\xff")), 0)
}

// loadConsistent changes two roles together in effect: each version has one of two shapes.
func loadConsistent(h *harness) {
	done := make(chan error, 1)
	go func() {
		for i := range 30 {
			grant := []string{"a:a", "b:b"}[i%2]
			r := rbac.Role{Name: "x", Description: grant, Grants: []string{grant, grant + "x"}}
			if _, err := h.store.PutRole(h.Context(), r, rbac.Guard{}); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	last := uint64(0)
	for running := true; running; {
		select {
		case err := <-done:
			h.wantErr("PutRole", err, nil)
			running = false
		default:
		}
		roles, version, err := h.store.LoadRoles(h.Context())
		if err != nil {
			h.Fatalf("LoadRoles: %v", err)
		}
		if version < last {
			h.Fatalf("version %d after %d", version, last)
		}
		last = version
		h.want("number of roles", len(roles), min(int(version-1), 1))
		for _, r := range roles {
			want := []string{"a:a", "b:b"}[version%2]
			h.want("description", r.Description, want)
			h.want("grants", r.Grants, []string{want, want + "x"})
		}
	}
}

func sameNames(h *harness) {
	h.put(rbac.Role{Tenant: "a", Name: "staff", Grants: []string{"x:y"}})
	h.put(rbac.Role{Tenant: "b", Name: "staff", Grants: []string{"y:z"}})
	h.put(rbac.Role{Name: "staff"})
	h.assign(rbac.Assignment{Tenant: "a", Subject: "ann", Role: id("a", "staff")})
	h.assign(rbac.Assignment{Tenant: "a", Subject: "ann", Role: id("", "staff")})
	h.want("in a", len(h.rolesOf("a", "ann", epoch)), 2)
	h.want("in b", len(h.rolesOf("b", "ann", epoch)), 0)
	h.want("holders of a", h.holders("a", id("a", "staff")), []string{"ann"})
	h.want("holders of b", h.holders("b", id("b", "staff")), []string{})
}

func (h *harness) remove(role rbac.RoleID) (uint64, error) {
	return h.store.DeleteRole(h.Context(), role, epoch, rbac.Guard{})
}

func deleteRole(h *harness) {
	h.roles("a", "b")
	h.put(rbac.Role{Name: "c", Grants: []string{"x:y"}, Inherits: []rbac.RoleID{id("", "a")}})
	before := h.version()
	version, err := h.remove(id("", "c"))
	h.wantErr("DeleteRole", err, nil)
	h.want("version", version, h.version())
	h.want("version grows", version > before, true)
	h.want("roles", names(h.load()), []string{"a", "b"})
	h.put(rbac.Role{Name: "c"})
	h.want("a new role begins empty", h.load()[2], rbac.Role{Name: "c"})
}

func deleteUnknown(h *harness) {
	h.roles("a")
	before := h.version()
	for _, role := range []rbac.RoleID{id("", "b"), id("t", "a"), id("", ""), id("nul\x00", "\xff")} {
		version, err := h.remove(role)
		h.wantErr("DeleteRole", err, nil)
		h.want("version", version, before)
	}
	h.want("version", h.version(), before)
	h.want("roles", names(h.load()), []string{"a"})
}

func deleteInUse(h *harness) {
	h.roles("parent", "held", "elsewhere")
	h.put(rbac.Role{Tenant: "t", Name: "heir", Inherits: []rbac.RoleID{id("", "parent")}})
	h.assign(rbac.Assignment{Subject: "ann", Role: id("", "held"), ExpiresAt: epoch.Add(time.Microsecond)})
	h.assign(rbac.Assignment{Tenant: rbac.AnyTenant, Subject: "ann", Role: id("", "elsewhere")})
	before := h.version()
	for _, name := range []string{"parent", "held", "elsewhere"} {
		_, err := h.remove(id("", name))
		h.wantErr("DeleteRole of "+name, err, rbac.ErrRoleInUse)
	}
	h.want("version", h.version(), before)
	h.want("roles", names(h.load()), []string{"elsewhere", "held", "parent", "t/heir"})
}

func deleteDropsExpired(h *harness) {
	h.roles("held")
	h.assign(rbac.Assignment{Subject: "ann", Role: id("", "held"), ExpiresAt: epoch})
	_, err := h.remove(id("", "held"))
	h.wantErr("DeleteRole", err, nil)
	h.roles("held")
	h.want("assignments", len(h.rolesOf("", "ann", epoch.Add(-time.Hour))), 0)
}
