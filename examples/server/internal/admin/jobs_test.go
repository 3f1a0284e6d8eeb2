package admin_test

import (
	"database/sql"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// work has the server run a periodic job now and waits until it has succeeded.
func work(t *testing.T, db *sql.DB, kind string) {
	t.Helper()
	var id int64
	require.NoError(t, db.QueryRowContext(t.Context(),
		`INSERT INTO river_job (kind, args, max_attempts) VALUES ($1, '{}', 1) RETURNING id`, kind).Scan(&id))
	var state string
	require.Eventually(t, func() bool {
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT state FROM river_job WHERE id = $1`, id).Scan(&state))
		return state == "completed" || state == "discarded"
	}, time.Minute, 20*time.Millisecond)
	require.Equal(t, "completed", state)
}

// The seal makes changes of the trail show.
func TestSeal(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin, db := s.SignIn(t, "robin", "admin"), s.Database(t)
		verify := func() (report struct {
			Intact   bool
			Events   int64
			Unsealed int64
			Fault    *struct{ Kind string }
		},
		) {
			r := s.Call(t, "POST", "/v1/admin/audit-logs/verify", admin.Token, nil)
			require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
			r.JSON(t, &report)
			return report
		}
		work(t, db, "audit.seal")
		report := verify()
		require.True(t, report.Intact)
		require.Positive(t, report.Events)
		require.Zero(t, report.Unsealed)
		_, err := db.ExecContext(t.Context(), `DELETE FROM audit_events WHERE action = 'register'`)
		require.NoError(t, err)
		report = verify()
		require.False(t, report.Intact)
		require.Equal(t, "missing", report.Fault.Kind)
	})
}

// The daily purge removes accounts and companies whose time is over, and no others.
func TestPurgeJob(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin, db := s.SignIn(t, "robin", "admin"), s.Database(t)
		old, fresh := s.SignIn(t, "alex", "user"), s.SignIn(t, "kim", "user")
		owner, other := s.SignUp(t, "bright"), s.SignUp(t, "other")
		in := map[string]any{"password": servertest.Password}
		for _, account := range []servertest.Account{old, fresh} {
			require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", "/v1/users/me", account.Token, in).Status)
		}
		for _, account := range []servertest.Account{owner, other} {
			require.Equal(t, http.StatusAccepted, s.Call(t, "DELETE", "/v1/company", account.Token, in).Status)
		}
		age := func(table, id string, days int) {
			t.Helper()
			at := time.Now().UTC().AddDate(0, 0, -days).Format("2006-01-02T15:04:05.000000Z")
			_, err := db.ExecContext(t.Context(), `UPDATE `+table+` SET deleted_at = $1 WHERE `+id+` AND deleted_at IS NOT NULL`, at)
			require.NoError(t, err)
		}
		age("users", "id = '"+old.ID+"'", 31)
		age("users", "id = '"+fresh.ID+"'", 29)
		for _, table := range []string{"companies", "company_members"} {
			key := "company_id"
			if table == "companies" {
				key = "id"
			}
			age(table, key+" = '"+owner.Company+"'", 91)
			age(table, key+" = '"+other.Company+"'", 89)
		}
		work(t, db, "softdelete.purge")
		users := deleted(t, s, admin.Token, "users", "")
		require.Len(t, users, 1)
		require.Equal(t, fresh.ID, users[0].ID)
		companies := deleted(t, s, admin.Token, "companies", "")
		require.Len(t, companies, 1)
		require.Equal(t, other.Company, companies[0].ID)
		purged := entries(t, s, admin.Token, "/v1/admin/audit-logs?action=purge").Items
		require.Len(t, purged, 2)
		for _, e := range purged {
			require.Equal(t, "system", e.Actor.Type)
			require.Equal(t, "softdelete.purge", e.Actor.Name)
		}
	})
}
