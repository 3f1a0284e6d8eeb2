package moving

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
)

// wholeProperty is the room for photos that are not sorted by room.
const wholeProperty = "Whole Property"

// AddRoom adds a room. ErrTooManyRooms beyond 40.
func (s *Service) AddRoom(ctx context.Context, at Survey, name string, pack bool) (Room, error) {
	var room Room
	err := s.edit(ctx, at, func(tx sqldb.DB, now time.Time) error {
		var err error
		if room, err = addRoom(ctx, tx, at, name, pack, now); err != nil {
			return err
		}
		return s.record(ctx, tx, at.CompanyID, trail.Create, audit.Entity{Type: entityRoom, ID: room.ID}, nil, newRoomRecord(room))
	})
	return room, err
}

const countRoomsSQL = `SELECT COUNT(*) FROM rooms AS r WHERE r.job_id = $1 AND r.company_id = $2 AND r.deleted_at IS NULL`

const insertRoomSQL = `
INSERT INTO rooms (id, company_id, job_id, name, pack_requested, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, 1, $6, $7)`

func addRoom(ctx context.Context, tx sqldb.DB, at Survey, name string, pack bool, now time.Time) (Room, error) {
	n, err := count(ctx, tx, countRoomsSQL, at.MoveID, at.CompanyID)
	if err != nil {
		return Room{}, err
	}
	if n >= maxRooms {
		return Room{}, ErrTooManyRooms
	}
	id := uuid7.New(now)
	_, err = tx.Exec(ctx, insertRoomSQL, id, at.CompanyID, at.MoveID, name, pack, sqldb.At(now), sqldb.At(now))
	if err != nil {
		return Room{}, fmt.Errorf("moving: insert room: %w", err)
	}
	return findRoom(ctx, tx, at, id)
}

// Room returns a room with what is in it. ErrNotFound for a room of another move.
func (s *Service) Room(ctx context.Context, at Survey, id string) (Room, error) {
	room, err := findRoom(ctx, s.db, at, id)
	if err != nil {
		return Room{}, err
	}
	if room.Items, err = roomItems(ctx, s.db, at, id); err != nil {
		return Room{}, err
	}
	room.Photos, err = roomPhotos(ctx, s.db, at, id)
	return room, err
}

// Rooms returns the rooms of a move in the order they were added, with what is in them.
func (s *Service) Rooms(ctx context.Context, at Survey) ([]Room, error) {
	return listRooms(ctx, s.db, at)
}

const updateRoomSQL = `
UPDATE rooms SET name = $1, pack_requested = $2, updated_at = $3, version = version + 1
 WHERE id = $4 AND job_id = $5 AND company_id = $6 AND deleted_at IS NULL`

// UpdateRoom lets change edit a room, if match accepts its version.
func (s *Service) UpdateRoom(ctx context.Context, at Survey, id string, match IfMatch, change func(*Room)) (Room, error) {
	err := s.change(ctx, at, func(tx sqldb.DB, now time.Time) (int64, error) {
		room, err := findRoom(ctx, tx, at, id)
		return room.Version, err
	}, match, func(tx sqldb.DB, now time.Time) error {
		room, err := findRoom(ctx, tx, at, id)
		if err != nil {
			return err
		}
		before := newRoomRecord(room)
		change(&room)
		_, err = tx.Exec(ctx, updateRoomSQL, room.Name, room.PackRequested, sqldb.At(now), id, at.MoveID, at.CompanyID)
		if err != nil {
			return fmt.Errorf("moving: update room: %w", err)
		}
		return s.record(ctx, tx, at.CompanyID, trail.Update, audit.Entity{Type: entityRoom, ID: id}, before, newRoomRecord(room))
	})
	if err != nil {
		return Room{}, err
	}
	return s.Room(ctx, at, id)
}

// change is edit for one row of a survey, in the order of checks that all routes share: the row must
// exist, then its version must match, then the status of the move must allow the change.
func (s *Service) change(ctx context.Context, at Survey, version func(sqldb.DB, time.Time) (int64, error), match IfMatch, apply func(sqldb.DB, time.Time) error) error {
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		now := s.now()
		blocked := guard(ctx, tx, openForEditsSQL, at, now)
		if blocked != nil && !errors.Is(blocked, ErrInvalidState) {
			return blocked
		}
		current, err := version(tx, now)
		switch {
		case err != nil:
			return err
		case !match.Accepts(current):
			return ErrStale
		case blocked != nil:
			return blocked
		}
		return apply(tx, now)
	})
}

const (
	deleteRoomPhotosSQL   = `DELETE FROM photos WHERE room_id = $1 AND job_id = $2 AND company_id = $3`
	deleteRoomAnalysesSQL = `DELETE FROM analyses WHERE room_id = $1 AND job_id = $2 AND company_id = $3`
)

// DeleteRoom deletes a room with its items. Its photos and analyses go at once and for good; an analysis
// under way ends without a result.
func (s *Service) DeleteRoom(ctx context.Context, at Survey, id string, match IfMatch) error {
	var room Room
	var photos []Photo
	err := s.change(ctx, at, func(tx sqldb.DB, _ time.Time) (int64, error) {
		var err error
		room, err = findRoom(ctx, tx, at, id)
		return room.Version, err
	}, match, func(tx sqldb.DB, _ time.Time) error {
		var err error
		if photos, err = roomPhotos(ctx, tx, at, id); err != nil {
			return err
		}
		for _, statement := range []string{deleteRoomPhotosSQL, deleteRoomAnalysesSQL} {
			if _, err := tx.Exec(ctx, statement, id, at.MoveID, at.CompanyID); err != nil {
				return fmt.Errorf("moving: delete room: %w", err)
			}
		}
		if _, err := s.rooms.For(at.CompanyID).In(tx).Delete(ctx, id, trail.By(ctx)); err != nil {
			return deletionFault(err)
		}
		return s.record(ctx, tx, at.CompanyID, trail.Delete, audit.Entity{Type: entityRoom, ID: id}, newRoomRecord(room), nil)
	})
	if err != nil {
		return err
	}
	for _, photo := range photos {
		s.removeFile(ctx, photo.StorageKey)
	}
	return nil
}

const roomColumns = `r.id, r.name, r.summary, r.pack_requested, r.version, r.created_at, r.updated_at`

const findRoomSQL = `SELECT ` + roomColumns + `
  FROM rooms AS r WHERE r.id = $1 AND r.job_id = $2 AND r.company_id = $3 AND r.deleted_at IS NULL`

func findRoom(ctx context.Context, db sqldb.DB, at Survey, id string) (Room, error) {
	if !uuid7.Valid(id) {
		return Room{}, ErrNotFound
	}
	room, err := scanRoom(db.QueryRow(ctx, findRoomSQL, id, at.MoveID, at.CompanyID))
	if err != nil {
		return Room{}, notFound("find room", err)
	}
	return room, nil
}

func scanRoom(row sqldb.Row) (Room, error) {
	var r Room
	var created, updated sqldb.Time
	err := row.Scan(&r.ID, &r.Name, &r.Summary, &r.PackRequested, &r.Version, &created, &updated)
	r.CreatedAt, r.UpdatedAt = created.Time, updated.Time
	return r, err
}

const findRoomByNameSQL = `
SELECT r.id FROM rooms AS r WHERE r.job_id = $1 AND r.company_id = $2 AND r.name = $3
   AND r.deleted_at IS NULL
 ORDER BY r.created_at, r.id LIMIT 1`

const listRoomsSQL = `SELECT ` + roomColumns + `
  FROM rooms AS r WHERE r.job_id = $1 AND r.company_id = $2 AND r.deleted_at IS NULL ORDER BY r.created_at, r.id`

func listRooms(ctx context.Context, db sqldb.DB, at Survey) ([]Room, error) {
	rooms, err := collect(ctx, db, scanRoom, listRoomsSQL, at.MoveID, at.CompanyID)
	if err != nil {
		return nil, err
	}
	items, err := moveItems(ctx, db, at)
	if err != nil {
		return nil, err
	}
	photos, err := movePhotos(ctx, db, at)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*Room, len(rooms))
	for i := range rooms {
		byID[rooms[i].ID] = &rooms[i]
	}
	for _, item := range items {
		if room := byID[item.RoomID]; room != nil {
			room.Items = append(room.Items, item)
		}
	}
	for _, photo := range photos {
		if room := byID[photo.RoomID]; room != nil {
			room.Photos = append(room.Photos, photo)
		}
	}
	return rooms, nil
}

// collect runs a query and scans every row.
func collect[T any](ctx context.Context, db sqldb.DB, scan func(sqldb.Row) (T, error), query string, args ...any) (list []T, err error) {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("moving: query: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		value, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("moving: scan: %w", err)
		}
		list = append(list, value)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("moving: rows: %w", err)
	}
	return list, nil
}
