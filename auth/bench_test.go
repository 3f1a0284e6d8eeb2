package auth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/groundwork-go/groundwork/auth"
)

func BenchmarkVerify(b *testing.B) {
	v := newVerifier(b, newClock(), nil)
	good := goodToken()
	for name, token := range map[string]string{"Good": good, "Forged": good[:len(good)-4] + "AAAA"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = v.Verify(context.Background(), token)
			}
		})
	}
}

// BenchmarkGolangJWT is the floor that BenchmarkVerify is measured against.
func BenchmarkGolangJWT(b *testing.B) {
	type set struct {
		jwt.RegisteredClaims
		SID      string `json:"sid"`
		ClientID string `json:"client_id"`
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer("https://id.example"),
		jwt.WithAudience("api"), jwt.WithExpirationRequired(), jwt.WithTimeFunc(newClock().Now))
	token, secret := goodToken(), secretOf("k1")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parser.ParseWithClaims(token, &set{}, func(*jwt.Token) (any, error) { return secret, nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRequire(b *testing.B) {
	c := newClock()
	list, err := auth.NewMemoryDenylist(auth.MemoryDenylistConfig{Now: c.Now})
	if err != nil {
		b.Fatal(err)
	}
	v := newVerifier(b, c, func(cfg *auth.VerifierConfig) { cfg.Denylist = list })
	h := v.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+goodToken())
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(nil, r)
	}
}

func BenchmarkRefresh(b *testing.B) {
	bench := newBench(b, func(cfg *auth.Config) { cfg.OnEvent = nil })
	tokens := bench.login(b)
	b.ReportAllocs()
	for b.Loop() {
		tokens = bench.refresh(b, tokens)
	}
}

func BenchmarkRefreshForged(b *testing.B) {
	bench := newBench(b, nil)
	forged := []byte(bench.login(b).Refresh)
	forged[40] ^= 1
	b.ReportAllocs()
	for b.Loop() {
		_, _ = bench.Refresh(context.Background(), string(forged))
	}
}
