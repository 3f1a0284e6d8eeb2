package vision

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// analysis is the state of one Analyze call.
type analysis struct {
	o     *OpenAI
	req   Request
	meter *meter
	known map[string]bool // normalised names of Request.Known

	// stopped is set once a failure makes further calls pointless. Calls under way go on.
	stopped atomic.Pointer[error]

	mu       sync.Mutex // guards progress and orders the callbacks
	progress Progress
}

// roomWork is one room of an analysis. Only its own goroutine touches it until all are done.
type roomWork struct {
	room     Room
	photos   []*photoWork
	errs     []error
	nameless int
	dropped  int
	model    string
}

// photoWork is one photo on its way to an outcome.
type photoWork struct {
	photo         Photo
	outcome       *PhotoOutcome
	jpeg          []byte
	width, height int
	done          bool // counted as analyzed in the progress
}

// Analyze implements [Analyzer]. Errors of single batches are joined in the order of their rooms.
func (o *OpenAI) Analyze(ctx context.Context, req Request) (*Result, error) {
	photos, err := req.checked()
	if err != nil {
		return nil, err
	}
	start := o.cfg.Now()
	run := &analysis{o: o, req: req, known: map[string]bool{}}
	run.meter = &meter{budget: req.Budget, price: o.cfg.Profile.Price}
	if req.Budget == (Budget{}) {
		run.meter.budget = o.cfg.Budget
	}
	for _, name := range req.Known {
		run.known[nameKey(name)] = true
	}
	result := &Result{
		Photos:        make([]PhotoOutcome, len(photos)),
		Model:         o.cfg.Profile.Model,
		PromptVersion: PromptVersion,
	}
	rooms := groupByRoom(photos, result.Photos)
	run.progress.Total = len(photos)
	run.report(func(*Progress) {})

	var wg sync.WaitGroup
	for _, w := range rooms {
		wg.Go(func() { run.analyzeRoom(ctx, w) })
	}
	wg.Wait()

	err = run.collect(ctx, result, rooms)
	result.Usage = run.meter.usage()
	result.Usage.Duration = o.cfg.Now().Sub(start)
	return result, err
}

// groupByRoom sorts the photos into rooms, in order, and finds repeated files.
func groupByRoom(photos []Photo, outcomes []PhotoOutcome) []*roomWork {
	var rooms []*roomWork
	byName := map[string]*roomWork{}
	type file struct {
		room string
		sum  [sha256.Size]byte
	}
	first := map[file]string{}
	for i, p := range photos {
		outcomes[i] = PhotoOutcome{ID: p.ID, Room: p.Room, Status: PhotoNotSent}
		w := byName[p.Room]
		if w == nil {
			w = &roomWork{room: Room{Name: p.Room}}
			byName[p.Room] = w
			rooms = append(rooms, w)
		}
		key := file{p.Room, sha256.Sum256(p.Data)}
		if id, ok := first[key]; ok && len(p.Data) > 0 {
			outcomes[i].Status, outcomes[i].DuplicateOf = PhotoDuplicate, id
		} else {
			first[key] = p.ID
		}
		w.photos = append(w.photos, &photoWork{photo: p, outcome: &outcomes[i]})
	}
	return rooms
}

// analyzeRoom prepares the photos of one room and sends them batch after batch, as each batch needs
// the finds of the ones before.
func (a *analysis) analyzeRoom(ctx context.Context, w *roomWork) {
	var wg sync.WaitGroup
	for _, p := range w.photos {
		if p.outcome.Status == PhotoDuplicate {
			a.finish(p)
			continue
		}
		wg.Go(func() { a.prepare(ctx, p) })
	}
	wg.Wait()

	ready := slices.DeleteFunc(slices.Clone(w.photos), func(p *photoWork) bool { return p.jpeg == nil })
	for batch := range slices.Chunk(ready, a.o.cfg.BatchSize) {
		a.analyzeBatch(ctx, w, batch, true)
	}
}

// prepare decodes and scales one photo. At most Config.Concurrency are decoded at a time.
func (a *analysis) prepare(ctx context.Context, p *photoWork) {
	if !acquire(ctx, a.o.decodes) {
		return
	}
	defer release(a.o.decodes)
	cfg := a.o.cfg
	prepared, err := Prepare(ctx, p.photo.Data, PrepareOptions{
		Limits: cfg.Uploads, LongSide: cfg.Profile.LongSide, ShortSide: cfg.Profile.ShortSide,
	})
	switch {
	case err == nil:
		p.jpeg, p.width, p.height = prepared.Data, prepared.Width, prepared.Height
		a.report(func(pr *Progress) { pr.Prepared++ })
	case ctx.Err() != nil:
	default:
		p.outcome.Status, p.outcome.Err = PhotoUnreadable, err
		a.finish(p)
	}
}

// analyzeBatch asks about some photos of a room and books the answer. A truncated answer is asked
// for again in two halves, once.
func (a *analysis) analyzeBatch(ctx context.Context, w *roomWork, batch []*photoWork, split bool) {
	if stop := a.stopped.Load(); stop != nil || ctx.Err() != nil {
		a.notSent(batch, stop)
		return
	}
	found := len(w.room.Items)
	ans, model, err := a.ask(ctx, w, batch)
	if errors.Is(err, ErrTruncated) && split && len(batch) > 1 {
		a.o.cfg.Logger.WarnContext(ctx, "vision answer truncated, halving the batch",
			"photos", len(batch))
		half := (len(batch) + 1) / 2
		a.analyzeBatch(ctx, w, batch[:half], false)
		a.analyzeBatch(ctx, w, batch[half:], false)
		return
	}
	if err != nil {
		a.failed(ctx, w, batch, err)
		return
	}
	w.model = model
	w.nameless += ans.nameless
	w.dropped += mergeItems(&w.room, ans.items, found, a.o.cfg.Items.MaxItems, a.known)
	if w.room.Summary == "" {
		w.room.Summary = ans.summary
	}
	added := len(w.room.Items) - found
	for i, p := range batch {
		p.outcome.Status = PhotoAnalyzed
		if i == 0 {
			a.report(func(pr *Progress) { pr.Items += added })
		}
		a.finish(p)
	}
}

// failed books a failed batch and stops the analysis unless the failure belongs to these photos.
func (a *analysis) failed(ctx context.Context, w *roomWork, batch []*photoWork, err error) {
	if ctx.Err() == nil {
		w.errs = append(w.errs, err)
	}
	if !errors.Is(err, ErrRefused) && !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrInvalidOutput) {
		a.stopped.CompareAndSwap(nil, &err)
	}
	if errors.Is(err, ErrBudget) || ctx.Err() != nil {
		a.notSent(batch, &err)
		return
	}
	for _, p := range batch {
		p.outcome.Status, p.outcome.Err = PhotoFailed, err
		a.finish(p)
	}
}

// notSent books photos that are left out because the analysis ended early.
func (a *analysis) notSent(batch []*photoWork, why *error) {
	for _, p := range batch {
		if why != nil && errors.Is(*why, ErrBudget) {
			p.outcome.Status = PhotoOverBudget
		}
		a.finish(p)
	}
}

// collect joins the rooms into the result.
func (a *analysis) collect(ctx context.Context, result *Result, rooms []*roomWork) error {
	var errs []error
	model := ""
	for _, w := range rooms {
		result.Rooms = append(result.Rooms, w.room)
		errs = append(errs, w.errs...)
		if model == "" {
			model = w.model
		}
		if w.nameless > 0 {
			result.Warnings = append(result.Warnings, Warning{w.room.Name, WarnNameless, w.nameless})
		}
		if w.dropped > 0 {
			result.Warnings = append(result.Warnings, Warning{w.room.Name, WarnItemsDropped, w.dropped})
		}
	}
	if model != "" {
		result.Model = model
	}
	result.settle()
	if ctx.Err() != nil {
		return fmt.Errorf("vision: analyze: %w", ctx.Err())
	}
	readable := func(p PhotoOutcome) bool {
		return p.Status != PhotoUnreadable && p.Status != PhotoDuplicate
	}
	if !slices.ContainsFunc(result.Photos, readable) {
		return fmt.Errorf("%w: %w", ErrNoPhotos, result.Photos[0].Err)
	}
	return errors.Join(errs...)
}

// finish counts a photo as settled, once.
func (a *analysis) finish(p *photoWork) {
	if p.done {
		return
	}
	p.done = true
	a.report(func(pr *Progress) {
		if p.jpeg == nil {
			pr.Prepared++
		}
		pr.Analyzed++
	})
	p.jpeg = nil // the memory is no longer needed
}

// report changes the progress and tells the caller.
func (a *analysis) report(change func(*Progress)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.progress)
	if a.req.OnProgress != nil {
		a.req.OnProgress(a.progress)
	}
}

// mergeItems adds the items of one answer to a room. An item that an earlier batch has reported
// (one of the first found items) is the same thing seen again: the larger quantity counts. Within one
// answer nothing is merged. It returns how many items did not fit.
func mergeItems(room *Room, items []Item, found, limit int, known map[string]bool) (dropped int) {
	for _, it := range items {
		i := slices.IndexFunc(room.Items[:found], func(old Item) bool { return sameItem(&old, &it) })
		if i >= 0 {
			room.Items[i].merge(&it)
			continue
		}
		if len(room.Items) >= limit {
			dropped++
			continue
		}
		if known[nameKey(it.Name)] {
			it.flag(FlagKnown)
		}
		room.Items = append(room.Items, it)
	}
	return dropped
}

// sameItem reports whether two items have one name and about one size.
func sameItem(a, b *Item) bool {
	if nameKey(a.Name) != nameKey(b.Name) {
		return false
	}
	if a.VolumeM3 == nil || b.VolumeM3 == nil {
		return true
	}
	const sizeClass = 1.5
	return max(*a.VolumeM3, *b.VolumeM3) <= sizeClass*min(*a.VolumeM3, *b.VolumeM3)
}

// merge takes up what a later batch says about the same item.
func (it *Item) merge(later *Item) {
	it.Quantity = max(it.Quantity, later.Quantity)
	it.Confidence = max(it.Confidence, later.Confidence)
	it.Fragile = it.Fragile || later.Fragile
	if it.VolumeM3 == nil {
		it.LengthCM, it.WidthCM, it.HeightCM = later.LengthCM, later.WidthCM, later.HeightCM
		it.VolumeM3 = later.VolumeM3
	}
	if it.WeightKG == nil {
		it.WeightKG = later.WeightKG
	}
	for _, id := range later.PhotoIDs {
		if !slices.Contains(it.PhotoIDs, id) {
			it.PhotoIDs = append(it.PhotoIDs, id)
		}
	}
	for _, f := range later.Flags {
		it.flag(f)
	}
	it.flag(FlagMerged)
}

// nameKey is the form of a name in which repeated reports are recognised.
func nameKey(name string) string { return strings.Join(nameWords(name), " ") }

// acquire takes a slot; it reports false when ctx ends first.
func acquire(ctx context.Context, slots chan struct{}) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func release(slots chan struct{}) { <-slots }
