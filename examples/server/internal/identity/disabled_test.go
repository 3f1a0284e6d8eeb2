package identity_test

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// A disabled account gets in nowhere, whatever it still holds.
func TestDisabledAccount(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		boss := owner(t, s, "crew")
		session := account(t, s, "disabled")
		post(t, s, "/v1/auth/forgot-password", body{"email": "disabled@example.com"}, http.StatusAccepted, nil)
		reset := s.Mail.Token(t, "disabled@example.com", "reset-password")
		_, invited := invite(t, s, boss, "disabled@example.com", "member")
		_, err := s.Database(t).ExecContext(t.Context(), `UPDATE users SET disabled_at = created_at WHERE username = 'disabled'`)
		require.NoError(t, err)

		require.Equal(t, "unauthenticated", s.Call(t, "GET", "/v1/auth/me", session.Access, nil).Code())
		require.Equal(t, "invalid_refresh",
			post(t, s, "/v1/auth/refresh", body{"refresh_token": session.Refresh}, http.StatusUnauthorized, nil).Code())
		require.Equal(t, "account_disabled",
			post(t, s, "/v1/auth/login", body{"login": "disabled", "password": secret}, http.StatusForbidden, nil).Code())
		require.Equal(t, "invalid_credentials",
			post(t, s, "/v1/auth/login", body{"login": "disabled", "password": "Wrong-fox-7"}, http.StatusUnauthorized, nil).Code())
		require.Equal(t, "invalid_token",
			post(t, s, "/v1/auth/reset-password", body{"token": reset, "password": secret}, http.StatusBadRequest, nil).Code())
		require.Equal(t, "account_disabled",
			post(t, s, "/v1/auth/invite/accept", body{"token": invited, "password": secret}, http.StatusForbidden, nil).Code())
		post(t, s, "/v1/auth/forgot-password", body{"email": "disabled@example.com"}, http.StatusAccepted, nil)
	})
}

// No row of the database holds anything that could be used: neither queue nor tokens.
func TestDumpHoldsNoToken(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		boss := owner(t, s, "crew")
		post(t, s, "/v1/auth/forgot-password", body{"email": "crew@example.com"}, http.StatusAccepted, nil)
		_, invited := invite(t, s, boss, "alex@example.com", "member")
		dump := []string{s.Mail.Token(t, "crew@example.com", "reset-password"), invited, boss.Refresh}
		db := s.Database(t)
		for _, query := range []string{
			`SELECT purpose || subject || hash || data FROM auth_one_time`, `SELECT id || hash || salt || attributes FROM auth_sessions`,
			`SELECT COALESCE(sha256, '') FROM company_invites`, `SELECT CAST(args AS TEXT) || CAST(metadata AS TEXT) FROM river_job`,
		} {
			found, err := db.QueryContext(t.Context(), query)
			require.NoError(t, err)
			for found.Next() {
				var text string
				require.NoError(t, found.Scan(&text))
				for _, token := range dump {
					require.NotContains(t, text, token[len("ot_"):])
				}
				require.NotContains(t, text, secret)
			}
			require.NoError(t, found.Err())
			require.NoError(t, found.Close())
		}
	})
}

// Production without a mail server runs; what needs mail says so.
func TestProductionWithoutMail(t *testing.T) {
	t.Parallel()
	key := base64.StdEncoding.EncodeToString([]byte("a key of this test, no secret:7!"))
	dir := t.TempDir()
	s := servertest.Start(t, servertest.Options{NoMail: true, Environ: []string{
		"APP_ENV=production", "PUBLIC_URL=http://127.0.0.1", "DATABASE_URL=sqlite:" + dir + "/db", "STORAGE_URL=file:" + dir,
		"AUTH_SIGNING_KEYS=a:" + key, "AUTH_REFRESH_KEYS=" + key, "CURSOR_KEY=1:" + key, "ENCRYPTION_KEY=a:" + key,
	}})
	for path, in := range map[string]body{
		"/v1/auth/signup": signUp("crew"), "/v1/auth/register": registration("robin"),
		"/v1/auth/forgot-password": {"email": "robin@example.com"}, "/v1/auth/resend-verification": {"email": "robin@example.com"},
	} {
		r := post(t, s, path, in, http.StatusServiceUnavailable, nil)
		require.Equal(t, "not_configured", r.Code(), path)
		require.NotEmpty(t, r.Header.Get("Retry-After"))
	}
	post(t, s, "/v1/auth/login", body{"login": "robin", "password": secret}, http.StatusUnauthorized, nil)
}
