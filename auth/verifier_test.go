package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
)

func TestVerifyHeaders(t *testing.T) {
	t.Parallel()
	var reason auth.Reason
	v := newVerifier(t, newClock(), func(cfg *auth.VerifierConfig) {
		cfg.OnReject = func(_ context.Context, r auth.Reason) { reason = r }
	})
	for _, c := range []struct {
		name, header string
		want         auth.Reason // empty: accepted
	}{
		{"as issued", goodHeader, ""},
		{"other member order", `{"typ":"at+jwt","kid":"k1","alg":"HS256"}`, ""},
		{"spaces", "{ \"alg\" : \"HS256\" ,\n\"kid\":\"k1\",\"typ\":\"at+jwt\" }", ""},
		{"escaped name", `{"\u0061lg":"HS256","kid":"k1","typ":"at+jwt"}`, ""},
		{"typ upper case", `{"alg":"HS256","kid":"k1","typ":"AT+JWT"}`, ""},
		{"typ long form", `{"alg":"HS256","kid":"k1","typ":"application/at+jwt"}`, ""},
		{"alg none", `{"alg":"none","kid":"k1","typ":"at+jwt"}`, auth.RejectAlgorithm},
		{"alg None", `{"alg":"None","kid":"k1","typ":"at+jwt"}`, auth.RejectAlgorithm},
		{"alg nOnE", `{"alg":"nOnE","kid":"k1","typ":"at+jwt"}`, auth.RejectAlgorithm},
		{"alg NONE", `{"alg":"NONE","kid":"k1","typ":"at+jwt"}`, auth.RejectAlgorithm},
		{"alg RS256 on an HMAC key", `{"alg":"RS256","kid":"k1","typ":"at+jwt"}`, auth.RejectAlgorithm},
		{"alg HS384", `{"alg":"HS384","kid":"k1","typ":"at+jwt"}`, auth.RejectAlgorithm},
		{"alg HS512", `{"alg":"HS512","kid":"k1","typ":"at+jwt"}`, auth.RejectAlgorithm},
		{"alg hs256", `{"alg":"hs256","kid":"k1","typ":"at+jwt"}`, auth.RejectAlgorithm},
		{"alg missing", `{"kid":"k1","typ":"at+jwt"}`, auth.RejectHeader},
		{"alg number", `{"alg":256,"kid":"k1","typ":"at+jwt"}`, auth.RejectHeader},
		{"alg twice", `{"alg":"HS256","alg":"none","kid":"k1","typ":"at+jwt"}`, auth.RejectHeader},
		{"alg twice by escape", `{"alg":"HS256","\u0061lg":"HS256","kid":"k1","typ":"at+jwt"}`, auth.RejectHeader},
		{"ALG is another name", `{"ALG":"HS256","alg":"HS256","kid":"k1","typ":"at+jwt"}`, auth.RejectHeader},
		{"kid missing", `{"alg":"HS256","typ":"at+jwt"}`, auth.RejectHeader},
		{"kid unknown", `{"alg":"HS256","kid":"k2","typ":"at+jwt"}`, auth.RejectKey},
		{"kid path", `{"alg":"HS256","kid":"../../etc/passwd","typ":"at+jwt"}`, auth.RejectKey},
		{"kid SQL", `{"alg":"HS256","kid":"' OR 1=1--","typ":"at+jwt"}`, auth.RejectHeader},
		{"kid number", `{"alg":"HS256","kid":1,"typ":"at+jwt"}`, auth.RejectHeader},
		{"kid NUL", `{"alg":"HS256","kid":"k1\u0000","typ":"at+jwt"}`, auth.RejectHeader},
		{"kid long", `{"alg":"HS256","kid":"` + strings.Repeat("k", 65) + `","typ":"at+jwt"}`, auth.RejectHeader},
		{"kid of 1 MiB", `{"alg":"HS256","kid":"` + strings.Repeat("k", 1<<20) + `","typ":"at+jwt"}`, auth.RejectSize},
		{"kid longer than a header", `{"alg":"HS256","kid":"` + strings.Repeat("k", 4000) + `","typ":"at+jwt"}`, auth.RejectHeader},
		{"jwk", `{"alg":"HS256","kid":"k1","typ":"at+jwt","jwk":{}}`, auth.RejectHeader},
		{"jku", `{"alg":"HS256","kid":"k1","typ":"at+jwt","jku":"https://evil.example"}`, auth.RejectHeader},
		{"x5u", `{"alg":"HS256","kid":"k1","typ":"at+jwt","x5u":"https://evil.example"}`, auth.RejectHeader},
		{"x5c", `{"alg":"HS256","kid":"k1","typ":"at+jwt","x5c":[]}`, auth.RejectHeader},
		{"crit exp", `{"alg":"HS256","kid":"k1","typ":"at+jwt","crit":["exp"]}`, auth.RejectHeader},
		{"crit empty", `{"alg":"HS256","kid":"k1","typ":"at+jwt","crit":[]}`, auth.RejectHeader},
		{"crit unknown", `{"alg":"HS256","kid":"k1","typ":"at+jwt","crit":["x"],"x":1}`, auth.RejectHeader},
		{"b64 false", `{"alg":"HS256","kid":"k1","typ":"at+jwt","b64":false}`, auth.RejectHeader},
		{"zip", `{"alg":"HS256","kid":"k1","typ":"at+jwt","zip":"DEF"}`, auth.RejectHeader},
		{"cty", `{"alg":"HS256","kid":"k1","typ":"at+jwt","cty":"JWT"}`, auth.RejectHeader},
		{"typ JWT", `{"alg":"HS256","kid":"k1","typ":"JWT"}`, auth.RejectType},
		{"typ missing", `{"alg":"HS256","kid":"k1"}`, auth.RejectType},
		{"typ logout+jwt", `{"alg":"HS256","kid":"k1","typ":"logout+jwt"}`, auth.RejectType},
		{"typ id_token+jwt", `{"alg":"HS256","kid":"k1","typ":"id_token+jwt"}`, auth.RejectType},
		{"not an object", `["HS256"]`, auth.RejectHeader},
		{"null", `null`, auth.RejectHeader},
		{"two objects", goodHeader + "{}", auth.RejectHeader},
		{"not UTF-8", "{\"alg\":\"HS256\",\"kid\":\"k1\xff\",\"typ\":\"at+jwt\"}", auth.RejectHeader},
		{"half a surrogate", `{"alg":"HS256","kid":"k1","typ":"at+jwt","\ud800":1}`, auth.RejectHeader},
	} {
		reason = ""
		p, err := v.Verify(t.Context(), forge("k1", c.header, claims(nil)))
		require.Equal(t, c.want, reason, c.name)
		if c.want == "" {
			require.NoError(t, err, c.name)
			require.Equal(t, "user", p.Subject)
		} else {
			require.Equal(t, auth.ErrInvalidToken, err, c.name)
			require.Nil(t, p)
		}
	}
}

func TestVerifyClaims(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) int64 { return epoch.Add(d).Unix() }
	for _, c := range []struct {
		name    string
		payload string
		want    error
	}{
		{"as issued", claims(nil), nil},
		{"foreign claims pass", claims(map[string]any{"x": map[string]any{"y": []any{1, true, nil}}}), nil},
		{"null", `null`, auth.ErrInvalidToken},
		{"array", `[]`, auth.ErrInvalidToken},
		{"string", `"x"`, auth.ErrInvalidToken},
		{"two objects", `{}{}`, auth.ErrInvalidToken},
		{"empty", `{}`, auth.ErrInvalidToken},
		{"not UTF-8", strings.Replace(claims(nil), "user", "us\xff\xfeer", 1), auth.ErrInvalidToken},
		{"control character", strings.Replace(claims(nil), "user", "us\ner", 1), auth.ErrInvalidToken},
		{"trailing comma", strings.Replace(claims(nil), "}", ",}", 1), auth.ErrInvalidToken},
		{"exp twice", strings.Replace(claims(nil), "{", `{"exp":9999999999,`, 1), auth.ErrInvalidToken},
		{"sub twice", strings.Replace(claims(nil), "{", `{"sub":"admin",`, 1), auth.ErrInvalidToken},
		{"nested twice", strings.Replace(claims(nil), "{", `{"x":{"a":1,"a":2},`, 1), auth.ErrInvalidToken},
		{"too deep", strings.Replace(claims(nil), "{", `{"x":`+strings.Repeat("[", 9)+strings.Repeat("]", 9)+`,`, 1), auth.ErrInvalidToken},
		{"EXP is not exp", strings.Replace(claims(map[string]any{"exp": nil}), "{", `{"EXP":9999999999,`, 1), auth.ErrInvalidToken},
		{"Sub is not sub", claims(map[string]any{"Sub": "admin"}), nil},
		{"exp missing", claims(map[string]any{"exp": nil}), auth.ErrInvalidToken},
		{"exp null", strings.Replace(claims(map[string]any{"exp": nil}), "{", `{"exp":null,`, 1), auth.ErrInvalidToken},
		{"exp string", claims(map[string]any{"exp": "1772368200"}), auth.ErrInvalidToken},
		{"exp 0", claims(map[string]any{"exp": 0}), auth.ErrInvalidToken},
		{"exp negative", claims(map[string]any{"exp": -1}), auth.ErrInvalidToken},
		{"exp 1e308", claims(map[string]any{"exp": 1e308}), auth.ErrInvalidToken},
		{"exp in milliseconds", claims(map[string]any{"exp": int64(253402300800000)}), auth.ErrInvalidToken},
		{"exp fraction", claims(map[string]any{"exp": 1772368200.5}), auth.ErrInvalidToken},
		{"iat missing", claims(map[string]any{"iat": nil}), auth.ErrInvalidToken},
		{"lives too long", claims(map[string]any{"exp": at(time.Hour + time.Second)}), auth.ErrInvalidToken},
		{"longest life", claims(map[string]any{"exp": at(time.Hour)}), nil},
		{"expired within leeway", claims(map[string]any{"iat": at(-time.Minute), "exp": at(-29 * time.Second)}), nil},
		{"expired at leeway", claims(map[string]any{"iat": at(-time.Minute), "exp": at(-30 * time.Second)}), auth.ErrExpired},
		{"expired beyond leeway", claims(map[string]any{"iat": at(-time.Minute), "exp": at(-31 * time.Second)}), auth.ErrExpired},
		{"exp before iat", claims(map[string]any{"iat": at(0), "exp": at(-1 * time.Second)}), auth.ErrInvalidToken},
		{"nbf within leeway", claims(map[string]any{"nbf": at(30 * time.Second)}), nil},
		{"nbf beyond leeway", claims(map[string]any{"nbf": at(31 * time.Second)}), auth.ErrInvalidToken},
		{"nbf missing", claims(map[string]any{"nbf": nil}), nil},
		{"iat within leeway", claims(map[string]any{"iat": at(30 * time.Second)}), nil},
		{"iat beyond leeway", claims(map[string]any{"iat": at(31 * time.Second)}), auth.ErrInvalidToken},
		{"iss other", claims(map[string]any{"iss": "https://evil.example"}), auth.ErrInvalidToken},
		{"iss slash", claims(map[string]any{"iss": "https://id.example/"}), auth.ErrInvalidToken},
		{"iss case", claims(map[string]any{"iss": "https://ID.example"}), auth.ErrInvalidToken},
		{"iss missing", claims(map[string]any{"iss": nil}), auth.ErrInvalidToken},
		{"iss number", claims(map[string]any{"iss": 1}), auth.ErrInvalidToken},
		{"aud other", claims(map[string]any{"aud": "other"}), auth.ErrInvalidToken},
		{"aud empty list", claims(map[string]any{"aud": []string{}}), auth.ErrInvalidToken},
		{"aud missing", claims(map[string]any{"aud": nil}), auth.ErrInvalidToken},
		{"aud number", claims(map[string]any{"aud": 1}), auth.ErrInvalidToken},
		{"aud with a number", claims(map[string]any{"aud": []any{"api", 1}}), auth.ErrInvalidToken},
		{"aud among others", claims(map[string]any{"aud": []string{"other", "api"}}), nil},
		{"sub empty", claims(map[string]any{"sub": ""}), auth.ErrInvalidToken},
		{"sub missing", claims(map[string]any{"sub": nil}), auth.ErrInvalidToken},
		{"jti empty", claims(map[string]any{"jti": ""}), auth.ErrInvalidToken},
		{"sid empty", claims(map[string]any{"sid": ""}), auth.ErrInvalidToken},
		{"jti missing", claims(map[string]any{"jti": nil}), auth.ErrInvalidToken},
		{"sid missing", claims(map[string]any{"sid": nil}), auth.ErrInvalidToken},
		{"roles a string", claims(map[string]any{"roles": "admin"}), auth.ErrInvalidToken},
		{"scope a list", claims(map[string]any{"scope": []string{"a"}}), auth.ErrInvalidToken},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := newVerifier(t, newClock(), nil)
			_, err := v.Verify(t.Context(), forge("k1", goodHeader, c.payload))
			require.Equal(t, c.want, err)
		})
	}
}

func TestVerifyWithoutLeewayEndsExactlyAtExp(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := newVerifier(t, c, func(cfg *auth.VerifierConfig) { cfg.Leeway = -1 })
	c.Add(15*time.Minute - time.Nanosecond)
	_, err := v.Verify(t.Context(), goodToken())
	require.NoError(t, err)
	c.Add(time.Nanosecond)
	_, err = v.Verify(t.Context(), goodToken())
	require.Equal(t, auth.ErrExpired, err)
	c.Add(-time.Hour) // the clock goes backwards
	_, err = v.Verify(t.Context(), goodToken())
	require.Equal(t, auth.ErrInvalidToken, err)
}

func TestVerifyTokenText(t *testing.T) {
	t.Parallel()
	var reason auth.Reason
	v := newVerifier(t, newClock(), func(cfg *auth.VerifierConfig) {
		cfg.OnReject = func(_ context.Context, r auth.Reason) { reason = r }
	})
	good := goodToken()
	h, rest, _ := strings.Cut(good, ".")
	p, s, _ := strings.Cut(rest, ".")
	bad := map[string]string{
		"empty": "", "one segment": h, "two segments": h + "." + p, "four segments": good + "." + s,
		"five segments": good + "." + s + "." + s, "trailing dot": good + ".", "leading dot": "." + good,
		"empty header": "." + p + "." + s, "empty payload": h + ".." + s, "empty signature": h + "." + p + ".",
		"dots": "..", "padded": good + "=", "other base64": b64("x") + "." + p + "." + s,
		"refresh token": newBench(t, nil).login(t).Refresh, "signature truncated": good[:len(good)-1],
		"signature longer": good + "A", "huge signature": h + "." + p + "." + strings.Repeat("A", 2000),
		"alg none without signature": b64(`{"alg":"none","kid":"k1","typ":"at+jwt"}`) + "." + p + ".",
	}
	for _, c := range []string{"\r", "\n", "\r\n", " ", "\t", "=", "+", "/", "\x00", "é"} {
		for i := range len(good) + 1 {
			bad[fmt.Sprintf("%q before byte %d", c, i)] = good[:i] + c + good[i:]
		}
	}
	for name, token := range bad {
		_, err := v.Verify(t.Context(), token)
		require.Equal(t, auth.ErrInvalidToken, err, "%q", name)
	}
	_, err := v.Verify(t.Context(), good)
	require.NoError(t, err)

	// The length is looked at before anything else, so it costs nothing to be sent a megabyte.
	for length, want := range map[int]auth.Reason{8 << 10: auth.RejectFormat, 8<<10 + 1: auth.RejectSize, 1 << 20: auth.RejectSize} {
		_, err := v.Verify(t.Context(), strings.Repeat("a", length))
		require.Equal(t, auth.ErrInvalidToken, err)
		require.Equal(t, want, reason, length)
	}
}

func TestVerifyOneAlgorithmOfASecret(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, newClock(), nil)
	for _, method := range []jwt.SigningMethod{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
		tok := jwt.NewWithClaims(method, jwt.MapClaims(goodClaims()))
		tok.Header = map[string]any{"alg": method.Alg(), "kid": "k1", "typ": "at+jwt"}
		text, err := tok.SignedString(secretOf("k1"))
		require.NoError(t, err)
		_, err = v.Verify(t.Context(), text)
		if method == jwt.SigningMethodHS256 {
			require.NoError(t, err)
		} else {
			require.Equal(t, auth.ErrInvalidToken, err, method.Alg())
		}
	}
}

func TestKeyAddressesInATokenAreNotFetched(t *testing.T) {
	t.Parallel()
	c := newClock()
	set := keySet(t, c, ed25519Key(t, "ed"))
	attacker := newIssuer(t, set.JWKSHandler())
	own := newIssuer(t, set.JWKSHandler())
	remote := own.keys(t, c)
	require.NoError(t, remote.Fetch(t.Context()))
	v := newVerifier(t, c, func(cfg *auth.VerifierConfig) { cfg.Keys = remote })
	for _, member := range []string{"jku", "x5u", "jwk", "x5c"} {
		value := `"` + attacker.URL + `"`
		if member == "jwk" {
			value = `{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
		}
		_, err := v.Verify(t.Context(), forge("k1", `{"alg":"EdDSA","kid":"ed","typ":"at+jwt","`+member+`":`+value+`}`, claims(nil)))
		require.Equal(t, auth.ErrInvalidToken, err, member)
	}
	require.Zero(t, attacker.fetches.Load())
	require.Equal(t, int64(1), own.fetches.Load())
}

func TestVerifyEveryFlippedBit(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, newClock(), nil)
	good := []byte(goodToken())
	for i := range good {
		for bit := range 8 {
			good[i] ^= 1 << bit
			_, err := v.Verify(t.Context(), string(good))
			require.Error(t, err, "byte %d bit %d", i, bit)
			good[i] ^= 1 << bit
		}
	}
}

func TestVerifyEveryAlgorithm(t *testing.T) {
	t.Parallel()
	c := newClock()
	_, edPriv, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	rsaPriv, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ecPriv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ed, err := auth.NewEd25519Key("ed", edPriv)
	require.NoError(t, err)
	newer, err := ed.WithAlgorithm(auth.Ed25519)
	require.NoError(t, err)
	rs, err := auth.NewRSAKey("rs", rsaPriv)
	require.NoError(t, err)
	es, err := auth.NewECDSAKey("es", ecPriv)
	require.NoError(t, err)
	for _, key := range []auth.Key{ed, newer, rs, es, hmacKey(t, "k1")} {
		b := newBench(t, func(cfg *auth.Config) { cfg.Keys, cfg.Now = keySet(t, c, key), c.Now })
		token := b.login(t).Access
		_, err := b.Verifier().Verify(t.Context(), token)
		require.NoError(t, err, key)

		// golang-jwt reads what we write ...
		parsed, err := jwt.Parse(token, func(tok *jwt.Token) (any, error) {
			if tok.Method.Alg() == "HS256" {
				return secretOf("k1"), nil
			}
			return map[string]any{"ed": edPriv.Public(), "rs": &rsaPriv.PublicKey, "es": &ecPriv.PublicKey}[key.Kid()], nil
		}, jwt.WithTimeFunc(c.Now))
		if key.Algorithm() != auth.Ed25519 { // a name golang-jwt does not know
			require.NoError(t, err, key)
			require.Equal(t, "user", parsed.Claims.(jwt.MapClaims)["sub"])
		}
	}

	// ... and we read what golang-jwt writes.
	v := newVerifier(t, c, func(cfg *auth.VerifierConfig) { cfg.Keys = keySet(t, c, ed, rs, es) })
	sign := func(method jwt.SigningMethod, alg, kid string, key any) string {
		tok := jwt.NewWithClaims(method, jwt.MapClaims(goodClaims()))
		tok.Header = map[string]any{"alg": alg, "kid": kid, "typ": "at+jwt"}
		text, err := tok.SignedString(key)
		require.NoError(t, err)
		return text
	}
	for name, tc := range map[string]struct {
		token string
		ok    bool
	}{
		"EdDSA":                       {sign(jwt.SigningMethodEdDSA, "EdDSA", "ed", edPriv), true},
		"Ed25519":                     {sign(jwt.SigningMethodEdDSA, "Ed25519", "ed", edPriv), true},
		"Ed448":                       {sign(jwt.SigningMethodEdDSA, "Ed448", "ed", edPriv), false},
		"RS256":                       {sign(jwt.SigningMethodRS256, "RS256", "rs", rsaPriv), true},
		"PS256 on an RS256 key":       {sign(jwt.SigningMethodPS256, "PS256", "rs", rsaPriv), false},
		"PS256 under the name RS256":  {sign(jwt.SigningMethodPS256, "RS256", "rs", rsaPriv), false},
		"RS512":                       {sign(jwt.SigningMethodRS512, "RS512", "rs", rsaPriv), false},
		"ES256":                       {sign(jwt.SigningMethodES256, "ES256", "es", ecPriv), true},
		"ES256 on the Ed25519 kid":    {sign(jwt.SigningMethodES256, "ES256", "ed", ecPriv), false},
		"HS256 with the RSA public n": {sign(jwt.SigningMethodHS256, "HS256", "rs", rsaPriv.N.Bytes()), false},
	} {
		_, err := v.Verify(t.Context(), tc.token)
		if tc.ok {
			require.NoError(t, err, name)
		} else {
			require.Equal(t, auth.ErrInvalidToken, err, name)
		}
	}
}

func TestVerifierConfigFaults(t *testing.T) {
	t.Parallel()
	_, err := auth.NewVerifier(auth.VerifierConfig{Leeway: time.Hour, MaxBytes: 1 << 20})
	for _, field := range []string{"Issuer", "Audience", "Keys", "Leeway", "MaxBytes"} {
		require.ErrorContains(t, err, field)
	}
	var fault *auth.ConfigError
	require.ErrorAs(t, err, &fault)
	_, err = auth.NewVerifier(auth.VerifierConfig{Issuer: "x", Audience: []string{"a", ""}, Keys: &auth.KeySet{}})
	require.ErrorContains(t, err, "Audience")
	require.ErrorContains(t, err, "Keys")
	_, err = (&auth.Verifier{}).Verify(t.Context(), goodToken())
	require.Error(t, err, "the zero Verifier refuses everything")
}

// brokenDenylist and brokenKeys do not answer.
type brokenDenylist struct{ auth.Denylist }

var errDown = errors.New("down")

func (brokenDenylist) Denied(context.Context, ...string) (bool, error) { return false, errDown }

type brokenKeys struct{}

func (brokenKeys) VerificationKey(context.Context, string) (auth.Key, error) {
	return auth.Key{}, errDown
}

func TestVerifyWhenADependencyIsDown(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, newClock(), func(cfg *auth.VerifierConfig) { cfg.Denylist = brokenDenylist{} })
	_, err := v.Verify(t.Context(), goodToken())
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.ErrorIs(t, err, errDown)
	v = newVerifier(t, newClock(), func(cfg *auth.VerifierConfig) {
		cfg.Denylist, cfg.DangerouslyFailOpen = brokenDenylist{}, true
	})
	_, err = v.Verify(t.Context(), goodToken())
	require.NoError(t, err)
	v = newVerifier(t, newClock(), func(cfg *auth.VerifierConfig) { cfg.Keys = brokenKeys{} })
	_, err = v.Verify(t.Context(), goodToken())
	require.ErrorIs(t, err, auth.ErrUnavailable)
	_, err = v.Verify(t.Context(), "not.a.token")
	require.Equal(t, auth.ErrInvalidToken, err)
}

func TestDenylistBySessionAndByToken(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"s:session", "j:token"} {
		c := newClock()
		list, err := auth.NewMemoryDenylist(auth.MemoryDenylistConfig{Now: c.Now})
		require.NoError(t, err)
		v := newVerifier(t, c, func(cfg *auth.VerifierConfig) { cfg.Denylist = list })
		_, err = v.Verify(t.Context(), goodToken())
		require.NoError(t, err)
		require.NoError(t, list.Deny(t.Context(), c.Now().Add(time.Hour), id))
		_, err = v.Verify(t.Context(), goodToken())
		require.Equal(t, auth.ErrRevoked, err)
		_, err = v.Verify(t.Context(), forge("k1", goodHeader, claims(map[string]any{"sid": "other", "jti": "other"})))
		require.NoError(t, err, "other sessions of the same user go on")
	}
}

func TestClaimsAs(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, newClock(), nil)
	p, err := v.Verify(t.Context(), forge("k1", goodHeader, claims(map[string]any{
		"plan": "gold", "scope": "read write", "roles": []string{"a", "b"}, "tid": "t1", "auth_time": epoch.Unix(),
	})))
	require.NoError(t, err)
	require.Equal(t, []string{"read", "write"}, p.Scopes)
	require.True(t, p.HasScope("write"))
	require.False(t, p.HasScope("admin"))
	require.Equal(t, []string{"a", "b"}, p.Roles)
	require.Equal(t, "t1", p.Tenant)
	require.Equal(t, "k1", p.KeyID)
	require.True(t, p.AuthTime.Equal(epoch))
	extra, err := auth.ClaimsAs[struct{ Plan string }](p)
	require.NoError(t, err)
	require.Equal(t, "gold", extra.Plan)
	_, err = auth.ClaimsAs[struct{ Plan int }](p)
	require.Error(t, err)
	_, err = auth.ClaimsAs[struct{}](&auth.Principal{})
	require.ErrorIs(t, err, auth.ErrNoCredential)
}

func TestVerifyWhileKeysRotate(t *testing.T) {
	t.Parallel()
	c := newClock()
	set := keySet(t, c, hmacKey(t, "k1"), hmacKey(t, "k2"))
	b := newBench(t, func(cfg *auth.Config) { cfg.Keys, cfg.Now = set, c.Now })
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			if i%100 == 50 {
				if err := set.Activate([]string{"k1", "k2"}[i/100%2]); err != nil {
					t.Errorf("Activate: %v", err)
				}
			}
			tokens, err := b.Login(t.Context(), auth.Login{Subject: "user"})
			if err == nil {
				_, err = b.Verifier().Verify(t.Context(), tokens.Access)
			}
			if err != nil {
				t.Errorf("a good token was refused: %v", err)
			}
		})
	}
	wg.Wait()
}

func TestVerifyAllocations(t *testing.T) {
	// Not parallel: AllocsPerRun counts the allocations of the whole process.
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool allocate")
	}
	list, err := auth.NewMemoryDenylist(auth.MemoryDenylistConfig{})
	require.NoError(t, err)
	require.NoError(t, list.Deny(t.Context(), time.Now().Add(time.Hour), "s:other"))
	v := newVerifier(t, newClock(), func(cfg *auth.VerifierConfig) { cfg.Denylist = list })
	good := goodToken()
	forged := good[:len(good)-4] + "AAAA"
	huge := strings.Repeat("a.", 1<<19)
	for name, c := range map[string]struct {
		token string
		most  float64
	}{
		"good token": {good, 12}, "forged token": {forged, 3}, "1 MiB token": {huge, 1}, "malformed token": {"a.b", 1},
	} {
		got := testing.AllocsPerRun(200, func() { _, _ = v.Verify(context.Background(), c.token) })
		require.LessOrEqual(t, got, c.most, name)
		t.Logf("%s: %v allocations", name, got)
	}
}
