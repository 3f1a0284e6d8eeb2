package moving

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
	"github.com/groundwork-go/groundwork/vision"
)

const (
	countItemsSQL   = `SELECT COUNT(*) FROM items AS i WHERE i.room_id = $1 AND i.deleted_at IS NULL`
	lastPositionSQL = `SELECT COALESCE(MAX(i.position), 0) FROM items AS i WHERE i.room_id = $1 AND i.deleted_at IS NULL`
)

// AddItem adds an item of the customer to a room. ErrTooManyItems beyond 300.
func (s *Service) AddItem(ctx context.Context, at Survey, roomID string, item Item) (Item, error) {
	item.ID, item.RoomID = uuid7.New(s.now()), roomID
	item.Source, item.PhotoIDs, item.Flags = SourceCustomer, []string{}, []string{}
	item.VariantGroup = variantGroup(item.Name)
	item.resize()
	err := s.change(ctx, at, func(tx sqldb.DB, _ time.Time) (int64, error) {
		room, err := findRoom(ctx, tx, at, roomID)
		return room.Version, err
	}, IfMatch{}, func(tx sqldb.DB, now time.Time) error {
		n, err := count(ctx, tx, countItemsSQL, roomID)
		if err != nil {
			return err
		}
		if n >= maxItems {
			return ErrTooManyItems
		}
		last, err := count(ctx, tx, lastPositionSQL, roomID)
		if err != nil {
			return err
		}
		item.Position, item.CreatedAt, item.UpdatedAt = last+1, now, now
		if err := insertItems(ctx, tx, at, []Item{item}); err != nil {
			return err
		}
		return s.record(ctx, tx, at.CompanyID, trail.Create, audit.Entity{Type: entityItem, ID: item.ID}, nil, newItemRecord(item))
	})
	if err != nil {
		return Item{}, err
	}
	return findItem(ctx, s.db, at, item.ID)
}

// variantGroup finds the group of usual sizes that a name belongs to.
func variantGroup(name string) *string {
	if group, ok := vision.MatchVariant(name); ok {
		return &group.Key
	}
	return nil
}

// Item returns an item. ErrNotFound for one of another move.
func (s *Service) Item(ctx context.Context, at Survey, id string) (Item, error) {
	return findItem(ctx, s.db, at, id)
}

// UpdateItem lets change edit an item, if match accepts its version. The item counts as edited from
// then on: no later analysis touches it.
func (s *Service) UpdateItem(ctx context.Context, at Survey, id string, match IfMatch, change func(*Item) []fault.Field) (Item, error) {
	var item Item
	err := s.change(ctx, at, func(tx sqldb.DB, _ time.Time) (int64, error) {
		var err error
		item, err = findItem(ctx, tx, at, id)
		return item.Version, err
	}, match, func(tx sqldb.DB, now time.Time) error {
		name, before := item.Name, newItemRecord(item)
		if faults := change(&item); len(faults) > 0 {
			return fault.Invalid(faults...)
		}
		if item.Name != name && item.VariantID == nil {
			item.VariantGroup = variantGroup(item.Name)
		}
		item.resize()
		item.Edited, item.UpdatedAt = true, now
		if err := updateItem(ctx, tx, at, item); err != nil {
			return err
		}
		return s.record(ctx, tx, at.CompanyID, trail.Update, audit.Entity{Type: entityItem, ID: id}, before, newItemRecord(item))
	})
	if err != nil {
		return Item{}, err
	}
	return findItem(ctx, s.db, at, id)
}

// ChooseVariant gives an item the name, sizes and weight of a catalogue entry. An unknown variant is a
// 422.
func (s *Service) ChooseVariant(ctx context.Context, at Survey, id string, match IfMatch, variantID string) (Item, error) {
	return s.UpdateItem(ctx, at, id, match, func(item *Item) []fault.Field {
		variant, ok := vision.VariantByID(variantID)
		if !ok {
			return []fault.Field{fault.Body("#/variant_id", fault.FieldUnknownReference, "There is no such variant. See /v1/variants.")}
		}
		item.Name, item.VariantGroup, item.VariantID = variant.Name, &variant.Group, &variant.ID
		item.Length = new(int64(variant.LengthCM) * 10)
		item.Width = new(int64(variant.WidthCM) * 10)
		item.Height = new(int64(variant.HeightCM) * 10)
		item.Weight = new(int64(variant.WeightKG) * 1000)
		return nil
	})
}

// DeleteItem takes an item off the list.
func (s *Service) DeleteItem(ctx context.Context, at Survey, id string, match IfMatch) error {
	var item Item
	return s.change(ctx, at, func(tx sqldb.DB, _ time.Time) (int64, error) {
		var err error
		item, err = findItem(ctx, tx, at, id)
		return item.Version, err
	}, match, func(tx sqldb.DB, _ time.Time) error {
		if _, err := s.items.For(at.CompanyID).In(tx).Delete(ctx, id, trail.By(ctx)); err != nil {
			return deletionFault(err)
		}
		return s.record(ctx, tx, at.CompanyID, trail.Delete, audit.Entity{Type: entityItem, ID: id}, newItemRecord(item), nil)
	})
}

const insertItemSQL = `
INSERT INTO items (id, company_id, job_id, room_id, name, original_name, qty, length_mm, width_mm,
       height_mm, volume, weight_g, fragile, category, packing, variant_group, variant_id,
       confidence_bp, photo_ids, flags, notes, source, edited, position, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
       $22, $23, $24, 1, $25, $26)`

func insertItems(ctx context.Context, db sqldb.DB, at Survey, items []Item) error {
	rows := make([][]any, len(items))
	for n, i := range items {
		photos, flags, err := i.lists()
		if err != nil {
			return err
		}
		rows[n] = []any{
			i.ID, at.CompanyID, at.MoveID, i.RoomID, i.Name, i.OriginalName, i.Qty, i.Length, i.Width,
			i.Height, i.Volume, i.Weight, i.Fragile, i.Category, i.Packing, i.VariantGroup, i.VariantID,
			i.Confidence, photos, flags, i.Notes, string(i.Source), i.Edited, i.Position,
			sqldb.At(i.CreatedAt), sqldb.At(i.UpdatedAt),
		}
	}
	if _, err := sqldb.InsertBatch(ctx, db, insertItemSQL, rows); err != nil {
		return fmt.Errorf("moving: insert items: %w", err)
	}
	return nil
}

// lists encodes the two lists of an item.
func (i Item) lists() (photos, flags string, err error) {
	p, err := json.Marshal(i.PhotoIDs)
	if err != nil {
		return "", "", fmt.Errorf("moving: encode item: %w", err)
	}
	f, err := json.Marshal(i.Flags)
	if err != nil {
		return "", "", fmt.Errorf("moving: encode item: %w", err)
	}
	return string(p), string(f), nil
}

const updateItemSQL = `
UPDATE items
   SET name = $1, qty = $2, length_mm = $3, width_mm = $4, height_mm = $5, volume = $6, weight_g = $7,
       fragile = $8, category = $9, packing = $10, variant_group = $11, variant_id = $12,
       photo_ids = $13, flags = $14, notes = $15, edited = $16, updated_at = $17, version = version + 1
 WHERE id = $18 AND job_id = $19 AND company_id = $20 AND deleted_at IS NULL`

func updateItem(ctx context.Context, db sqldb.DB, at Survey, i Item) error {
	photos, flags, err := i.lists()
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, updateItemSQL, i.Name, i.Qty, i.Length, i.Width, i.Height, i.Volume, i.Weight,
		i.Fragile, i.Category, i.Packing, i.VariantGroup, i.VariantID, photos, flags, i.Notes, i.Edited,
		sqldb.At(i.UpdatedAt), i.ID, at.MoveID, at.CompanyID)
	if err != nil {
		return fmt.Errorf("moving: update item: %w", err)
	}
	return nil
}

const itemColumns = `i.id, i.room_id, i.name, i.original_name, i.qty, i.length_mm, i.width_mm,
       i.height_mm, i.volume, i.weight_g, i.fragile, i.category, i.packing, i.variant_group,
       i.variant_id, i.confidence_bp, i.photo_ids, i.flags, i.notes, i.source, i.edited, i.position,
       i.version, i.created_at, i.updated_at`

const (
	findItemSQL = `SELECT ` + itemColumns + `
  FROM items AS i WHERE i.id = $1 AND i.job_id = $2 AND i.company_id = $3 AND i.deleted_at IS NULL`
	roomItemsSQL = `SELECT ` + itemColumns + `
  FROM items AS i WHERE i.room_id = $1 AND i.job_id = $2 AND i.company_id = $3 AND i.deleted_at IS NULL ORDER BY i.position, i.id`
	moveItemsSQL = `SELECT ` + itemColumns + `
  FROM items AS i WHERE i.job_id = $1 AND i.company_id = $2 AND i.deleted_at IS NULL ORDER BY i.position, i.id`
)

func findItem(ctx context.Context, db sqldb.DB, at Survey, id string) (Item, error) {
	if !uuid7.Valid(id) {
		return Item{}, ErrNotFound
	}
	item, err := scanItem(db.QueryRow(ctx, findItemSQL, id, at.MoveID, at.CompanyID))
	if err != nil {
		return Item{}, notFound("find item", err)
	}
	return item, nil
}

func roomItems(ctx context.Context, db sqldb.DB, at Survey, roomID string) ([]Item, error) {
	return collect(ctx, db, scanItem, roomItemsSQL, roomID, at.MoveID, at.CompanyID)
}

func moveItems(ctx context.Context, db sqldb.DB, at Survey) ([]Item, error) {
	return collect(ctx, db, scanItem, moveItemsSQL, at.MoveID, at.CompanyID)
}

func scanItem(row sqldb.Row) (Item, error) {
	var i Item
	var photos, flags string
	var created, updated sqldb.Time
	err := row.Scan(&i.ID, &i.RoomID, &i.Name, &i.OriginalName, &i.Qty, &i.Length, &i.Width, &i.Height,
		&i.Volume, &i.Weight, &i.Fragile, &i.Category, &i.Packing, &i.VariantGroup, &i.VariantID,
		&i.Confidence, &photos, &flags, &i.Notes, (*string)(&i.Source), &i.Edited, &i.Position,
		&i.Version, &created, &updated)
	if err != nil {
		return Item{}, err
	}
	if err := json.Unmarshal([]byte(photos), &i.PhotoIDs); err != nil {
		return Item{}, fmt.Errorf("moving: stored item %s: %w", i.ID, err)
	}
	if err := json.Unmarshal([]byte(flags), &i.Flags); err != nil {
		return Item{}, fmt.Errorf("moving: stored item %s: %w", i.ID, err)
	}
	i.CreatedAt, i.UpdatedAt = created.Time, updated.Time
	return i, nil
}
