package password_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"

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

// A hash of an older system is accepted, and the right password is the occasion to replace it.
func ExampleHasher_Verify_bcrypt() {
	ctx := context.Background()
	hasher, err := password.New(password.Config{})
	if err != nil {
		panic(err)
	}
	imported, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost) // by the older system
	if err != nil {
		panic(err)
	}
	rehash, err := hasher.Verify(ctx, string(imported), "correct horse")
	fmt.Println("rehash:", rehash, err)
	better, err := hasher.Hash(ctx, "correct horse")
	if err != nil {
		panic(err)
	}
	rehash, err = hasher.Verify(ctx, better, "correct horse")
	fmt.Println("rehash:", rehash, err)
	// Output:
	// rehash: true <nil>
	// rehash: false <nil>
}

func ExamplePolicy() {
	ctx := context.Background()
	list, err := password.ReadBlocklist(strings.NewReader("password\nletmein123\n")) // one of the public lists
	if err != nil {
		panic(err)
	}
	policy, err := password.NewPolicy(password.PolicyConfig{RequireDigit: true, Blocked: list.Blocked})
	if err != nil {
		panic(err)
	}
	for _, typed := range []string{"short", "LetMeIn123", "ann.smith 2026", "correct horse 7"} {
		err := policy.Check(ctx, typed, "Ann", "Smith")
		var broken *password.PolicyError
		if errors.As(err, &broken) {
			fmt.Println(broken.Violations)
		} else {
			fmt.Println(err)
		}
	}
	// Output:
	// [password_too_short password_needs_digit]
	// [password_common]
	// [password_personal]
	// <nil>
}
