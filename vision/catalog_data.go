package vision

// variantTable is the catalogue as data. It is built anew for each caller, so nobody can change it
// under another one; that takes a few microseconds.
func variantTable() []VariantGroup {
	return []VariantGroup{
		{Key: "sofa", Keywords: []string{"sofa", "couch", "settee"}, Variants: []Variant{
			{"sofa_2_seat", "sofa", "2-seat", "2-seat sofa", 160, 90, 85, 38},
			{"sofa_3_seat", "sofa", "3-seat", "3-seat sofa", 210, 92, 85, 48},
			{"sofa_4_seat", "sofa", "4-seat", "4-seat sofa", 255, 95, 85, 60},
			{"sofa_corner", "sofa", "corner", "Corner sofa", 260, 210, 85, 85},
			{"sofa_bed", "sofa", "sofa bed", "Sofa bed", 200, 95, 88, 70},
		}},
		{Key: "armchair", Keywords: []string{"armchair", "recliner"}, Variants: []Variant{
			{"armchair", "armchair", "armchair", "Armchair", 85, 85, 90, 22},
			{"armchair_recliner", "armchair", "recliner", "Recliner", 95, 92, 102, 40},
		}},
		{Key: "wardrobe", Keywords: []string{"wardrobe"}, Variants: []Variant{
			{"wardrobe_single", "wardrobe", "single", "Single wardrobe", 62, 56, 195, 45},
			{"wardrobe_double", "wardrobe", "double", "Double wardrobe", 110, 58, 195, 75},
			{"wardrobe_triple", "wardrobe", "triple", "Triple wardrobe", 165, 60, 200, 105},
			{"wardrobe_sliding", "wardrobe", "sliding", "Sliding wardrobe", 200, 66, 215, 130},
		}},
		{Key: "bed", Keywords: []string{"bed", "bed frame", "divan"}, Variants: []Variant{
			{"bed_single", "bed", "single", "Single bed", 200, 98, 45, 28},
			{"bed_double", "bed", "double", "Double bed", 200, 143, 45, 38},
			{"bed_king", "bed", "king", "King bed", 210, 158, 45, 45},
			{"bed_super_king", "bed", "super king", "Super king bed", 210, 188, 45, 55},
		}},
		{Key: "mattress", Keywords: []string{"mattress"}, Variants: []Variant{
			{"mattress_single", "mattress", "single", "Single mattress", 190, 90, 22, 16},
			{"mattress_double", "mattress", "double", "Double mattress", 190, 135, 24, 26},
			{"mattress_king", "mattress", "king", "King mattress", 200, 150, 25, 32},
			{"mattress_super_king", "mattress", "super king", "Super king mattress", 200, 180, 25, 40},
		}},
		{Key: "dining_table", Keywords: []string{"dining table", "kitchen table"}, Variants: []Variant{
			{"dining_table_2_seat", "dining_table", "2-seat", "2-seat dining table", 75, 75, 75, 16},
			{"dining_table_4_seat", "dining_table", "4-seat", "4-seat dining table", 120, 80, 75, 28},
			{"dining_table_6_seat", "dining_table", "6-seat", "6-seat dining table", 160, 90, 75, 38},
			{"dining_table_8_seat", "dining_table", "8-seat", "8-seat dining table", 200, 100, 75, 50},
		}},
		{Key: "dining_chair", Keywords: []string{"dining chair"}, Variants: []Variant{
			{"dining_chair_plain", "dining_chair", "plain", "Plain dining chair", 46, 50, 92, 6},
			{"dining_chair_upholstered", "dining_chair", "upholstered", "Upholstered dining chair", 56, 58, 96, 9},
		}},
		{Key: "desk", Keywords: []string{"desk"}, Variants: []Variant{
			{"desk_small", "desk", "small", "Small desk", 100, 50, 75, 18},
			{"desk_large", "desk", "large", "Large desk", 160, 75, 75, 36},
			{"desk_corner", "desk", "corner", "Corner desk", 160, 120, 75, 45},
		}},
		{Key: "drawers", Keywords: []string{"drawers", "dresser"}, Variants: []Variant{
			{"drawers_3_drawer", "drawers", "3-drawer", "3-drawer chest of drawers", 80, 45, 75, 28},
			{"drawers_5_drawer", "drawers", "5-drawer", "5-drawer chest of drawers", 80, 45, 115, 38},
			{"drawers_wide", "drawers", "wide", "Wide chest of drawers", 140, 48, 80, 48},
		}},
		{Key: "bookcase", Keywords: []string{"bookcase", "bookshelf", "shelving"}, Variants: []Variant{
			{"bookcase_low", "bookcase", "low", "Low bookcase", 80, 30, 100, 16},
			{"bookcase_tall", "bookcase", "tall", "Tall bookcase", 80, 30, 200, 30},
			{"bookcase_wide", "bookcase", "wide", "Wide bookcase", 150, 38, 200, 55},
		}},
		{Key: "tv", Keywords: []string{"tv", "television"}, Variants: []Variant{
			{"tv_to_40_in", "tv", "to 40 in", "TV, to 40 inches", 90, 15, 55, 8},
			{"tv_41_55_in", "tv", "41-55 in", "TV, 41-55 inches", 124, 15, 75, 16},
			{"tv_over_55_in", "tv", "over 55 in", "TV, over 55 inches", 160, 15, 95, 28},
		}},
		{Key: "tv_stand", Keywords: []string{"tv stand", "tv unit", "media unit"}, Variants: []Variant{
			{"tv_stand_small", "tv_stand", "small", "Small TV stand", 100, 40, 50, 16},
			{"tv_stand_large", "tv_stand", "large", "Large TV stand", 170, 42, 55, 32},
		}},
		{Key: "sideboard", Keywords: []string{"sideboard", "credenza"}, Variants: []Variant{
			{"sideboard_small", "sideboard", "small", "Small sideboard", 110, 42, 80, 32},
			{"sideboard_large", "sideboard", "large", "Large sideboard", 170, 45, 85, 52},
		}},
		{Key: "fridge", Keywords: []string{"fridge", "refrigerator", "freezer"}, Variants: []Variant{
			{"fridge_under_counter", "fridge", "under-counter", "Under-counter fridge", 55, 58, 85, 32},
			{"fridge_freezer", "fridge", "fridge freezer", "Fridge freezer", 60, 66, 180, 68},
			{"fridge_side_by_side", "fridge", "side-by-side", "Side-by-side fridge freezer", 91, 75, 180, 115},
		}},
		{Key: "washer", Keywords: []string{"washing machine", "washer", "dryer"}, Variants: []Variant{
			{"washer_washing_machine", "washer", "washing machine", "Washing machine", 60, 60, 85, 68},
			{"washer_dryer", "washer", "washer dryer", "Washer dryer", 60, 62, 85, 74},
			{"washer_tumble_dryer", "washer", "tumble dryer", "Tumble dryer", 60, 60, 85, 42},
		}},
	}
}
