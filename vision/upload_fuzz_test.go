package vision_test

import (
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
)

func imageBlackWhite() color.Palette { return color.Palette{color.Black, color.White} }

// small keeps fuzzed pictures cheap to decode.
var small = vision.Limits{MaxPixels: 1 << 16, MaxSide: 1 << 10, MinSide: 1, MaxAspect: -1}

// FuzzInspect: no panic, sane results, and what Prepare accepts is a picture within its bounds.
func FuzzInspect(f *testing.F) {
	for name := range verdicts {
		if data := photo(f, name); len(data) < 100<<10 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		info, err := vision.Inspect(data, small)
		require.Less(t, time.Since(start), 2*time.Second)
		if err != nil {
			var detail *vision.UploadError
			require.ErrorAs(t, err, &detail)
			return
		}
		require.True(t, info.Width >= 1 && info.Height >= 1 && info.Width*info.Height <= small.MaxPixels)
		require.True(t, info.Orientation >= 1 && info.Orientation <= 8)
		got, err := vision.Prepare(context.Background(), data, vision.PrepareOptions{Limits: small, LongSide: 64})
		if err != nil {
			var detail *vision.UploadError
			require.ErrorAs(t, err, &detail)
			return
		}
		require.LessOrEqual(t, max(got.Width, got.Height), 64)
		require.Equal(t, info, got.Source)
	})
}

// FuzzEXIF puts arbitrary EXIF data into a good picture: it is never refused for that.
func FuzzEXIF(f *testing.F) {
	for tag := range uint16(10) {
		f.Add(exifBlock(binary.LittleEndian, tag))
		f.Add(exifBlock(binary.BigEndian, tag))
	}
	for _, name := range []string{"gps-path.jpg", "hostile/exif-ifd-loop.jpg", "hostile/exif-orientation-99.jpg"} {
		data := photo(f, name)
		f.Add(data[30:min(len(data), 8<<10)])
	}
	picture := encodeJPEG(f, image.NewGray(image.Rect(0, 0, 32, 16)))
	f.Fuzz(func(t *testing.T, block []byte) {
		data := withEXIF(picture, block[:min(len(block), 65000)])
		start := time.Now()
		info, err := vision.Inspect(data, small)
		require.Less(t, time.Since(start), 2*time.Second)
		require.NoError(t, err)
		require.True(t, info.Orientation >= 1 && info.Orientation <= 8)
	})
}

// FuzzWebP walks arbitrary chunks behind a good RIFF header and behind an arbitrary one.
func FuzzWebP(f *testing.F) {
	f.Add(webpChunk("VP8 ", vp8Frame(32, 16)), uint32(100))
	f.Add(append(webpChunk("VP8X", vp8x(8, 32, 16)), webpChunk("EXIF", exifBlock(binary.LittleEndian, 6))...), uint32(0))
	f.Add(photo(f, "hostile/animated.webp")[12:], uint32(1<<32-1))
	f.Add([]byte("VP8X\xff\xff\xff\xff"), uint32(1<<31))
	f.Fuzz(func(t *testing.T, chunks []byte, size uint32) {
		for _, data := range [][]byte{
			webpFile(chunks),
			append(append(binary.LittleEndian.AppendUint32([]byte("RIFF"), size), "WEBP"...), chunks...),
		} {
			info, err := vision.Inspect(data, small)
			if err == nil {
				require.Equal(t, vision.FormatWebP, info.Format)
				require.LessOrEqual(t, info.Width*info.Height, small.MaxPixels)
			}
		}
	})
}
