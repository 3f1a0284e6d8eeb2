package vision_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
)

func pngCRC(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

// webpChunk is a RIFF chunk with its padding.
func webpChunk(id string, payload []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(payload)))
	b = append(b, payload...)
	if len(payload)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

// pngHeader is the start of a PNG that claims the given size and has nothing else.
func pngHeader(w, h uint32, depth, colour byte) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	b = append(b, depth, colour, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, pngCRC(b[12:]))
}

func vp8Frame(w, h uint16) []byte {
	b := []byte{0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a}
	return append(binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(b, w), h), make([]byte, 64)...)
}

func vp8x(flags byte, w, h int) []byte {
	w, h = w-1, h-1
	return []byte{flags, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)}
}

func webpFile(chunks ...[]byte) []byte {
	return webpChunk("RIFF", append([]byte("WEBP"), bytes.Join(chunks, nil)...))
}

func TestInspectHeaders(t *testing.T) {
	t.Parallel()
	picture := encodePNG(t, image.NewGray(image.Rect(0, 0, 100, 50)))
	heic := []byte("\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic")
	avif := []byte("\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf")
	tests := []struct {
		name    string
		data    []byte
		limits  vision.Limits
		wantErr error
		reason  string
	}{
		{"fits", picture, vision.Limits{}, nil, ""},
		{"exact limits", picture, vision.Limits{
			MaxBytes: len(picture), MaxPixels: 5000, MaxSide: 100, MinSide: 50, MaxAspect: 2,
		}, nil, ""},
		{"bytes", picture, vision.Limits{MaxBytes: len(picture) - 1}, vision.ErrTooLarge, "at most"},
		{"pixels", picture, vision.Limits{MaxPixels: 4999}, vision.ErrDimensions, "4999 pixels in all"},
		{"long side", picture, vision.Limits{MaxSide: 99}, vision.ErrDimensions, "exceed 99"},
		{"short side", picture, vision.Limits{MinSide: 51}, vision.ErrDimensions, "at least 51"},
		{"aspect", picture, vision.Limits{MaxAspect: 1.99}, vision.ErrDimensions, "1.99 times"},
		{"format", picture, vision.Limits{Formats: []vision.Format{vision.FormatJPEG}}, vision.ErrUnsupportedFormat, "PNG"},
		{"format listed", picture, vision.Limits{Formats: []vision.Format{vision.FormatPNG}}, nil, ""},
		{"everything off", picture, vision.Limits{MaxBytes: -1, MaxPixels: -1, MaxSide: -1, MinSide: -1, MaxAspect: -1}, nil, ""},
		{"zero size with limits off", pngHeader(0, 5, 8, 2), vision.Limits{MinSide: -1}, vision.ErrDimensions, "0 x 5"},
		{"largest claim with limits off", pngHeader(1<<32-1, 1<<32-1, 16, 6), vision.Limits{
			MaxPixels: -1, MaxSide: -1, MaxAspect: -1,
		}, vision.ErrCorrupt, ""},
		{"too few bytes for a PNG", pngHeader(7000, 7000, 16, 6), vision.Limits{}, vision.ErrCorrupt, "too few bytes"},
		{"short PNG", picture[:20], vision.Limits{}, vision.ErrCorrupt, "incomplete"},
		{"short GIF", []byte("GIF89a\x40"), vision.Limits{}, vision.ErrCorrupt, "incomplete"},
		{"short WebP", []byte("RIFF\x04\x00\x00\x00WEBP"), vision.Limits{}, vision.ErrCorrupt, "incomplete"},
		{"WebP", webpFile(webpChunk("VP8 ", vp8Frame(100, 50))), vision.Limits{}, nil, ""},
		{"WebP canvas", webpFile(webpChunk("VP8X", vp8x(0, 100, 50)), webpChunk("VP8 ", vp8Frame(100, 50))), vision.Limits{}, nil, ""},
		{
			"WebP frame beyond its canvas",
			webpFile(webpChunk("VP8X", vp8x(0, 100, 50)), webpChunk("VP8 ", vp8Frame(16000, 16000))),
			vision.Limits{},
			vision.ErrCorrupt, "contradictory",
		},
		{
			"WebP lossless beyond its canvas",
			webpFile(webpChunk("VP8X", vp8x(0, 100, 50)), webpChunk("VP8L", []byte{0x2f, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0})),
			vision.Limits{},
			vision.ErrCorrupt, "contradictory",
		},
		{
			"animated WebP without the flag",
			webpFile(webpChunk("VP8X", vp8x(0, 100, 50)), webpChunk("ANIM", make([]byte, 6))),
			vision.Limits{},
			vision.ErrUnsupportedFormat, "animated",
		},
		{"large WebP", webpFile(webpChunk("VP8 ", vp8Frame(16000, 4000))), vision.Limits{}, vision.ErrDimensions, ""},
		{"HEIC by a compatible brand", heic, vision.Limits{}, vision.ErrUnsupportedFormat, "HEIC"},
		{"AVIF by a compatible brand", avif, vision.Limits{}, vision.ErrUnsupportedFormat, "AVIF"},
		{"film", []byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00"), vision.Limits{}, vision.ErrUnsupportedFormat, "MP4"},
		{"SVG behind a prolog", []byte("\xef\xbb\xbf <?xml version=\"1.0\"?>\n<SVG>"), vision.Limits{}, vision.ErrUnsupportedFormat, "SVG"},
		{"text", []byte("hello"), vision.Limits{}, vision.ErrUnsupportedFormat, "not a picture"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := vision.Inspect(tt.data, tt.limits)
			if tt.wantErr == nil {
				require.NoError(t, err)
				require.Equal(t, [2]int{100, 50}, [2]int{info.Width, info.Height})
				require.Equal(t, len(tt.data), info.Bytes)
				return
			}
			require.ErrorIs(t, err, tt.wantErr)
			require.Contains(t, err.Error(), tt.reason)
		})
	}
}

// TestShortJPEG: a file of some hundred bytes must not have pixels for 36 megapixels allocated.
func TestShortJPEG(t *testing.T) {
	t.Parallel()
	data := encodeJPEG(t, image.NewGray(image.Rect(0, 0, 64, 64)))
	sof := bytes.Index(data, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(data[sof+5:], 6000)
	binary.BigEndian.PutUint16(data[sof+7:], 6000)
	_, err := vision.Inspect(data, vision.Limits{})
	require.ErrorIs(t, err, vision.ErrCorrupt)
	require.Contains(t, err.Error(), "too few bytes")
}

// TestPlainPicturesAreNotTooShort: the least bytes a picture may have are a true lower bound.
func TestPlainPicturesAreNotTooShort(t *testing.T) {
	t.Parallel()
	plain := image.NewGray(image.Rect(0, 0, 4000, 4000))
	for _, data := range [][]byte{encodePNG(t, plain), encodeJPEG(t, plain)} {
		_, err := vision.Inspect(data, vision.Limits{})
		require.NoError(t, err)
	}
	bilevel := image.NewPaletted(image.Rect(0, 0, 4000, 4000), imageBlackWhite())
	_, err := vision.Inspect(encodePNG(t, bilevel), vision.Limits{})
	require.NoError(t, err)
}

func TestFormat(t *testing.T) {
	t.Parallel()
	require.Equal(t, "image/webp", vision.FormatWebP.ContentType())
	require.Equal(t, "image/jpeg", vision.FormatJPEG.ContentType())
	require.Equal(t, "application/octet-stream", vision.Format("heic").ContentType())
	require.Equal(t, "WebP", vision.FormatWebP.Name())
	require.Equal(t, "HEIC", vision.Format("heic").Name())
}

func TestUpright(t *testing.T) {
	t.Parallel()
	for o := 1; o <= 8; o++ {
		w, h := vision.Info{Width: 3, Height: 2, Orientation: o}.Upright()
		if o < 5 {
			require.Equal(t, [2]int{3, 2}, [2]int{w, h})
		} else {
			require.Equal(t, [2]int{2, 3}, [2]int{w, h})
		}
	}
}
