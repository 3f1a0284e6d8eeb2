package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// jwk is one JSON Web Key (RFC 7517), public members only: there is no field for a private one.
type jwk struct {
	Kty string    `json:"kty"`
	Kid string    `json:"kid"`
	Use string    `json:"use"`
	Alg Algorithm `json:"alg"`
	Crv string    `json:"crv,omitempty"`
	X   string    `json:"x,omitempty"`
	Y   string    `json:"y,omitempty"`
	N   string    `json:"n,omitempty"`
	E   string    `json:"e,omitempty"`
}

// JWKSHandler serves the public halves of the published and active keys as a JWK set, for
// /.well-known/jwks.json. Secrets are never listed: a set of HS256 keys gives an empty list. It
// answers GET and HEAD, sends a strong ETag and honours If-None-Match.
func (s *KeySet) JWKSHandler() http.Handler {
	cache := "no-cache"
	if s.maxAge > 0 {
		cache = "public, max-age=" + strconv.Itoa(int(s.maxAge/time.Second))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			methodNotAllowed(w, r, "GET, HEAD")
			return
		}
		body := s.jwks()
		sum := sha256.Sum256(body)
		etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
		h := w.Header()
		h.Set("Cache-Control", cache)
		h.Set("ETag", etag)
		if etagMatches(r.Header.Values("If-None-Match"), etag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", "application/jwk-set+json")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(body)
		}
	})
}

func etagMatches(headers []string, etag string) bool {
	for _, h := range headers {
		for candidate := range strings.SplitSeq(h, ",") {
			candidate = strings.TrimSpace(candidate)
			if candidate == "*" || strings.TrimPrefix(candidate, "W/") == etag {
				return true
			}
		}
	}
	return false
}

func (s *KeySet) jwks() []byte {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, k := range s.listed() {
		set.Keys = append(set.Keys, encodeJWK(k))
	}
	body, _ := json.Marshal(set) // strings always encode
	return append(body, '\n')
}

func encodeJWK(k Key) jwk {
	enc := base64.RawURLEncoding
	out := jwk{Kid: k.data.kid, Alg: k.data.alg, Use: "sig"}
	switch public := k.data.public.(type) {
	case ed25519.PublicKey:
		out.Kty, out.Crv, out.X = "OKP", "Ed25519", enc.EncodeToString(public)
	case *rsa.PublicKey:
		out.Kty = "RSA"
		out.N = enc.EncodeToString(public.N.Bytes())
		out.E = enc.EncodeToString(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, x, y; the constructor has checked the curve
		if err == nil {
			out.Kty, out.Crv = "EC", "P-256"
			out.X, out.Y = enc.EncodeToString(point[1:33]), enc.EncodeToString(point[33:])
		}
	}
	return out
}
