package vision

import (
	"context"
	"fmt"
)

// Analyzer turns photographs into an inventory. Implementations are safe for concurrent use.
//
// Analyze returns ErrNoPhotos for a request without photos and ErrInvalidRequest for one that
// breaks a rule of [Request]; the result is nil then. Otherwise the result is never nil, also beside
// an error: it holds what was found, one outcome for each photo and the usage of all attempts. It is
// Complete exactly when every photo was analyzed or is a duplicate of one that was. The error is nil
// unless a call failed or no photo could be read. Analyze obeys ctx.
type Analyzer interface {
	Analyze(ctx context.Context, req Request) (*Result, error)
}

// Request is one analysis: photographs of one or more rooms.
type Request struct {
	// Photos are the pictures, at least one. Those of one room are counted together, so an object
	// on several of them counts once; rooms are independent of each other.
	Photos []Photo
	// Known names items that the job already has. The model is told not to repeat them.
	Known []string
	// Hints are earlier corrections by people, to be applied to naming and sizes. They must come
	// from the tenant the photos belong to.
	Hints []Hint
	// Budget bounds this analysis. The zero value stands for Config.Budget.
	Budget Budget
	// OnProgress, when set, is called before the first model call and after every photo that is
	// ready or done. Calls do not overlap, never go backwards, and none comes after Analyze has
	// returned. It must not block.
	OnProgress func(Progress)
}

// Photo is one picture.
type Photo struct {
	ID   string // unique within the request; empty means its 1-based place in the request
	Room string // what the customer calls the room; sent cut to 80 characters, may be empty
	Name string // shown in nothing but logs of the caller; never sent
	Data []byte // a file that [Prepare] accepts; it is prepared again for the model's useful size
}

// Hint is one correction learned from people: what the model tends to call a thing, what it is
// called here and, when known, its size. Texts are sent quoted as data, cut to 120 characters.
type Hint struct {
	Seen, Name                            string
	LengthCM, WidthCM, HeightCM, WeightKG float64 // 0 is unknown
}

// Progress is how far an analysis has come.
type Progress struct {
	Prepared int // photos decoded and scaled down
	Analyzed int // photos with a final outcome
	Total    int // photos of the request
	Items    int // items found so far
}

// Percent returns the progress as a whole number from 0 to 100. Preparing counts for a fifth; 100
// is reached when every photo has its outcome.
func (p Progress) Percent() int {
	if p.Total == 0 {
		return 100
	}
	return (20*p.Prepared + 80*p.Analyzed) / p.Total
}

// PhotoStatus is the outcome of one photo.
type PhotoStatus string

// The outcomes.
const (
	PhotoAnalyzed   PhotoStatus = "analyzed"    // part of an answer that was accepted
	PhotoDuplicate  PhotoStatus = "duplicate"   // same bytes as an earlier photo of the room; not sent
	PhotoUnreadable PhotoStatus = "unreadable"  // Prepare refused it; see Err
	PhotoFailed     PhotoStatus = "failed"      // the call it was part of failed; see Err
	PhotoOverBudget PhotoStatus = "over_budget" // not sent because of the Budget
	PhotoNotSent    PhotoStatus = "not_sent"    // an earlier failure or a cancelled ctx ended the analysis
)

// PhotoOutcome is what became of one photo.
type PhotoOutcome struct {
	ID          string
	Room        string
	Status      PhotoStatus
	DuplicateOf string // ID of the photo with the same bytes; only for PhotoDuplicate
	Err         error  // only for PhotoUnreadable and PhotoFailed
}

// Warning is a remark about a room that does not belong to one item.
type Warning struct {
	Room string
	Code WarningCode
	N    int // how many were affected
}

// WarningCode names a kind of [Warning].
type WarningCode string

// The warnings.
const (
	WarnItemsDropped WarningCode = "items_dropped" // more items than ItemLimits.MaxItems
	WarnNameless     WarningCode = "nameless"      // items without a printable name
)

// Result is the outcome of an analysis.
type Result struct {
	Rooms         []Room         // in the order of their first photo; also rooms without items
	Photos        []PhotoOutcome // one for each photo, in request order
	Usage         Usage          // all attempts, also the failed ones
	Warnings      []Warning      // by room
	Model         string         // the model as the provider names it in its answer
	PromptVersion string         // [PromptVersion] of this package
	Complete      bool           // every photo was analyzed or is a duplicate of one that was
}

// Items returns the items of all rooms in order.
func (r *Result) Items() []Item {
	var all []Item
	for _, room := range r.Rooms {
		all = append(all, room.Items...)
	}
	return all
}

// settle sets Complete from the outcomes.
func (r *Result) settle() {
	r.Complete = true
	status := make(map[string]PhotoStatus, len(r.Photos))
	for _, p := range r.Photos {
		status[p.ID] = p.Status
	}
	for _, p := range r.Photos {
		if p.Status != PhotoAnalyzed && status[p.DuplicateOf] != PhotoAnalyzed {
			r.Complete = false
		}
	}
}

// checked returns the photos with their IDs and room names settled, or why the request cannot be
// accepted.
func (r Request) checked() ([]Photo, error) {
	if len(r.Photos) == 0 {
		return nil, ErrNoPhotos
	}
	photos := make([]Photo, len(r.Photos))
	seen := make(map[string]bool, len(photos))
	for i, p := range r.Photos {
		if p.ID == "" {
			p.ID = fmt.Sprint(i + 1)
		}
		if seen[p.ID] {
			return nil, fmt.Errorf("%w: photo %d repeats an earlier ID", ErrInvalidRequest, i+1)
		}
		seen[p.ID] = true
		photos[i] = p
	}
	return photos, nil
}
