package moving

import (
	"context"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
)

// An analysis row is the truth about the work; the queue job only wakes a worker. A worker owns the
// row while its lease lasts, so a killed process loses the work for no longer than that, and a job
// that the queue runs twice finds nothing to claim.
const (
	leaseLife = 15 * time.Second
	// heartbeat is well below leaseLife, so that one slow write does not cost the lease.
	heartbeat = 4 * time.Second
	// pickupLimit is how long a queued analysis may wait before it is queued once more.
	pickupLimit = 2 * time.Minute
	// maxFailures is how often the model is asked; maxClaims adds the runs that a crash ended.
	maxFailures = 3
	maxClaims   = 6
)

// Analyze has the photos of a room looked at again. ErrAnalysisRunning while an earlier analysis of
// the room is queued or running, ErrNotConfigured when there is no model.
func (s *Service) Analyze(ctx context.Context, at Survey, roomID string) (Analysis, error) {
	if s.analyzer == nil {
		return Analysis{}, ErrNotConfigured
	}
	var analysis Analysis
	err := s.change(ctx, at, func(tx sqldb.DB, _ time.Time) (int64, error) {
		room, err := findRoom(ctx, tx, at, roomID)
		return room.Version, err
	}, IfMatch{}, func(tx sqldb.DB, now time.Time) error {
		photos, err := count(ctx, tx, countRoomPhotosSQL, roomID)
		if err != nil {
			return err
		}
		if photos == 0 {
			return ErrNoPhotos
		}
		active, err := count(ctx, tx, countActiveInRoomSQL, roomID)
		if err != nil {
			return err
		}
		if active > 0 {
			return ErrAnalysisRunning
		}
		if analysis, err = s.queueAnalysis(ctx, tx, at, roomID, photos, now); err != nil {
			return err
		}
		return s.record(ctx, tx, at.CompanyID, trail.Create, audit.Entity{Type: entityAnalysis, ID: analysis.ID}, nil,
			analysisRecord{RoomID: roomID, Photos: photos})
	})
	return analysis, err
}

const countActiveInRoomSQL = `
SELECT COUNT(*) FROM analyses AS a WHERE a.room_id = $1 AND a.status IN ('queued', 'running')`

// The condition repeats that of the partial unique index, so a second waiting analysis is no row
// instead of an error, which would end the transaction.
const insertAnalysisSQL = `
INSERT INTO analyses (id, company_id, job_id, room_id, status, progress, attempts, lease_until, photos,
       items_found, input_tokens, output_tokens, duration_ms, created_at)
VALUES ($1, $2, $3, $4, 'queued', 0, 0, $5, $6, 0, 0, 0, 0, $7)
ON CONFLICT (room_id) WHERE status = 'queued' DO NOTHING`

// An analysis that waits has not read the list of photos yet, so it takes the new ones along.
const joinAnalysisSQL = `
UPDATE analyses SET photos = $1 WHERE room_id = $2 AND job_id = $3 AND status = 'queued'`

const waitingAnalysisSQL = `SELECT ` + analysisColumns + `
  FROM analyses AS a WHERE a.room_id = $1 AND a.status = 'queued'`

// queueAnalysis has a room analysed: by the analysis that waits already, or by a new one. It waits
// for the one under way, whose end wakes it.
func (s *Service) queueAnalysis(ctx context.Context, tx sqldb.DB, at Survey, roomID string, photos int64, now time.Time) (Analysis, error) {
	joined, err := tx.Exec(ctx, joinAnalysisSQL, photos, roomID, at.MoveID)
	if err != nil {
		return Analysis{}, fmt.Errorf("moving: join analysis: %w", err)
	}
	if joined == 1 {
		analysis, err := scanAnalysis(tx.QueryRow(ctx, waitingAnalysisSQL, roomID))
		if err != nil {
			return Analysis{}, notFound("find analysis", err)
		}
		return analysis, nil
	}
	id := uuid7.New(now)
	inserted, err := tx.Exec(ctx, insertAnalysisSQL, id, at.CompanyID, at.MoveID, roomID,
		sqldb.At(now.Add(pickupLimit)), photos, sqldb.At(now))
	if err != nil {
		return Analysis{}, fmt.Errorf("moving: insert analysis: %w", err)
	}
	if inserted == 0 {
		// The one under way was given back to the queue in this very moment.
		return Analysis{}, ErrAnalysisRunning
	}
	if err := s.queue.Enqueue(ctx, tx, AnalyzePhotos{AnalysisID: id}, jobs.Options{}); err != nil {
		return Analysis{}, fmt.Errorf("moving: queue analysis: %w", err)
	}
	return findAnalysis(ctx, tx, at, id)
}

// wake queues the analysis that waits behind one that has just ended.
func (s *Service) wake(ctx context.Context, tx sqldb.DB, roomID string) error {
	waiting, err := collect(ctx, tx, scanAnalysis, waitingAnalysisSQL, roomID)
	if err != nil {
		return err
	}
	for _, next := range waiting {
		if err := s.queue.Enqueue(ctx, tx, AnalyzePhotos{AnalysisID: next.ID}, jobs.Options{}); err != nil {
			return fmt.Errorf("moving: queue analysis: %w", err)
		}
	}
	return nil
}

// Analysis returns an analysis. ErrNotFound for one of another move.
func (s *Service) Analysis(ctx context.Context, at Survey, id string) (Analysis, error) {
	return findAnalysis(ctx, s.db, at, id)
}

const countActiveSQL = `
SELECT COUNT(*) FROM analyses AS a WHERE a.job_id = $1 AND a.company_id = $2 AND a.status IN ('queued', 'running')`

func countActiveAnalyses(ctx context.Context, db sqldb.DB, at Survey) (int64, error) {
	return count(ctx, db, countActiveSQL, at.MoveID, at.CompanyID)
}

const analysisColumns = `a.id, a.company_id, a.job_id, a.room_id, a.status, a.progress, a.attempts,
       a.photos, a.items_found, a.model, a.prompt_version, a.input_tokens, a.output_tokens,
       a.duration_ms, a.error_code, a.created_at, a.started_at, a.finished_at`

const findAnalysisSQL = `SELECT ` + analysisColumns + `
  FROM analyses AS a WHERE a.id = $1 AND a.job_id = $2 AND a.company_id = $3`

func findAnalysis(ctx context.Context, db sqldb.DB, at Survey, id string) (Analysis, error) {
	if !uuid7.Valid(id) {
		return Analysis{}, ErrNotFound
	}
	analysis, err := scanAnalysis(db.QueryRow(ctx, findAnalysisSQL, id, at.MoveID, at.CompanyID))
	if err != nil {
		return Analysis{}, notFound("find analysis", err)
	}
	return analysis, nil
}

func scanAnalysis(row sqldb.Row) (Analysis, error) {
	var a Analysis
	var milliseconds int64
	var created, started, finished sqldb.Time
	err := row.Scan(&a.ID, &a.CompanyID, &a.JobID, &a.RoomID, (*string)(&a.Status), &a.Progress,
		&a.Attempts, &a.Photos, &a.ItemsFound, &a.Model, &a.PromptVersion, &a.InputTokens,
		&a.OutputTokens, &milliseconds, &a.ErrorCode, &created, &started, &finished)
	a.Duration = time.Duration(milliseconds) * time.Millisecond
	a.CreatedAt, a.StartedAt, a.FinishedAt = created.Time, started.Ptr(), finished.Ptr()
	return a, err
}
