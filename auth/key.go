package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/golang-jwt/jwt/v5"
)

// Algorithm is a JWS signature algorithm (RFC 7518, section 3.1; RFC 8037; RFC 9864).
type Algorithm string

// The supported algorithms. EdDSA and Ed25519 are two names of one algorithm: keys accept both
// and sign under the one they were made with.
const (
	HS256   Algorithm = "HS256"
	RS256   Algorithm = "RS256"
	ES256   Algorithm = "ES256"
	EdDSA   Algorithm = "EdDSA"
	Ed25519 Algorithm = "Ed25519"
)

const (
	maxKidBytes   = 64
	minHMACBytes  = 32
	minRSABits    = 2048
	maxRSABits    = 8192
	tokenTypeName = "at+jwt"
)

// Key is one signing or verification key. It fixes the algorithm: a token whose header names
// another algorithm than its key is refused. The zero Key is invalid. A Key is immutable, may be
// copied, and prints its kid and algorithm only.
type Key struct{ data *keyData }

type keyData struct {
	kid     string
	alg     Algorithm
	header  string            // encoded JOSE header of the tokens this key signs
	method  jwt.SigningMethod // nil for HS256
	mac     *macPool          // HS256 only
	private any               // nil for keys that only verify
	public  any               // nil for HS256
}

// NewHMACKey returns an HS256 key: who verifies can also sign, so it suits one service that
// issues and reads its own tokens. The secret needs 32 random bytes or more and is copied.
func NewHMACKey(kid string, secret []byte) (Key, error) {
	if err := checkKid(kid); err != nil {
		return Key{}, err
	}
	if err := checkSecret("secret", secret); err != nil {
		return Key{}, err
	}
	return newKey(&keyData{kid: kid, alg: HS256, mac: newMACPool(secret)}), nil
}

// NewEd25519Key returns an Ed25519 key that signs under the header name EdDSA, which every
// library understands. See [Key.WithAlgorithm] for the newer name.
func NewEd25519Key(kid string, private ed25519.PrivateKey) (Key, error) {
	if len(private) != ed25519.PrivateKeySize {
		return Key{}, &ConfigError{Field: "private", Reason: "is not an Ed25519 private key"}
	}
	k, err := NewPublicKey(kid, EdDSA, private.Public())
	if err != nil {
		return Key{}, err
	}
	k.data.private = private
	return k, nil
}

// NewRSAKey returns an RS256 key. The modulus needs 2048 to 8192 bits.
func NewRSAKey(kid string, private *rsa.PrivateKey) (Key, error) {
	if private == nil {
		return Key{}, &ConfigError{Field: "private", Reason: "is nil"}
	}
	if err := private.Validate(); err != nil {
		return Key{}, &ConfigError{Field: "private", Reason: "is not a sound RSA key"}
	}
	k, err := NewPublicKey(kid, RS256, &private.PublicKey)
	if err != nil {
		return Key{}, err
	}
	k.data.private = private
	return k, nil
}

// NewECDSAKey returns an ES256 key, which lives on the curve P-256 and no other.
func NewECDSAKey(kid string, private *ecdsa.PrivateKey) (Key, error) {
	if private == nil {
		return Key{}, &ConfigError{Field: "private", Reason: "is nil"}
	}
	k, err := NewPublicKey(kid, ES256, &private.PublicKey)
	if err != nil {
		return Key{}, err
	}
	k.data.private = private
	return k, nil
}

// NewPublicKey returns a key that can verify but not sign. The key is an [ed25519.PublicKey],
// [*rsa.PublicKey] or [*ecdsa.PublicKey] and must fit the algorithm.
func NewPublicKey(kid string, alg Algorithm, public crypto.PublicKey) (Key, error) {
	if err := checkKid(kid); err != nil {
		return Key{}, err
	}
	d := &keyData{kid: kid, alg: alg, public: public}
	var reason string
	switch alg {
	case RS256:
		d.method, reason = jwt.SigningMethodRS256, rsaFault(public)
	case ES256:
		d.method, reason = jwt.SigningMethodES256, ecdsaFault(public)
	case EdDSA, Ed25519:
		d.method = jwt.SigningMethodEdDSA
		if k, ok := public.(ed25519.PublicKey); !ok || len(k) != ed25519.PublicKeySize {
			reason = "is not an Ed25519 public key"
		}
	default:
		return Key{}, &ConfigError{Field: "alg", Value: string(alg), Reason: "has no public keys here"}
	}
	if reason != "" {
		return Key{}, &ConfigError{Field: "public", Reason: reason}
	}
	return newKey(d), nil
}

func rsaFault(public crypto.PublicKey) string {
	k, ok := public.(*rsa.PublicKey)
	switch {
	case !ok || k == nil || k.N == nil:
		return "is not an RSA public key"
	case k.N.BitLen() < minRSABits || k.N.BitLen() > maxRSABits:
		return "has fewer than 2048 or more than 8192 bits"
	case k.E < 3 || k.E%2 == 0:
		return "has an unsound exponent"
	}
	return ""
}

func ecdsaFault(public crypto.PublicKey) string {
	k, ok := public.(*ecdsa.PublicKey)
	if !ok || k == nil || k.Curve != elliptic.P256() {
		return "is not a P-256 public key"
	}
	if _, err := k.ECDH(); err != nil { // ECDH refuses points that are not on the curve
		return "is not a point of P-256"
	}
	return ""
}

func newKey(d *keyData) Key {
	// Marshal cannot fail here: kid and alg are printable ASCII. The member order is fixed, so a
	// verifier may compare whole headers.
	header, _ := json.Marshal(struct {
		Alg Algorithm `json:"alg"`
		Kid string    `json:"kid"`
		Typ string    `json:"typ"`
	}{d.alg, d.kid, tokenTypeName})
	d.header = base64.RawURLEncoding.EncodeToString(header)
	return Key{d}
}

// WithAlgorithm returns the key under another name of its algorithm. Only EdDSA and Ed25519
// (RFC 9864) are such a pair; anything else is an error.
func (k Key) WithAlgorithm(alg Algorithm) (Key, error) {
	if k.data == nil || !k.accepts(alg) {
		return Key{}, &ConfigError{Field: "alg", Value: string(alg), Reason: "does not fit the key"}
	}
	d := *k.data
	d.alg = alg
	return newKey(&d), nil
}

// Kid returns the key's identifier, empty for the zero Key.
func (k Key) Kid() string {
	if k.data == nil {
		return ""
	}
	return k.data.kid
}

// Algorithm returns the algorithm that the key signs with.
func (k Key) Algorithm() Algorithm {
	if k.data == nil {
		return ""
	}
	return k.data.alg
}

// CanSign reports whether the key has its private half or secret.
func (k Key) CanSign() bool {
	return k.data != nil && (k.data.mac != nil || k.data.private != nil)
}

// String returns kid and algorithm, never key material.
func (k Key) String() string { return fmt.Sprintf("auth.Key(%s %s)", k.Kid(), k.Algorithm()) }

// GoString is String, so that %#v shows no key material either.
func (k Key) GoString() string { return k.String() }

// LogValue implements [slog.LogValuer] without key material.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

func (k Key) symmetric() bool { return k.data.mac != nil }

func (k Key) accepts(alg Algorithm) bool {
	have := k.data.alg
	return alg == have || (have == EdDSA && alg == Ed25519) || (have == Ed25519 && alg == EdDSA)
}

func (k Key) sign(input string) ([]byte, error) {
	if k.data.mac != nil {
		var sum [macBytes]byte
		k.data.mac.sum(&sum, input)
		return sum[:], nil
	}
	sig, err := k.data.method.Sign(input, k.data.private)
	if err != nil {
		return nil, fmt.Errorf("auth: sign: %w", err)
	}
	return sig, nil
}

// verify decodes and checks a signature. The two branches keep HMAC, the hot path, off the heap.
func (k Key) verify(input, signature string) bool {
	if k.data.mac != nil {
		var room [macBytes]byte
		if base64Len(len(signature)) != macBytes {
			return false
		}
		sig, ok := appendBase64(room[:0], signature)
		return ok && k.data.mac.verify(input, sig)
	}
	sig, ok := appendBase64(make([]byte, 0, base64Len(len(signature))), signature)
	return ok && k.data.method.Verify(input, sig, k.data.public) == nil
}

func checkKid(kid string) error {
	if kid == "" || len(kid) > maxKidBytes {
		return &ConfigError{Field: "kid", Value: kid, Reason: "needs 1 to 64 bytes"}
	}
	for i := range len(kid) {
		c := kid[i]
		if c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return &ConfigError{Field: "kid", Reason: "needs printable ASCII without space, quotes, backslash, <, > and &"}
		}
	}
	return nil
}

// checkSecret refuses what cannot be a random secret: too short, or one byte repeated.
func checkSecret(field string, secret []byte) error {
	if len(secret) < minHMACBytes {
		return &ConfigError{Field: field, Reason: "needs 32 random bytes or more"}
	}
	for _, b := range secret[1:] {
		if b != secret[0] {
			return nil
		}
	}
	return &ConfigError{Field: field, Reason: "is one byte repeated, not a random secret"}
}
