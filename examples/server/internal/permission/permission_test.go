package permission_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/rbac"
)

func TestScopes(t *testing.T) {
	t.Parallel()
	count := map[permission.Scope]int{}
	last := permission.Global
	for p := range permission.All() {
		scope := permission.ScopeOf(p)
		count[scope]++
		require.NotEmpty(t, p.Description(), p.Name())
		require.False(t, last == permission.Company && scope == permission.Global, "%s is global and stands behind one of a company", p)
		last = scope
	}
	require.Equal(t, map[permission.Scope]int{permission.Global: 43, permission.Company: 21}, count)
	require.Equal(t, permission.Global, permission.ScopeOf(permission.CompanyCreate), "no company is there yet")
	require.Equal(t, permission.Company, permission.ScopeOf(permission.NoteDelete.Own))
	require.Empty(t, permission.ScopeOf(rbac.Permission{}))
}

func TestCheckGrants(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, role string
		grants     []string
		index      int
		want       error
	}{
		{"global", "helper", []string{"area:read", "user:update:any"}, 0, nil},
		{"nothing", "helper", nil, 0, nil},
		{"of a company", "company_admin", []string{"job:read", "note:delete:any"}, 0, nil},
		{"company permission in a global role", "admin", []string{"area:read", "job:read"}, 1, permission.ErrScope},
		{"global permission in a company's role", "company_owner", []string{"user:read"}, 0, permission.ErrScope},
		{"prefix alone makes no role of a company", "company_boss", []string{"job:read"}, 0, permission.ErrScope},
		{"unknown", "helper", []string{"area:read", "area:rule"}, 1, rbac.ErrUnknownPermission},
		{"pattern", "helper", []string{"area:*"}, 0, rbac.ErrUnknownPermission},
		{"everything", "admin", []string{"*"}, 0, rbac.ErrUnknownPermission},
		{"half a pair", "helper", []string{"area:update"}, 0, rbac.ErrUnknownPermission},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := permission.CheckGrants(rbac.Role{Name: test.role, Grants: test.grants})
			require.ErrorIs(t, err, test.want)
			var fault *permission.GrantError
			if test.want != nil {
				require.ErrorAs(t, err, &fault)
				require.Equal(t, test.index, fault.Index)
				require.NotContains(t, fault.Error(), test.grants[test.index])
			}
		})
	}
}

func TestBuiltIn(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]struct{ builtIn, fixed bool }{
		permission.RoleUser:          {true, false},
		permission.RoleModerator:     {true, false},
		permission.RoleAdmin:         {true, true},
		permission.RoleCompanyOwner:  {true, true},
		permission.RoleCompanyAdmin:  {true, true},
		permission.RoleCompanyMember: {true, true},
		"helper":                     {false, false},
		"":                           {false, false},
	} {
		require.Equal(t, want.builtIn, permission.IsBuiltIn(role), role)
		require.Equal(t, want.fixed, permission.IsFixed(role), role)
	}
	require.Equal(t, permission.RoleCompanyAdmin, permission.OfCompany("admin"))
}
