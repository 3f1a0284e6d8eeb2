package sqlaudit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"log/slog"

	"github.com/groundwork-go/groundwork/sqldb"
)

// Key is a secret that authenticates the chain. ID is stored beside each hash, so that keys can
// be changed.
type Key struct {
	ID     string // 1 to 64 bytes
	Secret []byte // at least 32 bytes from a random source
}

// String returns the id only.
func (k Key) String() string { return "sqlaudit.Key(" + k.ID + ")" }

// GoString is String: a %#v must not show the secret either.
func (k Key) GoString() string { return k.String() }

// LogValue implements [slog.LogValuer] and hides the secret.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Keyring holds the key that seals and older keys that still verify. Keep it where whoever can
// write to the database cannot read it. It is safe for concurrent use.
type Keyring struct {
	current string
	secrets map[string][]byte
}

// NewKeyring returns a ring that seals with current and verifies with all. To change keys, make a
// new one current and keep the old one for as long as rows sealed with it exist. The error joins a
// [*ConfigError] for each fault.
func NewKeyring(current Key, older ...Key) (*Keyring, error) {
	ring := &Keyring{current: current.ID, secrets: map[string][]byte{}}
	var faults []error
	for _, k := range append([]Key{current}, older...) {
		if k.ID == "" || len(k.ID) > 64 || sqldb.CleanText(k.ID) != k.ID {
			faults = append(faults, &ConfigError{Field: "Key.ID", Value: k.ID, Reason: "must be a text of 1 to 64 bytes"})
		}
		if ring.secrets[k.ID] != nil {
			faults = append(faults, &ConfigError{Field: "Key.ID", Value: k.ID, Reason: "is used twice"})
		}
		if len(k.Secret) < 32 {
			faults = append(faults, &ConfigError{Field: "Key.Secret", Reason: "must have at least 32 bytes"})
		}
		ring.secrets[k.ID] = append([]byte(nil), k.Secret...)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return ring, nil
}

// hasher computes the values of the chain. It reuses its memory and serves one goroutine.
type hasher struct {
	ring *Keyring
	macs map[string]hash.Hash
	buf  []byte
	sum  []byte
}

func (k *Keyring) hasher() *hasher {
	return &hasher{ring: k, macs: map[string]hash.Hash{}, buf: make([]byte, 0, 2048), sum: make([]byte, 0, sha256.Size)}
}

var errUnknownKey = errors.New("sqlaudit: unknown key")

func (h *hasher) mac(keyID string) (hash.Hash, error) {
	if m, ok := h.macs[keyID]; ok {
		m.Reset()
		return m, nil
	}
	secret, ok := h.ring.secrets[keyID]
	if !ok {
		return nil, fmt.Errorf("%w: %q", errUnknownKey, keyID)
	}
	m := hmac.New(sha256.New, secret)
	h.macs[keyID] = m
	return m, nil
}

// The first byte of what is hashed keeps the three uses of a key apart.
const (
	useEvent byte = 1 + iota
	useHead
	useBase
)

// event returns the hash of one link. Every field has its length before it, so that no two
// records have the same bytes; times are the text that is stored, changes and data exactly theirs.
func (h *hasher) event(keyID, chain string, seq int64, prev string, r *record) (string, error) {
	h.begin(useEvent, chain, seq)
	h.field(prev)
	h.buf = binary.BigEndian.AppendUint64(h.buf, uint64(r.pos))
	h.buf = append(h.buf, byte(len(sqldb.TimeLayout)))
	h.buf = r.at.AppendFormat(h.buf, sqldb.TimeLayout)
	for i := range r.texts {
		h.field(string(r.texts[i]))
	}
	if r.truncated {
		h.buf = append(h.buf, 1)
	} else {
		h.buf = append(h.buf, 0)
	}
	return h.end(keyID)
}

// point authenticates an end of a chain.
func (h *hasher) point(use byte, keyID, chain string, seq int64, link string) (string, error) {
	h.begin(use, chain, seq)
	h.field(link)
	return h.end(keyID)
}

func (h *hasher) begin(use byte, chain string, seq int64) {
	h.buf = append(h.buf[:0], "groundwork audit 1"...)
	h.buf = append(h.buf, use)
	h.field(chain)
	h.buf = binary.BigEndian.AppendUint64(h.buf, uint64(seq))
}

func (h *hasher) field(s string) {
	h.buf = binary.AppendUvarint(h.buf, uint64(len(s)))
	h.buf = append(h.buf, s...)
}

func (h *hasher) end(keyID string) (string, error) {
	m, err := h.mac(keyID)
	if err != nil {
		return "", err
	}
	m.Write(h.buf)
	h.sum = m.Sum(h.sum[:0])
	h.buf = base64.RawURLEncoding.AppendEncode(h.buf[:0], h.sum)
	return string(h.buf), nil
}

// same compares two stored values in constant time.
func same(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
