package auth_test

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
)

// whoami answers with the subject, or "anonymous".
func whoami(w http.ResponseWriter, r *http.Request) {
	p, ok := auth.PrincipalFrom(r.Context())
	if !ok {
		p = &auth.Principal{Subject: "anonymous"}
	}
	_, _ = w.Write([]byte(p.Subject))
}

func code(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var body struct{ Code string }
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
	return body.Code
}

func TestBearerHeader(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, newClock(), nil)
	good := goodToken()
	for name, c := range map[string]struct {
		values    []string
		require   int
		optional  int
		challenge string
	}{
		"good":          {[]string{"Bearer " + good}, 200, 200, ""},
		"lower case":    {[]string{"bearer " + good}, 200, 200, ""},
		"none":          {nil, 401, 200, "Bearer"},
		"two headers":   {[]string{"Bearer " + good, "Bearer " + good}, 401, 401, `Bearer error="invalid_token"`},
		"empty":         {[]string{""}, 401, 401, `Bearer error="invalid_token"`},
		"scheme only":   {[]string{"Bearer"}, 401, 401, `Bearer error="invalid_token"`},
		"no token":      {[]string{"Bearer "}, 401, 401, `Bearer error="invalid_token"`},
		"double space":  {[]string{"Bearer  " + good}, 401, 401, `Bearer error="invalid_token"`},
		"tab":           {[]string{"Bearer\t" + good}, 401, 401, `Bearer error="invalid_token"`},
		"trailing":      {[]string{"Bearer " + good + " x"}, 401, 401, `Bearer error="invalid_token"`},
		"comma list":    {[]string{"Bearer " + good + ", Basic eA=="}, 401, 401, `Bearer error="invalid_token"`},
		"Basic":         {[]string{"Basic dXNlcjpwdw=="}, 401, 401, `Bearer error="invalid_token"`},
		"forged":        {[]string{"Bearer " + good[:len(good)-2] + "AA"}, 401, 401, `Bearer error="invalid_token"`},
		"refresh token": {[]string{"Bearer rt_AAAA"}, 401, 401, `Bearer error="invalid_token"`},
	} {
		for kind, h := range map[string]http.Handler{
			"Require": v.Require(http.HandlerFunc(whoami)), "Optional": v.Optional(http.HandlerFunc(whoami)),
		} {
			r := httptest.NewRequest(http.MethodGet, "/?access_token="+good, strings.NewReader("access_token="+good))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header["Authorization"] = c.values
			if c.values == nil {
				r.Header.Del("Authorization")
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			want := c.require
			if kind == "Optional" {
				want = c.optional
			}
			require.Equal(t, want, w.Code, "%s %s", kind, name)
			if want == 401 {
				require.Equal(t, c.challenge, w.Header().Get("WWW-Authenticate"), "%s %s", kind, name)
				require.Equal(t, "unauthenticated", code(t, w))
			}
		}
	}
}

func TestTokenInQueryOrFormIsIgnored(t *testing.T) {
	t.Parallel()
	h := newVerifier(t, newClock(), nil).Require(http.HandlerFunc(whoami))
	for _, name := range []string{"access_token", "token", "authorization", "Authorization"} {
		form := url.Values{name: {goodToken()}}.Encode()
		query := httptest.NewRequest(http.MethodGet, "/?"+form, nil)
		body := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
		body.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		cookie := httptest.NewRequest(http.MethodGet, "/", nil)
		cookie.AddCookie(&http.Cookie{Name: name, Value: goodToken()})
		for where, r := range map[string]*http.Request{"query": query, "form": body, "cookie": cookie} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, 401, w.Code, "%s in the %s", name, where)
			require.Equal(t, "Bearer", w.Header().Get("WWW-Authenticate"))
		}
	}
}

func TestRejectionsLookAlike(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := newVerifier(t, c, nil)
	h := v.Require(http.HandlerFunc(whoami))
	good := goodToken()
	var bodies []string
	for _, token := range []string{
		good[:len(good)-2] + "AA",
		forge("k1", `{"alg":"HS256","kid":"k9","typ":"at+jwt"}`, claims(nil)),
		forge("k1", goodHeader, claims(map[string]any{"iat": epoch.Unix() - 900, "exp": epoch.Unix() - 600})),
		forge("k1", goodHeader, claims(map[string]any{"aud": "other"})),
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 401, w.Code)
		bodies = append(bodies, w.Body.String()+w.Header().Get("WWW-Authenticate"))
	}
	for _, body := range bodies {
		require.Equal(t, bodies[0], body)
	}
}

func TestDependencyDownIs503(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, newClock(), func(cfg *auth.VerifierConfig) { cfg.Denylist = brokenDenylist{} })
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+goodToken())
	w := httptest.NewRecorder()
	v.Require(http.HandlerFunc(whoami)).ServeHTTP(w, r)
	require.Equal(t, 503, w.Code)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	require.Equal(t, "unavailable", code(t, w))
	require.NotContains(t, w.Body.String(), "down")
}

func TestRequireFresh(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := newVerifier(t, c, nil)
	h := v.RequireFresh(5 * time.Minute)(http.HandlerFunc(whoami))
	ask := func(authTime any) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Authorization", "Bearer "+forge("k1", goodHeader, claims(map[string]any{"auth_time": authTime})))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, 200, ask(epoch.Add(-5*time.Minute).Unix()).Code)
	for _, old := range []any{epoch.Add(-5*time.Minute - time.Second).Unix(), nil} {
		w := ask(old)
		require.Equal(t, 401, w.Code)
		require.Equal(t, "reauthentication_required", code(t, w))
		require.Equal(t, `Bearer error="insufficient_user_authentication", max_age="300"`, w.Header().Get("WWW-Authenticate"))
	}
}

func TestJWKS(t *testing.T) {
	t.Parallel()
	c := newClock()
	ed := ed25519Key(t, "ed")
	next := ed25519Key(t, "next")
	set := keySet(t, c, ed)
	get := func(method, etag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/.well-known/jwks.json", nil)
		r.Header.Set("If-None-Match", etag)
		w := httptest.NewRecorder()
		set.JWKSHandler().ServeHTTP(w, r)
		return w
	}
	first := get(http.MethodGet, "")
	require.Equal(t, 200, first.Code)
	require.Equal(t, "public, max-age=300", first.Header().Get("Cache-Control"))
	require.Contains(t, first.Body.String(), `"kid":"ed"`)
	etag := first.Header().Get("ETag")
	require.Equal(t, 304, get(http.MethodGet, etag).Code)
	require.Equal(t, 304, get(http.MethodHead, `"x", `+etag).Code)
	require.Empty(t, get(http.MethodHead, "").Body.String())
	post := get(http.MethodPost, "")
	require.Equal(t, 405, post.Code)
	require.Equal(t, "GET, HEAD", post.Header().Get("Allow"))

	require.NoError(t, set.Publish(next))
	second := get(http.MethodGet, etag)
	require.Equal(t, 200, second.Code)
	require.NotEqual(t, etag, second.Header().Get("ETag"))
	require.NoError(t, set.Activate("next"))
	require.NoError(t, set.Retire("ed", c.Now().Add(time.Minute)))
	require.Contains(t, get(http.MethodGet, "").Body.String(), `"kid":"ed"`)
	c.Add(time.Minute)
	require.NotContains(t, get(http.MethodGet, "").Body.String(), `"kid":"ed"`)

	for _, key := range []auth.Key{ed, rsaKey(t, "rs"), ecdsaKey(t, "es")} {
		w := httptest.NewRecorder()
		keySet(t, c, key).JWKSHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		var set struct{ Keys []map[string]any }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &set))
		require.Len(t, set.Keys, 1)
		for member := range set.Keys[0] {
			require.Contains(t, []string{"kty", "kid", "use", "alg", "crv", "x", "y", "n", "e"}, member, "public members only")
		}
	}
	secret := keySet(t, c, hmacKey(t, "hidden"))
	w := httptest.NewRecorder()
	secret.JWKSHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	require.JSONEq(t, `{"keys":[]}`, w.Body.String())
}

// site is a server with log-in and the handlers, and a browser.
type site struct {
	*bench
	*httptest.Server
	browser *http.Client
}

func newSite(t *testing.T, change func(*auth.Config)) *site {
	t.Helper()
	s := &site{bench: newBench(t, change)}
	cookie, err := auth.NewCookie(auth.CookieConfig{})
	require.NoError(t, err)
	h, err := auth.NewHandlers(auth.HandlersConfig{Service: s.Service, Cookie: cookie, TrustedOrigins: []string{"https://app.example"}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		tokens, err := h.Begin(w, r, auth.Login{Subject: "user"}, auth.Delivery{
			Cookie: r.FormValue("cookie") != "", Session: r.FormValue("forget") != "",
		})
		if err != nil {
			auth.WriteError(w, r, err)
			return
		}
		auth.WriteTokens(w, tokens)
	})
	mux.Handle("/refresh", h.Refresh())
	mux.Handle("/logout", h.Logout())
	mux.Handle("/logout-all", h.LogoutAll())
	mux.Handle("/sessions", h.Sessions())
	mux.Handle("/sessions/{id}", h.RevokeSession())
	s.Server = httptest.NewTLSServer(mux)
	t.Cleanup(s.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	s.browser = s.Client()
	s.browser.Jar = jar
	return s
}

// answer is a response that was read.
type answer struct {
	*http.Response `json:"-"`

	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Code    string `json:"code"`
	Items   []struct {
		ID      string
		Current bool
	} `json:"items"`
}

func (s *site) ask(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := s.browser.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	a := answer{Response: res}
	if res.StatusCode != http.StatusNoContent {
		require.NoError(t, json.NewDecoder(res.Body).Decode(&a))
	}
	if a.Access != "" {
		require.Equal(t, "no-store", res.Header.Get("Cache-Control"), "%s %s", method, path)
	}
	return a
}

func (s *site) cookies() []*http.Cookie {
	u, _ := url.Parse(s.URL)
	return s.browser.Jar.Cookies(u)
}

func TestCookieSessionFromLoginToLogout(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	in := s.ask(t, "POST", "/login?cookie=1", "")
	require.Equal(t, 200, in.StatusCode)
	require.NotEmpty(t, in.Access)
	require.Empty(t, in.Refresh, "the token is not in the body in cookie mode")
	require.Equal(t, "no-store", in.Header.Get("Cache-Control"))
	set := in.Header.Get("Set-Cookie")
	require.Regexp(t, `^__Host-rt=rt_[A-Za-z0-9_-]+; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Strict$`, set)
	require.Less(t, len(set), 4096)
	first := s.cookies()[0].Value

	again := s.ask(t, "POST", "/refresh", "")
	require.Equal(t, 200, again.StatusCode)
	require.Empty(t, again.Refresh)
	second := s.cookies()[0].Value
	require.NotEqual(t, first, second)

	list := s.ask(t, "GET", "/sessions", "", "Authorization", "Bearer "+again.Access)
	require.Len(t, list.Items, 1)
	require.True(t, list.Items[0].Current)

	out := s.ask(t, "POST", "/logout", "")
	require.Equal(t, 204, out.StatusCode)
	require.Equal(t, "__Host-rt=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict", out.Header.Get("Set-Cookie"))
	require.Empty(t, s.cookies(), "the jar is empty after log-out")
	require.Equal(t, 204, s.ask(t, "POST", "/logout", "").StatusCode)
	require.Equal(t, 401, s.ask(t, "POST", "/refresh", "").StatusCode)
}

func TestSessionCookieStaysOne(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	require.NotContains(t, s.ask(t, "POST", "/login?cookie=1&forget=1", "").Header.Get("Set-Cookie"), "Max-Age")
	require.NotContains(t, s.ask(t, "POST", "/refresh", "").Header.Get("Set-Cookie"), "Max-Age")
}

func TestBodySession(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	in := s.ask(t, "POST", "/login", "")
	require.NotEmpty(t, in.Refresh)
	require.Empty(t, in.Header["Set-Cookie"])
	again := s.ask(t, "POST", "/refresh", `{"refresh_token":"`+in.Refresh+`"}`)
	require.Equal(t, 200, again.StatusCode)
	require.NotEmpty(t, again.Refresh)
	require.Empty(t, again.Header["Set-Cookie"])
	for name, values := range again.Header {
		require.NotContains(t, strings.Join(values, " "), again.Refresh, name)
	}
}

func TestLogoutIsIdempotent(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	in := s.ask(t, "POST", "/login", "")
	s.clock.Add(time.Hour)
	expired := []string{"Authorization", "Bearer " + in.Access}
	require.Equal(t, 401, s.ask(t, "GET", "/sessions", "", expired...).StatusCode)
	body := `{"refresh_token":"` + in.Refresh + `"}`
	require.Equal(t, 204, s.ask(t, "POST", "/logout", body, expired...).StatusCode, "with an expired access token")
	_, err := s.Refresh(t.Context(), in.Refresh)
	require.ErrorIs(t, err, auth.ErrRevoked)
	require.Equal(t, 204, s.ask(t, "POST", "/logout", body).StatusCode, "with a revoked refresh token")
	require.Equal(t, 204, s.ask(t, "POST", "/logout", `{"refresh_token":"garbage"}`).StatusCode)
	require.Equal(t, 204, s.ask(t, "POST", "/logout", "").StatusCode, "with nothing")
}

func TestRaceLoserKeepsTheCookie(t *testing.T) {
	t.Parallel()
	for _, policy := range []auth.RacePolicy{auth.RaceReject, auth.RaceReplay} {
		s := newSite(t, func(cfg *auth.Config) { cfg.OnRace = policy })
		s.ask(t, "POST", "/login?cookie=1", "")
		parent := s.cookies()[0].Value
		s.ask(t, "POST", "/refresh", "")
		winner := s.cookies()[0].Value
		s.browser.Jar = nil
		loser := s.ask(t, "POST", "/refresh", "", "Cookie", "__Host-rt="+parent)
		if policy == auth.RaceReject {
			require.Equal(t, 409, loser.StatusCode)
			require.Equal(t, "refresh_superseded", loser.Code)
			require.Empty(t, loser.Header["Set-Cookie"], "the winner's cookie must survive")
		} else {
			require.Equal(t, 200, loser.StatusCode)
			require.Contains(t, loser.Header.Get("Set-Cookie"), winner)
		}
	}
}

func TestCookieGoesOnlyWithItsSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.ask(t, "POST", "/login?cookie=1", "")
	parent := s.cookies()[0].Value
	s.store.failWith(errDown)
	for _, path := range []string{"/refresh", "/logout"} {
		down := s.ask(t, "POST", path, "")
		require.Equal(t, 503, down.StatusCode)
		require.Equal(t, "1", down.Header.Get("Retry-After"))
		require.Empty(t, down.Header["Set-Cookie"])
	}
	s.store.failWith(nil)
	s.ask(t, "POST", "/refresh", "")
	s.clock.Add(time.Minute)
	s.browser.Jar = nil
	reused := s.ask(t, "POST", "/refresh", "", "Cookie", "__Host-rt="+parent)
	require.Equal(t, 401, reused.StatusCode)
	require.Equal(t, "refresh_reused", reused.Code)
	require.Contains(t, reused.Header.Get("Set-Cookie"), "Max-Age=0")
	garbage := s.ask(t, "POST", "/refresh", "", "Cookie", "__Host-rt=garbage")
	require.Equal(t, 401, garbage.StatusCode)
	require.Equal(t, "invalid_refresh", garbage.Code)
}

func TestLoginEndsThePlantedSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	before, err := s.Verifier().Verify(t.Context(), s.ask(t, "POST", "/login?cookie=1", "").Access)
	require.NoError(t, err)
	planted := s.cookies()[0].Value
	after, err := s.Verifier().Verify(t.Context(), s.ask(t, "POST", "/login?cookie=1", "").Access)
	require.NoError(t, err)
	require.NotEqual(t, before.SessionID, after.SessionID, "a session of its own")
	require.NotEqual(t, planted, s.cookies()[0].Value)
	_, err = s.Refresh(t.Context(), planted)
	require.ErrorIs(t, err, auth.ErrRevoked)
	require.Equal(t, 200, s.ask(t, "POST", "/refresh", "").StatusCode)
}

// A browser that is given its tokens in the body keeps no cookie it would send beside them.
func TestBodyLoginRemovesTheCookie(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.ask(t, "POST", "/login?cookie=1", "")
	planted := s.cookies()[0].Value
	in := s.ask(t, "POST", "/login", "")
	require.Equal(t, "__Host-rt=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict", in.Header.Get("Set-Cookie"))
	_, err := s.Refresh(t.Context(), planted)
	require.ErrorIs(t, err, auth.ErrRevoked)
	require.Equal(t, 200, s.ask(t, "POST", "/refresh", `{"refresh_token":"`+in.Refresh+`"}`).StatusCode)
}

func TestForeignPagesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	in := s.ask(t, "POST", "/login?cookie=1", "")
	for _, path := range []string{"/refresh", "/logout", "/logout-all"} {
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
		} {
			res := s.ask(t, "POST", path, "", append(header, "Authorization", "Bearer "+in.Access)...)
			require.Equal(t, 403, res.StatusCode, "%s %v", path, header)
			require.Equal(t, "cross_origin", res.Code)
		}
		require.Equal(t, 405, s.ask(t, "GET", path, "", "Authorization", "Bearer "+in.Access).StatusCode)
	}
	p, err := s.Verifier().Verify(t.Context(), in.Access)
	require.NoError(t, err)
	require.Equal(t, 403, s.ask(t, "DELETE", "/sessions/"+p.SessionID, "",
		"Authorization", "Bearer "+in.Access, "Sec-Fetch-Site", "cross-site").StatusCode)
	require.Equal(t, 200, s.ask(t, "POST", "/refresh", "", "Origin", "https://app.example").StatusCode)
	require.Equal(t, 200, s.ask(t, "POST", "/refresh", "", "Sec-Fetch-Site", "same-origin").StatusCode)
}

func TestRequestBodies(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	in := s.ask(t, "POST", "/login", "")
	field := `"refresh_token":"` + in.Refresh + `"`
	for name, c := range map[string]struct {
		body, contentType string
		status            int
		code              string
	}{
		"too large":      {`{"refresh_token":"` + strings.Repeat("a", 8<<10) + `"}`, "application/json", 413, "too_large"},
		"unknown field":  {"{" + field + `,"x":1}`, "application/json", 400, "malformed"},
		"field twice":    {"{" + field + "," + field + "}", "application/json", 400, "malformed"},
		"not a string":   {`{"refresh_token":1}`, "application/json", 400, "malformed"},
		"not JSON":       {"refresh_token=x", "application/json", 400, "malformed"},
		"trailing":       {"{" + field + "}{}", "application/json", 400, "malformed"},
		"form":           {"refresh_token=" + in.Refresh, "application/x-www-form-urlencoded", 415, "unsupported_media"},
		"no type":        {"{" + field + "}", "", 415, "unsupported_media"},
		"with charset":   {"{" + field + "}", "application/json; charset=utf-8", 200, ""},
		"nothing at all": {"", "", 401, "unauthenticated"},
	} {
		res := s.ask(t, "POST", "/refresh", c.body, "Content-Type", c.contentType)
		require.Equal(t, c.status, res.StatusCode, name)
		require.Equal(t, c.code, res.Code, name)
	}
	both := s.ask(t, "POST", "/refresh", "{"+field+"}", "Cookie", "__Host-rt="+in.Refresh)
	require.Equal(t, 400, both.StatusCode, "two credentials")
	twice := s.ask(t, "POST", "/refresh", "", "Cookie", "__Host-rt=a; __Host-rt=b")
	require.Equal(t, 400, twice.StatusCode, "cookie tossing")
}

func TestSessionsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	a, b := s.ask(t, "POST", "/login", ""), s.ask(t, "POST", "/login", "")
	foreign, err := s.Login(t.Context(), auth.Login{Subject: "other"})
	require.NoError(t, err)
	bearer := []string{"Authorization", "Bearer " + a.Access}

	list := s.ask(t, "GET", "/sessions", "", bearer...)
	require.Len(t, list.Items, 2)
	var other string
	for _, item := range list.Items {
		if !item.Current {
			other = item.ID
		}
	}
	require.Equal(t, 404, s.ask(t, "DELETE", "/sessions/"+foreign.Session.ID, "", bearer...).StatusCode)
	s.refresh(t, foreign)
	require.Equal(t, 404, s.ask(t, "DELETE", "/sessions/nonsense", "", bearer...).StatusCode)
	require.Equal(t, 204, s.ask(t, "DELETE", "/sessions/"+other, "", bearer...).StatusCode)
	_, err = s.Refresh(t.Context(), b.Refresh)
	require.ErrorIs(t, err, auth.ErrRevoked)
	require.Equal(t, 405, s.ask(t, "GET", "/sessions/"+other, "", bearer...).StatusCode)
	require.Equal(t, 405, s.ask(t, "POST", "/sessions", "", bearer...).StatusCode)
	require.Equal(t, 401, s.ask(t, "GET", "/sessions", "").StatusCode)

	c := s.ask(t, "POST", "/login", "")
	require.Equal(t, 204, s.ask(t, "POST", "/logout-all", `{"keep_current":true}`, bearer...).StatusCode)
	_, err = s.Refresh(t.Context(), c.Refresh)
	require.ErrorIs(t, err, auth.ErrRevoked)
	require.Len(t, s.ask(t, "GET", "/sessions", "", bearer...).Items, 1)
	require.Equal(t, 400, s.ask(t, "POST", "/logout-all", `{"keep_current":1}`, bearer...).StatusCode)
	require.Equal(t, 204, s.ask(t, "POST", "/logout-all", "", bearer...).StatusCode)
	require.Equal(t, 401, s.ask(t, "GET", "/sessions", "", bearer...).StatusCode, "deny-listed at once")
}

func TestHandlersAnswerErrorsInOneWay(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	var told []error
	h, err := auth.NewHandlers(auth.HandlersConfig{
		Service: b.Service, OnError: func(w http.ResponseWriter, _ *http.Request, err error) {
			told = append(told, err)
			w.WriteHeader(http.StatusTeapot)
		},
	})
	require.NoError(t, err)
	for _, c := range []struct {
		method string
		h      http.Handler
	}{
		{"POST", h.Refresh()}, {"POST", h.LogoutAll()}, {"GET", h.Sessions()}, {"DELETE", h.RevokeSession()},
	} {
		w := httptest.NewRecorder()
		c.h.ServeHTTP(w, httptest.NewRequest(c.method, "/", nil))
		require.Equal(t, http.StatusTeapot, w.Code)
	}
	require.Len(t, told, 4)
	for _, err := range told {
		require.ErrorIs(t, err, auth.ErrNoCredential)
	}
}

func TestDevelopmentCookieRefusesHTTPS(t *testing.T) {
	t.Parallel()
	cookie, err := auth.NewCookie(auth.CookieConfig{DangerouslyAllowHTTP: true})
	require.NoError(t, err)
	for _, header := range []string{"", "https"} {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/", nil)
		r.Header.Set("X-Forwarded-Proto", header)
		w := httptest.NewRecorder()
		err := cookie.Set(w, r, "token", time.Hour)
		if header == "" {
			require.NoError(t, err)
			require.Equal(t, "rt=token; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict", w.Header().Get("Set-Cookie"))
		} else {
			require.ErrorIs(t, err, auth.ErrInsecureCookie)
			require.Empty(t, w.Header()["Set-Cookie"])
		}
	}
	r := httptest.NewRequest(http.MethodPost, "https://localhost/", nil)
	require.ErrorIs(t, cookie.Set(httptest.NewRecorder(), r, "token", time.Hour), auth.ErrInsecureCookie)
}

func TestCookieConfigFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg   auth.CookieConfig
		fault string
	}{
		"host with path":      {auth.CookieConfig{Path: "/auth"}, "Path"},
		"host on http":        {auth.CookieConfig{Name: "__Host-rt", DangerouslyAllowHTTP: true}, "Name"},
		"no prefix":           {auth.CookieConfig{Name: "rt"}, "Name"},
		"bad name":            {auth.CookieConfig{Name: "__Host-r t"}, "Name"},
		"relative path":       {auth.CookieConfig{Name: "__Secure-rt", Path: "auth"}, "Path"},
		"SameSite None":       {auth.CookieConfig{SameSite: http.SameSiteNoneMode}, "SameSite"},
		"secure with a path ": {auth.CookieConfig{Name: "__Secure-rt", Path: "/auth"}, ""},
	} {
		_, err := auth.NewCookie(c.cfg)
		if c.fault == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.fault, name)
		}
	}
	_, err := auth.NewHandlers(auth.HandlersConfig{TrustedOrigins: []string{"not an origin"}})
	require.ErrorContains(t, err, "Service")
	require.ErrorContains(t, err, "TrustedOrigins")
}
