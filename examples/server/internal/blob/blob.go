// Package blob keeps files: photos now, documents later. The server talks to [Store]; [Local] keeps
// them in a folder.
//
// Keys are slash-separated paths of lower-case letters, digits, '-', '_' and '.', such as
// "photos/0192f0c1/0192f0d2.jpg". They are made by the server, never taken from a client. The
// extension says what the content is: .jpg, .png, .webp, .pdf, .json; anything else is
// application/octet-stream.
package blob

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"
)

// Sentinel errors. Stores wrap them, so compare with errors.Is.
var (
	// ErrNotFound says that no file has the key.
	ErrNotFound = errors.New("blob: not found")
	// ErrInvalidKey says that the key is not of the form the package comment gives.
	ErrInvalidKey = errors.New("blob: invalid key")
)

// Store keeps files by key. It is safe for concurrent use.
type Store interface {
	// Put writes the whole of r under key, replacing what was there. contentType must be the one the
	// key's extension stands for. Readers see the old file or the new one, never a part. When r or the store fails, nothing changes and nothing is left behind.
	Put(ctx context.Context, key string, r io.Reader, contentType string) error
	// Open returns the content of key, which the caller closes, and what is known about it.
	// ErrNotFound when there is none.
	Open(ctx context.Context, key string) (io.ReadCloser, Info, error)
	// Stat returns what is known about key. ErrNotFound when there is none.
	Stat(ctx context.Context, key string) (Info, error)
	// Delete removes key. Deleting a key that is not there is not an error.
	Delete(ctx context.Context, key string) error
}

// Info describes a stored file.
type Info struct {
	// Size in bytes.
	Size int64
	// ContentType as it was given to Put.
	ContentType string
	// ModTime is when the file was written.
	ModTime time.Time
}

// maxKey is the length of the longest key: it stays below the limits of file systems and of S3.
const maxKey = 512

// CheckKey returns ErrInvalidKey unless key has the form of the package comment.
func CheckKey(key string) error {
	if key == "" || len(key) > maxKey {
		return ErrInvalidKey
	}
	for part := range strings.SplitSeq(key, "/") {
		// A leading dot is refused for hidden files, "." and ".." alike.
		if part == "" || len(part) > 200 || part[0] == '.' {
			return ErrInvalidKey
		}
		for i := range len(part) {
			switch c := part[i]; {
			case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			default:
				return ErrInvalidKey
			}
		}
	}
	return nil
}
