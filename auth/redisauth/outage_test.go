package redisauth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
)

func TestOutageIs503AndKeepsTheCookie(t *testing.T) {
	t.Parallel()
	s := newServer(t, "--appendonly", "yes", "--appendfsync", "always")
	client := redis.NewClient(&redis.Options{Addr: s.addr, DialTimeout: time.Second, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	svc := newService(t, client, "auth:")
	cookie, err := auth.NewCookie(auth.CookieConfig{})
	require.NoError(t, err)
	handlers, err := auth.NewHandlers(auth.HandlersConfig{Service: svc, Cookie: cookie})
	require.NoError(t, err)
	tokens, err := svc.Login(t.Context(), auth.Login{Subject: "user"})
	require.NoError(t, err)

	ask := func(h http.Handler) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.AddCookie(&http.Cookie{Name: "__Host-rt", Value: tokens.Refresh})
		r.Header.Set("Authorization", "Bearer "+tokens.Access)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	me := svc.Verifier().Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.kill()
	for name, h := range map[string]http.Handler{
		"refresh": handlers.Refresh(), "logout": handlers.Logout(), "logout all": handlers.LogoutAll(), "verify": me,
	} {
		w := ask(h)
		require.Equal(t, http.StatusServiceUnavailable, w.Code, name)
		require.Equal(t, "1", w.Header().Get("Retry-After"), name)
		require.Empty(t, w.Header()["Set-Cookie"], name)
	}
	s.start(t)
	require.Equal(t, http.StatusOK, ask(me).Code)
	require.Equal(t, http.StatusOK, ask(handlers.Refresh()).Code, "nothing was lost")
}
