package vision

import (
	"encoding/binary"
	"image"
)

// webpChunks yields the chunks of a WebP file: identifier and payload. A chunk that claims more bytes
// than the file has ends the walk; its payload is cut short.
func webpChunks(data []byte) func(yield func(id string, payload []byte) bool) {
	return func(yield func(string, []byte) bool) {
		if len(data) < 12 {
			return
		}
		// What follows the RIFF container is not part of the picture.
		end := min(uint64(len(data)), 8+uint64(binary.LittleEndian.Uint32(data[4:])))
		pos := uint64(12)
		for pos+8 <= end {
			size := uint64(binary.LittleEndian.Uint32(data[pos+4:]))
			stop := min(pos+8+size, end)
			if !yield(string(data[pos:pos+4]), data[pos+8:stop]) {
				return
			}
			pos += 8 + size + size%2
		}
	}
}

// webpAnimation is the animation flag of a VP8X chunk.
const webpAnimation = 1 << 1

// readWebPHeader finds the dimensions and refuses animations. A canvas that differs from the frame
// inside is refused too: decoders trust one or the other, and the limits must hold for both.
func readWebPHeader(data []byte) (header, error) {
	var canvas, frame header
	for id, p := range webpChunks(data) {
		switch {
		case id == "ANIM" || id == "ANMF" || id == "VP8X" && len(p) > 0 && p[0]&webpAnimation != 0:
			return header{}, unsupported(FormatWebP, "animated WebP is not supported", nil)
		case id == "VP8X" && len(p) >= 10:
			canvas = header{width: 1 + le24(p[4:]), height: 1 + le24(p[7:])}
		case id == "VP8 " && len(p) >= 10 && string(p[3:6]) == "\x9d\x01\x2a":
			frame.width = int64(binary.LittleEndian.Uint16(p[6:]) & 0x3fff)
			frame.height = int64(binary.LittleEndian.Uint16(p[8:]) & 0x3fff)
		case id == "VP8L" && len(p) >= 5 && p[0] == 0x2f:
			bits := binary.LittleEndian.Uint32(p[1:])
			frame.width, frame.height = int64(1+bits&0x3fff), int64(1+bits>>14&0x3fff)
		}
		if frame.width != 0 {
			break
		}
	}
	if frame.width == 0 {
		return header{}, corrupt(FormatWebP, "incomplete header", nil)
	}
	if canvas.width != 0 && canvas != frame {
		return header{}, corrupt(FormatWebP, "contradictory dimensions", nil)
	}
	return frame, nil
}

// le24 reads a 24-bit little-endian number.
func le24(b []byte) int64 { return int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16 }

// expandRange corrects the colours of a lossy WebP. Its planes hold brightness from 16 to 235 and
// colour from 16 to 240; package image reads YCbCr planes as JPEG's, from 0 to 255, so black would
// come out grey (golang.org/issue/40173). Decoders that return any other type have converted already.
func expandRange(img image.Image) {
	var m *image.YCbCr
	switch img := img.(type) {
	case *image.YCbCr:
		m = img
	case *image.NYCbCrA:
		m = &img.YCbCr
	default:
		return
	}
	var luma, chroma [256]byte
	for i := range 256 {
		luma[i] = stretched(i-16, 255, 219, 0)
		chroma[i] = stretched(i-128, 255, 224, 128)
	}
	for i, v := range m.Y {
		m.Y[i] = luma[v]
	}
	for _, plane := range [2][]byte{m.Cb, m.Cr} {
		for i, v := range plane {
			plane[i] = chroma[v]
		}
	}
}

// stretched returns v*num/den+base rounded to nearest and kept within a byte.
func stretched(v, num, den, base int) byte {
	// The offset keeps the dividend positive, so that the division rounds one way.
	const offset = 1000
	v = (2*(v*num+offset*den)+den)/(2*den) - offset + base
	return byte(min(max(v, 0), 255))
}
