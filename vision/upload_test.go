package vision_test

import (
	"bytes"
	"context"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "golang.org/x/image/webp" // WebP is decoded by whatever the program registers.

	"github.com/groundwork-go/groundwork/vision"
)

const photoDir = "testdata/photos"

func photo(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(photoDir, filepath.FromSlash(name)))
	require.NoError(tb, err)
	return data
}

// eicarScanner stands for a virus scanner: it finds the EICAR test string.
type eicarScanner struct{}

func (eicarScanner) Scan(_ context.Context, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if bytes.Contains(data, []byte("EICAR-STANDARD-ANTIVIRUS-TEST-FILE")) {
		return vision.ErrInfected
	}
	return nil
}

// verdict is what a file must get. Where a refusal needs pixels, Inspect accepts the header.
type verdict struct {
	err           error
	atDecode      bool
	width, height int // upright, when accepted
	format        vision.Format
	reason        string // must be part of the error text
}

// verdicts has one entry for each file of MANIFEST.md.
var verdicts = map[string]verdict{
	"room-living.jpg":          {width: 1500, height: 1000, format: vision.FormatJPEG},
	"room-study.jpg":           {width: 900, height: 598, format: vision.FormatJPEG},
	"hall-many-tables.jpg":     {width: 2048, height: 1365, format: vision.FormatJPEG},
	"house-outside.jpg":        {width: 640, height: 480, format: vision.FormatJPEG},
	"landmark-progressive.jpg": {width: 600, height: 399, format: vision.FormatJPEG},
	"landmark-7mp.jpg":         {width: 3072, height: 2304, format: vision.FormatJPEG},
	"shelf-1-jpeg-named.png":   {width: 1134, height: 1512, format: vision.FormatJPEG},
	"shelf-2-jpeg-named.png":   {width: 1134, height: 1512, format: vision.FormatJPEG},
	"orientation-1.jpg":        {width: 1800, height: 1200, format: vision.FormatJPEG},
	"orientation-3.jpg":        {width: 1800, height: 1200, format: vision.FormatJPEG},
	"orientation-5.jpg":        {width: 1800, height: 1200, format: vision.FormatJPEG},
	"orientation-6.jpg":        {width: 1800, height: 1200, format: vision.FormatJPEG},
	"orientation-8.jpg":        {width: 1800, height: 1200, format: vision.FormatJPEG},
	"gps-path.jpg":             {width: 1012, height: 759, format: vision.FormatJPEG},
	"room-living-cmyk.jpg":     {width: 750, height: 500, format: vision.FormatJPEG},
	"room-study-16bit.png":     {width: 300, height: 199, format: vision.FormatPNG},
	"room-living.webp":         {width: 1000, height: 667, format: vision.FormatWebP},

	"hostile/empty.jpg":                  {err: vision.ErrEmpty},
	"hostile/magic-only.jpg":             {err: vision.ErrCorrupt, format: vision.FormatJPEG},
	"hostile/truncated.jpg":              {err: vision.ErrCorrupt, atDecode: true, format: vision.FormatJPEG},
	"hostile/truncated-progressive.jpg":  {err: vision.ErrCorrupt, atDecode: true, format: vision.FormatJPEG},
	"hostile/bad-crc.png":                {err: vision.ErrCorrupt, atDecode: true, format: vision.FormatPNG},
	"hostile/bomb-1bit-40000x40000.png":  {err: vision.ErrDimensions, format: vision.FormatPNG},
	"hostile/header-lie-65535x65535.png": {err: vision.ErrDimensions, format: vision.FormatPNG},
	"hostile/dimension-lie-65500.jpg":    {err: vision.ErrDimensions, format: vision.FormatJPEG},
	"hostile/ztxt-bomb-64MiB.png":        {width: 64, height: 64, format: vision.FormatPNG},
	"hostile/aspect-20000x1.png":         {err: vision.ErrDimensions, format: vision.FormatPNG},
	"hostile/tiny-1x1.png":               {err: vision.ErrDimensions, format: vision.FormatPNG},
	"hostile/polyglot-script.gif":        {width: 64, height: 64, format: vision.FormatGIF},
	"hostile/gif-header-only-script.gif": {err: vision.ErrDimensions, format: vision.FormatGIF},
	"hostile/animated.gif":               {width: 64, height: 64, format: vision.FormatGIF},
	"hostile/animated.webp":              {err: vision.ErrUnsupportedFormat, format: vision.FormatWebP, reason: "animated"},
	"hostile/svg-renamed.jpg":            {err: vision.ErrUnsupportedFormat, format: "svg", reason: "SVG"},
	"hostile/html-renamed.png":           {err: vision.ErrUnsupportedFormat, format: "html", reason: "HTML"},
	"hostile/pdf-renamed.webp":           {err: vision.ErrUnsupportedFormat, format: "pdf", reason: "PDF"},
	"hostile/bmp-renamed.jpg":            {err: vision.ErrUnsupportedFormat, format: "bmp", reason: "BMP"},
	"hostile/tiff-renamed.png":           {err: vision.ErrUnsupportedFormat, format: "tiff", reason: "TIFF"},
	"hostile/riff-not-webp.webp":         {err: vision.ErrUnsupportedFormat, reason: "not a picture"},
	"hostile/heic-brand-only.heic":       {err: vision.ErrUnsupportedFormat, format: "heic", reason: "HEIC"},
	"hostile/twelve-bit.jpg":             {err: vision.ErrUnsupportedFormat, format: vision.FormatJPEG},
	"hostile/arithmetic.jpg":             {err: vision.ErrUnsupportedFormat, format: vision.FormatJPEG},
	"hostile/exif-ifd-loop.jpg":          {width: 120, height: 160, format: vision.FormatJPEG},
	"hostile/exif-orientation-99.jpg":    {width: 160, height: 120, format: vision.FormatJPEG},
	"hostile/trailing-zip.jpg":           {width: 160, height: 120, format: vision.FormatJPEG},
	"hostile/eicar-renamed.png":          {err: vision.ErrUnsupportedFormat, reason: "not a picture"},
	"hostile/prompt-injection.jpg":       {width: 600, height: 399, format: vision.FormatJPEG},
}

// TestManifestIsComplete keeps the table, the folder and MANIFEST.md together.
func TestManifestIsComplete(t *testing.T) {
	t.Parallel()
	manifest := string(photo(t, "MANIFEST.md"))
	for name := range verdicts {
		_, err := os.Stat(filepath.Join(photoDir, name))
		require.NoError(t, err)
		base := filepath.Base(name)
		// The manifest writes families of files in short form.
		base = regexp.MustCompile(`^orientation-\d`).ReplaceAllString(base, "orientation-1/3/5/6/8")
		base = strings.Replace(base, "shelf-2-jpeg-named.png", "-2.png; renamed", 1)
		require.Contains(t, manifest, base)
	}
	files := 0
	require.NoError(t, filepath.WalkDir(photoDir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) != ".md" {
			files++
		}
		return err
	}))
	require.Equal(t, len(verdicts), files)
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for name, want := range verdicts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := photo(t, name)
			info, err := vision.Inspect(data, vision.Limits{})
			if want.err != nil && !want.atDecode {
				requireRefusal(t, err, want)
			} else {
				require.NoError(t, err)
				require.Equal(t, want.format, info.Format)
			}
			got, err := vision.Prepare(t.Context(), data, vision.PrepareOptions{LongSide: -1})
			if want.err != nil {
				requireRefusal(t, err, want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, info, got.Source)
			require.Equal(t, [2]int{want.width, want.height}, [2]int{got.Width, got.Height})
			cfg, err := jpeg.DecodeConfig(bytes.NewReader(got.Data))
			require.NoError(t, err)
			require.Equal(t, [2]int{want.width, want.height}, [2]int{cfg.Width, cfg.Height})
		})
	}
}

func requireRefusal(t *testing.T, err error, want verdict) {
	t.Helper()
	require.ErrorIs(t, err, want.err)
	var detail *vision.UploadError
	require.ErrorAs(t, err, &detail)
	require.Equal(t, want.format, detail.Format)
	require.Contains(t, err.Error(), want.reason)
	require.Less(t, len(err.Error()), 300)
}

// TestRefusalIsCheap bounds what a refusal by the header allocates, whatever the header claims.
// It is not parallel: the memory statistics cover the whole process.
func TestRefusalIsCheap(t *testing.T) {
	const rounds = 20
	for name, want := range verdicts {
		if want.err == nil || want.atDecode {
			continue
		}
		data := photo(t, name)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			_, _ = vision.Inspect(data, vision.Limits{})
			_, _ = vision.Prepare(t.Context(), data, vision.PrepareOptions{})
		}
		runtime.ReadMemStats(&after)
		each := (after.TotalAlloc - before.TotalAlloc) / (2 * rounds)
		require.Less(t, each, uint64(64<<10), name)
	}
}

func TestScannerComesFirst(t *testing.T) {
	t.Parallel()
	o := vision.PrepareOptions{Scanner: eicarScanner{}}
	_, err := vision.Prepare(t.Context(), photo(t, "hostile/eicar-renamed.png"), o)
	require.ErrorIs(t, err, vision.ErrInfected)
	require.NotErrorIs(t, err, vision.ErrUnsupportedFormat)

	// A finding behind the end of a good picture counts as well.
	data := append(photo(t, "house-outside.jpg"), photo(t, "hostile/eicar-renamed.png")...)
	_, err = vision.Prepare(t.Context(), data, o)
	require.ErrorIs(t, err, vision.ErrInfected)

	got, err := vision.Prepare(t.Context(), photo(t, "house-outside.jpg"), o)
	require.NoError(t, err)
	require.Equal(t, 640, got.Width)
}

// scanFunc lets a function be a scanner.
type scanFunc func(ctx context.Context, r io.Reader) error

func (f scanFunc) Scan(ctx context.Context, r io.Reader) error { return f(ctx, r) }

func TestScannerFailsClosed(t *testing.T) {
	t.Parallel()
	broken := scanFunc(func(context.Context, io.Reader) error { return io.ErrClosedPipe })
	_, err := vision.Prepare(t.Context(), photo(t, "house-outside.jpg"), vision.PrepareOptions{Scanner: broken})
	require.ErrorIs(t, err, vision.ErrNotScanned)
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.NotErrorIs(t, err, vision.ErrInfected)
}
