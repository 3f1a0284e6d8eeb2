package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/groundwork-go/groundwork/auth/onetime"
	"github.com/groundwork-go/groundwork/auth/sqlauth"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/examples/server/internal/mail"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Purposes of one-time tokens. Their data is the address they were mailed to, so that a token is worth
// nothing once the account has another one.
const (
	purposeVerify      = "verify_email"
	purposeReset       = "password_reset"
	purposeEmailChange = "email_change"
)

const (
	verifyLife      = 24 * time.Hour
	resetLife       = time.Hour
	emailChangeLife = 24 * time.Hour
	// eventTimeout bounds what an event of a session causes.
	eventTimeout = 5 * time.Second
)

// Arguments of the mails: identifiers only. Token and text are made when the mail is sent.
type (
	verifyEmailMail struct {
		UserID string `json:"user_id"`
	}
	accountExistsMail struct {
		UserID string `json:"user_id"`
	}
	passwordResetMail struct {
		UserID string `json:"user_id"`
	}
	passwordChangedMail struct {
		UserID string `json:"user_id"`
	}
	securityAlertMail struct {
		UserID string `json:"user_id"`
	}
	emailChangeConfirmMail struct {
		UserID string `json:"user_id"`
	}
	emailChangeNoticeMail struct {
		UserID string `json:"user_id"`
	}
	companyInviteMail struct {
		InviteID string `json:"invite_id"`
	}
)

// Kind implements jobs.Args.
func (verifyEmailMail) Kind() string     { return "mail.verify_email" }
func (accountExistsMail) Kind() string   { return "mail.account_exists" }
func (passwordResetMail) Kind() string   { return "mail.password_reset" }
func (passwordChangedMail) Kind() string { return "mail.password_changed" }
func (securityAlertMail) Kind() string   { return "mail.security_alert" }

// Kind implements jobs.Args.
func (emailChangeConfirmMail) Kind() string { return "mail.email_change_confirm" }
func (emailChangeNoticeMail) Kind() string  { return "mail.email_change_notice" }
func (companyInviteMail) Kind() string      { return "mail.company_invite" }

// Workers registers the senders of mails, the daily sweep and the delivery of late entries of the
// deny-list.
func (s *Service) Workers(reg *jobs.Registry) {
	s.registerSweep(reg)
	s.registerDeny(reg)
	addMail(reg, s, func(ctx context.Context, a verifyEmailMail) (mail.Message, error) {
		return s.writeTo(ctx, a.UserID, func(user User) (mail.Message, error) {
			if user.VerifiedAt != nil {
				return mail.Message{}, nil
			}
			link, err := s.link(ctx, "verify-email", onetime.Issue{
				Purpose: purposeVerify, Subject: user.ID, Data: user.Email, TTL: verifyLife,
			})
			return letter(user.Email, "Confirm your address", "Please confirm that this address is yours. The link works for 24 hours:\n\n"+
				link+"\n\nIf you have not signed up, do nothing: without confirmation the account is removed."), err
		})
	})
	addMail(reg, s, func(ctx context.Context, a accountExistsMail) (mail.Message, error) {
		return s.writeTo(ctx, a.UserID, func(user User) (mail.Message, error) { return accountExists(user.Email, s.publicURL), nil })
	})
	addMail(reg, s, func(ctx context.Context, a passwordResetMail) (mail.Message, error) {
		return s.writeTo(ctx, a.UserID, func(user User) (mail.Message, error) {
			link, err := s.link(ctx, "reset-password", onetime.Issue{
				Purpose: purposeReset, Subject: user.ID, Data: user.Email, TTL: resetLife,
			})
			return letter(user.Email, "Choose a password", "Somebody, probably you, asked for a new password. The link works for one hour:\n\n"+
				link+"\n\nIf it was not you, do nothing: the password stays as it is."), err
		})
	})
	addMail(reg, s, func(ctx context.Context, a passwordChangedMail) (mail.Message, error) {
		return s.writeTo(ctx, a.UserID, func(user User) (mail.Message, error) {
			return letter(user.Email, "Your password was changed", "The password of your account was changed and other sessions were ended.\n\n"+
				"If it was not you, choose a new password at once: "+s.publicURL+"/forgot-password"), nil
		})
	})
	addMail(reg, s, func(ctx context.Context, a securityAlertMail) (mail.Message, error) {
		return s.writeTo(ctx, a.UserID, func(user User) (mail.Message, error) {
			return letter(user.Email, "A session was ended", "A copy of one of your sessions was used a second time, so the session was ended.\n"+
				"Log in again. If you see sessions you do not know, end them and choose a new password: "+
				s.publicURL+"/forgot-password"), nil
		})
	})
	s.addressMails(reg)
	addMail(reg, s, s.writeInvite)
}

// addressMails registers the mails of a change of address.
func (s *Service) addressMails(reg *jobs.Registry) {
	addMail(reg, s, func(ctx context.Context, a emailChangeConfirmMail) (mail.Message, error) {
		return s.writeTo(ctx, a.UserID, func(user User) (mail.Message, error) {
			if user.PendingEmail == "" {
				return mail.Message{}, nil
			}
			// Decided here and not in the request, whose answer must not tell it.
			holder, err := findUser(ctx, s.db, selectUserByEmail, user.PendingEmail)
			switch {
			case err == nil && holder.VerifiedAt != nil:
				return accountExists(user.PendingEmail, s.publicURL), nil
			case err != nil && !errors.Is(err, sql.ErrNoRows):
				return mail.Message{}, err
			}
			link, err := s.link(ctx, "confirm-email", onetime.Issue{
				Purpose: purposeEmailChange, Subject: user.ID, Data: user.PendingEmail, TTL: emailChangeLife,
			})
			return letter(user.PendingEmail, "Confirm your new address", "Please confirm that this is the new address of your account. The link works for 24 hours:\n\n"+
				link+"\n\nIf you have not asked for it, do nothing."), err
		})
	})
	addMail(reg, s, func(ctx context.Context, a emailChangeNoticeMail) (mail.Message, error) {
		return s.writeTo(ctx, a.UserID, func(user User) (mail.Message, error) {
			return letter(user.Email, "Your address is about to change", "Somebody, probably you, asked to use another address for your account. It takes effect when the new one is confirmed.\n\n"+
				"If it was not you, choose a new password at once, which also drops the change: "+s.publicURL+"/forgot-password"), nil
		})
	})
}

// addMail registers the worker of one mail. write returns a message without recipient when there
// is nothing to send any more.
func addMail[T jobs.Args](reg *jobs.Registry, s *Service, write func(context.Context, T) (mail.Message, error)) {
	jobs.Register(reg, jobs.WorkerConfig{
		MaxAttempts: 4, Base: time.Minute, Cap: 10 * time.Minute,
	}, func(ctx context.Context, args T) error {
		if s.mail == nil {
			return ErrNotConfigured
		}
		message, err := write(ctx, args)
		if err != nil || message.To == "" {
			return err
		}
		err = s.mail.Send(ctx, message)
		if errors.Is(err, mail.ErrPermanent) || errors.Is(err, mail.ErrMessage) {
			return jobs.Permanent(err)
		}
		return err
	})
}

// writeTo writes to an account that is there and not disabled.
func (s *Service) writeTo(ctx context.Context, userID string, write func(User) (mail.Message, error)) (mail.Message, error) {
	user, err := findUser(ctx, s.db, selectUserByID, userID)
	if errors.Is(err, sql.ErrNoRows) || err == nil && user.DisabledAt != nil {
		return mail.Message{}, nil
	}
	if err != nil {
		return mail.Message{}, err
	}
	return write(user)
}

// link mints a token, which voids the older one of its purpose, and returns the address that carries it.
func (s *Service) link(ctx context.Context, page string, issue onetime.Issue) (string, error) {
	tokens, err := s.tokens(s.db)
	if err != nil {
		return "", err
	}
	token, err := tokens.Issue(ctx, issue)
	return s.pageLink(page, token), err
}

// pageLink has the token in the fragment, which browsers send to no server.
func (s *Service) pageLink(page, token string) string {
	return s.publicURL + "/" + page + "#token=" + token
}

// tokens returns the one-time tokens on db; on a transaction a token is used up with the rows it
// changes, or not at all.
func (s *Service) tokens(db sqldb.DB) (*onetime.Tokens, error) {
	return onetime.New(onetime.Config{Store: sqlauth.NewOneTime(db), Now: s.now})
}

// consume uses a token up inside tx.
func (s *Service) consume(ctx context.Context, tx sqldb.DB, purpose, token string) (onetime.Used, error) {
	tokens, err := s.tokens(tx)
	if err != nil {
		return onetime.Used{}, err
	}
	used, err := tokens.Consume(ctx, purpose, token)
	if errors.Is(err, onetime.ErrInvalid) {
		return onetime.Used{}, ErrInvalidToken
	}
	return used, sessionFault(err)
}

func letter(to, subject, text string) mail.Message {
	return mail.Message{To: to, Subject: "Groundwork | " + subject, Text: text + "\n"}
}

func accountExists(to, publicURL string) mail.Message {
	return letter(to, "You have an account", "Somebody, probably you, wanted to use this address for an account. It has one already.\n\n"+
		"Log in, or choose a new password: "+publicURL+"/forgot-password\n\nIf it was not you, do nothing.")
}

func (s *Service) enqueue(ctx context.Context, tx sqldb.DB, args jobs.Args) error {
	if err := s.queue.Enqueue(ctx, tx, args, jobs.Options{}); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	return nil
}

// alert tells the user of a session that was ended because its refresh token came back.
func (s *Service) alert(ctx context.Context, userID string) {
	if s.mail == nil {
		return
	}
	err := s.db.InTx(ctx, func(tx sqldb.DB) error { return s.enqueue(ctx, tx, securityAlertMail{userID}) })
	if err != nil {
		s.logger.ErrorContext(ctx, "security alert not queued", slog.Any("error", err))
	}
}
