package auth_test

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
)

func FuzzVerify(f *testing.F) {
	v := newVerifier(f, newClock(), nil)
	good := goodToken()
	f.Add(good)
	f.Add(forge("k1", `{"typ":"at+jwt","kid":"k1","alg":"HS256"}`, claims(nil)))
	f.Add(forge("k2", `{"alg":"none","kid":"k1","typ":"at+jwt"}`, "{}"))
	f.Add("a.b.c")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		p, err := v.Verify(context.Background(), token)
		if (p == nil) == (err == nil) {
			t.Fatal("a principal and an error exclude each other")
		}
		if err == nil && token != good {
			// Only what carries a good MAC passes, so it must be one of the signed seeds.
			if token != forge("k1", `{"typ":"at+jwt","kid":"k1","alg":"HS256"}`, claims(nil)) {
				t.Fatalf("accepted %q", token)
			}
		}
	})
}

func FuzzVerifyPayload(f *testing.F) {
	v := newVerifier(f, newClock(), nil)
	f.Add(claims(nil))
	f.Add(`{"a":[1,2.5e-3,"\u00e9\ud83d\ude00",null,true,{"b":{}}]}`)
	f.Fuzz(func(t *testing.T, payload string) {
		if p, err := v.Verify(context.Background(), forge("k1", goodHeader, payload)); err == nil {
			// What passes our strict reader must mean the same to encoding/json.
			other, err := auth.ClaimsAs[map[string]any](p)
			if err != nil || other["sub"] != p.Subject || other["exp"] != float64(p.ExpiresAt.Unix()) {
				t.Fatalf("%q: %v, read as %v, %+v", payload, err, other, p)
			}
		}
	})
}

// FuzzVerifyHeader signs any header, so that only the reader of headers decides.
func FuzzVerifyHeader(f *testing.F) {
	v := newVerifier(f, newClock(), nil)
	f.Add(goodHeader)
	f.Add(`{"typ":"application/AT+JWT","kid":"k1","\u0061lg":"HS256"}`)
	f.Add(`{"alg":"HS256","kid":"k1","typ":"at+jwt","crit":[]}`)
	f.Fuzz(func(t *testing.T, header string) {
		if _, err := v.Verify(context.Background(), forge("k1", header, claims(nil))); err == nil {
			var other map[string]string
			if err := json.Unmarshal([]byte(header), &other); err != nil {
				t.Fatalf("%q: %v", header, err)
			}
			typ := strings.TrimPrefix(strings.ToLower(other["typ"]), "application/")
			if len(other) != 3 || other["alg"] != "HS256" || other["kid"] != "k1" || typ != "at+jwt" {
				t.Fatalf("accepted %q", header)
			}
		}
	})
}

func FuzzRefresh(f *testing.F) {
	b := newBench(f, nil)
	good := b.login(f).Refresh
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(good + "=")
	f.Add("rt_" + strings.Repeat("A", len(good)-3))
	f.Add("rt_")
	f.Fuzz(func(t *testing.T, token string) {
		before := b.store.called()
		_, err := b.Refresh(context.Background(), token)
		reached := b.store.called() != before
		if reached != genuine(t, token) || (!reached && !errors.Is(err, auth.ErrRefreshInvalid)) {
			t.Fatalf("%q: store reached: %v, %v", token, reached, err)
		}
	})
}

// genuine computes the tag of a refresh token the plain way. Other processes of a fuzzing run have the
// same keys and other sessions, so not only this one's tokens are.
func genuine(t *testing.T, token string) bool {
	t.Helper()
	text, ok := strings.CutPrefix(token, "rt_")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(raw) != 85 || strings.ContainsAny(text, "\r\n") {
		return false
	}
	derive := func(label string, size int) []byte {
		key, err := hkdf.Key(sha256.New, secretOf("r1"), nil, "groundwork auth refresh "+label+" v1", size)
		require.NoError(t, err)
		return key
	}
	mac := hmac.New(sha256.New, derive("mac", 32))
	mac.Write(raw[:53])
	return raw[0] == derive("ring", 1)[0] && hmac.Equal(mac.Sum(nil), raw[53:])
}

func FuzzAuthorizationHeader(f *testing.F) {
	v := newVerifier(f, newClock(), nil)
	good := goodToken()
	f.Add("Bearer " + good)
	f.Add("bEARER " + good)
	f.Add("Bearer  " + good)
	f.Add("Bearer " + good + ", Bearer x")
	f.Add("Basic dXNlcjpwdw==")
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{value}
		want := 401
		if len(value) == len("Bearer ")+len(good) && strings.EqualFold(value[:7], "Bearer ") && value[7:] == good {
			want = 200
		}
		for _, h := range []http.Handler{v.Require(http.HandlerFunc(whoami)), v.Optional(http.HandlerFunc(whoami))} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want {
				t.Fatalf("%q: %d, want %d", value, w.Code, want)
			}
		}
	})
}

func FuzzCookieHeader(f *testing.F) {
	cookie, err := auth.NewCookie(auth.CookieConfig{})
	require.NoError(f, err)
	f.Add("__Host-rt=rt_abc")
	f.Add(`a=b; __Host-rt="rt_abc"; c`)
	f.Add("__Host-rt=a; __Host-rt=b")
	f.Add("__host-rt=a;;=;__Host-rt")
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header["Cookie"] = []string{header}
		token, err := cookie.Read(r)
		switch {
		case err == nil && (!strings.Contains(header, "__Host-rt") || !strings.Contains(header, token)):
			t.Fatalf("%q gave %q", header, token)
		case err != nil && token != "":
			t.Fatalf("%q gave %q and %v", header, token, err)
		}
	})
}

func FuzzRefreshBody(f *testing.F) {
	b := newBench(f, nil)
	h, err := auth.NewHandlers(auth.HandlersConfig{Service: b.Service})
	require.NoError(f, err)
	good := b.login(f).Refresh
	f.Add(`{"refresh_token":"` + good + `"}`)
	f.Add(`{"refresh_token":"` + good + `","refresh_token":"x"}`)
	f.Add(`{"Refresh_token":"` + good + `"}`)
	f.Add(`{}`)
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.Refresh().ServeHTTP(w, r)
		switch w.Code {
		case 200, 409: // a genuine token: rotated, replayed, then superseded
			var other map[string]string
			if err := json.Unmarshal([]byte(body), &other); err != nil || len(other) != 1 || !genuine(t, other["refresh_token"]) {
				t.Fatalf("%q: %d", body, w.Code)
			}
		case 400, 401, 413:
		default:
			t.Fatalf("%q: %d", body, w.Code)
		}
	})
}
