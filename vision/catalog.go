package vision

import (
	"strings"
	"unicode"
)

// VariantGroup is one kind of furniture that comes in a few usual sizes, offered to the customer
// as a multiple choice.
type VariantGroup struct {
	// Key names the group and is stable over releases: "sofa", "tv_stand".
	Key string
	// Keywords are the words a detected name is matched by, in lower case and singular where the
	// singular is usual.
	Keywords []string
	// Variants are the choices, smallest first.
	Variants []Variant
}

// Variant is one usual size of a [VariantGroup]. Sizes and weights are typical figures, not those
// of a maker.
type Variant struct {
	// ID is unique over all groups and stable over releases: "sofa_2_seat".
	ID string
	// Group is the key of the group.
	Group string
	// Label tells the variants of one group apart: "2-seat".
	Label string
	// Name is a complete item name: "2-seat sofa".
	Name string
	// LengthCM, WidthCM and HeightCM are the outer sizes in centimetres, WeightKG the weight of
	// one piece in kilograms.
	LengthCM, WidthCM, HeightCM, WeightKG int
}

// VolumeM3 returns the volume of one piece in cubic metres, rounded to 0.0001.
func (v Variant) VolumeM3() float64 {
	return volumeM3(float64(v.LengthCM), float64(v.WidthCM), float64(v.HeightCM))
}

// Variants returns the catalogue: 15 groups with 47 variants, in table order. The slice belongs to
// the caller.
func Variants() []VariantGroup { return variantTable() }

// VariantByID returns the variant with that id; ok is false when there is none.
func VariantByID(id string) (v Variant, ok bool) {
	for _, g := range variantTable() {
		for _, v := range g.Variants {
			if v.ID == id {
				return v, true
			}
		}
	}
	return Variant{}, false
}

// MatchVariant returns the group whose longest keyword occurs in name as whole words, so "sofa bed"
// is a sofa, "bedside table" is no bed and "dishwasher" no washer. Case, punctuation and a plural
// of the last letters do not matter. Two keywords of one length are decided by table order. A name
// that holds no keyword returns ok false. The cost is linear in the length of name, of which only
// the first 1,000 bytes count.
func MatchVariant(name string) (group VariantGroup, ok bool) {
	words := nameWords(name)
	best := 0
	for _, g := range variantTable() {
		for _, keyword := range g.Keywords {
			if len(keyword) > best && containsWords(words, nameWords(keyword)) {
				best, group, ok = len(keyword), g, true
			}
		}
	}
	return group, ok
}

// maxMatchBytes bounds the work on a hostile name; real ones are cut far below it.
const maxMatchBytes = 1000

// nameWords splits a name into lower-case singular words.
func nameWords(name string) []string {
	if len(name) > maxMatchBytes {
		name = name[:maxMatchBytes]
	}
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	for i, w := range words {
		words[i] = singular(w)
	}
	return words
}

// singular folds the regular English plurals. It need not be right for every noun: both sides of
// a comparison go through it, so it only has to map the two forms of a word to one.
func singular(w string) string {
	for _, ending := range []string{"sses", "shes", "ches", "xes"} {
		if strings.HasSuffix(w, ending) {
			return w[:len(w)-2]
		}
	}
	switch {
	case len(w) < 3 || strings.HasSuffix(w, "ss"):
		return w
	case len(w) > 4 && strings.HasSuffix(w, "ies"):
		return w[:len(w)-3] + "y"
	case len(w) > 4 && strings.HasSuffix(w, "lves"):
		return w[:len(w)-3] + "f"
	case strings.HasSuffix(w, "s"):
		return w[:len(w)-1]
	}
	return w
}

// containsWords reports whether part occurs in words as one consecutive run.
func containsWords(words, part []string) bool {
	for i := 0; i+len(part) <= len(words); i++ {
		match := true
		for j, w := range part {
			if words[i+j] != w {
				match = false
				break
			}
		}
		if match {
			return true
		}
	}
	return false
}
