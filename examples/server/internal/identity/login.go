package identity

import (
	"context"
	"errors"
	"log/slog"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/middleware"
)

// Client says where a session was started from, for the list of sessions.
type Client struct {
	IP        string
	UserAgent string
}

// Session is the answer to a sign-in: the tokens and whom they speak for.
type Session struct {
	Tokens auth.Tokens
	Access Access
}

// LogIn checks a password and starts a session. login is an address when it has an "@", else a
// username. Every way to be wrong looks and costs the same: ErrInvalidCredentials. Only the right
// password tells ErrAccountDisabled and ErrEmailNotVerified.
func (s *Service) LogIn(ctx context.Context, login, secret string, client Client) (Session, error) {
	account, err := s.signIn.Authenticate(ctx, login, secret)
	if err != nil {
		return Session{}, signInFault(err)
	}
	return s.start(ctx, account.ID, client)
}

// start begins a session for an account that has proved who it is.
func (s *Service) start(ctx context.Context, userID string, client Client) (Session, error) {
	tokens, err := s.sessions.Login(ctx, auth.Login{
		Subject: userID, ClientID: clientID, Methods: []string{"pwd"},
		Attributes: map[string]string{
			"ip": client.IP, "user_agent": client.UserAgent, auth.AttributeTransport: "bearer",
		},
	})
	if err != nil {
		return Session{}, sessionFault(err)
	}
	access, err := s.access(ctx, userID, tokens.Session.ID)
	if err != nil {
		return Session{}, err
	}
	if err := touchLastLogin(ctx, s.db, userID, s.clock()); err != nil {
		s.logger.WarnContext(ctx, "last log-in not stored", slog.Any("error", err))
	}
	return Session{Tokens: tokens, Access: access}, nil
}

// Refresh exchanges a refresh token for new tokens.
func (s *Service) Refresh(ctx context.Context, refresh string) (auth.Tokens, error) {
	tokens, err := s.sessions.Refresh(ctx, refresh)
	return tokens, sessionFault(err)
}

// LogOut ends the session of a refresh token; one that is unknown or over is no error.
func (s *Service) LogOut(ctx context.Context, refresh string) error {
	return sessionFault(s.sessions.Logout(ctx, refresh))
}

// sessionFault turns the errors of package auth into the faults clients know.
func sessionFault(err error) error {
	for _, rule := range []struct {
		is     error
		answer *middleware.Problem
	}{
		{auth.ErrUnavailable, ErrUnavailable},
		{auth.ErrReused, ErrRefreshReused},
		{auth.ErrSuperseded, ErrRefreshSuperseded},
		{auth.ErrRefreshInvalid, ErrInvalidRefresh},
		{auth.ErrSubjectDisabled, ErrAccountDisabled},
		{auth.ErrNotFound, ErrNotFound},
	} {
		if errors.Is(err, rule.is) {
			return rule.answer.With("", err)
		}
	}
	return err
}
