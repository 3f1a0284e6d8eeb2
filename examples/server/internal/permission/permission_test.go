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

func TestCheckGrant(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, role, grant string
		want              error
	}{
		{"global", "helper", "area:read", nil},
		{"half of a pair", "helper", "user:update:any", nil},
		{"of a company", "company_admin", "note:delete:any", nil},
		{"company permission in a global role", "admin", "job:read", permission.ErrScope},
		{"global permission in a company's role", "company_owner", "user:read", permission.ErrScope},
		{"prefix alone makes no role of a company", "company_boss", "job:read", permission.ErrScope},
		{"unknown", "helper", "area:rule", rbac.ErrUnknownPermission},
		{"pattern", "helper", "area:*", rbac.ErrUnknownPermission},
		{"everything", "admin", "*", rbac.ErrUnknownPermission},
		{"a pair without its size", "helper", "area:update", rbac.ErrUnknownPermission},
		{"empty", "helper", "", rbac.ErrUnknownPermission},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.ErrorIs(t, permission.CheckGrant(test.role, test.grant), test.want)
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
