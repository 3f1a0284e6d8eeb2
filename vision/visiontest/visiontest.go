// Package visiontest checks implementations of the interfaces of package vision.
//
//	func TestAnalyzer(t *testing.T) {
//		visiontest.TestAnalyzer(t, func(t *testing.T) vision.Analyzer { return open(t) })
//	}
//
// It imports package testing and nothing outside the standard library but package vision.
package visiontest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"sync"
	"testing"

	"github.com/groundwork-go/groundwork/vision"
)

// TestAnalyzer runs the contract of [vision.Analyzer]: one subtest for each promise. open returns a
// working analyzer and registers its own clean-up; the model behind it may find whatever it likes.
func TestAnalyzer(t *testing.T, open func(t *testing.T) vision.Analyzer) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, vision.Analyzer){
		"no photos is ErrNoPhotos":                  noPhotos,
		"a repeated ID is ErrInvalidRequest":        repeatedID,
		"every photo has an outcome, in order":      outcomes,
		"items keep their bounds and cite photos":   bounds,
		"the same file again is a duplicate":        duplicates,
		"progress grows, ends at total, then stops": progress,
		"a cancelled context ends with a result":    cancelled,
		"concurrent calls do not mix":               concurrent,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// Photos returns n different small pictures of one room with the IDs <room>-1, <room>-2, …
func Photos(t testing.TB, room string, n int) []vision.Photo {
	t.Helper()
	photos := make([]vision.Photo, n)
	for i := range photos {
		img := image.NewRGBA(image.Rect(0, 0, 48, 32))
		for x := range 48 {
			img.SetRGBA(x, (x*(i+1))%32, color.RGBA{uint8(x * 5), uint8(i * 31), 99, 255})
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, nil); err != nil {
			t.Fatal(err)
		}
		photos[i] = vision.Photo{ID: fmt.Sprintf("%s-%d", room, i+1), Room: room, Data: b.Bytes()}
	}
	return photos
}

func noPhotos(t *testing.T, a vision.Analyzer) {
	result, err := a.Analyze(t.Context(), vision.Request{})
	if !errors.Is(err, vision.ErrNoPhotos) || result != nil {
		t.Fatalf("got %v, %v", result, err)
	}
}

func repeatedID(t *testing.T, a vision.Analyzer) {
	photos := Photos(t, "Hall", 2)
	photos[1].ID = photos[0].ID
	result, err := a.Analyze(t.Context(), vision.Request{Photos: photos})
	if !errors.Is(err, vision.ErrInvalidRequest) || result != nil {
		t.Fatalf("got %v, %v", result, err)
	}
}

// analyze must succeed completely.
func analyze(t *testing.T, a vision.Analyzer, req vision.Request) *vision.Result {
	t.Helper()
	result, err := a.Analyze(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if !result.Complete {
		t.Fatalf("incomplete without an error: %+v", result.Photos)
	}
	return result
}

func outcomes(t *testing.T, a vision.Analyzer) {
	photos := append(Photos(t, "Kitchen", 7), Photos(t, "Study", 1)...)
	photos[0], photos[7] = photos[7], photos[0]
	photos[3].ID = ""
	result := analyze(t, a, vision.Request{Photos: photos})
	for i, p := range result.Photos {
		want := photos[i].ID
		if want == "" {
			want = fmt.Sprint(i + 1)
		}
		if p.ID != want || p.Room != photos[i].Room || p.Status != vision.PhotoAnalyzed || p.Err != nil {
			t.Errorf("photo %d: %+v", i, p)
		}
	}
	if len(result.Photos) != len(photos) {
		t.Errorf("%d outcomes of %d photos", len(result.Photos), len(photos))
	}
	if len(result.Rooms) != 2 || result.Rooms[0].Name != "Study" || result.Rooms[1].Name != "Kitchen" {
		t.Errorf("rooms are not in the order of their first photo: %+v", result.Rooms)
	}
	if result.Model == "" || result.PromptVersion == "" {
		t.Errorf("model %q, prompt version %q", result.Model, result.PromptVersion)
	}
}

func bounds(t *testing.T, a vision.Analyzer) {
	photos := append(Photos(t, "Lounge", 3), Photos(t, "Bedroom", 2)...)
	result := analyze(t, a, vision.Request{Photos: photos})
	for _, room := range result.Rooms {
		for _, it := range room.Items {
			if it.Name == "" || it.Quantity < 1 || it.Confidence < 0 || it.Confidence > 1 {
				t.Errorf("%+v", it)
			}
			if it.VolumeM3 != nil && *it.VolumeM3 <= 0 {
				t.Errorf("%s: volume %v", it.Name, *it.VolumeM3)
			}
			for _, id := range it.PhotoIDs {
				if !slices.ContainsFunc(photos, func(p vision.Photo) bool {
					return p.ID == id && p.Room == room.Name
				}) {
					t.Errorf("%s in %s cites %s", it.Name, room.Name, id)
				}
			}
		}
	}
}

func duplicates(t *testing.T, a vision.Analyzer) {
	photos := Photos(t, "Lounge", 2)
	photos = append(photos, vision.Photo{ID: "again", Room: "Lounge", Data: photos[0].Data})
	result := analyze(t, a, vision.Request{Photos: photos})
	if p := result.Photos[2]; p.Status != vision.PhotoDuplicate || p.DuplicateOf != photos[0].ID {
		t.Errorf("%+v", p)
	}
}

func progress(t *testing.T, a vision.Analyzer) {
	var mu sync.Mutex
	var seen []vision.Progress
	photos := append(Photos(t, "Lounge", 8), Photos(t, "Hall", 2)...)
	analyze(t, a, vision.Request{Photos: photos, OnProgress: func(p vision.Progress) {
		if !mu.TryLock() {
			t.Error("calls overlap")
			return
		}
		defer mu.Unlock()
		seen = append(seen, p)
	}})
	mu.Lock() // never released: a later call would be reported as overlapping
	if len(seen) == 0 {
		t.Fatal("no progress")
	}
	for i := 1; i < len(seen); i++ {
		p, q := seen[i-1], seen[i]
		if q.Prepared < p.Prepared || q.Analyzed < p.Analyzed || q.Items < p.Items || q.Total != len(photos) {
			t.Errorf("%+v after %+v", q, p)
		}
	}
	if last := seen[len(seen)-1]; last.Analyzed != len(photos) || last.Percent() != 100 {
		t.Errorf("last call %+v", last)
	}
}

func cancelled(t *testing.T, a vision.Analyzer) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	result, err := a.Analyze(ctx, vision.Request{Photos: Photos(t, "Lounge", 2)})
	if !errors.Is(err, context.Canceled) || result == nil {
		t.Fatalf("got %v, %v", result, err)
	}
	if result.Complete || len(result.Photos) != 2 {
		t.Errorf("%+v", result)
	}
}

func concurrent(t *testing.T, a vision.Analyzer) {
	var wg sync.WaitGroup
	for n := range 8 {
		room := fmt.Sprintf("Bedroom %d", n)
		photos := Photos(t, room, 2)
		wg.Go(func() {
			result, err := a.Analyze(context.Background(), vision.Request{Photos: photos})
			if err != nil {
				t.Error(err)
				return
			}
			if len(result.Rooms) != 1 || result.Rooms[0].Name != room || result.Photos[0].ID != photos[0].ID {
				t.Errorf("%s: %+v", room, result.Rooms)
			}
		})
	}
	wg.Wait()
}
