package vision_test

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
)

// BenchmarkPrepare compares Prepare with the floor: decoding and encoding again at the same size and
// quality, without looking at limits, orientation or metadata.
func BenchmarkPrepare(b *testing.B) {
	profile := vision.PrepareOptions{LongSide: 2048, ShortSide: 768}
	tests := []struct {
		name, file string
		o          vision.PrepareOptions
	}{
		{"7mp", "landmark-7mp.jpg", profile},
		{"3mp", "hall-many-tables.jpg", profile},
		{"1.5mp", "room-living.jpg", profile},
		{"same-size", "house-outside.jpg", profile},
		{"same-size-3mp", "hall-many-tables.jpg", vision.PrepareOptions{}},
		{"turned-2mp", "orientation-6.jpg", vision.PrepareOptions{}},
		{"cmyk", "room-living-cmyk.jpg", profile},
		{"png16", "room-study-16bit.png", profile},
		{"webp", "room-living.webp", profile},
	}
	for _, tt := range tests {
		data := photo(b, tt.file)
		b.Run(tt.name+"/floor", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				img, _, err := image.Decode(bytes.NewReader(data))
				require.NoError(b, err)
				require.NoError(b, jpeg.Encode(io.Discard, img, &jpeg.Options{Quality: 80}))
			}
		})
		b.Run(tt.name+"/prepare", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := vision.Prepare(context.Background(), data, tt.o)
				require.NoError(b, err)
			}
		})
	}
}

func BenchmarkInspect(b *testing.B) {
	for _, name := range []string{
		"house-outside.jpg", "gps-path.jpg", "landmark-7mp.jpg", "room-study-16bit.png", "room-living.webp",
		"hostile/bomb-1bit-40000x40000.png", "hostile/dimension-lie-65500.jpg",
	} {
		data := photo(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = vision.Inspect(data, vision.Limits{})
			}
		})
	}
}
