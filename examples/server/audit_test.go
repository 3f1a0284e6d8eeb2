package main_test

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/app"
	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// trail watches what calls leave behind.
type trail struct {
	t    *testing.T
	s    *servertest.Server
	db   *sql.DB
	done map[string]bool
}

// entries returns "action" or "action outcome" of the entries that people have left since a position.
func (w *trail) entries(since int64) (actions []string, last int64) {
	w.t.Helper()
	rows, err := w.db.QueryContext(w.t.Context(),
		`SELECT pos, action, outcome FROM audit_events WHERE pos > $1 AND actor_type <> 'system' ORDER BY pos`, since)
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, rows.Close()) }()
	last = since
	for rows.Next() {
		var action, outcome string
		require.NoError(w.t, rows.Scan(&last, &action, &outcome))
		if outcome != "success" {
			action += " " + outcome
		}
		actions = append(actions, action)
	}
	require.NoError(w.t, rows.Err())
	return actions, last
}

// call makes a call of an operation that succeeds, and wants one entry with the action, or none when the
// action is "". The template names the operation in the document.
func (w *trail) call(template, action, path, token string, body any, headers ...string) servertest.Response {
	w.t.Helper()
	method, _, _ := strings.Cut(template, " ")
	_, before := w.entries(0)
	r := w.s.Call(w.t, method, path, token, body, headers...)
	require.Less(w.t, r.Status, 300, "%s: %s", template, r.Body)
	got, _ := w.entries(before)
	if action == "" {
		require.Empty(w.t, got, template)
	} else {
		require.Equal(w.t, []string{action}, got, template)
	}
	w.done[template] = true
	return r
}

// field reads a member of an answer.
func field(t *testing.T, r servertest.Response, names ...string) string {
	t.Helper()
	var value any
	r.JSON(t, &value)
	for _, name := range names {
		value = value.(map[string]any)[name]
	}
	text, ok := value.(string)
	require.True(t, ok, "%v of %s", names, r.Body)
	return text
}

// Every unsafe operation that succeeds leaves exactly one entry with its action; those that change
// nothing leave none. An operation that is not called here fails the test.
func TestEveryChangeLeavesOneEntry(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		w := &trail{t: t, s: s, db: s.Database(t), done: map[string]bool{}}
		admin := s.SignIn(t, "boss", "admin")
		w.accounts()
		owner := w.company()
		w.moves(owner)
		w.administration(admin, owner)

		text, err := app.Document()
		require.NoError(t, err)
		var doc struct {
			Paths map[string]map[string]json.RawMessage
		}
		require.NoError(t, json.Unmarshal(text, &doc))
		for path, operations := range doc.Paths {
			for method := range operations {
				if method = strings.ToUpper(method); method != "GET" && method != "HEAD" && !w.done[method+" "+path] {
					t.Errorf("%s %s is not called here", method, path)
				}
			}
		}
	})
}

func (w *trail) accounts() {
	t, s := w.t, w.s
	secret := map[string]any{"password": servertest.Password}
	email := map[string]any{"email": "robin@example.com"}
	w.call("POST /v1/auth/register", "register", "/v1/auth/register", "", map[string]any{
		"username": "robin", "email": "robin@example.com", "password": servertest.Password,
	})
	w.call("POST /v1/auth/resend-verification", "", "/v1/auth/resend-verification", "", email)
	s.Mail.Await(t, "robin@example.com", "confirm")
	w.call("POST /v1/auth/verify-email", "verify_email", "/v1/auth/verify-email", "",
		map[string]any{"token": s.Mail.Token(t, "robin@example.com", "verify-email")})
	logIn := map[string]any{"login": "robin", "password": servertest.Password}
	session := w.call("POST /v1/auth/login", "login", "/v1/auth/login", "", logIn)
	w.call("POST /v1/auth/token", "login", "/v1/auth/token", "",
		"grant_type=password&username=robin&password="+servertest.Password, "Content-Type", "application/x-www-form-urlencoded")
	refreshed := w.call("POST /v1/auth/refresh", "", "/v1/auth/refresh", "",
		map[string]any{"refresh_token": field(t, session, "refresh_token")})
	w.call("POST /v1/auth/logout", "logout", "/v1/auth/logout", "",
		map[string]any{"refresh_token": field(t, refreshed, "refresh_token")})
	w.call("POST /v1/auth/logout", "", "/v1/auth/logout", "",
		map[string]any{"refresh_token": field(t, refreshed, "refresh_token")}) // once more

	first, second := s.LogIn(t, "robin"), s.LogIn(t, "robin")
	other := field(t, s.Call(t, "GET", "/v1/auth/me", second.Token, nil), "session", "id")
	w.call("DELETE /v1/auth/sessions/{id}", "session_revoke", "/v1/auth/sessions/"+other, first.Token, nil)
	w.call("PATCH /v1/users/me", "update", "/v1/users/me", first.Token, map[string]any{"full_name": "Robin"})
	w.call("PATCH /v1/users/me", "", "/v1/users/me", first.Token, map[string]any{"full_name": "Robin"}) // as it is
	w.call("PATCH /v1/users/me", "update", "/v1/users/me", first.Token,
		map[string]any{"email": "robin2@example.com", "current_password": servertest.Password})
	w.call("POST /v1/users/me/email/confirm", "email_change", "/v1/users/me/email/confirm", "",
		map[string]any{"token": s.Mail.Token(t, "robin2@example.com", "confirm-email")})
	w.call("PUT /v1/users/me/password", "password_change", "/v1/users/me/password", first.Token,
		map[string]any{"current_password": servertest.Password, "new_password": "Other-brown-fox-7"})
	w.call("POST /v1/auth/forgot-password", "", "/v1/auth/forgot-password", "", map[string]any{"email": "robin2@example.com"})
	w.call("POST /v1/auth/reset-password", "password_reset", "/v1/auth/reset-password", "",
		map[string]any{"token": s.Mail.Token(t, "robin2@example.com", "reset-password"), "password": servertest.Password})
	first = s.LogIn(t, "robin")
	w.call("POST /v1/auth/logout-all", "logout_all", "/v1/auth/logout-all", first.Token, nil)
	first = s.LogIn(t, "robin")
	w.call("DELETE /v1/users/me", "delete", "/v1/users/me", first.Token, secret)
}

func (w *trail) company() servertest.Account {
	t, s := w.t, w.s
	w.call("POST /v1/auth/signup", "signup", "/v1/auth/signup", "", map[string]any{
		"company_name": "Crew", "slug": "crew", "email": "crew@example.com", "full_name": "Kim",
		"password": servertest.Password, "accept_terms": true,
	})
	s.Confirm(t, "crew@example.com")
	owner := s.LogIn(t, "crew@example.com")
	w.call("PATCH /v1/company", "update", "/v1/company", owner.Token, map[string]any{"phone": "+44 20 7946 0000"})
	prices := s.Call(t, "GET", "/v1/company/pricing", owner.Token, nil)
	w.call("POST /v1/company/pricing/preview", "", "/v1/company/pricing/preview", owner.Token, map[string]any{"survey": map[string]any{"rooms": []any{}}})
	w.call("PUT /v1/company/pricing", "update", "/v1/company/pricing", owner.Token,
		map[string]any{"callout_fee_pence": 7}, "If-Match", prices.Header.Get("ETag"))

	invited := w.call("POST /v1/company/users", "invite", "/v1/company/users", owner.Token,
		map[string]any{"email": "alex@example.com", "full_name": "Alex", "role": "member"})
	path := "/v1/company/invites/" + field(t, invited, "id")
	w.call("POST /v1/company/invites/{id}/resend", "invite", path+"/resend", owner.Token, nil)
	w.call("DELETE /v1/company/invites/{id}", "invite_revoke", path, owner.Token, nil)
	member := func(name string) servertest.Account { return s.Join(t, owner, name, "member") }
	sam, kit := member("sam"), member("kit")
	s.Call(t, "POST", "/v1/company/users", owner.Token, map[string]any{"email": "jo@example.com", "full_name": "Jo", "role": "admin"})
	w.call("POST /v1/auth/invite/accept", "invite_accept", "/v1/auth/invite/accept", "",
		map[string]any{"token": s.Mail.Token(t, "jo@example.com", "accept-invite"), "password": servertest.Password})
	w.call("PATCH /v1/company/users/{id}", "member_change", "/v1/company/users/"+sam.ID, owner.Token, map[string]any{"role": "admin"})
	w.call("DELETE /v1/company/users/{id}", "member_remove", "/v1/company/users/"+sam.ID, owner.Token, nil)
	w.call("DELETE /v1/company/users/me", "member_remove", "/v1/company/users/me", kit.Token, nil)
	kit = s.LogIn(t, kit.Email)
	w.call("POST /v1/company", "create", "/v1/company", kit.Token,
		map[string]any{"name": "Second", "slug": "second", "accept_terms": true})
	return owner
}

func (w *trail) moves(owner servertest.Account) {
	t := w.t
	created := w.call("POST /v1/surveys", "create", "/v1/surveys", owner.Token, map[string]any{"mode": "quote"})
	id := strings.TrimPrefix(created.Header.Get("Location"), "/v1/jobs/")
	reissued := w.call("POST /v1/surveys/{job}/token", "token_issue", "/v1/surveys/"+id+"/token", owner.Token, nil)
	token := field(t, reissued, "survey_token")
	contact := map[string]any{"name": "Alex Customer", "email": "alex@customer.example", "phone": "+44 7700 900123"}
	place := map[string]any{"label": "London"}
	w.call("PATCH /v1/survey", "update", "/v1/survey", token, map[string]any{"contact": contact, "pickup": place, "dropoff": place})
	w.call("PUT /v1/survey/access/{place}", "update", "/v1/survey/access/pickup", token,
		map[string]any{"parking_type": "street", "outdoor_access": "direct"})
	room := field(t, w.call("POST /v1/survey/rooms", "create", "/v1/survey/rooms", token, map[string]any{"name": "Kitchen"}), "id")
	attic := field(t, w.call("POST /v1/survey/rooms", "create", "/v1/survey/rooms", token, map[string]any{"name": "Attic"}), "id")
	w.call("PATCH /v1/survey/rooms/{id}", "update", "/v1/survey/rooms/"+attic, token, map[string]any{"name": "Loft"})
	w.call("DELETE /v1/survey/rooms/{id}", "delete", "/v1/survey/rooms/"+attic, token, nil)
	items := "/v1/survey/rooms/" + room + "/items"
	item := field(t, w.call("POST /v1/survey/rooms/{id}/items", "create", items, token, map[string]any{"name": "Sofa", "qty": 1}), "id")
	spare := field(t, w.call("POST /v1/survey/rooms/{id}/items", "create", items, token, map[string]any{"name": "Chair", "qty": 1}), "id")
	w.call("PATCH /v1/survey/items/{id}", "update", "/v1/survey/items/"+item, token, map[string]any{"qty": 2})
	w.call("PUT /v1/survey/items/{id}/variant", "update", "/v1/survey/items/"+item+"/variant", token, map[string]any{"variant_id": "sofa_3_seat"})
	w.call("DELETE /v1/survey/items/{id}", "delete", "/v1/survey/items/"+spare, token, nil)

	upload := func(template, path, name string) {
		t.Helper()
		form := photos(t, name)
		kind := form.contentType() // completes the body
		w.call(template, "create", path, token, form.body.Bytes(), "Content-Type", kind)
	}
	upload("POST /v1/survey/photos", "/v1/survey/photos", "room-study.jpg")
	upload("POST /v1/survey/rooms/{id}/photos", "/v1/survey/rooms/"+room+"/photos", "hall-many-tables.jpg")
	w.analysed(token)
	w.call("POST /v1/survey/rooms/{id}/analyses", "create", "/v1/survey/rooms/"+room+"/analyses", token, nil)
	w.analysed(token)
	var photo string
	require.NoError(t, w.db.QueryRowContext(t.Context(), `SELECT id FROM photos WHERE room_id = $1`, room).Scan(&photo))
	w.call("DELETE /v1/survey/photos/{id}", "delete", "/v1/survey/photos/"+photo, token, nil)

	w.call("POST /v1/survey/submit", "submit", "/v1/survey/submit", token, map[string]any{})
	w.call("POST /v1/survey/submit", "", "/v1/survey/submit", token, map[string]any{}) // once more
	w.call("POST /v1/jobs/{id}/approve", "approve", "/v1/jobs/"+id+"/approve", owner.Token, map[string]any{"final_price_pence": 1000})
	accept := map[string]any{"confirm": true, "price_pence": 1000}
	w.call("POST /v1/survey/accept", "accept", "/v1/survey/accept", token, accept)
	w.call("POST /v1/survey/accept", "", "/v1/survey/accept", token, accept) // once more
	w.call("DELETE /v1/surveys/{job}/token", "token_revoke", "/v1/surveys/"+id+"/token", owner.Token, nil)
	w.call("DELETE /v1/surveys/{job}/token", "", "/v1/surveys/"+id+"/token", owner.Token, nil) // nothing is left
	w.call("DELETE /v1/jobs/{id}", "delete", "/v1/jobs/"+id, owner.Token, nil)
	w.call("POST /v1/jobs/{id}/restore", "restore", "/v1/jobs/"+id+"/restore", owner.Token, nil)
	w.call("DELETE /v1/jobs/{id}", "delete", "/v1/jobs/"+id, owner.Token, nil)
}

// analysed waits until no analysis is under way.
func (w *trail) analysed(token string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		return strings.Contains(string(w.s.Call(w.t, "GET", "/v1/survey", token, nil).Body), `"analysis_running":false`)
	}, time.Minute, 50*time.Millisecond)
}

func (w *trail) administration(admin, owner servertest.Account) {
	t, s := w.t, w.s
	w.call("POST /v1/admin/audit-logs/verify", "", "/v1/admin/audit-logs/verify", admin.Token, nil)
	role := w.call("POST /v1/admin/roles", "create", "/v1/admin/roles", admin.Token,
		map[string]any{"name": "helper", "description": "Helps.", "permissions": []string{"user:read"}})
	role = w.call("PATCH /v1/admin/roles/{name}", "update", "/v1/admin/roles/helper", admin.Token,
		map[string]any{"description": "Helps a lot."}, "If-Match", role.Header.Get("ETag"))
	w.call("DELETE /v1/admin/roles/{name}", "delete", "/v1/admin/roles/helper", admin.Token, nil, "If-Match", role.Header.Get("ETag"))

	user := s.SignIn(t, "pat", "user")
	path := "/v1/users/" + user.ID
	w.call("PATCH /v1/users/{id}", "update", path, admin.Token, map[string]any{"full_name": "Pat"})
	w.call("PUT /v1/users/{id}/role", "role_change", path+"/role", admin.Token, map[string]any{"role": "moderator"})
	s.LogIn(t, "pat")
	w.call("POST /v1/users/{id}/revoke-sessions", "session_revoke", path+"/revoke-sessions", admin.Token, nil)
	w.call("DELETE /v1/users/{id}", "delete", path, admin.Token, nil)
	w.call("POST /v1/admin/users/{id}/restore", "restore", "/v1/admin"+strings.TrimPrefix(path, "/v1")+"/restore", admin.Token, nil)
	w.call("DELETE /v1/users/{id}", "delete", path, admin.Token, nil)
	w.call("DELETE /v1/admin/users/{id}", "purge", "/v1/admin"+strings.TrimPrefix(path, "/v1")+"?confirm="+user.ID, admin.Token, nil)

	secret := map[string]any{"password": servertest.Password}
	company := "/v1/admin/companies/" + owner.Company
	w.call("DELETE /v1/company", "company_close", "/v1/company", owner.Token, secret)
	w.call("POST /v1/admin/companies/{id}/restore", "restore", company+"/restore", admin.Token, nil)
	owner = s.LogIn(t, owner.Email)
	w.call("DELETE /v1/company", "company_close", "/v1/company", owner.Token, secret)
	w.call("DELETE /v1/admin/companies/{id}", "purge", company+"?confirm="+owner.Company, admin.Token, nil)
}

// What is refused leaves no entry of a change, also when it is refused late, inside its transaction.
func TestRefusedChangesLeaveNoEntry(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		w := &trail{t: t, s: s, db: s.Database(t), done: map[string]bool{}}
		owner := s.SignUp(t, "crew")
		s.SignUp(t, "other")
		created := s.Call(t, "POST", "/v1/surveys", owner.Token, map[string]any{"mode": "quote"})
		token, job := field(t, created, "survey_token"), created.Header.Get("Location")
		_, before := w.entries(0)
		for _, call := range []struct {
			method, path, token string
			body                any
			want                string
		}{
			{"PATCH", "/v1/company", owner.Token, map[string]any{"email": "other@example.com"}, "email_taken"},
			{"POST", "/v1/survey/submit", token, map[string]any{}, "survey_incomplete"}, // after the transition
			{"POST", job + "/approve", owner.Token, map[string]any{"midpoint": true}, "invalid_state"},
			{"POST", job + "/restore", owner.Token, nil, "not_deleted"},
			{"DELETE", "/v1/company/users/me", owner.Token, nil, "last_owner"},
			{"DELETE", "/v1/users/me", owner.Token, map[string]any{"password": servertest.Password}, "last_owner"},
			{"DELETE", "/v1/company", owner.Token, map[string]any{"password": "Wrong-password-7"}, "wrong_password"},
			{"POST", "/v1/auth/signup", "", map[string]any{
				"company_name": "Crew", "slug": "crew", "email": "new@example.com", "full_name": "Kim",
				"password": servertest.Password, "accept_terms": true,
			}, "slug_taken"}, // after the account was made
		} {
			require.Equal(t, call.want, s.Call(t, call.method, call.path, call.token, call.body).Code(), "%s %s", call.method, call.path)
			got, _ := w.entries(before)
			require.Empty(t, got, "%s %s", call.method, call.path)
		}
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/survey", token, nil).Status)
	})
}
