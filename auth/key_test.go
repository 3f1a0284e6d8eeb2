package auth_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
)

func ed25519Key(t testing.TB, kid string) auth.Key {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	k, err := auth.NewEd25519Key(kid, private)
	require.NoError(t, err)
	return k
}

func TestWeakKeysAreRefused(t *testing.T) {
	t.Parallel()
	for _, secret := range [][]byte{nil, {}, bytes.Repeat([]byte{1, 2}, 8)[:15], bytes.Repeat([]byte{1, 2}, 8), secretOf("")[:31], make([]byte, 32), bytes.Repeat([]byte{9}, 64)} {
		_, err := auth.NewHMACKey("k", secret)
		require.Error(t, err)
		_, err = auth.NewRefreshKeys(secretOf("good"), secret)
		require.ErrorContains(t, err, "previous[0]")
	}
	for _, kid := range []string{"", strings.Repeat("k", 65), "a b", "a\x00", `a"b`, "ü", "a\n"} {
		_, err := auth.NewHMACKey(kid, secretOf("good"))
		require.ErrorContains(t, err, "kid")
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	_, err = auth.NewECDSAKey("k", p224)
	require.ErrorContains(t, err, "P-256")
	_, err = auth.NewECDSAKey("k", nil)
	require.Error(t, err)
	_, err = auth.NewRSAKey("k", nil)
	require.Error(t, err)
	_, err = auth.NewPublicKey("k", auth.RS256, &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537})
	require.ErrorContains(t, err, "2048")
	_, err = auth.NewPublicKey("k", auth.RS256, &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 1})
	require.ErrorContains(t, err, "exponent")
	_, err = auth.NewEd25519Key("k", ed25519.PrivateKey("short"))
	require.Error(t, err)
	_, err = auth.NewPublicKey("k", auth.HS256, []byte("x"))
	require.ErrorContains(t, err, "alg")
	_, err = auth.NewPublicKey("k", auth.ES256, &rsa.PublicKey{})
	require.Error(t, err)
	_, err = auth.NewPublicKey("k", auth.EdDSA, &ecdsa.PublicKey{})
	require.Error(t, err)
	_, err = hmacKey(t, "k").WithAlgorithm(auth.RS256)
	require.Error(t, err)
}

func TestKeyStates(t *testing.T) {
	t.Parallel()
	c := newClock()
	k1, k2 := ed25519Key(t, "k1"), ed25519Key(t, "k2")
	set := keySet(t, c, k1)
	b := newBench(t, func(cfg *auth.Config) { cfg.Keys, cfg.Now, cfg.AccessTTL = set, c.Now, time.Hour })
	old := b.login(t).Access

	require.ErrorIs(t, set.Activate("k2"), auth.ErrUnknownKey)
	require.NoError(t, set.Publish(k2))
	require.ErrorIs(t, set.Publish(k2), auth.ErrKeyState)
	require.ErrorIs(t, set.Publish(hmacKey(t, "h")), auth.ErrKeyState, "families do not mix")
	require.ErrorIs(t, set.Publish(auth.Key{}), auth.ErrKeyState)
	require.Equal(t, "k1", set.Active().Kid(), "a published key does not sign")
	early := newBench(t, func(cfg *auth.Config) { cfg.Keys, cfg.Now = keySet(t, c, k2), c.Now }).login(t).Access
	_, err := b.Verifier().Verify(t.Context(), early)
	require.NoError(t, err, "but it verifies, for replicas that have activated it already")
	require.ErrorIs(t, set.Retire("k1", c.Now()), auth.ErrKeyState, "the active key")
	require.ErrorIs(t, set.Retire("k9", c.Now()), auth.ErrUnknownKey)
	require.NoError(t, set.Activate("k2"))
	require.ErrorIs(t, set.Retire("k1", time.Time{}), auth.ErrKeyState)
	require.NoError(t, set.Retire("k1", c.Now().Add(time.Minute)))
	require.ErrorIs(t, set.Activate("k1"), auth.ErrUnknownKey, "a retired key does not come back")

	c.Add(time.Minute - time.Nanosecond)
	_, err = b.Verifier().Verify(t.Context(), old)
	require.NoError(t, err)
	c.Add(time.Nanosecond)
	_, err = b.Verifier().Verify(t.Context(), old)
	require.Equal(t, auth.ErrInvalidToken, err)
	_, err = b.Verifier().Verify(t.Context(), b.login(t).Access)
	require.NoError(t, err)
}

func TestKeySetConfigFaults(t *testing.T) {
	t.Parallel()
	c := newClock()
	_, err := auth.NewKeySet(auth.KeySetConfig{})
	require.ErrorContains(t, err, "Active")
	public, err := auth.NewPublicKey("p", auth.EdDSA, ed25519.PublicKey(make([]byte, 32)))
	require.NoError(t, err)
	require.False(t, public.CanSign())
	_, err = auth.NewKeySet(auth.KeySetConfig{Active: public, Published: []auth.Key{{}, public}})
	require.ErrorContains(t, err, "Active")
	require.ErrorContains(t, err, "Published[0]")
	require.ErrorContains(t, err, "Published[1]")
	_, err = auth.NewKeySet(auth.KeySetConfig{Active: hmacKey(t, "h"), Published: []auth.Key{public}})
	require.ErrorContains(t, err, "mix")
	_, err = auth.NewKeySet(auth.KeySetConfig{Active: hmacKey(t, "h"), Published: []auth.Key{public}, DangerouslyAllowMixed: true})
	require.NoError(t, err)
	set := keySet(t, c, hmacKey(t, "h"))
	_, err = set.VerificationKey(t.Context(), "other")
	require.ErrorIs(t, err, auth.ErrUnknownKey)
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	tokens := b.login(t)
	second := b.refresh(t, tokens)
	b.clock.Add(time.Minute)
	_, reused := b.Refresh(t.Context(), tokens.Refresh)
	require.Error(t, reused)
	_, invalid := b.Verifier().Verify(t.Context(), tokens.Access[:len(tokens.Access)-4]+"AAAA")
	require.Error(t, invalid)
	b.store.failWith(errDown)
	_, down := b.Refresh(t.Context(), second.Refresh)
	require.Error(t, down)
	_, weak := auth.NewHMACKey("k1", []byte("a short secret"))
	require.Error(t, weak)
	hidden := []string{
		string(secretOf("k1")), "a short secret", "rt_", tokens.Access, second.Access,
		base64.StdEncoding.EncodeToString(secretOf("k1")), base64.StdEncoding.EncodeToString(secretOf("r1")),
		fmt.Sprintf("%d", secretOf("k1")), fmt.Sprintf("%d", secretOf("r1")),
	}
	var logged bytes.Buffer
	for i, v := range []any{
		hmacKey(t, "k1"), ed25519Key(t, "ed"), rsaKey(t, "rs"), refreshKeys(t, "r1", "r2"), tokens, &tokens,
		auth.Config{RefreshKeys: refreshKeys(t, "r1")},
		auth.KeySetConfig{Active: hmacKey(t, "k1")},
		b.events, reused, invalid, down, weak,
	} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			text := fmt.Sprintf(format, v)
			for _, secret := range hidden {
				require.NotContains(t, text, secret, "value %d as %s", i, format)
			}
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
			slog.New(h).InfoContext(t.Context(), "message", "value", v)
		}
	}
	require.Contains(t, logged.String(), tokens.Session.ID)
	for _, secret := range hidden {
		require.NotContains(t, logged.String(), secret)
	}
}

func rsaKey(t testing.TB, kid string) auth.Key {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	k, err := auth.NewRSAKey(kid, private)
	require.NoError(t, err)
	return k
}

func ecdsaKey(t testing.TB, kid string) auth.Key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	k, err := auth.NewECDSAKey(kid, private)
	require.NoError(t, err)
	return k
}
