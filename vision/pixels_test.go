package vision_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
)

// oriented returns the pixel of the stored picture that belongs at x, y of the upright one. It is
// written down from the EXIF standard's table, case by case.
func oriented(o, x, y, storedW, storedH int) (int, int) {
	switch o {
	case 2:
		return storedW - 1 - x, y
	case 3:
		return storedW - 1 - x, storedH - 1 - y
	case 4:
		return x, storedH - 1 - y
	case 5:
		return y, x
	case 6:
		return y, storedH - 1 - x
	case 7:
		return storedW - 1 - y, storedH - 1 - x
	case 8:
		return storedW - 1 - y, x
	}
	return x, y
}

// reference averages the area under each pixel of the result, in floating point and one pixel at a
// time, after flattening on white. It returns red, green and blue.
func reference(img image.Image, info vision.Info, w, h int) [][3]float64 {
	upW, upH := info.Upright()
	out := make([][3]float64, w*h)
	for i := range out {
		x0, x1 := float64(i%w)*float64(upW)/float64(w), float64(i%w+1)*float64(upW)/float64(w)
		y0, y1 := float64(i/w)*float64(upH)/float64(h), float64(i/w+1)*float64(upH)/float64(h)
		for y := int(y0); y < upH && float64(y) < y1-1e-9; y++ {
			for x := int(x0); x < upW && float64(x) < x1-1e-9; x++ {
				area := (min(x1, float64(x+1)) - max(x0, float64(x))) *
					(min(y1, float64(y+1)) - max(y0, float64(y))) / (x1 - x0) / (y1 - y0)
				sx, sy := oriented(info.Orientation, x, y, info.Width, info.Height)
				r, g, b, a := img.At(sx, sy).RGBA()
				for c, v := range [3]uint32{r, g, b} {
					out[i][c] += area * float64(v+0xffff-a) / 257
				}
			}
		}
	}
	return out
}

// difference is the mean and the largest distance in brightness, and the mean distance of the colour
// channels in blocks of 2 x 2 pixels, which share one colour sample.
func difference(got image.Image, want [][3]float64) (mean, largest, colour float64) {
	w := got.Bounds().Dx()
	h := len(want) / w
	blocks := make([][3]float64, (w+1)/2*((h+1)/2))
	for i, p := range want {
		r, g, b, _ := got.At(i%w, i/w).RGBA()
		q := [3]float64{float64(r) / 257, float64(g) / 257, float64(b) / 257}
		d := math.Abs(0.299*(q[0]-p[0]) + 0.587*(q[1]-p[1]) + 0.114*(q[2]-p[2]))
		mean += d
		largest = max(largest, d)
		for c := range q {
			blocks[i/w/2*((w+1)/2)+i%w/2][c] += q[c] - p[c]
		}
	}
	for _, block := range blocks {
		colour += (math.Abs(block[0]) + math.Abs(block[1]) + math.Abs(block[2])) / 3
	}
	n := float64(len(want))
	return mean / n, largest, colour / n
}

// smooth paints a picture whose colours change slowly enough for halved colour planes, and
// asymmetrically enough to tell all eight orientations apart.
func smooth(x, y int) color.NRGBA {
	wave := func(v float64) uint8 { return uint8(128 + 100*math.Sin(v)) }
	fx, fy := float64(x), float64(y)
	return color.NRGBA{R: wave(fx / 17), G: wave(fy/11 + fx/40), B: wave(fx/23 - fy/19), A: 255}
}

func paint(set func(x, y int, c color.Color), w, h int) {
	for y := range h {
		for x := range w {
			set(x, y, smooth(x, y))
		}
	}
}

func ycbcr(r image.YCbCrSubsampleRatio) func(w, h int) image.Image {
	return func(w, h int) image.Image {
		m := image.NewYCbCr(image.Rect(0, 0, w, h), r)
		for y := range h {
			for x := range w {
				c := smooth(x, y)
				yy, cb, cr := color.RGBToYCbCr(c.R, c.G, c.B)
				m.Y[m.YOffset(x, y)] = yy
				m.Cb[m.COffset(x, y)], m.Cr[m.COffset(x, y)] = cb, cr
			}
		}
		return m
	}
}

var sources = map[string]func(w, h int) image.Image{
	"ycbcr444": ycbcr(image.YCbCrSubsampleRatio444),
	"ycbcr422": ycbcr(image.YCbCrSubsampleRatio422),
	"ycbcr420": ycbcr(image.YCbCrSubsampleRatio420),
	"ycbcr440": ycbcr(image.YCbCrSubsampleRatio440),
	"ycbcr411": ycbcr(image.YCbCrSubsampleRatio411),
	"ycbcr410": ycbcr(image.YCbCrSubsampleRatio410),
	"gray": func(w, h int) image.Image {
		m := image.NewGray(image.Rect(0, 0, w, h))
		paint(m.Set, w, h)
		return m
	},
	"gray16": func(w, h int) image.Image {
		m := image.NewGray16(image.Rect(0, 0, w, h))
		paint(m.Set, w, h)
		return m
	},
	"nrgba": func(w, h int) image.Image {
		m := image.NewNRGBA(image.Rect(0, 0, w, h))
		paint(m.Set, w, h)
		return m
	},
	"nrgba transparent": func(w, h int) image.Image {
		m := image.NewNRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				c := smooth(x, y)
				c.A = uint8(128 + 127*math.Sin(float64(x+2*y)/30))
				m.SetNRGBA(x, y, c)
			}
		}
		return m
	},
	"rgba": func(w, h int) image.Image {
		m := image.NewRGBA(image.Rect(0, 0, w, h))
		paint(m.Set, w, h)
		return m
	},
	"nrgba64": func(w, h int) image.Image {
		m := image.NewNRGBA64(image.Rect(0, 0, w, h))
		paint(m.Set, w, h)
		return m
	},
	"cmyk": func(w, h int) image.Image {
		m := image.NewCMYK(image.Rect(0, 0, w, h))
		paint(m.Set, w, h)
		return m
	},
	"at only": func(w, h int) image.Image {
		m := image.NewNRGBA(image.Rect(0, 0, w, h))
		paint(m.Set, w, h)
		return struct{ image.Image }{m}
	},
	"moved": func(w, h int) image.Image {
		m := ycbcr(image.YCbCrSubsampleRatio420)(w+2, h+4).(*image.YCbCr)
		return m.SubImage(image.Rect(0, 0, w, h))
	},
}

// TestNormalizeAgainstReference compares every pixel layout, orientation and odd size with the naive
// filter.
func TestNormalizeAgainstReference(t *testing.T) {
	t.Parallel()
	sizes := []struct{ w, h, dw, dh int }{
		{64, 48, 64, 48}, // as it is
		{65, 47, 65, 47}, // as it is, with half colour samples at the edges
		{96, 64, 48, 32}, // whole ratio
		{101, 67, 37, 25},
		{67, 101, 66, 100},
		{200, 40, 16, 3},
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, s := range sizes {
				img := source(s.w, s.h)
				for o := 1; o <= 8; o++ {
					info := vision.Info{Width: s.w, Height: s.h, Orientation: o}
					w, h := s.dw, s.dh
					if o >= 5 {
						w, h = h, w
					}
					got, err := vision.Normalize(t.Context(), img, info, w, h)
					require.NoError(t, err)
					require.Equal(t, image.Pt(w, h), got.Bounds().Size())
					mean, largest, colour := difference(got, reference(img, info, w, h))
					what := fmt.Sprintf("%v orientation %d: mean %.2f largest %.2f colour %.2f", s, o, mean, largest, colour)
					// Rounding to whole YCbCr values costs the mean; the largest distances are colours that
					// leave the RGB range because four pixels share one colour sample.
					require.Less(t, mean, 0.8, what)
					require.Less(t, largest, 8.0, what)
					require.Less(t, colour, 1.0, what)
				}
			}
		})
	}
}

// TestNormalizeKeepsFlatColours: weights that did not add up to one would darken a plain area.
func TestNormalizeKeepsFlatColours(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		w, h := 16+rnd.IntN(1500), 16+rnd.IntN(60)
		dw, dh := 1+rnd.IntN(w), 1+rnd.IntN(h)
		m := image.NewGray(image.Rect(0, 0, w, h))
		value := uint8(rnd.IntN(256))
		for i := range m.Pix {
			m.Pix[i] = value
		}
		info := vision.Info{Width: w, Height: h, Orientation: 1 + rnd.IntN(4)}
		got, err := vision.Normalize(t.Context(), m, info, dw, dh)
		require.NoError(t, err)
		for _, v := range got.(*image.Gray).Pix {
			require.Equal(t, value, v, "%d x %d to %d x %d", w, h, dw, dh)
		}
	}
}

func TestNormalizeObeysContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, source := range sources {
		info := vision.Info{Width: 64, Height: 64, Orientation: 6}
		_, err := vision.Normalize(ctx, source(64, 64), info, 32, 32)
		require.ErrorIs(t, err, context.Canceled, name)
	}
}
