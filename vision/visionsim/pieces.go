package visionsim

// piece is one kind of object with the usual choices of size.
type piece struct {
	key      string
	min, max int // quantity
	fragile  bool
	category string // default furniture
	packing  string // default none
	group    string // variant group; empty is none
	notes    string
	choices  []choice
}

// choice is one size: length, width and height in cm and the weight of one piece in kg.
type choice struct {
	name        string
	l, w, h, kg float64
}

// The sizes of packed boxes.
func box(kind, name string) []choice {
	switch kind {
	case "small_box":
		return []choice{{name, 45, 35, 30, 18}}
	case "large_box":
		return []choice{{name, 60, 45, 50, 10}}
	case "wardrobe_box":
		return []choice{{name, 50, 48, 120, 15}}
	}
	return []choice{{name, 45, 45, 45, 14}}
}

// goods are loose things that fill minimum to maximum boxes of one kind.
func goods(kind, name string, minimum, maximum int) piece {
	return piece{
		min: minimum, max: maximum, category: "loose_items", packing: kind, choices: box(kind, name),
	}
}

// breakable are loose things that break.
func breakable(p piece) piece {
	p.fragile = true
	return p
}

// pieces returns everything the simulator can find, by key.
func pieces() map[string]piece {
	return map[string]piece{
		"sofa": {min: 1, max: 1, group: "sofa", choices: []choice{
			{"2-seater fabric sofa", 160, 90, 85, 38},
			{"3-seater fabric sofa", 210, 92, 85, 48},
			{"3-seater leather sofa", 210, 92, 85, 48},
			{"Corner sofa", 260, 210, 85, 85},
		}},
		"armchair": {min: 1, max: 2, group: "armchair", choices: []choice{
			{"Fabric armchair", 85, 85, 90, 22}, {"Leather recliner", 95, 92, 102, 40},
		}},
		"coffee table": {min: 1, max: 1, choices: []choice{
			{"Wooden coffee table", 110, 60, 45, 18}, {"Round coffee table", 80, 80, 40, 14},
		}},
		"tv": {min: 1, max: 1, fragile: true, group: "tv", choices: []choice{
			{"50-inch television", 124, 15, 75, 16}, {"65-inch television", 160, 15, 95, 28},
		}},
		"tv stand": {min: 1, max: 1, group: "tv_stand", choices: []choice{
			{"Small TV stand", 100, 40, 50, 16}, {"Wide TV stand", 170, 42, 55, 32},
		}},
		"sideboard": {min: 1, max: 1, group: "sideboard", choices: []choice{
			{"Oak sideboard", 110, 42, 80, 32}, {"Long sideboard", 170, 45, 85, 52},
		}},
		"bookcase": {min: 1, max: 2, group: "bookcase", choices: []choice{
			{"Tall bookcase", 80, 30, 200, 30},
			{"Low bookcase", 80, 30, 100, 16},
			{"Wide bookcase", 150, 38, 200, 55},
		}},
		"rug":        {min: 1, max: 1, notes: "rolled up", choices: []choice{{"Wool rug", 200, 25, 25, 15}}},
		"floor lamp": {min: 1, max: 1, fragile: true, choices: []choice{{"Floor lamp", 40, 40, 160, 5}}},
		"table lamp": {min: 1, max: 2, fragile: true, packing: "medium_box", choices: []choice{
			{"Bedside lamp", 25, 25, 45, 2},
		}},
		"lamp": {min: 1, max: 1, fragile: true, packing: "medium_box", choices: []choice{
			{"Adjustable lamp", 30, 25, 55, 2},
		}},
		"plant": {min: 1, max: 3, fragile: true, choices: []choice{{"Potted plant", 35, 35, 90, 8}}},
		"pictures": {min: 2, max: 5, fragile: true, packing: "medium_box", choices: []choice{
			{"Framed picture", 70, 5, 50, 3},
		}},
		"mirror": {min: 1, max: 1, fragile: true, choices: []choice{
			{"Wall mirror", 80, 5, 120, 12}, {"Full-length mirror", 50, 5, 160, 10},
		}},
		"bed": {min: 1, max: 1, group: "bed", notes: "to be taken apart", choices: []choice{
			{"Double bed frame", 200, 143, 45, 38},
			{"King size bed frame", 210, 158, 45, 45},
			{"Single bed frame", 200, 98, 45, 28},
		}},
		"mattress": {
			min: 1, max: 1, category: "mattress", packing: "mattress_cover", group: "mattress",
			choices: []choice{{"Double mattress", 190, 135, 24, 26}, {"King size mattress", 200, 150, 25, 32}},
		},
		"wardrobe": {
			min: 1, max: 1, category: "wardrobe", group: "wardrobe", notes: "doors come off",
			choices: []choice{{"Double wardrobe", 110, 58, 195, 75}, {"Single wardrobe", 62, 56, 195, 45}},
		},
		"hanging clothes": goods("wardrobe_box", "Hanging clothes", 1, 3),
		"folded clothes":  goods("medium_box", "Folded clothes", 1, 3),
		"bedding":         goods("large_box", "Duvets and pillows", 1, 2),
		"cushions":        goods("large_box", "Sofa cushions", 1, 1),
		"towels":          goods("medium_box", "Towels and linen", 1, 1),
		"toiletries":      goods("small_box", "Toiletries", 1, 1),
		"shoes":           goods("medium_box", "Shoes", 1, 2),
		"books":           goods("small_box", "Books", 2, 6),
		"tools":           goods("small_box", "Hand tools", 1, 3),
		"camping":         goods("large_box", "Camping equipment", 1, 2),
		"crockery":        breakable(goods("medium_box", "Crockery", 2, 4)),
		"glasses":         breakable(goods("medium_box", "Drinking glasses", 1, 2)),
		"pans":            goods("medium_box", "Pots and pans", 1, 2),
		"dry food":        goods("medium_box", "Dry food", 1, 3),
		"cutlery":         goods("medium_box", "Cutlery and utensils", 1, 1),
		"cleaning":        goods("medium_box", "Cleaning things from under the sink", 1, 1),
		"boxes": {min: 2, max: 8, category: "already_boxed", choices: []choice{
			{"Packed moving box", 45, 45, 45, 14},
		}},
		"bedside table": {min: 1, max: 2, choices: []choice{{"Bedside table", 45, 40, 55, 9}}},
		"drawers": {min: 1, max: 1, group: "drawers", choices: []choice{
			{"5-drawer chest of drawers", 80, 45, 115, 38}, {"3-drawer chest of drawers", 80, 45, 75, 28},
		}},
		"dining table": {min: 1, max: 1, group: "dining_table", choices: []choice{
			{"6-seat dining table", 160, 90, 75, 38}, {"4-seat dining table", 120, 80, 75, 28},
		}},
		"kitchen table": {min: 1, max: 1, group: "dining_table", choices: []choice{
			{"Small kitchen table", 75, 75, 75, 16}, {"4-seat kitchen table", 120, 80, 75, 28},
		}},
		"dining chair": {min: 4, max: 6, group: "dining_chair", choices: []choice{
			{"Wooden dining chair", 46, 50, 92, 6}, {"Upholstered dining chair", 56, 58, 96, 9},
		}},
		"fridge": {min: 1, max: 1, group: "fridge", choices: []choice{
			{"Fridge freezer", 60, 66, 180, 68}, {"Under-counter fridge", 55, 58, 85, 32},
		}},
		"freezer": {min: 1, max: 1, group: "fridge", choices: []choice{{"Chest freezer", 95, 60, 85, 42}}},
		"washer": {min: 1, max: 1, group: "washer", choices: []choice{
			{"Washing machine", 60, 60, 85, 68}, {"Washer dryer", 60, 62, 85, 74},
		}},
		"microwave": {min: 1, max: 1, fragile: true, packing: "medium_box", choices: []choice{
			{"Microwave oven", 50, 38, 30, 13},
		}},
		"bin":  {min: 1, max: 1, choices: []choice{{"Pedal bin", 35, 30, 65, 4}}},
		"desk": {min: 1, max: 1, group: "desk", choices: []choice{{"Large desk", 160, 75, 75, 36}, {"Small desk", 100, 50, 75, 18}}},
		"office chair": {min: 1, max: 1, choices: []choice{
			{"Swivel office chair", 65, 65, 110, 15},
		}},
		"computer": {min: 1, max: 1, fragile: true, packing: "medium_box", choices: []choice{
			{"Computer with monitor", 60, 45, 50, 14},
		}},
		"printer": {min: 1, max: 1, fragile: true, packing: "medium_box", choices: []choice{
			{"Printer", 45, 40, 25, 8},
		}},
		"filing cabinet": {min: 1, max: 1, choices: []choice{{"Steel filing cabinet", 47, 62, 130, 55}}},
		"globe":          {min: 1, max: 1, fragile: true, choices: []choice{{"Globe on a stand", 45, 45, 95, 6}}},
		"console table":  {min: 1, max: 1, choices: []choice{{"Console table", 100, 35, 80, 15}}},
		"coat stand":     {min: 1, max: 1, choices: []choice{{"Coat stand", 45, 45, 180, 6}}},
		"shoe rack":      {min: 1, max: 1, choices: []choice{{"Shoe rack", 80, 30, 60, 7}}},
		"umbrella stand": {min: 1, max: 1, choices: []choice{{"Umbrella stand", 25, 25, 55, 3}}},
		"bath cabinet":   {min: 1, max: 1, choices: []choice{{"Free-standing bathroom cabinet", 40, 35, 120, 18}}},
		"bath mirror": {min: 1, max: 1, fragile: true, choices: []choice{
			{"Bathroom mirror", 60, 5, 80, 7},
		}},
		"laundry basket": {min: 1, max: 1, choices: []choice{{"Laundry basket", 45, 35, 60, 3}}},
		"scales": {min: 1, max: 1, fragile: true, packing: "small_box", choices: []choice{
			{"Bathroom scales", 32, 32, 5, 2},
		}},
		"bicycle":      {min: 1, max: 2, choices: []choice{{"Bicycle", 175, 60, 105, 15}}},
		"shelving":     {min: 1, max: 2, group: "bookcase", choices: []choice{{"Metal shelving unit", 90, 40, 180, 18}}},
		"ladder":       {min: 1, max: 1, choices: []choice{{"Step ladder", 180, 50, 15, 9}}},
		"mower":        {min: 1, max: 1, choices: []choice{{"Lawn mower", 130, 45, 100, 24}}},
		"workbench":    {min: 1, max: 1, choices: []choice{{"Workbench", 150, 60, 85, 58}}},
		"suitcase":     {min: 1, max: 3, category: "already_boxed", choices: []choice{{"Suitcase", 75, 50, 30, 12}}},
		"garden table": {min: 1, max: 1, choices: []choice{{"Garden table", 140, 80, 74, 18}}},
		"garden chair": {min: 2, max: 4, choices: []choice{{"Folding garden chair", 55, 15, 95, 4}}},
		"plant pots":   {min: 2, max: 4, fragile: true, choices: []choice{{"Large plant pot", 40, 40, 45, 12}}},
	}
}
