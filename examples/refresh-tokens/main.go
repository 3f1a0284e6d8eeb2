// Refresh-tokens shows what happens when twenty requests present one refresh token at once, as the
// tabs of a browser and the retries of an app do: under each race policy, with the token in the body
// and in a cookie. Then a thief comes with a copy. It starts its own server:
//
//	go run ./examples/refresh-tokens
package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"

	"github.com/groundwork-go/groundwork/auth"
)

const (
	racers     = 20
	cookieName = "__Host-rt" // the default of auth.CookieConfig
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "refresh-tokens:", err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	for _, policy := range []auth.RacePolicy{auth.RaceReplay, auth.RaceReject, auth.RaceStrict} {
		handler, err := newHandler(policy)
		if err != nil {
			return err
		}
		server := httptest.NewUnstartedServer(handler)
		server.EnableHTTP2 = true // so the racers share one connection, like tabs
		server.StartTLS()         // browsers take the cookie over HTTPS only
		for _, transport := range []string{"bearer", "cookie"} {
			err = errors.Join(err, race(out, policy, client{server, transport}))
		}
		server.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// newHandler serves /login and /refresh. A real program checks a password before Begin, and keeps
// its secrets and sessions where they outlive the process.
func newHandler(policy auth.RacePolicy) (http.Handler, error) {
	secret := make([]byte, 64)
	_, _ = rand.Read(secret) // never fails
	key, err1 := auth.NewHMACKey("key-1", secret[:32])
	refreshKeys, err2 := auth.NewRefreshKeys(secret[32:])
	keys, err3 := auth.NewKeySet(auth.KeySetConfig{Active: key})
	service, err4 := auth.New(auth.Config{
		Issuer: "https://api.example.com", Audience: []string{"api"}, Keys: keys, RefreshKeys: refreshKeys,
		Store: auth.NewMemoryStore(), OnRace: policy, MaxReplays: racers,
	})
	cookie, err5 := auth.NewCookie(auth.CookieConfig{})
	handlers, err6 := auth.NewHandlers(auth.HandlersConfig{Service: service, Cookie: cookie})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login/{transport}", func(w http.ResponseWriter, r *http.Request) {
		delivery := auth.Delivery{Cookie: r.PathValue("transport") == "cookie"}
		tokens, err := handlers.Begin(w, r, auth.Login{Subject: "user-1", Methods: []string{"pwd"}}, delivery)
		if err != nil {
			auth.WriteError(w, r, err)
			return
		}
		auth.WriteTokens(w, tokens)
	})
	mux.Handle("POST /refresh", handlers.Refresh())
	return mux, errors.Join(err1, err2, err3, err4, err5, err6)
}

// race lets the racers go with one token and prints what they got. Then the owner goes on with the
// successor, a thief comes with the first token, and the owner comes back.
func race(out io.Writer, policy auth.RacePolicy, c client) error {
	login := c.post("/login/"+c.transport, "")
	answers := make(chan answer)
	for range racers {
		go func() { answers <- c.post("/refresh", login.Refresh) }()
	}
	codes, successor, different := map[string]int{}, "", map[string]bool{}
	err := login.err
	for range racers {
		got := <-answers
		err = errors.Join(err, got.err)
		codes[got.Code]++
		if got.Refresh != "" {
			successor, different[got.Refresh] = got.Refresh, true
		}
	}
	fmt.Fprintf(out, "%v, %s: %d racers", policy, c.transport, racers)
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		fmt.Fprintf(out, ", %d %s", codes[code], code)
	}
	owner := c.post("/refresh", successor)
	thief := c.post("/refresh", login.Refresh)
	back := c.post("/refresh", cmp.Or(owner.Refresh, successor))
	fmt.Fprintf(out, "; %d successor\n  owner %s, thief %s, owner %s\n", len(different), owner.Code, thief.Code, back.Code)
	return errors.Join(err, owner.err, thief.err, back.err)
}

type client struct {
	server    *httptest.Server
	transport string // "bearer": the refresh token travels in the body; or "cookie"
}

type answer struct {
	Code    string `json:"code"` // "ok" for 200
	Refresh string `json:"refresh_token"`
	err     error
}

func (c client) post(path, refresh string) answer {
	body := []byte("{}")
	if refresh != "" && c.transport == "bearer" {
		body, _ = json.Marshal(map[string]string{"refresh_token": refresh}) // a string always encodes
	}
	request, err := http.NewRequest(http.MethodPost, c.server.URL+path, bytes.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	request.Header.Set("Content-Type", "application/json")
	if refresh != "" && c.transport == "cookie" {
		request.AddCookie(&http.Cookie{Name: cookieName, Value: refresh})
	}
	response, err := c.server.Client().Do(request)
	if err != nil {
		return answer{err: err}
	}
	a := answer{Code: "ok"}
	a.err = errors.Join(json.NewDecoder(response.Body).Decode(&a), response.Body.Close())
	for _, cookie := range response.Cookies() {
		a.Refresh = cookie.Value // empty when the server removes it
	}
	return a
}
