package auth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
)

// issuer serves a JWK set that a test can replace.
type issuer struct {
	*httptest.Server
	mu      sync.Mutex
	handler http.Handler
	fetches atomic.Int64
}

func newIssuer(t *testing.T, h http.Handler) *issuer {
	t.Helper()
	i := &issuer{handler: h}
	i.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.fetches.Add(1)
		i.mu.Lock()
		h := i.handler
		i.mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) serve(h http.Handler) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handler = h
}

func (i *issuer) keys(t *testing.T, c *clock) *auth.RemoteKeys {
	t.Helper()
	k, err := auth.NewRemoteKeys(auth.RemoteKeysConfig{URL: i.URL, Client: i.Client(), Now: c.Now})
	require.NoError(t, err)
	return k
}

func status(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

func text(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
}

func TestRemoteKeysVerifyForeignTokens(t *testing.T) {
	t.Parallel()
	c := newClock()
	for _, key := range []auth.Key{ed25519Key(t, "ed"), rsaKey(t, "rs"), ecdsaKey(t, "es")} {
		set := keySet(t, c, key)
		i := newIssuer(t, set.JWKSHandler())
		remote := i.keys(t, c)
		require.NoError(t, remote.Fetch(t.Context()))
		b := newBench(t, func(cfg *auth.Config) { cfg.Keys, cfg.Now = set, c.Now })
		v := newVerifier(t, c, func(cfg *auth.VerifierConfig) { cfg.Keys = remote })
		p, err := v.Verify(t.Context(), b.login(t).Access)
		require.NoError(t, err)
		require.Equal(t, key.Kid(), p.KeyID)
	}
}

func TestRemoteKeysUnknownKidsFetchOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	i := newIssuer(t, keySet(t, c, ed25519Key(t, "ed")).JWKSHandler())
	remote := i.keys(t, c)
	var wg sync.WaitGroup
	for n := range 1000 {
		wg.Go(func() {
			if _, err := remote.VerificationKey(t.Context(), fmt.Sprint("kid", n)); err == nil {
				t.Error("an unknown kid has a key")
			}
		})
	}
	wg.Wait()
	require.Equal(t, int64(1), i.fetches.Load())
	_, err := remote.VerificationKey(t.Context(), "ed")
	require.NoError(t, err)
	_, err = remote.VerificationKey(t.Context(), "other")
	require.ErrorIs(t, err, auth.ErrUnknownKey)
	require.Equal(t, int64(1), i.fetches.Load())
}

func TestRemoteKeysFollowARotation(t *testing.T) {
	t.Parallel()
	c := newClock()
	set := keySet(t, c, ed25519Key(t, "old"))
	i := newIssuer(t, set.JWKSHandler())
	remote := i.keys(t, c)
	require.NoError(t, remote.Fetch(t.Context()))
	require.NoError(t, set.Publish(ed25519Key(t, "new")))
	_, err := remote.VerificationKey(t.Context(), "new")
	require.ErrorIs(t, err, auth.ErrUnknownKey, "within the interval")
	c.Add(30 * time.Second)
	_, err = remote.VerificationKey(t.Context(), "new")
	require.NoError(t, err)
	require.NoError(t, set.Activate("new"))
	require.NoError(t, set.Retire("old", c.Now()))
	c.Add(10 * time.Minute)
	_, err = remote.VerificationKey(t.Context(), "old") // starts a fetch, does not wait for it
	require.NoError(t, err)
	require.NoError(t, remote.Fetch(t.Context()))
	_, err = remote.VerificationKey(t.Context(), "old")
	require.ErrorIs(t, err, auth.ErrUnknownKey)
}

func TestRemoteKeysSurviveAnOutage(t *testing.T) {
	t.Parallel()
	c := newClock()
	good := keySet(t, c, ed25519Key(t, "ed")).JWKSHandler()
	i := newIssuer(t, status(503))
	remote := i.keys(t, c)
	_, err := remote.VerificationKey(t.Context(), "ed")
	require.Error(t, err)
	require.NotErrorIs(t, err, auth.ErrUnknownKey, "nothing is known yet")
	i.serve(good)
	require.NoError(t, remote.Fetch(t.Context()))
	other := newIssuer(t, good)
	for name, h := range map[string]http.Handler{
		"503": status(503), "404": status(404), "empty": text(""), "not JSON": text("<html>"), "no keys": text(`{"keys":[]}`),
		"other host":  http.RedirectHandler(other.URL, http.StatusFound),
		"only secret": text(`{"keys":[{"kty":"oct","kid":"ed","k":"AAAA"}]}`),
		"endless": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1<<20))); err != nil {
					return
				}
			}
		}),
	} {
		i.serve(h)
		require.Error(t, remote.Fetch(t.Context()), name)
		_, err := remote.VerificationKey(t.Context(), "ed")
		require.NoError(t, err, name)
	}
	require.Zero(t, other.fetches.Load())
}

func TestParseJWKSLeavesOutWhatItCannotTrust(t *testing.T) {
	t.Parallel()
	const ed = `{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	for name, c := range map[string]struct {
		set  string
		want int
	}{
		"good":              {`{"keys":[` + ed + `]}`, 1},
		"beside an oct key": {`{"keys":[` + ed + `,{"kty":"oct","kid":"h","k":"AAAA","alg":"HS256"}]}`, 1},
		"kid twice":         {`{"keys":[` + ed + `,` + ed + `]}`, 0},
		"no kid":            {`{"keys":[` + strings.Replace(ed, `"ed"`, `""`, 1) + `]}`, 0},
		"for encryption":    {`{"keys":[` + strings.Replace(ed, `{`, `{"use":"enc",`, 1) + `]}`, 0},
		"wrong alg":         {`{"keys":[` + strings.Replace(ed, `{`, `{"alg":"RS256",`, 1) + `]}`, 0},
		"newer name":        {`{"keys":[` + strings.Replace(ed, `{`, `{"alg":"Ed25519",`, 1) + `]}`, 1},
		"short x":           {`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"AAAA"}]}`, 0},
		"X25519":            {`{"keys":[` + strings.Replace(ed, `Ed25519`, `X25519`, 1) + `]}`, 0},
		"off the curve":     {`{"keys":[{"kty":"EC","crv":"P-256","kid":"e","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}]}`, 0},
		"small RSA":         {`{"keys":[{"kty":"RSA","kid":"r","n":"` + strings.Repeat("_", 170) + `","e":"AQAB"}]}`, 0},
		"huge exponent":     {`{"keys":[{"kty":"RSA","kid":"r","n":"` + strings.Repeat("_", 342) + `","e":"_____w"}]}`, 0},
		"keys not a list":   {`{"keys":{}}`, 0},
		"keys twice":        {`{"keys":[],"keys":[` + ed + `]}`, 0},
		"an odd key":        {`{"keys":[1,` + ed + `]}`, 1},
	} {
		keys, err := auth.ParseJWKS([]byte(c.set))
		require.Len(t, keys, c.want, name)
		if c.want == 0 {
			require.ErrorIs(t, err, auth.ErrJWKS, name)
		}
	}
}

func TestRemoteKeysConfigFaults(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "http://id.example/jwks", "ftp://x", "https://", ":"} {
		_, err := auth.NewRemoteKeys(auth.RemoteKeysConfig{URL: u, Timeout: -1})
		require.ErrorContains(t, err, "URL")
		require.ErrorContains(t, err, "Timeout")
	}
	_, err := auth.NewRemoteKeys(auth.RemoteKeysConfig{URL: "http://127.0.0.1/jwks", DangerouslyAllowHTTP: true})
	require.NoError(t, err)
}

func FuzzParseJWKS(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","kid":"e","x":"","y":null}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := auth.ParseJWKS(text)
		if (len(keys) == 0) != (err != nil) {
			t.Fatal("keys and an error exclude each other")
		}
		for _, k := range keys {
			if k.CanSign() || k.Kid() == "" {
				t.Fatalf("%v", k)
			}
		}
	})
}
