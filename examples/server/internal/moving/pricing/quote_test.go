package pricing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/moving/pricing"
)

// item builds an inventory row from cubic metres and kilograms.
func item(qty int64, m3, kg float64, packing pricing.Packing) pricing.Item {
	return pricing.Item{Qty: qty, Volume: int64(m3*10_000 + 0.5), Weight: int64(kg*1000 + 0.5), Packing: packing}
}

func fragile(i pricing.Item) pricing.Item {
	i.Fragile = true
	return i
}

func one(items ...pricing.Item) pricing.Survey {
	return pricing.Survey{Rooms: []pricing.Room{{Name: "Bed 1", Items: items}}}
}

const (
	none     = pricing.PackNone
	small    = pricing.PackSmallBox
	medium   = pricing.PackMediumBox
	large    = pricing.PackLargeBox
	wardrobe = pricing.PackWardrobeBox
	cover    = pricing.PackMattressCover
)

func exampleA() (pricing.Config, pricing.Survey) {
	return pricing.Default(), pricing.Survey{Rooms: []pricing.Room{
		{Name: "Living room", Items: []pricing.Item{
			item(1, 1.53, 35, none), fragile(item(1, 0.08, 15, none)), item(2, 0.43, 30, none),
		}},
		{Name: "Bed 1", Items: []pricing.Item{
			item(1, 1.40, 35, none), item(1, 0.64, 25, cover), item(1, 1.37, 80, none),
		}},
	}}
}

func exampleB() (pricing.Config, pricing.Survey) {
	return pricing.Default(), pricing.Survey{
		Pickup:  &pricing.Point{Lat: 51.5074, Lng: -0.1278},
		Dropoff: &pricing.Point{Lat: 50.8225, Lng: -0.1372},
		PickupAccess: &pricing.Access{
			Floors: 3, Parking: pricing.PermitZone, ParkingDistance: 120, Outdoor: pricing.Direct,
			Restrictions: []pricing.Restriction{
				pricing.NarrowStairs, pricing.NarrowDoorways, pricing.BookingRequired,
			},
		},
		DropoffAccess: &pricing.Access{
			Parking: pricing.Street, ParkingDistance: 50, Outdoor: pricing.Steps, OutdoorSteps: 7,
			Restrictions: []pricing.Restriction{pricing.TimeRestrictions},
		},
		Rooms: []pricing.Room{
			{Name: "Kitchen", Pack: true, Items: []pricing.Item{
				item(30, 0.08, 8, medium), item(1, 0.70, 65, none), item(1, 0.31, 70, none),
				fragile(item(3, 0.06, 6, small)),
			}},
			{Name: "Living room", Items: []pricing.Item{
				item(45, 0.02, 10, small), item(1, 4.25, 55, none), fragile(item(1, 0.08, 15, none)),
				item(12, 0.03, 1, large),
			}},
			{Name: "Bed 1", Pack: true, Items: []pricing.Item{
				item(1, 1.50, 40, none), item(1, 0.75, 30, cover), item(2, 0.28, 12, wardrobe),
				item(4, 0.10, 9, medium),
			}},
		},
	}
}

func exampleC() (pricing.Config, pricing.Survey) {
	c := pricing.Default()
	c.PricePerCBM, c.CalloutFee = 40_00, 300_00
	c.BulkyItemFee, c.BulkyThresholdKg, c.FragileItemFee = 30_00, 60, 12_50
	c.WeightThresholdKg, c.PricePerKgOver = 800, 35
	c.BaseDistanceKm, c.PricePerKm = 50, 1_20
	c.LowBP, c.HighBP = 9500, 11000
	return c, pricing.Survey{
		Pickup:                  &pricing.Point{Lat: 53.4808, Lng: -2.2426},
		Dropoff:                 &pricing.Point{Lat: 53.8008, Lng: -1.5491},
		CustomerProvidesPacking: true,
		PickupAccess: &pricing.Access{
			Floors: 4, HasLift: true, Parking: pricing.Driveway, ParkingDistance: 200,
			Outdoor: pricing.Path, OutdoorSteps: 9,
		},
		Rooms: []pricing.Room{{Name: "Whole Property", Items: []pricing.Item{
			item(6, 0.76, 60, none), item(1, 0.50, 350, none), fragile(item(4, 0.05, 12, none)),
			item(39, 0.035, 11, small), item(5, 0.79, 30, none),
		}}},
	}
}

func TestWorkedExampleA(t *testing.T) {
	t.Parallel()
	q := pricing.Compute(exampleA())
	require.Equal(t, pricing.Lines{Base: 250_00, Volume: 205_80, Bulky: 25_00, Fragile: 15_00, Packing: 8_36}, q.Lines)
	require.Equal(t, int64(504_16), q.Total)
	require.Equal(t, []int64{453_00, 604_00, 528_00}, []int64{q.Low, q.High, pricing.Midpoint(q.Low, q.High)})
	require.Equal(t, pricing.Medium, q.Confidence)
	require.Equal(t, []int64{7, 1, 1, 58_800, 250_000}, []int64{q.Items, q.BulkyItems, q.FragileItems, q.Volume, q.Weight})
	require.Equal(t, []int64{0, 1, 0, 8_820}, []int64{
		q.Materials.Boxes(), q.Materials.MattressCover.Count, q.Materials.Tape.Count, q.Materials.Paper.Count,
	})
	require.Equal(t, int64(6_62), q.Materials.Paper.Price, "6.615 is rounded half up")
}

func TestWorkedExampleB(t *testing.T) {
	t.Parallel()
	q := pricing.Compute(exampleB())
	require.Equal(t, pricing.Lines{
		Base: 250_00, Volume: 433_65, Bulky: 75_00, Fragile: 60_00, Weight: 27_50, Distance: 152_33,
		Access: 330_00, Packing: 46_62, Service: 108_00,
	}, q.Lines)
	require.Equal(t, int64(1483_10), q.Total)
	require.Equal(t, []int64{1334_00, 1779_00, 1556_00}, []int64{q.Low, q.High, pricing.Midpoint(q.Low, q.High)})
	require.Equal(t, pricing.High, q.Confidence)
	require.Equal(t, []int64{102, 3, 4, 123_900, 1_055_000}, []int64{q.Items, q.BulkyItems, q.FragileItems, q.Volume, q.Weight})
	require.Equal(t, int64(47_3267), q.Distance)

	m := q.Materials
	require.Equal(t, []int64{3, 3, 1, 2, 1, 1, 1_8585, 9}, []int64{
		m.SmallBox.Count, m.MediumBox.Count, m.LargeBox.Count, m.RobeCarton.Count,
		m.MattressCover.Count, m.Tape.Count, m.Paper.Count, m.Boxes(),
	})
	require.Equal(t, []int64{3_15, 4_65, 2_00, 20_00, 1_74, 1_14, 13_94}, []int64{
		m.SmallBox.Price, m.MediumBox.Price, m.LargeBox.Price, m.RobeCarton.Price,
		m.MattressCover.Price, m.Tape.Price, m.Paper.Price,
	})
	require.Equal(t, []pricing.Service{
		{Room: "Kitchen", Chosen: true, Offered: true, Items: 33, Hours: 22, Price: 88_00},
		{Room: "Living room", Offered: true, Items: 57, Hours: 29, Price: 114_00},
		{Room: "Bed 1", Chosen: true, Offered: true, Items: 4, Hours: 5, Price: 20_00},
	}, q.Services)
}

func TestWorkedExampleC(t *testing.T) {
	t.Parallel()
	q := pricing.Compute(exampleC())
	require.Equal(t, pricing.Lines{
		Base: 300_00, Volume: 423_00, Bulky: 30_00, Fragile: 50_00, Weight: 187_95, Distance: 9_52,
		Access: 80_00,
	}, q.Lines)
	require.Equal(t, int64(1080_47), q.Total)
	require.Equal(t, []int64{1026_00, 1188_00, 1107_00}, []int64{q.Low, q.High, pricing.Midpoint(q.Low, q.High)})
	require.Equal(t, pricing.High, q.Confidence)
	require.Equal(t, []int64{55, 1, 4, 105_750, 1_337_000}, []int64{q.Items, q.BulkyItems, q.FragileItems, q.Volume, q.Weight})
	require.Equal(t, int64(35_9992), q.Distance)
	require.Equal(t, []int64{1, 1, 1_5863}, []int64{
		q.Materials.SmallBox.Count, q.Materials.Tape.Count, q.Materials.Paper.Count,
	}, "packing the customer provides is still counted")
	require.Equal(t, int64(78_00), q.Services[0].Price)
}

func TestAccessFee(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		access pricing.Access
		want   int64
	}{
		{"ground floor, no lift", pricing.Access{}, 0},
		{"first floor, lift", pricing.Access{Floors: 1, HasLift: true}, 15_00},
		{"first floor, no lift", pricing.Access{Floors: 1}, 65_00},
		{"fourth floor, no lift", pricing.Access{Floors: 4}, 110_00},
		{"driveway far away", pricing.Access{Parking: pricing.Driveway, ParkingDistance: 200}, 0},
		{"street 50 m", pricing.Access{Parking: pricing.Street, ParkingDistance: 50}, 35_00},
		{"street 51 m", pricing.Access{Parking: pricing.Street, ParkingDistance: 51}, 45_00},
		{"limited 0 m", pricing.Access{Parking: pricing.Limited}, 60_00},
		{"all that is narrow", pricing.Access{Restrictions: []pricing.Restriction{
			pricing.NarrowStairs, pricing.NarrowDoorways, pricing.NarrowHallway,
		}}, 35_00},
		{"five steps", pricing.Access{Outdoor: pricing.Steps, OutdoorSteps: 5}, 35_00},
		{"six steps", pricing.Access{Outdoor: pricing.Steps, OutdoorSteps: 6}, 50_00},
		{"path, steps ignored", pricing.Access{Outdoor: pricing.Path, OutdoorSteps: 9}, 20_00},
		{"direct, steps ignored", pricing.Access{Outdoor: pricing.Direct, OutdoorSteps: 9}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q := pricing.Compute(pricing.Default(), pricing.Survey{DropoffAccess: &tt.access})
			require.Equal(t, tt.want, q.Lines.Access)
		})
	}
}

func TestBoxes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		packing pricing.Packing
		want    map[int64]int64 // boxes by quantity
	}{
		{small, map[int64]int64{1: 1, 19: 1, 20: 1, 39: 1, 40: 2}},
		{medium, map[int64]int64{14: 1, 15: 1, 29: 1, 30: 2}},
		{large, map[int64]int64{9: 1, 10: 1, 19: 1, 20: 2}},
		{wardrobe, map[int64]int64{1: 1, 7: 7}},
		{pricing.PackRobeCarton, map[int64]int64{3: 3}},
		{none, map[int64]int64{50: 0}},
		{cover, map[int64]int64{4: 0}},
		{"made up", map[int64]int64{50: 0}},
	}
	for _, tt := range tests {
		for qty, want := range tt.want {
			q := pricing.Compute(pricing.Default(), one(item(qty, 0, 0, tt.packing)))
			require.Equal(t, want, q.Materials.Boxes(), "%s x %d", tt.packing, qty)
		}
	}
}

func TestTape(t *testing.T) {
	t.Parallel()
	for boxes, want := range map[int64]int64{0: 0, 1: 1, 10: 1, 11: 2, 20: 2, 21: 3} {
		q := pricing.Compute(pricing.Default(), one(item(boxes, 0, 0, wardrobe)))
		require.Equal(t, want, q.Materials.Tape.Count, "%d boxes", boxes)
	}
}

func TestPackingService(t *testing.T) {
	t.Parallel()
	tests := []struct {
		room string
		qty  int64
		want int64
	}{
		{"KITCHEN diner", 7, 20_00},
		{"KITCHEN diner", 8, 21_33},
		{"Bed 1", 10, 20_00},
		{"Bed 1", 11, 22_00},
		{"Bed 1", 0, 0},
	}
	for _, tt := range tests {
		s := one(item(tt.qty, 0, 0, small))
		s.Rooms[0].Name, s.Rooms[0].Pack = tt.room, true
		q := pricing.Compute(pricing.Default(), s)
		require.Equal(t, tt.want, q.Lines.Service, "%s, %d", tt.room, tt.qty)
		require.Equal(t, tt.qty > 0, q.Services[0].Offered)
	}
}

func TestThresholds(t *testing.T) {
	t.Parallel()
	count := func(kg float64) int64 {
		return pricing.Compute(pricing.Default(), one(item(2, 0, kg, none))).BulkyItems
	}
	require.Equal(t, int64(0), count(50.00), "strictly over")
	require.Equal(t, int64(2), count(50.01))

	weight := func(kg float64) int64 {
		return pricing.Compute(pricing.Default(), one(item(1, 0, kg, none))).Lines.Weight
	}
	require.Equal(t, int64(0), weight(1000))
	require.Equal(t, int64(50), weight(1001))
}

func TestConfidence(t *testing.T) {
	t.Parallel()
	tests := []struct {
		items int64
		m3    float64 // of one item
		want  pricing.Confidence
	}{
		{4, 9, pricing.Low},
		{5, 0.198, pricing.Low},
		{5, 0.2, pricing.Medium},
		{20, 0.249, pricing.Medium},
		{20, 0.25, pricing.High},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, pricing.Compute(pricing.Default(), one(item(tt.items, tt.m3, 0, none))).Confidence)
	}
}

func TestRangeRoundsDownToPounds(t *testing.T) {
	t.Parallel()
	c := pricing.Config{CalloutFee: 100_00, LowBP: 9000, HighBP: 11500}
	q := pricing.Compute(c, pricing.Survey{})
	require.Equal(t, int64(90_00), q.Low)
	require.Equal(t, int64(115_00), q.High, "floating point would say 114")
}

func TestDistance(t *testing.T) {
	t.Parallel()
	brighton := &pricing.Point{Lat: 50.8225, Lng: -0.1372}
	q := pricing.Compute(pricing.Default(), pricing.Survey{Pickup: &pricing.Point{Lat: 51.48}, Dropoff: brighton})
	require.Equal(t, int64(45_8192), q.Distance, "a longitude of 0 is a place")
	require.Equal(t, int64(147_48), q.Lines.Distance)

	for _, from := range []*pricing.Point{nil, {Lat: 91}, {Lng: 181}} {
		require.Zero(t, pricing.Compute(pricing.Default(), pricing.Survey{Pickup: from, Dropoff: brighton}).Distance)
	}
	antipode := pricing.Miles(&pricing.Point{}, &pricing.Point{Lng: 180})
	require.InDelta(t, 12437.6, antipode, 0.1)
}
