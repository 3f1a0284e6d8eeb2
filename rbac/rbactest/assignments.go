package rbactest

import (
	"errors"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/rbac"
)

func assignKeepsFields(h *harness) {
	h.roles("user")
	a := rbac.Assignment{
		Tenant: "acme", Subject: "ann", Role: id("", "user"), GrantedBy: "bob",
		GrantedAt: epoch, ExpiresAt: epoch.Add(time.Hour),
	}
	nanos := a
	nanos.GrantedAt = nanos.GrantedAt.Add(999)
	h.assign(nanos)
	h.want("assignments", h.rolesOf("acme", "ann", epoch), []rbac.Assignment{a})
}

func assignReplaces(h *harness) {
	h.roles("user")
	a := rbac.Assignment{Subject: "ann", Role: id("", "user"), GrantedBy: "bob", GrantedAt: epoch, ExpiresAt: epoch.Add(1e9)}
	h.assign(a)
	a.GrantedBy, a.ExpiresAt = "cy", time.Time{}
	h.assign(a)
	h.want("assignments", h.rolesOf("", "ann", epoch.Add(time.Hour)), []rbac.Assignment{a})
}

func assignChecksForm(h *harness) {
	h.roles("user")
	h.put(rbac.Role{Tenant: "a", Name: "staff"})
	user := id("", "user")
	for _, a := range []rbac.Assignment{
		{Role: user},
		{Subject: "nul\x00", Role: user},
		{Subject: "\xff", Role: user},
		{Subject: strings.Repeat("a", 1025), Role: user},
		{Subject: "ann", Tenant: "nul\x00", Role: user},
		{Subject: "ann"},
	} {
		h.wantErr("Assign", h.store.Assign(h.Context(), a, rbac.Guard{}), rbac.ErrInvalidName)
	}
	for _, tenant := range []string{"", "b", rbac.AnyTenant} {
		err := h.store.Assign(h.Context(), rbac.Assignment{Tenant: tenant, Subject: "ann", Role: id("a", "staff")}, rbac.Guard{})
		h.wantErr("Assign in "+tenant, err, rbac.ErrCrossTenant)
	}
}

func assignUnknownRole(h *harness) {
	h.put(rbac.Role{Tenant: "a", Name: "staff"})
	for _, role := range []rbac.RoleID{id("", "staff"), id("a", "nobody")} {
		err := h.store.Assign(h.Context(), rbac.Assignment{Tenant: "a", Subject: "ann", Role: role}, rbac.Guard{})
		h.wantErr("Assign", err, rbac.ErrUnknownRole)
	}
	h.want("assignments", len(h.rolesOf("a", "ann", epoch)), 0)
}

func assignKeepsVersion(h *harness) {
	h.roles("user")
	before := h.version()
	a := rbac.Assignment{Subject: "ann", Role: id("", "user")}
	h.assign(a)
	h.wantErr("Unassign", h.store.Unassign(h.Context(), a, rbac.Guard{}), nil)
	h.want("version", h.version(), before)
}

func assignAtVersion(h *harness) {
	h.roles("user")
	at := h.version()
	a := rbac.Assignment{Subject: "ann", Role: id("", "user")}
	h.wantErr("Assign", h.store.Assign(h.Context(), a, rbac.Guard{Version: at - 1}), rbac.ErrConflict)
	h.wantErr("Assign", h.store.Assign(h.Context(), a, rbac.Guard{Version: at}), nil)
	h.wantErr("Unassign", h.store.Unassign(h.Context(), a, rbac.Guard{Version: at + 1}), rbac.ErrConflict)
	h.want("holders", h.holders("", a.Role), []string{"ann"})
}

func rolesOfTenant(h *harness) {
	h.roles("user", "admin")
	h.put(rbac.Role{Tenant: "a", Name: "staff"})
	none := rbac.Assignment{Subject: "ann", Role: id("", "user")}
	anywhere := rbac.Assignment{Tenant: rbac.AnyTenant, Subject: "ann", Role: id("", "admin")}
	global := rbac.Assignment{Tenant: "a", Subject: "ann", Role: id("", "user")}
	own := rbac.Assignment{Tenant: "a", Subject: "ann", Role: id("a", "staff")}
	for _, a := range []rbac.Assignment{none, anywhere, global, own} {
		h.assign(a)
	}
	h.want("no tenant", h.rolesOf("", "ann", epoch), []rbac.Assignment{none, anywhere})
	h.want("a", h.rolesOf("a", "ann", epoch), []rbac.Assignment{anywhere, global, own})
	h.want("b", h.rolesOf("b", "ann", epoch), []rbac.Assignment{anywhere})
	h.want("any", h.rolesOf(rbac.AnyTenant, "ann", epoch), []rbac.Assignment{anywhere})
}

func rolesOfExpired(h *harness) {
	h.roles("user")
	h.assign(rbac.Assignment{Subject: "ann", Role: id("", "user"), ExpiresAt: epoch})
	h.want("before", len(h.rolesOf("", "ann", epoch.Add(-time.Microsecond))), 1)
	h.want("at the end", len(h.rolesOf("", "ann", epoch)), 0)
	h.want("after", len(h.rolesOf("", "ann", epoch.Add(time.Microsecond))), 0)
}

func rolesOfNobody(h *harness) {
	h.roles("user")
	h.assign(rbac.Assignment{Subject: "ann", Role: id("", "user")})
	for _, subject := range []string{"bob", "", "an", "ANN", "ann ", "%", "nul\x00", "\xff", strings.Repeat("a", 2000)} {
		h.want("assignments of "+subject, len(h.rolesOf("", subject, epoch)), 0)
	}
	h.want("assignments in an odd tenant", len(h.rolesOf("nul\x00", "ann", epoch)), 0)
}

func subjectsAreOpaque(h *harness) {
	h.roles("user")
	subjects := []string{" ", "'; DROP TABLE x; --", "\x01\n", "Ünï|\U0001F600", strings.Repeat("é", 512), "a/b", "*"}
	tenant := func(subject string) string { return "t|" + string([]rune(subject)[:1]) }
	for _, subject := range subjects {
		h.assign(rbac.Assignment{Tenant: tenant(subject), Subject: subject, Role: id("", "user")})
	}
	for _, subject := range subjects {
		list := h.rolesOf(tenant(subject), subject, epoch)
		if len(list) != 1 || list[0].Subject != subject {
			h.Fatalf("subject %q: %+v", subject, list)
		}
	}
}

func unassign(h *harness) {
	h.roles("user", "admin")
	a := rbac.Assignment{Tenant: "a", Subject: "ann", Role: id("", "user")}
	kept := []rbac.Assignment{
		{Tenant: "b", Subject: "ann", Role: a.Role},
		{Tenant: rbac.AnyTenant, Subject: "ann", Role: a.Role},
		{Subject: "ann", Role: a.Role},
		{Tenant: "a", Subject: "bob", Role: a.Role},
		{Tenant: "a", Subject: "ann", Role: id("", "admin")},
	}
	for _, other := range append(kept, a) {
		h.assign(other)
	}
	h.wantErr("Unassign", h.store.Unassign(h.Context(), a, rbac.Guard{}), nil)
	h.want("in a", h.rolesOf("a", "ann", epoch), []rbac.Assignment{kept[1], kept[4]})
	h.want("in b", h.rolesOf("b", "ann", epoch), []rbac.Assignment{kept[1], kept[0]})
	h.want("outside", h.rolesOf("", "ann", epoch), []rbac.Assignment{kept[2], kept[1]})
	h.want("others", h.holders("a", a.Role), []string{"bob"})
}

func unassignUnknown(h *harness) {
	for _, a := range []rbac.Assignment{{}, {Tenant: "a", Subject: "ann", Role: id("", "x")}, {Subject: "nul\x00"}} {
		h.wantErr("Unassign", h.store.Unassign(h.Context(), a, rbac.Guard{}), nil)
	}
}

func assignments(h *harness) {
	h.roles("user")
	role := id("", "user")
	for _, subject := range []string{"cy", "ann", "bob"} {
		h.assign(rbac.Assignment{Tenant: "a", Subject: subject, Role: role})
	}
	h.assign(rbac.Assignment{Tenant: "a", Subject: "gone", Role: role, ExpiresAt: epoch})
	h.assign(rbac.Assignment{Tenant: rbac.AnyTenant, Subject: "root", Role: role})
	h.want("in a", h.holders("a", role), []string{"ann", "bob", "cy"})
	h.want("in any", h.holders(rbac.AnyTenant, role), []string{"root"})
	h.want("in b", h.holders("b", role), []string{})
	h.want("of an odd role", h.holders("a", id("\xff", "nul\x00")), []string{})
}

func deleteExpired(h *harness) {
	h.roles("user")
	for i, subject := range []string{"a", "b", "c", "d"} {
		h.assign(rbac.Assignment{Subject: subject, Role: id("", "user"), ExpiresAt: epoch.Add(time.Duration(i) * time.Second)})
	}
	h.assign(rbac.Assignment{Subject: "e", Role: id("", "user")})
	remove := func(limit, want int) {
		h.Helper()
		n, err := h.store.DeleteExpired(h.Context(), epoch.Add(2*time.Second), limit)
		h.wantErr("DeleteExpired", err, nil)
		h.want("deleted", n, want)
	}
	remove(0, 0)
	remove(2, 2)
	remove(2, 1)
	remove(2, 0)
	h.want("left", h.holders("", id("", "user")), []string{"d", "e"})
}

// managers is a guard for tests in which the role boss manages.
var managers = []rbac.RoleID{{Name: "boss"}, {Tenant: "a", Name: "boss"}}

func boss(tenant, subject string) rbac.Assignment {
	return rbac.Assignment{Tenant: tenant, Subject: subject, Role: id("", "boss")}
}

func lastOnUnassign(h *harness) {
	h.roles("boss", "user")
	guard := rbac.Guard{Before: managers, After: managers}
	h.assign(boss("a", "ann"))
	h.assign(rbac.Assignment{Tenant: "a", Subject: "bob", Role: id("", "user")})
	temporary := boss("a", "cy")
	temporary.ExpiresAt = epoch.Add(time.Hour)
	h.assign(temporary)
	h.wantErr("Unassign the last", h.store.Unassign(h.Context(), boss("a", "ann"), guard), rbac.ErrLastManager)
	h.want("holders", h.holders("a", id("", "boss")), []string{"ann", "cy"})
	h.wantErr("Unassign another role", h.store.Unassign(h.Context(), rbac.Assignment{
		Tenant: "a", Subject: "bob", Role: id("", "user"),
	}, guard), nil)
	h.wantErr("Unassign a temporary one", h.store.Unassign(h.Context(), temporary, guard), nil)
	h.put(rbac.Role{Tenant: "a", Name: "boss"})
	h.assign(rbac.Assignment{Tenant: "a", Subject: "dan", Role: id("a", "boss")})
	h.wantErr("Unassign the last but one", h.store.Unassign(h.Context(), boss("a", "ann"), guard), nil)
	h.wantErr("without guard", h.store.Unassign(h.Context(), rbac.Assignment{
		Tenant: "a", Subject: "dan", Role: id("a", "boss"),
	}, rbac.Guard{}), nil)
}

func lastOnExpiry(h *harness) {
	h.roles("boss")
	guard := rbac.Guard{Before: managers, After: managers}
	a := boss("", "ann")
	a.ExpiresAt = epoch.Add(time.Hour)
	h.wantErr("a first temporary manager", h.store.Assign(h.Context(), a, guard), nil)
	h.assign(boss("", "ann"))
	h.wantErr("Assign with expiry", h.store.Assign(h.Context(), a, guard), rbac.ErrLastManager)
	h.want("assignment", h.rolesOf("", "ann", epoch), []rbac.Assignment{boss("", "ann")})
	h.wantErr("a second one", h.store.Assign(h.Context(), boss("", "bob"), guard), nil)
	h.wantErr("Assign with expiry", h.store.Assign(h.Context(), a, guard), nil)
}

func lastOnPutRole(h *harness) {
	h.roles("boss", "chief")
	h.assign(boss("a", "ann"))
	h.assign(boss("b", "bob"))
	h.assign(rbac.Assignment{Tenant: "b", Subject: "bob", Role: id("", "chief")})
	before := h.version()
	put := func(after ...rbac.RoleID) error {
		_, err := h.store.PutRole(h.Context(), rbac.Role{Name: "boss"}, rbac.Guard{
			Before: []rbac.RoleID{id("", "boss"), id("", "chief")}, After: after,
		})
		return err
	}
	h.wantErr("PutRole that leaves a and b without", put(), rbac.ErrLastManager)
	h.wantErr("PutRole that leaves a without", put(id("", "chief")), rbac.ErrLastManager)
	h.want("version", h.version(), before)
	h.want("role", h.load()[0].Grants, []string{"boss:do"})
	h.assign(rbac.Assignment{Tenant: "a", Subject: "cy", Role: id("", "chief")})
	h.wantErr("PutRole that leaves each one", put(id("", "chief")), nil)
}

func lastPerTenant(h *harness) {
	h.roles("boss")
	guard := rbac.Guard{Before: managers, After: managers}
	for _, tenant := range []string{"", "a", "b", rbac.AnyTenant} {
		h.assign(boss(tenant, "ann"))
	}
	for _, tenant := range []string{"", "a", rbac.AnyTenant} {
		h.wantErr("Unassign in "+tenant, h.store.Unassign(h.Context(), boss(tenant, "ann"), guard), rbac.ErrLastManager)
	}
}

// lastRace lets managers remove each other at once: one must be left.
func lastRace(h *harness) {
	h.roles("boss")
	guard := rbac.Guard{Before: managers, After: managers, Version: h.version()}
	const n = 6
	subject := func(i int) string { return string(rune('a' + i)) }
	for i := range n {
		h.assign(boss("t", subject(i)))
	}
	refused := 0
	for _, err := range parallel(n, func(i int) error {
		return h.store.Unassign(h.Context(), boss("t", subject(i)), guard)
	}) {
		if errors.Is(err, rbac.ErrLastManager) {
			refused++
		} else if err != nil {
			h.Fatalf("Unassign: %v", err)
		}
	}
	h.want("refused", refused, 1)
	h.want("left", len(h.holders("t", id("", "boss"))), 1)
}
