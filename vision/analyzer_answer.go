package vision

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// answer is a model's answer in our terms.
type answer struct {
	summary  string
	items    []Item
	nameless int
}

// wireItem is one item as it comes. Pointers tell a missing value from a zero.
type wireItem struct {
	Name         *string   `json:"name"`
	Qty          *float64  `json:"qty"`
	LengthCM     *float64  `json:"length_cm"`
	WidthCM      *float64  `json:"width_cm"`
	HeightCM     *float64  `json:"height_cm"`
	WeightKG     *float64  `json:"weight_kg"`
	VolumeM3     *float64  `json:"volume_m3"`
	Fragile      bool      `json:"fragile"`
	Category     string    `json:"item_category"`
	Packing      string    `json:"packing_requirement"`
	VariantGroup string    `json:"variant_group"`
	Confidence   float64   `json:"confidence"`
	PhotoIndexes []float64 `json:"photo_indexes"`
	Notes        string    `json:"notes"`
}

// maxViolations bounds the list that is sent back to the model.
const maxViolations = 20

// parseAnswer reads an answer about the photos with the given IDs. Violations of the form are
// returned for a repair turn; values that are merely out of range are corrected and flagged.
func parseAnswer(content string, ids []string, l ItemLimits) (answer, []string) {
	var top struct {
		Summary string             `json:"summary"`
		Items   *[]json.RawMessage `json:"items"`
	}
	if err := decodeJSON([]byte(unfenced(content)), &top); err != nil {
		return answer{}, []string{violation("the answer", err)}
	}
	if top.Items == nil {
		return answer{}, []string{"items is missing"}
	}
	var violations []string
	a := answer{summary: modelText(top.Summary, l.MaxSummary)}
	for i, raw := range *top.Items {
		at := fmt.Sprintf("items[%d]", i)
		var w wireItem
		err := decodeJSON(raw, &w)
		switch {
		case err != nil:
			violations = append(violations, violation(at, err))
		case w.Name == nil:
			violations = append(violations, at+".name is missing")
		case w.Qty == nil:
			violations = append(violations, at+".qty is missing")
		case modelText(*w.Name, l.MaxName) == "":
			a.nameless++
		default:
			a.items = append(a.items, w.item(ids, l))
		}
		if len(violations) == maxViolations {
			break
		}
	}
	return a, violations
}

// unfenced removes a Markdown code fence, which models without a schema like to add.
func unfenced(content string) string {
	content = strings.TrimSpace(content)
	if rest, ok := strings.CutPrefix(content, "```"); ok {
		_, rest, _ = strings.Cut(rest, "\n")
		content = strings.TrimSuffix(strings.TrimSpace(rest), "```")
	}
	return content
}

// decodeJSON reads exactly one JSON value.
func decodeJSON(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the JSON value")
	}
	return nil
}

// violation describes a decoding error without quoting the answer.
func violation(at string, err error) string {
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		if typ.Field != "" {
			at += "." + typ.Field
		}
		return fmt.Sprintf("%s must not be a JSON %s", at, strings.Fields(typ.Value)[0])
	}
	if errors.Is(err, io.EOF) {
		return at + " is empty"
	}
	return at + " is not valid JSON"
}

// item turns an item as it came into one that keeps every promise of [Item].
func (w *wireItem) item(ids []string, l ItemLimits) Item {
	it := Item{Fragile: w.Fragile}
	it.Name = w.text(&it, *w.Name, l.MaxName)
	it.Notes = w.text(&it, w.Notes, l.MaxNotes)
	it.Quantity = int(w.clamp(&it, *w.Qty, 1, float64(l.MaxQuantity)))
	if float64(it.Quantity) != *w.Qty {
		it.flag(FlagClamped)
	}
	it.Confidence = w.clamp(&it, w.Confidence, 0, 1)
	it.LengthCM = w.inRange(&it, w.LengthCM, l.MinSideCM, l.MaxSideCM)
	it.WidthCM = w.inRange(&it, w.WidthCM, l.MinSideCM, l.MaxSideCM)
	it.HeightCM = w.inRange(&it, w.HeightCM, l.MinSideCM, l.MaxSideCM)
	it.WeightKG = w.inRange(&it, w.WeightKG, 0, l.MaxWeightKG)
	it.setVolume(w.VolumeM3, l)
	it.setKind(w)
	for _, n := range w.PhotoIndexes {
		i := int(n) - 1
		if n >= 1 && n <= float64(len(ids)) && !slices.Contains(it.PhotoIDs, ids[i]) {
			it.PhotoIDs = append(it.PhotoIDs, ids[i])
		}
	}
	if len(it.PhotoIDs) == 0 {
		it.flag(FlagNoEvidence)
	}
	if it.Confidence < 0.5 {
		it.flag(FlagLowConfidence)
	}
	slices.SortFunc(it.PhotoIDs, func(a, b string) int {
		return slices.Index(ids, a) - slices.Index(ids, b)
	})
	return it
}

// setVolume computes the volume from the lengths where it can, as a figure of the model would be
// an open door to the price.
func (it *Item) setVolume(claimed *float64, l ItemLimits) {
	if it.LengthCM != nil && it.WidthCM != nil && it.HeightCM != nil {
		v := volumeM3(*it.LengthCM, *it.WidthCM, *it.HeightCM)
		it.VolumeM3 = &v
		if claimed != nil && math.Abs(*claimed-v) > 0.1*v+0.0001 {
			it.flag(FlagVolumeRecomputed)
		}
	} else if claimed != nil {
		if v := math.Round(*claimed*1e4) / 1e4; v > 0 && v <= l.MaxVolumeM3 {
			it.VolumeM3 = &v
		} else {
			it.flag(FlagUnknownSize)
		}
	}
	if it.VolumeM3 == nil {
		return
	}
	if v := *it.VolumeM3; v > l.MaxVolumeM3 ||
		it.WeightKG != nil && (*it.WeightKG < 5*v || *it.WeightKG > 2000*v) {
		it.flag(FlagSuspicious)
	}
}

// setKind fills in category, packing and variant group.
func (it *Item) setKind(w *wireItem) {
	it.Category, it.Packing = Category(w.Category), Packing(w.Packing)
	if !slices.Contains(Categories(), it.Category) {
		it.Category = CategoryFurniture
		it.flag(FlagDefaulted)
	}
	if !slices.Contains(Packings(), it.Packing) {
		it.Packing = PackingNone
		it.flag(FlagDefaulted)
	}
	if g, ok := MatchVariant(it.Name); ok {
		it.Variant = g.Key
		return
	}
	if slices.ContainsFunc(variantTable(), func(g VariantGroup) bool { return g.Key == w.VariantGroup }) {
		it.Variant = w.VariantGroup
	}
}

// text cleans a text of the model and flags the item when it was too long.
func (w *wireItem) text(it *Item, text string, limit int) string {
	cleaned := modelText(text, limit+1)
	if utf8.RuneCountInString(cleaned) > limit {
		it.flag(FlagClamped)
		return modelText(text, limit)
	}
	return cleaned
}

func (w *wireItem) clamp(it *Item, v, lo, hi float64) float64 {
	if v < lo || v > hi {
		it.flag(FlagClamped)
	}
	return min(max(v, lo), hi)
}

func (w *wireItem) inRange(it *Item, v *float64, lo, hi float64) *float64 {
	if v == nil || *v >= lo && *v <= hi {
		return v
	}
	it.flag(FlagUnknownSize)
	return nil
}

// modelText makes text of a model fit for display: printable, on one line, without the brackets
// that would start markup, bounded.
func modelText(text string, limit int) string {
	return cleanText(strings.NewReplacer("<", " ", ">", " ").Replace(text), limit)
}

// volumeM3 returns a volume in cubic metres from lengths in centimetres, rounded half up to 0.0001
// and never 0: a thing that exists takes some room in the van.
func volumeM3(l, w, h float64) float64 {
	return max(math.Floor(l*w*h/100+0.5), 1) / 1e4
}
