package moving

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Survey names one move of one company: what a survey token opens.
type Survey struct {
	CompanyID string
	MoveID    string
}

const insertMoveSQL = `
INSERT INTO jobs (id, company_id, mode, status, customer_name, customer_email,
       customer_provides_packing, search, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, FALSE, $7, 1, $8, $9)`

func insertMove(ctx context.Context, db sqldb.DB, m Move) error {
	_, err := db.Exec(ctx, insertMoveSQL, m.ID, m.CompanyID, string(m.Mode), string(m.Status), m.Name,
		m.Email, m.search(), sqldb.At(m.CreatedAt), sqldb.At(m.CreatedAt))
	if err != nil {
		return fmt.Errorf("moving: insert move: %w", err)
	}
	return nil
}

// moveColumnNames are the columns of a move in the order scanMove reads them.
func moveColumnNames() []string {
	return []string{
		"id", "company_id", "mode", "status", "customer_name", "customer_email", "customer_phone", "pickup",
		"dropoff", "pickup_property", "dropoff_property", "pickup_access", "dropoff_access", "move_date",
		"customer_provides_packing", "quote", "final_price_pence", "quote_expires_at", "submitted_at", "approved_at",
		"accepted_at", "version", "created_at", "updated_at", "deleted_at", "deleted_by",
	}
}

// moveColumns are the same of the alias j.
func moveColumns() string { return "j." + strings.Join(moveColumnNames(), ", j.") }

const findMoveSQL = ` FROM jobs AS j WHERE j.id = $1 AND j.company_id = $2 AND j.deleted_at IS NULL`

// findMove returns ErrNotFound for a move of another company and for a deleted one.
func findMove(ctx context.Context, db sqldb.DB, at Survey) (Move, error) {
	m, err := scanMove(db.QueryRow(ctx, "SELECT "+moveColumns()+findMoveSQL, at.MoveID, at.CompanyID))
	if err != nil {
		return Move{}, notFound("find move", err)
	}
	return m, nil
}

func scanMove(row pagination.Scanner) (Move, error) {
	var m Move
	var pickup, dropoff, pickupAccess, dropoffAccess, quote *string
	var expires, submitted, approved, accepted, created, updated, deleted sqldb.Time
	err := row.Scan(&m.ID, &m.CompanyID, (*string)(&m.Mode), (*string)(&m.Status), &m.Name, &m.Email,
		&m.Phone, &pickup, &dropoff, &m.PickupProperty, &m.DropoffProperty, &pickupAccess,
		&dropoffAccess, &m.MoveDate, &m.CustomerProvidesPacking, &quote, &m.FinalPrice,
		&expires, &submitted, &approved, &accepted, &m.Version, &created, &updated,
		&deleted, &m.DeletedBy)
	if err != nil {
		return Move{}, err
	}
	for _, column := range []struct {
		text *string
		dest any
	}{
		{pickup, &m.Pickup},
		{dropoff, &m.Dropoff},
		{pickupAccess, &m.PickupAccess},
		{dropoffAccess, &m.DropoffAccess},
		{quote, &m.Quote},
	} {
		if column.text == nil {
			continue
		}
		if err := json.Unmarshal([]byte(*column.text), column.dest); err != nil {
			return Move{}, fmt.Errorf("moving: stored move %s: %w", m.ID, err)
		}
	}
	m.QuoteExpiresAt, m.SubmittedAt = expires.Ptr(), submitted.Ptr()
	m.ApprovedAt, m.AcceptedAt = approved.Ptr(), accepted.Ptr()
	m.CreatedAt, m.UpdatedAt, m.DeletedAt = created.Time, updated.Time, deleted.Ptr()
	return m, nil
}

// Version counts changes of the move's own fields; what happens in its rooms leaves it alone, so that
// If-Match of one form does not fail because of another.
const updateMoveSQL = `
UPDATE jobs
   SET customer_name = $1, customer_email = $2, customer_phone = $3, pickup = $4, dropoff = $5,
       pickup_property = $6, dropoff_property = $7, pickup_access = $8, dropoff_access = $9,
       move_date = $10, customer_provides_packing = $11, search = $12, updated_at = $13,
       version = version + 1
 WHERE id = $14 AND company_id = $15`

// updateMove stores what customers can set. The caller has locked the row by a guard.
func updateMove(ctx context.Context, db sqldb.DB, m Move) error {
	pickup, err := jsonText(m.Pickup)
	if err != nil {
		return err
	}
	dropoff, err := jsonText(m.Dropoff)
	if err != nil {
		return err
	}
	pickupAccess, err := jsonText(m.PickupAccess)
	if err != nil {
		return err
	}
	dropoffAccess, err := jsonText(m.DropoffAccess)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, updateMoveSQL, m.Name, m.Email, m.Phone, pickup, dropoff, m.PickupProperty,
		m.DropoffProperty, pickupAccess, dropoffAccess, m.MoveDate, m.CustomerProvidesPacking,
		m.search(), sqldb.At(m.UpdatedAt), m.ID, m.CompanyID)
	if err != nil {
		return fmt.Errorf("moving: update move: %w", err)
	}
	return nil
}

// jsonText encodes an optional value; nil is NULL.
func jsonText[T any](value *T) (*string, error) {
	if value == nil {
		return nil, nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("moving: encode: %w", err)
	}
	return new(string(text)), nil
}

// search is the folded text that staff find the move by: no more than they may see at the time.
func (m Move) search() string {
	parts := []*string{m.Name}
	if m.Status != InProgress {
		parts = append(parts, m.Email, m.Phone)
		for _, p := range []*Place{m.Pickup, m.Dropoff} {
			if p != nil {
				parts = append(parts, &p.Label, p.City)
			}
		}
	}
	var words []string
	for _, part := range parts {
		if part != nil {
			words = append(words, *part)
		}
	}
	return pagination.Fold(strings.Join(words, "\n"))
}

const openForEditsSQL = `
UPDATE jobs SET updated_at = $1
 WHERE id = $2 AND company_id = $3 AND status = 'in_progress' AND deleted_at IS NULL`

const openForContactSQL = `
UPDATE jobs SET updated_at = $1
 WHERE id = $2 AND company_id = $3 AND deleted_at IS NULL
   AND status IN ('in_progress', 'survey_complete', 'awaiting_approval', 'approved')`

// guard is the first statement of every change to a move: it holds the row until the transaction
// ends and returns ErrInvalidState when the status forbids the change.
func guard(ctx context.Context, tx sqldb.DB, query string, at Survey, now time.Time) error {
	n, err := tx.Exec(ctx, query, sqldb.At(now), at.MoveID, at.CompanyID)
	if err != nil {
		return fmt.Errorf("moving: guard: %w", err)
	}
	if n == 1 {
		return nil
	}
	if _, err := findMove(ctx, tx, at); err != nil {
		return err
	}
	return ErrInvalidState
}

// edit runs change in a transaction that the move's row opens, if it is still in progress.
func (s *Service) edit(ctx context.Context, at Survey, change func(tx sqldb.DB, now time.Time) error) error {
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		now := s.now()
		if err := guard(ctx, tx, openForEditsSQL, at, now); err != nil {
			return err
		}
		return change(tx, now)
	})
}
