package identity

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"log/slog"
	"strings"

	"github.com/groundwork-go/groundwork/auth/password"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/middleware"
)

// commonPasswords holds well-known passwords of eight characters and more that would pass the other
// rules once they are capitalised.
//
//go:embed common_passwords.txt
var commonPasswords string

func (s *Service) wirePasswords() error {
	common, err := password.ReadBlocklist(strings.NewReader(commonPasswords))
	if err != nil {
		return err
	}
	s.policy, err = password.NewPolicy(password.PolicyConfig{
		RequireUpper: true, RequireDigit: true, Blocked: common.Blocked,
	})
	if err != nil {
		return err
	}
	s.signIn, err = password.NewAuthenticator(password.AuthenticatorConfig{
		Hasher: s.passwords,
		Lookup: s.lookup,
		Rehash: func(ctx context.Context, userID, old, hash string) error {
			return replacePasswordHash(ctx, s.db, userID, old, hash, s.clock())
		},
		OnRehashError: func(ctx context.Context, err error) {
			s.logger.WarnContext(ctx, "password not rehashed", slog.Any("error", err))
		},
	})
	return err
}

// lookup finds the account a login names.
func (s *Service) lookup(ctx context.Context, login string) (password.Account, error) {
	query, key := selectUserByUsername, strings.ToLower(login)
	if strings.Contains(login, "@") {
		email, ok := normalEmail(login)
		if !ok {
			return password.Account{}, password.ErrNoAccount
		}
		query, key = selectUserByEmail, email
	}
	user, err := findUser(ctx, s.db, query, key)
	if errors.Is(err, sql.ErrNoRows) {
		return password.Account{}, password.ErrNoAccount
	}
	if err != nil {
		return password.Account{}, err
	}
	account := password.Account{ID: user.ID, Hash: user.PasswordHash}
	switch {
	case user.DisabledAt != nil:
		account.Refuse = ErrAccountDisabled
	case user.VerifiedAt == nil:
		account.Refuse = ErrEmailNotVerified
	}
	return account, nil
}

// hash derives the stored form of a password that the policy has accepted.
func (s *Service) hash(ctx context.Context, secret string) (string, error) {
	hash, err := s.passwords.Hash(ctx, secret)
	if errors.Is(err, password.ErrBusy) {
		return "", ErrBusy.With("", err)
	}
	return hash, err
}

// passwordFaults returns the faults of a new password as fields of the request.
func (s *Service) passwordFaults(ctx context.Context, pointer, secret string) ([]fault.Field, error) {
	err := s.policy.Check(ctx, secret)
	var broken *password.PolicyError
	if !errors.As(err, &broken) {
		return nil, err
	}
	fields := make([]fault.Field, len(broken.Violations))
	for i, violation := range broken.Violations {
		fields[i] = fault.Body(pointer, string(violation), passwordAdvice(violation))
	}
	return fields, nil
}

func passwordAdvice(v password.Violation) string {
	switch v {
	case password.TooShort:
		return "Use at least 8 characters."
	case password.TooLong:
		return "Use at most 1024 bytes."
	case password.NeedsUpper:
		return "Use at least one upper-case letter."
	case password.NeedsDigit:
		return "Use at least one digit."
	case password.Common:
		return "This password is too well known."
	}
	return "Choose another password."
}

// signInFault turns the errors of a password check into the faults clients know.
func signInFault(err error) error {
	for _, rule := range []struct {
		is     error
		answer *middleware.Problem
	}{
		{password.ErrCredentials, ErrInvalidCredentials},
		{password.ErrBusy, ErrBusy},
	} {
		if errors.Is(err, rule.is) {
			return rule.answer.With("", err)
		}
	}
	return err
}
