package pricing

// Bounds of a price list.
const (
	MaxAmount    = 100_000_00 // pence, of any single price
	MaxThreshold = 1_000_000  // kilograms or kilometres
	MinRangeBP   = 1_000      // basis points of the total
	MaxRangeBP   = 30_000
)

// Config is a company's price list. Amounts are pence, thresholds whole kilograms or kilometres,
// the two range multipliers basis points of the total. The zero Config charges nothing and is not
// valid; start from [Default].
type Config struct {
	PricePerCBM int64 `json:"price_per_cbm_pence" required:"false" minimum:"0" maximum:"10000000" example:"3500" doc:"Price of one cubic metre."`
	CalloutFee  int64 `json:"callout_fee_pence" required:"false" minimum:"0" maximum:"10000000" example:"25000" doc:"Charged once per move."`

	BulkyItemFee         int64 `json:"bulky_item_fee_pence" required:"false" minimum:"0" maximum:"10000000" example:"2500" doc:"Per object heavier than the bulky threshold."`
	BulkyThresholdKg     int64 `json:"bulky_weight_threshold_kg" required:"false" minimum:"0" maximum:"1000000" example:"50" doc:"An object is bulky when it weighs strictly more."`
	FragileItemFee       int64 `json:"fragile_item_fee_pence" required:"false" minimum:"0" maximum:"10000000" example:"1500" doc:"Per fragile object."`
	WeightThresholdKg    int64 `json:"weight_threshold_kg" required:"false" minimum:"0" maximum:"1000000" example:"1000" doc:"Weight of the whole move that is included."`
	PricePerKgOver       int64 `json:"price_per_kg_over_threshold_pence" required:"false" minimum:"0" maximum:"10000000" example:"50" doc:"Per kilogram above the weight threshold."`
	BaseDistanceKm       int64 `json:"base_distance_km" required:"false" minimum:"0" maximum:"1000000" example:"0" doc:"Distance that is included."`
	PricePerKm           int64 `json:"price_per_km_pence" required:"false" minimum:"0" maximum:"10000000" example:"200" doc:"Per kilometre above the included distance."`
	PricePerFloor        int64 `json:"price_per_floor_pence" required:"false" minimum:"0" maximum:"10000000" example:"1500" doc:"Per floor at either place."`
	NoLiftSurcharge      int64 `json:"no_lift_surcharge_pence" required:"false" minimum:"0" maximum:"10000000" example:"5000" doc:"Once per place with floors and no lift."`
	ParkingStreet        int64 `json:"parking_street_fee_pence" required:"false" minimum:"0" maximum:"10000000" example:"2500" doc:"Parking on the street."`
	ParkingPermit        int64 `json:"parking_permit_fee_pence" required:"false" minimum:"0" maximum:"10000000" example:"4000" doc:"Parking in a permit zone."`
	ParkingLimited       int64 `json:"parking_limited_fee_pence" required:"false" minimum:"0" maximum:"10000000" example:"6000" doc:"Limited parking."`
	ParkingPer50m        int64 `json:"parking_distance_per_50m_pence" required:"false" minimum:"0" maximum:"10000000" example:"1000" doc:"Per started 50 m between van and door; not on a driveway."`
	NarrowAccess         int64 `json:"narrow_access_fee_pence" required:"false" minimum:"0" maximum:"10000000" example:"3500" doc:"Once per place with narrow stairs, doorways or hallway."`
	TimeRestriction      int64 `json:"time_restriction_fee_pence" required:"false" minimum:"0" maximum:"10000000" example:"2500" doc:"Per place with time restrictions."`
	BookingRequired      int64 `json:"booking_required_fee_pence" required:"false" minimum:"0" maximum:"10000000" example:"2000" doc:"Per place that must be booked."`
	OutdoorPath          int64 `json:"outdoor_path_fee_pence" required:"false" minimum:"0" maximum:"10000000" example:"2000" doc:"Per place reached by a path or by steps."`
	OutdoorStepsPer5     int64 `json:"outdoor_steps_per_5_pence" required:"false" minimum:"0" maximum:"10000000" example:"1500" doc:"Per started five outdoor steps."`
	SmallBox             int64 `json:"pack1_price_pence" required:"false" minimum:"0" maximum:"10000000" example:"105" doc:"Small box, 18 x 18 x 10 in."`
	MediumBox            int64 `json:"pack2_price_pence" required:"false" minimum:"0" maximum:"10000000" example:"155" doc:"Medium box, 18 x 18 x 20 in."`
	LargeBox             int64 `json:"pack3_price_pence" required:"false" minimum:"0" maximum:"10000000" example:"200" doc:"Large box, 18 x 18 x 30 in."`
	ExtraSmallBox        int64 `json:"pack6_price_pence" required:"false" minimum:"0" maximum:"10000000" example:"105" doc:"Extra small box, 18 x 13 x 13 in. No rule uses it yet."`
	RobeCarton           int64 `json:"robe_carton_price_pence" required:"false" minimum:"0" maximum:"10000000" example:"1000" doc:"Wardrobe carton."`
	MattressCover        int64 `json:"mattress_cover_price_pence" required:"false" minimum:"0" maximum:"10000000" example:"174" doc:"Mattress cover."`
	Tape                 int64 `json:"tape_price_pence" required:"false" minimum:"0" maximum:"10000000" example:"114" doc:"Roll of tape; one per started ten boxes."`
	Paper                int64 `json:"paper_price_pence" required:"false" minimum:"0" maximum:"10000000" example:"750" doc:"Pack of paper; 1.5 per 10 cubic metres."`
	PackingLabourPerHour int64 `json:"packing_labor_per_hour_pence" required:"false" minimum:"0" maximum:"10000000" example:"4000" doc:"Packing service, per hour."`

	LowBP  int64 `json:"estimate_low_bp" required:"false" minimum:"1000" maximum:"30000" example:"9000" doc:"Lower end of the range, basis points of the total."`
	HighBP int64 `json:"estimate_high_bp" required:"false" minimum:"1000" maximum:"30000" example:"12000" doc:"Upper end of the range; more than the lower."`
}

// Default returns the price list a new company starts with.
func Default() Config {
	return Config{
		PricePerCBM: 35_00, CalloutFee: 250_00,
		BulkyItemFee: 25_00, BulkyThresholdKg: 50, FragileItemFee: 15_00,
		WeightThresholdKg: 1000, PricePerKgOver: 50,
		BaseDistanceKm: 0, PricePerKm: 2_00,
		PricePerFloor: 15_00, NoLiftSurcharge: 50_00,
		ParkingStreet: 25_00, ParkingPermit: 40_00, ParkingLimited: 60_00, ParkingPer50m: 10_00,
		NarrowAccess: 35_00, TimeRestriction: 25_00, BookingRequired: 20_00,
		OutdoorPath: 20_00, OutdoorStepsPer5: 15_00,
		SmallBox: 1_05, MediumBox: 1_55, LargeBox: 2_00, ExtraSmallBox: 1_05,
		RobeCarton: 10_00, MattressCover: 1_74, Tape: 1_14, Paper: 7_50,
		PackingLabourPerHour: 40_00,
		LowBP:                9000, HighBP: 12000,
	}
}

// Field is one number of a price list under its public name.
type Field struct {
	Name     string // JSON member and column
	Value    *int64
	Min, Max int64
}

// Fields lists every number of c in a fixed order, so that storage and validation share one
// table. The pointers lead into c.
func (c *Config) Fields() []Field {
	amount := func(name string, v *int64) Field { return Field{name, v, 0, MaxAmount} }
	threshold := func(name string, v *int64) Field { return Field{name, v, 0, MaxThreshold} }
	share := func(name string, v *int64) Field { return Field{name, v, MinRangeBP, MaxRangeBP} }
	return []Field{
		amount("price_per_cbm_pence", &c.PricePerCBM),
		amount("callout_fee_pence", &c.CalloutFee),
		amount("bulky_item_fee_pence", &c.BulkyItemFee),
		threshold("bulky_weight_threshold_kg", &c.BulkyThresholdKg),
		amount("fragile_item_fee_pence", &c.FragileItemFee),
		threshold("weight_threshold_kg", &c.WeightThresholdKg),
		amount("price_per_kg_over_threshold_pence", &c.PricePerKgOver),
		threshold("base_distance_km", &c.BaseDistanceKm),
		amount("price_per_km_pence", &c.PricePerKm),
		amount("price_per_floor_pence", &c.PricePerFloor),
		amount("no_lift_surcharge_pence", &c.NoLiftSurcharge),
		amount("parking_street_fee_pence", &c.ParkingStreet),
		amount("parking_permit_fee_pence", &c.ParkingPermit),
		amount("parking_limited_fee_pence", &c.ParkingLimited),
		amount("parking_distance_per_50m_pence", &c.ParkingPer50m),
		amount("narrow_access_fee_pence", &c.NarrowAccess),
		amount("time_restriction_fee_pence", &c.TimeRestriction),
		amount("booking_required_fee_pence", &c.BookingRequired),
		amount("outdoor_path_fee_pence", &c.OutdoorPath),
		amount("outdoor_steps_per_5_pence", &c.OutdoorStepsPer5),
		amount("pack1_price_pence", &c.SmallBox),
		amount("pack2_price_pence", &c.MediumBox),
		amount("pack3_price_pence", &c.LargeBox),
		amount("pack6_price_pence", &c.ExtraSmallBox),
		amount("robe_carton_price_pence", &c.RobeCarton),
		amount("mattress_cover_price_pence", &c.MattressCover),
		amount("tape_price_pence", &c.Tape),
		amount("paper_price_pence", &c.Paper),
		amount("packing_labor_per_hour_pence", &c.PackingLabourPerHour),
		share("estimate_low_bp", &c.LowBP),
		share("estimate_high_bp", &c.HighBP),
	}
}

// Faults names the fields that are out of range, in the order of [Config.Fields]. A range whose
// lower end is not below its upper end is a fault of estimate_low_bp.
func (c Config) Faults() []string {
	var faults []string
	for _, f := range c.Fields() {
		if *f.Value < f.Min || *f.Value > f.Max {
			faults = append(faults, f.Name)
		}
	}
	if len(faults) == 0 && c.LowBP >= c.HighBP {
		faults = append(faults, "estimate_low_bp")
	}
	return faults
}
