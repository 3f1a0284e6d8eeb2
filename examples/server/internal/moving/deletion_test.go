package moving_test

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/moving"
	"github.com/groundwork-go/groundwork/sqldb"
)

// count runs a statement that returns one number.
func (e *env) count(query string, args ...any) int {
	e.t.Helper()
	var n int
	require.NoError(e.t, e.db.QueryRow(e.t.Context(), query, args...).Scan(&n))
	return n
}

// files counts what is stored.
func (e *env) files() int {
	e.t.Helper()
	n := 0
	require.NoError(e.t, filepath.WalkDir(e.filesDir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && strings.HasSuffix(entry.Name(), ".jpg") {
			n++
		}
		return err
	}))
	return n
}

// A restored move has what was deleted with it, and not what was deleted before.
func TestDeleteAndRestoreMove(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		company, other := e.company("mine"), e.company("other")
		staff := "staff:" + company.ID
		at, token := e.survey(company.ID)
		path := "/v1/jobs/" + at.MoveID
		gone, kept := e.room(token, "Attic"), e.room(token, "Kitchen")
		item := `{"name":"Chair","qty":1}`
		e.ok(token, "POST", "/v1/survey/rooms/"+gone+"/items", item)
		first := e.ok(token, "POST", "/v1/survey/rooms/"+kept+"/items", item).body["id"].(string)
		e.ok(token, "POST", "/v1/survey/rooms/"+kept+"/items", item)
		require.Equal(t, 204, e.call(token, "DELETE", "/v1/survey/rooms/"+gone, "").status)
		require.Equal(t, 204, e.call(token, "DELETE", "/v1/survey/items/"+first, "").status)
		require.Equal(t, 404, e.call(token, "GET", "/v1/survey/rooms/"+gone, "").status)
		require.Equal(t, 404, e.call(token, "GET", "/v1/survey/items/"+first, "").status)

		require.Equal(t, 409, e.call(staff, "POST", path+"/restore", "").status)
		require.Equal(t, "not_deleted", e.call(staff, "POST", path+"/restore", "").code())
		require.Equal(t, 404, e.call("staff:"+other.ID, "DELETE", path, "").status)
		require.Equal(t, "stale_version", e.call(staff, "DELETE", path, "", "If-Match", `"99"`).code())
		require.Equal(t, 204, e.call(staff, "DELETE", path, "", "If-Match", `"1"`).status)
		require.Equal(t, 404, e.call(staff, "DELETE", path, "").status)
		require.Equal(t, 404, e.call(staff, "GET", path, "").status)
		require.Equal(t, 410, e.call(token, "GET", "/v1/survey", "").status)
		require.EqualValues(t, 0, e.ok(staff, "GET", "/v1/jobs", "").body["total"])
		require.Equal(t, 1, e.count(`SELECT COUNT(DISTINCT deletion_id) FROM (SELECT deletion_id FROM jobs WHERE id = $1
			UNION ALL SELECT deletion_id FROM rooms WHERE id = $2) AS d`, at.MoveID, kept))

		require.Equal(t, 404, e.call("staff:"+other.ID, "POST", path+"/restore", "").status)
		restored := e.ok(staff, "POST", path+"/restore", "")
		require.Equal(t, `"1"`, restored.header.Get("ETag"))
		require.EqualValues(t, 1, e.ok(staff, "GET", "/v1/jobs", "").body["total"])
		rooms := e.ok(token, "GET", "/v1/survey/rooms", "").body["items"].([]any)
		require.Len(t, rooms, 1)
		room := rooms[0].(map[string]any)
		require.Equal(t, "Kitchen", room["name"])
		require.Len(t, room["items"], 1)
	})
}

// Seeing what is deleted takes the right to restore it.
func TestDeletedMovesNeedPermission(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		staff := "staff:" + e.company("mine").ID
		require.Equal(t, "forbidden", e.call(staff, "GET", "/v1/jobs?deleted=true", "").code())
		require.Equal(t, 200, e.call(staff, "GET", "/v1/jobs?deleted=false", "").status)
		require.Equal(t, []string{"deleted"}, e.call(staff, "GET", "/v1/jobs?deleted=x", "").pointers())
		require.Equal(t, []string{"deleted"}, e.call(staff, "GET", "/v1/jobs?deleted=true&deleted=true", "").pointers())
	})
}

// Thirty days after its deletion a move goes for good, with its photos.
func TestPurgeMoves(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		company := e.company("mine")
		staff := "staff:" + company.ID
		at, token := e.survey(company.ID)
		live, liveToken := e.survey(company.ID)
		room := e.room(token, "Kitchen")
		require.Equal(t, 202, e.upload(token, "/v1/survey/rooms/"+room+"/photos", file{"a.jpg", picture(t, 1)}).status)
		require.Equal(t, 202, e.upload(liveToken, "/v1/survey/photos", file{"b.jpg", picture(t, 2)}).status)
		require.Equal(t, 2, e.files())
		require.Equal(t, 204, e.call(staff, "DELETE", "/v1/jobs/"+at.MoveID, "").status)

		e.advance(30 * 24 * time.Hour)
		require.NoError(t, e.service.Purge(t.Context()))
		require.Equal(t, 1, e.count(`SELECT COUNT(*) FROM jobs WHERE id = $1`, at.MoveID), "exactly thirty days are kept")
		e.advance(time.Microsecond)
		require.NoError(t, e.service.Purge(t.Context()))
		require.Equal(t, 0, e.count(`SELECT COUNT(*) FROM jobs WHERE id = $1`, at.MoveID))
		for _, table := range []string{"rooms", "photos", "analyses", "survey_tokens"} {
			require.Equal(t, 0, e.count(`SELECT COUNT(*) FROM `+table+` WHERE job_id = $1`, at.MoveID), table)
		}
		require.Equal(t, 1, e.count(`SELECT COUNT(*) FROM jobs WHERE id = $1`, live.MoveID))
		require.Equal(t, 1, e.files())
		require.Equal(t, 1, e.count(`SELECT COUNT(*) FROM audit_events WHERE action = 'purge' AND entity_id = $1`, at.MoveID))
	})
}

// A move that has come to its end is deleted two years after its last change.
func TestIdleMovesAreDeleted(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		company := e.company("mine")
		done, _ := e.survey(company.ID)
		open, _ := e.survey(company.ID)
		_, err := e.db.Exec(t.Context(), `UPDATE jobs SET status = 'survey_complete' WHERE id = $1`, done.MoveID)
		require.NoError(t, err)
		e.advance(731 * 24 * time.Hour)
		require.NoError(t, e.service.Purge(t.Context()))
		require.Equal(t, 2, e.count(`SELECT COUNT(*) FROM jobs WHERE deleted_at IS NULL`))
		e.advance(time.Microsecond)
		require.NoError(t, e.service.Purge(t.Context()))
		require.Equal(t, 1, e.count(`SELECT COUNT(*) FROM jobs WHERE deleted_at IS NOT NULL AND id = $1`, done.MoveID))
		require.Equal(t, 1, e.count(`SELECT COUNT(*) FROM jobs WHERE deleted_at IS NULL AND id = $1`, open.MoveID))
	})
}

// closeCompany closes a company as its owner does.
func (e *env) closeCompany(id string) error {
	return e.db.InTx(e.t.Context(), func(tx sqldb.DB) error {
		return e.service.CloseCompany(e.t.Context(), tx, id, moving.IfMatch{})
	})
}

// A company is deleted with its moves, comes back with them, and goes for good with everything.
func TestDeleteRestoreAndPurgeCompany(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		company := e.company("mine")
		at, token := e.survey(company.ID)
		before, _ := e.survey(company.ID)
		require.Equal(t, 202, e.upload(token, "/v1/survey/photos", file{"a.jpg", picture(t, 1)}).status)
		require.NoError(t, e.service.DeleteMove(t.Context(), before, moving.IfMatch{}))

		_, err := e.db.Exec(t.Context(), `UPDATE jobs SET status = 'accepted' WHERE id = $1`, at.MoveID)
		require.NoError(t, err)
		require.ErrorIs(t, e.closeCompany(company.ID), moving.ErrOpenMoves)
		_, err = e.db.Exec(t.Context(), `UPDATE jobs SET status = 'in_progress' WHERE id = $1`, at.MoveID)
		require.NoError(t, err)
		require.Equal(t, fault.NotDeleted, fault.CodeOf(e.service.PurgeCompany(t.Context(), company.ID)))
		_, err = e.service.RestoreCompany(t.Context(), company.ID)
		require.ErrorIs(t, err, moving.ErrNotDeleted)

		require.NoError(t, e.closeCompany(company.ID))
		require.ErrorIs(t, e.closeCompany(company.ID), moving.ErrNotFound)
		require.Equal(t, 410, e.call(token, "GET", "/v1/survey", "").status)
		_, err = e.service.Company(t.Context(), company.ID)
		require.ErrorIs(t, err, moving.ErrNotFound)
		require.ErrorIs(t, e.service.RestoreMove(t.Context(), before), moving.ErrParentDeleted)

		restored, err := e.service.RestoreCompany(t.Context(), company.ID)
		require.NoError(t, err)
		require.Equal(t, company.ID, restored.ID)
		require.Equal(t, 1, e.count(`SELECT COUNT(*) FROM jobs WHERE deleted_at IS NULL AND id = $1`, at.MoveID))
		require.Equal(t, 1, e.count(`SELECT COUNT(*) FROM jobs WHERE deleted_at IS NOT NULL AND id = $1`, before.MoveID))
		require.Equal(t, 401, e.call(token, "GET", "/v1/survey", "").status, "tokens stay revoked")

		// Another company has taken the short name, then the address, meanwhile.
		require.NoError(t, e.closeCompany(company.ID))
		thief := e.company("mine")
		_, err = e.service.RestoreCompany(t.Context(), company.ID)
		require.Contains(t, []string{fault.SlugTaken, fault.EmailTaken}, fault.CodeOf(err))
		_, err = e.db.Exec(t.Context(), `UPDATE companies SET slug = 'other' WHERE id = $1`, thief.ID)
		require.NoError(t, err)
		_, err = e.service.RestoreCompany(t.Context(), company.ID)
		require.Equal(t, fault.EmailTaken, fault.CodeOf(err))

		require.NoError(t, e.service.PurgeCompany(context.WithoutCancel(t.Context()), company.ID))
		require.Equal(t, 0, e.count(`SELECT COUNT(*) FROM companies WHERE id = $1`, company.ID))
		for _, table := range []string{"jobs", "rooms", "photos", "survey_tokens", "company_pricing"} {
			require.Equal(t, 0, e.count(`SELECT COUNT(*) FROM `+table+` WHERE company_id = $1`, company.ID), table)
		}
		require.Equal(t, 0, e.files())
		require.ErrorIs(t, e.service.PurgeCompany(t.Context(), company.ID), moving.ErrNotFound)
	})
}

// The tables are as package softdelete needs them.
func TestTablesSuitDeletion(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		require.NoError(t, e.service.CheckDeletion(t.Context()))
	})
}
