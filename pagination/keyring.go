package pagination

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// Key is one secret that seals cursors. ID is written into the cursor in clear, so that keys can
// be changed without breaking the cursors that are out.
type Key struct {
	ID     byte
	Secret [32]byte // from a random source; never all zero
}

// String returns the id only.
func (k Key) String() string { return fmt.Sprintf("pagination.Key(%d)", k.ID) }

// GoString is String: a %#v must not show the secret either.
func (k Key) GoString() string { return k.String() }

// LogValue implements [slog.LogValuer] and hides the secret.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Keyring holds the key that seals new cursors and older keys that still open theirs. All
// replicas of a service need the same keys. It is safe for concurrent use.
type Keyring struct {
	current *sealer
	byID    [256]*sealer
	scratch sync.Pool // *scratch
}

// sealer is a Key made ready: one key for AES-GCM, an independent one for the nonce.
type sealer struct {
	id   byte
	aead cipher.AEAD
	macs sync.Pool // hash.Hash
}

// NewKeyring returns a ring that seals with current and also opens with older. To change keys
// without a broken cursor, first deploy the new key as an older one everywhere, then make it
// current, and drop the previous one when its cursors may die.
func NewKeyring(current Key, older ...Key) (*Keyring, error) {
	ring := &Keyring{}
	ring.scratch.New = func() any { return new(scratch) }
	var errs []error
	for i, key := range append([]Key{current}, older...) {
		place := "current"
		if i > 0 {
			place = fmt.Sprintf("older[%d]", i-1)
		}
		if key.Secret == [32]byte{} {
			errs = append(errs, &ConfigError{Field: place + ".Secret", Value: key, Reason: "is empty"})
			continue
		}
		if ring.byID[key.ID] != nil {
			errs = append(errs, &ConfigError{Field: place + ".ID", Value: key.ID, Reason: "is used twice"})
			continue
		}
		made, err := newSealer(key)
		if err != nil {
			return nil, err
		}
		ring.byID[key.ID] = made
		if i == 0 {
			ring.current = made
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return ring, nil
}

func ephemeralKeyring() (*Keyring, error) {
	key := Key{ID: 0}
	// Read never fails; the program ends when the system has no randomness.
	_, _ = rand.Read(key.Secret[:])
	return NewKeyring(key)
}

func newSealer(key Key) (*sealer, error) {
	derived, err := hkdf.Key(sha256.New, key.Secret[:], nil, "pagination cursor v1", 64)
	if err != nil {
		return nil, fmt.Errorf("pagination: derive key: %w", err)
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return nil, fmt.Errorf("pagination: cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("pagination: cipher: %w", err)
	}
	s := &sealer{id: key.ID, aead: aead}
	s.macs.New = func() any { return hmac.New(sha256.New, derived[32:]) }
	return s, nil
}
