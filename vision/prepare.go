package vision

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
)

// PrepareOptions says what [Prepare] accepts and makes. The zero value is usable.
type PrepareOptions struct {
	Limits  Limits  // Bounds of the upload; see there for the defaults.
	Scanner Scanner // Asked before anything is decoded. Nil scans nothing.

	// LongSide and ShortSide bound the sides of the result in pixels. A picture that fits is not
	// enlarged. LongSide defaults to 2048 and ShortSide to no bound; negative means no bound.
	LongSide, ShortSide int
	// Quality is the JPEG quality, 1 to 100. Default 80; values outside are clamped.
	Quality int
}

// Prepared is an upload made safe: a fresh JPEG, upright, of bounded size and without metadata.
type Prepared struct {
	Data          []byte // JPEG, baseline
	Width, Height int
	SHA256        string // of Data, in lower-case hexadecimal
	Source        Info   // what the upload was
}

// Prepare turns an upload into a JPEG that is safe to store, to show and to send to a model. The
// result holds pixels only: position, camera, time, colour profile, comments, thumbnails and bytes
// hidden around the picture do not survive, because the picture is always decoded and encoded anew.
// EXIF orientation is applied, transparency is flattened on white, of an animated GIF the first frame
// is taken. Equal uploads give equal bytes with the same version of Go, so SHA256 is a content key.
//
// The order is size, scanner, header, decode: the scanner sees every upload of acceptable size before
// any parser does. Refusals are *[UploadError] with the sentinels of [Inspect], [ErrInfected] or
// [ErrNotScanned]. When ctx ends, during a decode too, its error is returned. Memory: see [Limits].
// Prepare is safe for concurrent use.
func Prepare(ctx context.Context, data []byte, o PrepareOptions) (Prepared, error) {
	o = o.withDefaults()
	if err := o.Limits.checkBytes(len(data)); err != nil {
		return Prepared{}, err
	}
	if err := ctx.Err(); err != nil {
		return Prepared{}, err
	}
	if o.Scanner != nil {
		if err := scan(ctx, o.Scanner, data); err != nil {
			return Prepared{}, err
		}
	}
	info, err := inspect(data, o.Limits)
	if err != nil {
		return Prepared{}, err
	}
	img, err := decode(ctx, data, info)
	if err != nil {
		return Prepared{}, err
	}
	w, h := info.Upright()
	w, h = fit(w, h, o.LongSide, o.ShortSide)
	img, err = normalize(ctx, img, info, w, h)
	if err != nil {
		return Prepared{}, err
	}
	out := bytes.NewBuffer(make([]byte, 0, 4<<10+w*h/8))
	if err := jpeg.Encode(out, img, &jpeg.Options{Quality: o.Quality}); err != nil {
		return Prepared{}, corrupt(info.Format, "cannot be encoded", err)
	}
	if err := ctx.Err(); err != nil {
		return Prepared{}, err
	}
	sum := sha256.Sum256(out.Bytes())
	return Prepared{
		Data: out.Bytes(), Width: w, Height: h, SHA256: hex.EncodeToString(sum[:]), Source: info,
	}, nil
}

// maxJPEGSide is what the size field of a JPEG can say.
const maxJPEGSide = 65535

func (o PrepareOptions) withDefaults() PrepareOptions {
	o.Limits = o.Limits.withDefaults()
	if o.LongSide == 0 {
		o.LongSide = 2048
	}
	if o.LongSide < 0 || o.LongSide > maxJPEGSide {
		o.LongSide = maxJPEGSide
	}
	if o.ShortSide <= 0 {
		o.ShortSide = maxJPEGSide
	}
	if o.Quality == 0 {
		o.Quality = 80
	}
	o.Quality = min(max(o.Quality, 1), 100)
	return o
}

// fit returns w by h shrunk in proportion until the longer side is at most long and the shorter at
// most short.
func fit(w, h, long, short int) (int, int) {
	l, s := max(w, h), min(w, h)
	switch {
	case l <= long && s <= short:
		return w, h
	case int64(long)*int64(s) <= int64(short)*int64(l): // The longer side decides.
		l, s = long, scaled(s, long, l)
	default:
		l, s = scaled(l, short, s), short
	}
	if w >= h {
		return l, s
	}
	return s, l
}

// scaled returns n*num/den, rounded to nearest, at least 1.
func scaled(n, num, den int) int {
	return max(1, int((2*int64(n)*int64(num)+int64(den))/(2*int64(den))))
}

// decode reads the pixels and holds the decoder to what the header promised.
func decode(ctx context.Context, data []byte, info Info) (img image.Image, err error) {
	r := &contextReader{ctx: ctx, r: bytes.NewReader(data)}
	img, err = decodeFormat(r, info.Format)
	if ctxErr := ctx.Err(); ctxErr != nil {
		return nil, ctxErr
	}
	if err != nil {
		return nil, decodeError(info.Format, err)
	}
	b := img.Bounds()
	canvas := image.Rect(0, 0, info.Width, info.Height)
	if info.Format == FormatGIF && b.In(canvas) && !b.Empty() {
		return img, nil // A frame may cover a part of the canvas.
	}
	if b.Dx() != info.Width || b.Dy() != info.Height {
		return nil, corrupt(info.Format, "contradictory dimensions", nil)
	}
	if info.Format == FormatWebP {
		expandRange(img)
	}
	return img, nil
}

func decodeFormat(r *contextReader, format Format) (img image.Image, err error) {
	defer recoverDecoder(&err)
	switch format {
	case FormatJPEG:
		return jpeg.Decode(r)
	case FormatPNG:
		return png.Decode(r)
	case FormatGIF:
		return gif.Decode(r)
	}
	img, _, err = image.Decode(r)
	if errors.Is(err, image.ErrFormat) {
		err = errNoDecoder
	}
	return img, err
}

// contextReader stops a decode when its context ends.
type contextReader struct {
	ctx context.Context
	r   *bytes.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
