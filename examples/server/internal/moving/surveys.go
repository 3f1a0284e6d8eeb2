package moving

import (
	"context"
	"slices"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
)

// NewSurvey is what staff know when they open a survey.
type NewSurvey struct {
	Mode          Mode
	CustomerName  *string
	CustomerEmail *string
}

// CreateSurvey opens a survey for a customer of the company and issues its first token. The credit is
// used at submission, but a company without one cannot start: ErrCreditsExhausted.
func (s *Service) CreateSurvey(ctx context.Context, companyID string, n NewSurvey) (Move, Token, error) {
	now := s.now()
	move := Move{
		ID: uuid7.New(now), CompanyID: companyID, Mode: n.Mode, Status: InProgress,
		Name: trimmed(n.CustomerName), Email: trimmed(n.CustomerEmail), CreatedAt: now,
	}
	if move.Email != nil && !validEmail(*move.Email) {
		return Move{}, Token{}, fault.Invalid(fault.Body("#/customer_email", fault.FieldBadFormat, emailRule))
	}
	at := Survey{CompanyID: companyID, MoveID: move.ID}
	var token Token
	err := s.db.InTx(ctx, func(tx sqldb.DB) error {
		if err := insertMove(ctx, tx, move); err != nil {
			return err
		}
		company, err := findCompany(ctx, tx, companyID)
		if err != nil {
			return err
		}
		if company.Credits < 1 {
			return ErrCreditsExhausted
		}
		token, err = s.issueToken(ctx, tx, at, "create", now)
		if err != nil {
			return err
		}
		if move, err = findMove(ctx, tx, at); err != nil {
			return err
		}
		return s.record(ctx, tx, companyID, trail.Create, audit.Entity{Type: entityMove, ID: move.ID}, nil, newMoveRecord(move))
	})
	return move, token, err
}

// trimmed cleans an optional line of text; one without content counts as absent.
func trimmed(text *string) *string {
	if text == nil {
		return nil
	}
	if clean := line(*text); clean != "" {
		return &clean
	}
	return nil
}

// Overview is a move as its customer sees it.
type Overview struct {
	Move    Move
	Company Company
	Rooms   []Room
	// Active says that an analysis is queued or running.
	Active bool
}

// Survey returns the whole survey.
func (s *Service) Survey(ctx context.Context, at Survey) (Overview, error) {
	return overview(ctx, s.db, at)
}

func overview(ctx context.Context, db sqldb.DB, at Survey) (Overview, error) {
	move, err := findMove(ctx, db, at)
	if err != nil {
		return Overview{}, err
	}
	company, err := findCompany(ctx, db, at.CompanyID)
	if err != nil {
		return Overview{}, err
	}
	rooms, err := listRooms(ctx, db, at)
	if err != nil {
		return Overview{}, err
	}
	active, err := countActiveAnalyses(ctx, db, at)
	if err != nil {
		return Overview{}, err
	}
	return Overview{Move: move, Company: company, Rooms: rooms, Active: active > 0}, nil
}

// Missing names what keeps the survey from being submitted, in a fixed order.
func (o Overview) Missing() []string {
	missing := []string{}
	need := func(absent bool, name string) {
		if absent {
			missing = append(missing, name)
		}
	}
	need(o.Move.Name == nil, "contact.name")
	need(o.Move.Email == nil, "contact.email")
	need(o.Move.Phone == nil, "contact.phone")
	need(o.Move.Pickup == nil, "pickup")
	need(o.Move.Dropoff == nil, "dropoff")
	need(len(o.Rooms) == 0, "rooms")
	need(len(o.Rooms) > 0 && !slices.ContainsFunc(o.Rooms, func(r Room) bool { return len(r.Items) > 0 }), "items")
	return missing
}

// Actions names what the customer can do now.
func (o Overview) Actions(now time.Time) []string {
	switch o.Move.Status {
	case InProgress:
		actions := []string{"edit"}
		if len(o.Missing()) == 0 && !o.Active {
			actions = append(actions, "submit")
		}
		return actions
	case Approved:
		if o.Move.QuoteExpiresAt != nil && now.Before(*o.Move.QuoteExpiresAt) {
			return []string{"edit_contact", "accept"}
		}
		return []string{"edit_contact"}
	case SurveyComplete, AwaitingApproval:
		return []string{"edit_contact"}
	}
	return []string{}
}

// UpdateSurvey lets change edit what a customer can set, if match accepts the version. Once the survey
// is submitted only the contact can change, and after acceptance nothing: ErrInvalidState.
func (s *Service) UpdateSurvey(ctx context.Context, at Survey, match IfMatch, contactOnly bool, change func(*Move) []fault.Field) error {
	query := openForEditsSQL
	if contactOnly {
		query = openForContactSQL
	}
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		now := s.now()
		blocked := guard(ctx, tx, query, at, now)
		move, err := findMove(ctx, tx, at)
		if err != nil {
			return err
		}
		before := move
		if faults := append(change(&move), move.faults(before, now)...); len(faults) > 0 {
			return fault.Invalid(faults...)
		}
		if !match.Accepts(move.Version) {
			return ErrStale
		}
		if blocked != nil {
			return blocked
		}
		move.UpdatedAt = now
		if err := updateMove(ctx, tx, move); err != nil {
			return err
		}
		return s.recordMove(ctx, tx, trail.Update, before, move)
	})
}

// faults checks what schemas cannot say. A move date is checked when it is set, not when it has come.
func (m *Move) faults(before Move, now time.Time) []fault.Field {
	var found []fault.Field
	if m.Email != nil && !validEmail(*m.Email) {
		found = append(found, fault.Body("#/contact/email", fault.FieldBadFormat, emailRule))
	}
	if m.Phone != nil && !validPhone(*m.Phone) {
		found = append(found, fault.Body("#/contact/phone", fault.FieldBadFormat, phoneRule))
	}
	for _, place := range []struct {
		pointer string
		*Place
	}{{"#/pickup", m.Pickup}, {"#/dropoff", m.Dropoff}} {
		if place.Place == nil {
			continue
		}
		if place.Label == "" {
			found = append(found, fault.Body(place.pointer+"/label", fault.FieldRequired, "Give the address."))
		}
		if (place.Lat == nil) != (place.Lng == nil) {
			found = append(found, fault.Body(place.pointer, fault.FieldRequired, "Give lat and lng together or neither."))
		}
	}
	if m.MoveDate != nil && (before.MoveDate == nil || *before.MoveDate != *m.MoveDate) {
		day, err := time.Parse(time.DateOnly, *m.MoveDate)
		switch {
		case err != nil || day.Year() > 9999:
			found = append(found, fault.Body("#/move_date", fault.FieldBadFormat, "Write the date as 2026-05-31."))
		case day.Before(now.UTC().Truncate(24 * time.Hour).Add(-24 * time.Hour)):
			// A day of grace, because today is another date in other zones.
			found = append(found, fault.Body("#/move_date", fault.FieldOutOfRange, "The date has passed."))
		}
	}
	return found
}

// SetAccess replaces how a place is reached.
func (s *Service) SetAccess(ctx context.Context, at Survey, dropoff bool, match IfMatch, access Access) (Move, error) {
	if access.Notes != nil {
		access.Notes = new(prose(*access.Notes))
	}
	if access.Restrictions == nil {
		access.Restrictions = []string{}
	}
	err := s.UpdateSurvey(ctx, at, match, false, func(m *Move) []fault.Field {
		if dropoff {
			m.DropoffAccess = &access
		} else {
			m.PickupAccess = &access
		}
		return nil
	})
	if err != nil {
		return Move{}, err
	}
	return findMove(ctx, s.db, at)
}
