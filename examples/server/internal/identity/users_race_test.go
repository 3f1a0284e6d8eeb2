package identity_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Two administrators who dismiss each other at the same moment, in whatever way, leave one of them.
func TestAdminsRace(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		ways := map[string]func(by, whom servertest.Account) servertest.Response{
			"demote": func(by, whom servertest.Account) servertest.Response {
				return s.Call(t, "PUT", "/v1/users/"+whom.ID+"/role", by.Token, body{"role": "user"})
			},
			"disable": func(by, whom servertest.Account) servertest.Response {
				return s.Call(t, "PATCH", "/v1/users/"+whom.ID, by.Token, body{"is_disabled": true})
			},
			"delete": func(by, whom servertest.Account) servertest.Response {
				return s.Call(t, "DELETE", "/v1/users/"+whom.ID, by.Token, nil)
			},
			"resign": func(by, _ servertest.Account) servertest.Response {
				return s.Call(t, "DELETE", "/v1/users/me", by.Token, body{"password": servertest.Password})
			},
		}
		db := s.Database(t)
		s.SignIn(t, "first", permission.RoleAdmin)
		s.SignIn(t, "second", permission.RoleAdmin)
		for first, one := range ways {
			for second, other := range ways {
				_, err := db.ExecContext(t.Context(), `UPDATE users SET role = 'admin', disabled_at = NULL, deleted_at = NULL WHERE username <> 'deleted'`)
				require.NoError(t, err)
				a, b := s.LogIn(t, "first"), s.LogIn(t, "second")
				var answers [2]servertest.Response
				var group sync.WaitGroup
				release := holdUp(t, s, db)
				group.Go(func() { answers[0] = one(a, b) })
				group.Go(func() { answers[1] = other(b, a) })
				release()
				group.Wait()
				done := 0
				for _, r := range answers {
					switch r.Status {
					case http.StatusOK, http.StatusNoContent:
						done++
					case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
					default:
						require.Equal(t, "last_admin", r.Code(), "%s", r.Body)
					}
				}
				require.Positive(t, done, "%s and %s: %s %s", first, second, answers[0].Body, answers[1].Body)
				require.Equal(t, 1, rows(t, db, `users WHERE role = 'admin' AND disabled_at IS NULL AND deleted_at IS NULL`),
					"%s and %s: %d, %d", first, second, answers[0].Status, answers[1].Status)
			}
		}
	})
}

// holdUp locks the rows of all accounts. The function it returns waits until two transactions are held
// up, by these rows or by each other, and lets them go at the same moment. SQLite lets only one
// transaction write at a time, so there is nothing to hold up.
func holdUp(t *testing.T, s *servertest.Server, db *sql.DB) (release func()) {
	t.Helper()
	if s.Config.Database.Dialect == sqldb.DialectSQLite {
		return func() {}
	}
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), `UPDATE users SET version = version`)
	require.NoError(t, err)
	return func() {
		t.Helper()
		require.Eventually(t, func() bool {
			return rows(t, db, `pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) >= 2
		}, 30*time.Second, 5*time.Millisecond)
		require.NoError(t, tx.Rollback())
	}
}

// A role cannot be given while it is being deleted: either it stays, or nobody has it.
func TestRoleRace(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", permission.RoleAdmin)
		robin := s.SignIn(t, "robin", permission.RoleUser)
		db := s.Database(t)
		for round := range 8 {
			name := fmt.Sprintf("role%d", round)
			changeRoles(t, s, admin, name)
			var given, deleted servertest.Response
			var group sync.WaitGroup
			group.Go(func() {
				given = s.Call(t, "PUT", "/v1/users/"+robin.ID+"/role", admin.Token, body{"role": name})
			})
			group.Go(func() {
				deleted = s.Call(t, "DELETE", "/v1/admin/roles/"+name, admin.Token, nil, "If-Match", "*")
			})
			group.Wait()
			if given.Status == http.StatusOK {
				require.Equal(t, "in_use", deleted.Code())
			} else {
				require.Equal(t, http.StatusUnprocessableEntity, given.Status, "%s", given.Body)
				require.Equal(t, http.StatusNoContent, deleted.Status, "%s", deleted.Body)
			}
			require.Zero(t, rows(t, db, `users WHERE role NOT IN (SELECT name FROM rbac_roles)`))
		}
	})
}
