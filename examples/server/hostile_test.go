package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// Every hostile file gets the answer its manifest and the server's narrower formats ask for, one by
// one over HTTP, and never a 500.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	type verdict struct {
		status int
		code   string // "" for accepted
	}
	accepted := verdict{http.StatusAccepted, ""}
	unsupported := verdict{http.StatusUnsupportedMediaType, "unsupported_media"}
	corrupt := verdict{http.StatusUnprocessableEntity, "image_corrupt"}
	dimensions := verdict{http.StatusUnprocessableEntity, "image_dimensions"}
	want := map[string]verdict{
		"empty.jpg":                  {http.StatusUnprocessableEntity, "image_empty"},
		"magic-only.jpg":             corrupt,
		"truncated.jpg":              corrupt,
		"truncated-progressive.jpg":  corrupt,
		"bad-crc.png":                corrupt,
		"bomb-1bit-40000x40000.png":  dimensions,
		"header-lie-65535x65535.png": dimensions,
		"dimension-lie-65500.jpg":    dimensions,
		"ztxt-bomb-64MiB.png":        accepted,
		"aspect-20000x1.png":         dimensions,
		"tiny-1x1.png":               dimensions,
		"polyglot-script.gif":        unsupported,
		"gif-header-only-script.gif": unsupported,
		"animated.gif":               unsupported,
		"animated.webp":              unsupported,
		"svg-renamed.jpg":            unsupported,
		"html-renamed.png":           unsupported,
		"pdf-renamed.webp":           unsupported,
		"bmp-renamed.jpg":            unsupported,
		"tiff-renamed.png":           unsupported,
		"riff-not-webp.webp":         unsupported,
		"heic-brand-only.heic":       unsupported,
		"twelve-bit.jpg":             unsupported,
		"arithmetic.jpg":             unsupported,
		"exif-ifd-loop.jpg":          accepted,
		"exif-orientation-99.jpg":    accepted,
		"trailing-zip.jpg":           accepted,
		"eicar-renamed.png":          unsupported, // no scanner is set up
		"prompt-injection.jpg":       accepted,
	}
	files, err := os.ReadDir(filepath.Join(photoFolder, "hostile"))
	require.NoError(t, err)
	require.Len(t, files, len(want))
	servertest.Each(t, servertest.Options{}, func(t *testing.T, server *servertest.Server) {
		s := api{t: t, base: server.URL}.signUp("hostile").survey("quote")
		for _, file := range files {
			t.Run(file.Name(), func(t *testing.T) {
				s := survey{api{t, s.base, s.token}, s.job}
				room := s.room(file.Name())
				upload := photos(t, filepath.Join("hostile", file.Name()))
				path := "/v1/survey/rooms/" + room + "/photos"
				v, ok := want[file.Name()]
				require.True(t, ok)
				if v.code != "" {
					refusal := s.refused("POST", path, upload, v.status, v.code)
					require.Equal(t, v.code, refusal.text("photos", 0, "code"))
					require.Equal(t, false, refusal.at("photos", 0, "accepted"))
					return
				}
				taken := s.do("POST", path, upload, v.status)
				require.Equal(t, true, taken.at("photos", 0, "accepted"))
				photo := s.call("GET", "/v1/survey/photos/"+taken.text("photos", 0, "photo", "id")+"/content", nil)
				require.Equal(t, http.StatusOK, photo.status)
				require.True(t, strings.HasPrefix(string(photo.body), "\xff\xd8\xff"))
				for _, trace := range []string{"<script", "PK\x03\x04", "Exif", "zTXt"} {
					require.NotContains(t, string(photo.body), trace)
				}
				require.Equal(t, "succeeded", s.finished(taken.text("analysis", "id")).text("status"))
			})
		}
	})
}

// One bad file does not spoil the others of its request.
func TestHostileFileAmongGoodOnes(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, server *servertest.Server) {
		s := api{t: t, base: server.URL}.signUp("mixed").survey("quote")
		upload := photos(t, "hostile/truncated.jpg", "room-study.jpg", "hostile/svg-renamed.jpg")
		taken := s.do("POST", "/v1/survey/photos", upload, http.StatusAccepted)
		require.Equal(t, "image_corrupt", taken.text("photos", 0, "code"))
		require.Equal(t, true, taken.at("photos", 1, "accepted"))
		require.Equal(t, "unsupported_media", taken.text("photos", 2, "code"))
		require.Equal(t, int64(1), taken.pence("analysis", "photos"))
	})
}
