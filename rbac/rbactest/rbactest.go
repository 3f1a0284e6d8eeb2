// Package rbactest tests implementations of the store interfaces of package rbac.
//
//	func TestStore(t *testing.T) {
//		rbactest.TestStore(t, func(t *testing.T) rbac.Store {
//			return newStore(t) // fresh, empty, at version 1; registers its own clean-up
//		})
//	}
//
// Each subtest checks one sentence of the interfaces' comments. The tests use the standard library
// only. Run them with -race: several change one store from many goroutines.
package rbactest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/groundwork-go/groundwork/rbac"
)

// epoch is the time at which every test begins, in the precision of stores.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// TestStore runs the conformance suite against the stores that open returns. Every call of open
// must give a fresh, empty store; all of them are used in parallel.
func TestStore(t *testing.T, open func(t *testing.T) rbac.Store) {
	for _, c := range []struct {
		name string
		run  func(h *harness)
	}{
		{"FreshStoreIsEmptyAtVersion1", freshStore},
		{"PutRoleKeepsEveryField", putKeepsFields},
		{"PutRoleReplaces", putReplaces},
		{"PutRoleChecksForm", putChecksForm},
		{"PutRoleUnknownParent", putUnknownParent},
		{"PutRoleCrossTenant", putCrossTenant},
		{"PutRoleAtVersion", putAtVersion},
		{"PutRoleRace", putRace},
		{"LoadRolesIsSorted", loadSorted},
		{"LoadRolesOfTenants", loadOfTenants},
		{"LoadRolesIsConsistent", loadConsistent},
		{"TenantsHaveRolesOfTheSameName", sameNames},
		{"DeleteRole", deleteRole},
		{"DeleteUnknownRole", deleteUnknown},
		{"DeleteRoleInUse", deleteInUse},
		{"DeleteRoleDropsExpiredAssignments", deleteDropsExpired},
		{"AssignKeepsEveryField", assignKeepsFields},
		{"AssignReplaces", assignReplaces},
		{"AssignChecksForm", assignChecksForm},
		{"AssignUnknownRole", assignUnknownRole},
		{"AssignKeepsTheVersion", assignKeepsVersion},
		{"AssignAtVersion", assignAtVersion},
		{"RolesOfTenantAndAnyTenant", rolesOfTenant},
		{"RolesOfLeavesOutTheExpired", rolesOfExpired},
		{"RolesOfNobody", rolesOfNobody},
		{"SubjectsAreOpaque", subjectsAreOpaque},
		{"Unassign", unassign},
		{"UnassignUnknown", unassignUnknown},
		{"Assignments", assignments},
		{"DeleteExpired", deleteExpired},
		{"LastManagerStaysOnUnassign", lastOnUnassign},
		{"LastManagerStaysOnExpiry", lastOnExpiry},
		{"LastManagerStaysOnPutRole", lastOnPutRole},
		{"LastManagerIsPerTenant", lastPerTenant},
		{"LastManagersRace", lastRace},
		{"CancelledContext", cancelledContext},
		{"StoresAreIsolated", func(h *harness) { isolated(h, open) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(&harness{T: t, store: open(t)})
		})
	}
}

// harness is a store with helpers that fail the test instead of returning errors.
type harness struct {
	*testing.T
	store rbac.Store
}

func id(tenant, name string) rbac.RoleID { return rbac.RoleID{Tenant: tenant, Name: name} }

func (h *harness) put(r rbac.Role) uint64 {
	h.Helper()
	version, err := h.store.PutRole(h.Context(), r, rbac.Guard{})
	if err != nil {
		h.Fatalf("PutRole(%s): %v", r.ID(), err)
	}
	return version
}

// roles makes global roles with a grant each.
func (h *harness) roles(names ...string) {
	h.Helper()
	for _, name := range names {
		h.put(rbac.Role{Name: name, Grants: []string{name + ":do"}})
	}
}

func (h *harness) assign(a rbac.Assignment) {
	h.Helper()
	if err := h.store.Assign(h.Context(), a, rbac.Guard{}); err != nil {
		h.Fatalf("Assign: %v", err)
	}
}

func (h *harness) version() uint64 {
	h.Helper()
	version, err := h.store.Version(h.Context())
	if err != nil {
		h.Fatalf("Version: %v", err)
	}
	return version
}

func (h *harness) load(tenants ...string) []rbac.Role {
	h.Helper()
	roles, version, err := h.store.LoadRoles(h.Context(), tenants...)
	if err != nil {
		h.Fatalf("LoadRoles: %v", err)
	}
	if want := h.version(); version != want {
		h.Fatalf("LoadRoles: version %d, want %d", version, want)
	}
	return roles
}

func (h *harness) rolesOf(tenant, subject string, now time.Time) []rbac.Assignment {
	h.Helper()
	list, err := h.store.RolesOf(h.Context(), tenant, subject, now)
	if err != nil {
		h.Fatalf("RolesOf: %v", err)
	}
	return list
}

func (h *harness) holders(tenant string, role rbac.RoleID) []string {
	h.Helper()
	list, err := h.store.Assignments(h.Context(), tenant, role, epoch)
	if err != nil {
		h.Fatalf("Assignments: %v", err)
	}
	subjects := []string{}
	for _, a := range list {
		subjects = append(subjects, a.Subject)
	}
	return subjects
}

func (h *harness) want(what string, got, want any) {
	h.Helper()
	if !reflect.DeepEqual(got, want) {
		h.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func (h *harness) wantErr(what string, err, want error) {
	h.Helper()
	if !errors.Is(err, want) {
		h.Fatalf("%s: %v, want %v", what, err, want)
	}
}

func names(roles []rbac.Role) []string {
	list := []string{}
	for _, r := range roles {
		list = append(list, r.ID().String())
	}
	return list
}

func cancelledContext(h *harness) {
	h.roles("user")
	ctx, cancel := context.WithCancel(h.Context())
	cancel()
	user := rbac.Assignment{Subject: "ann", Role: id("", "user")}
	for name, call := range map[string]func() error{
		"Version":       func() error { _, err := h.store.Version(ctx); return err },
		"LoadRoles":     func() error { _, _, err := h.store.LoadRoles(ctx); return err },
		"RolesOf":       func() error { _, err := h.store.RolesOf(ctx, "", "ann", epoch); return err },
		"PutRole":       func() error { _, err := h.store.PutRole(ctx, rbac.Role{Name: "x"}, rbac.Guard{}); return err },
		"DeleteRole":    func() error { _, err := h.store.DeleteRole(ctx, user.Role, epoch, rbac.Guard{}); return err },
		"Assign":        func() error { return h.store.Assign(ctx, user, rbac.Guard{}) },
		"Unassign":      func() error { return h.store.Unassign(ctx, user, rbac.Guard{}) },
		"Assignments":   func() error { _, err := h.store.Assignments(ctx, "", user.Role, epoch); return err },
		"DeleteExpired": func() error { _, err := h.store.DeleteExpired(ctx, epoch, 1); return err },
	} {
		if err := call(); err == nil {
			h.Fatalf("%s with a cancelled context succeeded", name)
		}
	}
	h.want("roles", names(h.load()), []string{"user"})
	h.want("holders", h.holders("", user.Role), []string{})
}

func isolated(h *harness, open func(t *testing.T) rbac.Store) {
	h.roles("user")
	h.assign(rbac.Assignment{Subject: "ann", Role: id("", "user")})
	other := &harness{T: h.T, store: open(h.T)}
	h.want("roles of a second store", len(other.load()), 0)
	h.want("assignments of a second store", len(other.rolesOf("", "ann", epoch)), 0)
}

// parallel runs n calls at once and returns their errors.
func parallel(n int, call func(i int) error) []error {
	start, errs := make(chan struct{}), make(chan error)
	for i := range n {
		go func() {
			<-start
			if err := call(i); err != nil {
				errs <- fmt.Errorf("call %d: %w", i, err)
				return
			}
			errs <- nil
		}()
	}
	close(start)
	list := make([]error, 0, n)
	for range n {
		list = append(list, <-errs)
	}
	return list
}
