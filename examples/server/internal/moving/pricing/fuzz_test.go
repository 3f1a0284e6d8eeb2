package pricing_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/moving/pricing"
)

// limits are the numbers where arithmetic breaks first.
var limits = []int64{0, 1, 49, 50, 10_000, 1 << 40, math.MaxInt64, math.MaxInt64 - 1, -1, math.MinInt64}

func anyConfig(r *rand.Rand) pricing.Config {
	var c pricing.Config
	for _, f := range c.Fields() {
		*f.Value = limits[r.IntN(len(limits))]
		if r.IntN(2) == 0 {
			*f.Value = f.Min + r.Int64N(f.Max-f.Min+1)
		}
	}
	return c
}

func anySurvey(r *rand.Rand, pick func() int64) pricing.Survey {
	packings := []pricing.Packing{none, small, medium, large, wardrobe, cover, "", "x"}
	access := func() *pricing.Access {
		if r.IntN(4) == 0 {
			return nil
		}
		return &pricing.Access{
			Floors: pick(), HasLift: r.IntN(2) == 0,
			Parking:         []pricing.Parking{pricing.Driveway, pricing.Street, pricing.PermitZone, pricing.Limited, "x"}[r.IntN(5)],
			ParkingDistance: pick(),
			Restrictions:    []pricing.Restriction{pricing.NarrowHallway, pricing.BookingRequired, "x"}[:r.IntN(4)],
			Outdoor:         []pricing.Outdoor{pricing.Direct, pricing.Path, pricing.Steps, "x"}[r.IntN(4)],
			OutdoorSteps:    pick(),
		}
	}
	point := func() *pricing.Point {
		if r.IntN(4) == 0 {
			return nil
		}
		return &pricing.Point{Lat: r.Float64()*200 - 100, Lng: r.Float64()*400 - 200}
	}
	s := pricing.Survey{
		Pickup: point(), Dropoff: point(), PickupAccess: access(), DropoffAccess: access(),
		CustomerProvidesPacking: r.IntN(2) == 0,
	}
	for range r.IntN(4) {
		room := pricing.Room{Name: []string{"Kitchen", "Loft"}[r.IntN(2)], Pack: r.IntN(2) == 0}
		for range r.IntN(6) {
			room.Items = append(room.Items, pricing.Item{
				Qty: pick(), Volume: pick(), Weight: pick(), Fragile: r.IntN(2) == 0,
				Packing: packings[r.IntN(len(packings))],
			})
		}
		s.Rooms = append(s.Rooms, room)
	}
	return s
}

func FuzzComputeIsNeverNegative(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, int64(math.MaxInt64), math.NaN(), math.Inf(1))
	}
	f.Fuzz(func(t *testing.T, seed uint64, odd int64, lat, lng float64) {
		r := rand.New(rand.NewPCG(seed, 1)) // inputs of a test need no secrecy
		pick := func() int64 {
			if r.IntN(4) == 0 {
				return odd
			}
			return limits[r.IntN(len(limits))]
		}
		c, s := anyConfig(r), anySurvey(r, pick)
		if r.IntN(2) == 0 {
			s.Pickup = &pricing.Point{Lat: lat, Lng: lng}
		}
		q := pricing.Compute(c, s)
		l, m := q.Lines, q.Materials
		for _, n := range []int64{
			l.Base, l.Volume, l.Bulky, l.Fragile, l.Weight, l.Distance, l.Access, l.Packing, l.Service,
			q.Total, q.Low, q.High, q.Items, q.BulkyItems, q.FragileItems, q.Volume, q.Weight, q.Distance,
			m.Boxes(), m.Tape.Count, m.Paper.Count, m.Price, pricing.Midpoint(q.Low, q.High),
		} {
			require.GreaterOrEqual(t, n, int64(0))
			require.LessOrEqual(t, n, int64(pricing.MaxLine))
		}
		require.Equal(t, l.Total(), q.Total)
		require.Zero(t, q.Low%100)
		require.Zero(t, q.High%100)
	})
}

// The naive version follows the formulas of the sheet in exact fractions.
func TestComputeAgainstExactFractions(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 2)) // inputs of a test need no secrecy
		c := pricing.Default()
		for _, f := range c.Fields() {
			*f.Value = f.Min + r.Int64N(f.Max-f.Min+1)
		}
		s := anySurvey(r, func() int64 { return 1 + r.Int64N(2000) })
		s.Pickup = nil
		q := pricing.Compute(c, s)

		var volume, weight, bulky, fragile int64
		for _, room := range s.Rooms {
			for _, i := range room.Items {
				volume += i.Volume * i.Qty
				weight += i.Weight * i.Qty
				if i.Weight > c.BulkyThresholdKg*1000 {
					bulky += i.Qty
				}
				if i.Fragile {
					fragile += i.Qty
				}
			}
		}
		require.Equal(t, halfUp(volume*c.PricePerCBM, 10_000), q.Lines.Volume)
		require.Equal(t, bulky*c.BulkyItemFee, q.Lines.Bulky)
		require.Equal(t, fragile*c.FragileItemFee, q.Lines.Fragile)
		require.Equal(t, halfUp(max(0, weight-c.WeightThresholdKg*1000)*c.PricePerKgOver, 1000), q.Lines.Weight)
		require.Equal(t, halfUp(volume*15*c.Paper, 1_000_000), q.Materials.Paper.Price)
		require.Equal(t, new(big.Int).Div(new(big.Int).Mul(big.NewInt(q.Total), big.NewInt(c.LowBP)), big.NewInt(1_000_000)).Int64()*100, q.Low)

		var service int64
		for _, room := range s.Rooms {
			n, rate := int64(0), int64(20)
			if room.Name == "Kitchen" {
				rate = 15
			}
			for _, i := range room.Items {
				if i.Packing == small || i.Packing == medium || i.Packing == large {
					n += i.Qty
				}
			}
			if n > 0 && room.Pack {
				service += halfUp(max(rate, 2*n)*c.PackingLabourPerHour, 2*rate)
			}
		}
		require.Equal(t, service, q.Lines.Service)
	}
}

// halfUp is n/d rounded half up through math/big.
func halfUp(n, d int64) int64 {
	twice := new(big.Int).Add(new(big.Int).Mul(big.NewInt(n), big.NewInt(2)), big.NewInt(d))
	return twice.Div(twice, big.NewInt(2*d)).Int64()
}
