package vision

import (
	"context"
	"fmt"
	"slices"
)

// Static is an [Analyzer] that reports the same items for every room, for tests and for programs
// that have no model. Create it with [NewStatic]. It decodes nothing and is safe for concurrent use.
type Static struct{ items []Item }

var _ Analyzer = (*Static)(nil)

// NewStatic returns an analyzer that answers with a copy of items. Items without PhotoIDs cite all
// photos of their room.
func NewStatic(items ...Item) *Static { return &Static{items: slices.Clone(items)} }

// Analyze implements [Analyzer].
func (s *Static) Analyze(ctx context.Context, req Request) (*Result, error) {
	photos, err := req.checked()
	if err != nil {
		return nil, err
	}
	result := &Result{
		Photos: make([]PhotoOutcome, len(photos)), Model: "static", PromptVersion: PromptVersion,
	}
	progress := Progress{Total: len(photos)}
	report := func() {
		if req.OnProgress != nil {
			req.OnProgress(progress)
		}
	}
	report()
	for _, w := range groupByRoom(photos, result.Photos) {
		if ctx.Err() != nil {
			break
		}
		var ids []string
		for _, p := range w.photos {
			if p.outcome.Status != PhotoDuplicate {
				p.outcome.Status = PhotoAnalyzed
				ids = append(ids, p.photo.ID)
			}
			progress.Prepared++
			progress.Analyzed++
			report()
		}
		for _, it := range s.items {
			it.Flags = slices.Clone(it.Flags)
			it.PhotoIDs = slices.Clone(it.PhotoIDs)
			if len(it.PhotoIDs) == 0 {
				it.PhotoIDs = slices.Clone(ids)
			}
			w.room.Items = append(w.room.Items, it)
		}
		result.Rooms = append(result.Rooms, w.room)
	}
	result.settle()
	if err := ctx.Err(); err != nil {
		return result, fmt.Errorf("vision: analyze: %w", err)
	}
	return result, nil
}
