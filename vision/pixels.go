package vision

import (
	"context"
	"image"
)

// normalize returns img upright and shrunk to w by h pixels, as brightness and colour planes or as
// grey: the forms the JPEG encoder takes as they are. The box filter mirrors while it writes, and for
// orientations 5 to 8 it writes columns instead of rows.
func normalize(ctx context.Context, img image.Image, info Info, w, h int) (image.Image, error) {
	g := geometry{srcW: info.Width, srcH: info.Height, dstW: w, dstH: h}
	switch info.Orientation {
	case 2, 3, 7, 8:
		g.flipX = true
	}
	switch info.Orientation {
	case 3, 4, 6, 7:
		g.flipY = true
	}
	if g.transpose = info.Orientation >= 5; g.transpose {
		g.dstW, g.dstH = h, w
	}
	// The fast paths index the planes from zero; only a foreign decoder could offer anything else.
	if img.Bounds().Min == (image.Point{}) {
		switch m := img.(type) {
		case *image.Gray:
			return g.grey(ctx, m)
		case *image.YCbCr:
			if subX, subY := subsampling(m.SubsampleRatio); subX > 0 {
				return g.colour(ctx, m, subX, subY)
			}
		}
	}
	return g.convert(ctx, img)
}

// geometry maps the stored picture to the result. Its directions are those of the stored picture:
// with transpose, dstW is the height of the result.
type geometry struct {
	srcW, srcH, dstW, dstH  int
	flipX, flipY, transpose bool
}

// bounds are those of the result.
func (g geometry) bounds() image.Rectangle {
	if g.transpose {
		return image.Rect(0, 0, g.dstH, g.dstW)
	}
	return image.Rect(0, 0, g.dstW, g.dstH)
}

// untouched reports that the result has the pixels of the source in the same place.
func (g geometry) untouched() bool {
	return g.srcW == g.dstW && g.srcH == g.dstH && !g.flipX && !g.flipY && !g.transpose
}

// filter makes the box filter for a plane with the given pixels per sample.
func (g geometry) filter(dst []byte, stride, srcSubX, srcSubY, dstSub int) *boxFilter {
	x := newAxis(axisSpec{g.srcW, g.dstW, srcSubX, dstSub, g.flipX})
	y := newAxis(axisSpec{g.srcH, g.dstH, srcSubY, dstSub, g.flipY})
	f := newBoxFilter(x, y, dst, stride)
	if g.transpose {
		f.band = make([]byte, bandRows*(len(x.bounds)-1))
	}
	return f
}

// grey shrinks a picture of one plane.
func (g geometry) grey(ctx context.Context, m *image.Gray) (image.Image, error) {
	if g.untouched() {
		return m, nil
	}
	out := image.NewGray(g.bounds())
	f := g.filter(out.Pix, out.Stride, 1, 1, 1)
	if err := pushPlane(ctx, f, m.Pix, m.Stride, g.srcW, g.srcH); err != nil {
		return nil, err
	}
	return out, nil
}

// colour shrinks the three planes of a JPEG or WebP as they are stored, without a detour over RGB.
func (g geometry) colour(ctx context.Context, m *image.YCbCr, subX, subY int) (image.Image, error) {
	if g.untouched() {
		return m, nil
	}
	out := image.NewYCbCr(g.bounds(), image.YCbCrSubsampleRatio420)
	luma := g.filter(out.Y, out.YStride, 1, 1, 1)
	if err := pushPlane(ctx, luma, m.Y, m.YStride, g.srcW, g.srcH); err != nil {
		return nil, err
	}
	w, h := (g.srcW+subX-1)/subX, (g.srcH+subY-1)/subY
	for _, plane := range [2][2][]byte{{out.Cb, m.Cb}, {out.Cr, m.Cr}} {
		f := g.filter(plane[0], out.CStride, subX, subY, 2)
		if err := pushPlane(ctx, f, plane[1], m.CStride, w, h); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// convert shrinks any other picture. It is turned into brightness and colour row by row, so that no
// second copy of its size is needed.
func (g geometry) convert(ctx context.Context, img image.Image) (image.Image, error) {
	out := image.NewYCbCr(g.bounds(), image.YCbCrSubsampleRatio420)
	luma := g.filter(out.Y, out.YStride, 1, 1, 1)
	blue := g.filter(out.Cb, out.CStride, 1, 1, 2)
	red := g.filter(out.Cr, out.CStride, 1, 1, 2)
	row := newPixelRow(g.srcW)
	read := rowReader(img)
	for y := range g.srcH {
		if y%rowsPerCheck == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		read(y, row)
		luma.push(row.y)
		blue.push(row.cb)
		red.push(row.cr)
	}
	return out, nil
}

// rowsPerCheck is how many rows are worked on between two looks at the context.
const rowsPerCheck = 64

func pushPlane(ctx context.Context, f *boxFilter, pix []byte, stride, w, h int) error {
	for y := range h {
		if y%rowsPerCheck == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		f.push(pix[y*stride : y*stride+w])
	}
	return nil
}

// subsampling returns the pixels per colour sample, 0 for a ratio that package image does not know.
func subsampling(r image.YCbCrSubsampleRatio) (x, y int) {
	switch r {
	case image.YCbCrSubsampleRatio444:
		return 1, 1
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 0, 0
}
