package vision

import (
	"image"
	"image/color"
)

// pixelRow is one row of a picture as brightness and colour differences.
type pixelRow struct {
	y, cb, cr []byte
}

func newPixelRow(w int) pixelRow {
	buf := make([]byte, 3*w)
	return pixelRow{y: buf[:w], cb: buf[w : 2*w], cr: buf[2*w:]}
}

func (p pixelRow) set(x int, r, g, b byte) {
	p.y[x], p.cb[x], p.cr[x] = color.RGBToYCbCr(r, g, b)
}

// rowReader returns a function that fills a row from img, flattened on white. The row starts at the
// left edge of the picture. img covers all of it, except that a GIF frame may be smaller: what lies
// outside is white.
func rowReader(img image.Image) func(y int, row pixelRow) {
	b := img.Bounds()
	switch m := img.(type) {
	case *image.NRGBA:
		return func(y int, row pixelRow) {
			nrgbaRow(m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):], row)
		}
	case *image.RGBA:
		return func(y int, row pixelRow) {
			rgbaRow(m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):], row)
		}
	case *image.Paletted:
		return palettedReader(m)
	case image.RGBA64Image:
		return func(y int, row pixelRow) {
			for x := range row.y {
				c := m.RGBA64At(b.Min.X+x, b.Min.Y+y)
				white := 0xffff - uint32(c.A)
				row.set(x, flat16(uint32(c.R), white), flat16(uint32(c.G), white), flat16(uint32(c.B), white))
			}
		}
	}
	return func(y int, row pixelRow) {
		for x := range row.y {
			r, g, bl, a := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			white := 0xffff - min(a, 0xffff)
			row.set(x, flat16(r, white), flat16(g, white), flat16(bl, white))
		}
	}
}

// flat16 adds the white that shines through to a premultiplied 16-bit value.
func flat16(c, white uint32) byte { return byte(min(c+white, 0xffff) >> 8) }

// nrgbaRow converts a row whose colours are not multiplied by their opacity.
func nrgbaRow(pix []byte, row pixelRow) {
	for x := range row.y {
		p := pix[4*x : 4*x+4 : 4*x+4]
		if a := uint32(p[3]); a == 255 {
			row.set(x, p[0], p[1], p[2])
		} else {
			row.set(x, blend(p[0], a), blend(p[1], a), blend(p[2], a))
		}
	}
}

// blend mixes c at opacity a with white.
func blend(c byte, a uint32) byte {
	return byte((uint32(c)*a + 255*(255-a) + 127) / 255)
}

// rgbaRow converts a row whose colours are multiplied by their opacity.
func rgbaRow(pix []byte, row pixelRow) {
	for x := range row.y {
		p := pix[4*x : 4*x+4 : 4*x+4]
		white := 255 - uint32(p[3])
		r, g, b := uint32(p[0])+white, uint32(p[1])+white, uint32(p[2])+white
		row.set(x, byte(min(r, 255)), byte(min(g, 255)), byte(min(b, 255)))
	}
}

// palettedReader converts the palette once. A frame of a GIF sits inside its canvas at its own place,
// which its bounds tell; a PNG fills it.
func palettedReader(m *image.Paletted) func(y int, row pixelRow) {
	// An index beyond the palette stays white.
	lut := newPixelRow(256)
	for i := range lut.y {
		lut.set(i, 255, 255, 255)
	}
	for i, c := range m.Palette[:min(len(m.Palette), 256)] {
		r, g, b, a := c.RGBA()
		white := 0xffff - min(a, 0xffff)
		lut.set(i, flat16(r, white), flat16(g, white), flat16(b, white))
	}
	return func(y int, row pixelRow) {
		for x := range row.y {
			if !(image.Point{X: x, Y: y}).In(m.Rect) {
				row.set(x, 255, 255, 255)
				continue
			}
			i := m.Pix[m.PixOffset(x, y)]
			row.y[x], row.cb[x], row.cr[x] = lut.y[i], lut.cb[i], lut.cr[i]
		}
	}
}
