package moving_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/moving"
)

func TestFromSurveyToAcceptance(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		staff := "staff:" + e.company("bright").ID
		opened := e.ok(staff, "POST", "/v1/surveys", `{"mode":"quote","customer_name":" Alex \n Customer ","customer_email":"alex@example.com"}`)
		require.Equal(t, 201, opened.status)
		token := opened.body["survey_token"].(string)
		require.True(t, strings.HasPrefix(token, "svy_"))
		require.Equal(t, "https://app.example/survey#token="+token, opened.body["url"])
		require.Equal(t, "no-store", opened.header.Get("Cache-Control"))
		job := opened.body["job"].(map[string]any)
		require.Equal(t, "Alex Customer", job["customer_name"])
		path := "/v1/jobs/" + job["id"].(string)

		incomplete := e.call(token, "POST", "/v1/survey/submit", "")
		require.Equal(t, 422, incomplete.status)
		require.Equal(t, "survey_incomplete", incomplete.code())
		require.Equal(t, []any{"contact.phone", "pickup", "dropoff", "rooms"}, incomplete.body["missing"])

		e.exampleB(token)
		quote := e.ok(token, "GET", "/v1/survey/quote", "").body
		require.InDelta(t, 148310, quote["total_pence"], 0)
		require.Equal(t, []any{133400.0, 177900.0, 155600.0}, []any{quote["low_pence"], quote["high_pence"], quote["midpoint_pence"]})
		require.Equal(t, map[string]any{
			"base_pence": 25000.0, "volume_pence": 43365.0, "bulky_pence": 7500.0, "fragile_pence": 6000.0,
			"weight_pence": 2750.0, "distance_pence": 15233.0, "access_pence": 33000.0, "packing_pence": 4662.0,
			"service_pence": 10800.0,
		}, quote["lines"])
		require.Equal(t, "high", quote["confidence"])
		require.Equal(t, false, quote["frozen"])
		packing := e.ok(token, "GET", "/v1/survey/packing", "").body
		require.InDelta(t, 9, packing["boxes"], 0)
		require.InDelta(t, 10800, packing["service_pence"], 0)

		require.Nil(t, e.ok(staff, "GET", path, "").body["pickup"], "an open survey is the customer's")
		require.Equal(t, 409, e.call(staff, "POST", path+"/approve", `{"midpoint":true}`).status)

		submitted := e.ok(token, "POST", "/v1/survey/submit", `{"contact":{"phone":"020 7946 0000"}}`)
		require.Equal(t, "awaiting_approval", submitted.body["status"])
		require.Equal(t, submitted.body["version"], e.ok(token, "POST", "/v1/survey/submit", "").body["version"])
		require.InDelta(t, 2, e.ok(staff, "GET", "/v1/company", "").body["credits"], 0)
		require.Equal(t, "invalid_state", e.call(token, "PATCH", "/v1/survey", `{"pickup":null}`).code())
		require.Equal(t, "invalid_state", e.call(token, "POST", "/v1/survey/rooms", `{"name":"Loft"}`).code())
		e.ok(token, "PATCH", "/v1/survey", `{"contact":{"name":"Alex B"}}`)

		// The quote is the one that was handed in, whatever happens to the price list.
		tag := e.ok(staff, "GET", "/v1/company/pricing", "").header.Get("ETag")
		e.ok(staff, "PUT", "/v1/company/pricing", `{"callout_fee_pence":1}`, "If-Match", tag)
		detail := e.ok(staff, "GET", path, "").body
		require.InDelta(t, 148310, detail["quote"].(map[string]any)["total_pence"], 0)
		require.Len(t, detail["rooms"], 3)

		require.Equal(t, "invalid_state", e.call(token, "POST", "/v1/survey/accept", `{"confirm":true,"price_pence":155600}`).code())
		approved := e.ok(staff, "POST", path+"/approve", `{"midpoint":true}`).body
		require.Equal(t, "approved", approved["status"])
		require.InDelta(t, 155600, approved["final_price_pence"], 0)
		require.Equal(t, "invalid_state", e.call(staff, "POST", path+"/approve", `{"midpoint":true}`).code())

		require.Equal(t, 422, e.call(token, "POST", "/v1/survey/accept", `{"confirm":false,"price_pence":155600}`).status)
		require.Equal(t, "price_changed", e.call(token, "POST", "/v1/survey/accept", `{"confirm":true,"price_pence":155601}`).code())
		e.advance(29 * 24 * time.Hour)
		accepted := e.ok(token, "POST", "/v1/survey/accept", `{"confirm":true,"price_pence":155600}`).body
		require.Equal(t, "accepted", accepted["status"])
		e.ok(token, "POST", "/v1/survey/accept", `{"confirm":true,"price_pence":155600}`)
		require.Equal(t, "invalid_state", e.call(token, "POST", "/v1/survey/accept", `{"confirm":true,"price_pence":1}`).code())
		require.Equal(t, "invalid_state", e.call(token, "PATCH", "/v1/survey", `{"contact":{"name":"C"}}`).code())
	})
}

// exampleB fills in worked example B of the fact sheet.
func (e *env) exampleB(token string) {
	e.t.Helper()
	e.ok(token, "PATCH", "/v1/survey", `{"contact":{"phone":"+44 7700 900123"},"move_date":"2026-06-01",
		"pickup_property_type":"3_bed_flat",
		"pickup":{"label":"1 A St","city":"London","lat":51.5074,"lng":-0.1278},
		"dropoff":{"label":"2 B St","city":"Brighton","lat":50.8225,"lng":-0.1372}}`)
	e.ok(token, "PUT", "/v1/survey/access/pickup", `{"floors":3,"has_lift":false,"parking_type":"permit_zone",
		"parking_distance_m":120,"restrictions":["narrow_stairs","narrow_doorways","booking_required"],"outdoor_access":"direct"}`)
	e.ok(token, "PUT", "/v1/survey/access/dropoff", `{"parking_type":"street","parking_distance_m":50,
		"restrictions":["time_restrictions"],"outdoor_access":"steps","outdoor_steps":7}`)
	for _, room := range []struct {
		name  string
		pack  bool
		items []string
	}{
		{"Kitchen", true, []string{
			`"qty":30,"volume_m3":0.08,"weight_kg":8,"packing_requirement":"medium_box"`,
			`"volume_m3":0.70,"weight_kg":65`, `"volume_m3":0.31,"weight_kg":70`,
			`"qty":3,"volume_m3":0.06,"weight_kg":6,"fragile":true,"packing_requirement":"small_box"`,
		}},
		{"Living room", false, []string{
			`"qty":45,"volume_m3":0.02,"weight_kg":10,"packing_requirement":"small_box"`,
			`"volume_m3":4.25,"weight_kg":55`, `"volume_m3":0.08,"weight_kg":15,"fragile":true`,
			`"qty":12,"volume_m3":0.03,"weight_kg":1,"packing_requirement":"large_box"`,
		}},
		{"Bed 1", true, []string{
			`"volume_m3":1.50,"weight_kg":40`, `"volume_m3":0.75,"weight_kg":30,"packing_requirement":"mattress_cover"`,
			`"qty":2,"volume_m3":0.28,"weight_kg":12,"packing_requirement":"wardrobe_box"`,
			`"qty":4,"volume_m3":0.10,"weight_kg":9,"packing_requirement":"medium_box"`,
		}},
	} {
		id := e.room(token, room.name)
		e.ok(token, "PATCH", "/v1/survey/rooms/"+id, fmt.Sprintf(`{"pack_requested":%t}`, room.pack))
		for n, item := range room.items {
			e.ok(token, "POST", "/v1/survey/rooms/"+id+"/items", fmt.Sprintf(`{"name":"thing %d",%s}`, n, item))
		}
	}
}

func TestSurveyOnlyHasNoPrices(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		staff := "staff:" + e.company("bright").ID
		opened := e.ok(staff, "POST", "/v1/surveys", `{"mode":"survey_only"}`).body
		token := opened["survey_token"].(string)
		e.fill(token)
		require.Equal(t, 404, e.call(token, "GET", "/v1/survey/quote", "").status)
		require.Nil(t, e.ok(token, "GET", "/v1/survey/packing", "").body["materials_pence"])
		require.Equal(t, "survey_complete", e.ok(token, "POST", "/v1/survey/submit", "").body["status"])
		path := "/v1/jobs/" + opened["job"].(map[string]any)["id"].(string)
		require.Nil(t, e.ok(staff, "GET", path, "").body["quote"])
		require.Equal(t, 409, e.call(staff, "POST", path+"/approve", `{"final_price_pence":100}`).status)
		require.InDelta(t, 2, e.ok(staff, "GET", "/v1/company", "").body["credits"], 0)
	})
}

func TestQuoteExpires(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		company := e.company("bright")
		at, token := e.survey(company.ID)
		e.fill(token)
		_, err := e.service.Submit(t.Context(), at, nil)
		require.NoError(t, err)
		e.advance(20 * 24 * time.Hour)
		price := int64(50_000)
		move, err := e.service.Approve(t.Context(), at, &price)
		require.NoError(t, err)
		require.Equal(t, e.now().Add(30*24*time.Hour), *move.QuoteExpiresAt)
		e.advance(25 * 24 * time.Hour)
		e.ok(token, "GET", "/v1/survey", "") // 45 days after it was issued
		e.advance(5*24*time.Hour - time.Microsecond)
		require.Contains(t, e.ok(token, "GET", "/v1/survey", "").text, `"accept"`)
		e.advance(time.Microsecond)
		_, err = e.service.Accept(t.Context(), at, price)
		require.ErrorIs(t, err, moving.ErrQuoteExpired)
		require.Equal(t, 410, e.call(token, "GET", "/v1/survey", "").status)
	})
}

func TestConcurrentSubmitsUseOneCredit(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		company := e.company("bright")
		at, token := e.survey(company.ID)
		e.fill(token)
		errs := parallel(100, func(int) error {
			move, err := e.service.Submit(t.Context(), at, nil)
			if err == nil && move.Status != moving.AwaitingApproval {
				err = errors.New("status " + string(move.Status))
			}
			return err
		})
		for _, err := range errs {
			require.NoError(t, err)
		}
		after, err := e.service.Company(t.Context(), company.ID)
		require.NoError(t, err)
		require.Equal(t, []int64{2, 1}, []int64{after.Credits, after.SurveysUsed})
	})
}

func TestCreditsNeverGoBelowZero(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		company := e.company("bright")
		moves := make([]moving.Survey, 10)
		for i := range moves {
			var token string
			moves[i], token = e.survey(company.ID)
			e.fill(token)
		}
		errs := parallel(len(moves), func(i int) error {
			_, err := e.service.Submit(t.Context(), moves[i], nil)
			return err
		})
		refused := 0
		for i, err := range errs {
			view, findErr := e.service.Survey(t.Context(), moves[i])
			require.NoError(t, findErr)
			if err == nil {
				require.Equal(t, moving.AwaitingApproval, view.Move.Status)
				continue
			}
			require.ErrorIs(t, err, moving.ErrCreditsExhausted)
			require.Equal(t, moving.InProgress, view.Move.Status, "a refused submission leaves no trace")
			require.Nil(t, view.Move.SubmittedAt)
			refused++
		}
		require.Equal(t, 7, refused)
		require.Equal(t, 402, e.call("staff:"+company.ID, "POST", "/v1/surveys", `{"mode":"quote"}`).status)
	})
}

func TestConcurrentDecisions(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		at, token := e.survey(e.company("bright").ID)
		e.fill(token)
		_, err := e.service.Submit(t.Context(), at, nil)
		require.NoError(t, err)
		won := 0
		for i, err := range parallel(8, func(i int) error {
			price := int64(1000 + i)
			_, err := e.service.Approve(t.Context(), at, &price)
			return err
		}) {
			if err == nil {
				won++
				view, err := e.service.Survey(t.Context(), at)
				require.NoError(t, err)
				require.Equal(t, int64(1000+i), *view.Move.FinalPrice)
				continue
			}
			require.ErrorIs(t, err, moving.ErrInvalidState)
		}
		require.Equal(t, 1, won)
	})
}

// parallel runs n calls at once and returns their errors.
func parallel(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = call(i) })
	}
	wg.Wait()
	return errs
}
