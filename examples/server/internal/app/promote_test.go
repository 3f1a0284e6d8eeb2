package app_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/app"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// The first administrator is made beside the running server, which notices at once.
func TestPromoteAdmin(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		promote := func(email string) error {
			return app.PromoteAdmin(t.Context(), s.Config, app.Options{}, email)
		}
		robin := s.SignIn(t, "robin", permission.RoleUser)
		in := map[string]any{"username": "fresh", "email": "fresh@example.com", "password": servertest.Password}
		require.Equal(t, http.StatusCreated, s.Call(t, "POST", "/v1/auth/register", "", in).Status)
		require.ErrorContains(t, promote("fresh@example.com"), "not confirmed")
		require.ErrorContains(t, promote("nobody@example.com"), "no account with the address nobody@example.com")
		require.ErrorContains(t, promote("deleted@groundwork.invalid"), "no account")
		require.ErrorContains(t, promote("robin"), "not an e-mail address")
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/auth/me", robin.Token, nil).Status)

		require.NoError(t, promote("Robin@example.com"))
		require.Equal(t, "unauthenticated", s.Call(t, "GET", "/v1/auth/me", robin.Token, nil).Code(), "its sessions have ended")
		refresh := map[string]any{"refresh_token": robin.Refresh}
		require.Equal(t, "invalid_refresh", s.Call(t, "POST", "/v1/auth/refresh", "", refresh).Code())
		robin = s.LogIn(t, "robin")
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/users", robin.Token, nil).Status)
		require.ErrorContains(t, promote("robin@example.com"), "administrator already")

		sam := s.SignIn(t, "sam", permission.RoleUser)
		r := s.Call(t, "PATCH", "/v1/users/"+sam.ID, robin.Token, map[string]any{"is_disabled": true})
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		require.ErrorContains(t, promote("sam@example.com"), "disabled")

		var entries int
		require.NoError(t, s.Database(t).QueryRowContext(t.Context(), `
			SELECT COUNT(*) FROM audit_events WHERE action = 'role_change' AND actor_type = 'system'
			   AND actor_id = 'promote-admin' AND entity_id = $1`, robin.ID).Scan(&entries))
		require.Equal(t, 1, entries)
	})
}
