package moving

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

const (
	moveRetention    = 30 * 24 * time.Hour
	companyRetention = 90 * 24 * time.Hour
	// idleRetention is how many years a move in a final state is kept after its last change.
	idleRetention = 2
)

// wireDeletion says what belongs together when it is deleted, restored and purged.
func (s *Service) wireDeletion() error {
	items := softdelete.Child{Table: "items", ForeignKey: "room_id"}
	// Photos, analyses and tokens have no life of their own: while their move is deleted nothing leads
	// to them, and the purge takes them along.
	kept := func(table, key string) softdelete.Child {
		return softdelete.Child{Table: table, ForeignKey: key, DeletedAt: "-"}
	}
	ofMove := []softdelete.Child{
		kept("photos", "job_id"), kept("analyses", "job_id"), kept("survey_tokens", "job_id"),
		{Table: "rooms", ForeignKey: "job_id", Children: []softdelete.Child{items}},
	}
	var errs [4]error
	s.moves, errs[0] = softdelete.New(softdelete.Config[Move, string]{
		DB: s.db, Table: "jobs", Columns: moveColumnNames(), Scan: scanMove, Tenant: "company_id",
		Parents: []softdelete.Parent{{Table: "companies", ForeignKey: "company_id", Tenant: "-"}}, Children: ofMove,
		Retention: moveRetention, OnChange: s.moveChanged, Now: s.now,
	})
	s.rooms, errs[1] = softdelete.New(softdelete.Config[string, string]{
		DB: s.db, Table: "rooms", Columns: []string{"id"}, Scan: scanID, Tenant: "company_id",
		Children: []softdelete.Child{items}, Retention: moveRetention, Now: s.now,
	})
	s.items, errs[2] = softdelete.New(softdelete.Config[string, string]{
		DB: s.db, Table: "items", Columns: []string{"id"}, Scan: scanID, Tenant: "company_id",
		Retention: moveRetention, Now: s.now,
	})
	s.companies, errs[3] = softdelete.New(softdelete.Config[Company, string]{
		DB: s.db, Table: "companies", Columns: companyColumnNames(), Scan: scanCompany,
		Unique: [][]string{{"slug"}, {"email"}},
		Children: []softdelete.Child{
			{Table: "company_members", ForeignKey: "company_id"},
			{Table: "jobs", ForeignKey: "company_id", Children: ofMove},
			kept("company_invites", "company_id"),
			{Table: "company_pricing", ForeignKey: "company_id", ID: "company_id", DeletedAt: "-"},
		},
		Retention: companyRetention, OnChange: s.companyChanged, Now: s.now,
	})
	return errors.Join(errs[:]...)
}

func (s *Service) moveChanged(ctx context.Context, tx sqldb.DB, c softdelete.Change[Move, string]) error {
	for _, move := range c.Rows {
		if err := s.recordDeletion(ctx, tx, c.Kind, trail.Delete, move.CompanyID, entityMove, move.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) companyChanged(ctx context.Context, tx sqldb.DB, c softdelete.Change[Company, string]) error {
	for _, id := range c.IDs {
		if err := s.recordDeletion(ctx, tx, c.Kind, trail.CompanyClose, id, entityCompany, id); err != nil {
			return err
		}
	}
	return nil
}

// recordDeletion writes the entry of what package softdelete has done to a row. It shows nothing of the
// row, which may go for good.
func (s *Service) recordDeletion(
	ctx context.Context, tx sqldb.DB, kind softdelete.Kind, deletion, companyID, entity, id string,
) error {
	action := map[softdelete.Kind]string{
		softdelete.Deleted: deletion, softdelete.Restored: trail.Restore, softdelete.Purged: trail.Purge,
	}[kind]
	err := s.audit.LogTo(ctx, sqlaudit.On(tx), audit.Event{
		Tenant: companyID, Action: action, Entity: audit.Entity{Type: entity, ID: id},
	})
	if err != nil {
		return fmt.Errorf("moving: audit %s: %w", action, err)
	}
	return nil
}

// deletionFault turns the errors of package softdelete into faults clients know.
func deletionFault(err error) error {
	switch {
	case errors.Is(err, softdelete.ErrNotFound), errors.Is(err, softdelete.ErrAlreadyDeleted):
		return ErrNotFound
	case errors.Is(err, softdelete.ErrNotDeleted):
		return ErrNotDeleted
	case errors.Is(err, softdelete.ErrParentDeleted):
		return ErrParentDeleted
	case err != nil:
		return fmt.Errorf("moving: %w", err)
	}
	return nil
}

// DeleteMove deletes a move with its rooms and items. The customer's tokens do not work meanwhile.
// Errors: ErrNotFound, ErrStale.
func (s *Service) DeleteMove(ctx context.Context, at Survey, match IfMatch) error {
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		if _, err := tx.Exec(ctx, lockRowSQL, at.MoveID, at.CompanyID); err != nil {
			return fmt.Errorf("moving: lock: %w", err)
		}
		move, err := findMove(ctx, tx, at)
		if err != nil {
			return err
		}
		if !match.Accepts(move.Version) {
			return ErrStale
		}
		_, err = s.moves.For(at.CompanyID).In(tx).Delete(ctx, at.MoveID, trail.By(ctx))
		return deletionFault(err)
	})
}

// RestoreMove undoes the deletion of a move: the rooms and items that were deleted with it come back,
// those deleted before do not. Errors: ErrNotFound, ErrNotDeleted.
func (s *Service) RestoreMove(ctx context.Context, at Survey) error {
	_, err := s.moves.For(at.CompanyID).Restore(ctx, at.MoveID, trail.By(ctx))
	return deletionFault(err)
}

const (
	// The row of the company is locked first, so that no move is accepted meanwhile.
	lockCompanySQL = `UPDATE companies SET version = version WHERE id = $1 AND deleted_at IS NULL`

	countOpenMovesSQL = `
SELECT COUNT(*) FROM jobs AS j WHERE j.company_id = $1 AND j.status IN ('accepted', 'booked') AND j.deleted_at IS NULL`

	lockMovesSQL = `UPDATE jobs SET version = version WHERE company_id = $1 AND deleted_at IS NULL`

	revokeCompanyTokensSQL = `
UPDATE survey_tokens SET revoked_at = $1 WHERE company_id = $2 AND revoked_at IS NULL`
)

// CloseCompany deletes a company with its memberships and moves, and revokes the survey tokens, as part
// of tx. Errors: ErrNotFound, ErrStale, ErrOpenMoves while moves are accepted or booked.
func (s *Service) CloseCompany(ctx context.Context, tx sqldb.DB, id string, match IfMatch) error {
	for _, lock := range []string{lockCompanySQL, lockMovesSQL} {
		if _, err := tx.Exec(ctx, lock, id); err != nil {
			return fmt.Errorf("moving: close company: %w", err)
		}
	}
	company, err := findCompany(ctx, tx, id)
	if err != nil {
		return err
	}
	if !match.Accepts(company.Version) {
		return ErrStale
	}
	open, err := count(ctx, tx, countOpenMovesSQL, id)
	if err != nil {
		return err
	}
	if open > 0 {
		return ErrOpenMoves
	}
	if _, err := tx.Exec(ctx, revokeCompanyTokensSQL, sqldb.At(s.now()), id); err != nil {
		return fmt.Errorf("moving: revoke tokens: %w", err)
	}
	_, err = s.companies.In(tx).Delete(ctx, id, trail.By(ctx))
	return deletionFault(err)
}

// RestoreCompany undoes the deletion of a company, with the memberships and moves that were deleted with
// it. Survey tokens stay revoked. Errors: ErrNotFound, ErrNotDeleted, ErrSlugTaken, ErrEmailTaken,
// ErrMemberElsewhere.
func (s *Service) RestoreCompany(ctx context.Context, id string) (Company, error) {
	_, err := s.companies.Restore(ctx, id, trail.By(ctx))
	if errors.Is(err, softdelete.ErrConflict) {
		return Company{}, restoreConflict(err)
	}
	if err != nil {
		return Company{}, deletionFault(err)
	}
	return findCompany(ctx, s.db, id)
}

// restoreConflict says which value has been taken since. The databases name it in their own ways.
func restoreConflict(err error) error {
	switch constraint, _ := sqldb.UniqueViolation(err); constraint {
	case "companies_slug", "companies.slug":
		return ErrSlugTaken.With("", err)
	case "companies_email", "companies.email":
		return ErrEmailTaken.With("", err)
	}
	return ErrMemberElsewhere.With("", err)
}
