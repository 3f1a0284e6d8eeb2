package main_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// workedExample is a survey with the quote it must come to.
type workedExample struct {
	name    string
	pricing object // changes of the default price list
	survey  object
	pickup  object // access
	dropoff object // access
	rooms   []workedRoom

	lines     map[string]int64
	total     int64
	low, high int64
	midpoint  int64
}

type workedRoom struct {
	name  string
	pack  bool
	items []object
}

func piece(name string, qty int, volume, weight float64, more ...any) object {
	item := object{"name": name, "qty": qty, "volume_m3": volume, "weight_kg": weight}
	for _, m := range more {
		switch m := m.(type) {
		case bool:
			item["fragile"] = m
		case string:
			item["packing_requirement"] = m
		}
	}
	return item
}

const fragile = true

// workedExamples are A, B and C of the product's fact sheet.
func workedExamples() []workedExample {
	return []workedExample{
		{
			name: "A: default prices, nothing but items",
			rooms: []workedRoom{
				{"Living room", false, []object{
					piece("Sofa", 1, 1.53, 35), piece("TV", 1, 0.08, 15, fragile), piece("Bookcase", 2, 0.43, 30),
				}},
				{"Bed 1", false, []object{
					piece("Bed frame", 1, 1.40, 35), piece("Mattress", 1, 0.64, 25, "mattress_cover"), piece("Wardrobe", 1, 1.37, 80),
				}},
			},
			survey: object{"pickup": object{"label": "Here"}, "dropoff": object{"label": "There"}},
			lines: map[string]int64{
				"base": 25000, "volume": 20580, "bulky": 2500, "fragile": 1500, "weight": 0,
				"distance": 0, "access": 0, "packing": 836, "service": 0,
			},
			total: 50416, low: 45300, high: 60400, midpoint: 52800,
		},
		{
			name: "B: every line but none left out",
			survey: object{
				"pickup":  object{"label": "London", "lat": 51.5074, "lng": -0.1278},
				"dropoff": object{"label": "Brighton", "lat": 50.8225, "lng": -0.1372},
			},
			pickup: object{
				"floors": 3, "has_lift": false, "parking_type": "permit_zone", "parking_distance_m": 120,
				"restrictions": []string{"narrow_stairs", "narrow_doorways", "booking_required"}, "outdoor_access": "direct",
			},
			dropoff: object{
				"floors": 0, "has_lift": false, "parking_type": "street", "parking_distance_m": 50,
				"restrictions": []string{"time_restrictions"}, "outdoor_access": "steps", "outdoor_steps": 7,
			},
			rooms: []workedRoom{
				{"Kitchen", true, []object{
					piece("Crockery", 30, 0.08, 8, "medium_box"), piece("Fridge freezer", 1, 0.70, 65),
					piece("Washing machine", 1, 0.31, 70), piece("Glassware", 3, 0.06, 6, fragile, "small_box"),
				}},
				{"Living room", false, []object{
					piece("Books", 45, 0.02, 10, "small_box"), piece("Corner sofa", 1, 4.25, 55),
					piece("TV", 1, 0.08, 15, fragile), piece("Cushions", 12, 0.03, 1, "large_box"),
				}},
				{"Bed 1", true, []object{
					piece("Bed frame", 1, 1.50, 40), piece("Mattress", 1, 0.75, 30, "mattress_cover"),
					piece("Hanging clothes", 2, 0.28, 12, "wardrobe_box"), piece("Folded clothes", 4, 0.10, 9, "medium_box"),
				}},
			},
			lines: map[string]int64{
				"base": 25000, "volume": 43365, "bulky": 7500, "fragile": 6000, "weight": 2750,
				"distance": 15233, "access": 33000, "packing": 4662, "service": 10800,
			},
			total: 148310, low: 133400, high: 177900, midpoint: 155600,
		},
		{
			name: "C: own prices, the customer packs",
			pricing: object{
				"price_per_cbm_pence": 4000, "callout_fee_pence": 30000, "bulky_item_fee_pence": 3000,
				"bulky_weight_threshold_kg": 60, "fragile_item_fee_pence": 1250, "weight_threshold_kg": 800,
				"price_per_kg_over_threshold_pence": 35, "base_distance_km": 50, "price_per_km_pence": 120,
				"estimate_low_bp": 9500, "estimate_high_bp": 11000,
			},
			survey: object{
				"pickup":                    object{"label": "Manchester", "lat": 53.4808, "lng": -2.2426},
				"dropoff":                   object{"label": "Leeds", "lat": 53.8008, "lng": -1.5491},
				"customer_provides_packing": true,
			},
			pickup: object{
				"floors": 4, "has_lift": true, "parking_type": "driveway", "parking_distance_m": 200,
				"outdoor_access": "path", "outdoor_steps": 9,
			},
			rooms: []workedRoom{{"Whole Property", false, []object{
				piece("Shelving", 6, 0.76, 60), piece("Safe", 1, 0.50, 350), piece("Mirror", 4, 0.05, 12, fragile),
				piece("Filing", 39, 0.035, 11, "small_box"), piece("Desk", 5, 0.79, 30),
			}}},
			lines: map[string]int64{
				"base": 30000, "volume": 42300, "bulky": 3000, "fragile": 5000, "weight": 18795,
				"distance": 952, "access": 8000, "packing": 0, "service": 0,
			},
			total: 108047, low: 102600, high: 118800, midpoint: 110700,
		},
	}
}

// play enters the example through the API and checks the quote to the penny.
func (e workedExample) play(t *testing.T, c company) {
	t.Helper()
	owner := c.owner
	owner.t = t
	current := owner.call("GET", "/v1/company/pricing", nil)
	require.Equal(t, http.StatusOK, current.status)
	if e.pricing != nil {
		list := current.object(t)
		delete(list, "updated_at")
		for field, value := range e.pricing {
			require.Contains(t, list, field)
			list[field] = value
		}
		owner.do("PUT", "/v1/company/pricing", list, http.StatusOK, "If-Match", current.header.Get("ETag"))
	}
	s := company{owner, c.session}.survey("quote")
	contact := object{"name": "Alex Customer", "email": "alex@customer.example", "phone": "+44 7700 900123"}
	s.do("PATCH", "/v1/survey", object{"contact": contact}, http.StatusOK)
	s.do("PATCH", "/v1/survey", e.survey, http.StatusOK)
	for place, access := range map[string]object{"pickup": e.pickup, "dropoff": e.dropoff} {
		if access != nil {
			s.do("PUT", "/v1/survey/access/"+place, access, http.StatusOK)
		}
	}
	for _, r := range e.rooms {
		room := s.do("POST", "/v1/survey/rooms", object{"name": r.name, "pack_requested": r.pack}, http.StatusCreated).text("id")
		for _, item := range r.items {
			s.do("POST", "/v1/survey/rooms/"+room+"/items", item, http.StatusCreated)
		}
	}
	e.check(t, s.do("GET", "/v1/survey/quote", nil, http.StatusOK))

	s.do("POST", "/v1/survey/submit", object{}, http.StatusOK)
	e.check(t, s.do("GET", "/v1/survey/quote", nil, http.StatusOK))
	approved := owner.do("POST", "/v1/jobs/"+s.job+"/approve", object{"midpoint": true}, http.StatusOK)
	require.Equal(t, e.midpoint, approved.pence("final_price_pence"))
	accepted := s.do("POST", "/v1/survey/accept", object{"confirm": true, "price_pence": e.midpoint}, http.StatusOK)
	require.Equal(t, "accepted", accepted.text("status"))
}

func (e workedExample) check(t *testing.T, quote object) {
	t.Helper()
	for line, want := range e.lines {
		require.Equal(t, want, quote.pence("lines", line+"_pence"), line)
	}
	require.Equal(t, e.total, quote.pence("total_pence"))
	require.Equal(t, e.low, quote.pence("low_pence"))
	require.Equal(t, e.high, quote.pence("high_pence"))
	require.Equal(t, e.midpoint, quote.pence("midpoint_pence"))
}
