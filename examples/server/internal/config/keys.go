package config

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// keysFile is where development keeps the keys it has made, in DATA_DIR.
const keysFile = "keys.env"

const (
	signingVariable = "AUTH_SIGNING_KEYS"
	refreshVariable = "AUTH_REFRESH_KEYS"
	cursorVariable  = "CURSOR_KEY"
)

// Keys are the server's secrets. In each list the first key is the current one and the others are
// still accepted, so that keys can be changed without signing everybody out. Secrets are standard
// or URL-safe base64 of 32 bytes or more.
type Keys struct {
	// Signing are the HMAC keys of access tokens (AUTH_SIGNING_KEYS, "name:base64,name:base64").
	Signing []SigningKey
	// Refresh are the keys of refresh tokens (AUTH_REFRESH_KEYS, "base64,base64").
	Refresh [][]byte
	// Cursor seal the cursors of lists (CURSOR_KEY, "number:base64,number:base64", 32 bytes each).
	Cursor []CursorKey
}

// SigningKey is a named secret.
type SigningKey struct {
	ID     string
	Secret []byte
}

// CursorKey is a numbered secret.
type CursorKey struct {
	ID     byte
	Secret [32]byte
}

func keys(in raw, found *faults) Keys {
	var k Keys
	for _, item := range in.SigningKeys {
		id, text, ok := strings.Cut(strings.TrimSpace(item), ":")
		secret, err := decode(text)
		if !ok || id == "" || err != nil || len(secret) < 32 {
			found.add(signingVariable, "", "must list name:base64 with 32 bytes or more each")
			continue
		}
		k.Signing = append(k.Signing, SigningKey{ID: id, Secret: secret})
	}
	for _, item := range in.RefreshKeys {
		secret, err := decode(strings.TrimSpace(item))
		if err != nil || len(secret) < 32 {
			found.add(refreshVariable, "", "must list base64 of 32 bytes or more each")
			continue
		}
		k.Refresh = append(k.Refresh, secret)
	}
	for _, item := range in.CursorKeys {
		number, text, ok := strings.Cut(strings.TrimSpace(item), ":")
		id, numberErr := strconv.ParseUint(number, 10, 8)
		secret, err := decode(text)
		if !ok || numberErr != nil || err != nil || len(secret) != 32 {
			found.add(cursorVariable, "", "must list number:base64 with exactly 32 bytes each")
			continue
		}
		k.Cursor = append(k.Cursor, CursorKey{ID: byte(id), Secret: [32]byte(secret)})
	}
	return k
}

func decode(text string) ([]byte, error) {
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	return base64.RawStdEncoding.DecodeString(text)
}

// require reports the keys production must bring along.
func (k *Keys) require(found *faults) {
	missing := func(absent bool, variable string) {
		if absent && !found.about(variable) {
			found.add(variable, "", "is required in production; make a secret with: openssl rand -base64 32")
		}
	}
	missing(len(k.Signing) == 0, signingVariable)
	missing(len(k.Refresh) == 0, refreshVariable)
	missing(len(k.Cursor) == 0, cursorVariable)
}

func (f faults) about(variable string) bool {
	for _, err := range f {
		var fault *Error
		if errors.As(err, &fault) && fault.Variable == variable {
			return true
		}
	}
	return false
}

// complete takes the keys that the environment does not give from the file in dir, which it makes
// when there is none.
func (k *Keys) complete(dir string) error {
	if len(k.Signing) > 0 && len(k.Refresh) > 0 && len(k.Cursor) > 0 {
		return nil
	}
	kept, err := keptKeys(dir)
	if err != nil {
		return fmt.Errorf("config: development keys: %w", err)
	}
	if len(k.Signing) == 0 {
		k.Signing = kept.Signing
	}
	if len(k.Refresh) == 0 {
		k.Refresh = kept.Refresh
	}
	if len(k.Cursor) == 0 {
		k.Cursor = kept.Cursor
	}
	return nil
}

func keptKeys(dir string) (Keys, error) {
	path := filepath.Join(dir, keysFile)
	if err := makeKeys(dir, path); err != nil {
		return Keys{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return Keys{}, err
	}
	defer func() { _ = f.Close() }()
	set := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			set[name] = value
		}
	}
	if err := lines.Err(); err != nil {
		return Keys{}, err
	}
	var found faults
	k := keys(raw{
		SigningKeys: []string{set[signingVariable]},
		RefreshKeys: []string{set[refreshVariable]},
		CursorKeys:  []string{set[cursorVariable]},
	}, &found)
	if len(found) > 0 {
		return Keys{}, fmt.Errorf("%s is damaged; remove it to get new keys, which signs everybody out: %w",
			path, errors.Join(found...))
	}
	return k, nil
}

// makeKeys writes the file unless it exists. The content appears under its name only when it is
// whole: the link fails when another process was faster, and that one's keys are used.
func makeKeys(dir, path string) error {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".keys-*") // 0600 by its contract
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "# Made by the server for development. Losing this file signs everybody out.\n%s=dev:%s\n%s=%s\n%s=1:%s\n",
		signingVariable, secret(), refreshVariable, secret(), cursorVariable, secret())
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		if err = os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	return errors.Join(err, os.Remove(f.Name()))
}

func secret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: the runtime ends the program instead
	return base64.RawStdEncoding.EncodeToString(b[:])
}
