package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
)

const goodHeader = `{"alg":"HS256","kid":"k1","typ":"at+jwt"}`

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// forge signs any header and payload with the secret of the HMAC key kid, which is what an
// issuer with a bug or a stolen secret could send.
func forge(kid, header, payload string) string {
	input := b64(header) + "." + b64(payload)
	mac := hmac.New(sha256.New, secretOf(kid))
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// goodClaims are claims that the verifier of newVerifier accepts at the epoch.
func goodClaims() map[string]any {
	return map[string]any{
		"iss": "https://id.example", "aud": "api", "sub": "user", "sid": "session", "jti": "token",
		"client_id": "app", "iat": epoch.Unix(), "nbf": epoch.Unix(), "exp": epoch.Add(15 * time.Minute).Unix(),
	}
}

// claims encodes the good claims with some changed; a nil value removes one.
func claims(changes map[string]any) string {
	all := goodClaims()
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	out, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func goodToken() string { return forge("k1", goodHeader, claims(nil)) }

// newVerifier builds a verifier for tokens of forge("k1", ...); change may alter its configuration.
func newVerifier(t testing.TB, c *clock, change func(*auth.VerifierConfig)) *auth.Verifier {
	t.Helper()
	cfg := auth.VerifierConfig{
		Issuer: "https://id.example", Audience: []string{"api"}, Keys: keySet(t, c, hmacKey(t, "k1")), Now: c.Now,
	}
	if change != nil {
		change(&cfg)
	}
	v, err := auth.NewVerifier(cfg)
	require.NoError(t, err)
	return v
}
