package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/groundwork-go/groundwork/auth"
)

// exampleService is what a program builds at start-up.
func exampleService(now func() time.Time) *auth.Service {
	key, err := auth.NewHMACKey("2026-03", []byte("32 bytes from a secret manager!!"))
	check(err)
	keys, err := auth.NewKeySet(auth.KeySetConfig{Active: key, Now: now})
	check(err)
	refreshKeys, err := auth.NewRefreshKeys([]byte("32 more bytes, and random ones!!"))
	check(err)
	denylist, err := auth.NewMemoryDenylist(auth.MemoryDenylistConfig{Now: now})
	check(err)
	svc, err := auth.New(auth.Config{
		Issuer: "https://api.example.com", Audience: []string{"api"}, Keys: keys, RefreshKeys: refreshKeys,
		Store: auth.NewMemoryStore(), Denylist: denylist, Now: now,
	})
	check(err)
	return svc
}

// exampleServiceWith is the same with some fields changed.
func exampleServiceWith(cfg auth.Config) *auth.Service {
	key, err := auth.NewHMACKey("2026-03", []byte("32 bytes from a secret manager!!"))
	check(err)
	if cfg.Keys == nil {
		cfg.Keys, err = auth.NewKeySet(auth.KeySetConfig{Active: key})
		check(err)
	}
	cfg.RefreshKeys, err = auth.NewRefreshKeys([]byte("32 more bytes, and random ones!!"))
	check(err)
	if cfg.Store == nil {
		cfg.Store = auth.NewMemoryStore()
	}
	cfg.Issuer, cfg.Audience = "https://api.example.com", []string{"api"}
	svc, err := auth.New(cfg)
	check(err)
	return svc
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func Example() {
	ctx := context.Background()
	svc := exampleService(time.Now)

	tokens, err := svc.Login(ctx, auth.Login{Subject: "user-1"}) // after the password was right
	check(err)
	tokens, err = svc.Refresh(ctx, tokens.Refresh)
	check(err)

	me := svc.Verifier().Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := auth.PrincipalFrom(r.Context())
		fmt.Fprint(w, p.Subject)
	}))
	r := httptest.NewRequest(http.MethodGet, "/me", nil)
	r.Header.Set("Authorization", "Bearer "+tokens.Access)
	w := httptest.NewRecorder()
	me.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)

	check(svc.Logout(ctx, tokens.Refresh))
	w = httptest.NewRecorder()
	me.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// 200 user-1
	// 401
}

// A password change ends every other session of the user.
func ExampleService_LogoutAll() {
	ctx := context.Background()
	svc := exampleService(time.Now)
	here, err := svc.Login(ctx, auth.Login{Subject: "user-1"})
	check(err)
	elsewhere, err := svc.Login(ctx, auth.Login{Subject: "user-1"})
	check(err)

	n, err := svc.LogoutAll(ctx, "user-1", here.Session.ID)
	check(err)
	_, err = svc.Verifier().Verify(ctx, elsewhere.Access)
	fmt.Println(n, errors.Is(err, auth.ErrRevoked))
	// Output: 1 true
}

// Deny-lists take ids, never the text of a token. A list of texts does not work: one token has
// several spellings for lenient readers, and the next refresh makes another text anyway.
func ExampleDenylist_incorrect() {
	ctx := context.Background()
	svc := exampleService(time.Now)
	denylist, err := auth.NewMemoryDenylist(auth.MemoryDenylistConfig{})
	check(err)
	tokens, err := svc.Login(ctx, auth.Login{Subject: "user-1"})
	check(err)

	check(denylist.Deny(ctx, tokens.AccessExpires, tokens.Access)) // wrong: no verifier asks for it
	_, err = svc.Verifier().Verify(ctx, tokens.Access)
	fmt.Println("denied by text:", err)
	check(svc.RevokeSession(ctx, "user-1", tokens.Session.ID)) // right
	_, err = svc.Verifier().Verify(ctx, tokens.Access)
	fmt.Println("revoked session:", err)
	// Output:
	// denied by text: <nil>
	// revoked session: auth: session revoked
}

// An application with bodies of its own: here the client asks for the cookie's successor with a form.
func ExampleHandlers_Renew() {
	cookie, err := auth.NewCookie(auth.CookieConfig{})
	check(err)
	handlers, err := auth.NewHandlers(auth.HandlersConfig{Service: exampleService(time.Now), Cookie: cookie})
	check(err)
	begin := httptest.NewRecorder()
	_, err = handlers.Begin(begin, httptest.NewRequest(http.MethodPost, "/login", nil),
		auth.Login{Subject: "user-1"}, auth.Delivery{Cookie: true, Session: true})
	check(err)

	r := httptest.NewRequest(http.MethodPost, "/refresh", nil)
	r.AddCookie(begin.Result().Cookies()[0])
	renew := httptest.NewRecorder()
	tokens, err := handlers.Renew(renew, r, r.PostFormValue("refresh_token"))
	check(err)
	next := renew.Result().Cookies()[0]
	fmt.Println(tokens.Access != "", tokens.Refresh == "", next.Name, next.MaxAge)
	// Output: true true __Host-rt 0
}

func ExampleKeySet() {
	now := time.Now()
	clock := func() time.Time { return now }
	old, err := auth.NewHMACKey("2026-03", []byte("32 bytes from a secret manager!!"))
	check(err)
	next, err := auth.NewHMACKey("2026-04", []byte("32 other bytes, as random as can"))
	check(err)
	keys, err := auth.NewKeySet(auth.KeySetConfig{Active: old, Now: clock})
	check(err)

	check(keys.Publish(next)) // readers learn it within MaxAge
	now = now.Add(5 * time.Minute)
	check(keys.Activate("2026-04"))
	check(keys.Retire("2026-03", now.Add(16*time.Minute))) // when its last token has expired
	fmt.Println(keys.Active())
	// Output: auth.Key(2026-04 HS256)
}
