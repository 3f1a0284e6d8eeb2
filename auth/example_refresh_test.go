package auth_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/auth"
)

// Two tabs refresh at once, or the answer to the first request is lost: both get the same token.
func ExampleService_Refresh() {
	ctx := context.Background()
	now := time.Now()
	svc := exampleService(func() time.Time { return now })
	first, err := svc.Login(ctx, auth.Login{Subject: "user-1"})
	check(err)

	tab1, err := svc.Refresh(ctx, first.Refresh)
	check(err)
	tab2, err := svc.Refresh(ctx, first.Refresh)
	check(err)
	fmt.Println("same successor:", tab1.Refresh == tab2.Refresh)

	now = now.Add(time.Minute) // a thief comes with the old token
	_, err = svc.Refresh(ctx, first.Refresh)
	fmt.Println("reused:", errors.Is(err, auth.ErrReused))
	_, err = svc.Refresh(ctx, tab1.Refresh)
	fmt.Println("session over:", errors.Is(err, auth.ErrRevoked))
	// Output:
	// same successor: true
	// reused: true
	// session over: true
}

// What to do with each outcome of a refresh. A store that does not answer says nothing about the
// token, and whoever lost a race has lost nothing.
func ExampleService_Refresh_outcomes() {
	ctx := context.Background()
	store := &failingStore{Store: auth.NewMemoryStore()}
	svc := exampleServiceWith(auth.Config{Store: store, OnRace: auth.RaceReject})
	refresh := func(token string) {
		_, err := svc.Refresh(ctx, token)
		switch {
		case err == nil:
			fmt.Println("ok: keep the new tokens")
		case errors.Is(err, auth.ErrSuperseded):
			fmt.Println("lost a race: keep what the winner got")
		case errors.Is(err, auth.ErrUnavailable):
			fmt.Println("outage: try again with the same token")
		case errors.Is(err, auth.ErrReused):
			fmt.Println("theft: sign in again, warn the user")
		case errors.Is(err, auth.ErrRefreshInvalid):
			fmt.Println("over: sign in again")
		}
	}
	first, err := svc.Login(ctx, auth.Login{Subject: "user-1"})
	check(err)
	store.down = true
	refresh(first.Refresh)
	store.down = false
	refresh(first.Refresh)
	refresh(first.Refresh)
	check(svc.Logout(ctx, first.Refresh))
	refresh(first.Refresh)
	// Output:
	// outage: try again with the same token
	// ok: keep the new tokens
	// lost a race: keep what the winner got
	// over: sign in again
}

// failingStore is a database that is sometimes down.
type failingStore struct {
	auth.Store
	down bool
}

func (s *failingStore) Rotate(ctx context.Context, r auth.RotateRequest) (auth.RotateResult, error) {
	if s.down {
		return auth.RotateResult{}, errors.New("connection refused")
	}
	return s.Store.Rotate(ctx, r)
}
