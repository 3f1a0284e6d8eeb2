package moving

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/sqldb"
	"github.com/groundwork-go/groundwork/vision"
)

// Limits of an upload.
const (
	maxUploadPhotos = 6
	maxPhotoBytes   = 10 << 20
)

const photoType = "image/jpeg"

// prepared is one file of an upload: a photo that is ready to be stored, or the reason why not.
type prepared struct {
	name    string // as the client calls it
	hash    string // of the file
	photo   vision.Prepared
	refusal *middleware.Problem
}

// Outcome is what became of one file of an upload.
type Outcome struct {
	Name      string
	Refusal   *middleware.Problem // nil when the photo was taken
	Photo     *Photo
	Duplicate bool // the move had this photo already
}

// prepare decodes a file and makes it a safe JPEG. Only a failure of the server is an error.
func (s *Service) prepare(ctx context.Context, name, hash string, data []byte) (prepared, error) {
	select {
	case s.decoders <- struct{}{}:
		defer func() { <-s.decoders }()
	case <-ctx.Done():
		return prepared{}, fmt.Errorf("moving: prepare photo: %w", ctx.Err())
	}
	file := prepared{name: name, hash: hash}
	photo, err := vision.Prepare(ctx, data, vision.PrepareOptions{
		Limits: vision.Limits{
			MaxBytes: maxPhotoBytes, MaxPixels: 40_000_000,
			Formats: []vision.Format{vision.FormatJPEG, vision.FormatPNG, vision.FormatWebP},
		},
		LongSide: 2048, Quality: 80,
	})
	if err == nil {
		file.photo = photo
		return file, nil
	}
	var refused *vision.UploadError
	if !errors.As(err, &refused) {
		return prepared{}, fmt.Errorf("moving: prepare photo: %w", err)
	}
	switch {
	case errors.Is(err, vision.ErrEmpty):
		file.refusal = fault.New(fault.ImageEmpty, "The file is empty.")
	case errors.Is(err, vision.ErrTooLarge):
		file.refusal = ErrTooLarge
	case errors.Is(err, vision.ErrUnsupportedFormat):
		file.refusal = fault.New(fault.UnsupportedMedia, "Send JPEG, PNG or WebP: "+orElse(refused.Reason, "the file is none of them")+".")
	case errors.Is(err, vision.ErrDimensions):
		file.refusal = fault.New(fault.ImageDimensions, "The picture has the wrong size: "+orElse(refused.Reason, "out of range")+".")
	case errors.Is(err, vision.ErrInfected):
		file.refusal = fault.New(fault.ImageInfected, "The file contains malicious content.")
	case errors.Is(err, vision.ErrNotScanned):
		return prepared{}, fault.New(fault.Unavailable, "Files cannot be checked right now.").With("", err)
	default:
		file.refusal = fault.New(fault.ImageCorrupt, "The picture is damaged or incomplete.")
	}
	return file, nil
}

func orElse(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

// checkUpload refuses an upload that cannot succeed before its body is read. An empty room id stands
// for the room "Whole Property".
func (s *Service) checkUpload(ctx context.Context, at Survey, roomID string) error {
	if s.analyzer == nil {
		return ErrNotConfigured
	}
	if roomID != "" {
		if _, err := findRoom(ctx, s.db, at, roomID); err != nil {
			return err
		}
	}
	move, err := findMove(ctx, s.db, at)
	if err != nil {
		return err
	}
	if move.Status != InProgress {
		return ErrInvalidState
	}
	return nil
}

// storePhotos keeps the accepted files of one upload, all of them or none, and has the room
// analysed. The analysis is nil when every photo was known already.
func (s *Service) storePhotos(ctx context.Context, at Survey, roomID string, files []prepared) ([]Outcome, *Analysis, error) {
	photos := make([]*Photo, len(files))
	var stored []string
	undo := func() {
		for _, key := range stored {
			s.removeFile(ctx, key)
		}
	}
	seen := map[string]bool{}
	for i, file := range files {
		if file.refusal != nil || seen[file.hash] {
			continue
		}
		seen[file.hash] = true
		known, err := count(ctx, s.db, knownPhotoSQL, at.MoveID, file.hash)
		if err == nil && known == 0 {
			id := uuid7.New(s.now())
			photos[i] = &Photo{
				ID: id, SHA256: file.hash, Bytes: int64(len(file.photo.Data)),
				Width: int64(file.photo.Width), Height: int64(file.photo.Height),
				StorageKey: "photos/" + at.MoveID + "/" + id + ".jpg",
			}
			// Named before it is written, so that a half-finished Put is removed as well.
			stored = append(stored, photos[i].StorageKey)
			err = s.files.Put(ctx, photos[i].StorageKey, bytes.NewReader(file.photo.Data), photoType)
		}
		if err != nil {
			undo()
			return nil, nil, fmt.Errorf("moving: store photo: %w", err)
		}
	}

	var outcomes []Outcome
	var analysis *Analysis
	err := s.edit(ctx, at, func(tx sqldb.DB, now time.Time) error {
		var err error
		outcomes, analysis, err = s.insertPhotos(ctx, tx, at, roomID, files, photos, now)
		return err
	})
	if err != nil {
		undo()
		return nil, nil, err
	}
	// An upload of the same file that was faster has left ours unused.
	for i, photo := range photos {
		if photo != nil && outcomes[i].Duplicate {
			s.removeFile(ctx, photo.StorageKey)
		}
	}
	return outcomes, analysis, nil
}

const (
	knownPhotoSQL      = `SELECT COUNT(*) FROM photos AS p WHERE p.job_id = $1 AND p.sha256 = $2`
	countRoomPhotosSQL = `SELECT COUNT(*) FROM photos AS p WHERE p.room_id = $1`
	countMovePhotosSQL = `SELECT COUNT(*) FROM photos AS p WHERE p.job_id = $1`
)

const insertPhotoSQL = `
INSERT INTO photos (id, company_id, job_id, room_id, sha256, content_type, bytes, width, height,
       storage_key, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (job_id, sha256) DO NOTHING`

func (s *Service) insertPhotos(ctx context.Context, tx sqldb.DB, at Survey, roomID string, files []prepared, photos []*Photo, now time.Time) ([]Outcome, *Analysis, error) {
	if roomID == "" {
		var err error
		if roomID, err = wholePropertyRoom(ctx, tx, at, now); err != nil {
			return nil, nil, err
		}
	} else if _, err := findRoom(ctx, tx, at, roomID); err != nil {
		return nil, nil, err
	}
	outcomes := make([]Outcome, len(files))
	added := int64(0)
	for i, file := range files {
		outcomes[i] = Outcome{Name: file.name, Refusal: file.refusal}
		if file.refusal != nil {
			continue
		}
		inserted := int64(0)
		if p := photos[i]; p != nil {
			var err error
			inserted, err = tx.Exec(ctx, insertPhotoSQL, p.ID, at.CompanyID, at.MoveID, roomID, p.SHA256,
				photoType, p.Bytes, p.Width, p.Height, p.StorageKey, sqldb.At(now))
			if err != nil {
				return nil, nil, fmt.Errorf("moving: insert photo: %w", err)
			}
		}
		photo, err := scanPhoto(tx.QueryRow(ctx, findPhotoByHashSQL, at.MoveID, at.CompanyID, file.hash))
		if err != nil {
			// A duplicate can be deleted between the look and the transaction.
			return nil, nil, notFound("find photo", err)
		}
		outcomes[i].Photo, outcomes[i].Duplicate = &photo, inserted == 0
		added += inserted
		if inserted == 0 {
			continue
		}
		err = s.record(ctx, tx, at.CompanyID, trail.Create, audit.Entity{Type: entityPhoto, ID: photo.ID}, nil, newPhotoRecord(photo))
		if err != nil {
			return nil, nil, err
		}
	}
	if added == 0 {
		return outcomes, nil, nil
	}
	inRoom, err := count(ctx, tx, countRoomPhotosSQL, roomID)
	if err != nil {
		return nil, nil, err
	}
	if inRoom > maxRoomPhotos {
		return nil, nil, ErrTooManyRoomPhotos
	}
	if n, err := count(ctx, tx, countMovePhotosSQL, at.MoveID); err != nil {
		return nil, nil, err
	} else if n > maxMovePhotos {
		return nil, nil, ErrTooManyPhotos
	}
	analysis, err := s.queueAnalysis(ctx, tx, at, roomID, inRoom, now)
	if err != nil {
		return nil, nil, err
	}
	return outcomes, &analysis, nil
}

func wholePropertyRoom(ctx context.Context, tx sqldb.DB, at Survey, now time.Time) (string, error) {
	var id string
	err := notFoundNil(tx.QueryRow(ctx, findRoomByNameSQL, at.MoveID, at.CompanyID, wholeProperty).Scan(&id))
	if err != nil || id != "" {
		return id, err
	}
	room, err := addRoom(ctx, tx, at, wholeProperty, false, now)
	return room.ID, err
}

// notFoundNil forgives that no row was there.
func notFoundNil(err error) error {
	if err == nil || errors.Is(notFound("", err), ErrNotFound) {
		return nil
	}
	return fmt.Errorf("moving: find room: %w", err)
}

const deletePhotoSQL = `DELETE FROM photos WHERE id = $1 AND job_id = $2 AND company_id = $3`

// DeletePhoto deletes a photo; the items found on it stay.
func (s *Service) DeletePhoto(ctx context.Context, at Survey, id string) error {
	var photo Photo
	err := s.change(ctx, at, func(tx sqldb.DB, _ time.Time) (int64, error) {
		var err error
		photo, err = findPhoto(ctx, tx, at, id)
		return 0, err
	}, IfMatch{}, func(tx sqldb.DB, now time.Time) error {
		if _, err := tx.Exec(ctx, deletePhotoSQL, id, at.MoveID, at.CompanyID); err != nil {
			return fmt.Errorf("moving: delete photo: %w", err)
		}
		items, err := roomItems(ctx, tx, at, photo.RoomID)
		if err != nil {
			return err
		}
		for _, item := range items {
			if n := slices.Index(item.PhotoIDs, id); n >= 0 {
				item.PhotoIDs, item.UpdatedAt = slices.Delete(item.PhotoIDs, n, n+1), now
				if err := updateItem(ctx, tx, at, item); err != nil {
					return err
				}
			}
		}
		return s.record(ctx, tx, at.CompanyID, trail.Delete, audit.Entity{Type: entityPhoto, ID: id}, newPhotoRecord(photo), nil)
	})
	if err != nil {
		return err
	}
	s.removeFile(ctx, photo.StorageKey)
	return nil
}

// OpenPhoto returns the content of a photo, which the caller closes. ErrNotFound for one of another
// move.
func (s *Service) OpenPhoto(ctx context.Context, at Survey, id string) (Photo, io.ReadCloser, error) {
	photo, err := findPhoto(ctx, s.db, at, id)
	if err != nil {
		return Photo{}, nil, err
	}
	content, _, err := s.files.Open(ctx, photo.StorageKey)
	if err != nil {
		return Photo{}, nil, fmt.Errorf("moving: open photo: %w", err)
	}
	return photo, content, nil
}

// removeFile deletes a file whose row is gone. The caller's context may have ended, and the row's
// change has happened, so a failure is only reported.
func (s *Service) removeFile(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := s.files.Delete(ctx, key); err != nil {
		s.logger.WarnContext(ctx, "photo file not removed", "key", key, "error", err)
	}
}

const photoColumns = `p.id, p.room_id, p.sha256, p.bytes, p.width, p.height, p.storage_key, p.created_at`

const (
	findPhotoSQL = `SELECT ` + photoColumns + `
  FROM photos AS p WHERE p.id = $1 AND p.job_id = $2 AND p.company_id = $3`
	findPhotoByHashSQL = `SELECT ` + photoColumns + `
  FROM photos AS p WHERE p.job_id = $1 AND p.company_id = $2 AND p.sha256 = $3`
	roomPhotosSQL = `SELECT ` + photoColumns + `
  FROM photos AS p WHERE p.room_id = $1 AND p.job_id = $2 AND p.company_id = $3 ORDER BY p.created_at, p.id`
	movePhotosSQL = `SELECT ` + photoColumns + `
  FROM photos AS p WHERE p.job_id = $1 AND p.company_id = $2 ORDER BY p.created_at, p.id`
)

func findPhoto(ctx context.Context, db sqldb.DB, at Survey, id string) (Photo, error) {
	if !uuid7.Valid(id) {
		return Photo{}, ErrNotFound
	}
	photo, err := scanPhoto(db.QueryRow(ctx, findPhotoSQL, id, at.MoveID, at.CompanyID))
	if err != nil {
		return Photo{}, notFound("find photo", err)
	}
	return photo, nil
}

func roomPhotos(ctx context.Context, db sqldb.DB, at Survey, roomID string) ([]Photo, error) {
	return collect(ctx, db, scanPhoto, roomPhotosSQL, roomID, at.MoveID, at.CompanyID)
}

func movePhotos(ctx context.Context, db sqldb.DB, at Survey) ([]Photo, error) {
	return collect(ctx, db, scanPhoto, movePhotosSQL, at.MoveID, at.CompanyID)
}

func scanPhoto(row sqldb.Row) (Photo, error) {
	var p Photo
	var created sqldb.Time
	err := row.Scan(&p.ID, &p.RoomID, &p.SHA256, &p.Bytes, &p.Width, &p.Height, &p.StorageKey, &created)
	p.CreatedAt = created.Time
	return p, err
}
