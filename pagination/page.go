package pagination

// The values of [Page.TotalKind].
const (
	TotalExact     = "exact"     // Total and Pages are set
	TotalAtLeast   = "at_least"  // more than [Config.CountCap] rows; no figures
	TotalEstimated = "estimated" // Total is set, from [Config.Estimate]
)

// Page is one page of a list, and its JSON form is part of the contract: items is never null,
// and what is not known is left out. In page mode page is set, with total and pages while the
// total is exact; in cursor mode all three are absent.
type Page[T any] struct {
	// Items are the rows, in list order in both directions. Never nil.
	Items []T `json:"items"`
	// Size is the page size that was applied.
	Size int `json:"size"`
	// Page is the one-based page number, 0 in cursor mode.
	Page int64 `json:"page,omitempty"`
	// Pages is the number of pages; nil unless the total is exact.
	Pages *int64 `json:"pages,omitempty"`
	// Total is the number of rows of the whole list; nil when not counted or above the cap.
	Total *int64 `json:"total,omitempty"`
	// TotalKind says what Total means; empty when nothing was counted.
	TotalKind string `json:"total_kind,omitempty"`
	// NextCursor leads to the rows after Items; empty when there are none.
	NextCursor string `json:"next_cursor,omitempty"`
	// PrevCursor leads to the rows before Items; empty on the first page.
	PrevCursor string `json:"prev_cursor,omitempty"`
	// HasMore says that rows follow Items in list order. After a step back it is true without a
	// look, because the step came from there.
	HasMore bool `json:"has_more"`

	rules *rules // for WriteLinks; nil means the defaults
}

// rules is what a page needs from its Spec to write links.
type rules struct {
	names     ParamNames
	maxOffset int64
}

// Map returns p with every item put through f, and everything else unchanged.
func Map[T, U any](p Page[T], f func(T) U) Page[U] {
	items := make([]U, len(p.Items))
	for i, item := range p.Items {
		items[i] = f(item)
	}
	return Page[U]{
		Items: items, Size: p.Size, Page: p.Page, Pages: p.Pages, Total: p.Total,
		TotalKind: p.TotalKind, NextCursor: p.NextCursor, PrevCursor: p.PrevCursor,
		HasMore: p.HasMore, rules: p.rules,
	}
}

// Slice cuts q's page out of a list that is already in memory, filtered and sorted. The total is
// exact. It is meant for short lists (enumerations, rows of a settings file): for a table use
// [Query.SQL], which does not load what it does not show. The items are copied, never aliased.
// A query that carries a cursor gives [ErrCursorSlice]: use it with a [PageOnly] spec.
func Slice[T any](items []T, q Query) (Page[T], error) {
	if q.spec == nil {
		return Page[T]{Items: []T{}}, ErrZeroQuery
	}
	if q.mode != pageMode {
		return Page[T]{Items: []T{}}, ErrCursorSlice
	}
	total := int64(len(items))
	from := min(q.offset(), total)
	to := min(from+int64(q.size), total)
	p := Page[T]{
		Items: append([]T{}, items[from:to]...), Size: q.size, Page: q.page,
		HasMore: to < total, rules: q.spec.rules,
	}
	p.exact(total)
	return p, nil
}

func (p *Page[T]) exact(total int64) {
	pages := (total + int64(p.Size) - 1) / int64(p.Size)
	p.Total, p.Pages, p.TotalKind = &total, &pages, TotalExact
}

// count fills the total from what q was told, raised to what this page has seen: rows that were
// added between the count and the page never make a total smaller than its items.
func (p *Page[T]) count(q Query) {
	if !q.counted || q.mode != pageMode {
		return
	}
	total := q.total
	if n := int64(len(p.Items)); n > 0 {
		seen := q.offset() + n
		if p.HasMore {
			seen++
		}
		total = max(total, seen)
	}
	switch {
	case q.count == CountEstimated:
		p.Total, p.TotalKind = &total, TotalEstimated
	case q.count == CountCapped && total > q.spec.countCap:
		p.TotalKind = TotalAtLeast
	default:
		p.exact(total)
	}
}
