package rbac_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/rbac"
)

// Any implies own, own never implies any.
func TestAnyIncludesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld()
	p := compile(t, w.reg,
		rbac.Role{Name: "own", Grants: []string{"note:delete:own"}},
		rbac.Role{Name: "any", Grants: []string{"note:delete:any"}},
		rbac.Role{Name: "heir", Inherits: globals("any")},
		rbac.Role{Name: "wild", Grants: []string{"*:*:any"}})
	for _, role := range []string{"any", "heir", "wild"} {
		s := p.Subject("", "ann", role)
		require.True(t, s.Can(w.note.Own), role)
		require.True(t, s.Can(w.note.Any), role)
		require.Equal(t, rbac.ScopeAny, s.ScopeOf(w.note), role)
		require.True(t, s.CanOn(w.note, "bob"), role)
		require.NoError(t, s.CheckOn(w.note, "bob"), role)
	}
	s := p.Subject("", "ann", "own")
	require.True(t, s.Can(w.note.Own))
	require.False(t, s.Can(w.note.Any))
	require.Equal(t, rbac.ScopeOwn, s.ScopeOf(w.note))
	require.Equal(t, "own any none", fmt.Sprint(rbac.ScopeOwn, rbac.ScopeAny, rbac.ScopeNone))
}

// An empty owner, or an empty subject, matches nobody.
func TestCanOnWithoutOwner(t *testing.T) {
	t.Parallel()
	w := newWorld()
	p := compile(t, w.reg,
		rbac.Role{Name: "own", Grants: []string{"note:delete:own"}},
		rbac.Role{Name: "any", Grants: []string{"note:delete:any"}})
	tests := []struct {
		role, subject, owner string
		want                 bool
		reason               string
	}{
		{"own", "ann", "ann", true, ""},
		{"own", "ann", "bob", false, "belongs to somebody else"},
		{"own", "ann", "ANN", false, "belongs to somebody else"},
		{"own", "ann", "", false, "has no owner"},
		{"own", "", "", false, "has no owner"},
		{"own", "", "ann", false, "belongs to somebody else"},
		{"any", "ann", "bob", true, ""},
		{"any", "ann", "", true, ""},
		{"any", "", "", true, ""},
		{"none", "ann", "ann", false, "the subject has no role here"},
	}
	for _, tt := range tests {
		s := p.Subject("", tt.subject, tt.role)
		require.Equal(t, tt.want, s.CanOn(w.note, tt.owner), "%+v", tt)
		err := s.CheckOn(w.note, tt.owner)
		if tt.want {
			require.NoError(t, err)
			continue
		}
		var denied *rbac.DeniedError
		require.ErrorAs(t, err, &denied, "%+v", tt)
		require.Equal(t, tt.reason, denied.Reason)
		require.Equal(t, "note:delete:own", denied.Permission)
	}
	require.Equal(t, rbac.ScopeNone, p.Subject("", "", "own").ScopeOf(w.note))
}

func tenantRoles() []rbac.Role {
	return []rbac.Role{
		{Tenant: "a", Name: "staff", Grants: []string{"area:create"}},
		{Tenant: "b", Name: "staff", Grants: []string{"area:verify"}, Inherits: globals("user")},
		{Name: "user", Grants: []string{"area:read"}},
	}
}

// Two tenants have a role of one name; a thousand goroutines alternate between them.
func TestTenantsDoNotBleed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	p := compile(t, w.reg, tenantRoles()...)
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			tenant := []string{"a", "b", "c"}[i%3]
			s := p.Subject(tenant, "ann", "staff")
			if s.Can(w.areaCreate) != (tenant == "a") || s.Can(w.areaVerify) != (tenant == "b") || s.Can(w.areaRead) != (tenant == "b") {
				t.Errorf("tenant %s: %v", tenant, s.Roles())
			}
		})
	}
	wg.Wait()
	require.Equal(t, globals("user"), p.Subject("a", "ann", "user", "user").Roles())
}

// The stores' half is in rbactest and in TestCheckerTenants.
func TestEmptyTenantMatchesNoTenant(t *testing.T) {
	t.Parallel()
	w := newWorld()
	p := compile(t, w.reg, tenantRoles()...)
	for _, tenant := range []string{"", rbac.AnyTenant, "c"} {
		s := p.Subject(tenant, "ann", "staff", "user")
		require.Equal(t, globals("user"), s.Roles())
		require.False(t, s.Can(w.areaCreate))
		require.Equal(t, tenant, s.Tenant())
	}
	_, err := rbac.Compile(newWorld().reg, rbac.Role{Tenant: rbac.AnyTenant, Name: "x"})
	require.ErrorIs(t, err, rbac.ErrInvalidName)
}

func TestManyRoles(t *testing.T) {
	t.Parallel()
	reg := rbac.NewRegistry()
	var perms []rbac.Permission
	var roles []rbac.Role
	var held []string
	for i := range 100 {
		name := fmt.Sprintf("r%02d", i)
		perms = append(perms, reg.MustDefine(name+":do", ""))
		roles = append(roles, rbac.Role{Name: name, Grants: []string{name + ":do"}})
	}
	p := compile(t, reg, roles...)
	for n := range 40 {
		s := p.Subject("", "ann", append(held, held...)...)
		require.Len(t, s.Roles(), n)
		for i, perm := range perms {
			require.Equal(t, i < n, s.Can(perm), "%d roles, permission %d", n, i)
		}
		require.Len(t, names(s.Permissions()), n)
		if n > 0 {
			require.Equal(t, globals(held[n-1]), s.Explain(perms[n-1]).Path)
		}
		held = append(held, roles[n].Name)
	}
	copied := p.Subject("", "ann", held...)
	require.Equal(t, "ann", copied.ID())
	require.Same(t, p, copied.Policy())
}

func TestExplain(t *testing.T) {
	t.Parallel()
	w := newWorld()
	p := compile(t, w.reg,
		rbac.Role{Name: "admin", Inherits: globals("moderator")},
		rbac.Role{Name: "moderator", Grants: []string{"note:delete:any"}, Inherits: globals("user")},
		rbac.Role{Name: "user", Grants: []string{"area:*"}},
		rbac.Role{Name: "writer", Grants: []string{"area:create"}})
	s := p.Subject("", "ann", "admin")
	require.Equal(t, rbac.Decision{
		Allowed: true, Permission: "area:read", Path: globals("admin", "moderator", "user"),
		Grant: "area:*", Reason: "role user grants area:*",
	}, s.Explain(w.areaRead))
	require.Equal(t, "note:delete:any", s.Explain(w.note.Own).Grant)
	require.Equal(t, globals("writer"), p.Subject("", "ann", "admin", "writer").Explain(w.areaCreate).Path)
	require.Equal(t, rbac.Decision{
		Permission: "role:manage", Reason: "no role of the subject grants it",
	}, s.Explain(w.edit))
	require.Equal(t, "there is no subject", rbac.Subject{}.Explain(w.edit).Reason)
}
