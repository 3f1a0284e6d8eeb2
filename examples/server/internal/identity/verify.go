package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Registration describes a personal account.
type Registration struct {
	Username string
	Email    string
	Password string
}

// RegisterAccount makes a personal account without company and mails the link that confirms its
// address. What the address was before is told to its owner alone, by mail: a confirmed account gets a
// notice, an unconfirmed one a link to choose a password, and what was typed now is dropped, so that
// nobody's earlier password survives. ErrUsernameTaken is the only fault that depends on other
// accounts.
func (s *Service) RegisterAccount(ctx context.Context, in Registration) error {
	if s.mail == nil {
		return ErrNotConfigured
	}
	faults := usernameFaults("#/username", in.Username)
	email, ok := normalEmail(in.Email)
	if !ok {
		faults = append(faults, badEmail("#/email"))
	}
	weak, err := s.passwordFaults(ctx, "#/password", in.Password)
	if err != nil {
		return err
	}
	if faults = append(faults, weak...); len(faults) > 0 {
		return fault.Invalid(faults...)
	}
	hash, err := s.hash(ctx, in.Password) // for known addresses too, which then take as long
	if err != nil {
		return err
	}
	now := s.clock()
	user := User{
		ID: uuid7.New(now), Username: in.Username, Email: email, Role: permission.RoleUser, PasswordHash: hash,
		CreatedAt: now, UpdatedAt: now,
	}
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		created, err := createUser(ctx, tx, user)
		if err != nil {
			return err
		}
		if created {
			err = s.record(ctx, tx, audit.Event{
				Action: trail.Register, Actor: trail.User(user.ID, ""), Entity: userEntity(user.ID),
			}, nil, newUserRecord(user))
			return errors.Join(err, s.enqueue(ctx, tx, verifyEmailMail{user.ID}))
		}
		if taken, err := usernameTaken(ctx, tx, in.Username); err != nil || taken {
			return errors.Join(err, whenTrue(taken, ErrUsernameTaken))
		}
		known, err := findUser(ctx, tx, selectUserByEmail, email)
		switch {
		case errors.Is(err, sql.ErrNoRows): // gone meanwhile: as if nothing had been typed
			return nil
		case err != nil:
			return err
		}
		err = s.recordAct(ctx, tx, audit.Event{
			Action: trail.Register, Outcome: audit.Failure, Reason: "the address has an account", Entity: userEntity(known.ID),
		})
		if err != nil {
			return err
		}
		if known.VerifiedAt != nil {
			return s.enqueue(ctx, tx, accountExistsMail{known.ID})
		}
		return s.enqueue(ctx, tx, passwordResetMail{known.ID})
	})
}

func badEmail(pointer string) fault.Field {
	return fault.Body(pointer, fault.FieldBadFormat, "Use a plain e-mail address.")
}

// ResendVerification mails a new link when the address waits for confirmation. The answer never
// depends on the address.
func (s *Service) ResendVerification(ctx context.Context, email string) error {
	return s.mailTo(ctx, email, func(id string) jobs.Args { return verifyEmailMail{id} })
}

// ForgotPassword mails a link to choose a new password when the address has an account. The answer
// never depends on the address.
func (s *Service) ForgotPassword(ctx context.Context, email string) error {
	return s.mailTo(ctx, email, func(id string) jobs.Args { return passwordResetMail{id} })
}

// mailTo queues a mail for whoever has the address. An address nobody has gets a job as well, for an
// account that does not exist, so that the time of the answer tells nothing either.
func (s *Service) mailTo(ctx context.Context, typed string, args func(userID string) jobs.Args) error {
	if s.mail == nil {
		return ErrNotConfigured
	}
	email, ok := normalEmail(typed)
	if !ok {
		return fault.Invalid(badEmail("#/email"))
	}
	id := uuid7.New(s.clock())
	user, err := findUser(ctx, s.db, selectUserByEmail, email)
	switch {
	case err == nil:
		id = user.ID
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	return s.db.InTx(ctx, func(tx sqldb.DB) error { return s.enqueue(ctx, tx, args(id)) })
}

const verifyUser = `
UPDATE users SET email_verified_at = COALESCE(email_verified_at, $1), updated_at = $2, version = version + 1
 WHERE id = $3 AND email = $4 AND deleted_at IS NULL`

// VerifyEmail confirms the address that a mailed token was sent to. It signs nobody in.
func (s *Service) VerifyEmail(ctx context.Context, token string) error {
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		used, err := s.consume(ctx, tx, purposeVerify, token)
		if err != nil {
			return err
		}
		now := sqldb.At(s.clock())
		changed, err := tx.Exec(ctx, verifyUser, now, now, used.Subject, used.Data)
		if err != nil {
			return fmt.Errorf("identity: verify address: %w", err)
		}
		if changed == 0 {
			return ErrInvalidToken
		}
		actor, err := s.by(ctx, tx, used.Subject)
		if err != nil {
			return err
		}
		return s.recordAct(ctx, tx, audit.Event{Action: trail.VerifyEmail, Actor: actor, Entity: userEntity(used.Subject)})
	})
}

const resetPassword = `
UPDATE users SET password_hash = $1, email_verified_at = COALESCE(email_verified_at, $2), pending_email = NULL,
       updated_at = $3, version = version + 1
 WHERE id = $4 AND email = $5 AND disabled_at IS NULL AND deleted_at IS NULL`

// ResetPassword sets a new password with a mailed token. The token proves the address, so it counts as
// confirmed; a change of the address that somebody had begun is dropped, and all sessions end.
func (s *Service) ResetPassword(ctx context.Context, token, secret string) error {
	weak, err := s.passwordFaults(ctx, "#/password", secret)
	if err != nil {
		return err
	}
	if len(weak) > 0 {
		return fault.Invalid(weak...)
	}
	hash, err := s.hash(ctx, secret)
	if err != nil {
		return err
	}
	var userID string
	err = s.db.InTx(ctx, func(tx sqldb.DB) error {
		used, err := s.consume(ctx, tx, purposeReset, token)
		if err != nil {
			return err
		}
		userID = used.Subject
		now := sqldb.At(s.clock())
		changed, err := tx.Exec(ctx, resetPassword, hash, now, now, used.Subject, used.Data)
		if err != nil {
			return fmt.Errorf("identity: reset password: %w", err)
		}
		if changed == 0 {
			return ErrInvalidToken
		}
		actor, err := s.by(ctx, tx, userID)
		if err != nil {
			return err
		}
		err = s.recordAct(ctx, tx, audit.Event{Action: trail.PasswordReset, Actor: actor, Entity: userEntity(userID)})
		if err != nil {
			return err
		}
		return s.enqueue(ctx, tx, passwordChangedMail{userID})
	})
	if err != nil {
		return err
	}
	return s.endSessions(ctx, userID)
}

// endSessions ends the sessions of an account except those to keep; their access tokens are refused
// from now on. It goes on when the client hangs up: the change it follows from has happened.
func (s *Service) endSessions(ctx context.Context, userID string, keep ...string) error {
	_, err := s.sessions.LogoutAll(context.WithoutCancel(ctx), userID, keep...)
	return sessionFault(err)
}

const countUsername = `SELECT COUNT(*) FROM users WHERE deleted_at IS NULL AND lower(username) = lower(CAST($1 AS TEXT))`

func usernameTaken(ctx context.Context, db sqldb.DB, name string) (bool, error) {
	var n int64
	if err := db.QueryRow(ctx, countUsername, name).Scan(&n); err != nil {
		return false, fmt.Errorf("identity: find username: %w", err)
	}
	return n > 0, nil
}

// whenTrue returns err if the condition holds.
func whenTrue(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}
