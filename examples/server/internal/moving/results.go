package moving

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
	"github.com/groundwork-go/groundwork/vision"
)

const succeedSQL = `
UPDATE analyses
   SET status = 'succeeded', progress = 100, claim = NULL, lease_until = NULL, finished_at = $1,
       photos = $2, items_found = $3, model = $4, prompt_version = $5,
       input_tokens = input_tokens + $6, output_tokens = output_tokens + $7,
       duration_ms = duration_ms + $8, error_code = NULL
 WHERE id = $9 AND claim = $10 AND status = 'running'`

const dropUneditedSQL = `
DELETE FROM items WHERE room_id = $1 AND job_id = $2 AND company_id = $3 AND source = 'ai' AND edited = FALSE AND deleted_at IS NULL`

const setSummarySQL = `
UPDATE rooms SET summary = $1, updated_at = $2, version = version + 1
 WHERE id = $3 AND job_id = $4 AND company_id = $5`

// save replaces what earlier analyses found in the room by the result, in one transaction that the
// claim guards. What a person has touched stays, also when it was touched while the model was
// looking.
func (s *Service) save(ctx context.Context, a Analysis, claim string, result *vision.Result, duration time.Duration) error {
	at := Survey{CompanyID: a.CompanyID, MoveID: a.JobID}
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		now := s.now()
		err := guard(ctx, tx, openForEditsSQL, at, now)
		if errors.Is(err, ErrInvalidState) || errors.Is(err, ErrNotFound) {
			return errCancelled
		}
		if err != nil {
			return err
		}
		photos, err := roomPhotos(ctx, tx, at, a.RoomID)
		if err != nil {
			return err
		}
		before, err := findRoom(ctx, tx, at, a.RoomID)
		if err != nil {
			return err
		}
		if before.Items, err = roomItems(ctx, tx, at, a.RoomID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, dropUneditedSQL, a.RoomID, at.MoveID, at.CompanyID); err != nil {
			return fmt.Errorf("moving: replace items: %w", err)
		}
		kept, err := roomItems(ctx, tx, at, a.RoomID)
		if err != nil {
			return err
		}
		after := before
		after.Items = slices.Clone(kept)
		items := foundItems(a.RoomID, result, kept, photos, now)
		if err := insertItems(ctx, tx, at, items); err != nil {
			return err
		}
		summary := trimmed(new(summaryOf(result)))
		if _, err := tx.Exec(ctx, setSummarySQL, summary, sqldb.At(now), a.RoomID, at.MoveID, at.CompanyID); err != nil {
			return fmt.Errorf("moving: set summary: %w", err)
		}
		after.Summary, after.Items = summary, append(after.Items, items...)
		err = s.record(ctx, tx, at.CompanyID, trail.Update, audit.Entity{Type: entityRoom, ID: a.RoomID},
			newRoomRecord(before), newRoomRecord(after))
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, succeedSQL, sqldb.At(now), int64(len(result.Photos)), int64(len(items)),
			line(result.Model), line(result.PromptVersion), int64(result.Usage.InputTokens),
			int64(result.Usage.OutputTokens), duration.Milliseconds(), a.ID, claim)
		if err != nil {
			return fmt.Errorf("moving: finish analysis: %w", err)
		}
		if n == 0 {
			return errLost
		}
		return s.wake(ctx, tx, a.RoomID)
	})
}

func summaryOf(result *vision.Result) string {
	for _, room := range result.Rooms {
		if room.Summary != "" {
			return room.Summary
		}
	}
	return ""
}

// foundItems turns what the model found into rows. An item that a person has edited or added is on
// the list already and is not added once more.
func foundItems(roomID string, result *vision.Result, kept []Item, photos []Photo, now time.Time) []Item {
	known := map[string]bool{}
	position := int64(0)
	for _, item := range kept {
		known[strings.ToLower(item.Name)] = true
		if item.OriginalName != nil {
			known[strings.ToLower(*item.OriginalName)] = true
		}
		position = max(position, item.Position)
	}
	exists := map[string]bool{}
	for _, photo := range photos {
		exists[photo.ID] = true
	}
	var items []Item
	for _, found := range result.Items() {
		name := line(found.Name)
		if name == "" || known[strings.ToLower(name)] || len(kept)+len(items) == maxItems {
			continue
		}
		position++
		items = append(items, foundItem(roomID, name, found, exists, position, now))
	}
	return items
}

func foundItem(roomID, name string, found vision.Item, exists map[string]bool, position int64, now time.Time) Item {
	item := Item{
		ID: uuid7.New(now), RoomID: roomID, Name: name, OriginalName: &name, Qty: int64(max(found.Quantity, 1)),
		Length: convert(found.LengthCM, millimetres), Width: convert(found.WidthCM, millimetres),
		Height: convert(found.HeightCM, millimetres), Weight: convert(found.WeightKG, weightOf),
		Volume: convert(found.VolumeM3, volumeOf), Fragile: found.Fragile,
		Category: string(found.Category), Packing: string(found.Packing),
		Confidence: new(int64(min(max(found.Confidence, 0), 1) * 10_000)),
		PhotoIDs:   []string{}, Flags: []string{}, Notes: trimmed(&found.Notes),
		Source: SourceAI, Position: position, CreatedAt: now, UpdatedAt: now,
	}
	if found.Variant != "" {
		item.VariantGroup = &found.Variant
	}
	for _, id := range found.PhotoIDs {
		if exists[id] {
			item.PhotoIDs = append(item.PhotoIDs, id)
		}
	}
	for _, flag := range found.Flags {
		item.Flags = append(item.Flags, string(flag))
	}
	item.resize()
	return item
}

const finishSQL = `
UPDATE analyses
   SET status = $1, error_code = $2, claim = NULL, lease_until = NULL, finished_at = $3,
       model = $4, prompt_version = $5, input_tokens = input_tokens + $6,
       output_tokens = output_tokens + $7, duration_ms = duration_ms + $8
 WHERE id = $9 AND claim = $10 AND status = 'running'`

// finish ends an analysis without a result. The items of the room stay as they were.
func (s *Service) finish(ctx context.Context, a Analysis, claim string, status AnalysisStatus, code string, result *vision.Result, duration time.Duration) error {
	var model, prompt *string
	var input, output int64
	if result != nil {
		model, prompt = trimmed(&result.Model), trimmed(&result.PromptVersion)
		input, output = int64(result.Usage.InputTokens), int64(result.Usage.OutputTokens)
	}
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		now := s.now()
		// The row of the move keeps uploads out, so that no analysis starts to wait unseen.
		if _, err := tx.Exec(ctx, lockMoveSQL, sqldb.At(now), a.JobID, a.CompanyID); err != nil {
			return fmt.Errorf("moving: guard: %w", err)
		}
		_, err := tx.Exec(ctx, finishSQL, string(status), trimmed(&code), sqldb.At(now), model, prompt,
			input, output, duration.Milliseconds(), a.ID, claim)
		if err != nil {
			return fmt.Errorf("moving: finish analysis: %w", err)
		}
		return s.wake(ctx, tx, a.RoomID)
	})
}

// Given back, an analysis goes on counting as under way when another one waits behind it: a room has
// only one that waits.
const backToQueue = `
   SET claim = NULL, lease_until = $1,
       status = CASE WHEN EXISTS (SELECT 1 FROM analyses AS o
                                   WHERE o.room_id = analyses.room_id AND o.status = 'queued')
                     THEN status ELSE 'queued' END`

const releaseSQL = `UPDATE analyses` + backToQueue + `, attempts = $2
 WHERE id = $3 AND claim = $4 AND status = 'running'`

// release gives an analysis back, for the queue to run it again.
func (s *Service) release(ctx context.Context, id, claim string, attempts int64) error {
	until := sqldb.At(s.now().Add(pickupLimit))
	if _, err := s.db.Exec(ctx, releaseSQL, until, attempts, id, claim); err != nil {
		return fmt.Errorf("moving: release analysis: %w", err)
	}
	return nil
}

const expiredSQL = `
SELECT ` + analysisColumns + ` FROM analyses AS a
 WHERE a.status IN ('queued', 'running') AND a.lease_until < $1 ORDER BY a.lease_until LIMIT 100`

const requeueSQL = `UPDATE analyses` + backToQueue + `
 WHERE id = $2 AND status IN ('queued', 'running') AND lease_until < $3 AND attempts < $4`

const abandonSQL = `
UPDATE analyses SET status = 'failed', error_code = 'interrupted', claim = NULL, lease_until = NULL, finished_at = $1
 WHERE id = $2 AND status IN ('queued', 'running') AND lease_until < $3`

// Reap queues every analysis whose lease has expired once more: its worker was killed, or its queue
// job was lost. One that has been claimed six times is given up. Safe to run anywhere at any time.
func (s *Service) Reap(ctx context.Context) error {
	now := s.now()
	expired, err := collect(ctx, s.db, scanAnalysis, expiredSQL, sqldb.At(now))
	if err != nil {
		return err
	}
	for _, a := range expired {
		err := s.db.InTx(ctx, func(tx sqldb.DB) error {
			n, err := tx.Exec(ctx, requeueSQL, sqldb.At(now.Add(pickupLimit)), a.ID, sqldb.At(now), int64(maxClaims))
			if err != nil {
				return fmt.Errorf("moving: requeue analysis: %w", err)
			}
			if n == 1 {
				return s.queue.Enqueue(ctx, tx, AnalyzePhotos{AnalysisID: a.ID}, jobs.Options{})
			}
			if _, err := tx.Exec(ctx, abandonSQL, sqldb.At(now), a.ID, sqldb.At(now)); err != nil {
				return fmt.Errorf("moving: abandon analysis: %w", err)
			}
			return s.wake(ctx, tx, a.RoomID)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
