package password_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/groundwork-go/groundwork/auth/password"
)

func ExampleHasher() {
	ctx := context.Background()
	hasher, err := password.New(password.Config{})
	if err != nil {
		panic(err)
	}
	hash, err := hasher.Hash(ctx, "correct horse battery staple")
	if err != nil {
		panic(err)
	}
	_, err = hasher.Verify(ctx, hash, "correct horse battery staple")
	fmt.Println("right:", err)
	_, err = hasher.Verify(ctx, hash, "Tr0ub4dor&3")
	fmt.Println("wrong:", err)
	// Output:
	// right: <nil>
	// wrong: password: mismatch
}

func ExampleAuthenticator() {
	ctx := context.Background()
	hasher, err := password.New(password.Config{})
	if err != nil {
		panic(err)
	}
	hash, err := hasher.Hash(ctx, "correct horse")
	if err != nil {
		panic(err)
	}
	login, err := password.NewAuthenticator(password.AuthenticatorConfig{
		Hasher: hasher,
		Lookup: func(_ context.Context, name string) (password.Account, error) {
			if name != "ann@example.com" {
				return password.Account{}, password.ErrNoAccount
			}
			return password.Account{ID: "42", Hash: hash}, nil
		},
	})
	if err != nil {
		panic(err)
	}
	account, err := login.Authenticate(ctx, "ann@example.com", "correct horse")
	fmt.Println(account.ID, err)
	_, wrong := login.Authenticate(ctx, "ann@example.com", "battery staple")
	_, unknown := login.Authenticate(ctx, "bob@example.com", "correct horse")
	fmt.Println(wrong, errors.Is(unknown, wrong))
	// Output:
	// 42 <nil>
	// password: invalid credentials true
}
