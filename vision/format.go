package vision

import (
	"bytes"
	"strings"
)

// Format is the file format of an upload, told from its bytes: never from its name or its declared
// content type.
type Format string

// The formats that [Inspect] and [Prepare] accept. WebP needs a decoder registered with package
// image, for example by importing golang.org/x/image/webp for its side effect. An [UploadError] may
// carry other values for files that are recognised and refused, such as "heic" or "pdf".
const (
	FormatJPEG Format = "jpeg"
	FormatPNG  Format = "png"
	FormatGIF  Format = "gif"
	FormatWebP Format = "webp"
)

// ContentType returns the media type of an accepted format, "application/octet-stream" for others.
func (f Format) ContentType() string {
	switch f {
	case FormatJPEG, FormatPNG, FormatGIF, FormatWebP:
		return "image/" + string(f)
	}
	return "application/octet-stream"
}

// Name returns the format as people write it: "JPEG", "WebP", "HEIC".
func (f Format) Name() string {
	if f == FormatWebP {
		return "WebP"
	}
	return strings.ToUpper(string(f))
}

// decodable reports whether the package knows how to read f.
func (f Format) decodable() bool {
	switch f {
	case FormatJPEG, FormatPNG, FormatGIF, FormatWebP:
		return true
	}
	return false
}

// sniff tells the format from the first bytes; "" means unknown. It knows the usual refused formats
// too, because "HEIC is not supported" helps an uploader and "unknown format" does not.
func sniff(data []byte) Format {
	switch {
	case hasPrefix(data, "\xff\xd8\xff"):
		return FormatJPEG
	case hasPrefix(data, pngSignature):
		return FormatPNG
	case hasPrefix(data, "GIF87a"), hasPrefix(data, "GIF89a"):
		return FormatGIF
	case hasPrefix(data, "RIFF") && len(data) >= 12 && string(data[8:12]) == "WEBP":
		return FormatWebP
	case len(data) >= 12 && string(data[4:8]) == "ftyp":
		return sniffBrand(data)
	case hasPrefix(data, "BM"):
		return "bmp"
	case hasPrefix(data, "II*\x00"), hasPrefix(data, "MM\x00*"):
		return "tiff"
	case hasPrefix(data, "%PDF-"):
		return "pdf"
	case hasPrefix(data, "8BPS"):
		return "psd"
	case hasPrefix(data, "PK\x03\x04"):
		return "zip"
	case hasPrefix(data, "\xff\x0a"), hasPrefix(data, "\x00\x00\x00\x0cJXL "):
		return "jxl"
	case hasPrefix(data, "\x00\x00\x00\x0cjP  "):
		return "jp2"
	}
	return sniffText(data)
}

// sniffBrand reads the brands of an ISO base media file: the major one and the compatible ones, as
// phones write HEIC with the major brand mif1.
func sniffBrand(data []byte) Format {
	size := int(min(be32(data), 256))
	box := data[8:min(max(size, 12), len(data))] // The major brand counts whatever the size says.
	found := Format("mp4")
	for i := 0; i+4 <= len(box); i += 4 {
		switch string(box[i : i+4]) {
		case "avif", "avis":
			return "avif"
		case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1":
			found = "heic"
		}
	}
	return found
}

// sniffText recognises the markup formats by their first tag.
func sniffText(data []byte) Format {
	head := bytes.ToLower(bytes.TrimLeft(data[:min(len(data), 512)], "\xef\xbb\xbf \t\r\n"))
	switch {
	case hasPrefix(head, "<svg"), hasPrefix(head, "<?xml") && bytes.Contains(head, []byte("<svg")):
		return "svg"
	case hasPrefix(head, "<!doctype html"), hasPrefix(head, "<html"), hasPrefix(head, "<script"):
		return "html"
	case hasPrefix(head, "<?xml"):
		return "xml"
	}
	return ""
}

func hasPrefix(data []byte, prefix string) bool {
	return len(data) >= len(prefix) && string(data[:len(prefix)]) == prefix
}
