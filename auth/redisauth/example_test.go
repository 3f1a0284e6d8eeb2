package redisauth_test

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/redisauth"
)

// The example needs a Redis server, so it is compiled but not run.
func Example() {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379"})
	defer func() { _ = client.Close() }()
	store, err := redisauth.New(redisauth.Config{Client: client})
	check(err)
	denylist, err := redisauth.NewDenylist(redisauth.Config{Client: client})
	check(err)
	key, err := auth.NewHMACKey("2026-03", []byte("32 bytes from a secret manager!!"))
	check(err)
	keys, err := auth.NewKeySet(auth.KeySetConfig{Active: key})
	check(err)
	refreshKeys, err := auth.NewRefreshKeys([]byte("32 more bytes, and random ones!!"))
	check(err)
	svc, err := auth.New(auth.Config{
		Issuer: "https://api.example.com", Audience: []string{"api"}, Keys: keys, RefreshKeys: refreshKeys,
		Store: store, Denylist: denylist,
	})
	check(err)
	tokens, err := svc.Login(context.Background(), auth.Login{Subject: "user-1"})
	check(err)
	fmt.Println(tokens.Session.Subject)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
