package vision

import (
	"fmt"
	"slices"
)

// Limits bounds what an upload may be. The zero value of each field is its default; a negative
// number switches that bound off.
//
// The bounds are checked on the file's header, before any pixel memory is allocated. They cap the
// memory of a decode: a photograph takes 1.5 to 3 bytes a pixel, a progressive JPEG up to 12 more
// while it is decoded, a PNG 4, or 8 with 16 bits a channel. Bound the number of concurrent
// [Prepare] calls accordingly.
type Limits struct {
	MaxBytes  int      // Largest upload in bytes. Default 20 MiB.
	MaxPixels int      // Largest width times height. Default 50,000,000.
	MaxSide   int      // Largest width or height. Default 12,000.
	MinSide   int      // Smallest width or height. Default 16.
	MaxAspect float64  // Largest ratio of the longer to the shorter side. Default 20.
	Formats   []Format // Accepted formats. Default JPEG, PNG, GIF and WebP.
}

// withDefaults fills in the defaults. Every bound that is switched off stays negative.
func (l Limits) withDefaults() Limits {
	if l.MaxBytes == 0 {
		l.MaxBytes = 20 << 20
	}
	if l.MaxPixels == 0 {
		l.MaxPixels = 50_000_000
	}
	if l.MaxSide == 0 {
		l.MaxSide = 12_000
	}
	if l.MinSide == 0 {
		l.MinSide = 16
	}
	if l.MaxAspect == 0 {
		l.MaxAspect = 20
	}
	return l
}

// checkBytes refuses an upload of n bytes that is empty or too large.
func (l Limits) checkBytes(n int) error {
	if n == 0 {
		return &UploadError{Err: ErrEmpty}
	}
	if l.MaxBytes > 0 && n > l.MaxBytes {
		reason := fmt.Sprintf("%d bytes, at most %d allowed", n, l.MaxBytes)
		return &UploadError{Err: ErrTooLarge, Reason: reason}
	}
	return nil
}

// checkFormat refuses a decodable format that the caller does not accept.
func (l Limits) checkFormat(f Format) error {
	if l.Formats == nil || slices.Contains(l.Formats, f) {
		return nil
	}
	return unsupported(f, f.Name()+" pictures are not accepted", nil)
}

// checkSize refuses a picture of w by h pixels. The figures come from a hostile header, so nothing
// here may overflow.
func (l Limits) checkSize(f Format, w, h int64) error {
	long, short := max(w, h), min(w, h)
	var reason string
	switch {
	case short < 1 || l.MinSide > 0 && short < int64(l.MinSide):
		reason = fmt.Sprintf("each side needs at least %d pixels", max(l.MinSide, 1))
	case l.MaxSide > 0 && long > int64(l.MaxSide):
		reason = fmt.Sprintf("no side may exceed %d pixels", l.MaxSide)
	case l.MaxPixels > 0 && w > int64(l.MaxPixels)/h:
		reason = fmt.Sprintf("no more than %d pixels in all", l.MaxPixels)
	case l.MaxAspect > 0 && float64(long) > l.MaxAspect*float64(short):
		reason = fmt.Sprintf("longer side over %g times the shorter", l.MaxAspect)
	default:
		return nil
	}
	reason = fmt.Sprintf("%d x %d, %s", w, h, reason)
	return &UploadError{Err: ErrDimensions, Reason: reason, Format: f, Width: int(w), Height: int(h)}
}
