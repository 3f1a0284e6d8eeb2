package pricing

import "math"

const (
	earthRadiusMiles = 3959.0
	milesPerKm       = 0.621371
	kmPerMile        = 1.60934
)

// Miles is the great-circle distance between two points, 0 when one of them is unknown or is not
// a place on Earth.
func Miles(from, to *Point) float64 {
	if from == nil || to == nil || !from.onEarth() || !to.onEarth() {
		return 0
	}
	const radian = math.Pi / 180
	lat1, lat2 := float64(from.Lat*radian), float64(to.Lat*radian)
	dLat := math.Sin((lat2 - lat1) / 2)
	dLng := math.Sin(float64((to.Lng-from.Lng)*radian) / 2)
	// The conversions forbid fused multiply-add, which would differ between processors.
	spread := float64(math.Cos(lat1)*math.Cos(lat2)) * float64(dLng*dLng)
	h := float64(dLat*dLat) + float64(spread)
	return 2 * earthRadiusMiles * math.Asin(math.Sqrt(min(h, 1)))
}

func (p Point) onEarth() bool {
	return math.Abs(p.Lat) <= 90 && math.Abs(p.Lng) <= 180
}

func distanceFee(c Config, miles float64) int64 {
	base := float64(atLeastZero(c.BaseDistanceKm)) * milesPerKm
	over := max(0, miles-float64(base))
	perMile := float64(atLeastZero(c.PricePerKm)) * kmPerMile
	fee := float64(over * perMile)
	return int64(min(fee+0.5, MaxLine))
}
