package moving

import (
	"context"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Types of entities in the audit trail.
const (
	entityCompany  = "company"
	entityPricing  = "pricing"
	entityMove     = "job"
	entityRoom     = "room"
	entityItem     = "item"
	entityPhoto    = "photo"
	entityAnalysis = "analysis"
)

// record writes the entry of a change inside its transaction. A nil before is a creation, a nil after
// a deletion; values that show the same leave no entry.
func (s *Service) record(
	ctx context.Context, tx sqldb.DB, companyID, action string, entity audit.Entity, before, after any,
) error {
	err := s.audit.ChangeTo(ctx, sqlaudit.On(tx), audit.Event{Tenant: companyID, Action: action, Entity: entity}, before, after)
	if err != nil {
		return fmt.Errorf("moving: audit %s: %w", action, err)
	}
	return nil
}

// recordMove is record for a move as it was and as it is now in tx.
func (s *Service) recordMove(ctx context.Context, tx sqldb.DB, action string, before, after Move) error {
	entity := audit.Entity{Type: entityMove, ID: after.ID}
	return s.record(ctx, tx, after.CompanyID, action, entity, newMoveRecord(before), newMoveRecord(after))
}

// companyRecord is what the trail shows of a company.
type companyRecord struct {
	Name            string  `json:"name"`
	Slug            string  `json:"slug"`
	Email           string  `json:"email"`
	Phone           *string `json:"phone"`
	PrimaryColour   string  `json:"primary_colour"`
	SecondaryColour string  `json:"secondary_colour"`
	Active          bool    `json:"is_active"`
}

func newCompanyRecord(c Company) companyRecord {
	return companyRecord{
		Name: c.Name, Slug: c.Slug, Email: c.Email, Phone: c.Phone, PrimaryColour: c.PrimaryColour,
		SecondaryColour: c.SecondaryColour, Active: c.Active,
	}
}

// moveRecord is what the trail shows of a move: of the customer no more than that something changed.
type moveRecord struct {
	Mode            Mode       `json:"mode"`
	Status          Status     `json:"status"`
	Name            *string    `json:"customer_name" audit:"redact"`
	Email           *string    `json:"customer_email" audit:"redact"`
	Phone           *string    `json:"customer_phone" audit:"redact"`
	Pickup          *Place     `json:"pickup" audit:"redact"`
	Dropoff         *Place     `json:"dropoff" audit:"redact"`
	PickupProperty  *string    `json:"pickup_property_type"`
	DropoffProperty *string    `json:"dropoff_property_type"`
	PickupAccess    *Access    `json:"pickup_access"`
	DropoffAccess   *Access    `json:"dropoff_access"`
	MoveDate        *string    `json:"move_date"`
	OwnPacking      bool       `json:"customer_provides_packing"`
	Low             *int64     `json:"low_pence"`
	High            *int64     `json:"high_pence"`
	FinalPrice      *int64     `json:"final_price_pence"`
	QuoteExpiresAt  *time.Time `json:"quote_expires_at"`
}

func newMoveRecord(m Move) moveRecord {
	r := moveRecord{
		Mode: m.Mode, Status: m.Status, Name: m.Name, Email: m.Email, Phone: m.Phone, Pickup: m.Pickup, Dropoff: m.Dropoff,
		PickupProperty: m.PickupProperty, DropoffProperty: m.DropoffProperty, PickupAccess: m.PickupAccess,
		DropoffAccess: m.DropoffAccess, MoveDate: m.MoveDate, OwnPacking: m.CustomerProvidesPacking,
		FinalPrice: m.FinalPrice, QuoteExpiresAt: m.QuoteExpiresAt,
	}
	if m.Quote != nil {
		r.Low, r.High = &m.Quote.Low, &m.Quote.High
	}
	return r
}

// roomRecord is what the trail shows of a room.
type roomRecord struct {
	Name          string  `json:"name"`
	Summary       *string `json:"summary"`
	PackRequested bool    `json:"pack_requested"`
	Items         int     `json:"items"` // rows
}

func newRoomRecord(r Room) roomRecord {
	return roomRecord{Name: r.Name, Summary: r.Summary, PackRequested: r.PackRequested, Items: len(r.Items)}
}

// itemRecord is what the trail shows of an item, in the units of the database.
type itemRecord struct {
	RoomID    string  `json:"room_id"`
	Name      string  `json:"name"`
	Qty       int64   `json:"qty"`
	Length    *int64  `json:"length_mm"`
	Width     *int64  `json:"width_mm"`
	Height    *int64  `json:"height_mm"`
	Weight    *int64  `json:"weight_g"`
	Volume    *int64  `json:"volume"`
	Fragile   bool    `json:"fragile"`
	Category  string  `json:"category"`
	Packing   string  `json:"packing"`
	VariantID *string `json:"variant_id"`
	Notes     *string `json:"notes"`
}

func newItemRecord(i Item) itemRecord {
	return itemRecord{
		RoomID: i.RoomID, Name: i.Name, Qty: i.Qty, Length: i.Length, Width: i.Width, Height: i.Height, Weight: i.Weight,
		Volume: i.Volume, Fragile: i.Fragile, Category: i.Category, Packing: i.Packing, VariantID: i.VariantID, Notes: i.Notes,
	}
}

// photoRecord is what the trail shows of a photo.
type photoRecord struct {
	RoomID string `json:"room_id"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	Width  int64  `json:"width"`
	Height int64  `json:"height"`
}

func newPhotoRecord(p Photo) photoRecord {
	return photoRecord{RoomID: p.RoomID, SHA256: p.SHA256, Bytes: p.Bytes, Width: p.Width, Height: p.Height}
}

// analysisRecord is what the trail shows of an analysis that somebody asked for.
type analysisRecord struct {
	RoomID string `json:"room_id"`
	Photos int64  `json:"photos"`
}

// liveTokens is what the trail shows of a revocation.
type liveTokens struct {
	Live int64 `json:"live"`
}

// tokenRecord is what the trail shows of a survey token.
type tokenRecord struct {
	Reason    string    `json:"reason"`
	ExpiresAt time.Time `json:"expires_at"`
}
