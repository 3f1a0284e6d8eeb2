package vision

import "slices"

// Category says how an item is handled on moving day.
type Category string

// The categories. A value the model invents becomes [CategoryFurniture] with [FlagDefaulted].
const (
	CategoryFurniture    Category = "furniture"
	CategoryLooseItems   Category = "loose_items"
	CategoryWardrobe     Category = "wardrobe"
	CategoryMattress     Category = "mattress"
	CategoryAlreadyBoxed Category = "already_boxed"
)

// Packing is the packing material that one piece of an item needs.
type Packing string

// The packing requirements. A value the model invents becomes [PackingNone] with [FlagDefaulted].
const (
	PackingNone          Packing = "none"
	PackingSmallBox      Packing = "small_box"
	PackingMediumBox     Packing = "medium_box"
	PackingLargeBox      Packing = "large_box"
	PackingWardrobeBox   Packing = "wardrobe_box"
	PackingMattressCover Packing = "mattress_cover"
)

// Categories returns all categories in a fixed order.
func Categories() []Category {
	return []Category{
		CategoryFurniture, CategoryLooseItems, CategoryWardrobe, CategoryMattress, CategoryAlreadyBoxed,
	}
}

// Packings returns all packing requirements in a fixed order.
func Packings() []Packing {
	return []Packing{
		PackingNone, PackingSmallBox, PackingMediumBox, PackingLargeBox, PackingWardrobeBox,
		PackingMattressCover,
	}
}

// Flag marks an item that was corrected or that a person should look at.
type Flag string

// The flags.
const (
	// FlagClamped: a quantity, confidence or text was out of range and cut to the limit.
	FlagClamped Flag = "clamped"
	// FlagUnknownSize: a size, weight or volume was out of range and is now unknown.
	FlagUnknownSize Flag = "unknown_size"
	// FlagVolumeRecomputed: the model's volume was over a tenth off its own three lengths.
	FlagVolumeRecomputed Flag = "volume_recomputed"
	// FlagDefaulted: the category or packing requirement was none of ours.
	FlagDefaulted Flag = "defaulted"
	// FlagNoEvidence: no photo of the request is cited for the item.
	FlagNoEvidence Flag = "no_evidence"
	// FlagLowConfidence: the confidence is below 0.5.
	FlagLowConfidence Flag = "low_confidence"
	// FlagSuspicious: the volume exceeds the limit for one piece, or the weight does not fit the
	// volume (under 5 or over 2,000 kg per cubic metre).
	FlagSuspicious Flag = "suspicious"
	// FlagMerged: several batches of photos reported the item; the quantity is the largest.
	FlagMerged Flag = "merged"
	// FlagKnown: an item of the same name is among [Request.Known], so it may be counted twice.
	FlagKnown Flag = "known"
)

// Item is one kind of thing to be moved. All figures are for one piece; totals are times Quantity.
// A nil size, weight or volume is unknown, never zero.
type Item struct {
	Name     string // 1 to 120 printable characters
	Quantity int    // 1 to 200; boxes for loose goods

	LengthCM, WidthCM, HeightCM *float64 // 1 to 1,000 cm
	WeightKG                    *float64 // 0 to 2,000 kg
	// VolumeM3 is length times width times height when all three are known, whatever the model
	// says; otherwise the model's figure when it is over 0 and at most 20. Rounded to 0.0001.
	VolumeM3 *float64

	Category Category
	Packing  Packing
	// Variant is the key of a [VariantGroup], or empty. It is the group that [MatchVariant] finds
	// for Name, or else the one the model named.
	Variant string
	Fragile bool
	// Confidence is the model's own estimate, 0 to 1. It orders items for review; it is not a
	// calibrated probability.
	Confidence float64
	PhotoIDs   []string // the photos of the request that show the item, in request order
	Notes      string   // at most 300 printable characters
	Flags      []Flag   // each at most once; empty for most items
}

// Has reports whether the item carries the flag.
func (it *Item) Has(f Flag) bool { return slices.Contains(it.Flags, f) }

func (it *Item) flag(f Flag) {
	if !it.Has(f) {
		it.Flags = append(it.Flags, f)
	}
}

// Room is what was found in one room.
type Room struct {
	Name    string // the room as the request names it
	Summary string // one short sentence by the model, at most 300 characters; may be empty
	Items   []Item // in the order of their first report
}

// ItemLimits bounds what a model may report. The zero value of each field is its default; there is
// no way to switch a bound off.
type ItemLimits struct {
	MaxName     int     // Longest name in runes. Default 120.
	MaxQuantity int     // Largest quantity. Default 200.
	MinSideCM   float64 // Shortest length, width or height. Default 1.
	MaxSideCM   float64 // Longest length, width or height. Default 1,000.
	MaxWeightKG float64 // Heaviest piece. Default 2,000.
	MaxVolumeM3 float64 // Largest piece. Default 20.
	MaxNotes    int     // Longest notes in runes. Default 300.
	MaxSummary  int     // Longest summary of a room in runes. Default 300.
	MaxItems    int     // Most items of one room; later ones are dropped with a warning. Default 300.
}

func (l ItemLimits) withDefaults() ItemLimits {
	l.MaxName = orDefault(l.MaxName, 120)
	l.MaxQuantity = orDefault(l.MaxQuantity, 200)
	l.MinSideCM = orDefault(l.MinSideCM, 1)
	l.MaxSideCM = orDefault(l.MaxSideCM, 1000)
	l.MaxWeightKG = orDefault(l.MaxWeightKG, 2000)
	l.MaxVolumeM3 = orDefault(l.MaxVolumeM3, 20)
	l.MaxNotes = orDefault(l.MaxNotes, 300)
	l.MaxSummary = orDefault(l.MaxSummary, 300)
	l.MaxItems = orDefault(l.MaxItems, 300)
	return l
}

func orDefault[T int | float64](value, def T) T {
	if value == 0 {
		return def
	}
	return value
}
