package identity_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// claims decodes one part of an access token, 0 for the header and 1 for the claims.
func claims(t *testing.T, access string, part int) (set map[string]any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(access, ".")[part])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &set))
	return set
}

// What other services may rely on.
func TestAccessTokenClaims(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		boss := owner(t, s, "crew")
		header, set := claims(t, boss.Access, 0), claims(t, boss.Access, 1)
		require.Equal(t, "at+jwt", header["typ"])
		require.Equal(t, "HS256", header["alg"])
		require.NotEmpty(t, header["kid"])
		var me struct {
			User    struct{ ID string }
			Company struct{ ID string }
			Session struct{ ID string }
		}
		s.Call(t, "GET", "/v1/auth/me", boss.Access, nil).JSON(t, &me)
		require.Equal(t, s.URL, set["iss"])
		require.Equal(t, s.URL, set["aud"])
		require.Equal(t, me.User.ID, set["sub"])
		require.Equal(t, me.Session.ID, set["sid"])
		require.Equal(t, me.Company.ID, set["tid"])
		require.Equal(t, "groundwork", set["client_id"])
		require.Equal(t, []any{"user", "company_owner"}, set["roles"])
		require.Equal(t, set["iat"], set["nbf"])
		require.InDelta(t, 900, set["exp"].(float64)-set["iat"].(float64), 0)
		require.NotEmpty(t, set["jti"])
		require.NotContains(t, set, "email")

		alone := account(t, s, "alone")
		set = claims(t, alone.Access, 1)
		require.NotContains(t, set, "tid")
		require.Equal(t, []any{"user"}, set["roles"])
	})
}

func TestMePermissions(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		boss := owner(t, s, "crew")
		alex := join(t, s, boss, "alex@example.com", "member")
		alone := account(t, s, "alone")
		permissions := func(access string) []string {
			var me struct{ Permissions []string }
			r := s.Call(t, "GET", "/v1/auth/me", access, nil)
			r.JSON(t, &me)
			require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
			require.True(t, slices.IsSorted(me.Permissions))
			return me.Permissions
		}
		require.Len(t, permissions(alone.Access), 19)
		require.Len(t, permissions(alex.Access), 19+6)
		require.Len(t, permissions(boss.Access), 19+21)
		require.Contains(t, permissions(alex.Access), "company:read")
		require.NotContains(t, permissions(alex.Access), "member:manage")
		_, err := s.Database(t).ExecContext(t.Context(), `UPDATE users SET role = 'admin' WHERE username = 'alone'`)
		require.NoError(t, err)
		require.Len(t, permissions(alone.Access), 43)
	})
}

// A company that the platform has switched off can be read by its people, and nothing else.
func TestCompanySwitchedOff(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		db := s.Database(t)
		boss, alone := owner(t, s, "crew"), account(t, s, "alone")
		switched := func(on bool) {
			_, err := db.ExecContext(t.Context(), `UPDATE companies SET is_active = $1`, on)
			require.NoError(t, err)
		}
		call := func(access, method, path string) servertest.Response { return s.Call(t, method, path, access, nil) }
		switched(false)
		for range 2 { // with a token from before, and one from after
			require.Equal(t, http.StatusOK, call(boss.Access, "GET", "/v1/company").Status)
			require.Equal(t, http.StatusOK, call(boss.Access, "GET", "/v1/auth/me").Status)
			for _, c := range [][2]string{{"GET", "/v1/company/users"}, {"GET", "/v1/jobs"}, {"DELETE", "/v1/company/users/me"}, {"GET", "/v1/company/pricing"}} {
				r := call(boss.Access, c[0], c[1])
				require.Equal(t, http.StatusForbidden, r.Status, "%v", c)
				require.Equal(t, "company_inactive", r.Code(), "%v", c)
			}
			post(t, s, "/v1/auth/refresh", body{"refresh_token": boss.Refresh}, http.StatusOK, &boss)
		}
		require.NotContains(t, claims(t, boss.Access, 1), "tid")
		require.Equal(t, []any{"user"}, claims(t, boss.Access, 1)["roles"])

		// Switched on again, the token has to say for whom it acts; other routes do not care.
		switched(true)
		r := call(boss.Access, "GET", "/v1/company")
		require.Equal(t, http.StatusUnauthorized, r.Status)
		require.Equal(t, "token_outdated", r.Code())
		require.Equal(t, `Bearer error="invalid_token"`, r.Header.Get("WWW-Authenticate"))
		require.Equal(t, http.StatusOK, call(boss.Access, "GET", "/v1/users/me").Status)
		post(t, s, "/v1/auth/refresh", body{"refresh_token": boss.Refresh}, http.StatusOK, &boss)
		require.Equal(t, http.StatusOK, call(boss.Access, "GET", "/v1/company").Status)

		require.Equal(t, "no_company", call(alone.Access, "GET", "/v1/company").Code())
		// A membership that ended behind the token's back.
		_, err := db.ExecContext(t.Context(), `DELETE FROM company_members`)
		require.NoError(t, err)
		require.Equal(t, "token_outdated", call(boss.Access, "GET", "/v1/company").Code())
		post(t, s, "/v1/auth/refresh", body{"refresh_token": boss.Refresh}, http.StatusOK, &boss)
		require.Equal(t, "no_company", call(boss.Access, "GET", "/v1/company").Code())
	})
}

// A session lives for thirty days after its last refresh, and for ninety in all.
func TestSessionLives(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *servertest.Server, clock *clock) {
		sleeper, walker := account(t, s, "sleeper"), account(t, s, "walker")
		type lives struct {
			tokens
			RefreshExpires int `json:"refresh_expires_in"`
		}
		refresh := func(session *lives, want int) string {
			r := s.Call(t, "POST", "/v1/auth/refresh", "", body{"refresh_token": session.Refresh})
			require.Equal(t, want, r.Status, "%s", r.Body)
			if want == http.StatusOK {
				r.JSON(t, session)
			}
			return r.Code()
		}
		const day = 24 * time.Hour
		asleep, awake := lives{tokens: sleeper}, lives{tokens: walker}
		clock.add(29 * day)
		refresh(&awake, http.StatusOK)
		require.Equal(t, 30*86400, awake.RefreshExpires)
		clock.add(day + time.Minute)
		require.Equal(t, "invalid_refresh", refresh(&asleep, http.StatusUnauthorized))
		clock.add(28 * day)
		refresh(&awake, http.StatusOK)
		clock.add(29 * day)
		refresh(&awake, http.StatusOK)
		require.Less(t, awake.RefreshExpires, 3*86400+60, "no further than ninety days")
		clock.add(3*day + time.Minute)
		require.Equal(t, "invalid_refresh", refresh(&awake, http.StatusUnauthorized))
	})
}

// The oldest of more than twenty sessions gives way, at once.
func TestSessionLimit(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		first := account(t, s, "many")
		var last tokens
		for range 19 {
			last = logIn(t, s, "many")
		}
		require.True(t, live(t, s, first))
		newest := logIn(t, s, "many")
		require.False(t, live(t, s, first), "its access token too")
		require.Equal(t, "invalid_refresh",
			post(t, s, "/v1/auth/refresh", body{"refresh_token": first.Refresh}, http.StatusUnauthorized, nil).Code())
		require.True(t, live(t, s, last))
		var page sessionPage
		s.Call(t, "GET", "/v1/auth/sessions?size=100", newest.Access, nil).JSON(t, &page)
		require.Equal(t, 20, page.Total)
	})
}

func TestJWKS(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{})
	r := s.Call(t, "GET", "/.well-known/jwks.json", "", nil)
	require.Equal(t, http.StatusOK, r.Status)
	require.JSONEq(t, `{"keys":[]}`, string(r.Body), "secrets are not listed")
	require.Equal(t, "application/jwk-set+json", r.Header.Get("Content-Type"))
	again := s.Call(t, "GET", "/.well-known/jwks.json", "", nil, "If-None-Match", r.Header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, again.Status)
	require.Equal(t, http.StatusOK, s.Call(t, "HEAD", "/.well-known/jwks.json", "", nil).Status)
	require.Equal(t, "method_not_allowed", s.Call(t, "POST", "/.well-known/jwks.json", "", nil).Code())
}
