package moving

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
	"github.com/groundwork-go/groundwork/vision"
)

// AnalyzePhotos is the queue job that looks at the photos of a room.
type AnalyzePhotos struct {
	AnalysisID string `json:"analysis_id"`
}

// Kind names the job.
func (AnalyzePhotos) Kind() string { return "photo.analyze" }

// ReapAnalyses is the periodic queue job that picks up analyses whose worker is gone.
type ReapAnalyses struct{}

// Kind names the job.
func (ReapAnalyses) Kind() string { return "analyses.reap" }

// Workers registers the queue jobs of this domain. The daily purge belongs to the whole server.
func (s *Service) Workers(reg *jobs.Registry) {
	jobs.Register(reg, jobs.WorkerConfig{
		MaxAttempts: maxFailures, Timeout: 10 * time.Minute, Base: 5 * time.Second, Cap: time.Minute,
	}, s.work)
	jobs.Register(reg, jobs.WorkerConfig{
		MaxAttempts: 1, Timeout: 30 * time.Second, Every: 10 * time.Second, RunOnStart: true,
	}, func(ctx context.Context, _ ReapAnalyses) error { return s.Reap(ctx) })
}

var (
	errLost      = errors.New("moving: analysis taken over")
	errCancelled = errors.New("moving: analysis cancelled")
)

// work claims an analysis, runs it and stores what came of it. It returns an error only when the
// queue should run it again.
func (s *Service) work(ctx context.Context, args AnalyzePhotos) error {
	claim := uuid7.New(s.now())
	analysis, err := s.claim(ctx, args.AnalysisID, claim)
	if errors.Is(err, ErrNotFound) {
		return nil // finished, or another worker has it
	}
	if err != nil {
		return err
	}
	started := s.now()
	result, err := s.look(ctx, analysis, claim)
	duration := s.now().Sub(started)
	if err == nil {
		err = s.save(ctx, analysis, claim, result, duration)
	}
	// What remains must be written even when the server is stopping.
	stopping := errors.Is(ctx.Err(), context.Canceled)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	switch {
	case err == nil, errors.Is(err, errLost):
		return nil
	case errors.Is(err, errCancelled):
		return s.finish(ctx, analysis, claim, Cancelled, "", result, duration)
	}
	if stopping {
		// The next process starts it again at once; nobody has failed.
		return errors.Join(err, s.release(ctx, analysis.ID, claim, analysis.Attempts-1))
	}
	code, again := failure(err)
	if again && analysis.Attempts < maxFailures {
		return errors.Join(err, s.release(ctx, analysis.ID, claim, analysis.Attempts))
	}
	s.logger.WarnContext(ctx, "analysis failed", "analysis_id", analysis.ID, "code", code, "error", err)
	return s.finish(ctx, analysis, claim, Failed, code, result, duration)
}

// failure says what clients are told about an error, and whether another attempt may help.
func failure(err error) (code string, again bool) {
	switch {
	case errors.Is(err, vision.ErrRateLimited):
		return "rate_limited", true
	case errors.Is(err, vision.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return "upstream_failed", true
	case errors.Is(err, vision.ErrRefused):
		return "model_refused", false
	case errors.Is(err, vision.ErrTruncated):
		return "answer_truncated", false
	case errors.Is(err, vision.ErrInvalidOutput):
		return "invalid_answer", false
	case errors.Is(err, vision.ErrBudget):
		return "over_budget", false
	case errors.Is(err, vision.ErrNoPhotos):
		return "no_usable_photo", false
	case errors.Is(err, vision.ErrQuota), errors.Is(err, vision.ErrUnauthorized), errors.Is(err, vision.ErrRejected):
		return "not_configured", false
	}
	return "internal", true
}

// One worker gets the row: the status and the lease are part of the condition. An analysis waits while
// another one of its room is under way.
const claimSQL = `
UPDATE analyses
   SET status = 'running', claim = $1, lease_until = $2, attempts = attempts + 1,
       started_at = COALESCE(started_at, $3)
 WHERE id = $4 AND (status = 'queued' OR (status = 'running' AND (claim IS NULL OR lease_until < $5)))
   AND NOT EXISTS (SELECT 1 FROM analyses AS o
                    WHERE o.room_id = analyses.room_id AND o.status = 'running' AND o.id <> analyses.id)`

const claimedSQL = `SELECT ` + analysisColumns + ` FROM analyses AS a WHERE a.id = $1 AND a.claim = $2`

func (s *Service) claim(ctx context.Context, id, claim string) (Analysis, error) {
	now := s.now()
	n, err := s.db.Exec(ctx, claimSQL, claim, sqldb.At(now.Add(leaseLife)), sqldb.At(now), id, sqldb.At(now))
	if err != nil {
		return Analysis{}, fmt.Errorf("moving: claim analysis: %w", err)
	}
	if n == 0 {
		return Analysis{}, ErrNotFound
	}
	analysis, err := scanAnalysis(s.db.QueryRow(ctx, claimedSQL, id, claim))
	if err != nil {
		return Analysis{}, notFound("find analysis", err)
	}
	return analysis, nil
}

// look shows the photos of the room to the model while the lease is kept alive.
func (s *Service) look(ctx context.Context, analysis Analysis, claim string) (*vision.Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if s.analyzer == nil {
		// Queued before the server was restarted without a model.
		return nil, vision.ErrUnauthorized
	}
	var percent atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.keep(ctx, analysis.ID, claim, &percent, cancel)
	}()
	defer func() { cancel(nil); <-done }()

	request, err := s.request(ctx, analysis)
	if err != nil {
		return nil, err
	}
	request.OnProgress = func(p vision.Progress) {
		// The last hundredth is storing the result.
		percent.Store(int64(min(p.Percent(), 99)))
	}
	result, err := s.analyzer.Analyze(ctx, request)
	if cause := context.Cause(ctx); errors.Is(cause, errLost) || errors.Is(cause, errCancelled) {
		return result, cause
	}
	if err == nil && !slices.ContainsFunc(result.Photos, func(p vision.PhotoOutcome) bool {
		return p.Status == vision.PhotoAnalyzed
	}) {
		err = vision.ErrNoPhotos // an empty success would erase the inventory
	}
	return result, err
}

func (s *Service) request(ctx context.Context, analysis Analysis) (vision.Request, error) {
	at := Survey{CompanyID: analysis.CompanyID, MoveID: analysis.JobID}
	room, err := s.Room(ctx, at, analysis.RoomID)
	if err != nil {
		if errors.Is(err, ErrNotFound) {
			return vision.Request{}, errLost
		}
		return vision.Request{}, err
	}
	var request vision.Request
	for _, photo := range room.Photos {
		data, err := s.read(ctx, photo.StorageKey)
		if err != nil {
			return vision.Request{}, err
		}
		request.Photos = append(request.Photos, vision.Photo{ID: photo.ID, Room: room.Name, Data: data})
	}
	for _, item := range room.Items {
		if item.Source == SourceCustomer || item.Edited {
			request.Known = append(request.Known, item.Name)
		}
	}
	return request, nil
}

func (s *Service) read(ctx context.Context, key string) (data []byte, err error) {
	file, _, err := s.files.Open(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("moving: open photo: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	data, err = io.ReadAll(io.LimitReader(file, 2*maxPhotoBytes))
	if err != nil {
		return nil, fmt.Errorf("moving: read photo: %w", err)
	}
	return data, nil
}

// The progress never goes back, also when a second worker starts over.
const keepSQL = `
UPDATE analyses
   SET lease_until = $1, progress = CASE WHEN progress < $2 THEN $2 ELSE progress END
 WHERE id = $3 AND claim = $4 AND status = 'running'
   AND EXISTS (SELECT 1 FROM jobs AS j WHERE j.id = analyses.job_id AND j.status = 'in_progress'
                AND j.deleted_at IS NULL)`

const stillRunningSQL = `
SELECT COUNT(*) FROM analyses AS a WHERE a.id = $1 AND a.claim = $2 AND a.status = 'running'`

// keep extends the lease and writes the progress until ctx ends. It cancels the work when the row
// belongs to somebody else or the move has left in_progress.
func (s *Service) keep(ctx context.Context, id, claim string, percent *atomic.Int64, cancel context.CancelCauseFunc) {
	const step = 250 * time.Millisecond
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	written, waited := int64(-1), time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		waited += step
		now := percent.Load()
		if now == written && waited < heartbeat {
			continue
		}
		n, err := s.db.Exec(ctx, keepSQL, sqldb.At(s.now().Add(leaseLife)), now, id, claim)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			// The next beat may succeed; the lease decides if none does.
			s.logger.WarnContext(ctx, "analysis heartbeat failed", "analysis_id", id, "error", err)
		case n == 1:
			written, waited = now, 0
		default:
			mine, err := count(ctx, s.db, stillRunningSQL, id, claim)
			if err == nil && mine == 1 {
				cancel(errCancelled)
			} else if err == nil {
				cancel(errLost)
			}
			if err == nil {
				return
			}
		}
	}
}
