package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// logIn logs in with the password of all test accounts.
func logIn(t *testing.T, s *servertest.Server, login string) tokens {
	t.Helper()
	var session tokens
	post(t, s, "/v1/auth/login", body{"login": login, "password": secret}, http.StatusOK, &session)
	return session
}

// account registers a personal account, confirms its address and logs in.
func account(t *testing.T, s *servertest.Server, username string) tokens {
	t.Helper()
	post(t, s, "/v1/auth/register", registration(username), http.StatusCreated, nil)
	verify(t, s, username+"@example.com")
	return logIn(t, s, username)
}

func live(t *testing.T, s *servertest.Server, session tokens) bool {
	t.Helper()
	return s.Call(t, "GET", "/v1/auth/me", session.Access, nil).Status == http.StatusOK
}

type sessionPage struct {
	Items []struct {
		ID        string
		Current   bool
		Transport string
		UserAgent string `json:"user_agent"`
	}
	Total int
}

func TestSessions(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		first := account(t, s, "sessions")
		var second tokens
		s.Call(t, "POST", "/v1/auth/login", "", body{"login": "sessions", "password": secret}, "User-Agent", "Phone").JSON(t, &second)
		stranger := account(t, s, "stranger")

		var page sessionPage
		s.Call(t, "GET", "/v1/auth/sessions", first.Access, nil).JSON(t, &page)
		require.Len(t, page.Items, 2)
		require.Equal(t, 2, page.Total)
		require.Equal(t, "Phone", page.Items[0].UserAgent)
		require.Equal(t, "bearer", page.Items[0].Transport)
		require.False(t, page.Items[0].Current)
		require.True(t, page.Items[1].Current)
		require.Equal(t, http.StatusUnprocessableEntity, s.Call(t, "GET", "/v1/auth/sessions?page=0", first.Access, nil).Status)
		require.Equal(t, http.StatusUnauthorized, s.Call(t, "GET", "/v1/auth/sessions", "", nil).Status)

		phone := "/v1/auth/sessions/" + page.Items[0].ID
		require.Equal(t, http.StatusNotFound, s.Call(t, "DELETE", phone, stranger.Access, nil).Status)
		require.Equal(t, http.StatusNotFound, s.Call(t, "DELETE", "/v1/auth/sessions/nonsense", first.Access, nil).Status)
		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", phone, first.Access, nil).Status)
		require.False(t, live(t, s, second), "at once")
		post(t, s, "/v1/auth/refresh", body{"refresh_token": second.Refresh}, http.StatusUnauthorized, nil)
		require.True(t, live(t, s, first))

		third := logIn(t, s, "sessions")
		require.Equal(t, http.StatusNoContent,
			s.Call(t, "POST", "/v1/auth/logout-all", first.Access, body{"keep_current": true}).Status)
		require.False(t, live(t, s, third))
		require.True(t, live(t, s, first))
		require.Equal(t, http.StatusNoContent, s.Call(t, "POST", "/v1/auth/logout-all", first.Access, nil).Status)
		require.False(t, live(t, s, first))
		require.True(t, live(t, s, stranger))
	})
}

func TestTokenForm(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		account(t, s, "forms")
		send := func(form url.Values) servertest.Response {
			return s.Call(t, "POST", "/v1/auth/token", "", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		}
		good := url.Values{"grant_type": {"password"}, "username": {"forms"}, "password": {secret}, "client_id": {"tool"}}
		var session tokens
		r := send(good)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
		r.JSON(t, &session)
		require.True(t, live(t, s, session))

		good.Set("password", "Wrong-fox-7")
		require.Equal(t, "invalid_credentials", send(good).Code())
		good.Set("grant_type", "client_credentials")
		require.Equal(t, "validation_failed", send(good).Code())
		require.Equal(t, "validation_failed", send(url.Values{}).Code())
		require.Equal(t, "too_large", send(url.Values{"password": {strings.Repeat("x", 9<<10)}}).Code())
		require.Equal(t, "unsupported_media", s.Call(t, "POST", "/v1/auth/token", "", body{}).Code())
		require.Equal(t, "malformed", s.Call(t, "POST", "/v1/auth/token", "", "a=%zz", "Content-Type", "application/x-www-form-urlencoded").Code())
	})
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		here := account(t, s, "changer")
		there := logIn(t, s, "changer")
		const fresh = "Brand-new-fox-9"
		put := func(current, next string) servertest.Response {
			return s.Call(t, "PUT", "/v1/users/me/password", here.Access, body{"current_password": current, "new_password": next})
		}
		require.Equal(t, "wrong_password", put("Wrong-fox-7", fresh).Code())
		require.Equal(t, "validation_failed", put(secret, "weak").Code())
		require.Equal(t, http.StatusNoContent, put(secret, fresh).Status)
		require.True(t, live(t, s, here), "this session goes on")
		require.False(t, live(t, s, there))
		s.Mail.Await(t, "changer@example.com", "password was changed")
		post(t, s, "/v1/auth/login", body{"login": "changer", "password": secret}, http.StatusUnauthorized, nil)
		post(t, s, "/v1/auth/login", body{"login": "changer", "password": fresh}, http.StatusOK, nil)
	})
}

type profile struct {
	Username     string
	Email        string
	PendingEmail *string `json:"pending_email"`
	FullName     *string `json:"full_name"`
}

func TestProfile(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		session := account(t, s, "profile")
		account(t, s, "other")
		patch := func(in body, header ...string) servertest.Response {
			return s.Call(t, "PATCH", "/v1/users/me", session.Access, in, header...)
		}
		var p profile
		r := s.Call(t, "GET", "/v1/users/me", session.Access, nil)
		tag := r.Header.Get("ETag")
		require.NotEmpty(t, tag)
		require.Equal(t, tag, patch(body{}).Header.Get("ETag"), "nothing changed")
		r = patch(body{"full_name": " Robin Writer "}, "If-Match", tag)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		r.JSON(t, &p)
		require.Equal(t, "Robin Writer", *p.FullName)
		require.Equal(t, "stale_version", patch(body{"full_name": "x"}, "If-Match", tag).Code())
		patch(body{"full_name": nil}).JSON(t, &p)
		require.Nil(t, p.FullName)

		require.Equal(t, "username_taken", patch(body{"username": "OTHER"}).Code())
		for _, bad := range []body{{"username": nil}, {"username": "u-abc"}, {"email": nil}, {"email": "new@example.com"}, {"role": "admin"}} {
			require.Equal(t, "validation_failed", patch(bad).Code(), "%v", bad)
		}
		patch(body{"username": "Profile"}).JSON(t, &p)
		require.Equal(t, "Profile", p.Username)
		require.Equal(t, "wrong_password", patch(body{"email": "new@example.com", "current_password": "Wrong-fox-7"}).Code())
	})
}

func TestGeneratedUsernameMayStay(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{})
	var session struct {
		tokens
		User struct{ Username string }
	}
	post(t, s, "/v1/auth/signup", signUp("generated"), http.StatusCreated, &session)
	patch := func(name string) servertest.Response {
		return s.Call(t, "PATCH", "/v1/users/me", session.Access, body{"username": name, "full_name": "New Name"})
	}
	require.Equal(t, http.StatusOK, patch(session.User.Username).Status)
	require.Equal(t, "validation_failed", patch("u-another").Code())
}

func TestChangeOfAddress(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		session := account(t, s, "mover")
		account(t, s, "settled")
		move := func(email string) profile {
			var p profile
			r := s.Call(t, "PATCH", "/v1/users/me", session.Access, body{"email": email, "current_password": secret})
			require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
			r.JSON(t, &p)
			return p
		}
		confirm := func(token string, want int) {
			post(t, s, "/v1/users/me/email/confirm", body{"token": token}, want, nil)
		}
		// A taken address looks the same here; its owner is told.
		require.Equal(t, "settled@example.com", *move("settled@example.com").PendingEmail)
		s.Mail.Await(t, "settled@example.com", "You have an account")
		s.Mail.Await(t, "mover@example.com", "about to change")

		p := move("New@example.com")
		require.Equal(t, "mover@example.com", p.Email)
		require.Equal(t, "new@example.com", *p.PendingEmail)
		token := s.Mail.Token(t, "new@example.com", "confirm-email")
		require.Nil(t, move("mover@example.com").PendingEmail, "the present address cancels")
		confirm(token, http.StatusBadRequest)

		move("new@example.com")
		token = s.Mail.Token(t, "new@example.com", "confirm-email")
		confirm(token, http.StatusNoContent)
		confirm(token, http.StatusBadRequest)
		s.Call(t, "GET", "/v1/users/me", session.Access, nil).JSON(t, &p)
		require.Equal(t, "new@example.com", p.Email)
		logIn(t, s, "new@example.com")
		post(t, s, "/v1/auth/login", body{"login": "mover@example.com", "password": secret}, http.StatusUnauthorized, nil)

		// Taken meanwhile.
		move("late@example.com")
		token = s.Mail.Token(t, "late@example.com", "confirm-email")
		late := registration("late")
		post(t, s, "/v1/auth/register", late, http.StatusCreated, nil)
		confirm(token, http.StatusBadRequest)

		// A reset drops a change that somebody has begun.
		move("thief@example.com")
		token = s.Mail.Token(t, "thief@example.com", "confirm-email")
		post(t, s, "/v1/auth/forgot-password", body{"email": "new@example.com"}, http.StatusAccepted, nil)
		reset := s.Mail.Token(t, "new@example.com", "reset-password")
		post(t, s, "/v1/auth/reset-password", body{"token": reset, "password": secret}, http.StatusNoContent, nil)
		confirm(token, http.StatusBadRequest)
	})
}
