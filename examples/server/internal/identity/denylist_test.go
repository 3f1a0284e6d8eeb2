package identity_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/sqldb"
)

// privateRedis is a server of this test alone, which it may stop and pause.
type privateRedis struct {
	addr string
	cmd  *exec.Cmd
}

func newRedis(t *testing.T) *privateRedis {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("TEST_REQUIRE_SERVICES") == "1" {
			t.Fatal("redis-server is not installed")
		}
		t.Skip("redis-server is not installed")
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &privateRedis{addr: listener.Addr().String()}
	require.NoError(t, listener.Close())
	t.Cleanup(func() { r.stop(t) })
	return r
}

func (r *privateRedis) start(t *testing.T) {
	t.Helper()
	_, port, err := net.SplitHostPort(r.addr)
	require.NoError(t, err)
	r.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), "redis-server",
		"--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	require.NoError(t, r.cmd.Start())
	client := redis.NewClient(&redis.Options{Addr: r.addr})
	defer func() { require.NoError(t, client.Close()) }()
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil }, 20*time.Second, 20*time.Millisecond)
}

func (r *privateRedis) stop(t *testing.T) {
	t.Helper()
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait() // it was killed
	r.cmd = nil
}

func (r *privateRedis) signal(t *testing.T, s os.Signal) {
	t.Helper()
	require.NoError(t, r.cmd.Process.Signal(s))
}

// The access tokens of ended sessions are refused at once, whether the deny-list answers or not, and
// also when it has been away.
func TestDenylistInRedis(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sqlite", "postgres"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := newRedis(t)
			environ := []string{"REDIS_URL=redis://" + list.addr}
			if name == "postgres" {
				environ = append(environ, "DATABASE_URL="+testdb.Postgres(t))
			}
			s := servertest.Start(t, servertest.Options{Environ: environ}) // Redis is down
			degraded := func() string { return string(s.Call(t, "GET", "/readyz", "", nil).Body) }
			require.JSONEq(t, `{"status":"ready","degraded":["redis"]}`, degraded())
			denyInSilence(t, s, "down", func() {
				list.start(t)
				require.JSONEq(t, `{"status":"ready"}`, degraded())
			})
			denyInSilence(t, s, "answering", func() {})
			list.signal(t, syscall.SIGSTOP)
			denyInSilence(t, s, "paused", func() { list.signal(t, syscall.SIGCONT) })
			require.Zero(t, rows(t, s.Database(t), "auth_denied"), "nothing went to the tables")
		})
	}
}

// denyInSilence ends sessions while the list is in some state, and again looks when it is back.
func denyInSilence(t *testing.T, s *servertest.Server, name string, back func()) {
	t.Helper()
	here := account(t, s, name)
	away, lost := logIn(t, s, name), logIn(t, s, name)
	require.True(t, live(t, s, here), name)
	post(t, s, "/v1/auth/logout", body{"refresh_token": away.Refresh}, http.StatusNoContent, nil)
	require.False(t, live(t, s, away), name)
	change := body{"current_password": secret, "new_password": "Brand-new-fox-9"}
	require.Equal(t, http.StatusNoContent, s.Call(t, "PUT", "/v1/users/me/password", here.Access, change).Status, name)
	require.False(t, live(t, s, lost), name)
	require.True(t, live(t, s, here), name)
	back()
	require.Eventually(t, func() bool {
		return !live(t, s, away) && !live(t, s, lost)
	}, 30*time.Second, 50*time.Millisecond, "%s: the list is told later", name)
	require.True(t, live(t, s, here), name)
}

// Every way to end a session puts it on the deny-list.
func TestEverySessionThatEndsIsDenied(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *servertest.Server, clock *clock) {
		db := s.Database(t)
		ended := 0
		check := func(how string, sessions int) {
			t.Helper()
			ended += sessions
			require.Equal(t, ended, rows(t, db, "auth_sessions WHERE revoked_at IS NOT NULL"), how)
			require.Equal(t, ended, rows(t, db, "auth_sessions AS s JOIN auth_denied AS d ON d.id = 's:' || s.id WHERE s.revoked_at IS NOT NULL"), how)
		}
		boss := owner(t, s, "crew")
		alex := join(t, s, boss, "alex@example.com", "member")
		person := "/v1/company/users/" + alex.User.ID
		check("sign-in", 0)
		post(t, s, "/v1/auth/logout", body{"refresh_token": alex.Refresh}, http.StatusNoContent, nil)
		check("log-out", 1)
		alex.tokens = logIn(t, s, "alex@example.com")
		var page sessionPage
		s.Call(t, "GET", "/v1/auth/sessions", alex.Access, nil).JSON(t, &page)
		s.Call(t, "DELETE", "/v1/auth/sessions/"+page.Items[0].ID, alex.Access, nil)
		check("session ended", 1)
		alex.tokens = logIn(t, s, "alex@example.com")
		logIn(t, s, "alex@example.com")
		s.Call(t, "POST", "/v1/auth/logout-all", alex.Access, nil)
		check("log-out everywhere", 2)
		alex.tokens = logIn(t, s, "alex@example.com")
		var next tokens
		post(t, s, "/v1/auth/refresh", body{"refresh_token": alex.Refresh}, http.StatusOK, &next)
		clock.add(time.Minute)
		post(t, s, "/v1/auth/refresh", body{"refresh_token": alex.Refresh}, http.StatusUnauthorized, nil)
		check("reuse", 1)
		logIn(t, s, "alex@example.com")
		require.Equal(t, http.StatusOK, s.Call(t, "PATCH", person, boss.Access, body{"role": "admin"}).Status)
		check("role", 1)
		logIn(t, s, "alex@example.com")
		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", person, boss.Access, nil).Status)
		check("membership", 1)
		logIn(t, s, "alex@example.com")
		post(t, s, "/v1/auth/forgot-password", body{"email": "alex@example.com"}, http.StatusAccepted, nil)
		reset := s.Mail.Token(t, "alex@example.com", "reset-password")
		post(t, s, "/v1/auth/reset-password", body{"token": reset, "password": secret}, http.StatusNoContent, nil)
		check("reset", 1)
		for range 21 {
			alex.tokens = logIn(t, s, "alex@example.com")
		}
		check("twenty-first", 1)
		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", "/v1/users/me", alex.Access, body{"password": secret}).Status)
		check("account", 20)
	})
}

// While neither the list nor the rows answer, nobody is let in and nobody is signed out.
func TestNobodyCanTell(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		session := account(t, s, "patient")
		db := s.Database(t)
		rename := func(table, to string) {
			_, err := db.ExecContext(t.Context(), `ALTER TABLE `+table+` RENAME TO `+to)
			require.NoError(t, err)
		}
		me := func() servertest.Response { return s.Call(t, "GET", "/v1/auth/sessions", session.Access, nil) }
		rename("auth_denied", "auth_denied_away")
		require.Equal(t, http.StatusOK, me().Status, "the row decides")
		rename("auth_sessions", "auth_sessions_away")
		r := me()
		require.Equal(t, http.StatusServiceUnavailable, r.Status)
		require.Equal(t, "unavailable", r.Code())
		require.NotEmpty(t, r.Header.Get("Retry-After"))
		rename("auth_sessions_away", "auth_sessions")
		rename("auth_denied_away", "auth_denied")
		require.Equal(t, http.StatusOK, me().Status)
	})
}

// A thief who hangs up as soon as he has sent the old token does not keep the session alive.
func TestReuseCountsWithoutListener(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *servertest.Server, clock *clock) {
		var first, second tokens
		post(t, s, "/v1/auth/signup", signUp("hangup"), http.StatusCreated, &first)
		post(t, s, "/v1/auth/refresh", body{"refresh_token": first.Refresh}, http.StatusOK, &second)
		clock.add(time.Minute)

		// The row is locked, so that the answer cannot be ready before the thief is gone.
		db := s.Database(t)
		conn, err := db.Conn(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close()) }()
		begin := "BEGIN"
		if s.Config.Database.Dialect == sqldb.DialectSQLite {
			begin = "BEGIN IMMEDIATE"
		}
		_, err = conn.ExecContext(t.Context(), begin)
		require.NoError(t, err)
		_, err = conn.ExecContext(t.Context(), `UPDATE auth_sessions SET replays = replays`)
		require.NoError(t, err)
		thief, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
		require.NoError(t, err)
		in := `{"refresh_token":"` + first.Refresh + `"}`
		_, err = fmt.Fprintf(thief, "POST /v1/auth/refresh HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(in), in)
		require.NoError(t, err)
		settle := func() { // others are served meanwhile, which takes longer than to notice what has happened
			for range 20 {
				require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/auth/me", second.Access, nil).Status)
			}
		}
		settle()
		require.NoError(t, thief.Close())
		settle()
		_, err = conn.ExecContext(t.Context(), "COMMIT")
		require.NoError(t, err)

		require.Eventually(t, func() bool { return !live(t, s, second) }, 20*time.Second, 20*time.Millisecond)
		require.Equal(t, "invalid_refresh",
			post(t, s, "/v1/auth/refresh", body{"refresh_token": second.Refresh}, http.StatusUnauthorized, nil).Code())
		s.Mail.Await(t, "hangup@example.com", "A session was ended")
		require.Equal(t, 1, rows(t, db, `audit_events WHERE action = 'refresh_reuse'`))
	})
}
