package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// tempDir holds files that are still being written. Its name is no valid part of a key.
const tempDir = ".incoming"

// Local keeps files in a folder. All access goes through [os.Root], so that neither a key nor a
// symbolic link inside the folder reaches anything outside it. The content type is the one of the
// key's extension; Put refuses a pair that does not agree.
type Local struct {
	root *os.Root
}

var _ Store = (*Local)(nil)

// OpenLocal opens the folder, making it if needed, and removes what an earlier process left
// half-written. Only one process may open a folder. Close releases it.
func OpenLocal(dir string) (*Local, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("blob: make folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("blob: open folder: %w", err)
	}
	if err := errors.Join(root.RemoveAll(tempDir), root.Mkdir(tempDir, 0o700)); err != nil {
		return nil, errors.Join(fmt.Errorf("blob: prepare folder: %w", err), root.Close())
	}
	return &Local{root: root}, nil
}

// Close releases the folder. The store must not be used afterwards.
func (l *Local) Close() error { return l.root.Close() }

// Put implements [Store]. The file and then its name are forced to disk before it returns.
func (l *Local) Put(ctx context.Context, key string, r io.Reader, contentType string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if want := typeOf(key); contentType != want {
		return fmt.Errorf("%w: content type %q does not fit the extension, which stands for %q", ErrInvalidKey, contentType, want)
	}
	temp := tempDir + "/" + strings.ToLower(rand.Text())
	if err := l.write(ctx, temp, r); err != nil {
		return errors.Join(fmt.Errorf("blob: put: %w", err), ignoreMissing(l.root.Remove(temp)))
	}
	if err := l.publish(temp, key); err != nil {
		return errors.Join(fmt.Errorf("blob: put: %w", err), ignoreMissing(l.root.Remove(temp)))
	}
	return nil
}

func (l *Local) write(ctx context.Context, temp string, r io.Reader) (err error) {
	f, err := l.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.Copy(f, contextReader{ctx, r}); err != nil {
		return err
	}
	return f.Sync()
}

func (l *Local) publish(temp, key string) error {
	if dir := path.Dir(key); dir != "." {
		if err := l.root.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if err := l.root.Rename(temp, key); err != nil {
		return err
	}
	dir, err := l.root.Open(path.Dir(key))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	// Not every file system can sync a folder; the file itself is safe by now.
	_ = dir.Sync()
	return nil
}

// Open implements [Store].
func (l *Local) Open(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	if err := CheckKey(key); err != nil {
		return nil, Info{}, err
	}
	if err := ctx.Err(); err != nil {
		return nil, Info{}, err
	}
	f, err := l.root.Open(key)
	if err != nil {
		return nil, Info{}, translate("open", err)
	}
	stat, err := f.Stat()
	if err == nil && !stat.Mode().IsRegular() {
		err = ErrNotFound
	}
	if err != nil {
		return nil, Info{}, errors.Join(translate("open", err), f.Close())
	}
	return f, info(key, stat), nil
}

// Stat implements [Store].
func (l *Local) Stat(ctx context.Context, key string) (Info, error) {
	if err := CheckKey(key); err != nil {
		return Info{}, err
	}
	if err := ctx.Err(); err != nil {
		return Info{}, err
	}
	stat, err := l.root.Stat(key)
	if err == nil && !stat.Mode().IsRegular() {
		err = ErrNotFound
	}
	if err != nil {
		return Info{}, translate("stat", err)
	}
	return info(key, stat), nil
}

// Delete implements [Store].
func (l *Local) Delete(ctx context.Context, key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := ignoreMissing(l.root.Remove(key)); err != nil {
		return fmt.Errorf("blob: delete: %w", err)
	}
	return nil
}

func info(key string, stat fs.FileInfo) Info {
	return Info{Size: stat.Size(), ContentType: typeOf(key), ModTime: stat.ModTime()}
}

// typeOf names the types the server stores itself: the system's table differs between machines.
func typeOf(key string) string {
	switch ext := path.Ext(key); ext {
	case ".jpg":
		return "image/jpeg"
	case ".png":
		return "image/png"
	case ".webp":
		return "image/webp"
	case ".pdf":
		return "application/pdf"
	case ".json":
		return "application/json"
	}
	return "application/octet-stream"
}

func translate(op string, err error) error {
	if errors.Is(err, ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob: %s: %w", op, ErrNotFound)
	}
	return fmt.Errorf("blob: %s: %w", op, err)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// contextReader stops a copy when the context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
