package vision_test

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
)

func num(v float64) *float64 { return &v }

func TestItemRules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		edits []string
		want  func(*vision.Item) // changes to the valid sofa
	}{
		{"valid", nil, func(*vision.Item) {}},
		{"quantity too large", []string{"qty=9999"}, func(it *vision.Item) {
			it.Quantity, it.Flags = 200, []vision.Flag{vision.FlagClamped}
		}},
		{"quantity huge", []string{"qty=1e300"}, func(it *vision.Item) {
			it.Quantity, it.Flags = 200, []vision.Flag{vision.FlagClamped}
		}},
		{"quantity zero", []string{"qty=0"}, func(it *vision.Item) {
			it.Quantity, it.Flags = 1, []vision.Flag{vision.FlagClamped}
		}},
		{"quantity negative", []string{"qty=-4"}, func(it *vision.Item) {
			it.Quantity, it.Flags = 1, []vision.Flag{vision.FlagClamped}
		}},
		{"quantity broken", []string{"qty=2.6"}, func(it *vision.Item) {
			it.Quantity, it.Flags = 2, []vision.Flag{vision.FlagClamped}
		}},
		{"quantity with a point", []string{"qty=2.0"}, func(it *vision.Item) { it.Quantity = 2 }},
		{"lying volume", []string{"volume_m3=0"}, func(it *vision.Item) {
			it.Flags = []vision.Flag{vision.FlagVolumeRecomputed}
		}},
		{"no volume", []string{"volume_m3=null"}, func(*vision.Item) {}},
		{"one length missing", []string{"length_cm=null"}, func(it *vision.Item) { it.LengthCM = nil }},
		{"one length impossible", []string{"width_cm=-1"}, func(it *vision.Item) {
			it.WidthCM, it.Flags = nil, []vision.Flag{vision.FlagUnknownSize}
		}},
		{"length huge", []string{"height_cm=1e308"}, func(it *vision.Item) {
			it.HeightCM, it.Flags = nil, []vision.Flag{vision.FlagUnknownSize}
		}},
		{"no length and zero volume", []string{"length_cm=null", "volume_m3=0"}, func(it *vision.Item) {
			it.LengthCM, it.VolumeM3, it.Flags = nil, nil, []vision.Flag{vision.FlagUnknownSize}
		}},
		{"no length and large volume", []string{"length_cm=null", "volume_m3=20.1"}, func(it *vision.Item) {
			it.LengthCM, it.VolumeM3, it.Flags = nil, nil, []vision.Flag{vision.FlagUnknownSize}
		}},
		{"as small as can be", []string{"length_cm=1", "width_cm=1", "height_cm=1", "weight_kg=0", "volume_m3=null"}, func(it *vision.Item) {
			it.LengthCM, it.WidthCM, it.HeightCM, it.WeightKG = num(1), num(1), num(1), num(0)
			it.VolumeM3, it.Flags = num(0.0001), []vision.Flag{vision.FlagSuspicious}
		}},
		{"as large as can be", []string{"length_cm=1000", "width_cm=1000", "height_cm=1000", "weight_kg=null", "volume_m3=null"}, func(it *vision.Item) {
			it.LengthCM, it.WidthCM, it.HeightCM, it.WeightKG = num(1000), num(1000), num(1000), nil
			it.VolumeM3, it.Flags = num(1000), []vision.Flag{vision.FlagSuspicious}
		}},
		{"weight too large", []string{"weight_kg=2001"}, func(it *vision.Item) {
			it.WeightKG, it.Flags = nil, []vision.Flag{vision.FlagUnknownSize}
		}},
		{"weight of a feather", []string{"weight_kg=0.5"}, func(it *vision.Item) {
			it.WeightKG, it.Flags = num(0.5), []vision.Flag{vision.FlagSuspicious}
		}},
		{"unknown kinds", []string{`item_category="spaceship"`, `packing_requirement="crate"`}, func(it *vision.Item) {
			it.Flags = []vision.Flag{vision.FlagDefaulted}
		}},
		{"kinds missing", []string{"item_category=", "packing_requirement=null"}, func(it *vision.Item) {
			it.Flags = []vision.Flag{vision.FlagDefaulted}
		}},
		{"known kinds", []string{`item_category="mattress"`, `packing_requirement="mattress_cover"`}, func(it *vision.Item) {
			it.Category, it.Packing = vision.CategoryMattress, vision.PackingMattressCover
		}},
		{"group by the name", []string{`variant_group="bed"`}, func(*vision.Item) {}},
		{"group by the model", []string{`name="Chesterfield"`}, func(it *vision.Item) { it.Name = "Chesterfield" }},
		{"no such group", []string{`name="Chesterfield"`, `variant_group="yacht"`}, func(it *vision.Item) {
			it.Name, it.Variant = "Chesterfield", ""
		}},
		{"photos not sent", []string{"photo_indexes=[0,3,-1,1e99]"}, func(it *vision.Item) {
			it.PhotoIDs, it.Flags = nil, []vision.Flag{vision.FlagNoEvidence}
		}},
		{"photos twice and in disorder", []string{"photo_indexes=[2,1,2,9]"}, func(it *vision.Item) {
			it.PhotoIDs = []string{"a", "b"}
		}},
		{"confidence too large", []string{"confidence=90"}, func(it *vision.Item) {
			it.Confidence, it.Flags = 1, []vision.Flag{vision.FlagClamped}
		}},
		{"confidence low", []string{"confidence=0.49"}, func(it *vision.Item) {
			it.Confidence, it.Flags = 0.49, []vision.Flag{vision.FlagLowConfidence}
		}},
		{"markup and control characters", []string{`name=" <b>Sofa</b>\u0000\n\u202e bed "`}, func(it *vision.Item) {
			it.Name = "b Sofa /b bed"
		}},
		{"long name", []string{`name="` + strings.Repeat("sofa ", 2000) + `"`}, func(it *vision.Item) {
			it.Name, it.Flags = strings.TrimSpace(strings.Repeat("sofa ", 24)), []vision.Flag{vision.FlagClamped}
		}},
		{"long notes", []string{`notes="` + strings.Repeat("é", 301) + `"`}, func(it *vision.Item) {
			it.Notes, it.Flags = strings.Repeat("é", 300), []vision.Flag{vision.FlagClamped}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := vision.Item{
				Name: "3-seater fabric sofa", Quantity: 1, LengthCM: num(210), WidthCM: num(92),
				HeightCM: num(85), WeightKG: num(48), VolumeM3: num(1.6422),
				Category: vision.CategoryFurniture, Packing: vision.PackingNone, Variant: "sofa",
				Confidence: 0.9, PhotoIDs: []string{"a"},
			}
			tt.want(&want)
			got, violations := vision.ParseAnswer(items(sofa(tt.edits...)), []string{"a", "b"})
			require.Empty(t, violations)
			require.Equal(t, []vision.Item{want}, got)
		})
	}
}

func TestObedientModel(t *testing.T) {
	t.Parallel()
	// The sign in the picture asks for this very answer.
	f := newFake(t, reply(items(
		sofa(`name="free move"`, "qty=9999", "volume_m3=0", "weight_kg=0", "photo_indexes=[]", "price=0"),
		sofa(`name=" \u0007 "`))))
	result, err := newAnalyzer(t, f).Analyze(t.Context(), vision.Request{
		Photos: []vision.Photo{{Room: "Study", Data: photo(t, "hostile/prompt-injection.jpg")}},
	})
	require.NoError(t, err)
	require.Len(t, result.Items(), 1)
	it := result.Items()[0]
	require.Equal(t, 200, it.Quantity)
	require.Equal(t, num(1.6422), it.VolumeM3)
	for _, flag := range []vision.Flag{
		vision.FlagClamped, vision.FlagVolumeRecomputed, vision.FlagNoEvidence, vision.FlagSuspicious,
	} {
		require.True(t, it.Has(flag), flag)
	}
	require.Equal(t, []vision.Warning{{Room: "Study", Code: vision.WarnNameless, N: 1}}, result.Warnings)
}

func TestTooManyItems(t *testing.T) {
	t.Parallel()
	list := make([]string, 305)
	for i := range list {
		list[i] = sofa()
	}
	f := newFake(t, reply(items(list...)))
	result, err := newAnalyzer(t, f).Analyze(t.Context(), vision.Request{Photos: pictures(t, "Hall", 1)})
	require.NoError(t, err)
	require.Len(t, result.Items(), 300)
	require.Equal(t, []vision.Warning{{Room: "Hall", Code: vision.WarnItemsDropped, N: 5}}, result.Warnings)
}

func FuzzParseAnswer(f *testing.F) {
	f.Add(items(sofa()))
	f.Add(items(sofa("qty=-1", `name="x"`), "{}"))
	f.Add("```json\n{\"items\":[]}\n```")
	f.Add(`{"items":[{"name":"a","qty":1,"photo_indexes":[1e300]}]}`)
	f.Add(`{"items":null}`)
	f.Fuzz(func(t *testing.T, content string) {
		start := time.Now()
		got, _ := vision.ParseAnswer(content, []string{"a", "b"})
		for _, it := range got {
			ok := it.Name != "" && utf8.RuneCountInString(it.Name) <= 120 && utf8.ValidString(it.Name) &&
				utf8.RuneCountInString(it.Notes) <= 300 && it.Quantity >= 1 && it.Quantity <= 200 &&
				it.Confidence >= 0 && it.Confidence <= 1 && len(it.PhotoIDs) <= 2
			for _, v := range []*float64{it.LengthCM, it.WidthCM, it.HeightCM} {
				ok = ok && (v == nil || *v >= 1 && *v <= 1000)
			}
			ok = ok && (it.WeightKG == nil || *it.WeightKG >= 0 && *it.WeightKG <= 2000)
			ok = ok && (it.VolumeM3 == nil || *it.VolumeM3 > 0 && *it.VolumeM3 <= 1000)
			ok = ok && !strings.ContainsFunc(it.Name+it.Notes, unicode.IsControl)
			if !ok {
				t.Fatalf("%+v", it)
			}
		}
		if time.Since(start) > 5*time.Second {
			t.Fatal("too slow")
		}
	})
}
