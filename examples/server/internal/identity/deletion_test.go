package identity_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

func TestDeleteAccount(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		db := s.Database(t)
		boss := owner(t, s, "crew")
		alex := join(t, s, boss, "alex@example.com", "admin")
		post(t, s, "/v1/auth/forgot-password", body{"email": "alex@example.com"}, http.StatusAccepted, nil)
		reset := s.Mail.Token(t, "alex@example.com", "reset-password")
		remove := func(access string, in any, header ...string) servertest.Response {
			return s.Call(t, "DELETE", "/v1/users/me", access, in, header...)
		}
		require.Equal(t, "unauthenticated", remove("", body{"password": secret}).Code())
		require.Equal(t, "validation_failed", remove(alex.Access, body{}).Code())
		require.Equal(t, "wrong_password", remove(alex.Access, body{"password": "Wrong-fox-7"}).Code())
		require.Equal(t, "stale_version", remove(alex.Access, body{"password": secret}, "If-Match", `"99"`).Code())
		require.Equal(t, "last_owner", remove(boss.Access, body{"password": secret}).Code())
		_, err := db.ExecContext(t.Context(), `UPDATE users SET role = 'admin' WHERE email = 'alex@example.com'`)
		require.NoError(t, err)
		require.Equal(t, "last_admin", remove(alex.Access, body{"password": secret}).Code())
		_, err = db.ExecContext(t.Context(), `UPDATE users SET role = 'admin' WHERE email = 'crew@example.com'`)
		require.NoError(t, err)
		require.True(t, live(t, s, alex.tokens), "nothing has happened")

		r := remove(alex.Access, body{"password": secret}, "Cookie", "rt="+alex.Refresh)
		require.Equal(t, http.StatusNoContent, r.Status, "%s", r.Body)
		require.Equal(t, cookieCleared, r.Header.Get("Set-Cookie"))
		require.Equal(t, "unauthenticated", s.Call(t, "GET", "/v1/auth/me", alex.Access, nil).Code())
		require.Equal(t, "invalid_refresh",
			post(t, s, "/v1/auth/refresh", body{"refresh_token": alex.Refresh}, http.StatusUnauthorized, nil).Code())
		login := body{"login": "alex@example.com", "password": secret}
		require.Equal(t, "invalid_credentials", post(t, s, "/v1/auth/login", login, http.StatusUnauthorized, nil).Code())
		require.Equal(t, "invalid_token",
			post(t, s, "/v1/auth/reset-password", body{"token": reset, "password": secret}, http.StatusBadRequest, nil).Code())
		var page struct{ Total int }
		s.Call(t, "GET", "/v1/company/users", boss.Access, nil).JSON(t, &page)
		require.Equal(t, 1, page.Total)

		// The row stays, to be restored with exactly its membership.
		require.Equal(t, 1, rows(t, db, `users AS u JOIN company_members AS m ON m.user_id = u.id
			WHERE u.deleted_at IS NOT NULL AND u.deleted_by = u.id AND m.deletion_id = u.deletion_id`))
		require.Equal(t, 1, rows(t, db, `audit_events WHERE action = 'delete' AND entity_type = 'user'`))

		// Name and address are free.
		again := registration(alex.User.Username)
		again["email"], again["username"] = "alex@example.com", "alex"
		post(t, s, "/v1/auth/register", again, http.StatusCreated, nil)
		s.Mail.Token(t, "alex@example.com", "verify-email")
		require.Equal(t, http.StatusCreated, s.Call(t, "POST", "/v1/company/users", boss.Access,
			body{"email": "alex@example.com", "full_name": "Alex", "role": "member"}).Status)
	})
}

// Two owners who leave at the same moment do not leave the company without one.
func TestDeleteOwnersRace(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		first := owner(t, s, "crew")
		second := join(t, s, first, "second@example.com", "owner")
		statuses := make(chan int, 2)
		var group sync.WaitGroup
		for _, access := range []string{first.Access, second.Access} {
			group.Go(func() {
				statuses <- s.Call(t, "DELETE", "/v1/users/me", access, body{"password": secret}).Status
			})
		}
		group.Wait()
		require.ElementsMatch(t, []int{http.StatusNoContent, http.StatusConflict}, []int{<-statuses, <-statuses})
		require.Equal(t, 1, rows(t, s.Database(t), `company_members WHERE deleted_at IS NULL`))
	})
}

// The account that inherits what purged users leave behind lets nobody in and gets no mail.
func TestDeletedPlaceholder(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		for _, login := range []string{"deleted", "deleted@groundwork.invalid"} {
			for _, password := range []string{" ", secret} {
				r := post(t, s, "/v1/auth/login", body{"login": login, "password": password}, http.StatusUnauthorized, nil)
				require.Equal(t, "invalid_credentials", r.Code())
			}
		}
		taken := registration("Deleted")
		require.Equal(t, "validation_failed", post(t, s, "/v1/auth/register", taken, http.StatusUnprocessableEntity, nil).Code())
		post(t, s, "/v1/auth/forgot-password", body{"email": "deleted@groundwork.invalid"}, http.StatusAccepted, nil)
		post(t, s, "/v1/auth/register", registration("later"), http.StatusCreated, nil)
		s.Mail.Token(t, "later@example.com", "verify-email")
		require.Empty(t, s.Mail.All("deleted@groundwork.invalid"))
	})
}
