package identity

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/identity/roles"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

// AccountPatch is what an administrator may change of an account. Members that were not sent stay as
// they are.
type AccountPatch struct {
	Username rest.Optional[string]
	FullName rest.Optional[string] // null clears
	// Email counts at once, and as not confirmed unless IsVerified says so.
	Email      rest.Optional[string]
	IsVerified rest.Optional[bool]
	IsDisabled rest.Optional[bool]
}

const updateAccount = `
UPDATE users SET username = $1, full_name = $2, email = $3, pending_email = NULLIF(CAST($4 AS TEXT), ''),
       email_verified_at = $5, disabled_at = $6, search = $7, updated_at = $8, version = version + 1
 WHERE id = $9 AND deleted_at IS NULL`

// UpdateAccount changes an account on behalf of another one. Disabling ends its sessions; a new address
// is asked to be confirmed. Errors: ErrNotFound, ErrStaleVersion, ErrUsernameTaken, ErrEmailTaken,
// ErrLastAdmin, ErrNotConfigured, and those of [roles.MayHandle].
func (s *Service) UpdateAccount(ctx context.Context, actorID, id string, match rest.Match, patch AccountPatch) (AccountView, error) {
	email, faults := patch.check()
	if len(faults) > 0 {
		return AccountView{}, fault.Invalid(faults...)
	}
	disabled := false
	view, err := s.changeAccount(ctx, actorID, id, match, permission.UserUpdate.Any, nil, func(tx sqldb.DB, old User) error {
		next := s.applyAccount(patch, old, email)
		if next == old {
			return nil
		}
		if err := checkUsername(old, next); err != nil {
			return err
		}
		if disabled = old.DisabledAt == nil && next.DisabledAt != nil; disabled {
			if err := adminStays(ctx, tx, id); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, updateAccount, next.Username, next.FullName, next.Email, next.PendingEmail,
			sqldb.AtPtr(next.VerifiedAt), sqldb.AtPtr(next.DisabledAt), next.search(), sqldb.At(s.clock()), id)
		if err != nil {
			return takenFault(err)
		}
		if err := s.newAddress(ctx, tx, old, next); err != nil {
			return err
		}
		return s.record(ctx, tx, audit.Event{Action: trail.Update, Entity: userEntity(id)}, newUserRecord(old), newUserRecord(next))
	})
	if err == nil && disabled {
		err = s.endSessions(ctx, id)
	}
	return view, err
}

// newAddress voids what was mailed for the old address and asks for the new one to be confirmed.
func (s *Service) newAddress(ctx context.Context, tx sqldb.DB, old, next User) error {
	if next.Email == old.Email {
		return nil
	}
	tokens, err := s.tokens(tx)
	if err != nil {
		return err
	}
	for _, purpose := range []string{purposeEmailChange, purposeReset, purposeVerify} {
		if err := tokens.Void(ctx, purpose, old.ID); err != nil {
			return sessionFault(err)
		}
	}
	if next.VerifiedAt != nil {
		return nil
	}
	if s.mail == nil {
		return ErrNotConfigured
	}
	return s.enqueue(ctx, tx, verifyEmailMail{old.ID})
}

func (p AccountPatch) check() (email string, faults []fault.Field) {
	email, faults = checkProfile(p.Username, p.FullName, p.Email)
	if p.IsVerified.Null {
		faults = append(faults, notNullable("#/is_verified"))
	}
	if p.IsDisabled.Null {
		faults = append(faults, notNullable("#/is_disabled"))
	}
	return email, faults
}

// applyAccount returns the account as it is wanted.
func (s *Service) applyAccount(p AccountPatch, user User, email string) User {
	now := s.clock()
	if p.Username.Sent {
		user.Username = p.Username.Value
	}
	if p.FullName.Sent {
		user.FullName = strings.TrimSpace(p.FullName.Value)
	}
	if p.Email.Sent && email != user.Email {
		user.Email, user.PendingEmail, user.VerifiedAt = email, "", nil
	}
	switch {
	case !p.IsVerified.Sent:
	case !p.IsVerified.Value:
		user.VerifiedAt = nil
	case user.VerifiedAt == nil:
		user.VerifiedAt = &now
	}
	switch {
	case !p.IsDisabled.Sent:
	case !p.IsDisabled.Value:
		user.DisabledAt = nil
	case user.DisabledAt == nil:
		user.DisabledAt = &now
	}
	return user
}

// takenFault tells which unique value of an account another one has.
func takenFault(err error) error {
	index, taken := sqldb.UniqueViolation(err)
	switch {
	case !taken:
		return fmt.Errorf("identity: update account: %w", err)
	case strings.Contains(index, "username"):
		return ErrUsernameTaken.With("", err)
	}
	return ErrEmailTaken.With("", err)
}

const updateRole = `
UPDATE users SET role = $1, updated_at = $2, version = version + 1 WHERE id = $3 AND deleted_at IS NULL`

// AssignRole gives an account another global role on behalf of another one, and ends its sessions.
// Errors: ErrNotFound, ErrStaleVersion, ErrOwnRole, ErrLastAdmin, and those of [roles.MayHandle].
func (s *Service) AssignRole(ctx context.Context, actorID, id string, match rest.Match, role string) (AccountView, error) {
	if permission.ScopeOfRole(role) != permission.Global {
		return AccountView{}, fault.Invalid(fault.Body("#/role", fault.FieldWrongScope, "This is a role of companies."))
	}
	changed := false
	view, err := s.changeAccount(ctx, actorID, id, match, permission.UserAssignRole, []string{role}, func(tx sqldb.DB, old User) error {
		if changed = role != old.Role; !changed {
			return nil
		}
		if old.Role == permission.RoleAdmin {
			if id == actorID {
				return ErrOwnRole
			}
			if err := adminStays(ctx, tx, id); err != nil {
				return err
			}
		}
		return s.setRole(ctx, tx, old, role)
	})
	if err == nil && changed {
		err = s.endSessions(ctx, id)
	}
	if errors.Is(err, rbac.ErrUnknownRole) {
		err = fault.Invalid(fault.Body("#/role", fault.FieldUnknownReference, "There is no such role."))
	}
	return view, err
}

func (s *Service) setRole(ctx context.Context, tx sqldb.DB, old User, role string) error {
	next := old
	next.Role = role
	if _, err := tx.Exec(ctx, updateRole, role, sqldb.At(s.clock()), old.ID); err != nil {
		return fmt.Errorf("identity: set role: %w", err)
	}
	return s.record(ctx, tx, audit.Event{Action: trail.RoleChange, Entity: userEntity(old.ID)}, newUserRecord(old), newUserRecord(next))
}

// DeleteAccountOf deletes an account on behalf of another one, with its membership, and ends its
// sessions. Errors: ErrNotFound, ErrStaleVersion, ErrLastOwner, ErrLastAdmin, and those of
// [roles.MayHandle].
func (s *Service) DeleteAccountOf(ctx context.Context, actorID, id string, match rest.Match) error {
	return s.deleteUser(ctx, id, actorID, func(tx sqldb.DB) error {
		_, err := s.mayChange(ctx, tx, actorID, id, match, permission.UserDelete.Any, nil)
		return err
	})
}

// EndSessionsOf ends all sessions of an account. ErrNotFound when there is none.
func (s *Service) EndSessionsOf(ctx context.Context, id string) error {
	account, err := s.Account(ctx, id)
	if err != nil {
		return err
	}
	if err := s.endSessions(ctx, account.ID); err != nil {
		return err
	}
	s.note(ctx, audit.Event{Action: trail.SessionRevoke, Entity: userEntity(account.ID)})
	return nil
}

const lockUser = `UPDATE users SET version = version WHERE id = $1 AND deleted_at IS NULL`

// changeAccount runs change in a transaction in which nobody else changes the account or any role, and
// returns the account afterwards. The actor needs the permission, and whatever the account's role and
// the given ones grant.
func (s *Service) changeAccount(
	ctx context.Context, actorID, id string, match rest.Match, needed rbac.Permission, given []string,
	change func(tx sqldb.DB, old User) error,
) (view AccountView, err error) {
	err = s.db.InTx(ctx, func(tx sqldb.DB) error {
		if err := roles.Lock(ctx, tx); err != nil {
			return err
		}
		old, err := s.mayChange(ctx, tx, actorID, id, match, needed, given)
		if err != nil {
			return err
		}
		if err := change(tx, old); err != nil {
			return err
		}
		view, err = s.findAccount(ctx, tx, id)
		return err
	})
	if err != nil {
		return AccountView{}, err
	}
	return view, nil
}

// mayChange locks the account's row and returns it, if the actor may do to it what the permission is
// about.
func (s *Service) mayChange(
	ctx context.Context, tx sqldb.DB, actorID, id string, match rest.Match, needed rbac.Permission, given []string,
) (User, error) {
	if _, err := tx.Exec(ctx, lockUser, id); err != nil {
		return User{}, fmt.Errorf("identity: lock account: %w", err)
	}
	account, err := s.findAccount(ctx, tx, id)
	if err != nil {
		return User{}, err
	}
	if err := roles.MayHandle(ctx, tx, actorID, needed, account.Role, given...); err != nil {
		return User{}, err
	}
	if !match.Accepts(strconv.FormatInt(account.Version, 10)) {
		return User{}, ErrStaleVersion
	}
	return account.User, nil
}

const countAsLastAdmin = `
SELECT COUNT(*) FROM users AS u
 WHERE u.id = $1 AND u.role = 'admin' AND u.disabled_at IS NULL AND u.deleted_at IS NULL AND NOT EXISTS (
       SELECT 1 FROM users AS o WHERE o.id <> u.id AND o.role = 'admin' AND o.deleted_at IS NULL AND o.disabled_at IS NULL)`

// adminStays returns ErrLastAdmin when the account is the only administrator who can act. It is asked
// behind [roles.Lock], so the answer stays true until the transaction ends.
func adminStays(ctx context.Context, tx sqldb.DB, userID string) error {
	var last int64
	if err := tx.QueryRow(ctx, countAsLastAdmin, userID).Scan(&last); err != nil {
		return fmt.Errorf("identity: count administrators: %w", err)
	}
	return whenTrue(last > 0, ErrLastAdmin)
}
