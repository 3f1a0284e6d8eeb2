package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/groundwork-go/groundwork/auth"
)

// jwtClaims has the members of our access tokens.
type jwtClaims struct {
	jwt.RegisteredClaims
	SessionID string   `json:"sid"`
	ClientID  string   `json:"client_id"`
	Tenant    string   `json:"tid"`
	AuthTime  int64    `json:"auth_time"`
	Methods   []string `json:"amr"`
	Roles     []string `json:"roles"`
}

func authGroups() []group {
	const issuer = "https://api.example.com"
	ctx := context.Background()
	secret := []byte(strings.Repeat("0123456789abcdef", 4))
	keys := must(auth.NewKeySet(auth.KeySetConfig{Active: must(auth.NewHMACKey("2026-11", secret))}))
	denylist := must(auth.NewMemoryDenylist(auth.MemoryDenylistConfig{}))
	service := must(auth.New(auth.Config{
		Issuer: issuer, Audience: []string{issuer}, Keys: keys, RefreshKeys: must(auth.NewRefreshKeys(secret)),
		Store: auth.NewMemoryStore(), Denylist: denylist, AccessTTL: 24 * time.Hour,
		Claims: func(context.Context, auth.Session) (auth.Claims, error) {
			return auth.Claims{Tenant: "company-1", Roles: []string{"user", "company_owner"}}, nil
		},
	}))
	plain := must(auth.NewVerifier(auth.VerifierConfig{
		Issuer: issuer, Audience: []string{issuer}, Keys: keys, MaxLifetime: 24 * time.Hour,
	}))
	token := must(service.Login(ctx, auth.Login{Subject: "user-1", ClientID: "groundwork", Methods: []string{"pwd"}})).Access
	forged := token[:len(token)-4] + "AAAA"

	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(issuer), jwt.WithAudience(issuer), jwt.WithExpirationRequired())
	key := func(*jwt.Token) (any, error) { return secret, nil }
	parse := func(text string) error {
		_, err := parser.ParseWithClaims(text, &jwtClaims{}, key)
		return err
	}
	if err := parse(token); err != nil {
		panic(err)
	}
	request := must(http.NewRequest(http.MethodGet, "/", nil))
	request.Header.Set("Authorization", "Bearer "+token)
	handler := service.Verifier().Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w := discard{http.Header{}}
	return []group{{
		name:  "auth: verify an access token, HS256, 13 claims",
		about: "Floor: golang-jwt v5.3.1 ParseWithClaims with a reused parser that checks method, iss, aud and exp.",
		contestants: []contestant{
			{name: "golang-jwt", run: func() { _ = parse(token) }},
			{name: "auth.Verifier", run: func() { must(plain.Verify(ctx, token)) }, bar: 0.65, allocs: 28},
			{name: "auth.Verifier.Require with deny-list", run: func() { handler.ServeHTTP(w, request) }, bar: 0.70, allocs: 30},
			{name: "golang-jwt, forged", run: func() { _ = parse(forged) }},
			{name: "auth.Verifier, forged", run: func() { _, _ = plain.Verify(ctx, forged) }, bar: 0.10, allocs: 3},
		},
	}}
}

// discard is a response writer that keeps nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
