package pricing

// Quote is the answer to a survey.
type Quote struct {
	Lines Lines `json:"lines"`
	Total int64 `json:"total_pence"`

	// Low and High are whole pounds, in pence.
	Low  int64 `json:"low_pence"`
	High int64 `json:"high_pence"`

	Confidence Confidence `json:"confidence"`

	Items        int64 `json:"items"`
	BulkyItems   int64 `json:"bulky_items"`
	FragileItems int64 `json:"fragile_items"`
	Volume       int64 `json:"volume"` // 0.0001 m³
	Weight       int64 `json:"weight"` // grams

	// Distance is the great-circle distance in 0.0001 miles.
	Distance int64 `json:"distance"`

	Materials Materials `json:"materials"`

	// Services has one entry per room of the survey, in its order.
	Services []Service `json:"services"`
}

// Lines are the nine parts of a quote, in pence.
type Lines struct {
	Base     int64 `json:"base_pence" example:"25000" doc:"Call-out fee."`
	Volume   int64 `json:"volume_pence" example:"43365" doc:"Volume times the price of a cubic metre."`
	Bulky    int64 `json:"bulky_pence" example:"7500" doc:"Objects over the bulky threshold."`
	Fragile  int64 `json:"fragile_pence" example:"6000" doc:"Fragile objects."`
	Weight   int64 `json:"weight_pence" example:"2750" doc:"Weight over what is included."`
	Distance int64 `json:"distance_pence" example:"15233" doc:"Distance over what is included."`
	Access   int64 `json:"access_pence" example:"33000" doc:"Floors, parking, restrictions and paths at both places."`
	Packing  int64 `json:"packing_pence" example:"4662" doc:"Packing material."`
	Service  int64 `json:"service_pence" example:"10800" doc:"Packing service in the rooms chosen for it."`
}

// Total adds the nine lines.
func (l Lines) Total() int64 {
	return sum(l.Base, l.Volume, l.Bulky, l.Fragile, l.Weight, l.Distance, l.Access, l.Packing,
		l.Service)
}

// Confidence says how much a quote rests on.
type Confidence string

// The levels of confidence.
const (
	Low    Confidence = "low"
	Medium Confidence = "medium"
	High   Confidence = "high"
)

const (
	cubicMetre = 10_000 // units of volume
	kilogram   = 1_000  // grams
)

// Compute prices s by c.
func Compute(c Config, s Survey) Quote {
	var q Quote
	bulkyOver := mulDiv(c.BulkyThresholdKg, kilogram, 1)
	for _, room := range s.Rooms {
		for _, item := range room.Items {
			qty := atLeastZero(item.Qty)
			q.Items = sum(q.Items, qty)
			q.Volume = sum(q.Volume, mulDiv(item.Volume, qty, 1))
			q.Weight = sum(q.Weight, mulDiv(item.Weight, qty, 1))
			if item.Weight > bulkyOver {
				q.BulkyItems = sum(q.BulkyItems, qty)
			}
			if item.Fragile {
				q.FragileItems = sum(q.FragileItems, qty)
			}
		}
	}
	q.Materials = materials(c, s.Rooms, q.Volume)
	q.Services = services(c, s.Rooms)

	miles := Miles(s.Pickup, s.Dropoff)
	q.Distance = int64(float64(miles*10_000) + 0.5)

	q.Lines = Lines{
		Base:     mulDiv(c.CalloutFee, 1, 1),
		Volume:   mulDiv(q.Volume, c.PricePerCBM, cubicMetre),
		Bulky:    mulDiv(c.BulkyItemFee, q.BulkyItems, 1),
		Fragile:  mulDiv(c.FragileItemFee, q.FragileItems, 1),
		Weight:   mulDiv(q.Weight-mulDiv(c.WeightThresholdKg, kilogram, 1), c.PricePerKgOver, kilogram),
		Distance: distanceFee(c, miles),
		Access:   sum(accessFee(c, s.PickupAccess), accessFee(c, s.DropoffAccess)),
	}
	if !s.CustomerProvidesPacking {
		q.Lines.Packing = q.Materials.Price
	}
	for _, service := range q.Services {
		if service.Chosen {
			q.Lines.Service = sum(q.Lines.Service, service.Price)
		}
	}

	q.Total = q.Lines.Total()
	q.Low = wholePounds(q.Total, c.LowBP)
	q.High = wholePounds(q.Total, c.HighBP)
	q.Confidence = confidence(q.Items, q.Volume)
	return q
}

// Midpoint is the price in the middle of a range, in whole pounds rounded down.
func Midpoint(low, high int64) int64 {
	return sum(low, high) / 200 * 100
}

// wholePounds returns the share bp of total, rounded down to pounds, in pence.
func wholePounds(total, bp int64) int64 {
	return min(floorDiv(total, bp, 10_000*100)*100, MaxLine)
}

func confidence(items, volume int64) Confidence {
	switch {
	case items < 5 || volume < cubicMetre:
		return Low
	case items < 20 || volume < 5*cubicMetre:
		return Medium
	default:
		return High
	}
}

func accessFee(c Config, a *Access) int64 {
	if a == nil {
		return 0
	}
	fee := mulDiv(a.Floors, c.PricePerFloor, 1)
	if a.Floors > 0 && !a.HasLift {
		fee = sum(fee, c.NoLiftSurcharge)
	}
	switch a.Parking {
	case Street:
		fee = sum(fee, c.ParkingStreet)
	case PermitZone:
		fee = sum(fee, c.ParkingPermit)
	case Limited:
		fee = sum(fee, c.ParkingLimited)
	}
	if a.Parking == Street || a.Parking == PermitZone || a.Parking == Limited {
		fee = sum(fee, mulDiv(started(a.ParkingDistance, 50), c.ParkingPer50m, 1))
	}

	var narrow, timed, booked bool
	for _, r := range a.Restrictions {
		switch r {
		case NarrowStairs, NarrowDoorways, NarrowHallway:
			narrow = true
		case TimeRestrictions:
			timed = true
		case BookingRequired:
			booked = true
		}
	}
	if narrow {
		fee = sum(fee, c.NarrowAccess)
	}
	if timed {
		fee = sum(fee, c.TimeRestriction)
	}
	if booked {
		fee = sum(fee, c.BookingRequired)
	}

	if a.Outdoor == Path || a.Outdoor == Steps {
		fee = sum(fee, c.OutdoorPath)
	}
	if a.Outdoor == Steps {
		fee = sum(fee, mulDiv(started(a.OutdoorSteps, 5), c.OutdoorStepsPer5, 1))
	}
	return fee
}
