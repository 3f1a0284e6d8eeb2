package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// keysFile is where development keeps the keys it has made, in DATA_DIR.
const keysFile = "keys.env"

const (
	signingVariable = "AUTH_SIGNING_KEYS"
	refreshVariable = "AUTH_REFRESH_KEYS"
	cursorVariable  = "CURSOR_KEY"

	encryptionVariable = "ENCRYPTION_KEY"
)

// Keys are the server's secrets. In each list the first key is the current one and the others are
// still accepted, so that keys can be changed without signing everybody out. Secrets are standard
// or URL-safe base64 of 32 bytes or more.
type Keys struct {
	// Signing are the HMAC keys of access tokens (AUTH_SIGNING_KEYS, "name:base64,name:base64").
	Signing []NamedKey
	// Refresh are the keys of refresh tokens (AUTH_REFRESH_KEYS, "base64,base64").
	Refresh [][]byte
	// Cursor seal the cursors of lists (CURSOR_KEY, "number:base64,number:base64", 32 bytes each).
	Cursor []CursorKey
	// Encryption are the roots that keys of a single purpose are derived from, such as that of the
	// audit trail's chain (ENCRYPTION_KEY, "name:base64,name:base64"). No key of this list is used as
	// it is.
	Encryption []NamedKey
}

// NamedKey is a named secret.
type NamedKey struct {
	ID     string
	Secret []byte
}

// CursorKey is a numbered secret.
type CursorKey struct {
	ID     byte
	Secret [32]byte
}

func keys(in raw, found *faults) Keys {
	k := Keys{
		Signing:    namedKeys(signingVariable, in.SigningKeys, found),
		Encryption: namedKeys(encryptionVariable, in.Encryption, found),
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

func namedKeys(variable string, items []string, found *faults) (list []NamedKey) {
	for _, item := range items {
		id, text, ok := strings.Cut(strings.TrimSpace(item), ":")
		secret, err := decode(text)
		if !ok || id == "" || len(id) > 64 || err != nil || len(secret) < 32 {
			found.add(variable, "", "must list name:base64 with 32 bytes or more each")
			continue
		}
		list = append(list, NamedKey{ID: id, Secret: secret})
	}
	return list
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
	missing(len(k.Encryption) == 0, encryptionVariable)
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
	if len(k.Signing) > 0 && len(k.Refresh) > 0 && len(k.Cursor) > 0 && len(k.Encryption) > 0 {
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
	if len(k.Encryption) == 0 {
		k.Encryption = kept.Encryption
	}
	return nil
}

// developmentKeys are the variables of the file and what stands before their secrets.
func developmentKeys() [][2]string {
	return [][2]string{
		{signingVariable, "dev:"}, {refreshVariable, ""}, {cursorVariable, "1:"}, {encryptionVariable, "dev:"},
	}
}

func keptKeys(dir string) (Keys, error) {
	path := filepath.Join(dir, keysFile)
	set, err := readKeys(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(dir, 0o700); err == nil {
			err = writeKeys(dir, os.Link, path, set)
		}
	} else if err == nil && slices.ContainsFunc(developmentKeys(), func(k [2]string) bool { return set[k[0]] == "" }) {
		err = writeKeys(dir, os.Rename, path, set) // made before the server had that key
	}
	if err == nil {
		set, err = readKeys(path)
	}
	if err != nil {
		return Keys{}, err
	}
	var found faults
	k := keys(raw{
		SigningKeys: []string{set[signingVariable]},
		RefreshKeys: []string{set[refreshVariable]},
		CursorKeys:  []string{set[cursorVariable]},
		Encryption:  []string{set[encryptionVariable]},
	}, &found)
	if len(found) > 0 {
		return Keys{}, fmt.Errorf("%s is damaged; remove it to get new keys, which signs everybody out: %w",
			path, errors.Join(found...))
	}
	return k, nil
}

func readKeys(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			set[name] = value
		}
	}
	return set, nil
}

// writeKeys makes the keys that are not in set and publishes all of them under path. The content
// appears there only when it is whole. A link fails when another process was faster, and that one's
// keys are used.
func writeKeys(dir string, publish func(from, to string) error, path string, set map[string]string) error {
	f, err := os.CreateTemp(dir, ".keys-*") // 0600 by its contract
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, "# Made by the server for development. Losing this file signs everybody out.")
	for _, k := range developmentKeys() {
		value := set[k[0]]
		if value == "" {
			value = k[1] + secret()
		}
		_, writeErr := fmt.Fprintf(f, "%s=%s\n", k[0], value)
		err = errors.Join(err, writeErr)
	}
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		if err = publish(f.Name(), path); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if removeErr := os.Remove(f.Name()); !errors.Is(removeErr, fs.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	return err
}

func secret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: the runtime ends the program instead
	return base64.RawStdEncoding.EncodeToString(b[:])
}
