package moving_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/moving"
)

func TestBadInputOfSurveys(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		company := e.company("bright")
		staff := "staff:" + company.ID
		_, token := e.survey(company.ID)
		room := e.room(token, "Loft")
		item := e.ok(token, "POST", "/v1/survey/rooms/"+room+"/items", `{"name":"Chair"}`).body["id"].(string)
		items, one := "/v1/survey/rooms/"+room+"/items", "/v1/survey/items/"+item
		tests := []struct {
			credential, method, path, body string
			status                         int
			pointers                       []string
		}{
			{staff, "POST", "/v1/surveys", `{}`, 422, []string{"#/mode"}},
			{staff, "POST", "/v1/surveys", `{"mode":"all","customer_email":"x","x":1}`, 422, []string{"#/mode", "#/x"}},
			{staff, "POST", "/v1/surveys", `{"mode":"quote","customer_email":"not an address"}`, 422, []string{"#/customer_email"}},
			{staff, "POST", "/v1/surveys", `{"mode":"quote"`, 400, nil},
			{staff, "POST", "/v1/surveys", `{"mode":"quote","mode":"quote"}`, 400, nil},
			{token, "PATCH", "/v1/survey", `[]`, 422, []string{"#"}},
			{token, "PATCH", "/v1/survey", `{"status":"accepted"}`, 422, []string{"#/status"}},
			{token, "PATCH", "/v1/survey", `{"pickup":{"city":"London"}}`, 422, []string{"#/pickup/label"}},
			{token, "PATCH", "/v1/survey", `{"pickup":{"label":"A","lat":91,"lng":"1","x":0}}`, 422, []string{"#/pickup/lat", "#/pickup/lng", "#/pickup/x"}},
			{token, "PATCH", "/v1/survey", `{"pickup":{"label":"A","lat":9}}`, 422, []string{"#/pickup"}},
			{token, "PATCH", "/v1/survey", `{"move_date":"2026-02-30"}`, 422, []string{"#/move_date"}},
			{token, "PATCH", "/v1/survey", `{"move_date":"2020-01-01"}`, 422, []string{"#/move_date"}},
			{token, "PATCH", "/v1/survey", `{"contact":{"email":"x","phone":"call me"}}`, 422, []string{"#/contact/email", "#/contact/phone"}},
			{token, "PATCH", "/v1/survey", `{"contact":null,"customer_provides_packing":null}`, 422, []string{"#/contact", "#/customer_provides_packing"}},
			{token, "PATCH", "/v1/survey", `{"pickup_property_type":"castle"}`, 422, []string{"#/pickup_property_type"}},
			{token, "PATCH", "/v1/survey", `{"contact":{"name":"a\u0000b"}}`, 422, []string{"#/contact/name"}},
			{token, "PUT", "/v1/survey/access/attic", `{"parking_type":"street","outdoor_access":"path"}`, 404, nil},
			{token, "PUT", "/v1/survey/access/pickup", `{"floors":-1,"parking_type":"x","restrictions":["x"],"outdoor_steps":1e9}`, 422, []string{
				"#/floors", "#/outdoor_access", "#/outdoor_steps", "#/parking_type", "#/restrictions/0",
			}},
			{token, "POST", "/v1/survey/rooms", `{"name":"  \t "}`, 422, []string{"#/name"}},
			{token, "POST", "/v1/survey/rooms", `{"name":"` + strings.Repeat("é", 101) + `"}`, 422, []string{"#/name"}},
			{token, "PATCH", "/v1/survey/rooms/" + room, `{"name":null}`, 422, []string{"#/name"}},
			{token, "POST", items, `{"name":"A","qty":0,"weight_kg":2001,"volume_m3":0,"length_cm":0.5}`, 422, []string{
				"#/length_cm", "#/qty", "#/volume_m3", "#/weight_kg",
			}},
			{token, "POST", items, `{"name":"A","qty":1.5,"fragile":"yes","packing_requirement":"crate"}`, 422, []string{
				"#/fragile", "#/packing_requirement", "#/qty",
			}},
			{token, "PATCH", one, `{"qty":null,"name":null}`, 422, []string{"#/name", "#/qty"}},
			{token, "PATCH", one, `{"qty":99999999999999999999}`, 422, []string{"#/qty"}},
			{token, "PUT", one + "/variant", `{"variant_id":"throne"}`, 422, []string{"#/variant_id"}},
			{token, "POST", "/v1/survey/accept", `{"confirm":true}`, 422, []string{"#/price_pence"}},
			{token, "POST", "/v1/survey/submit", `{"contact":{"email":"x"},"price":1}`, 422, []string{"#/price"}},
			{token, "GET", "/v1/survey?x=1", "", 422, []string{"x"}},
		}
		for _, tt := range tests {
			a := e.call(tt.credential, tt.method, tt.path, tt.body)
			require.Equal(t, tt.status, a.status, "%s %s %s: %s", tt.method, tt.path, tt.body, a.text)
			require.ElementsMatch(t, tt.pointers, a.pointers(), "%s: %s", tt.body, a.text)
			require.NotContains(t, a.text, "castle")
			require.NotContains(t, a.text, "throne")
		}
		require.Equal(t, 415, e.call(token, "PATCH", "/v1/survey", `x`, "Content-Type", "text/plain").status)
	})
}

func TestApproveWantsOnePrice(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		company := e.company("bright")
		at, token := e.survey(company.ID)
		e.fill(token)
		e.ok(token, "POST", "/v1/survey/submit", "")
		path := "/v1/jobs/" + at.MoveID + "/approve"
		for _, body := range []string{`{}`, `{"midpoint":false}`, `{"final_price_pence":1,"midpoint":true}`, `{"final_price_pence":0}`, `{"final_price_pence":100000001}`} {
			require.Equal(t, 422, e.call("staff:"+company.ID, "POST", path, body).status, body)
		}
		approved := e.ok("staff:"+company.ID, "POST", path, `{"final_price_pence":123456}`)
		require.InDelta(t, 123456, approved.body["final_price_pence"], 0)
	})
}

func TestMergePatchOfSurvey(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token := e.survey(e.company("bright").ID)
		tag := e.ok(token, "GET", "/v1/survey", "").header.Get("ETag")
		a := e.ok(token, "PATCH", "/v1/survey", `{"pickup":{"label":" 1\u202e A  St ","city":"London","lat":0,"lng":0},"contact":{"name":"A"}}`, "If-Match", tag)
		require.Equal(t, map[string]any{"label": "1 A St", "city": "London", "lat": 0.0, "lng": 0.0}, a.body["pickup"])
		require.Equal(t, "stale_version", e.call(token, "PATCH", "/v1/survey", `{"contact":{"name":"B"}}`, "If-Match", tag).code())
		a = e.ok(token, "PATCH", "/v1/survey", `{"pickup":{"city":null},"contact":{"phone":"020 7946 0000"}}`)
		require.Equal(t, map[string]any{"label": "1 A St", "city": nil, "lat": 0.0, "lng": 0.0}, a.body["pickup"])
		require.Equal(t, map[string]any{"name": "A", "email": nil, "phone": "020 7946 0000"}, a.body["contact"])
		require.Nil(t, e.ok(token, "PATCH", "/v1/survey", `{"pickup":null}`).body["pickup"])

		access := e.ok(token, "PUT", "/v1/survey/access/pickup", `{"parking_type":"driveway","outdoor_access":"direct"}`)
		require.Equal(t, []any{}, access.body["restrictions"])
		require.Equal(t, access.body, e.ok(token, "GET", "/v1/survey", "").body["pickup_access"])
	})
}

func TestItemVolumes(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token := e.survey(e.company("bright").ID)
		path := "/v1/survey/rooms/" + e.room(token, "Loft") + "/items"
		a := e.ok(token, "POST", path, `{"name":"Two-seat sofa","length_cm":160,"width_cm":90,"height_cm":85,"volume_m3":9,"weight_kg":50.01}`)
		require.Equal(t, []any{1.224, 50.01, true, "sofa", "customer"}, []any{
			a.body["volume_m3"], a.body["weight_kg"], a.body["bulky"], a.body["variant_group"], a.body["source"],
		})
		item := "/v1/survey/items/" + a.body["id"].(string)
		require.Equal(t, item, a.header.Get("Location"))
		require.InDelta(t, 1.44, e.ok(token, "PATCH", item, `{"height_cm":100}`).body["volume_m3"], 0)
		volume := e.ok(token, "PATCH", item, `{"volume_m3":2}`).body
		require.Equal(t, []any{2.0, nil, true}, []any{volume["volume_m3"], volume["length_cm"], volume["edited"]})

		chosen := e.ok(token, "PUT", item+"/variant", `{"variant_id":"sofa_3_seat"}`)
		require.Equal(t, []any{"3-seat sofa", 1.6422, 48.0, false, "sofa_3_seat"}, []any{
			chosen.body["name"], chosen.body["volume_m3"], chosen.body["weight_kg"], chosen.body["bulky"], chosen.body["variant_id"],
		})
		require.Equal(t, 412, e.call(token, "DELETE", item, "", "If-Match", `"1"`).status)
		require.Equal(t, 204, e.call(token, "DELETE", item, "", "If-Match", chosen.header.Get("ETag")).status)
		require.Equal(t, 404, e.call(token, "GET", item, "").status)
		variants := e.ok("", "GET", "/v1/variants", "").body
		require.InDelta(t, 15, variants["total"], 0)
	})
}

func TestRowLimits(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		at, token := e.survey(e.company("bright").ID)
		room := e.room(token, "Loft")
		errs := parallel(60, func(i int) error {
			_, err := e.service.AddRoom(t.Context(), at, fmt.Sprint("Room ", i), false)
			return err
		})
		refused := 0
		for _, err := range errs {
			if err != nil {
				require.ErrorIs(t, err, moving.ErrTooManyRooms)
				refused++
			}
		}
		require.Equal(t, 21, refused)
		for range 300 {
			_, err := e.service.AddItem(t.Context(), at, room, moving.Item{Name: "Box", Qty: 1, Category: "furniture", Packing: "none"})
			require.NoError(t, err)
		}
		a := e.call(token, "POST", "/v1/survey/rooms/"+room+"/items", `{"name":"Box"}`)
		require.Equal(t, []any{409, "limit_reached"}, []any{a.status, a.code()})
	})
}
