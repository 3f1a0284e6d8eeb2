package moving_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/moving"
	"github.com/groundwork-go/groundwork/sqldb"
)

func TestSurveyTokens(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		company := e.company("bright")
		staff := "staff:" + company.ID
		at, token := e.survey(company.ID)
		for _, bad := range []string{"", "svy_", strings.ToUpper(token), token + "x", token[:len(token)-1], staff, "svy_" + strings.Repeat("A", 43)} {
			a := e.call(bad, "GET", "/v1/survey", "")
			require.Equal(t, 401, a.status, bad)
			require.Equal(t, "unauthenticated", a.code())
			require.True(t, strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer"))
		}
		require.Equal(t, 401, e.call(token, "GET", "/v1/jobs", "").status, "a survey token opens nothing else")

		reissued := e.ok(staff, "POST", "/v1/surveys/"+at.MoveID+"/token", "")
		require.Equal(t, 201, reissued.status)
		require.Equal(t, 401, e.call(token, "GET", "/v1/survey", "").status, "revoked")
		token = reissued.body["survey_token"].(string)
		e.advance(30*24*time.Hour - time.Microsecond)
		e.ok(token, "GET", "/v1/survey", "")
		e.advance(time.Microsecond)
		expired := e.call(token, "GET", "/v1/survey", "")
		require.Equal(t, 410, expired.status)
		require.Equal(t, "gone", expired.code())
		require.Equal(t, 204, e.call(staff, "DELETE", "/v1/surveys/"+at.MoveID+"/token", "").status)
		require.Equal(t, 401, e.call(token, "GET", "/v1/survey", "").status)

		fresh := e.ok(staff, "POST", "/v1/surveys/"+at.MoveID+"/token", "").body["survey_token"].(string)
		_, err := e.db.Exec(t.Context(), `UPDATE companies SET is_active = FALSE WHERE id = $1`, company.ID)
		require.NoError(t, err)
		require.Equal(t, "company_inactive", e.call(fresh, "GET", "/v1/survey", "").code())
	})
}

func TestRowsOfOthersDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		mine, theirs := e.company("mine"), e.company("theirs")
		_, token := e.survey(mine.ID)
		foreign, foreignToken := e.survey(theirs.ID)
		e.fill(foreignToken)
		room := e.room(foreignToken, "Loft")
		a := e.upload(foreignToken, "/v1/survey/rooms/"+room+"/photos", file{"a.jpg", picture(t, 1)})
		photo := a.body["photos"].([]any)[0].(map[string]any)["photo"].(map[string]any)["id"].(string)
		analysis := a.body["analysis"].(map[string]any)["id"].(string)
		require.NoError(t, e.work())
		item := e.ok(foreignToken, "POST", "/v1/survey/rooms/"+room+"/items", `{"name":"Chair"}`).body["id"].(string)

		for _, id := range []struct{ room, photo, analysis, item, job string }{
			{room, photo, analysis, item, foreign.MoveID},
			{"x", "x", "x", "x", "x"},
			{"%00", "%ff", "0", "..%2f", "%00"},
		} {
			for _, call := range [][3]string{
				{"GET", "/v1/survey/rooms/" + id.room, ""},
				{"PATCH", "/v1/survey/rooms/" + id.room, `{"name":"A"}`},
				{"DELETE", "/v1/survey/rooms/" + id.room, ""},
				{"POST", "/v1/survey/rooms/" + id.room + "/items", `{"name":"A"}`},
				{"POST", "/v1/survey/rooms/" + id.room + "/analyses", ""},
				{"GET", "/v1/survey/items/" + id.item, ""},
				{"PATCH", "/v1/survey/items/" + id.item, `{"qty":2}`},
				{"DELETE", "/v1/survey/items/" + id.item, ""},
				{"PUT", "/v1/survey/items/" + id.item + "/variant", `{"variant_id":"sofa_3_seat"}`},
				{"GET", "/v1/survey/analyses/" + id.analysis, ""},
				{"GET", "/v1/survey/analyses/" + id.analysis + "/events", ""},
				{"GET", "/v1/survey/photos/" + id.photo + "/content", ""},
				{"DELETE", "/v1/survey/photos/" + id.photo, ""},
			} {
				got := e.call(token, call[0], call[1], call[2])
				require.Equal(t, 404, got.status, "%s %s: %s", call[0], call[1], got.text)
			}
			require.Equal(t, 404, e.upload(token, "/v1/survey/rooms/"+id.room+"/photos", file{"a.jpg", picture(t, 1)}).status)
			staff := "staff:" + mine.ID
			for _, call := range [][3]string{
				{"GET", "/v1/jobs/" + id.job, ""},
				{"POST", "/v1/jobs/" + id.job + "/approve", `{"midpoint":true}`},
				{"POST", "/v1/surveys/" + id.job + "/token", ""},
				{"DELETE", "/v1/surveys/" + id.job + "/token", ""},
				{"GET", "/v1/jobs/" + id.job + "/photos/" + id.photo + "/content", ""},
			} {
				require.Equal(t, 404, e.call(staff, call[0], call[1], call[2]).status, "%s %s", call[0], call[1])
			}
		}

		// The owner sees a photo once the survey is handed in, not before.
		path := "/v1/jobs/" + foreign.MoveID + "/photos/" + photo + "/content"
		require.Equal(t, 404, e.call("staff:"+theirs.ID, "GET", path, "").status)
		e.ok(foreignToken, "POST", "/v1/survey/submit", "")
		e.ok("staff:"+theirs.ID, "GET", path, "")
		require.Equal(t, 404, e.call("staff:"+mine.ID, "GET", path, "").status)
	})
}

func TestListOfMoves(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		mine, theirs := e.company("mine"), e.company("theirs")
		staff := "staff:" + mine.ID
		e.survey(theirs.ID)
		for range 3 {
			_, token := e.survey(mine.ID)
			e.fill(token)
			e.advance(time.Second)
			if token != "" {
				e.ok(token, "POST", "/v1/survey/submit", "")
			}
		}
		_, err := e.db.Exec(t.Context(), `UPDATE companies SET credits = 1 WHERE id = $1`, mine.ID)
		require.NoError(t, err)
		_, open := e.survey(mine.ID)
		e.fill(open)

		all := e.ok(staff, "GET", "/v1/jobs", "").body
		require.InDelta(t, 4, all["total"], 0)
		first := all["items"].([]any)[0].(map[string]any)
		require.Equal(t, []any{"in_progress", "Alex", nil, nil}, []any{first["status"], first["customer_name"], first["pickup_city"], first["low_pence"]})
		second := all["items"].([]any)[1].(map[string]any)
		require.Equal(t, []any{"awaiting_approval", "London"}, []any{second["status"], second["pickup_city"]})

		page := e.ok(staff, "GET", "/v1/jobs?size=2&sort=created_at", "")
		require.Contains(t, page.header.Get("Link"), `rel="next"`)
		next := page.body["next_cursor"].(string)
		require.Len(t, e.ok(staff, "GET", "/v1/jobs?size=2&sort=created_at&cursor="+next, "").body["items"], 2)
		require.Equal(t, 422, e.call("staff:"+theirs.ID, "GET", "/v1/jobs?size=2&sort=created_at&cursor="+next, "").status)

		total := func(query string) float64 {
			return e.ok(staff, "GET", "/v1/jobs?"+query, "").body["total"].(float64)
		}
		require.InDelta(t, 1, total("status=in_progress"), 0)
		require.InDelta(t, 3, total("q=LONDON"), 0, "the address of an open survey is not searched")
		require.InDelta(t, 4, total("q=alex&status%5Bin%5D=in_progress,awaiting_approval"), 0)
		require.InDelta(t, 0, total("q=100%25"), 0)
		for _, query := range []string{"page=0", "size=101", "sort=name", "status=x", "q=a", "cursor=x", "foo=1", "page=1&page=2", "q=%00%00"} {
			a := e.call(staff, "GET", "/v1/jobs?"+query, "")
			require.Equal(t, 422, a.status, query)
			require.NotEmpty(t, a.pointers(), query)
		}
	})
}

func TestCompanies(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		create := func(slug, email string) error {
			return e.db.InTx(t.Context(), func(tx sqldb.DB) error {
				_, err := e.service.CreateCompany(t.Context(), tx, moving.NewCompany{Name: "Any name", Slug: slug, Email: email})
				return err
			})
		}
		require.NoError(t, create("bright", "a@example.com"))
		require.ErrorIs(t, create("bright", "b@example.com"), moving.ErrSlugTaken)
		require.ErrorIs(t, create("other", "a@example.com"), moving.ErrEmailTaken)
		for _, slug := range []string{"", "a", "Bright", "-a", "a-", "a--b", "a b", "admin", "api", "www", strings.Repeat("a", 101), "a\x00b"} {
			require.Error(t, create(slug, "c@example.com"), slug)
		}
		won := 0
		for _, err := range parallel(8, func(int) error { return create("race", "race@example.com") }) {
			if err == nil {
				won++
			} else {
				require.ErrorIs(t, err, moving.ErrSlugTaken)
			}
		}
		require.Equal(t, 1, won)

		company := e.company("mine")
		staff := "staff:" + company.ID
		before := e.ok(staff, "GET", "/v1/company", "")
		require.InDelta(t, 3, before.body["credits"], 0)
		tag := before.header.Get("ETag")
		after := e.ok(staff, "PATCH", "/v1/company", `{"name":"New name","phone":"020 7946 0000"}`, "If-Match", tag,
			"Content-Type", "application/merge-patch+json")
		require.Equal(t, "New name", after.body["name"])
		require.Equal(t, "mine@example.com", after.body["email"])
		require.Equal(t, "stale_version", e.call(staff, "PATCH", "/v1/company", `{"name":"X Y"}`, "If-Match", tag).code())
		require.Equal(t, after.header.Get("ETag"), e.ok(staff, "PATCH", "/v1/company", `{}`).header.Get("ETag"))
		require.Nil(t, e.ok(staff, "PATCH", "/v1/company", `{"phone":null}`, "If-Match", "*").body["phone"])
		require.Equal(t, "email_taken", e.call(staff, "PATCH", "/v1/company", `{"email":"a@example.com"}`).code())
		require.Equal(t, "malformed", e.call(staff, "PATCH", "/v1/company", `{}`, "If-Match", "3").code())
		bad := e.call(staff, "PATCH", "/v1/company", `{"name":null,"email":"no","primary_colour":"red","slug":"x1","credits":99}`)
		require.Equal(t, 422, bad.status)
		require.ElementsMatch(t, []string{"#/primary_colour", "#/slug", "#/credits"}, bad.pointers(), bad.text)
		require.ElementsMatch(t, []string{"#/name", "#/email"}, e.call(staff, "PATCH", "/v1/company", `{"name":null,"email":"no"}`).pointers())
	})
}

func TestPriceList(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		staff := "staff:" + e.company("mine").ID
		const path = "/v1/company/pricing"
		first := e.ok(staff, "GET", path, "")
		require.Len(t, first.body, 31)
		require.InDelta(t, 3500, first.body["price_per_cbm_pence"], 0)
		tag := first.header.Get("ETag")

		require.Equal(t, 428, e.call(staff, "PUT", path, `{}`).status)
		require.Equal(t, 412, e.call(staff, "PUT", path, `{}`, "If-Match", `"77"`).status)
		changed := e.ok(staff, "PUT", path, `{"callout_fee_pence":0,"price_per_cbm_pence":4000}`, "If-Match", tag)
		require.InDelta(t, 0, changed.body["callout_fee_pence"], 0, "zero is a price")
		require.InDelta(t, 1500, changed.body["fragile_item_fee_pence"], 0, "absent is the default")
		require.Equal(t, 412, e.call(staff, "PUT", path, `{}`, "If-Match", tag).status)
		e.ok(staff, "PUT", path, first.text, "If-Match", "*")

		bad := e.call(staff, "PUT", path, `{"callout_fee_pence":-1,"tape_price_pence":10000001,"price_per_km_pence":"2","foo":1,
			"base_distance_km":1.5}`, "If-Match", "*")
		require.Equal(t, 422, bad.status)
		require.ElementsMatch(t, []string{"#/callout_fee_pence", "#/tape_price_pence", "#/price_per_km_pence", "#/foo", "#/base_distance_km"}, bad.pointers())
		low := e.call(staff, "PUT", path, `{"estimate_low_bp":12000,"estimate_high_bp":12000}`, "If-Match", "*")
		require.Equal(t, []string{"#/estimate_low_bp"}, low.pointers())

		preview := e.ok(staff, "POST", path+"/preview", `{"config":{"callout_fee_pence":100},"survey":{"rooms":[{"name":"Kitchen",
			"items":[{"qty":2,"length_cm":100,"width_cm":100,"height_cm":100,"volume_m3":9}]}]}}`).body
		require.Equal(t, []any{100.0, 7000.0, 2.0}, []any{
			preview["lines"].(map[string]any)["base_pence"], preview["lines"].(map[string]any)["volume_pence"], preview["volume_m3"],
		})
		faults := e.call(staff, "POST", path+"/preview", `{"config":{"estimate_low_bp":20000},"survey":{"rooms":[]}}`)
		require.Equal(t, []string{"#/config/estimate_low_bp"}, faults.pointers())
		nested := e.call(staff, "POST", path+"/preview", `{"survey":{"rooms":[{"name":"A","items":[{"qty":0},{"qty":1,"x":1}]}]}}`)
		require.ElementsMatch(t, []string{"#/survey/rooms/0/items/0/qty", "#/survey/rooms/0/items/1/x"}, nested.pointers(), nested.text)
	})
}
