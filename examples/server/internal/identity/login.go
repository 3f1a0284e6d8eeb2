package identity

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/middleware"
)

// Session is the answer to a sign-in: the tokens and whom they speak for.
type Session struct {
	Tokens auth.Tokens // without the refresh token when that is in the cookie
	Access Access
}

// Authenticate checks a password and returns the account it belongs to. login is an address when it
// has an "@", else a username. Every way to be wrong looks and costs the same: ErrInvalidCredentials.
// Only the right password tells ErrAccountDisabled and ErrEmailNotVerified.
func (s *Service) Authenticate(ctx context.Context, login, secret string) (userID string, err error) {
	account, err := s.signIn.Authenticate(ctx, login, secret)
	if err != nil {
		err = signInFault(err)
		if fault.CodeOf(err) != fault.Busy { // nothing was tried
			s.noteLogInFailure(ctx, login, err)
		}
		return "", err
	}
	return account.ID, nil
}

// begin starts a session for an account that has proved who it is, and ends one that the browser's
// cookie still holds.
func (s *Service) begin(w http.ResponseWriter, r *http.Request, userID string, d auth.Delivery) (Session, error) {
	ctx := r.Context()
	attributes := map[string]string{"user_agent": r.UserAgent()}
	if ip := middleware.ClientIPFrom(ctx); ip.IsValid() {
		attributes["ip"] = ip.String()
	}
	tokens, err := s.handlers.Begin(w, r, auth.Login{
		Subject: userID, ClientID: clientID, Methods: []string{"pwd"}, Attributes: attributes,
	}, d)
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

// dropCookie removes a cookie that the browser has sent and whose session is over.
func (s *Service) dropCookie(w http.ResponseWriter, r *http.Request) {
	if _, err := s.cookie.Read(r); !errors.Is(err, auth.ErrNoCredential) {
		s.cookie.Clear(w)
	}
}

// sessionFault turns the errors of package auth into the faults clients know.
func sessionFault(err error) error {
	for _, rule := range []struct {
		is     error
		answer *middleware.Problem
	}{
		{auth.ErrUnavailable, ErrUnavailable},
		{auth.ErrTwoCredentials, ErrTwoCredentials},
		{auth.ErrNoCredential, ErrNoCredential},
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
