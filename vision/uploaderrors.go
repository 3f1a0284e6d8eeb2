package vision

import "errors"

// Sentinels for refused uploads. [Inspect] and [Prepare] return them inside an *[UploadError]; test
// with [errors.Is].
var (
	// ErrEmpty means the upload has no bytes.
	ErrEmpty = errors.New("vision: empty upload")
	// ErrTooLarge means the upload has more bytes than [Limits.MaxBytes].
	ErrTooLarge = errors.New("vision: upload too large")
	// ErrUnsupportedFormat means the bytes are not a picture of an accepted format, whatever their
	// name or declared type says: another file type, an animation, or a variant of an accepted format
	// that no decoder reads.
	ErrUnsupportedFormat = errors.New("vision: unsupported picture format")
	// ErrDimensions means the picture is too small, too large or too elongated for the [Limits].
	ErrDimensions = errors.New("vision: picture dimensions out of range")
	// ErrCorrupt means the format is accepted but the data is damaged or incomplete.
	ErrCorrupt = errors.New("vision: corrupt picture")
	// ErrInfected means the [Scanner] found malicious content.
	ErrInfected = errors.New("vision: infected upload")
	// ErrNotScanned means a [Scanner] is set but gave no verdict: it could not be reached, timed out
	// or answered with an error. The upload is refused; trying again later may succeed.
	ErrNotScanned = errors.New("vision: upload not scanned")
)

// UploadError is the detail of a refused upload. Its text never contains bytes of the upload.
type UploadError struct {
	Err           error  // the sentinel, never nil
	Reason        string // one clause in English, safe to show to the uploader; may be empty
	Format        Format // what the bytes look like, also for refused formats; empty when unknown
	Width, Height int    // as stored in the header; 0 when unknown
	Cause         error  // error of the decoder or scanner, nil when there is none; for logs
}

// Error returns the sentinel's text, the reason and the cause.
func (e *UploadError) Error() string {
	text := e.Err.Error()
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the sentinel and the cause, so that errors.Is finds [ErrNotScanned] as well as the
// context.DeadlineExceeded behind it.
func (e *UploadError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Cause}
}
