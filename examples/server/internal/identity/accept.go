package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Acceptance is the answer to an invitation.
type Acceptance struct {
	Token    string
	Password string // a new one, or that of the account that has the address
	Username string // of a new account; "" for a generated one
}

// AcceptInvite joins the company and returns the account, to be signed in. The mailed token proves the address. Without a
// confirmed account the password is a new one: an unconfirmed account is taken over, with the password
// of whoever made it replaced and his sessions ended. A confirmed account has to give its own. A
// refusal leaves the invitation open. Errors: ErrInvalidToken, ErrInviteGone, ErrInvalidCredentials,
// ErrAccountDisabled, ErrAlreadyMember, ErrUsernameTaken.
func (s *Service) AcceptInvite(ctx context.Context, in Acceptance) (userID string, err error) {
	invite, err := findInvite(ctx, s.db, selectInviteByToken, inviteHash(in.Token))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", ErrInvalidToken
	case err != nil:
		return "", err
	case invite.Status(s.clock()) != InviteOpen:
		return "", ErrInviteGone
	}
	user, err := findUser(ctx, s.db, selectUserByEmail, invite.Email)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		user, err = s.newInvitee(ctx, invite, in)
	case err != nil:
	case user.VerifiedAt == nil:
		err = s.takeOver(ctx, invite, user, in)
	default:
		err = s.joinAs(ctx, invite, user, in)
	}
	if err != nil {
		return "", err
	}
	return user.ID, nil
}

// invitePassword checks and hashes a new password.
func (s *Service) invitePassword(ctx context.Context, secret string, faults []fault.Field) (string, error) {
	weak, err := s.passwordFaults(ctx, "#/password", secret)
	if err != nil {
		return "", err
	}
	if faults = append(faults, weak...); len(faults) > 0 {
		return "", fault.Invalid(faults...)
	}
	return s.hash(ctx, secret)
}

func (s *Service) newInvitee(ctx context.Context, invite Invite, in Acceptance) (User, error) {
	var faults []fault.Field
	username := generatedUsername()
	if in.Username != "" {
		username = in.Username
		faults = usernameFaults("#/username", username)
	}
	hash, err := s.invitePassword(ctx, in.Password, faults)
	if err != nil {
		return User{}, err
	}
	now := s.clock()
	user := User{
		ID: uuid7.New(now), Username: username, Email: invite.Email, FullName: invite.FullName, Role: permission.RoleUser,
		PasswordHash: hash, VerifiedAt: &now, CreatedAt: now, UpdatedAt: now,
	}
	err = s.join(ctx, invite, in.Token, user.ID, func(tx sqldb.DB) error {
		created, err := createUser(ctx, tx, user)
		if err != nil || created {
			return err
		}
		if taken, err := usernameTaken(ctx, tx, username); err != nil || taken {
			return errors.Join(err, whenTrue(taken, ErrUsernameTaken))
		}
		return ErrMeanwhile // somebody has registered the address
	})
	return user, err
}

const takeOverUser = `
UPDATE users SET password_hash = $1, full_name = $2, search = $3, pending_email = NULL, email_verified_at = $4,
       updated_at = $5, version = version + 1
 WHERE id = $6 AND email = $7 AND email_verified_at IS NULL AND disabled_at IS NULL AND deleted_at IS NULL`

func (s *Service) takeOver(ctx context.Context, invite Invite, user User, in Acceptance) error {
	if user.DisabledAt != nil {
		return ErrAccountDisabled
	}
	hash, err := s.invitePassword(ctx, in.Password, nil)
	if err != nil {
		return err
	}
	user.FullName = invite.FullName
	err = s.join(ctx, invite, in.Token, user.ID, func(tx sqldb.DB) error {
		now := sqldb.At(s.clock())
		changed, err := tx.Exec(ctx, takeOverUser, hash, user.FullName, user.search(), now, now, user.ID, invite.Email)
		if err != nil {
			return fmt.Errorf("identity: take account over: %w", err)
		}
		return whenTrue(changed == 0, ErrMeanwhile)
	})
	if err != nil {
		return err
	}
	return s.endSessions(ctx, user.ID)
}

func (s *Service) joinAs(ctx context.Context, invite Invite, user User, in Acceptance) error {
	switch err := s.checkPassword(ctx, user, in.Password); {
	case errors.Is(err, ErrWrongPassword):
		return ErrInvalidCredentials
	case err != nil:
		return err
	case user.DisabledAt != nil:
		return ErrAccountDisabled
	}
	return s.join(ctx, invite, in.Token, user.ID, func(sqldb.DB) error { return nil })
}

const acceptInvite = `
UPDATE company_invites SET accepted_at = $1, updated_at = $2
 WHERE id = $3 AND sha256 = $4 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $5`

// join uses the invitation up, prepares the account and makes the membership, or does nothing at all.
func (s *Service) join(ctx context.Context, invite Invite, token, userID string, prepare func(tx sqldb.DB) error) error {
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		now := s.clock()
		changed, err := tx.Exec(ctx, acceptInvite, sqldb.At(now), sqldb.At(now), invite.ID, inviteHash(token), sqldb.At(now))
		if err != nil {
			return fmt.Errorf("identity: accept invite: %w", err)
		}
		if changed == 0 {
			return ErrInviteGone
		}
		if _, err := s.companies.Company(ctx, tx, invite.CompanyID); err != nil {
			if errors.Is(err, sql.ErrNoRows) { // closed since
				return ErrInviteGone
			}
			return err
		}
		if err := prepare(tx); err != nil {
			return err
		}
		if err := createMember(ctx, tx, userID, invite.CompanyID, invite.Role, invite.InvitedBy, now); err != nil {
			return err
		}
		return s.record(ctx, tx, audit.Event{
			Action: trail.InviteAccept, Actor: trail.User(userID, invite.CompanyID),
			Entity: audit.Entity{Type: entityInvite, ID: invite.ID},
		}, nil, memberRecord{Role: invite.Role, Active: true})
	})
}
