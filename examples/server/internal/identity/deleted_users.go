package identity

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

// purgeBatch is how many accounts one transaction of a purge removes.
const purgeBatch = 500

// DeletedUserJSON is a deleted account.
type DeletedUserJSON struct {
	UserAdminJSON
	rest.Deletion
}

type deletedUser struct {
	AccountView
	DeletedAt time.Time
	DeletedBy *string
}

func deletedUserList() pagination.Config {
	return pagination.Config{
		Sortable:    []pagination.Field{{Name: "deleted_at", Column: "u.deleted_at", Kind: pagination.Time}},
		DefaultSort: "-deleted_at",
		TieBreaker:  pagination.Field{Name: "id", Column: "u.id", Kind: pagination.UUID},
		Search:      pagination.Search{Columns: []string{"u.search"}},
	}
}

// deletedUserSelect has the columns of scanAccount, without the membership, and two more.
func deletedUserSelect() pagination.Select {
	return pagination.Select{
		Columns: `u.id, u.username, u.email, u.full_name, u.role, u.password_hash, COALESCE(u.pending_email, ''), u.email_verified_at,
       u.disabled_at, u.version, u.created_at, u.updated_at, u.last_login_at, '', '', u.deleted_at, u.deleted_by`,
		From: `users AS u`, Where: `u.deleted_at IS NOT NULL`,
	}
}

func scanDeletedUser(row pagination.Scanner) (u deletedUser, err error) {
	var deleted sqldb.Time
	u.AccountView, err = scanAccount(withMore{row, []any{&deleted, &u.DeletedBy}})
	u.DeletedAt = deleted.Time
	return u, err
}

// withMore scans more columns than its user asks for.
type withMore struct {
	pagination.Scanner
	more []any
}

// Scan reads the columns of dest and then the others.
func (w withMore) Scan(dest ...any) error { return w.Scanner.Scan(append(dest, w.more...)...) }

// DeletedUserList returns the specification of DeletedUsers.
func (s *Service) DeletedUserList() *pagination.Spec { return s.deletedList }

// DeletedUsers returns a page of the deleted accounts.
func (s *Service) DeletedUsers(ctx context.Context, parameters url.Values) (pagination.Page[DeletedUserJSON], error) {
	query, err := s.deletedList.Parse(parameters)
	if err != nil {
		return pagination.Page[DeletedUserJSON]{}, err
	}
	page, err := lists.Page(ctx, s.db, query, deletedUserSelect(), scanDeletedUser)
	return pagination.Map(page, func(u deletedUser) DeletedUserJSON {
		return DeletedUserJSON{
			newUserAdminJSON(u.AccountView), rest.NewDeletion(u.DeletedAt, u.DeletedBy, s.accounts.PurgeAt(u.DeletedAt)),
		}
	}), err
}

// A membership that comes back with its account may be one in a company that is closed.
const countClosedMembership = `
SELECT COUNT(*) FROM company_members AS m JOIN companies AS c ON c.id = m.company_id
 WHERE m.user_id = $1 AND m.deleted_at IS NULL AND c.deleted_at IS NOT NULL`

// RestoreUser undoes the deletion of an account, with the membership that was deleted with it. Errors:
// ErrNotFound, ErrNotDeleted, ErrParentDeleted when its company is closed, ErrUsernameTaken,
// ErrEmailTaken.
func (s *Service) RestoreUser(ctx context.Context, id string) (UserAdminJSON, int64, error) {
	err := s.db.InTx(ctx, func(tx sqldb.DB) error {
		if _, err := s.accounts.In(tx).Restore(ctx, id, trail.By(ctx)); err != nil {
			return restoreFault(err)
		}
		var closed int64
		if err := tx.QueryRow(ctx, countClosedMembership, id).Scan(&closed); err != nil {
			return fmt.Errorf("identity: restore user: %w", err)
		}
		return whenTrue(closed > 0, ErrParentDeleted)
	})
	if err != nil {
		return UserAdminJSON{}, 0, err
	}
	view, err := s.Account(ctx, id)
	return newUserAdminJSON(view), view.Version, err
}

func restoreFault(err error) error {
	switch {
	case errors.Is(err, softdelete.ErrNotFound):
		return ErrNotFound
	case errors.Is(err, softdelete.ErrNotDeleted):
		return ErrNotDeleted
	case errors.Is(err, softdelete.ErrConflict):
		switch constraint, _ := sqldb.UniqueViolation(err); constraint {
		case "users_email", "users.email":
			return ErrEmailTaken.With("", err)
		case "company_members_user", "company_members.user_id":
			return ErrAlreadyMember.With("", err)
		}
		return ErrUsernameTaken.With("", err)
	}
	return fmt.Errorf("identity: restore user: %w", err)
}

// PurgeUser removes a deleted account for good, with its sessions. Errors: ErrNotFound, ErrNotDeleted.
func (s *Service) PurgeUser(ctx context.Context, id string) error {
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		if err := s.endForgottenMemberships(ctx, tx); err != nil {
			return err
		}
		if _, err := s.accounts.In(tx).Purge(ctx, id, trail.By(ctx)); err != nil {
			return restoreFault(err)
		}
		return nil
	})
}

// A company that is restored brings back the memberships of accounts that were deleted meanwhile. They
// would keep the account from being purged.
const endForgottenMemberships = `
UPDATE company_members SET deleted_at = $1, deleted_by = $2, deletion_id = $3
 WHERE deleted_at IS NULL AND user_id IN (SELECT u.id FROM users AS u WHERE u.deleted_at IS NOT NULL)`

func (s *Service) endForgottenMemberships(ctx context.Context, db sqldb.DB) error {
	now := s.clock()
	if _, err := db.Exec(ctx, endForgottenMemberships, sqldb.At(now), trail.By(ctx), uuid7.New(now)); err != nil {
		return fmt.Errorf("identity: end memberships: %w", err)
	}
	return nil
}

// Purge removes for good the accounts that were deleted more than thirty days ago, with their
// memberships.
func (s *Service) Purge(ctx context.Context) error {
	if err := s.endForgottenMemberships(ctx, s.db); err != nil {
		return err
	}
	_, err := s.accounts.PurgeExpired(ctx, softdelete.PurgeOptions{Batch: purgeBatch, By: trail.By(ctx)})
	if err != nil {
		return fmt.Errorf("identity: purge: %w", err)
	}
	return nil
}
