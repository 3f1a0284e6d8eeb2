package visionsim

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
)

// inventory is the answer in the form that package vision asks for.
type inventory struct {
	Summary string `json:"summary"`
	Items   []item `json:"items"`
}

type item struct {
	Name       string  `json:"name"`
	Qty        int     `json:"qty"`
	Length     float64 `json:"length_cm"`
	Width      float64 `json:"width_cm"`
	Height     float64 `json:"height_cm"`
	Weight     float64 `json:"weight_kg"`
	Volume     float64 `json:"volume_m3"`
	Bulky      bool    `json:"bulky"`
	Fragile    bool    `json:"fragile"`
	Category   string  `json:"item_category"`
	Packing    string  `json:"packing_requirement"`
	Group      *string `json:"variant_group"`
	Confidence float64 `json:"confidence"`
	Photos     []int   `json:"photo_indexes"`
	Notes      string  `json:"notes"`
}

// core is how many pieces of a room are on every first picture, so that no room comes out empty.
const core = 4

// survey chooses the furniture. Sizes and quantities depend on the room alone, so that batches of
// one room agree; which picture shows a piece depends on the picture's bytes.
func survey(req *request) inventory {
	room, listed := readData(req.text)
	kind := kindOf(room)
	out := inventory{Summary: kind.summary, Items: []item{}}
	for i, c := range kind.pieces() {
		choice := c.choices[pick(room, c.key, len(c.choices))]
		if listed[strings.ToLower(choice.name)] {
			continue
		}
		var shown []int
		for n, image := range req.images {
			if n == 0 && i < core || pick(string(image), c.key, 100) < 45 {
				shown = append(shown, n+1)
			}
		}
		if len(shown) == 0 {
			continue
		}
		out.Items = append(out.Items, choice.item(c, room, shown))
	}
	return out
}

// item makes one line of the inventory.
func (ch choice) item(c piece, room string, shown []int) item {
	it := item{
		Name: ch.name, Qty: c.min + pick(room, c.key+" quantity", c.max-c.min+1),
		Length: ch.l, Width: ch.w, Height: ch.h, Weight: ch.kg,
		Volume: math.Round(ch.l*ch.w*ch.h/100) / 1e4, Bulky: ch.kg > 50,
		Fragile: c.fragile, Category: c.category, Packing: c.packing,
		Confidence: 0.7 + float64(pick(room, c.key+" confidence", 28))/100,
		Photos:     shown, Notes: c.notes,
	}
	if it.Category == "" {
		it.Category = "furniture"
	}
	if it.Packing == "" {
		it.Packing = "none"
	}
	if c.group != "" {
		it.Group = &c.group
	}
	return it
}

// readData finds the room and the items already listed in the request data of package vision:
// lines of a word, a colon and a JSON string.
func readData(text string) (room string, listed map[string]bool) {
	listed = map[string]bool{}
	for line := range strings.Lines(text) {
		key, rest, ok := strings.Cut(line, ": ")
		if !ok || !strings.HasPrefix(rest, `"`) {
			continue
		}
		var value string
		if json.NewDecoder(strings.NewReader(rest)).Decode(&value) != nil {
			continue
		}
		switch key {
		case "room":
			if room == "" {
				room = value
			}
		case "known", "found":
			listed[strings.ToLower(value)] = true
		}
	}
	return room, listed
}

// pick returns a number in [0, n) that depends on seed and key alone.
func pick(seed, key string, n int) int {
	if n <= 1 {
		return 0
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s", key, seed)
	// FNV mixes its last bytes poorly into the high bits; one multiplication repairs that.
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], h.Sum64()*0x9e3779b97f4a7c15)
	return int(binary.BigEndian.Uint32(b[:4]) % uint32(n))
}
