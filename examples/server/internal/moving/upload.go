package moving

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	_ "golang.org/x/image/webp" // registers the decoder that vision.Prepare uses for WebP

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
)

const (
	uploadField = "photos"
	// maxUploadBytes is six photos and the framing of the multipart body.
	maxUploadBytes = maxUploadPhotos*maxPhotoBytes + 64<<10
	// partDeadline is how long one photo may take: 10 MiB over a slow mobile line.
	partDeadline = 2 * time.Minute
)

// readUpload reads the photos of a multipart body, one after the other, and prepares each before the
// next is read, so that an upload never holds more than one file as it came. Nothing is written
// anywhere. It stops at the first file over the limit.
func (s *Service) readUpload(w http.ResponseWriter, r *http.Request) ([]prepared, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "multipart/form-data" {
		return nil, ErrNotMultipart
	}
	if r.ContentLength > maxUploadBytes {
		return nil, ErrTooLarge
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxUploadBytes)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, ErrMalformed.With("", err)
	}
	control := http.NewResponseController(w)
	var files []prepared
	for {
		// Not every writer has deadlines; the server's own time-outs hold then.
		_ = control.SetReadDeadline(time.Now().Add(partDeadline))
		part, err := parts.NextRawPart()
		if err == io.EOF { //nolint:errorlint // a wrapped EOF is a body that ends too early
			break
		}
		if err != nil {
			return nil, uploadFault(r, err)
		}
		if part.FormName() != uploadField {
			return nil, fault.Invalid(fault.Body("#", fault.FieldUnknown, "The only form field is photos."))
		}
		if len(files) == maxUploadPhotos {
			return nil, fault.Invalid(fault.Body("#/photos", fault.FieldTooLong, "Send at most 6 photos at a time."))
		}
		data, err := readPart(r, part)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		file, err := s.prepare(r.Context(), fileName(part.FileName()), hex.EncodeToString(sum[:]), data)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		return nil, fault.Invalid(fault.Body("#/photos", fault.FieldRequired, "Send at least one photo."))
	}
	return files, nil
}

func readPart(r *http.Request, part *multipart.Part) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(part, maxPhotoBytes+1))
	if err != nil {
		return nil, uploadFault(r, err)
	}
	if len(data) > maxPhotoBytes {
		return nil, ErrTooLarge
	}
	return data, nil
}

// uploadFault tells a body that is too long, or broken, from a client that went away.
func uploadFault(r *http.Request, err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return ErrTooLarge
	case r.Context().Err() != nil:
		return fmt.Errorf("moving: read upload: %w", r.Context().Err())
	}
	return ErrMalformed.With("", err)
}

// fileName makes the client's name for a file fit to be repeated to the client. It is used for nothing
// else.
func fileName(name string) string {
	name = line(path.Base(strings.ReplaceAll(name, `\`, "/")))
	if name == "." || name == "/" {
		name = ""
	}
	for utf8.RuneCountInString(name) > 120 {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}
