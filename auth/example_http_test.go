package auth_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"time"

	"github.com/groundwork-go/groundwork/auth"
)

// A browser keeps its refresh token in a cookie that no script can read. Only the access token is
// in the answers.
func ExampleHandlers() {
	svc := exampleService(time.Now)
	cookie, err := auth.NewCookie(auth.CookieConfig{})
	check(err)
	h, err := auth.NewHandlers(auth.HandlersConfig{Service: svc, Cookie: cookie})
	check(err)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		// Here the password is checked, for instance by auth/password.
		tokens, err := h.Begin(w, r, auth.Login{Subject: "user-1"}, auth.Delivery{Cookie: true})
		if err != nil {
			auth.WriteError(w, r, err)
			return
		}
		auth.WriteTokens(w, tokens)
	})
	mux.Handle("/refresh", h.Refresh())
	mux.Handle("/logout", h.Logout())
	server := httptest.NewTLSServer(mux)
	defer server.Close()

	browser := server.Client()
	browser.Jar, err = cookiejar.New(nil)
	check(err)
	for _, path := range []string{"/login", "/refresh", "/logout", "/refresh"} {
		res, err := browser.Post(server.URL+path, "", nil)
		check(err)
		var body struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
		}
		if res.StatusCode == http.StatusOK {
			check(json.NewDecoder(res.Body).Decode(&body))
		}
		check(res.Body.Close())
		fmt.Println(path, res.StatusCode, "access token:", body.Access != "", "refresh token:", body.Refresh != "")
		for _, c := range res.Cookies() {
			fmt.Println("  cookie", c.Name, "HttpOnly:", c.HttpOnly, "Secure:", c.Secure, "removed:", c.MaxAge < 0)
		}
	}
	// Output:
	// /login 200 access token: true refresh token: false
	//   cookie __Host-rt HttpOnly: true Secure: true removed: false
	// /refresh 200 access token: true refresh token: false
	//   cookie __Host-rt HttpOnly: true Secure: true removed: false
	// /logout 204 access token: false refresh token: false
	//   cookie __Host-rt HttpOnly: true Secure: true removed: true
	// /refresh 401 access token: false refresh token: false
}

// Another service verifies the tokens with the issuer's public keys. It has no store and no secret.
func ExampleVerifier() {
	ctx := context.Background()
	_, private, err := ed25519.GenerateKey(nil)
	check(err)
	key, err := auth.NewEd25519Key("2026-03", private)
	check(err)
	keys, err := auth.NewKeySet(auth.KeySetConfig{Active: key})
	check(err)
	issuer := httptest.NewTLSServer(keys.JWKSHandler())
	defer issuer.Close()
	tokens, err := exampleServiceWith(auth.Config{Keys: keys}).Login(ctx, auth.Login{Subject: "user-1"})
	check(err)

	remote, err := auth.NewRemoteKeys(auth.RemoteKeysConfig{URL: issuer.URL, Client: issuer.Client()})
	check(err)
	check(remote.Fetch(ctx)) // finds mistakes at start-up
	verifier, err := auth.NewVerifier(auth.VerifierConfig{
		Issuer: "https://api.example.com", Audience: []string{"api"}, Keys: remote,
	})
	check(err)
	p, err := verifier.Verify(ctx, tokens.Access)
	check(err)
	fmt.Println(p.Subject, p.KeyID)
	_, err = verifier.Verify(ctx, tokens.Access[:len(tokens.Access)-1])
	fmt.Println(err)
	// Output:
	// user-1 2026-03
	// auth: invalid access token
}
