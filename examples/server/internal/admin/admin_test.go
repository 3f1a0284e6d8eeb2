package admin_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

type entry struct {
	ID         string
	At         time.Time
	UserID     *string `json:"user_id"`
	Actor      struct{ Type, Name string }
	CompanyID  *string `json:"company_id"`
	Action     string
	EntityType string `json:"entity_type"`
	EntityID   string `json:"entity_id"`
	Outcome    string
	Reason     string
	IP         *string
	UserAgent  *string `json:"user_agent"`
	RequestID  string  `json:"request_id"`
	SessionID  *string `json:"session_id"`
	Changes    []struct {
		Path, Op      string
		Before, After any
	}
}

type page struct {
	Items []entry
	Size  int
	Total int
	Next  string `json:"next_cursor"`
}

func entries(t *testing.T, s *servertest.Server, token, path string) page {
	t.Helper()
	r := s.Call(t, "GET", path, token, nil)
	require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
	var p page
	r.JSON(t, &p)
	return p
}

// Both lists show who did what, from where, and what it was before and after; secrets and names are not
// in them.
func TestAuditLists(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "robin", "admin")
		owner := s.SignUp(t, "bright")
		other := s.SignUp(t, "other")
		r := s.Call(t, "PATCH", "/v1/company", owner.Token, map[string]any{"name": "Brighter Removals"},
			"X-Request-Id", "request-7", "User-Agent", "Test/7")
		require.Equal(t, http.StatusOK, r.Status)
		require.Equal(t, http.StatusOK, s.Call(t, "PATCH", "/v1/company", owner.Token, "{}").Status, "no entry")
		require.Equal(t, http.StatusUnauthorized,
			s.Call(t, "POST", "/v1/auth/login", "", map[string]any{"login": "robin", "password": "Wrong-password-7"}).Status)

		for _, path := range []string{"/v1/admin/audit-logs?company_id=" + owner.Company + "&action=update", "/v1/company/audit?action=update"} {
			token := admin.Token
			if strings.HasPrefix(path, "/v1/company") {
				token = owner.Token
			}
			p := entries(t, s, token, path)
			require.Len(t, p.Items, 1, path)
			require.Equal(t, 50, p.Size)
			e := p.Items[0]
			require.Equal(t, owner.ID, *e.UserID)
			require.Equal(t, "user", e.Actor.Type)
			require.True(t, strings.HasPrefix(e.Actor.Name, "u-"), "the username")
			require.Equal(t, owner.Company, *e.CompanyID)
			require.Equal(t, []string{"company", owner.Company, "success"}, []string{e.EntityType, e.EntityID, e.Outcome})
			require.Equal(t, "request-7", e.RequestID)
			require.Equal(t, "Test/7", *e.UserAgent)
			require.Equal(t, "127.0.0.1", *e.IP)
			require.NotEmpty(t, *e.SessionID)
			require.Len(t, e.Changes, 1)
			require.Equal(t, "/name", e.Changes[0].Path)
			require.Equal(t, "replace", e.Changes[0].Op)
			require.Equal(t, "Company bright", e.Changes[0].Before)
			require.Equal(t, "Brighter Removals", e.Changes[0].After)
		}

		// Every filter narrows.
		at := url.QueryEscape(time.Now().Add(time.Minute).Format(time.RFC3339))
		today := time.Now().UTC().Format(time.DateOnly)
		for query, want := range map[string]int{
			"request_id=request-7": 1, "request_id=other": 0, "user_id=" + owner.ID + "&action=signup": 1, "ip=192.0.2.1": 0,
			"ip=127.0.0.1&action=update": 1, "entity_type=company&entity_id=" + owner.Company: 1, "outcome=failure": 1,
			"action=login_failed": 1, "from=" + at: 0, "to=" + at + "&request_id=request-7": 1, "action=update&size=1": 1,
			"request_id=request-7&to=2026-01-01": 0, "request_id=request-7&from=2026-01-01&to=2999-12-31": 1,
			"request_id=request-7&from=" + today + "&to=" + today: 1,
		} {
			require.Len(t, entries(t, s, admin.Token, "/v1/admin/audit-logs?"+query).Items, want, query)
		}
		failed := entries(t, s, admin.Token, "/v1/admin/audit-logs?action=login_failed").Items[0]
		require.Nil(t, failed.UserID)
		require.Equal(t, []string{"user", admin.ID, "invalid_credentials"}, []string{failed.EntityType, failed.EntityID, failed.Reason})

		// One company sees nothing of another, and nothing personal is in the trail.
		for _, e := range entries(t, s, other.Token, "/v1/company/audit").Items {
			require.Equal(t, other.Company, *e.CompanyID)
		}
		whole := s.Call(t, "GET", "/v1/admin/audit-logs?size=100", admin.Token, nil)
		for _, secret := range []string{servertest.Password, "Robin Owner", "bright@example.com\",\"op", "argon2", "Wrong-password-7"} {
			require.NotContains(t, string(whole.Body), secret)
		}

		// Cursors lead through it, for the same list only.
		first := entries(t, s, admin.Token, "/v1/admin/audit-logs?size=2")
		second := entries(t, s, admin.Token, "/v1/admin/audit-logs?size=2&cursor="+first.Next)
		require.NotEqual(t, first.Items[0].ID, second.Items[0].ID)
		require.Equal(t, http.StatusUnprocessableEntity,
			s.Call(t, "GET", "/v1/company/audit?size=2&cursor="+first.Next, owner.Token, nil).Status)
	})
}

func TestAuditIsNotForEverybody(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		owner := s.SignUp(t, "bright")
		member := s.Join(t, owner, "alex", "member")
		moderator := s.SignIn(t, "casey", "moderator")
		for _, path := range []string{"/v1/admin/audit-logs", "/v1/admin/audit-logs/export", "/v1/admin/deleted/users", "/v1/admin/deleted/companies"} {
			require.Equal(t, "unauthenticated", s.Call(t, "GET", path, "", nil).Code(), path)
			require.Equal(t, "forbidden", s.Call(t, "GET", path, owner.Token, nil).Code(), path)
			require.Equal(t, "forbidden", s.Call(t, "GET", path, moderator.Token, nil).Code(), path)
		}
		require.Equal(t, "forbidden", s.Call(t, "POST", "/v1/admin/audit-logs/verify", owner.Token, nil).Code())
		require.Equal(t, "forbidden", s.Call(t, "GET", "/v1/company/audit", member.Token, nil).Code())
		require.Equal(t, "no_company", s.Call(t, "GET", "/v1/company/audit", moderator.Token, nil).Code())
		admin := s.SignIn(t, "robin", "admin")
		for query, parameter := range map[string]string{
			"action=nonsense": "action", "user_id=7": "user_id", "from=yesterday": "from", "colour=red": "colour",
			"outcome=x": "outcome", "size=101": "size", "sort=ip": "sort",
		} {
			r := s.Call(t, "GET", "/v1/admin/audit-logs?"+query, admin.Token, nil)
			require.Equal(t, "validation_failed", r.Code(), query)
			require.Contains(t, string(r.Body), `"parameter":"`+parameter+`"`)
		}
		require.Contains(t, string(s.Call(t, "GET", "/v1/company/audit?company_id="+owner.Company, owner.Token, nil).Body), "unknown_parameter")
	})
}

func TestExportAndVerify(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "robin", "admin")
		owner := s.SignUp(t, "bright")
		r := s.Call(t, "GET", "/v1/admin/audit-logs/export?action=signup&company_id="+owner.Company, admin.Token, nil)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		require.Equal(t, "application/jsonl", r.Header.Get("Content-Type"))
		lines := 0
		for lines1 := bufio.NewScanner(bytes.NewReader(r.Body)); lines1.Scan(); lines++ {
			require.Contains(t, lines1.Text(), `"action":"signup"`)
		}
		require.Equal(t, 1, lines)
		r = s.Call(t, "GET", "/v1/admin/audit-logs/export?format=csv", admin.Token, nil)
		require.Equal(t, "text/csv", r.Header.Get("Content-Type"))
		rows, err := csv.NewReader(bytes.NewReader(r.Body)).ReadAll()
		require.NoError(t, err)
		require.Greater(t, len(rows), 4)
		require.Equal(t, "at", rows[0][0])
		require.Contains(t, string(s.Call(t, "GET", "/v1/admin/audit-logs/export?format=xml", admin.Token, nil).Body), "not_allowed")
		require.Contains(t, string(s.Call(t, "GET", "/v1/admin/audit-logs/export?user_id=7", admin.Token, nil).Body), "bad_format")

		r = s.Call(t, "POST", "/v1/admin/audit-logs/verify", admin.Token, nil)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		var report struct {
			Intact   bool
			Events   int64
			Unsealed int64
			Fault    *struct{ Kind string }
		}
		r.JSON(t, &report)
		require.True(t, report.Intact)
		require.Nil(t, report.Fault)
		require.Positive(t, report.Events+report.Unsealed)

		// The trail is insert-only, in the database as well.
		db := s.Database(t)
		_, err = db.ExecContext(t.Context(), `UPDATE audit_events SET action = 'nothing'`)
		require.ErrorContains(t, err, "insert-only")
	})
}

type deletedRow struct {
	ID        string
	Email     string
	DeletedAt time.Time `json:"deleted_at"`
	DeletedBy string    `json:"deleted_by"`
	PurgeAt   time.Time `json:"purge_at"`
}

func deleted(t *testing.T, s *servertest.Server, token, kind, query string) []deletedRow {
	t.Helper()
	r := s.Call(t, "GET", "/v1/admin/deleted/"+kind+query, token, nil)
	require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
	var p struct{ Items []deletedRow }
	r.JSON(t, &p)
	return p.Items
}

const nobody = "01890000-0000-7000-8000-000000000001"

// refuse calls and wants a code.
func refuse(t *testing.T, s *servertest.Server, token, method, path, code string) {
	t.Helper()
	r := s.Call(t, method, path, token, nil)
	require.Equal(t, code, r.Code(), "%s %s: %s", method, path, r.Body)
}

func TestDeletedUsers(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "robin", "admin")
		owner := s.SignUp(t, "bright")
		member := s.Join(t, owner, "alex", "member")
		path := "/v1/admin/users/" + member.ID
		refuse(t, s, admin.Token, "POST", path+"/restore", "not_deleted")
		refuse(t, s, admin.Token, "DELETE", path+"?confirm="+member.ID, "not_deleted")
		require.Empty(t, deleted(t, s, admin.Token, "users", ""))

		in := map[string]any{"password": servertest.Password}
		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", "/v1/users/me", member.Token, in).Status)
		rows := deleted(t, s, admin.Token, "users", "?q=ALEX")
		require.Len(t, rows, 1)
		require.Equal(t, []string{member.ID, member.ID, "alex@example.com"}, []string{rows[0].ID, rows[0].DeletedBy, rows[0].Email})
		require.Equal(t, 30*24*time.Hour, rows[0].PurgeAt.Sub(rows[0].DeletedAt))
		require.Empty(t, deleted(t, s, admin.Token, "users", "?q=nobody"))

		// His address belongs to somebody else meanwhile.
		thief := s.SignIn(t, "alex", "user")
		refuse(t, s, admin.Token, "POST", path+"/restore", "email_taken")
		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", "/v1/users/me", thief.Token, in).Status)
		r := s.Call(t, "POST", path+"/restore", admin.Token, nil)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		require.NotEmpty(t, r.Header.Get("ETag"))
		back := s.LogIn(t, "alex@example.com")
		require.Equal(t, owner.Company, back.Company, "the membership came back too")
		require.Len(t, entries(t, s, admin.Token, "/v1/admin/audit-logs?action=restore&entity_id="+member.ID).Items, 1)

		// The company he comes back to must not be closed.
		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", "/v1/users/me", back.Token, in).Status)
		require.Equal(t, http.StatusAccepted, s.Call(t, "DELETE", "/v1/company", owner.Token, in).Status)
		refuse(t, s, admin.Token, "POST", path+"/restore", "parent_deleted")

		r = s.Call(t, "DELETE", path, admin.Token, nil)
		require.Equal(t, http.StatusUnprocessableEntity, r.Status)
		require.Contains(t, string(r.Body), `"parameter":"confirm"`)
		refuse(t, s, admin.Token, "DELETE", path+"?confirm="+owner.ID, "validation_failed")
		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", path+"?confirm="+member.ID, admin.Token, nil).Status)
		refuse(t, s, admin.Token, "DELETE", path+"?confirm="+member.ID, "not_found")
		refuse(t, s, admin.Token, "POST", path+"/restore", "not_found")
		refuse(t, s, admin.Token, "POST", "/v1/admin/users/"+nobody+"/restore", "not_found")
		refuse(t, s, admin.Token, "POST", "/v1/admin/users/7/restore", "not_found")
		var left int
		require.NoError(t, s.Database(t).QueryRowContext(t.Context(),
			`SELECT COUNT(*) FROM auth_sessions WHERE subject = $1`, member.ID).Scan(&left))
		require.Zero(t, left, "sessions go as well")
		// The trail keeps the id and has lost the name.
		for _, e := range entries(t, s, admin.Token, "/v1/admin/audit-logs?user_id="+member.ID).Items {
			require.Equal(t, member.ID, *e.UserID)
			require.Empty(t, e.Actor.Name)
		}
	})
}

func TestDeletedCompanies(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "robin", "admin")
		owner := s.SignUp(t, "bright")
		member := s.Join(t, owner, "alex", "member")
		path := "/v1/admin/companies/" + owner.Company
		refuse(t, s, admin.Token, "POST", path+"/restore", "not_deleted")
		refuse(t, s, admin.Token, "DELETE", path+"?confirm="+owner.Company, "not_deleted")

		survey := s.Call(t, "POST", "/v1/surveys", owner.Token, map[string]any{"mode": "quote"})
		require.Equal(t, http.StatusCreated, survey.Status)
		var created struct {
			ID    string
			Token string `json:"survey_token"`
		}
		survey.JSON(t, &created)
		created.ID = strings.TrimPrefix(survey.Header.Get("Location"), "/v1/jobs/")
		in := map[string]any{"password": servertest.Password}
		require.Equal(t, "forbidden", s.Call(t, "DELETE", "/v1/company", member.Token, in).Code())
		require.Equal(t, "wrong_password", s.Call(t, "DELETE", "/v1/company", owner.Token, map[string]any{"password": "Wrong-password-7"}).Code())
		require.Equal(t, "stale_version", s.Call(t, "DELETE", "/v1/company", owner.Token, in, "If-Match", `"99"`).Code())
		db := s.Database(t)
		_, err := db.ExecContext(t.Context(), `UPDATE jobs SET status = 'accepted' WHERE id = $1`, created.ID)
		require.NoError(t, err)
		require.Equal(t, "open_jobs", s.Call(t, "DELETE", "/v1/company", owner.Token, in).Code())
		_, err = db.ExecContext(t.Context(), `UPDATE jobs SET status = 'in_progress' WHERE id = $1`, created.ID)
		require.NoError(t, err)
		r := s.Call(t, "DELETE", "/v1/company", owner.Token, in)
		require.Equal(t, http.StatusAccepted, r.Status, "%s", r.Body)

		require.Equal(t, http.StatusUnauthorized, s.Call(t, "GET", "/v1/company", owner.Token, nil).Status, "sessions have ended")
		require.Equal(t, http.StatusUnauthorized, s.Call(t, "GET", "/v1/users/me", member.Token, nil).Status)
		require.Equal(t, "gone", s.Call(t, "GET", "/v1/survey", created.Token, nil).Code())
		require.Empty(t, s.LogIn(t, owner.Email).Company)
		rows := deleted(t, s, admin.Token, "companies", "?q=bright")
		require.Len(t, rows, 1)
		require.Equal(t, []string{owner.Company, owner.ID}, []string{rows[0].ID, rows[0].DeletedBy})
		require.Equal(t, 90*24*time.Hour, rows[0].PurgeAt.Sub(rows[0].DeletedAt))

		// The short name, the address and the owner are elsewhere meanwhile, one after the other.
		again := s.LogIn(t, owner.Email)
		found := s.Call(t, "POST", "/v1/company", again.Token, map[string]any{
			"name": "Second", "slug": "bright", "email": "second@example.com", "accept_terms": true,
		})
		require.Equal(t, http.StatusCreated, found.Status, "%s", found.Body)
		refuse(t, s, admin.Token, "POST", path+"/restore", "slug_taken")
		_, err = db.ExecContext(t.Context(), `UPDATE companies SET slug = 'second', email = 'bright@example.com' WHERE slug = 'bright' AND deleted_at IS NULL`)
		require.NoError(t, err)
		refuse(t, s, admin.Token, "POST", path+"/restore", "email_taken")
		_, err = db.ExecContext(t.Context(), `UPDATE companies SET email = 'second@example.com' WHERE slug = 'second'`)
		require.NoError(t, err)
		refuse(t, s, admin.Token, "POST", path+"/restore", "already_member")
		again = s.LogIn(t, owner.Email)
		require.Equal(t, http.StatusAccepted, s.Call(t, "DELETE", "/v1/company", again.Token, in).Status)

		r = s.Call(t, "POST", path+"/restore", admin.Token, nil)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		require.Equal(t, owner.Company, s.LogIn(t, owner.Email).Company)
		back := s.LogIn(t, member.Email)
		require.Equal(t, owner.Company, back.Company)
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/jobs/"+created.ID, back.Token, nil).Status)
		require.Len(t, entries(t, s, s.LogIn(t, owner.Email).Token, "/v1/company/audit?action=company_close").Items, 1)
		restored := entries(t, s, s.LogIn(t, owner.Email).Token, "/v1/company/audit?action=restore").Items
		require.Len(t, restored, 1)
		require.Equal(t, "platform", restored[0].Actor.Name, "staff of the platform have no name here")
		require.Nil(t, restored[0].UserID)
		require.Nil(t, restored[0].IP)

		owner = s.LogIn(t, owner.Email)
		require.Equal(t, http.StatusAccepted, s.Call(t, "DELETE", "/v1/company", owner.Token, in).Status)
		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", path+"?confirm="+rows[0].ID, admin.Token, nil).Status)
		refuse(t, s, admin.Token, "POST", path+"/restore", "not_found")
		var left int
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM jobs WHERE id = $1`, created.ID).Scan(&left))
		require.Zero(t, left)
	})
}

// Deleted moves are seen and restored by owners alone.
func TestDeletedMoves(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		owner := s.SignUp(t, "bright")
		manager := s.Join(t, owner, "alex", "admin")
		var move struct{ ID string }
		created := s.Call(t, "POST", "/v1/surveys", owner.Token, map[string]any{"mode": "quote"})
		move.ID = strings.TrimPrefix(created.Header.Get("Location"), "/v1/jobs/")
		require.Equal(t, "forbidden", s.Call(t, "DELETE", "/v1/jobs/"+move.ID, manager.Token, nil).Code())
		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", "/v1/jobs/"+move.ID, owner.Token, nil).Status)
		require.Equal(t, "forbidden", s.Call(t, "GET", "/v1/jobs?deleted=true", manager.Token, nil).Code())
		var list struct {
			Items []struct {
				ID        string
				DeletedAt *time.Time `json:"deleted_at"`
				PurgeAt   *time.Time `json:"purge_at"`
			}
		}
		s.Call(t, "GET", "/v1/jobs?deleted=true", owner.Token, nil).JSON(t, &list)
		require.Len(t, list.Items, 1)
		require.Equal(t, 30*24*time.Hour, list.Items[0].PurgeAt.Sub(*list.Items[0].DeletedAt))
		s.Call(t, "GET", "/v1/jobs", owner.Token, nil).JSON(t, &list)
		require.Empty(t, list.Items)
		require.Equal(t, "forbidden", s.Call(t, "POST", "/v1/jobs/"+move.ID+"/restore", manager.Token, nil).Code())
		require.Equal(t, http.StatusOK, s.Call(t, "POST", "/v1/jobs/"+move.ID+"/restore", owner.Token, nil).Status)
		require.Equal(t, "not_deleted", s.Call(t, "POST", "/v1/jobs/"+move.ID+"/restore", owner.Token, nil).Code())
	})
}

// An account that was deleted while its company was closed is no member of the restored company and can
// be purged all the same.
func TestRestoredCompanyWithoutDeletedMember(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin, owner := s.SignIn(t, "robin", "admin"), s.SignUp(t, "bright")
		member := s.Join(t, owner, "alex", "member")
		in := map[string]any{"password": servertest.Password}
		require.Equal(t, http.StatusAccepted, s.Call(t, "DELETE", "/v1/company", owner.Token, in).Status)
		member = s.LogIn(t, member.Email)
		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", "/v1/users/me", member.Token, in).Status)
		require.Equal(t, http.StatusOK, s.Call(t, "POST", "/v1/admin/companies/"+owner.Company+"/restore", admin.Token, nil).Status)
		owner = s.LogIn(t, owner.Email)
		people := s.Call(t, "GET", "/v1/company/users", owner.Token, nil)
		require.Equal(t, http.StatusOK, people.Status)
		require.NotContains(t, string(people.Body), member.ID)
		r := s.Call(t, "DELETE", "/v1/admin/users/"+member.ID+"?confirm="+member.ID, admin.Token, nil)
		require.Equal(t, http.StatusNoContent, r.Status, "%s", r.Body)

		// A membership that has ended leaves room for another.
		again := s.Join(t, owner, "casey", "member")
		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", "/v1/company/users/"+again.ID, owner.Token, nil).Status)
		require.Equal(t, http.StatusNotFound, s.Call(t, "DELETE", "/v1/company/users/"+again.ID, owner.Token, nil).Status)
		invited := s.Call(t, "POST", "/v1/company/users", owner.Token,
			map[string]any{"email": again.Email, "full_name": "Casey", "role": "admin"})
		require.Equal(t, http.StatusCreated, invited.Status, "%s", invited.Body)
	})
}
