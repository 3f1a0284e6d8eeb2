package pricing

// Survey is what a quote is made from.
type Survey struct {
	Rooms []Room

	// Pickup and Dropoff are nil while unknown; the distance then costs nothing.
	Pickup, Dropoff *Point

	// PickupAccess and DropoffAccess are nil while unknown, which costs nothing.
	PickupAccess, DropoffAccess *Access

	// CustomerProvidesPacking makes materials free of charge. They are still counted.
	CustomerProvidesPacking bool
}

// Room is a room and what stands in it.
type Room struct {
	// Name decides how fast the room is packed: kitchens take longer.
	Name string

	// Pack asks for the packing service in this room.
	Pack bool

	Items []Item
}

// Item is one row of the inventory.
type Item struct {
	Qty     int64
	Volume  int64 // of one piece, 0.0001 m³; 0 when unknown
	Weight  int64 // of one piece, grams; 0 when unknown
	Fragile bool
	Packing Packing
}

// Packing says what an item is packed in.
type Packing string

// The packing requirements. Anything else counts as PackNone.
const (
	PackNone          Packing = "none"
	PackSmallBox      Packing = "small_box"
	PackMediumBox     Packing = "medium_box"
	PackLargeBox      Packing = "large_box"
	PackWardrobeBox   Packing = "wardrobe_box"
	PackRobeCarton    Packing = "robe_carton" // another name of PackWardrobeBox
	PackMattressCover Packing = "mattress_cover"
)

// Point is a place on Earth in degrees.
type Point struct{ Lat, Lng float64 }

// Access describes how a place is reached.
type Access struct {
	Floors          int64
	HasLift         bool
	Parking         Parking
	ParkingDistance int64 // metres between van and door
	Restrictions    []Restriction
	Outdoor         Outdoor
	OutdoorSteps    int64
}

// Parking is where the van stands.
type Parking string

// The kinds of parking. Anything else is free, as Driveway is.
const (
	Driveway   Parking = "driveway"
	Street     Parking = "street"
	PermitZone Parking = "permit_zone"
	Limited    Parking = "limited"
)

// Restriction is something that makes access harder.
type Restriction string

// The restrictions. Repeated and unknown ones cost nothing more.
const (
	NarrowStairs     Restriction = "narrow_stairs"
	NarrowDoorways   Restriction = "narrow_doorways"
	NarrowHallway    Restriction = "narrow_hallway"
	TimeRestrictions Restriction = "time_restrictions"
	BookingRequired  Restriction = "booking_required"
)

// Outdoor is the way between street and door.
type Outdoor string

// The ways from the street to the door.
const (
	Direct Outdoor = "direct"
	Path   Outdoor = "path"
	Steps  Outdoor = "steps"
)
