package migrations_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/rbac/sqlrbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

// The permissions by who holds them, as the documentation lists them.
const (
	everybody = `area:create area:read area:update:own area:delete:own landmark:create landmark:read
		landmark:update:own landmark:delete:own unlock:create unlock:read:own unlock:update:own
		attempt:read:own attempt:cancel:own feed:read user:read user:update:own user:delete:own
		session:revoke:own company:create`
	moderators = `area:verify landmark:verify attempt:review`
	admins     = `area:update:any area:delete:any landmark:update:any landmark:delete:any unlock:read:any
		unlock:update:any attempt:read:any attempt:cancel:any user:update:any user:delete:any
		user:assign_role session:revoke:any role:manage audit:read content:restore content:purge
		queue:manage file:manage platform:read platform:manage platform:export`

	members       = `company:read job:read job:note note:delete:own item:feedback survey:create`
	companyAdmins = `job:decide note:delete:any company:update pricing:update terms:manage analytics:read
		market:read market:bid`
	owners = `member:manage billing:manage job:delete job:restore job:export company:audit company:delete`
)

func set(lists ...string) []string {
	names := strings.Fields(strings.Join(lists, " "))
	slices.Sort(names)
	return names
}

// What each role may do on a new server, inherited and implied permissions included.
func TestBuiltInRoles(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"user":           set(everybody),
		"moderator":      set(everybody, moderators),
		"admin":          set(everybody, moderators, admins),
		"company_member": set(members),
		"company_admin":  set(members, companyAdmins),
		"company_owner":  set(members, companyAdmins, owners),
	}
	require.Len(t, want["admin"], 43)
	require.Len(t, want["company_owner"], 21)
	require.Equal(t, 64, permission.Registry().Len())
	for _, d := range []sqldb.Dialect{sqldb.DialectSQLite, sqldb.DialectPostgres} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			loaded, version, err := sqlrbac.New(sqldb.SQL(migrated(t, d), d)).LoadRoles(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, 2, version)
			require.Len(t, loaded, len(want))
			policy, err := rbac.Compile(permission.Registry(), loaded...)
			require.NoError(t, err)
			for _, role := range loaded {
				var got []string
				for p := range policy.Effective(role.ID()) {
					got = append(got, p.Name())
				}
				slices.Sort(got)
				require.Equal(t, want[role.Name], got, role.Name)
				require.NotEmpty(t, role.Description)
				require.True(t, permission.IsBuiltIn(role.Name))
				for _, grant := range role.Grants {
					require.NoError(t, permission.CheckGrant(role.Name, grant), "%s: %s", role.Name, grant)
				}
			}
		})
	}
}
