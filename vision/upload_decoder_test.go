package vision_test

import (
	"errors"
	"image"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
)

// oddWebP is a WebP of 100 x 50 whose first chunk has the given name: which registered decoder gets
// it is told by that.
func oddWebP(chunk string) []byte {
	return webpFile(webpChunk(chunk, []byte("x")), webpChunk("VP8 ", vp8Frame(100, 50)))
}

func TestWebPWithoutDecoder(t *testing.T) {
	t.Parallel()
	_, err := vision.Inspect(oddWebP("ICCP"), vision.Limits{})
	require.ErrorIs(t, err, vision.ErrUnsupportedFormat)
	require.EqualError(t, err, "vision: unsupported picture format: WebP is not supported: no decoder registered")
}

// TestForeignDecoders: a decoder that the program registers may fail in any way, but not take the
// process down or break the limits.
func TestForeignDecoders(t *testing.T) {
	t.Parallel()
	config := func(w, h int) func(io.Reader) (image.Config, error) {
		return func(io.Reader) (image.Config, error) { return image.Config{Width: w, Height: h}, nil }
	}
	returns := func(m image.Image) func(io.Reader) (image.Image, error) {
		return func(io.Reader) (image.Image, error) { return m, nil }
	}
	black := image.NewNYCbCrA(image.Rect(0, 0, 100, 50), image.YCbCrSubsampleRatio444)
	for i := range black.Y {
		black.Y[i], black.Cb[i], black.Cr[i], black.A[i] = 16, 128, 128, 255
	}
	for i := range 100 * 25 {
		black.A[i] = 0
	}
	tests := []struct {
		chunk  string
		config func(io.Reader) (image.Config, error)
		decode func(io.Reader) (image.Image, error)
		want   string
	}{
		{"T001", func(io.Reader) (image.Config, error) { panic("header") }, nil, "decoder panicked: header"},
		{"T002", config(100, 50), func(io.Reader) (image.Image, error) { panic("pixels") }, "decoder panicked: pixels"},
		{"T003", config(100, 50), returns(image.NewGray(image.Rect(0, 0, 5000, 5000))), "contradictory dimensions"},
		{"T004", config(101, 50), nil, "contradictory dimensions"},
		{"T005", config(100, 50), func(io.Reader) (image.Image, error) { return nil, errors.New("broken") }, "broken"},
		{"T006", config(100, 50), returns(black), ""},
	}
	for _, tt := range tests {
		image.RegisterFormat("webp", "RIFF????WEBP"+tt.chunk, tt.decode, tt.config)
		t.Run(tt.chunk, func(t *testing.T) {
			t.Parallel()
			if tt.want != "" {
				_, err := vision.Prepare(t.Context(), oddWebP(tt.chunk), vision.PrepareOptions{})
				require.ErrorIs(t, err, vision.ErrCorrupt)
				require.Contains(t, err.Error(), tt.want)
				return
			}
			_, img := prepare(t, oddWebP(tt.chunk), vision.PrepareOptions{})
			requireColour(t, img, 50, 8, 255, 255, 255, "transparent")
			requireColour(t, img, 50, 40, 0, 0, 0, "black of the video range")
		})
	}
}

func TestRefusedFormatsAreNamed(t *testing.T) {
	t.Parallel()
	for start, want := range map[string]vision.Format{
		"8BPS\x00\x01":               "psd",
		"PK\x03\x04":                 "zip",
		"\xff\x0a\x00":               "jxl",
		"\x00\x00\x00\x0cJXL \r\n":   "jxl",
		"\x00\x00\x00\x0cjP  \r\n":   "jp2",
		"MM\x00*\x00\x00":            "tiff",
		"<?xml version=\"1.0\"?><a>": "xml",
		"\n<script>alert(1)</script": "html",
		"BM":                         "bmp",
		"\x00\x00\xff\xffftypheic\x00\x00\x00\x00": "heic", // a box longer than the file
		"\x00\x00\x00\x00ftypheic":                 "heic", // a box that ends with the file
	} {
		_, err := vision.Inspect([]byte(start), vision.Limits{})
		var detail *vision.UploadError
		require.ErrorAs(t, err, &detail)
		require.ErrorIs(t, err, vision.ErrUnsupportedFormat)
		require.Equal(t, want, detail.Format, "%q", start)
	}
}

// TestBrokenEXIFContainers: damage around the EXIF data leaves the picture upright and accepted.
func TestBrokenEXIFContainers(t *testing.T) {
	t.Parallel()
	picture := encodeJPEG(t, image.NewGray(image.Rect(0, 0, 32, 16)))
	for name, segment := range map[string]string{
		"not a TIFF structure": "Exif\x00\x00nothing",
		"another profile":      "http://ns.adobe.com/xap/1.0/\x00",
		"empty":                "",
		"entry cut short":      "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12",
		"directory far away":   "Exif\x00\x00MM\x00*\xff\xff\xff\xff",
	} {
		data := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(segment) + 2)}, segment...)
		data = append(data, picture[2:]...)
		info, err := vision.Inspect(data, vision.Limits{})
		require.NoError(t, err, name)
		require.Equal(t, 1, info.Orientation, name)
	}
}
