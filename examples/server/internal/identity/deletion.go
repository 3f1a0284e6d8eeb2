package identity

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/examples/server/internal/identity/roles"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

// newAccounts says what belongs to an account: its membership is deleted and restored with it, and the
// invitations it has sent and its sessions go when it is purged. Its mailed tokens are over by then.
func (s *Service) newAccounts() (*softdelete.Repository[string, string], error) {
	return softdelete.New(softdelete.Config[string, string]{
		DB: s.db, Table: "users", Columns: []string{"id"},
		Scan: func(row pagination.Scanner) (id string, err error) {
			err = row.Scan(&id)
			return id, err
		},
		Unique: [][]string{{"email"}}, // and lower(username), by an index on that expression
		Children: []softdelete.Child{
			{Table: "company_members", ForeignKey: "user_id"},
			{Table: "company_invites", ForeignKey: "invited_by", DeletedAt: "-"},
			{Table: "auth_sessions", ForeignKey: "subject", DeletedAt: "-"},
			{Table: "auth_subjects", ForeignKey: "subject", ID: "subject", DeletedAt: "-"},
		},
		OnChange: s.accountChanged, Now: s.clock,
	})
}

// accountChanged writes the audit entries of deletions, restorations and purges.
func (s *Service) accountChanged(ctx context.Context, tx sqldb.DB, c softdelete.Change[string, string]) error {
	actions := map[softdelete.Kind]string{
		softdelete.Deleted: trail.Delete, softdelete.Restored: trail.Restore, softdelete.Purged: trail.Purge,
	}
	for _, id := range c.IDs {
		err := s.audit.LogTo(ctx, sqlaudit.On(tx), audit.Event{
			Action: actions[c.Kind], Entity: audit.Entity{Type: "user", ID: id},
		})
		if err != nil {
			return fmt.Errorf("identity: %w", err)
		}
	}
	return nil
}

// DeleteAccount deletes the account of whoever is signed in, with its membership, and ends its
// sessions. Errors: ErrStaleVersion, ErrWrongPassword, and those of deleteUser.
func (s *Service) DeleteAccount(ctx context.Context, user User, match rest.Match, secret string) error {
	if !match.Accepts(strconv.FormatInt(user.Version, 10)) {
		return ErrStaleVersion
	}
	if err := s.checkPassword(ctx, user, secret); err != nil {
		return err
	}
	return s.deleteUser(ctx, user.ID, user.ID, func(sqldb.DB) error { return nil })
}

// Two owners who count on each other must not go at the same moment: whoever deletes an account locks
// the rows of the owners first, and waits for the other's commit.
const (
	lockOwnersBeside = `
UPDATE company_members SET version = version
 WHERE role = 'owner' AND company_id IN (SELECT m.company_id FROM company_members AS m WHERE m.user_id = $1)`
	countAsLastOwner = `
SELECT COUNT(*) FROM company_members
 WHERE user_id = $1 AND deleted_at IS NULL AND NOT (TRUE` + otherOwner + `)`
)

// deleteUser deletes an account as its own wish or an administrator's, if check allows it, which runs
// in the transaction. ErrNotFound when there is none, ErrLastOwner and ErrLastAdmin when nobody else
// could act.
func (s *Service) deleteUser(ctx context.Context, userID, by string, check func(tx sqldb.DB) error) error {
	err := s.db.InTx(ctx, func(tx sqldb.DB) error {
		if err := roles.Lock(ctx, tx); err != nil {
			return err
		}
		if err := check(tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, lockOwnersBeside, userID); err != nil {
			return fmt.Errorf("identity: lock owners: %w", err)
		}
		var last int64
		if err := tx.QueryRow(ctx, countAsLastOwner, userID).Scan(&last); err != nil {
			return fmt.Errorf("identity: count owners: %w", err)
		}
		if last > 0 {
			return ErrLastOwner
		}
		if err := adminStays(ctx, tx, userID); err != nil {
			return err
		}
		_, err := s.accounts.In(tx).Delete(ctx, userID, by)
		if errors.Is(err, softdelete.ErrNotFound) || errors.Is(err, softdelete.ErrAlreadyDeleted) {
			return ErrNotFound
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.endSessions(ctx, userID)
}
