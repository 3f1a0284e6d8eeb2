package password

import (
	"context"
	"errors"
	"fmt"
)

// Account is what a log-in needs to know of a user.
type Account struct {
	ID string
	// Hash is the stored hash. Empty means that the account has no password.
	Hash string
	// Refuse, when not nil, is returned by Authenticate after the right password: that the account
	// is disabled or its address unverified, in an error of the application. Whoever does not know
	// the password learns nothing of it.
	Refuse error
}

// AuthenticatorConfig configures an [Authenticator].
type AuthenticatorConfig struct {
	// Hasher checks the passwords. Required.
	Hasher *Hasher
	// Lookup finds an account by the name that was typed. ErrNoAccount means that there is none; any
	// other error makes Authenticate fail with it. Required.
	Lookup func(ctx context.Context, name string) (Account, error)
	// Allow, when set, is asked before anything else; its error is returned as it is. Rate limits
	// per name and address go here. A limited caller is refused whether the password is right or
	// not.
	Allow func(ctx context.Context, name string) error
	// Rehash, when set, stores a better hash after the right password. It must leave the row alone
	// when the stored hash is no longer old, or it would undo a password change of the same moment.
	Rehash func(ctx context.Context, id, old, hash string) error
	// OnRehashError is told why a rehash failed; the log-in succeeds all the same.
	OnRehashError func(ctx context.Context, err error)
}

// Authenticator checks names with passwords. An unknown name costs one hash of the Hasher's Params,
// like a known one, and gets the same answer. Safe for concurrent use.
type Authenticator struct{ cfg AuthenticatorConfig }

// NewAuthenticator checks the configuration. Errors are *ConfigError, joined.
func NewAuthenticator(cfg AuthenticatorConfig) (*Authenticator, error) {
	var errs []error
	if cfg.Hasher == nil {
		errs = append(errs, &ConfigError{Field: "Hasher", Reason: "is nil"})
	}
	if cfg.Lookup == nil {
		errs = append(errs, &ConfigError{Field: "Lookup", Reason: "is nil"})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Authenticator{cfg}, nil
}

// Authenticate returns the account when name and password fit. ErrCredentials covers the unknown
// name, the account without password and the wrong password. Account.Refuse comes only after the
// right password. ErrBusy, ErrHash and errors of Allow and Lookup are returned as they are.
func (a *Authenticator) Authenticate(ctx context.Context, name, password string) (Account, error) {
	if a.cfg.Allow != nil {
		if err := a.cfg.Allow(ctx, name); err != nil {
			return Account{}, err
		}
	}
	account, err := a.cfg.Lookup(ctx, name)
	known := err == nil && account.Hash != ""
	if err != nil && !errors.Is(err, ErrNoAccount) {
		return Account{}, fmt.Errorf("password: look up account: %w", err)
	}
	hash := account.Hash
	if !known {
		hash = a.cfg.Hasher.dummy
	}
	rehash, err := a.cfg.Hasher.Verify(ctx, hash, password)
	switch {
	case errors.Is(err, ErrMismatch) || (err == nil && !known):
		return Account{}, ErrCredentials
	case err != nil:
		return Account{}, err
	case account.Refuse != nil:
		return Account{}, account.Refuse
	}
	if rehash && a.cfg.Rehash != nil {
		a.rehash(ctx, account, password)
	}
	return account, nil
}

func (a *Authenticator) rehash(ctx context.Context, account Account, password string) {
	hash, err := a.cfg.Hasher.Hash(ctx, password)
	if err == nil {
		err = a.cfg.Rehash(ctx, account.ID, account.Hash, hash)
	}
	if err != nil && a.cfg.OnRehashError != nil {
		a.cfg.OnRehashError(ctx, fmt.Errorf("password: rehash: %w", err))
	}
}
