package vision

import (
	"bytes"
	"encoding/binary"

	"github.com/bep/imagemeta"
)

// maxEXIF bounds the EXIF data that is looked at. A JPEG segment cannot hold more, and cameras write
// the orientation into its first directory.
const maxEXIF = 64 << 10

// exifBlock returns the TIFF structure with the EXIF data of a picture, nil when there is none. Only
// the container is walked here, within its bounds; the structure itself is for the EXIF reader.
func exifBlock(format Format, data []byte) []byte {
	var block []byte
	switch format {
	case FormatJPEG:
		block = exifOfJPEG(data)
	case FormatPNG:
		block = exifOfPNG(data)
	case FormatWebP:
		for id, payload := range webpChunks(data) {
			if id == "EXIF" {
				// Some writers keep the prefix that only JPEG needs.
				block = bytes.TrimPrefix(payload, []byte(exifPrefix))
				break
			}
		}
	}
	return block[:min(len(block), maxEXIF)]
}

const exifPrefix = "Exif\x00\x00"

// exifOfJPEG looks through the segments before the first scan.
func exifOfJPEG(data []byte) []byte {
	for pos := 2; pos+4 <= len(data); {
		if data[pos] != 0xff {
			return nil
		}
		marker := data[pos+1]
		switch {
		case marker == 0xff: // A fill byte.
			pos++
			continue
		case marker >= 0xd0 && marker <= 0xd7 || marker == 0x01: // Markers without a length.
			pos += 2
			continue
		case marker == 0xda || marker == 0xd9: // Start of scan, end of image.
			return nil
		}
		end := pos + 2 + int(binary.BigEndian.Uint16(data[pos+2:]))
		if end < pos+4 || end > len(data) {
			return nil
		}
		if payload := data[pos+4 : end]; marker == 0xe1 && hasPrefix(payload, exifPrefix) {
			return payload[len(exifPrefix):]
		}
		pos = end
	}
	return nil
}

// exifOfPNG looks through all chunks, since eXIf may follow the picture data.
func exifOfPNG(data []byte) []byte {
	for pos := uint64(len(pngSignature)); pos+12 <= uint64(len(data)); {
		size := uint64(be32(data[pos:]))
		end := pos + 8 + size
		if end+4 > uint64(len(data)) {
			return nil
		}
		if string(data[pos+4:pos+8]) == "eXIf" {
			return data[pos+8 : end]
		}
		pos = end + 4
	}
	return nil
}

// orientation reads the orientation from an EXIF block; 1 when there is none, when it is out of range
// or when the block is damaged. A picture is never refused for its EXIF data.
func orientation(block []byte) int {
	if len(block) == 0 {
		return 1
	}
	found := 1
	// The error is of no interest: whatever was read before it counts.
	_, _ = imagemeta.Decode(imagemeta.Options{
		R:           bytes.NewReader(block),
		ImageFormat: imagemeta.TIFF,
		Sources:     imagemeta.EXIF,
		// Limits against directories that loop or claim 65,535 entries. Values above four bytes
		// are stored elsewhere in the block; the orientation never is.
		LimitNumTags: 1000,
		LimitTagSize: 4,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool {
			return t.Tag == "Orientation" && t.Namespace == "IFD0"
		},
		HandleTag: func(t imagemeta.TagInfo) error {
			if v := small(t.Value); v >= 1 && v <= 8 {
				found = v
			}
			return imagemeta.ErrStopWalking
		},
	})
	return found
}

// small converts the integer types that EXIF writers use for a short; 0 for anything else.
func small(v any) int {
	switch v := v.(type) {
	case uint16:
		return int(v)
	case uint32:
		return int(min(v, 1<<15))
	case byte:
		return int(v)
	}
	return 0
}
