package groundwork_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/middleware"
)

var errNoNotes = errors.New("no notes")

// A handler that returns errors, behind request ids, panic recovery, security headers and sign-in.
func Example() {
	secret := make([]byte, 32)
	rand.Read(secret) // keep it; every replica needs the same
	key, _ := auth.NewHMACKey("2026-11", secret)
	keys, _ := auth.NewKeySet(auth.KeySetConfig{Active: key})
	refreshKeys, _ := auth.NewRefreshKeys(secret)
	sessions, err := auth.New(auth.Config{
		Issuer: "https://api.example.com", Audience: []string{"https://api.example.com"},
		Keys: keys, RefreshKeys: refreshKeys, Store: auth.NewMemoryStore(),
	})
	if err != nil {
		panic(err)
	}
	faults := middleware.ErrorMap{Rules: []middleware.ErrorRule{
		{Is: errNoNotes, Problem: &middleware.Problem{Status: 404, Code: "no_notes"}},
	}}
	notes := faults.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return errNoNotes
	})
	handler := middleware.Chain(
		middleware.Must(middleware.RequestID(middleware.RequestIDConfig{})),
		middleware.Recover(middleware.RecoverConfig{}),
		middleware.Must(middleware.Headers(middleware.APIHeaders())),
		sessions.Verifier().Require,
	)(notes)

	tokens, _ := sessions.Login(context.Background(), auth.Login{Subject: "ann"})
	for _, token := range []string{"", tokens.Access} {
		request := httptest.NewRequest("GET", "/notes", nil)
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		fmt.Println(answer.Code, answer.Header().Get("Content-Type"), answer.Header().Get("X-Content-Type-Options"))
	}
	// Output:
	// 401 application/problem+json nosniff
	// 404 application/problem+json nosniff
}
