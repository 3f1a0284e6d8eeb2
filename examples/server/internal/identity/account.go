package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/auth/password"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/sqldb"
)

// patchAttempts bounds how often a change without If-Match is tried again after a parallel one.
const patchAttempts = 4

// ProfilePatch changes an account. Members that were not sent stay as they are.
type ProfilePatch struct {
	Username rest.Optional[string]
	FullName rest.Optional[string] // null clears
	// Email is the wanted address. It waits until it is confirmed; the present address cancels it.
	Email           rest.Optional[string]
	CurrentPassword string // needed with Email
}

// UpdateProfile changes the account of whoever is signed in. That the wanted address belongs to
// another account is not told here but mailed there. Errors: ErrUsernameTaken, ErrWrongPassword,
// ErrStaleVersion.
func (s *Service) UpdateProfile(ctx context.Context, userID string, match rest.Match, patch ProfilePatch) (User, error) {
	email, faults := patch.check()
	if len(faults) > 0 {
		return User{}, fault.Invalid(faults...)
	}
	user, err := findUser(ctx, s.db, selectUserByID, userID)
	if err != nil {
		return User{}, err
	}
	if patch.Email.Sent {
		if s.mail == nil {
			return User{}, ErrNotConfigured
		}
		if err := s.checkPassword(ctx, user, patch.CurrentPassword); err != nil {
			return User{}, err
		}
	}
	for range patchAttempts {
		if !match.Accepts(strconv.FormatInt(user.Version, 10)) {
			return User{}, ErrStaleVersion
		}
		next := patch.apply(user, email)
		if next == user {
			return user, nil
		}
		saved, err := s.saveProfile(ctx, user, next)
		if err != nil {
			return User{}, err
		}
		if user, err = findUser(ctx, s.db, selectUserByID, userID); err != nil || saved {
			return user, err
		}
	}
	return User{}, ErrStaleVersion
}

func (p ProfilePatch) check() (email string, faults []fault.Field) {
	email, faults = checkProfile(p.Username, p.FullName, p.Email)
	if p.Email.Sent && !p.Email.Null && p.CurrentPassword == "" {
		faults = append(faults, fault.Body("#/current_password", fault.FieldRequired, "A new address needs the password."))
	}
	return email, faults
}

// checkProfile returns the address in its normal form, and what is wrong with the members of a patch.
// Names that begin with u- are looked at by [checkUsername].
func checkProfile(username, fullName, address rest.Optional[string]) (email string, faults []fault.Field) {
	notNull := func(o rest.Optional[string], pointer string) bool {
		if o.Null {
			faults = append(faults, notNullable(pointer))
		}
		return o.Sent && !o.Null
	}
	if notNull(username, "#/username") && !strings.HasPrefix(username.Value, "u-") {
		faults = append(faults, usernameFaults("#/username", username.Value)...)
	}
	if fullName.Sent && !fullName.Null {
		if n := utf8.RuneCountInString(strings.TrimSpace(fullName.Value)); n < 1 || n > 200 {
			faults = append(faults, fault.Body("#/full_name", fault.FieldTooShort, "Use 1 to 200 characters."))
		}
	}
	if notNull(address, "#/email") {
		var ok bool
		if email, ok = normalEmail(address.Value); !ok {
			faults = append(faults, badEmail("#/email"))
		}
	}
	return email, faults
}

// checkUsername lets an account keep the name it was given, and only that one, of the kind nobody may
// type.
func checkUsername(old, next User) error {
	if next.Username != old.Username && strings.HasPrefix(next.Username, "u-") {
		return fault.Invalid(usernameFaults("#/username", next.Username)...)
	}
	return nil
}

func notNullable(pointer string) fault.Field {
	return fault.Body(pointer, fault.FieldNotNullable, "This field cannot be null.")
}

// apply returns the account as it is wanted.
func (p ProfilePatch) apply(user User, email string) User {
	if p.Username.Sent {
		user.Username = p.Username.Value
	}
	if p.FullName.Sent {
		user.FullName = strings.TrimSpace(p.FullName.Value)
	}
	if p.Email.Sent {
		user.PendingEmail = email
		if email == user.Email {
			user.PendingEmail = ""
		}
	}
	return user
}

const updateProfile = `
UPDATE users SET username = $1, full_name = $2, pending_email = NULLIF(CAST($3 AS TEXT), ''), search = $4,
       updated_at = $5, version = version + 1
 WHERE id = $6 AND version = $7 AND deleted_at IS NULL`

// saveProfile reports false when the account was changed since it was read.
func (s *Service) saveProfile(ctx context.Context, old, next User) (saved bool, err error) {
	if err := checkUsername(old, next); err != nil {
		return false, err
	}
	err = s.db.InTx(ctx, func(tx sqldb.DB) error {
		changed, err := tx.Exec(ctx, updateProfile, next.Username, next.FullName, next.PendingEmail, next.search(),
			sqldb.At(s.clock()), old.ID, old.Version)
		if err != nil {
			if _, taken := sqldb.UniqueViolation(err); taken {
				return ErrUsernameTaken.With("", err)
			}
			return fmt.Errorf("identity: update profile: %w", err)
		}
		if saved = changed == 1; !saved {
			return nil
		}
		err = s.record(ctx, tx, audit.Event{Action: trail.Update, Entity: userEntity(old.ID)}, newUserRecord(old), newUserRecord(next))
		if err != nil || next.PendingEmail == old.PendingEmail {
			return err
		}
		tokens, err := s.tokens(tx)
		if err != nil {
			return err
		}
		if err := tokens.Void(ctx, purposeEmailChange, old.ID); err != nil {
			return sessionFault(err)
		}
		if next.PendingEmail == "" {
			return nil
		}
		return errors.Join(s.enqueue(ctx, tx, emailChangeConfirmMail{old.ID}), s.enqueue(ctx, tx, emailChangeNoticeMail{old.ID}))
	})
	return saved, err
}

// checkPassword returns ErrWrongPassword unless the secret is the account's password.
func (s *Service) checkPassword(ctx context.Context, user User, secret string) error {
	_, err := s.passwords.Verify(ctx, user.PasswordHash, secret)
	if errors.Is(err, password.ErrMismatch) {
		return ErrWrongPassword
	}
	return signInFault(err)
}

const activateEmail = `
UPDATE users SET email = $1, pending_email = NULL, email_verified_at = $2, search = $3, updated_at = $4,
       version = version + 1
 WHERE id = $5 AND pending_email = $6 AND disabled_at IS NULL AND deleted_at IS NULL`

// ConfirmEmail makes the address that a mailed token was sent to the address of its account. When
// another account has it meanwhile, the token is as good as unknown.
func (s *Service) ConfirmEmail(ctx context.Context, token string) error {
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		used, err := s.consume(ctx, tx, purposeEmailChange, token)
		if err != nil {
			return err
		}
		user, err := findUser(ctx, tx, selectUserByID, used.Subject)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrInvalidToken
		}
		if err != nil {
			return err
		}
		user.Email = used.Data
		now := sqldb.At(s.clock())
		changed, err := tx.Exec(ctx, activateEmail, used.Data, now, user.search(), now, user.ID, used.Data)
		if err != nil {
			if _, taken := sqldb.UniqueViolation(err); taken {
				return ErrInvalidToken.With("", err)
			}
			return fmt.Errorf("identity: activate address: %w", err)
		}
		if changed == 0 {
			return ErrInvalidToken
		}
		actor, err := s.by(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		return s.recordAct(ctx, tx, audit.Event{Action: trail.EmailChange, Actor: actor, Entity: userEntity(user.ID)})
	})
}

const updatePassword = `
UPDATE users SET password_hash = $1, updated_at = $2, version = version + 1 WHERE id = $3 AND password_hash = $4 AND deleted_at IS NULL`

// ChangePassword replaces the password of whoever is signed in and ends his other sessions.
// ErrWrongPassword also when the password was changed at the same moment.
func (s *Service) ChangePassword(ctx context.Context, access Access, current, secret string) error {
	weak, err := s.passwordFaults(ctx, "#/new_password", secret)
	if err != nil {
		return err
	}
	if len(weak) > 0 {
		return fault.Invalid(weak...)
	}
	if err := s.checkPassword(ctx, access.User, current); err != nil {
		return err
	}
	hash, err := s.hash(ctx, secret)
	if err != nil {
		return err
	}
	err = s.db.InTx(ctx, func(tx sqldb.DB) error {
		changed, err := tx.Exec(ctx, updatePassword, hash, sqldb.At(s.clock()), access.User.ID, access.User.PasswordHash)
		if err != nil {
			return fmt.Errorf("identity: change password: %w", err)
		}
		if changed == 0 {
			return ErrWrongPassword
		}
		tokens, err := s.tokens(tx)
		if err != nil {
			return err
		}
		if err := tokens.Void(ctx, purposeReset, access.User.ID); err != nil {
			return sessionFault(err)
		}
		err = s.recordAct(ctx, tx, audit.Event{Action: trail.PasswordChange, Entity: userEntity(access.User.ID)})
		if err != nil || s.mail == nil {
			return err
		}
		return s.enqueue(ctx, tx, passwordChangedMail{access.User.ID})
	})
	if err != nil {
		return err
	}
	return s.endSessions(ctx, access.User.ID, access.SessionID)
}
