package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/blob"
)

const jpegType = "image/jpeg"

func open(t *testing.T) (*blob.Local, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "files")
	store, err := blob.OpenLocal(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store, dir
}

func read(t *testing.T, store blob.Store, key string) string {
	t.Helper()
	r, info, err := store.Open(t.Context(), key)
	require.NoError(t, err)
	defer r.Close()
	content, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, int64(len(content)), info.Size)
	require.Equal(t, jpegType, info.ContentType)
	require.False(t, info.ModTime.IsZero())
	return string(content)
}

// files lists every regular file below dir.
func files(t *testing.T, dir string) (found []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			found = append(found, path)
		}
		return err
	}))
	return found
}

func TestPutOpenStatDelete(t *testing.T) {
	t.Parallel()
	store, dir := open(t)
	ctx, key := t.Context(), "photos/a/b.jpg"
	_, _, err := store.Open(ctx, key)
	require.ErrorIs(t, err, blob.ErrNotFound)
	_, err = store.Stat(ctx, key)
	require.ErrorIs(t, err, blob.ErrNotFound)
	require.NoError(t, store.Delete(ctx, key))

	require.NoError(t, store.Put(ctx, key, strings.NewReader("old"), jpegType))
	require.NoError(t, store.Put(ctx, key, strings.NewReader("newer"), jpegType))
	require.Equal(t, "newer", read(t, store, key))
	info, err := store.Stat(ctx, key)
	require.NoError(t, err)
	require.Equal(t, int64(5), info.Size)
	require.Len(t, files(t, dir), 1)
	stat, err := os.Stat(filepath.Join(dir, "photos/a/b.jpg"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), stat.Mode().Perm())

	_, err = store.Stat(ctx, "photos/a") // a folder is no file
	require.ErrorIs(t, err, blob.ErrNotFound)
	require.NoError(t, store.Delete(ctx, key))
	require.NoError(t, store.Delete(ctx, key))
	require.Empty(t, files(t, dir))
}

func TestFailedPutLeavesNothing(t *testing.T) {
	t.Parallel()
	store, dir := open(t)
	broken := errors.New("connection reset")
	half := io.MultiReader(bytes.NewReader(make([]byte, 1<<20)), iotest.ErrReader(broken))
	require.ErrorIs(t, store.Put(t.Context(), "a.jpg", half, jpegType), broken)
	require.Empty(t, files(t, dir))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, store.Put(ctx, "a.jpg", strings.NewReader("x"), jpegType), context.Canceled)
	_, _, err := store.Open(ctx, "a.jpg")
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, files(t, dir))

	require.NoError(t, store.Put(t.Context(), "a.jpg", strings.NewReader("old"), jpegType))
	require.ErrorIs(t, store.Put(t.Context(), "a.jpg", iotest.ErrReader(broken), jpegType), broken)
	require.Equal(t, "old", read(t, store, "a.jpg"))
	require.Error(t, store.Put(t.Context(), "a.jpg/b.jpg", strings.NewReader("x"), jpegType))
	require.Len(t, files(t, dir), 1)
}

func TestReadersSeeWholeFiles(t *testing.T) {
	t.Parallel()
	store, _ := open(t)
	body := func(b byte) []byte { return bytes.Repeat([]byte{b}, 100_000) }
	require.NoError(t, store.Put(t.Context(), "a.jpg", bytes.NewReader(body('0')), jpegType))
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			for range 10 {
				if err := store.Put(t.Context(), "a.jpg", bytes.NewReader(body(byte('1'+i))), jpegType); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 40 {
		content := read(t, store, "a.jpg")
		require.Equal(t, string(body(content[0])), content)
	}
	writers.Wait()
}

func TestKeys(t *testing.T) {
	t.Parallel()
	store, dir := open(t)
	secret := filepath.Join(filepath.Dir(dir), "secret.jpg")
	require.NoError(t, os.WriteFile(secret, []byte("secret"), 0o600))
	for _, key := range []string{
		"", "/a.jpg", "a.jpg/", "a//b.jpg", "../secret.jpg", "a/../../secret.jpg", "./a.jpg", ".incoming/x", ".x",
		"A.jpg", "a b.jpg", "a\x00.jpg", "a\\b.jpg", "é.jpg", "a%2f.jpg", strings.Repeat("a/", 300) + "a.jpg",
		strings.Repeat("a", 201),
	} {
		require.ErrorIs(t, blob.CheckKey(key), blob.ErrInvalidKey, key)
		require.ErrorIs(t, store.Put(t.Context(), key, strings.NewReader("x"), jpegType), blob.ErrInvalidKey, key)
		_, _, err := store.Open(t.Context(), key)
		require.ErrorIs(t, err, blob.ErrInvalidKey, key)
		_, err = store.Stat(t.Context(), key)
		require.ErrorIs(t, err, blob.ErrInvalidKey, key)
		require.ErrorIs(t, store.Delete(t.Context(), key), blob.ErrInvalidKey, key)
	}
	require.ErrorIs(t, store.Put(t.Context(), "a.jpg", strings.NewReader("x"), "text/html"), blob.ErrInvalidKey)
	for key, kind := range map[string]string{
		"a.png": "image/png", "a.webp": "image/webp", "a.pdf": "application/pdf",
		"a.json": "application/json", "a": "application/octet-stream",
	} {
		require.NoError(t, store.Put(t.Context(), key, strings.NewReader("x"), kind), key)
	}

	// A link that was planted in the folder leads nowhere.
	if err := os.Symlink(secret, filepath.Join(dir, "link.jpg")); err == nil {
		_, _, err := store.Open(t.Context(), "link.jpg")
		require.Error(t, err)
	}
}

func TestOpenLocalClearsHalfWrittenFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, ".incoming"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".incoming", "half"), []byte("x"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kept.jpg"), []byte("x"), 0o600))
	store, err := blob.OpenLocal(dir)
	require.NoError(t, err)
	require.NoError(t, store.Close())
	require.Equal(t, []string{filepath.Join(dir, "kept.jpg")}, files(t, dir))

	_, err = blob.OpenLocal(filepath.Join(dir, "kept.jpg"))
	require.Error(t, err)
}
