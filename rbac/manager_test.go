package rbac_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/rbac"
)

type office struct {
	*testing.T
	*world
	store   *rbac.MemoryStore
	checker *rbac.Checker
	manager *rbac.Manager
	events  *events
}

// newOffice has root, admin everywhere, and lead, a weaker manager of tenant a.
func newOffice(t *testing.T, change func(*rbac.ManagerConfig)) *office {
	t.Helper()
	o := &office{T: t, world: newWorld(), store: rbac.NewMemoryStore(), events: &events{}}
	var err error
	o.checker, err = rbac.New(rbac.Config{Registry: o.reg, Store: o.store})
	require.NoError(t, err)
	cfg := rbac.ManagerConfig{
		Registry: o.reg, Store: o.store, Assign: o.assign, Edit: o.edit, Checker: o.checker, OnEvent: o.events.add,
	}
	if change != nil {
		change(&cfg)
	}
	o.manager, err = rbac.NewManager(cfg)
	require.NoError(t, err)
	seed(t, o.store,
		rbac.Role{Name: "user", Grants: []string{"area:read"}},
		rbac.Role{Name: "lead", Grants: []string{"user:assign_role", "role:manage", "area:create"}, Inherits: globals("user")},
		rbac.Role{Name: "admin", Grants: []string{rbac.AllPermissions}},
		rbac.Role{Tenant: "a", Name: "staff", Grants: []string{"area:create"}},
		rbac.Role{Tenant: "b", Name: "staff", Grants: []string{"area:create"}})
	give(t, o.store, rbac.AnyTenant, "root", "admin")
	give(t, o.store, "a", "lead", "lead")
	return o
}

func (o *office) as(tenant, id string) rbac.Subject {
	o.Helper()
	s, err := o.checker.Fresh(o.Context(), tenant, id)
	require.NoError(o, err)
	return s
}

func in(tenant, subject string, role rbac.RoleID) rbac.Assignment {
	return rbac.Assignment{Tenant: tenant, Subject: subject, Role: role}
}

func TestNewManagerReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := rbac.NewManager(rbac.ManagerConfig{})
	for _, field := range []string{"Registry", "Store", "Assign"} {
		require.ErrorContains(t, err, "config "+field)
	}
	w, foreign := newWorld(), newWorld()
	_, err = rbac.NewManager(rbac.ManagerConfig{
		Registry: w.reg, Store: rbac.NewMemoryStore(), Assign: foreign.assign, Edit: foreign.edit, Escalate: foreign.escalate,
	})
	for _, field := range []string{"Assign", "Edit", "Escalate"} {
		require.ErrorContains(t, err, "config "+field+": is of another registry")
	}
}

func TestManagerAssign(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	staffA, staffB := rbac.RoleID{Tenant: "a", Name: "staff"}, rbac.RoleID{Tenant: "b", Name: "staff"}
	expired := in("a", "ann", staffA)
	expired.ExpiresAt = now
	tests := []struct {
		name          string
		tenant, actor string
		a             rbac.Assignment
		want          error
	}{
		{"own tenant", "a", "lead", in("a", "ann", staffA), nil},
		{"global role", "a", "lead", in("a", "ann", global("user")), nil},
		{"own role", "a", "lead", in("a", "ann", global("lead")), nil},
		{"everything", rbac.AnyTenant, "root", in(rbac.AnyTenant, "ann", global("admin")), nil},
		{"in a tenant", "b", "root", in("b", "ann", staffB), nil},
		{"outside of any", "", "root", in("", "ann", global("admin")), nil},
		{"more than the actor has", "a", "lead", in("a", "ann", global("admin")), rbac.ErrEscalation},
		{"more for himself", "a", "lead", in("a", "lead", global("admin")), rbac.ErrEscalation},
		{"without permission", "a", "nobody", in("a", "ann", staffA), rbac.ErrDenied},
		{"nobody", "", "", in("a", "ann", staffA), rbac.ErrDenied},
		{"other tenant", "a", "lead", in("b", "ann", staffB), rbac.ErrDenied},
		{"outside of his tenant", "a", "lead", in("", "ann", global("user")), rbac.ErrDenied},
		{"everywhere", "a", "lead", in(rbac.AnyTenant, "ann", global("user")), rbac.ErrDenied},
		{"everywhere from a tenant", "a", "root", in(rbac.AnyTenant, "ann", global("user")), rbac.ErrDenied},
		{"role of another tenant", "a", "lead", in("a", "ann", staffB), rbac.ErrCrossTenant},
		{"unknown role", "a", "lead", in("a", "ann", global("ghost")), rbac.ErrUnknownRole},
		{"no subject", "a", "lead", in("a", "", staffA), rbac.ErrInvalidName},
		{"expired", "a", "lead", expired, rbac.ErrInvalidName},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, func(c *rbac.ManagerConfig) { c.Now = func() time.Time { return now } })
			var actor rbac.Subject
			if tt.actor != "" {
				actor = o.as(tt.tenant, tt.actor)
			}
			require.ErrorIs(t, o.manager.Assign(t.Context(), actor, tt.a), tt.want)
			list, err := o.store.Assignments(t.Context(), tt.a.Tenant, tt.a.Role, now)
			require.NoError(t, err)
			event := o.events.take()[0]
			if tt.want != nil {
				require.NotContains(t, subjects(list), "ann")
				require.Equal(t, rbac.EventRefused, event.Type)
				require.ErrorIs(t, event.Err, tt.want)
				return
			}
			require.Equal(t, rbac.EventAssign, event.Type)
			require.Equal(t, tt.actor, event.Actor)
			want := tt.a
			want.GrantedBy, want.GrantedAt = tt.actor, now
			require.Contains(t, list, want)
			if tt.a.Role != global("lead") {
				require.NoError(t, o.manager.MayAssign(t.Context(), actor, tt.a.Tenant, tt.a.Role))
			}
		})
	}
}

func subjects(list []rbac.Assignment) []string {
	ids := []string{}
	for _, a := range list {
		ids = append(ids, a.Subject)
	}
	return ids
}

// Who holds the permission to escalate may give what he lacks.
func TestEscalatePermission(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(c *rbac.ManagerConfig) {
		c.Escalate = newWorld().escalate
		c.Escalate, _ = c.Registry.Lookup("role:escalate")
	})
	seed(t, o.store, rbac.Role{Name: "chief", Grants: []string{"role:escalate"}, Inherits: globals("lead")})
	give(t, o.store, "a", "chief", "chief")
	require.NoError(t, o.manager.Assign(t.Context(), o.as("a", "chief"), in("a", "ann", global("admin"))))
	var fault *rbac.EscalationError
	require.ErrorAs(t, o.manager.Assign(t.Context(), o.as("a", "lead"), in("a", "ann", global("admin"))), &fault)
	require.Equal(t, []string{
		"area:update:any", "area:update:own", "area:verify", "note:delete:any", "note:delete:own", "role:escalate",
	}, fault.Missing)
}

// What a writer of roles must not do, above all to his own role.
func TestManagerPutRole(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		tenant, actor string
		role          rbac.Role
		want          error
	}{
		{"new role", "a", "lead", rbac.Role{Tenant: "a", Name: "new", Grants: []string{"area:create"}}, nil},
		{"heir", "a", "lead", rbac.Role{Tenant: "a", Name: "new", Inherits: globals("lead")}, nil},
		{"global role", rbac.AnyTenant, "root", rbac.Role{Name: "new", Grants: []string{"*"}}, nil},
		{"global role from outside of any", "", "root", rbac.Role{Name: "new", Grants: []string{"*"}}, nil},
		{"more than the actor has", "a", "lead", rbac.Role{Tenant: "a", Name: "new", Grants: []string{"area:verify"}}, rbac.ErrEscalation},
		{"by a pattern", "a", "lead", rbac.Role{Tenant: "a", Name: "new", Grants: []string{"area:*"}}, rbac.ErrEscalation},
		{"by a parent", "a", "lead", rbac.Role{Tenant: "a", Name: "new", Inherits: globals("admin")}, rbac.ErrEscalation},
		{"by shadowing a stronger name", "a", "lead", rbac.Role{Tenant: "a", Name: "admin", Grants: []string{"*"}}, rbac.ErrEscalation},
		{"global role from a tenant", "a", "lead", rbac.Role{Name: "lead"}, rbac.ErrDenied},
		{"global role from a tenant, strong", "a", "root", rbac.Role{Name: "new"}, rbac.ErrDenied},
		{"other tenant", "a", "lead", rbac.Role{Tenant: "b", Name: "new"}, rbac.ErrDenied},
		{"without permission", "a", "ann", rbac.Role{Tenant: "a", Name: "new"}, rbac.ErrDenied},
		{"cycle", rbac.AnyTenant, "root", rbac.Role{Name: "user", Inherits: globals("lead")}, rbac.ErrCycle},
		{"unknown permission", "a", "lead", rbac.Role{Tenant: "a", Name: "new", Grants: []string{"moon:land"}}, rbac.ErrUnknownPermission},
		{"unknown parent", "a", "lead", rbac.Role{Tenant: "a", Name: "new", Inherits: globals("ghost")}, rbac.ErrUnknownRole},
		{"bad name", "a", "lead", rbac.Role{Tenant: "a", Name: "New"}, rbac.ErrInvalidName},
		{"cross tenant", "a", "lead", rbac.Role{Tenant: "a", Name: "new", Inherits: []rbac.RoleID{{Tenant: "b", Name: "staff"}}}, rbac.ErrCrossTenant},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, nil)
			version, err := o.manager.PutRole(t.Context(), o.as(tt.tenant, tt.actor), tt.role, 0)
			require.ErrorIs(t, err, tt.want)
			now, err := o.store.Version(t.Context())
			require.NoError(t, err)
			event := o.events.take()[0]
			if tt.want != nil {
				require.Equal(t, uint64(6), now)
				require.Equal(t, rbac.EventRefused, event.Type)
				return
			}
			require.Equal(t, now, version)
			require.Equal(t, rbac.EventPutRole, event.Type)
			require.Equal(t, rbac.Change{Op: rbac.RoleAdded, Role: tt.role.ID()}, event.Changes[0])
			p, err := o.checker.Policy(t.Context(), "")
			require.NoError(t, err)
			require.Equal(t, version, p.Version(), "the Checker knows at once")
		})
	}
	t.Run("own role grows", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t, nil)
		own := rbac.Role{Tenant: "a", Name: "head", Grants: []string{"role:manage", "area:read"}}
		seed(t, o.store, own)
		require.NoError(t, o.store.Assign(t.Context(), in("a", "hal", own.ID()), rbac.Guard{}))
		own.Grants = append(own.Grants, "area:verify")
		_, err := o.manager.PutRole(t.Context(), o.as("a", "hal"), own, 0)
		require.ErrorIs(t, err, rbac.ErrEscalation)
		own.Grants = []string{"area:read"}
		_, err = o.manager.PutRole(t.Context(), o.as("a", "hal"), own, 0)
		require.NoError(t, err, "it may shrink")
	})
	t.Run("stronger role shrinks", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t, nil)
		strong := rbac.Role{Tenant: "a", Name: "judge", Grants: []string{"area:verify"}}
		seed(t, o.store, strong)
		strong.Grants = nil
		_, err := o.manager.PutRole(t.Context(), o.as("a", "lead"), strong, 0)
		require.ErrorIs(t, err, rbac.ErrEscalation)
		_, err = o.manager.DeleteRole(t.Context(), o.as("a", "lead"), strong.ID(), 0)
		require.ErrorIs(t, err, rbac.ErrEscalation)
	})
	t.Run("nobody edits", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t, func(c *rbac.ManagerConfig) { c.Edit = rbac.Permission{} })
		_, err := o.manager.PutRole(t.Context(), o.as(rbac.AnyTenant, "root"), rbac.Role{Name: "new"}, 0)
		require.ErrorIs(t, err, rbac.ErrDenied)
	})
}

// Two writers who saw the same version: one of them has to look again.
func TestConcurrentPutRole(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	root := o.as(rbac.AnyTenant, "root")
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = o.manager.PutRole(context.Background(), root, rbac.Role{Name: "user", Description: string(rune('a' + i))}, 6)
		})
	}
	wg.Wait()
	if errs[0] == nil {
		errs[0], errs[1] = errs[1], errs[0]
	}
	require.ErrorIs(t, errs[0], rbac.ErrConflict)
	require.NoError(t, errs[1])
	_, err := o.manager.DeleteRole(t.Context(), root, global("user"), 6)
	require.ErrorIs(t, err, rbac.ErrConflict)
}

// TestDemotedActor: rights are judged by the roles as they are in the store, not by the actor's
// snapshot.
func TestDemotedActor(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	lead := o.as("a", "lead")
	seed(t, o.store, rbac.Role{Name: "lead"})
	require.True(t, lead.Can(o.assign))
	require.ErrorIs(t, o.manager.Assign(t.Context(), lead, in("a", "ann", global("user"))), rbac.ErrDenied)
	foreign := newWorld()
	stranger := compile(t, foreign.reg, rbac.Role{Name: "admin", Grants: []string{"*"}}).Subject("a", "x", "admin")
	require.ErrorIs(t, o.manager.Assign(t.Context(), stranger, in("a", "ann", global("user"))), rbac.ErrDenied)
}

func TestLastManager(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	root, lead := o.as(rbac.AnyTenant, "root"), o.as("a", "lead")
	// The last of a tenant cannot leave, nor be given an end, although root manages everywhere.
	require.ErrorIs(t, o.manager.Unassign(t.Context(), lead, in("a", "lead", global("lead"))), rbac.ErrLastManager)
	ending := in("a", "lead", global("lead"))
	ending.ExpiresAt = time.Now().Add(time.Hour)
	require.ErrorIs(t, o.manager.Assign(t.Context(), lead, ending), rbac.ErrLastManager)
	require.ErrorIs(t, o.manager.Unassign(t.Context(), root, in(rbac.AnyTenant, "root", global("admin"))), rbac.ErrLastManager)
	// The role cannot lose the permission, also when it comes through a parent.
	_, err := o.manager.PutRole(t.Context(), root, rbac.Role{Name: "lead", Grants: []string{"role:manage"}}, 0)
	require.ErrorIs(t, err, rbac.ErrLastManager)
	_, err = o.manager.DeleteRole(t.Context(), root, global("lead"), 0)
	require.ErrorIs(t, err, rbac.ErrRoleInUse)
	// A tenant's own role that inherits it counts.
	seed(t, o.store, rbac.Role{Tenant: "a", Name: "boss", Inherits: globals("lead")})
	boss := rbac.RoleID{Tenant: "a", Name: "boss"}
	require.NoError(t, o.manager.Assign(t.Context(), lead, in("a", "ann", boss)))
	require.NoError(t, o.manager.Unassign(t.Context(), lead, in("a", "lead", global("lead"))))
	_, err = o.manager.PutRole(t.Context(), root, rbac.Role{Name: "lead"}, 0)
	require.ErrorIs(t, err, rbac.ErrLastManager)
	seed(t, o.store, rbac.Role{Tenant: "a", Name: "boss", Grants: []string{"user:assign_role"}, Inherits: globals("lead")})
	_, err = o.manager.PutRole(t.Context(), root, rbac.Role{Name: "lead"}, 0)
	require.NoError(t, err)
	require.True(t, o.as("a", "ann").Can(o.assign))
}

func TestManagerUnassignAndDelete(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	lead := o.as("a", "lead")
	staff := rbac.RoleID{Tenant: "a", Name: "staff"}
	require.NoError(t, o.manager.Assign(t.Context(), lead, in("a", "ann", staff)))
	s, err := o.checker.Subject(t.Context(), "a", "ann")
	require.NoError(t, err)
	require.True(t, s.Can(o.areaCreate))
	require.ErrorIs(t, o.manager.Unassign(t.Context(), lead, in("b", "ann", staff)), rbac.ErrDenied)
	require.ErrorIs(t, o.manager.Unassign(t.Context(), o.as("a", "ann"), in("a", "ann", staff)), rbac.ErrDenied)
	_, err = o.manager.DeleteRole(t.Context(), lead, staff, 0)
	require.ErrorIs(t, err, rbac.ErrRoleInUse)
	for range 2 { // repeating is no error
		require.NoError(t, o.manager.Unassign(t.Context(), lead, in("a", "ann", staff)))
	}
	s, err = o.checker.Subject(t.Context(), "a", "ann")
	require.NoError(t, err)
	require.False(t, s.Can(o.areaCreate), "the Checker knows at once")
	o.events.take()
	version, err := o.manager.DeleteRole(t.Context(), lead, staff, 6)
	require.NoError(t, err)
	require.Equal(t, uint64(7), version)
	require.Equal(t, rbac.EventDeleteRole, o.events.take()[0].Type)
	_, err = o.manager.DeleteRole(t.Context(), lead, staff, 0)
	require.ErrorIs(t, err, rbac.ErrUnknownRole)
	_, err = o.manager.DeleteRole(t.Context(), lead, global("user"), 0)
	require.ErrorIs(t, err, rbac.ErrDenied)
}

func TestManagerSkipsUnknownGrantsOfOthers(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	seed(t, o.store, rbac.Role{Name: "future", Grants: []string{"moon:land"}})
	w := o.world
	lenient, err := rbac.NewManager(rbac.ManagerConfig{
		Registry: w.reg, Store: o.store, Assign: w.assign, Edit: w.edit, SkipUnknownGrants: true,
	})
	require.NoError(t, err)
	root := compile(t, w.reg, rbac.Role{Name: "admin", Grants: []string{"*"}}).Subject(rbac.AnyTenant, "root", "admin")
	_, err = lenient.PutRole(t.Context(), root, rbac.Role{Name: "new", Grants: []string{"area:read"}}, 0)
	require.NoError(t, err)
	_, err = lenient.PutRole(t.Context(), root, rbac.Role{Name: "new", Grants: []string{"sun:land"}}, 0)
	require.ErrorIs(t, err, rbac.ErrUnknownPermission)
	require.NotErrorIs(t, err, rbac.ErrUnavailable)
	_, err = o.manager.PutRole(t.Context(), root, rbac.Role{Name: "new"}, 0)
	require.ErrorIs(t, err, rbac.ErrUnavailable, "the stored roles are at fault")
}

func TestManagerWithoutStore(t *testing.T) {
	t.Parallel()
	w := newWorld()
	store := newFake()
	store.down.Store(true)
	m, err := rbac.NewManager(rbac.ManagerConfig{Registry: w.reg, Store: store, Assign: w.assign, Edit: w.edit})
	require.NoError(t, err)
	require.ErrorIs(t, m.Assign(t.Context(), rbac.Subject{}, in("a", "ann", global("user"))), errDown)
	_, err = m.PutRole(t.Context(), rbac.Subject{}, rbac.Role{Name: "a"}, 0)
	require.ErrorIs(t, err, rbac.ErrUnavailable)
}
