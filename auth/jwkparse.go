package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"math/big"
)

// ErrJWKS means that a text is not a JWK set with at least one usable key.
var ErrJWKS = errors.New("auth: no usable JWK set")

// ParseJWKS reads the verification keys of a JWK set (RFC 7517): RS256, ES256 and Ed25519 keys with a
// kid. Keys of other kinds, for encryption, without kid, weak or damaged are left out, secrets
// (kty oct) always; a kid that several keys share names none of them. A set without a usable key, and
// text that is not strict JSON, are ErrJWKS.
func ParseJWKS(text []byte) ([]Key, error) {
	if !scanObject(string(text), func(string, string) bool { return true }) {
		return nil, ErrJWKS
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(text, &set) != nil {
		return nil, ErrJWKS
	}
	count := map[string]int{}
	var found []Key
	for _, raw := range set.Keys {
		var k jwk
		if json.Unmarshal(raw, &k) != nil {
			continue
		}
		count[k.Kid]++
		if key, ok := decodeJWK(&k); ok {
			found = append(found, key)
		}
	}
	keys := found[:0]
	for _, key := range found {
		if count[key.data.kid] == 1 {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, ErrJWKS
	}
	return keys, nil
}

func decodeJWK(k *jwk) (Key, bool) {
	if k.Use != "" && k.Use != "sig" {
		return Key{}, false
	}
	var public any
	alg := k.Alg
	switch k.Kty + " " + k.Crv {
	case "OKP Ed25519":
		x, ok := jwkBytes(k.X, ed25519.PublicKeySize)
		if !ok || (alg != "" && alg != EdDSA && alg != Ed25519) {
			return Key{}, false
		}
		if alg == "" {
			alg = EdDSA
		}
		public = ed25519.PublicKey(x)
	case "EC P-256":
		x, ok1 := jwkBytes(k.X, 32)
		y, ok2 := jwkBytes(k.Y, 32)
		if !ok1 || !ok2 || (alg != "" && alg != ES256) {
			return Key{}, false
		}
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		if err != nil {
			return Key{}, false
		}
		alg, public = ES256, key
	case "RSA ":
		n, ok1 := appendBase64(nil, k.N)
		e, ok2 := appendBase64(nil, k.E)
		if !ok1 || !ok2 || len(n) > maxRSABits/8+1 || len(e) > 4 || (alg != "" && alg != RS256) {
			return Key{}, false
		}
		exponent := new(big.Int).SetBytes(e)
		if exponent.BitLen() > 31 {
			return Key{}, false
		}
		alg, public = RS256, &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}
	default:
		return Key{}, false
	}
	key, err := NewPublicKey(k.Kid, alg, public)
	return key, err == nil
}

func jwkBytes(text string, size int) ([]byte, bool) {
	b, ok := appendBase64(nil, text)
	return b, ok && len(b) == size
}
