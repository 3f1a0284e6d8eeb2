package password_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/groundwork-go/groundwork/auth/password"
)

var errDisabled = errors.New("account disabled")

// accounts is a user table with an Authenticator on it.
type accounts struct {
	*password.Authenticator
	hasher   *password.Hasher
	byName   map[string]password.Account
	rehashed map[string]string
}

func newAccounts(t *testing.T, change func(*password.AuthenticatorConfig)) *accounts {
	t.Helper()
	a := &accounts{
		hasher: newHasher(t, password.Config{}), byName: map[string]password.Account{}, rehashed: map[string]string{},
	}
	cfg := password.AuthenticatorConfig{
		Hasher: a.hasher,
		Lookup: func(_ context.Context, name string) (password.Account, error) {
			account, ok := a.byName[name]
			if !ok {
				return password.Account{}, password.ErrNoAccount
			}
			return account, nil
		},
		Rehash: func(_ context.Context, id, _, hash string) error {
			a.rehashed[id] = hash
			return nil
		},
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	a.Authenticator, err = password.NewAuthenticator(cfg)
	require.NoError(t, err)
	a.byName["ann"] = password.Account{ID: "1", Hash: mustHash(t, a.hasher, "right")}
	a.byName["bob"] = password.Account{ID: "2", Hash: mustHash(t, a.hasher, "right"), Refuse: errDisabled}
	a.byName["social"] = password.Account{ID: "3"}
	return a
}

func TestUnknownAccountLooksLikeWrongPassword(t *testing.T) {
	t.Parallel()
	a := newAccounts(t, nil)
	for _, c := range []struct {
		name, password string
		want           error
	}{
		{"ann", "right", nil},
		{"ann", "wrong", password.ErrCredentials},
		{"nobody", "right", password.ErrCredentials},
		{"social", "right", password.ErrCredentials},
		{"social", "", password.ErrCredentials},
		{"bob", "wrong", password.ErrCredentials},
		{"bob", "right", errDisabled},
	} {
		before := a.hasher.Stats().Hashes
		account, err := a.Authenticate(t.Context(), c.name, c.password)
		require.Equal(t, c.want, err, "%s %s: the very same error value", c.name, c.password)
		require.Equal(t, before+1, a.hasher.Stats().Hashes, "%s %s: the same work", c.name, c.password)
		if c.want != nil {
			require.Zero(t, account)
		} else {
			require.Equal(t, "1", account.ID)
		}
	}
}

func TestRightPasswordUpgradesTheHash(t *testing.T) {
	t.Parallel()
	a := newAccounts(t, nil)
	old, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	require.NoError(t, err)
	a.byName["old"] = password.Account{ID: "9", Hash: string(old)}

	_, err = a.Authenticate(t.Context(), "old", "wrong")
	require.ErrorIs(t, err, password.ErrCredentials)
	require.Empty(t, a.rehashed)
	_, err = a.Authenticate(t.Context(), "old", "right")
	require.NoError(t, err)
	rehash, err := a.hasher.Verify(t.Context(), a.rehashed["9"], "right")
	require.NoError(t, err)
	require.False(t, rehash)
	_, err = a.Authenticate(t.Context(), "ann", "right")
	require.NoError(t, err)
	require.Len(t, a.rehashed, 1, "a good hash stays")
}

func TestRehashFailureDoesNotStopTheLogin(t *testing.T) {
	t.Parallel()
	boom := errors.New("disk full")
	var told error
	a := newAccounts(t, func(cfg *password.AuthenticatorConfig) {
		cfg.Rehash = func(context.Context, string, string, string) error { return boom }
		cfg.OnRehashError = func(_ context.Context, err error) { told = err }
	})
	old, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	require.NoError(t, err)
	a.byName["old"] = password.Account{ID: "9", Hash: string(old)}
	_, err = a.Authenticate(t.Context(), "old", "right")
	require.NoError(t, err)
	require.ErrorIs(t, told, boom)
}

func TestLimitedCallerLearnsNothing(t *testing.T) {
	t.Parallel()
	limited := errors.New("slow down")
	a := newAccounts(t, func(cfg *password.AuthenticatorConfig) {
		cfg.Allow = func(context.Context, string) error { return limited }
	})
	before := a.hasher.Stats().Hashes
	for _, pw := range []string{"right", "wrong"} {
		_, err := a.Authenticate(t.Context(), "ann", pw)
		require.Equal(t, limited, err)
	}
	require.Equal(t, before, a.hasher.Stats().Hashes)
}

func TestLookupFailureIsNotACredentialError(t *testing.T) {
	t.Parallel()
	down := errors.New("database down")
	a := newAccounts(t, func(cfg *password.AuthenticatorConfig) {
		cfg.Lookup = func(context.Context, string) (password.Account, error) { return password.Account{}, down }
	})
	_, err := a.Authenticate(t.Context(), "ann", "right")
	require.ErrorIs(t, err, down)
	require.NotErrorIs(t, err, password.ErrCredentials)
}

func TestAuthenticatorConfigFaults(t *testing.T) {
	t.Parallel()
	_, err := password.NewAuthenticator(password.AuthenticatorConfig{})
	require.ErrorContains(t, err, "Hasher")
	require.ErrorContains(t, err, "Lookup")
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	list, err := password.ReadBlocklist(strings.NewReader("Password1\r\n\nqwertyuiop\n"))
	require.NoError(t, err)
	plain, err := password.NewPolicy(password.PolicyConfig{})
	require.NoError(t, err)
	strict, err := password.NewPolicy(password.PolicyConfig{
		MaxBytes: 64, RequireUpper: true, RequireLower: true, RequireDigit: true, RequireSymbol: true, Blocked: list.Blocked,
	})
	require.NoError(t, err)
	for _, c := range []struct {
		name     string
		policy   *password.Policy
		password string
		words    []string
		want     []password.Violation
	}{
		{"plain ok", plain, "aaaaaaaa", nil, nil},
		{"plain short", plain, "aaaaaaa", nil, []password.Violation{password.TooShort}},
		{"bytes count", plain, "日本語", nil, nil},
		{"plain longest", plain, strings.Repeat("a", 1024), nil, nil},
		{"plain too long", plain, strings.Repeat("a", 1025), nil, []password.Violation{password.TooLong}},
		{"personal", plain, "xxANNAxx", []string{"anna"}, []password.Violation{password.Personal}},
		{"short word ignored", plain, "xxannxx1", []string{"ann", ""}, nil},
		{"strict ok", strict, "Ünïcode-7", nil, nil},
		{"strict all", strict, "   ", nil, []password.Violation{password.TooShort, password.NeedsUpper, password.NeedsLower, password.NeedsDigit, password.NeedsSymbol}},
		{"blocked in any case", strict, "pASSWORD1", nil, []password.Violation{password.NeedsSymbol, password.Common}},
		{"strict too long", strict, strings.Repeat("a", 65), nil, []password.Violation{password.TooLong}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := c.policy.Check(t.Context(), c.password, c.words...)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			var broken *password.PolicyError
			require.ErrorAs(t, err, &broken)
			require.Equal(t, c.want, broken.Violations)
			require.NotContains(t, err.Error(), c.password)
		})
	}
	_, err = password.NewPolicy(password.PolicyConfig{MinBytes: 100, MaxBytes: 10})
	require.ErrorContains(t, err, "MinBytes")
	require.ErrorContains(t, err, "MaxBytes")
}
