package auth

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// A refresh token is
//
//	prefix base64url( ring(1) id(16) generation(4) secret(32) tag(32) )
//	tag    = HMAC-SHA-256(mac key of the ring, ring id generation secret)
//	next   = HMAC-SHA-256(derivation key of the ring, id generation+1 secret salt)
//
// The tag keeps forged tokens away from the store, so nobody can revoke a session by knowing its
// id. The successor's secret is a function of the parent's secret and a salt that only the store
// knows: whoever holds the parent can be given the same successor again, although neither the
// store nor the keys alone, nor both together, can produce it.
const (
	idBytes     = 16
	secretBytes = 32
	bodyBytes   = 1 + idBytes + 4 + secretBytes
	rawBytes    = bodyBytes + macBytes
)

// RefreshKeys are the secrets that authenticate refresh tokens and derive their successors. The
// zero value is invalid. Immutable, safe for concurrent use, prints nothing secret.
type RefreshKeys struct{ ring []*refreshKey }

type refreshKey struct {
	id     byte
	mac    *macPool
	derive *macPool
}

// NewRefreshKeys derives the keys from master secrets of 32 random bytes or more (HKDF, RFC 5869).
// Tokens are issued under current; tokens of the previous ones stay valid and are replaced by
// current ones as they are used. All replicas need the same list; roll a new secret out as
// previous first, then as current. Errors are *ConfigError, joined.
func NewRefreshKeys(current []byte, previous ...[]byte) (RefreshKeys, error) {
	var keys RefreshKeys
	var errs []error
	for i, master := range append([][]byte{current}, previous...) {
		field := "current"
		if i > 0 {
			field = fmt.Sprintf("previous[%d]", i-1)
		}
		if err := checkSecret(field, master); err != nil {
			errs = append(errs, err)
			continue
		}
		id, err1 := hkdf.Key(sha256.New, master, nil, "groundwork auth refresh ring v1", 1)
		mac, err2 := hkdf.Key(sha256.New, master, nil, "groundwork auth refresh mac v1", macBytes)
		derive, err3 := hkdf.Key(sha256.New, master, nil, "groundwork auth refresh derive v1", macBytes)
		if err := errors.Join(err1, err2, err3); err != nil {
			errs = append(errs, fmt.Errorf("auth: derive refresh keys: %w", err))
			continue
		}
		keys.ring = append(keys.ring, &refreshKey{id: id[0], mac: newMACPool(mac), derive: newMACPool(derive)})
	}
	if len(errs) > 0 {
		return RefreshKeys{}, errors.Join(errs...)
	}
	return keys, nil
}

// String hides the keys.
func (k RefreshKeys) String() string { return fmt.Sprintf("auth.RefreshKeys(%d)", len(k.ring)) }

// GoString hides the keys.
func (k RefreshKeys) GoString() string { return k.String() }

// LogValue implements [slog.LogValuer] without the keys.
func (k RefreshKeys) LogValue() slog.Value { return slog.StringValue(k.String()) }

// refreshToken is a parsed token whose tag was good.
type refreshToken struct {
	key        *refreshKey
	id         [idBytes]byte
	generation uint32
	secret     [secretBytes]byte
}

func (t *refreshToken) hash() [HashBytes]byte { return sha256.Sum256(t.secret[:]) }

// successor derives the token of the next generation, issued under key.
func (t *refreshToken) successor(key *refreshKey, salt [SaltBytes]byte) refreshToken {
	next := refreshToken{key: key, id: t.id, generation: t.generation + 1}
	var input [idBytes + 4 + secretBytes + SaltBytes]byte
	b := append(input[:0], t.id[:]...)
	b = binary.BigEndian.AppendUint32(b, next.generation)
	b = append(b, t.secret[:]...)
	b = append(b, salt[:]...)
	t.key.derive.sumBytes(&next.secret, b)
	return next
}

func (t *refreshToken) encode(prefix string) string {
	var raw [rawBytes]byte
	body := append(raw[:0], t.key.id)
	body = append(body, t.id[:]...)
	body = binary.BigEndian.AppendUint32(body, t.generation)
	body = append(body, t.secret[:]...)
	var tag [macBytes]byte
	t.key.mac.sumBytes(&tag, body)
	var text strings.Builder
	text.Grow(len(prefix) + base64.RawURLEncoding.EncodedLen(rawBytes))
	text.WriteString(prefix)
	var encoded [(rawBytes*8 + 5) / 6]byte
	base64.RawURLEncoding.Encode(encoded[:], append(body, tag[:]...))
	text.Write(encoded[:])
	return text.String()
}

// parse authenticates a token. It needs no store and does not say what was wrong.
func (k RefreshKeys) parse(prefix, token string) (refreshToken, bool) {
	text, ok := strings.CutPrefix(token, prefix)
	if !ok || len(text) != base64.RawURLEncoding.EncodedLen(rawBytes) {
		return refreshToken{}, false
	}
	var room [rawBytes]byte
	raw, ok := appendBase64(room[:0], text)
	if !ok {
		return refreshToken{}, false
	}
	body, tag := raw[:bodyBytes], raw[bodyBytes:]
	for _, key := range k.ring {
		if key.id != body[0] {
			continue
		}
		var want [macBytes]byte
		key.mac.sumBytes(&want, body)
		if subtle.ConstantTimeCompare(want[:], tag) != 1 {
			continue
		}
		t := refreshToken{key: key, generation: binary.BigEndian.Uint32(body[1+idBytes:])}
		copy(t.id[:], body[1:])
		copy(t.secret[:], body[1+idBytes+4:])
		return t, t.generation < 1<<32-1
	}
	return refreshToken{}, false
}

// idText writes the 16 bytes of a session id as a UUID.
func idText(id [idBytes]byte) string {
	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// idRaw reverses idText for ids this package made.
func idRaw(text string) (id [idBytes]byte) {
	raw, _ := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	copy(id[:], raw)
	return id
}
