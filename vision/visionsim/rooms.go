package visionsim

import "strings"

// roomKind is a kind of room with what it usually holds.
type roomKind struct {
	words   []string // in a room's name, lower case
	summary string
	keys    []string // of pieces, the surest first
}

// kinds returns the kinds in the order they are tried: "home office" is an office, "garden shed" a
// shed, and only then is a garden outside.
func kinds() []roomKind {
	return []roomKind{
		{
			[]string{"whole", "property", "entire", "flat", "apartment", "all rooms"},
			"A furnished home, photographed room by room.",
			[]string{
				"sofa", "bed", "mattress", "dining table", "dining chair", "tv", "wardrobe",
				"hanging clothes", "fridge", "washer", "bookcase", "books", "crockery", "pans", "armchair",
				"coffee table", "drawers", "bedding", "desk", "mirror", "plant", "boxes", "bicycle",
			},
		},
		{
			[]string{"office", "study", "library", "work room", "workroom"},
			"A study with a desk and well-filled shelves.",
			[]string{
				"desk", "office chair", "bookcase", "books", "computer", "filing cabinet", "lamp",
				"pictures", "armchair", "printer", "globe", "rug",
			},
		},
		{
			[]string{"garage", "shed", "cellar", "basement", "loft", "attic", "storage", "workshop"},
			"A storage space with tools and packed boxes.",
			[]string{
				"bicycle", "shelving", "tools", "boxes", "ladder", "mower", "freezer", "workbench",
				"suitcase", "camping",
			},
		},
		{
			[]string{"kitchen", "utility", "pantry"},
			"A fitted kitchen with free-standing appliances.",
			[]string{
				"fridge", "kitchen table", "crockery", "pans", "washer", "dining chair", "microwave",
				"glasses", "dry food", "cutlery", "cleaning", "bin",
			},
		},
		{
			[]string{"bath", "shower", "toilet", "wc", "ensuite", "en-suite", "washroom"},
			"A bathroom; the fixed fittings stay.",
			[]string{"bath cabinet", "laundry basket", "towels", "toiletries", "bath mirror", "scales"},
		},
		{
			[]string{"bedroom", "bed room", "nursery", "guest room", "master"},
			"A bedroom with a bed, storage and linen.",
			[]string{
				"bed", "mattress", "wardrobe", "bedside table", "hanging clothes", "drawers", "bedding",
				"mirror", "table lamp", "folded clothes", "pictures", "laundry basket",
			},
		},
		{
			[]string{"outside", "exterior", "street", "facade", "front of", "driveway", "view"},
			"The outside of a building; nothing to move is visible.", nil,
		},
		{
			[]string{"garden", "patio", "terrace", "balcony", "yard"},
			"An outdoor area with a little garden furniture.",
			[]string{"garden table", "garden chair", "plant pots"},
		},
		{
			[]string{"dining"},
			"A dining room set for several people.",
			[]string{
				"dining table", "dining chair", "sideboard", "glasses", "pictures", "rug", "crockery",
				"floor lamp", "plant",
			},
		},
		{
			[]string{"hall", "landing", "entrance", "corridor", "stairs", "porch"},
			"A hallway with coats, shoes and a mirror.",
			[]string{
				"console table", "mirror", "coat stand", "shoe rack", "shoes", "pictures", "rug",
				"umbrella stand",
			},
		},
		{
			[]string{"living", "lounge", "sitting", "family", "tv room", "snug"},
			"A living room with seating around a television.",
			[]string{
				"sofa", "tv", "tv stand", "coffee table", "armchair", "rug", "bookcase", "books",
				"floor lamp", "plant", "pictures", "sideboard", "cushions",
			},
		},
	}
}

// kindOf finds the kind of a room by its name; a name that says nothing gets a mixed room.
func kindOf(room string) roomKind {
	room = strings.ToLower(room)
	for _, k := range kinds() {
		for _, w := range k.words {
			if strings.Contains(room, w) {
				return k
			}
		}
	}
	return roomKind{
		summary: "A room with mixed furniture.",
		keys: []string{
			"armchair", "drawers", "bookcase", "books", "floor lamp", "pictures", "rug",
			"plant", "boxes",
		},
	}
}

// pieces returns what the kind of room may hold.
func (k roomKind) pieces() []piece {
	all := pieces()
	out := make([]piece, 0, len(k.keys))
	for _, key := range k.keys {
		p := all[key]
		p.key = key
		out = append(out, p)
	}
	return out
}
