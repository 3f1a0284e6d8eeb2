package identity_test

import (
	"database/sql"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/app"
	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
	"github.com/groundwork-go/groundwork/internal/testdb"
)

func rows(t *testing.T, db *sql.DB, table string) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n))
	return n
}

func TestSweep(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *servertest.Server, clock *clock) {
		db := s.Database(t)
		sweeps := 0
		sweep := func() {
			sweeps++
			_, err := db.ExecContext(t.Context(), `INSERT INTO river_job (kind, args, max_attempts) VALUES ('tokens.cleanup', '{}', 1)`)
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				return rows(t, db, "river_job WHERE kind = 'tokens.cleanup' AND state = 'completed'") == sweeps
			}, 20*time.Second, 20*time.Millisecond)
		}
		boss := owner(t, s, "crew") // confirmed
		post(t, s, "/v1/auth/signup", signUp("unconfirmed"), http.StatusCreated, nil)
		post(t, s, "/v1/auth/register", registration("forgotten"), http.StatusCreated, nil)
		s.Mail.Token(t, "forgotten@example.com", "verify-email")
		s.Mail.Token(t, "unconfirmed@example.com", "verify-email")
		_, token := invite(t, s, boss, "alex@example.com", "member")
		ended := logIn(t, s, "crew@example.com")
		post(t, s, "/v1/auth/logout", body{"refresh_token": ended.Refresh}, http.StatusNoContent, nil)

		before := map[string]int{"users": 4, "auth_sessions": 3, "auth_one_time": 2, "company_invites": 1, "auth_denied": 1}
		check := func(want map[string]int) {
			t.Helper()
			for table, n := range want {
				require.Equal(t, n, rows(t, db, table), table)
			}
		}
		check(before)
		sweep()
		check(before)

		clock.add(8 * 24 * time.Hour)
		sweep()
		check(map[string]int{"users": 3, "auth_sessions": 2, "auth_one_time": 0, "company_invites": 1, "auth_denied": 0})
		post(t, s, "/v1/auth/invite/accept", body{"token": token, "password": secret}, http.StatusGone, nil)
		post(t, s, "/v1/auth/register", registration("forgotten"), http.StatusCreated, nil)
		s.Mail.Token(t, "forgotten@example.com", "verify-email")

		clock.add(100 * 24 * time.Hour)
		sweep()
		check(map[string]int{"users": 3, "auth_sessions": 0, "auth_one_time": 0, "company_invites": 0})
	})
}

// each is servertest.Each with a clock of its own for each server.
func each(t *testing.T, test func(t *testing.T, s *servertest.Server, clock *clock)) {
	t.Helper()
	for _, name := range []string{"sqlite", "postgres"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &clock{now: time.Now()}
			opts := servertest.Options{App: app.Options{Now: clock.Now}}
			if name == "postgres" {
				opts.Environ = []string{"DATABASE_URL=" + testdb.Postgres(t)}
			}
			test(t, servertest.Start(t, opts), clock)
		})
	}
}
