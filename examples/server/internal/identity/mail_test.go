package identity_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/app"
	"github.com/groundwork-go/groundwork/examples/server/internal/mail"
	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

func registration(username string) body {
	return body{"username": username, "email": username + "@example.com", "password": secret}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		first := post(t, s, "/v1/auth/register", registration("Robin"), http.StatusCreated, nil)
		login := body{"login": "robin", "password": secret}
		require.Equal(t, "email_not_verified", post(t, s, "/v1/auth/login", login, http.StatusForbidden, nil).Code())
		wrong := body{"login": "robin", "password": "Wrong-fox-7"}
		require.Equal(t, "invalid_credentials", post(t, s, "/v1/auth/login", wrong, http.StatusUnauthorized, nil).Code())
		token := s.Mail.Token(t, "robin@example.com", "verify-email")
		require.Regexp(t, "^ot_[A-Za-z0-9_-]{43}$", token)

		// The same address again, not confirmed yet: the same answer, and a link to choose a password.
		again := registration("robin2")
		again["email"] = "ROBIN@example.com"
		again["password"] = "Another-fox-8"
		second := post(t, s, "/v1/auth/register", again, http.StatusCreated, nil)
		require.Equal(t, string(first.Body), string(second.Body))
		reset := s.Mail.Token(t, "robin@example.com", "reset-password")
		post(t, s, "/v1/auth/login", body{"login": "robin@example.com", "password": "Another-fox-8"}, http.StatusUnauthorized, nil)

		post(t, s, "/v1/auth/verify-email", body{"token": token}, http.StatusNoContent, nil)
		require.Equal(t, "invalid_token",
			post(t, s, "/v1/auth/verify-email", body{"token": token}, http.StatusBadRequest, nil).Code(), "works once")
		require.Equal(t, "invalid_token",
			post(t, s, "/v1/auth/verify-email", body{"token": reset}, http.StatusBadRequest, nil).Code(), "another purpose")
		var session tokens
		post(t, s, "/v1/auth/login", login, http.StatusOK, &session)
		var me struct {
			User    struct{ Username string }
			Company *struct{ ID string }
		}
		s.Call(t, "GET", "/v1/auth/me", session.Access, nil).JSON(t, &me)
		require.Equal(t, "Robin", me.User.Username)
		require.Nil(t, me.Company)
		require.Equal(t, "no_company", s.Call(t, "GET", "/v1/company", session.Access, nil).Code())

		// Confirmed: the same answer, and a notice.
		third := post(t, s, "/v1/auth/register", again, http.StatusCreated, nil)
		require.Equal(t, string(first.Body), string(third.Body))
		s.Mail.Await(t, "robin@example.com", "You have an account")

		taken := registration("ROBIN")
		taken["email"] = "other@example.com"
		require.Equal(t, "username_taken", post(t, s, "/v1/auth/register", taken, http.StatusConflict, nil).Code())
	})
}

func TestRegisterFaults(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{})
	for name, test := range map[string]struct{ field, value, code string }{
		"short":     {"username", "ab", "too_short"},
		"long":      {"username", strings.Repeat("a", 33), "too_long"},
		"letters":   {"username", "röbin", "bad_format"},
		"space":     {"username", "a b c", "bad_format"},
		"at":        {"username", "a@example.com", "bad_format"},
		"reserved":  {"username", "Admin", "not_allowed"},
		"generated": {"username", "U-abc", "not_allowed"},
		"address":   {"email", "Robin <robin@example.com>", "bad_format"},
		"password":  {"password", "short", "password_too_short"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := registration("faults")
			in[test.field] = test.value
			var p struct {
				Errors []struct{ Pointer, Code string }
			}
			post(t, s, "/v1/auth/register", in, http.StatusUnprocessableEntity, &p)
			require.Equal(t, "#/"+test.field, p.Errors[0].Pointer)
			require.Equal(t, test.code, p.Errors[0].Code)
		})
	}
}

func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *servertest.Server, clock *clock) {
		var session tokens
		post(t, s, "/v1/auth/signup", signUp("forgot"), http.StatusCreated, &session)
		const email = "forgot@example.com"
		forgot := func(address string) servertest.Response {
			return post(t, s, "/v1/auth/forgot-password", body{"email": address}, http.StatusAccepted, nil)
		}
		require.Equal(t, forgot("nobody@example.com").Body, forgot(email).Body)
		require.Empty(t, s.Mail.All("nobody@example.com"))
		old := s.Mail.Token(t, email, "reset-password")
		forgot(email)
		token := s.Mail.Token(t, email, "reset-password")

		reset := func(token, password string) body { return body{"token": token, "password": password} }
		const fresh = "Brand-new-fox-9"
		require.Equal(t, "invalid_token",
			post(t, s, "/v1/auth/reset-password", reset(old, fresh), http.StatusBadRequest, nil).Code(), "a newer one was sent")
		post(t, s, "/v1/auth/reset-password", reset(token, "weak"), http.StatusUnprocessableEntity, nil)
		post(t, s, "/v1/auth/reset-password", reset(token, fresh), http.StatusNoContent, nil)
		post(t, s, "/v1/auth/reset-password", reset(token, fresh), http.StatusBadRequest, nil)
		s.Mail.Await(t, email, "password was changed")

		// Every session is over, at once, and the address counts as confirmed.
		require.Equal(t, http.StatusUnauthorized, s.Call(t, "GET", "/v1/auth/me", session.Access, nil).Status)
		post(t, s, "/v1/auth/refresh", body{"refresh_token": session.Refresh}, http.StatusUnauthorized, nil)
		post(t, s, "/v1/auth/login", body{"login": email, "password": secret}, http.StatusUnauthorized, nil)
		post(t, s, "/v1/auth/login", body{"login": email, "password": fresh}, http.StatusOK, &session)

		forgot(email)
		late := s.Mail.Token(t, email, "reset-password")
		clock.add(time.Hour + time.Minute)
		require.Equal(t, "invalid_token",
			post(t, s, "/v1/auth/reset-password", reset(late, secret), http.StatusBadRequest, nil).Code(), "one hour")
	})
}

// Of many uses of one link one succeeds.
func TestTokenRace(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		post(t, s, "/v1/auth/register", registration("racer"), http.StatusCreated, nil)
		token := s.Mail.Token(t, "racer@example.com", "verify-email")
		var won atomic.Int32
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				switch s.Call(t, "POST", "/v1/auth/verify-email", "", body{"token": token}).Status {
				case http.StatusNoContent:
					won.Add(1)
				case http.StatusBadRequest:
				default:
					t.Error("neither used nor refused")
				}
			})
		}
		group.Wait()
		require.Equal(t, int32(1), won.Load())
	})
}

func TestResendVerification(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{})
	post(t, s, "/v1/auth/register", registration("resend"), http.StatusCreated, nil)
	old := s.Mail.Token(t, "resend@example.com", "verify-email")
	post(t, s, "/v1/auth/resend-verification", body{"email": "Resend@example.com"}, http.StatusAccepted, nil)
	token := s.Mail.Token(t, "resend@example.com", "verify-email")
	post(t, s, "/v1/auth/verify-email", body{"token": old}, http.StatusBadRequest, nil)
	post(t, s, "/v1/auth/verify-email", body{"token": token}, http.StatusNoContent, nil)
	post(t, s, "/v1/auth/resend-verification", body{"email": "nobody@example.com"}, http.StatusAccepted, nil)
	post(t, s, "/v1/auth/resend-verification", body{"email": "nobody"}, http.StatusUnprocessableEntity, nil)
}

// refusingSender is a mail server that refuses everything in its own way.
type refusingSender struct {
	err   error
	calls atomic.Int32
}

func (r *refusingSender) Send(context.Context, mail.Message) error {
	r.calls.Add(1)
	return r.err
}

// A mail server that does not take a mail fails no request. What it refuses for good is dead at once,
// anything else is tried again.
func TestMailServerRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err   error
		state string
	}{
		"for good": {fmt.Errorf("%w: status 550", mail.ErrPermanent), "cancelled"},
		"for now":  {errors.New("down"), "retryable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sender := &refusingSender{err: test.err}
			s := servertest.Start(t, servertest.Options{App: app.Options{Mail: sender}})
			post(t, s, "/v1/auth/register", registration("bounce"), http.StatusCreated, nil)
			db, err := sql.Open("sqlite", "file:"+s.Config.Database.Path+"?mode=ro")
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()
			var args string
			var attempt int32
			require.Eventually(t, func() bool {
				err := db.QueryRowContext(t.Context(), `SELECT args, attempt FROM river_job WHERE kind = 'mail.verify_email' AND state = ?`,
					test.state).Scan(&args, &attempt)
				return err == nil
			}, 10*time.Second, 20*time.Millisecond)
			// A wait of less than five seconds is no state of its own in the queue, so the first one seen
			// may follow a later attempt. Each attempt asks the mail server once.
			require.Equal(t, attempt, sender.calls.Load())
			if test.state == "cancelled" {
				require.Equal(t, int32(1), attempt)
			}
			require.NotContains(t, args, "@")
			require.NotContains(t, args, "ot_")
		})
	}
}

// Links die a day after they were mailed.
func TestLivesOfLinks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *servertest.Server, clock *clock) {
		session := account(t, s, "mover")
		post(t, s, "/v1/auth/register", registration("sleepy"), http.StatusCreated, nil)
		verifyToken := s.Mail.Token(t, "sleepy@example.com", "verify-email")
		move := body{"email": "new@example.com", "current_password": secret}
		require.Equal(t, http.StatusOK, s.Call(t, "PATCH", "/v1/users/me", session.Access, move).Status)
		changeToken := s.Mail.Token(t, "new@example.com", "confirm-email")
		clock.add(24*time.Hour + time.Minute)
		for path, token := range map[string]string{"/v1/auth/verify-email": verifyToken, "/v1/users/me/email/confirm": changeToken} {
			require.Equal(t, "invalid_token", post(t, s, path, body{"token": token}, http.StatusBadRequest, nil).Code(), path)
		}
		// Another one can be had.
		post(t, s, "/v1/auth/resend-verification", body{"email": "sleepy@example.com"}, http.StatusAccepted, nil)
		verify(t, s, "sleepy@example.com")
		logIn(t, s, "sleepy")
	})
}

// An invitation says whose password is asked for.
func TestInvitationAdvice(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		boss := owner(t, s, "crew")
		account(t, s, "known")
		for email, advice := range map[string]string{
			"stranger@example.com": "Choose a password there.", "known@example.com": "use your password there",
		} {
			in := body{"email": email, "full_name": "Alex", "role": "member"}
			require.Equal(t, http.StatusCreated, s.Call(t, "POST", "/v1/company/users", boss.Access, in).Status)
			mail := s.Mail.Await(t, email, advice)
			require.True(t, strings.HasPrefix(mail.Subject, "Groundwork | "), mail.Subject)
			require.Contains(t, mail.Text, s.URL+"/accept-invite#token=ot_")
		}
	})
}
