package vision_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
)

func TestMatchVariant(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"sofa":                              "sofa",
		"3-Seater FABRIC Sofa":              "sofa",
		"sofas":                             "sofa",
		"two couches":                       "sofa",
		"sofa bed":                          "sofa",
		"king size bed frame":               "bed",
		"single beds":                       "bed",
		"bedside table":                     "",
		"bedding":                           "",
		"embedded":                          "",
		"double mattresses":                 "mattress",
		"mattress for a bed":                "mattress",
		"dishwasher":                        "",
		"washing machine":                   "washer",
		"washer/dryer":                      "washer",
		"tumble dryers":                     "washer",
		"TV":                                "tv",
		"50-inch television":                "tv",
		"TV stand":                          "tv_stand",
		"tv, stand of oak":                  "tv_stand",
		"stand for a TV":                    "tv",
		"chest of drawers":                  "drawers",
		"5-drawer chest":                    "drawers",
		"bookshelves":                       "bookcase",
		"kitchen table":                     "dining_table",
		"dining table and dining chair":     "dining_table", // one length: table order
		"dining chairs":                     "dining_chair",
		"fridge freezer":                    "fridge",
		"wardrobe":                          "wardrobe",
		"":                                  "",
		"\xff\xfe":                          "",
		strings.Repeat("x", 2000) + " sofa": "",
	} {
		group, ok := vision.MatchVariant(name)
		require.Equal(t, want, group.Key, name)
		require.Equal(t, want != "", ok, name)
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	groups := vision.Variants()
	require.Len(t, groups, 15)
	seen := map[string]bool{}
	for _, g := range groups {
		for _, keyword := range g.Keywords {
			match, ok := vision.MatchVariant(keyword)
			require.True(t, ok)
			require.Equal(t, g.Key, match.Key, keyword)
		}
		for _, v := range g.Variants {
			require.False(t, seen[v.ID], v.ID)
			seen[v.ID] = true
			require.Equal(t, g.Key, v.Group)
			require.Positive(t, v.VolumeM3())
			match, _ := vision.MatchVariant(v.Name)
			require.Equal(t, g.Key, match.Key, "%s must be found again by its own name", v.Name)
			byID, ok := vision.VariantByID(v.ID)
			require.True(t, ok)
			require.Equal(t, v, byID)
		}
	}
	require.Len(t, seen, 47)
	require.InDelta(t, 1.6422, groups[0].Variants[1].VolumeM3(), 1e-12)
	_, ok := vision.VariantByID("sofa")
	require.False(t, ok)

	groups[0].Variants[0].WeightKG = 1 // the caller's own copy
	require.Equal(t, 38, vision.Variants()[0].Variants[0].WeightKG)
}

func FuzzMatchVariant(f *testing.F) {
	f.Add("3-seater sofa")
	f.Add("ches sses lves ies s")
	f.Fuzz(func(t *testing.T, name string) {
		group, ok := vision.MatchVariant(name)
		if ok != (group.Key != "") {
			t.Fatal(name)
		}
		if upper, _ := vision.MatchVariant(" " + name + " "); len(name) < 900 && upper.Key != group.Key {
			t.Fatalf("%q and %q", group.Key, upper.Key)
		}
	})
}

func BenchmarkMatchVariant(b *testing.B) {
	for b.Loop() {
		vision.MatchVariant("grey 3-seater fabric sofa with two cushions")
	}
}
