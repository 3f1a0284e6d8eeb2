package identity_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

type adminView struct {
	ID           string
	Username     string
	Email        string
	PendingEmail *string `json:"pending_email"`
	FullName     *string `json:"full_name"`
	Role         string
	IsVerified   bool `json:"is_verified"`
	IsDisabled   bool `json:"is_disabled"`
	LastLoginAt  *string
	Company      *struct{ ID, Name, Role string }
}

// define makes a role directly in the database.
func define(t *testing.T, s *servertest.Server, role string, permissions ...string) {
	t.Helper()
	db := s.Database(t)
	_, err := db.ExecContext(t.Context(), `INSERT INTO rbac_roles (tenant, name, description) VALUES ('', $1, '')`, role)
	require.NoError(t, err)
	for _, p := range permissions {
		_, err := db.ExecContext(t.Context(), `INSERT INTO rbac_grants (tenant, role, pattern) VALUES ('', $1, $2)`, role, p)
		require.NoError(t, err)
	}
	_, err = db.ExecContext(t.Context(), `UPDATE rbac_policy SET version = version + 1`)
	require.NoError(t, err)
}

// changeRoles makes the server see roles that were defined behind its back, by a change of its own.
func changeRoles(t *testing.T, s *servertest.Server, admin servertest.Account, name string) {
	t.Helper()
	in := body{"name": name, "description": "", "permissions": []string{}}
	r := s.Call(t, "POST", "/v1/admin/roles", admin.Token, in)
	require.Equal(t, http.StatusCreated, r.Status, "%s", r.Body)
}

func TestListUsers(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", permission.RoleAdmin)
		crew := s.SignUp(t, "crew")
		s.SignIn(t, "robin", permission.RoleModerator)
		post(t, s, "/v1/auth/register", registration("fresh"), http.StatusCreated, nil)
		_, err := s.Database(t).ExecContext(t.Context(), `UPDATE users SET disabled_at = created_at WHERE username = 'robin'`)
		require.NoError(t, err)

		type page struct {
			Items   []adminView
			Total   int
			HasMore bool `json:"has_more"`
		}
		names := func(query string) (list []string) {
			t.Helper()
			r := s.Call(t, "GET", "/v1/users"+query, admin.Token, nil)
			require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
			var got page
			r.JSON(t, &got)
			require.Equal(t, len(got.Items), got.Total)
			for _, u := range got.Items {
				list = append(list, u.Email)
			}
			return list
		}
		require.Equal(t, []string{"fresh@example.com", "robin@example.com", "crew@example.com", "boss@example.com"}, names(""), "and not the account of what was purged")
		require.Equal(t, []string{"boss@example.com", "crew@example.com", "robin@example.com", "fresh@example.com"}, names("?sort=created_at"))
		require.Equal(t, []string{"robin@example.com"}, names("?q=rObIn@"))
		require.Equal(t, []string{"robin@example.com"}, names("?role=moderator"))
		require.Empty(t, names("?role=nothing"))
		require.Equal(t, []string{"fresh@example.com"}, names("?is_verified=false"))
		require.Equal(t, []string{"robin@example.com"}, names("?is_disabled=true&is_verified=true"))
		require.Equal(t, []string{"crew@example.com"}, names("?company_id="+crew.Company))
		require.Len(t, names("?company_id=null"), 3)

		var first page
		r := s.Call(t, "GET", "/v1/users?size=3", admin.Token, nil)
		r.JSON(t, &first)
		require.Len(t, first.Items, 3)
		require.True(t, first.HasMore)
		require.Equal(t, 4, first.Total)
		require.Contains(t, r.Header.Get("Link"), `rel="next"`)
		owner := first.Items[2]
		require.Equal(t, crew.ID, owner.ID)
		require.Equal(t, &struct{ ID, Name, Role string }{crew.Company, "Company crew", "owner"}, owner.Company)
		require.NotContains(t, string(r.Body), "password")
		for query, want := range map[string]string{
			"?q=x": "too_short", "?is_verified=maybe": "wrong_type", "?sort=email": "unknown_sort", "?size=101": "out_of_range",
			"?company_id=7": "bad_format", "?tenant=7": "unknown_parameter",
		} {
			var p struct{ Errors []struct{ Code string } }
			r := s.Call(t, "GET", "/v1/users"+query, admin.Token, nil)
			require.Equal(t, http.StatusUnprocessableEntity, r.Status, query)
			r.JSON(t, &p)
			require.Equal(t, want, p.Errors[0].Code, query)
		}
	})
}

func TestGetUser(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", permission.RoleAdmin)
		robin := s.SignIn(t, "robin", permission.RoleUser)
		var seen map[string]any
		r := s.Call(t, "GET", "/v1/users/"+admin.ID, robin.Token, nil)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		r.JSON(t, &seen)
		require.Len(t, seen, 4, "what everybody may know")
		require.Equal(t, "boss", seen["username"])
		require.Contains(t, seen, "profile_picture_url")
		var view adminView
		r = s.Call(t, "GET", "/v1/users/"+robin.ID, admin.Token, nil)
		r.JSON(t, &view)
		require.Equal(t, "robin@example.com", view.Email)
		require.Regexp(t, `^"[0-9]+"$`, r.Header.Get("ETag"))
		require.Nil(t, view.Company)
		for _, id := range []string{"0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f", "7", "00000000-0000-7000-8000-000000000000"} {
			require.Equal(t, "not_found", s.Call(t, "GET", "/v1/users/"+id, admin.Token, nil).Code(), id)
		}
	})
}

func TestUpdateUser(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", permission.RoleAdmin)
		robin := s.SignIn(t, "robin", permission.RoleUser)
		other := s.SignUp(t, "other")
		patch := func(id string, in any, headers ...string) servertest.Response {
			t.Helper()
			return s.Call(t, "PATCH", "/v1/users/"+id, admin.Token, in, headers...)
		}
		ok := func(id string, in any, headers ...string) (view adminView) {
			t.Helper()
			r := patch(id, in, headers...)
			require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
			r.JSON(t, &view)
			return view
		}
		etag := s.Call(t, "GET", "/v1/users/"+robin.ID, admin.Token, nil).Header.Get("ETag")
		require.Equal(t, etag, patch(robin.ID, body{}).Header.Get("ETag"), "nothing changed")
		view := ok(robin.ID, body{"username": "Robin.2", "full_name": "Robin Two"}, "If-Match", etag)
		require.Equal(t, "Robin.2", view.Username)
		require.Equal(t, "Robin Two", *view.FullName)
		require.Equal(t, "stale_version", patch(robin.ID, body{"full_name": nil}, "If-Match", etag).Code())
		require.Equal(t, "malformed", patch(robin.ID, body{}, "If-Match", "7").Code())
		require.Nil(t, ok(robin.ID, body{"full_name": nil}, "If-Match", "*").FullName)

		require.Equal(t, "username_taken", patch(robin.ID, body{"username": "BOSS"}).Code())
		require.Equal(t, "email_taken", patch(robin.ID, body{"email": "Other@example.com"}).Code())
		require.Equal(t, "not_found", patch("0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f", body{}).Code())
		for pointer, in := range map[string]body{
			"#/username":    {"username": "u-aaaaaaaaaa"},
			"#/email":       {"email": "robin"},
			"#/is_verified": {"is_verified": nil},
			"#/is_disabled": {"is_disabled": "yes"},
			"#/role":        {"role": "admin"},
			"#/full_name":   {"full_name": " "},
		} {
			var p struct{ Errors []struct{ Pointer string } }
			r := patch(robin.ID, in)
			require.Equal(t, http.StatusUnprocessableEntity, r.Status, "%s", r.Body)
			r.JSON(t, &p)
			require.Equal(t, pointer, p.Errors[0].Pointer)
		}

		// A new address counts at once, has to be confirmed, and voids what the old one was sent.
		post(t, s, "/v1/auth/forgot-password", body{"email": "robin@example.com"}, http.StatusAccepted, nil)
		reset := s.Mail.Token(t, "robin@example.com", "reset-password")
		view = ok(robin.ID, body{"email": "New@example.com"})
		require.Equal(t, "new@example.com", view.Email)
		require.False(t, view.IsVerified)
		require.Equal(t, "invalid_token",
			post(t, s, "/v1/auth/reset-password", body{"token": reset, "password": secret}, http.StatusBadRequest, nil).Code())
		login := body{"login": "new@example.com", "password": secret}
		require.Equal(t, "email_not_verified", post(t, s, "/v1/auth/login", login, http.StatusForbidden, nil).Code())
		s.Confirm(t, "new@example.com")
		post(t, s, "/v1/auth/login", login, http.StatusOK, nil)
		view = ok(robin.ID, body{"email": "newer@example.com", "is_verified": true})
		require.True(t, view.IsVerified)
		require.False(t, ok(robin.ID, body{"is_verified": false}).IsVerified)

		// Disabling ends everything at once; enabling lets the account log in again.
		require.True(t, ok(other.ID, body{"is_disabled": true}).IsDisabled, "though it is the only owner of its company")
		require.Equal(t, "unauthenticated", s.Call(t, "GET", "/v1/auth/me", other.Token, nil).Code())
		require.Equal(t, "invalid_refresh",
			post(t, s, "/v1/auth/refresh", body{"refresh_token": other.Refresh}, http.StatusUnauthorized, nil).Code())
		require.False(t, ok(other.ID, body{"is_disabled": false}).IsDisabled)
		require.Equal(t, http.StatusUnauthorized, s.Call(t, "GET", "/v1/auth/me", other.Token, nil).Status, "its old session stays ended")
		s.LogIn(t, other.Email)
		require.Equal(t, "last_admin", patch(admin.ID, body{"is_disabled": true}).Code())
		s.SetRole(t, other.Email, permission.RoleAdmin)
		require.True(t, ok(other.ID, body{"is_disabled": true}).IsDisabled)
		require.Equal(t, "last_admin", patch(admin.ID, body{"is_disabled": true}).Code(), "a disabled one does not count")
		require.Equal(t, 0, rows(t, s.Database(t), `audit_events WHERE action = 'update' AND entity_type = 'user' AND changes LIKE '%example.com%'`))
		require.Positive(t, rows(t, s.Database(t), `audit_events WHERE action = 'update' AND actor_id = '`+admin.ID+`' AND entity_id = '`+robin.ID+`'`))
	})
}

func TestAssignRole(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", permission.RoleAdmin)
		robin := s.SignIn(t, "robin", permission.RoleUser)
		put := func(by servertest.Account, id, role string, headers ...string) servertest.Response {
			t.Helper()
			return s.Call(t, "PUT", "/v1/users/"+id+"/role", by.Token, body{"role": role}, headers...)
		}
		r := put(admin, robin.ID, "user")
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/auth/me", robin.Token, nil).Status, "nothing changed")
		require.Equal(t, "stale_version", put(admin, robin.ID, "moderator", "If-Match", `"77"`).Code())
		r = put(admin, robin.ID, "moderator", "If-Match", r.Header.Get("ETag"))
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		var view adminView
		r.JSON(t, &view)
		require.Equal(t, "moderator", view.Role)
		require.Equal(t, "unauthenticated", s.Call(t, "GET", "/v1/auth/me", robin.Token, nil).Code(), "all sessions end")
		robin = s.LogIn(t, robin.Email)
		require.Equal(t, 1, rows(t, s.Database(t), `audit_events WHERE action = 'role_change' AND actor_id = '`+admin.ID+`' AND changes LIKE '%moderator%'`))

		require.Equal(t, "own_role", put(admin, admin.ID, "user").Code())
		require.Equal(t, "not_found", put(admin, "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f", "user").Code())
		require.Equal(t, "forbidden", put(robin, admin.ID, "user").Code())
		for role, code := range map[string]string{"nobody": "unknown_reference", "company_owner": "wrong_scope", "": "too_short"} {
			var p struct {
				Errors []struct{ Pointer, Code string }
			}
			r := put(admin, robin.ID, role)
			require.Equal(t, http.StatusUnprocessableEntity, r.Status, "%s", r.Body)
			r.JSON(t, &p)
			require.Equal(t, "#/role "+code, p.Errors[0].Pointer+" "+p.Errors[0].Code)
		}

		// Whoever may assign roles gives and takes none that can more than he can.
		define(t, s, "assigner", "user:assign_role", "area:verify")
		define(t, s, "verifier", "area:verify")
		changeRoles(t, s, admin, "nudge")
		assigner := s.SignIn(t, "assigner", "assigner")
		sam := s.SignIn(t, "sam", permission.RoleUser)
		require.Equal(t, http.StatusOK, put(assigner, sam.ID, "verifier").Status)
		require.Equal(t, http.StatusOK, put(assigner, sam.ID, "user").Status)
		require.Equal(t, "escalation", put(assigner, sam.ID, "moderator").Code())
		require.Equal(t, "escalation", put(assigner, sam.ID, "admin").Code())
		require.Equal(t, "escalation", put(assigner, assigner.ID, "admin").Code())
		require.Equal(t, "escalation", put(assigner, robin.ID, "user").Code(), "a moderator is stronger")
		require.Equal(t, "escalation", put(assigner, admin.ID, "user").Code())

		// Somebody as strong as an administrator does not take the last one away.
		var all []string
		for p := range permission.All() {
			if permission.ScopeOf(p) == permission.Global {
				all = append(all, p.Name())
			}
		}
		define(t, s, "twin", all...)
		changeRoles(t, s, admin, "nudge2")
		twin := s.SignIn(t, "twin", "twin")
		require.Equal(t, "last_admin", put(twin, admin.ID, "user").Code())
		require.Equal(t, http.StatusOK, put(twin, robin.ID, "admin").Status)
		require.Equal(t, http.StatusOK, put(twin, admin.ID, "user").Status)
	})
}

func TestDeleteUser(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", permission.RoleAdmin)
		owner := s.SignUp(t, "crew")
		member := s.Join(t, owner, "alex", "member")
		remove := func(by servertest.Account, id string, headers ...string) servertest.Response {
			t.Helper()
			return s.Call(t, "DELETE", "/v1/users/"+id, by.Token, nil, headers...)
		}
		require.Equal(t, "forbidden", remove(owner, member.ID).Code())
		require.Equal(t, "last_owner", remove(admin, owner.ID).Code())
		require.Equal(t, "last_admin", remove(admin, admin.ID).Code())
		require.Equal(t, "stale_version", remove(admin, member.ID, "If-Match", `"77"`).Code())
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/auth/me", member.Token, nil).Status, "nothing has happened")
		require.Equal(t, http.StatusNoContent, remove(admin, member.ID).Status)
		require.Equal(t, "unauthenticated", s.Call(t, "GET", "/v1/auth/me", member.Token, nil).Code())
		require.Equal(t, "invalid_refresh",
			post(t, s, "/v1/auth/refresh", body{"refresh_token": member.Refresh}, http.StatusUnauthorized, nil).Code())
		require.Equal(t, "not_found", remove(admin, member.ID).Code())
		require.Equal(t, "not_found", s.Call(t, "GET", "/v1/users/"+member.ID, admin.Token, nil).Code())
		require.Equal(t, "not_found", s.Call(t, "PATCH", "/v1/users/"+member.ID, admin.Token, body{}).Code())
		require.Equal(t, "not_found", remove(admin, "00000000-0000-7000-8000-000000000000").Code())
		require.Equal(t, 1, rows(t, s.Database(t), `audit_events WHERE action = 'delete' AND actor_id = '`+admin.ID+`' AND entity_id = '`+member.ID+`'`))

		// Accounts that may do more than the caller are out of reach.
		define(t, s, "support", "user:update:any", "user:delete:any")
		changeRoles(t, s, admin, "nudge")
		support := s.SignIn(t, "helpdesk", "support")
		require.Equal(t, "escalation", remove(support, admin.ID).Code())
		require.Equal(t, "escalation", s.Call(t, "PATCH", "/v1/users/"+admin.ID, support.Token, body{"email": "mine@example.com"}).Code())
		robin := s.SignIn(t, "robin", permission.RoleUser)
		require.Equal(t, http.StatusOK, s.Call(t, "PATCH", "/v1/users/"+robin.ID, support.Token, body{"full_name": "Robin"}).Status)
		require.Equal(t, http.StatusNoContent, remove(support, robin.ID).Status)
	})
}

func TestRevokeSessions(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", permission.RoleAdmin)
		robin := s.SignIn(t, "robin", permission.RoleUser)
		second := s.LogIn(t, robin.Email)
		revoke := func(by servertest.Account, id string) servertest.Response {
			t.Helper()
			return s.Call(t, "POST", "/v1/users/"+id+"/revoke-sessions", by.Token, nil)
		}
		require.Equal(t, "forbidden", revoke(robin, admin.ID).Code())
		require.Equal(t, http.StatusNoContent, revoke(admin, robin.ID).Status)
		for _, session := range []servertest.Account{robin, second} {
			require.Equal(t, "unauthenticated", s.Call(t, "GET", "/v1/auth/me", session.Token, nil).Code())
			require.Equal(t, "invalid_refresh",
				post(t, s, "/v1/auth/refresh", body{"refresh_token": session.Refresh}, http.StatusUnauthorized, nil).Code())
		}
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/auth/me", admin.Token, nil).Status)
		require.Equal(t, "not_found", revoke(admin, "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f").Code())
		require.Equal(t, 1, rows(t, s.Database(t), `audit_events WHERE action = 'session_revoke' AND actor_id = '`+admin.ID+`' AND entity_id = '`+robin.ID+`'`))
		s.LogIn(t, robin.Email)
	})
}
