package identity_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/groundwork-go/groundwork/examples/server/internal/app"
	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

const secret = "Quick-brown-fox-7"

type body = map[string]any

func signUp(slug string) body {
	return body{
		"company_name": "Company " + slug, "slug": slug, "email": slug + "@example.com",
		"full_name": "Robin Owner", "password": secret, "accept_terms": true,
	}
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Expires int    `json:"expires_in"`
}

func post(t *testing.T, s *servertest.Server, path string, in any, want int, out any) servertest.Response {
	t.Helper()
	r := s.Call(t, "POST", path, "", in)
	require.Equal(t, want, r.Status, "%s", r.Body)
	if out != nil {
		r.JSON(t, out)
	}
	return r
}

// verify confirms an address with the token mailed to it.
func verify(t *testing.T, s *servertest.Server, email string) {
	t.Helper()
	post(t, s, "/v1/auth/verify-email", body{"token": s.Mail.Token(t, email, "verify-email")}, http.StatusNoContent, nil)
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		in := signUp("acme")
		in["email"] = "Owner@Acme.Example.COM"
		var session struct {
			tokens
			User struct {
				Email      string
				Username   string
				Role       string
				IsVerified bool `json:"is_verified"`
			}
			Company struct{ Slug, Role string }
		}
		r := post(t, s, "/v1/auth/signup", in, http.StatusCreated, &session)
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
		require.Equal(t, "owner@acme.example.com", session.User.Email)
		require.Regexp(t, "^u-[a-z2-7]{10}$", session.User.Username)
		require.Equal(t, "user", session.User.Role)
		require.False(t, session.User.IsVerified)
		require.Equal(t, "acme", session.Company.Slug)
		require.Equal(t, "owner", session.Company.Role)
		require.Equal(t, 900, session.Expires)
		require.True(t, strings.HasPrefix(session.Refresh, "rt_"))

		var me struct {
			User    struct{ Email string }
			Company struct{ Slug string }
			Session struct{ ID string }
		}
		s.Call(t, "GET", "/v1/auth/me", session.Access, nil).JSON(t, &me)
		require.Equal(t, "owner@acme.example.com", me.User.Email)
		require.Equal(t, "acme", me.Company.Slug)
		require.NotEmpty(t, me.Session.ID)

		taken := signUp("other")
		taken["email"] = "OWNER@acme.example.com"
		require.Equal(t, "email_taken", post(t, s, "/v1/auth/signup", taken, http.StatusConflict, nil).Code())
		taken = signUp("acme")
		taken["email"] = "new@example.com"
		require.Equal(t, "slug_taken", post(t, s, "/v1/auth/signup", taken, http.StatusConflict, nil).Code())
		// A refused sign-up leaves nothing behind: the address is still free.
		taken["slug"] = "acme-2"
		post(t, s, "/v1/auth/signup", taken, http.StatusCreated, nil)
	})
}

func TestSignUpFaults(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{})
	for name, test := range map[string]struct {
		change  body
		pointer string
		code    string
	}{
		"no digit":         {body{"password": "Quick-brown-fox"}, "#/password", "password_needs_digit"},
		"no upper case":    {body{"password": "quick-brown-fox-7"}, "#/password", "password_needs_upper"},
		"short":            {body{"password": "Abc-7"}, "#/password", "password_too_short"},
		"long":             {body{"password": "A7" + strings.Repeat("x", 1023)}, "#/password", "password_too_long"},
		"well known":       {body{"password": "Password123"}, "#/password", "password_common"},
		"address":          {body{"email": "robin"}, "#/email", "bad_format"},
		"terms":            {body{"accept_terms": false}, "#/accept_terms", "not_allowed"},
		"unknown field":    {body{"is_admin": true}, "#/is_admin", "unknown_field"},
		"wrong type":       {body{"slug": 7}, "#/slug", "wrong_type"},
		"missing field":    {body{"full_name": nil}, "#/full_name", "required"},
		"slug with spaces": {body{"slug": "two words"}, "#/slug", "bad_format"},
		"reserved slug":    {body{"slug": "admin"}, "#/slug", "not_allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := signUp("faults")
			for field, value := range test.change {
				in[field] = value
				if value == nil {
					delete(in, field)
				}
			}
			var p struct {
				Code   string
				Errors []struct{ Pointer, Code string }
			}
			r := post(t, s, "/v1/auth/signup", in, http.StatusUnprocessableEntity, &p)
			require.Equal(t, "validation_failed", p.Code)
			require.Len(t, p.Errors, 1, "%s", r.Body)
			require.Equal(t, test.pointer, p.Errors[0].Pointer)
			require.Equal(t, test.code, p.Errors[0].Code)
			if given, ok := test.change["password"].(string); ok {
				require.NotContains(t, string(r.Body), given)
			}
		})
	}
}

func TestBodyOverTheLimit(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{})
	r := s.Call(t, "POST", "/v1/auth/login", "", `{"login":"`+strings.Repeat("x", 9<<10)+`","password":"x"}`)
	require.Equal(t, http.StatusRequestEntityTooLarge, r.Status)
	require.Equal(t, "too_large", r.Code())
}

func TestLogIn(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		post(t, s, "/v1/auth/signup", signUp("movers"), http.StatusCreated, nil)
		login := body{"login": "MOVERS@example.com", "password": secret}
		require.Equal(t, "email_not_verified", post(t, s, "/v1/auth/login", login, http.StatusForbidden, nil).Code())
		verify(t, s, "movers@example.com")
		var session tokens
		post(t, s, "/v1/auth/login", login, http.StatusOK, &session)
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/auth/me", session.Access, nil).Status)

		wrong := post(t, s, "/v1/auth/login", body{"login": "movers@example.com", "password": "Wrong-fox-7"}, http.StatusUnauthorized, nil)
		unknown := post(t, s, "/v1/auth/login", body{"login": "nobody@example.com", "password": secret}, http.StatusUnauthorized, nil)
		noName := post(t, s, "/v1/auth/login", body{"login": "nobody", "password": secret}, http.StatusUnauthorized, nil)
		for _, r := range []servertest.Response{wrong, unknown, noName} {
			require.Equal(t, "invalid_credentials", r.Code())
		}
	})
}

func TestRefreshAndLogOut(t *testing.T) {
	t.Parallel()
	clock := &clock{now: time.Now()}
	servertest.Each(t, servertest.Options{App: app.Options{Now: clock.Now}}, func(t *testing.T, s *servertest.Server) {
		var first, second tokens
		post(t, s, "/v1/auth/signup", signUp("refresh"), http.StatusCreated, &first)
		post(t, s, "/v1/auth/refresh", body{"refresh_token": first.Refresh}, http.StatusOK, &second)
		require.NotEqual(t, first.Refresh, second.Refresh)
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/auth/me", first.Access, nil).Status, "calls under way go on")
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/auth/me", second.Access, nil).Status)

		require.Equal(t, "invalid_refresh",
			post(t, s, "/v1/auth/refresh", body{"refresh_token": "rt_nonsense"}, http.StatusUnauthorized, nil).Code())
		post(t, s, "/v1/auth/logout", body{"refresh_token": second.Refresh}, http.StatusNoContent, nil)
		post(t, s, "/v1/auth/logout", body{"refresh_token": second.Refresh}, http.StatusNoContent, nil)
		post(t, s, "/v1/auth/logout", body{"refresh_token": "garbage"}, http.StatusNoContent, nil)
		require.Equal(t, "invalid_refresh",
			post(t, s, "/v1/auth/refresh", body{"refresh_token": second.Refresh}, http.StatusUnauthorized, nil).Code())
		require.Equal(t, http.StatusUnauthorized, s.Call(t, "GET", "/v1/auth/me", second.Access, nil).Status, "logged out at once")
	})
}

func TestReusedRefreshTokenEndsTheSession(t *testing.T) {
	t.Parallel()
	clock := &clock{now: time.Now()}
	s := servertest.Start(t, servertest.Options{App: app.Options{Now: clock.Now}})
	var first, second tokens
	post(t, s, "/v1/auth/signup", signUp("reuse"), http.StatusCreated, &first)
	post(t, s, "/v1/auth/refresh", body{"refresh_token": first.Refresh}, http.StatusOK, &second)
	clock.add(time.Minute)
	require.Equal(t, "refresh_reused",
		post(t, s, "/v1/auth/refresh", body{"refresh_token": first.Refresh}, http.StatusUnauthorized, nil).Code())
	require.Equal(t, "invalid_refresh",
		post(t, s, "/v1/auth/refresh", body{"refresh_token": second.Refresh}, http.StatusUnauthorized, nil).Code())
	s.Mail.Await(t, "reuse@example.com", "A session was ended")
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{})
	var session tokens
	post(t, s, "/v1/auth/signup", signUp("credentials"), http.StatusCreated, &session)
	for name, header := range map[string]string{
		"garbage": "Bearer garbage", "survey token": "Bearer svy_" + strings.Repeat("A", 43),
		"refresh token": "Bearer " + session.Refresh, "basic": "Basic cm9iaW46c2VjcmV0",
		"two spaces": "Bearer  " + session.Access,
	} {
		r := s.Call(t, "GET", "/v1/auth/me", "", nil, "Authorization", header)
		require.Equal(t, http.StatusUnauthorized, r.Status, name)
		require.Equal(t, "unauthenticated", r.Code(), name)
		require.Contains(t, r.Header.Get("WWW-Authenticate"), "Bearer", name)
	}
	r := s.Call(t, "GET", "/v1/auth/me?access_token="+session.Access, "", nil)
	require.NotEqual(t, http.StatusOK, r.Status, "never from the address")
}

// Twenty sign-ups at once for one address and slug make one account.
func TestSignUpRace(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		statuses := make(chan int, 20)
		var group sync.WaitGroup
		for range cap(statuses) {
			group.Go(func() { statuses <- s.Call(t, "POST", "/v1/auth/signup", "", signUp("race")).Status })
		}
		group.Wait()
		close(statuses)
		count := map[int]int{}
		for status := range statuses {
			count[status]++
		}
		require.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusConflict: 19}, count)
	})
}

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// Hashes of an older system are read, and replaced by the first log-in.
func TestImportedPassword(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		account(t, s, "veteran")
		old, err := bcrypt.GenerateFromPassword([]byte("Imported-fox-7"), bcrypt.MinCost)
		require.NoError(t, err)
		db := s.Database(t)
		_, err = db.ExecContext(t.Context(), `UPDATE users SET password_hash = $1 WHERE username = 'veteran'`, string(old))
		require.NoError(t, err)
		login := body{"login": "veteran", "password": "Imported-fox-7"}
		post(t, s, "/v1/auth/login", body{"login": "veteran", "password": secret}, http.StatusUnauthorized, nil)
		require.Equal(t, 1, rows(t, db, `users WHERE password_hash LIKE '$2a$%'`), "a wrong password replaces nothing")
		post(t, s, "/v1/auth/login", login, http.StatusOK, nil)
		require.Zero(t, rows(t, db, `users WHERE password_hash LIKE '$2a$%'`))
		require.Equal(t, 1, rows(t, db, `users WHERE username = 'veteran' AND password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'`))
		post(t, s, "/v1/auth/login", login, http.StatusOK, nil)
	})
}
