package identity_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

const (
	cookieSet     = `^rt=rt_[A-Za-z0-9_-]+; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict$`
	cookieSession = `^rt=rt_[A-Za-z0-9_-]+; Path=/; HttpOnly; SameSite=Strict$`
	cookieCleared = `rt=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`
)

// with returns a copy of in with more members: name, value, name, value.
func with(in body, members ...any) body {
	out := body{}
	for name, value := range in {
		out[name] = value
	}
	for i := 0; i < len(members); i += 2 {
		out[members[i].(string)] = members[i+1]
	}
	return out
}

// cookie returns the refresh token of an answer, which has exactly one Set-Cookie header.
func cookie(t *testing.T, r servertest.Response) string {
	t.Helper()
	list := (&http.Response{Header: r.Header}).Cookies()
	require.Len(t, list, 1)
	return list[0].Value
}

// send is a POST of a browser that has the cookie.
func send(t *testing.T, s *servertest.Server, path, cookie string, in any, headers ...string) servertest.Response {
	t.Helper()
	return s.Call(t, "POST", path, "", in, append([]string{"Cookie", "rt=" + cookie}, headers...)...)
}

func TestCookieTransport(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		var session tokens
		r := post(t, s, "/v1/auth/signup", with(signUp("biscuit"), "transport", "cookie"), http.StatusCreated, &session)
		require.Regexp(t, cookieSet, r.Header.Get("Set-Cookie"))
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
		first := cookie(t, r)
		require.NotContains(t, string(r.Body), "refresh_token")
		require.NotContains(t, string(r.Body), first)

		var me struct {
			Session struct{ ID, Transport string }
		}
		s.Call(t, "GET", "/v1/auth/me", session.Access, nil).JSON(t, &me)
		require.Equal(t, "cookie", me.Session.Transport)
		require.Equal(t, http.StatusUnauthorized, s.Call(t, "GET", "/v1/auth/me", "", nil, "Cookie", "rt="+session.Access).Status,
			"the access token counts in its header only")

		// The cookie is refreshed without a body, and with one that has no token.
		r = send(t, s, "/v1/auth/refresh", first, nil)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		require.Regexp(t, cookieSet, r.Header.Get("Set-Cookie"))
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
		require.NotContains(t, string(r.Body), "refresh_token")
		second := cookie(t, r)
		require.NotEqual(t, first, second)
		r = send(t, s, "/v1/auth/refresh", second, body{})
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		r.JSON(t, &session)
		third := cookie(t, r)
		var page sessionPage
		s.Call(t, "GET", "/v1/auth/sessions", session.Access, nil).JSON(t, &page)
		require.Len(t, page.Items, 1)
		require.Equal(t, me.Session.ID, page.Items[0].ID, "the same session")
		require.Equal(t, "cookie", page.Items[0].Transport)

		for _, path := range []string{"/v1/auth/refresh", "/v1/auth/logout"} {
			// Two credentials, of one kind or two.
			for _, r := range []servertest.Response{
				send(t, s, path, third, body{"refresh_token": third}),
				send(t, s, path, third+"; rt="+third, nil),
				send(t, s, path, "; rt=x", nil),
			} {
				require.Equal(t, http.StatusBadRequest, r.Status, path)
				require.Equal(t, "malformed", r.Code(), path)
				require.Empty(t, r.Header["Set-Cookie"])
			}
			// Pages of others.
			for _, header := range [][]string{
				{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
			} {
				r := send(t, s, path, third, nil, header...)
				require.Equal(t, http.StatusForbidden, r.Status, "%s %v", path, header)
				require.Equal(t, "cross_origin", r.Code())
				require.Empty(t, r.Header["Set-Cookie"])
			}
			for name, in := range map[string]any{
				"too_short": body{"refresh_token": ""}, "wrong_type": body{"refresh_token": 7}, "unknown_field": body{"x": 1},
			} {
				r := send(t, s, path, third, in)
				require.Equal(t, http.StatusUnprocessableEntity, r.Status, name)
				require.Contains(t, string(r.Body), name)
			}
		}
		require.True(t, live(t, s, session), "nothing has happened")

		r = send(t, s, "/v1/auth/logout", third, nil, "Sec-Fetch-Site", "same-origin")
		require.Equal(t, http.StatusNoContent, r.Status)
		require.Equal(t, cookieCleared, r.Header.Get("Set-Cookie"))
		require.False(t, live(t, s, session), "at once")
		require.Equal(t, http.StatusNoContent, send(t, s, "/v1/auth/logout", third, nil).Status)
		require.Equal(t, http.StatusNoContent, send(t, s, "/v1/auth/logout", "garbage", nil).Status)
		require.Equal(t, http.StatusNoContent, s.Call(t, "POST", "/v1/auth/logout", "", nil).Status)
		r = send(t, s, "/v1/auth/refresh", third, nil)
		require.Equal(t, http.StatusUnauthorized, r.Status)
		require.Equal(t, "invalid_refresh", r.Code())
		require.Equal(t, cookieCleared, r.Header.Get("Set-Cookie"), "proven over")
		require.Equal(t, `Bearer error="invalid_token"`, r.Header.Get("WWW-Authenticate"))
		r = s.Call(t, "POST", "/v1/auth/refresh", "", nil)
		require.Equal(t, "unauthenticated", r.Code())
		require.Equal(t, "Bearer", r.Header.Get("WWW-Authenticate"))
	})
}

// Every sign-in offers the cookie, and a session cookie stays one.
func TestCookieNotRemembered(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		boss := owner(t, s, "crew")
		_, invited := invite(t, s, boss, "alex@example.com", "member")
		for _, c := range []struct {
			path   string
			in     body
			status int
		}{
			{"/v1/auth/signup", signUp("passing"), http.StatusCreated},
			{"/v1/auth/login", body{"login": "crew@example.com", "password": secret}, http.StatusOK},
			{"/v1/auth/invite/accept", body{"token": invited, "password": secret}, http.StatusOK},
		} {
			for _, bad := range []body{{"transport": "header"}, {"transport": 7}, {"remember": "yes"}} {
				in := with(c.in)
				for name, value := range bad {
					in[name] = value
				}
				require.Equal(t, "validation_failed", s.Call(t, "POST", c.path, "", in).Code(), "%s %v", c.path, bad)
			}
			r := s.Call(t, "POST", c.path, "", with(c.in, "transport", "cookie", "remember", false))
			require.Equal(t, c.status, r.Status, "%s", r.Body)
			require.Regexp(t, cookieSession, r.Header.Get("Set-Cookie"), c.path)
			require.NotContains(t, string(r.Body), "refresh_token", c.path)
			for range 2 {
				r = send(t, s, "/v1/auth/refresh", cookie(t, r), nil)
				require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
				require.Regexp(t, cookieSession, r.Header.Get("Set-Cookie"), c.path)
			}
		}
		login := body{"login": "crew@example.com", "password": secret}
		for _, in := range []body{with(login, "transport", "bearer", "remember", false), with(login, "remember", true)} {
			var session tokens
			r := post(t, s, "/v1/auth/login", in, http.StatusOK, &session)
			require.Empty(t, r.Header["Set-Cookie"])
			require.NotEmpty(t, session.Refresh)
		}
		r := s.Call(t, "POST", "/v1/auth/login", "", with(login, "transport", "cookie", "remember", true))
		require.Regexp(t, cookieSet, r.Header.Get("Set-Cookie"))
	})
}

// Whoever plants a cookie of his own in a browser is not signed in with the next one who logs in.
func TestLogInEndsThePlantedSession(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		account(t, s, "attacker")
		account(t, s, "victim")
		in := func(name string) body {
			return body{"login": name, "password": secret, "transport": "cookie"}
		}
		var planted, session tokens
		r := post(t, s, "/v1/auth/login", in("attacker"), http.StatusOK, &planted)
		old := cookie(t, r)
		r = send(t, s, "/v1/auth/login", old, in("victim"))
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		r.JSON(t, &session)
		fresh := cookie(t, r)
		require.NotEqual(t, old, fresh)
		require.False(t, live(t, s, planted))
		require.Equal(t, "invalid_refresh", send(t, s, "/v1/auth/refresh", old, nil).Code())
		require.True(t, live(t, s, session))

		// Tokens in the body and a cookie beside them would be two credentials.
		r = send(t, s, "/v1/auth/login", fresh, body{"login": "victim", "password": secret})
		require.Equal(t, cookieCleared, r.Header.Get("Set-Cookie"))
		require.False(t, live(t, s, session))

		// A wrong password changes nothing.
		r = post(t, s, "/v1/auth/login", in("victim"), http.StatusOK, &session)
		fresh = cookie(t, r)
		r = send(t, s, "/v1/auth/login", fresh, body{"login": "victim", "password": "Wrong-fox-7", "transport": "cookie"})
		require.Equal(t, http.StatusUnauthorized, r.Status)
		require.Empty(t, r.Header["Set-Cookie"])
		require.True(t, live(t, s, session))

		r = s.Call(t, "POST", "/v1/auth/logout-all", session.Access, body{"keep_current": true}, "Cookie", "rt="+fresh)
		require.Empty(t, r.Header["Set-Cookie"])
		r = s.Call(t, "POST", "/v1/auth/logout-all", session.Access, nil, "Cookie", "rt="+fresh)
		require.Equal(t, http.StatusNoContent, r.Status)
		require.Equal(t, cookieCleared, r.Header.Get("Set-Cookie"))
	})
}

// Tabs that refresh at once share one successor; the last ones of many are told to wait. None of them
// removes the cookie of the others.
func TestCookieRace(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		r := post(t, s, "/v1/auth/signup", with(signUp("tabs"), "transport", "cookie"), http.StatusCreated, nil)
		parent := cookie(t, r)
		answers := make(chan servertest.Response, 20)
		var group sync.WaitGroup
		for range cap(answers) {
			group.Go(func() { answers <- send(t, s, "/v1/auth/refresh", parent, nil) })
		}
		group.Wait()
		close(answers)
		statuses, successors := map[int]int{}, map[string]bool{}
		for r := range answers {
			statuses[r.Status]++
			if r.Status == http.StatusOK {
				successors[cookie(t, r)] = true
				continue
			}
			require.Equal(t, "refresh_superseded", r.Code())
			require.Empty(t, r.Header["Set-Cookie"])
		}
		require.Equal(t, map[int]int{http.StatusOK: 17, http.StatusConflict: 3}, statuses, "one, and sixteen copies")
		require.Len(t, successors, 1)
		for successor := range successors {
			require.Equal(t, http.StatusOK, send(t, s, "/v1/auth/refresh", successor, nil).Status)
		}
	})
}

// The cookie goes when its session is proven over, and not when nobody can tell.
func TestCookieOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *servertest.Server, clock *clock) {
		r := post(t, s, "/v1/auth/signup", with(signUp("patient"), "transport", "cookie"), http.StatusCreated, nil)
		first := cookie(t, r)
		db := s.Database(t)
		for _, path := range []string{"/v1/auth/refresh", "/v1/auth/logout"} {
			_, err := db.ExecContext(t.Context(), `ALTER TABLE auth_sessions RENAME TO auth_sessions_away`)
			require.NoError(t, err)
			r := send(t, s, path, first, nil)
			_, err = db.ExecContext(t.Context(), `ALTER TABLE auth_sessions_away RENAME TO auth_sessions`)
			require.NoError(t, err)
			require.Equal(t, http.StatusServiceUnavailable, r.Status, "%s %s", path, r.Body)
			require.Equal(t, "unavailable", r.Code())
			require.NotEmpty(t, r.Header.Get("Retry-After"))
			require.Empty(t, r.Header["Set-Cookie"])
		}
		r = send(t, s, "/v1/auth/refresh", first, nil)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		second := cookie(t, r)
		clock.add(time.Minute)
		r = send(t, s, "/v1/auth/refresh", first, nil)
		require.Equal(t, "refresh_reused", r.Code())
		require.Equal(t, cookieCleared, r.Header.Get("Set-Cookie"))
		require.Equal(t, "invalid_refresh", send(t, s, "/v1/auth/refresh", second, nil).Code())
	})
}

// Where browsers come over HTTPS the cookie is bound to host and transport.
func TestCookieOverHTTPS(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{Environ: []string{"PUBLIC_URL=https://app.example.com"}})
	r := post(t, s, "/v1/auth/signup", with(signUp("secure"), "transport", "cookie"), http.StatusCreated, nil)
	require.Regexp(t, `^__Host-rt=rt_[A-Za-z0-9_-]+; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Strict$`, r.Header.Get("Set-Cookie"))
	first := cookie(t, r)
	require.Equal(t, "unauthenticated", send(t, s, "/v1/auth/refresh", first, nil).Code(), "another name")
	r = s.Call(t, "POST", "/v1/auth/refresh", "", nil, "Cookie", "__Host-rt="+first)
	require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
	r = s.Call(t, "POST", "/v1/auth/logout", "", nil, "Cookie", "__Host-rt="+cookie(t, r))
	require.Equal(t, `__Host-rt=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict`, r.Header.Get("Set-Cookie"))
	require.True(t, strings.HasPrefix(first, "rt_"))
}
