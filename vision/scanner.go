package vision

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// Scanner looks for malicious content in an upload. Implementations are safe for concurrent use.
//
// Scan reads r to its end and returns nil only when the whole content was examined and found clean.
// It returns an error that wraps [ErrInfected] when something was found; every other error means
// that there is no verdict, and [Prepare] reports it as [ErrNotScanned]. Scan obeys ctx.
type Scanner interface {
	Scan(ctx context.Context, r io.Reader) error
}

// scan asks s about data and fails closed: without a verdict the upload is refused.
func scan(ctx context.Context, s Scanner, data []byte) error {
	err := s.Scan(ctx, bytes.NewReader(data))
	var detailed *UploadError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &detailed):
		return err
	case errors.Is(err, ErrInfected):
		return &UploadError{Err: ErrInfected, Reason: "the file contains malicious content", Cause: err}
	}
	return &UploadError{Err: ErrNotScanned, Cause: err}
}
