package roles_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/identity/roles"
	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

func open(t *testing.T, s *servertest.Server) sqldb.TxDB {
	t.Helper()
	return sqldb.SQL(s.Database(t), s.Config.Database.Dialect)
}

// Who has which role is what the accounts and memberships say.
func TestRolesOf(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		owner := s.SignUp(t, "crew")
		member := s.Join(t, owner, "alex", "member")
		s.SetRole(t, member.Email, permission.RoleModerator)
		db := open(t, s)
		store := roles.NewStore(db)
		rolesOf := func(tenant, subject string) (list []string) {
			t.Helper()
			found, err := store.RolesOf(t.Context(), tenant, subject, time.Now())
			require.NoError(t, err)
			for _, a := range found {
				require.Equal(t, subject, a.Subject)
				require.Empty(t, a.Role.Tenant)
				list = append(list, a.Tenant+" "+a.Role.Name)
			}
			return list
		}
		exec := func(statement string) {
			t.Helper()
			_, err := db.Exec(t.Context(), statement, member.ID)
			require.NoError(t, err)
		}
		require.Equal(t, []string{"* user", owner.Company + " company_owner"}, rolesOf(owner.Company, owner.ID))
		require.Equal(t, []string{"* moderator", owner.Company + " company_member"}, rolesOf(owner.Company, member.ID))
		for _, tenant := range []string{"", rbac.AnyTenant, "another company", "\x00", "\xff"} {
			require.Equal(t, []string{"* moderator"}, rolesOf(tenant, member.ID), "%q", tenant)
		}
		for _, nobody := range []string{"", "nobody", "\x00", "\xff", rbac.AnyTenant} {
			require.Empty(t, rolesOf(owner.Company, nobody), "%q", nobody)
		}
		exec(`UPDATE company_members SET deleted_at = created_at WHERE user_id = $1`)
		require.Equal(t, []string{"* moderator"}, rolesOf(owner.Company, member.ID), "membership deleted")
		exec(`UPDATE company_members SET is_active = FALSE, deleted_at = NULL WHERE user_id = $1`)
		require.Equal(t, []string{"* moderator"}, rolesOf(owner.Company, member.ID), "suspended")
		exec(`UPDATE users SET deleted_at = created_at WHERE id = $1`)
		require.Empty(t, rolesOf(owner.Company, member.ID), "deleted")
		exec(`UPDATE users SET deleted_at = NULL WHERE id = $1`)
		exec(`UPDATE users SET disabled_at = created_at WHERE id = $1`)
		require.Empty(t, rolesOf(owner.Company, member.ID), "disabled")
	})
}

func TestStoreRefuses(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", permission.RoleAdmin)
		store := roles.NewStore(open(t, s))
		put := func(name string, grants ...string) error {
			_, err := store.PutRole(t.Context(), rbac.Role{Name: name, Grants: grants}, rbac.Guard{})
			return err
		}
		require.ErrorIs(t, put("curator", "area:read", "job:read"), permission.ErrScope)
		require.ErrorIs(t, put(permission.RoleAdmin, "company:delete"), permission.ErrScope)
		require.ErrorIs(t, put(permission.RoleCompanyOwner, "user:update:any"), permission.ErrScope)
		require.ErrorIs(t, put("curator", rbac.AllPermissions), rbac.ErrUnknownPermission)
		require.NoError(t, put("curator", "area:read"))
		loaded, version, err := store.LoadRoles(t.Context())
		require.NoError(t, err)
		require.Len(t, loaded, 7)
		require.EqualValues(t, 3, version, "what was refused counts nothing up")

		s.SetRole(t, admin.Email, "curator")
		_, err = store.DeleteRole(t.Context(), rbac.RoleID{Name: "curator"}, time.Now(), rbac.Guard{})
		require.ErrorIs(t, err, rbac.ErrRoleInUse)

		assignment := rbac.Assignment{Tenant: rbac.AnyTenant, Subject: admin.ID, Role: rbac.RoleID{Name: permission.RoleAdmin}}
		require.ErrorIs(t, store.Assign(t.Context(), assignment, rbac.Guard{}), errors.ErrUnsupported)
		require.ErrorIs(t, store.Unassign(t.Context(), assignment, rbac.Guard{}), errors.ErrUnsupported)
		_, err = store.Assignments(t.Context(), rbac.AnyTenant, assignment.Role, time.Now())
		require.ErrorIs(t, err, errors.ErrUnsupported)
	})
}

// Without a database the roles that are known serve for a minute, and then nobody may do anything.
func TestStale(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{})
	raw := s.Database(t)
	start := time.Now()
	var passed atomic.Int64
	service, err := roles.New(roles.Config{
		DB: sqldb.SQL(raw, s.Config.Database.Dialect), Lists: lists.New(nil),
		Now: func() time.Time { return start.Add(time.Duration(passed.Load())) },
	})
	require.NoError(t, err)
	require.NoError(t, service.Reload(t.Context()))
	require.NoError(t, raw.Close())
	passed.Store(int64(time.Minute))
	policy, err := service.Policy(t.Context())
	require.NoError(t, err)
	require.True(t, policy.Subject("", "a", permission.RoleAdmin).Can(permission.QueueManage))
	passed.Store(int64(time.Minute + time.Microsecond))
	_, err = service.Policy(t.Context())
	require.Equal(t, fault.Unavailable, fault.CodeOf(err))
}

// What one replica changes another one follows within a poll.
func TestReplicas(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", permission.RoleAdmin)
		replica, err := roles.New(roles.Config{DB: open(t, s), Lists: lists.New(nil)})
		require.NoError(t, err)
		require.NoError(t, replica.Reload(t.Context()))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- replica.Run(ctx) }()
		create(t, s, admin, "curator", "area:read")
		require.Eventually(t, func() bool {
			policy, err := replica.Policy(t.Context())
			return err == nil && policy.Subject("", "a", "curator").Can(permission.AreaRead)
		}, 20*time.Second, 50*time.Millisecond)
		stop()
		require.NoError(t, <-ended)
	})
}
