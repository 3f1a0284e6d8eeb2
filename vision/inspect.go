package vision

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
)

// Info is what the header of an accepted upload says.
type Info struct {
	Format        Format // from the bytes
	Width, Height int    // as stored, before Orientation is applied
	Orientation   int    // EXIF orientation 1 to 8; 1 when absent or unreadable
	Bytes         int    // size of the upload
}

// Upright returns width and height after the orientation is applied.
func (i Info) Upright() (width, height int) {
	if i.Orientation >= 5 {
		return i.Height, i.Width
	}
	return i.Width, i.Height
}

// Inspect checks the header of an upload against l without decoding any pixel: it costs microseconds,
// and refusing a decompression bomb allocates a few kilobytes. Name and declared content type play no
// part.
//
// A nil error means the header is acceptable; only [Prepare] finds damage further on. Refusals are
// *[UploadError] with [ErrEmpty], [ErrTooLarge], [ErrUnsupportedFormat], [ErrDimensions] or
// [ErrCorrupt]. Inspect is safe for concurrent use.
func Inspect(data []byte, l Limits) (Info, error) {
	l = l.withDefaults()
	if err := l.checkBytes(len(data)); err != nil {
		return Info{}, err
	}
	return inspect(data, l)
}

// inspect is Inspect after the size check, with defaults filled in.
func inspect(data []byte, l Limits) (Info, error) {
	format := sniff(data)
	if !format.decodable() {
		return Info{}, unsupported(format, refusal(format), nil)
	}
	if err := l.checkFormat(format); err != nil {
		return Info{}, err
	}
	h, err := readHeader(format, data)
	if err != nil {
		return Info{}, err
	}
	if err := l.checkSize(format, h.width, h.height); err != nil {
		return Info{}, err
	}
	// The standard decoders check the rest of the header. They run after the limits, since a palette
	// or a canvas is allocated here.
	if err := checkConfig(format, data, h); err != nil {
		return Info{}, err
	}
	if int64(len(data)) < h.minBytes {
		return Info{}, corrupt(format, "incomplete: too few bytes for its dimensions", nil)
	}
	return Info{
		Format: format, Width: int(h.width), Height: int(h.height),
		Orientation: orientation(exifBlock(format, data)), Bytes: len(data),
	}, nil
}

// header is the part of a file header that the limits need.
type header struct {
	width, height int64
	// minBytes is a lower bound for a file of these dimensions. It stops a file of a hundred bytes
	// from having megabytes of pixels allocated before its end is noticed.
	minBytes int64
}

// readHeader finds the dimensions.
func readHeader(format Format, data []byte) (header, error) {
	switch format {
	case FormatPNG:
		return readPNGHeader(data)
	case FormatGIF:
		return readGIFHeader(data)
	case FormatWebP:
		return readWebPHeader(data)
	}
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return header{}, decodeError(format, err)
	}
	h := header{width: int64(cfg.Width), height: int64(cfg.Height)}
	// Every 8 x 8 block of the brightness plane takes at least one bit of entropy-coded data.
	h.minBytes = h.width * h.height / 64 / 8
	return h, nil
}

const pngSignature = "\x89PNG\r\n\x1a\n"

func readPNGHeader(data []byte) (header, error) {
	if len(data) < 33 || string(data[12:16]) != "IHDR" {
		return header{}, corrupt(FormatPNG, "incomplete header", nil)
	}
	h := header{width: int64(be32(data[16:])), height: int64(be32(data[20:]))}
	// Deflate expands at most 1032 times, and one bit a pixel is the least any colour type takes.
	h.minBytes = int64(uint64(h.width) * uint64(h.height) / 8 / 1032)
	return h, nil
}

func readGIFHeader(data []byte) (header, error) {
	if len(data) < 13 {
		return header{}, corrupt(FormatGIF, "incomplete header", nil)
	}
	return header{
		width:  int64(binary.LittleEndian.Uint16(data[6:])),
		height: int64(binary.LittleEndian.Uint16(data[8:])),
	}, nil
}

// checkConfig lets the decoder of format judge the header, and refuses a format without decoder.
func checkConfig(format Format, data []byte, h header) error {
	var cfg image.Config
	var err error
	switch format {
	case FormatPNG:
		cfg, err = png.DecodeConfig(bytes.NewReader(data))
	case FormatGIF:
		cfg, err = gif.DecodeConfig(bytes.NewReader(data))
	case FormatWebP:
		cfg, err = decodeRegisteredConfig(data)
	default:
		return nil // readHeader has asked the JPEG decoder already.
	}
	if err != nil {
		return decodeError(format, err)
	}
	if int64(cfg.Width) != h.width || int64(cfg.Height) != h.height {
		return corrupt(format, "contradictory dimensions", nil)
	}
	return nil
}

// errNoDecoder marks a format that nobody registered with package image.
var errNoDecoder = errors.New("no decoder registered")

// decodeRegisteredConfig asks the decoder the program registered with package image.
func decodeRegisteredConfig(data []byte) (cfg image.Config, err error) {
	defer recoverDecoder(&err)
	cfg, _, err = image.DecodeConfig(bytes.NewReader(data))
	if errors.Is(err, image.ErrFormat) {
		err = errNoDecoder
	}
	return cfg, err
}

// recoverDecoder turns a panic of a decoder into an error: the input is hostile and the decoder may
// be anybody's.
func recoverDecoder(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("decoder panicked: %v", r)
	}
}

// decodeError translates an error of a decoder.
func decodeError(format Format, err error) error {
	var badJPEG jpeg.UnsupportedError
	var badPNG png.UnsupportedError
	switch {
	case errors.Is(err, errNoDecoder):
		return unsupported(format, format.Name()+" is not supported", err)
	case errors.As(err, &badJPEG), errors.As(err, &badPNG):
		return unsupported(format, "this variant of "+format.Name()+" is not supported", err)
	}
	return corrupt(format, "damaged or incomplete data", err)
}

// refusal is the reason for refusing a format that has no decoder.
func refusal(format Format) string {
	if format == "" {
		return "not a picture"
	}
	return format.Name() + " is not supported; send JPEG, PNG or WebP"
}

func unsupported(format Format, reason string, cause error) error {
	return &UploadError{Err: ErrUnsupportedFormat, Reason: reason, Format: format, Cause: cause}
}

func corrupt(format Format, reason string, cause error) error {
	return &UploadError{Err: ErrCorrupt, Reason: reason, Format: format, Cause: cause}
}

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
