package pagination

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mode is how a list may be walked.
type Mode uint8

// The modes.
const (
	PageAndCursor Mode = iota // page numbers, and cursors from every page on
	PageOnly                  // page numbers; no cursor is made or accepted
	CursorOnly                // cursors; no page number, no total
)

// CountMode is how the total of page mode is found.
type CountMode uint8

// The count modes. From cheap to dear: none, estimated, capped, exact.
const (
	CountCapped    CountMode = iota // count up to [Config.CountCap] rows: exact below, then at_least
	CountExact                      // count every row; measured at 100 ms and more per million
	CountEstimated                  // ask [Config.Estimate]; capped when a filter or a search is on
	CountNone                       // no total
)

// ParamNames are the names of the request parameters.
type ParamNames struct {
	Page   string // default "page"
	Size   string // default "size"
	Cursor string // default "cursor"
	Sort   string // default "sort"
	Search string // default "q"
	// Total lets the client lower the cost of counting: none, estimated, capped or exact, never
	// dearer than [Config.Count]. Default empty: there is no such parameter.
	Total string
}

// Config describes one list. Sortable or not, every list has a TieBreaker.
type Config struct {
	// Sortable are the fields the sort parameter may name. The tie-breaker is among them only
	// when it is listed here too.
	Sortable []Field
	// Filterable are the filters. Several may share a column, such as from and to.
	Filterable []Field
	// DefaultSort is used without a sort parameter, in the same grammar: "-created_at". Its
	// fields must be Sortable. Default: the tie-breaker, ascending.
	DefaultSort string
	// TieBreaker is unique and NOT NULL, usually the primary key, and required. It is appended to
	// every sort, in the direction of the last field.
	TieBreaker Field
	// MaxSort is the largest number of sort fields in a request. Default 3, at most 7.
	MaxSort int
	// DefaultSize and MaxSize are in rows. Default 20 and 100.
	DefaultSize, MaxSize int
	// MaxOffset limits page mode: (page-1)*size above it is [CodeTooDeep]. Default 100,000;
	// negative means no limit.
	MaxOffset int64
	// Clamp makes the size lenient as AIP-158 wants it: 0 is the default size, more than MaxSize
	// is MaxSize. Default: both are faults.
	Clamp bool
	// IgnoreUnknown passes over parameters that are not ours. Default: each is a fault. Set it
	// when the route has parameters of its own.
	IgnoreUnknown bool
	// Mode says whether pages, cursors or both are offered. Default both.
	Mode Mode
	// Search describes the q parameter. The zero value means there is none.
	Search Search
	// Count says how totals are found. Default CountCapped.
	Count CountMode
	// CountCap is where CountCapped stops. Default 10,000.
	CountCap int64
	// Estimate answers CountEstimated, for example from pg_class.reltuples. A negative answer
	// means "not known" and is followed by a capped count.
	Estimate func(ctx context.Context) (int64, error)
	// MaxIn is the largest number of values in an In filter. Default 50, at most 1,000.
	MaxIn int
	// Keyring seals cursors. Required unless Mode is PageOnly or Ephemeral is set.
	Keyring *Keyring
	// Ephemeral takes a random key instead of a Keyring: cursors die with the process and are not
	// understood by a second one. For tests, tools and single-process development.
	Ephemeral bool
	// Names renames the request parameters.
	Names ParamNames
}

// Spec is a checked [Config]. It is immutable and safe for concurrent use; make it once at start.
type Spec struct {
	sortable    map[string]*field
	sortNames   []string
	sortDefault string // as configured, without the tie-breaker
	filters     map[string]filterParam
	filterable  []*field
	defaultSort []key
	tie         *field
	search      search
	keyring     *Keyring
	rules       *rules

	maxSort, defaultSize, maxSize, maxIn int
	clamp, ignoreUnknown                 bool
	mode                                 Mode
	count                                CountMode
	countCap                             int64
	estimate                             func(ctx context.Context) (int64, error)
}

// filterParam is one accepted parameter name.
type filterParam struct {
	field *field
	op    Op
	id    string // name[op], the same for the bare name and the written-out one
}

// key is one column of an order.
type key struct {
	field *field
	desc  bool
}

const (
	maxKeys       = 8 // sort fields plus tie-breaker
	defaultOffset = 100_000
)

// NewSpec checks cfg and returns its Spec. Every fault is reported, each as a [*ConfigError].
func NewSpec(cfg Config) (*Spec, error) {
	var errs []error
	fault := func(name string, value any, reason string) {
		errs = append(errs, &ConfigError{Field: name, Value: value, Reason: reason})
	}
	limit := func(name string, value *int, fallback, most int) {
		if *value == 0 {
			*value = fallback
		}
		if *value < 1 || *value > most {
			fault(name, *value, fmt.Sprintf("must be 1 to %d", most))
		}
	}
	limit("MaxSort", &cfg.MaxSort, 3, maxKeys-1)
	limit("MaxSize", &cfg.MaxSize, 100, 10_000)
	limit("DefaultSize", &cfg.DefaultSize, min(20, max(cfg.MaxSize, 1)), max(cfg.MaxSize, 1))
	limit("MaxIn", &cfg.MaxIn, 50, 1_000)
	if cfg.MaxOffset == 0 {
		cfg.MaxOffset = defaultOffset
	}
	if cfg.CountCap == 0 {
		cfg.CountCap = 10_000
	}
	if cfg.CountCap < 1 {
		fault("CountCap", cfg.CountCap, "must be at least 1")
	}
	if cfg.Mode > CursorOnly {
		fault("Mode", cfg.Mode, "is not a mode")
	}
	if cfg.Count > CountNone {
		fault("Count", cfg.Count, "is not a count mode")
	}
	if cfg.Count == CountEstimated && cfg.Estimate == nil {
		fault("Estimate", nil, "is required by CountEstimated")
	}
	names := cfg.Names.withDefaults()
	searching := cfg.Search.compile(&errs)
	if !searching.on() {
		names.Search = "" // free for a filter
	}
	s := &Spec{
		maxSort: cfg.MaxSort, defaultSize: cfg.DefaultSize, maxSize: cfg.MaxSize, maxIn: cfg.MaxIn,
		clamp: cfg.Clamp, ignoreUnknown: cfg.IgnoreUnknown, mode: cfg.Mode,
		count: cfg.Count, countCap: cfg.CountCap, estimate: cfg.Estimate, keyring: cfg.Keyring,
		rules: &rules{names: names, maxOffset: cfg.MaxOffset},
	}
	s.addSorts(cfg, &errs)
	s.addFilters(cfg, &errs)
	s.search = searching
	names.check(s.filters, &errs)
	if cfg.Mode != PageOnly && cfg.Keyring == nil {
		if !cfg.Ephemeral {
			fault("Keyring", nil, "is required; set Ephemeral for keys that die with the process")
		} else {
			ring, err := ephemeralKeyring()
			if err != nil {
				return nil, err
			}
			s.keyring = ring
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Spec) addSorts(cfg Config, errs *[]error) {
	fault := func(name string, value any, reason string) {
		*errs = append(*errs, &ConfigError{Field: name, Value: value, Reason: reason})
	}
	s.tie = cfg.TieBreaker.compile("TieBreaker", false, errs)
	if cfg.TieBreaker.Nullable {
		fault("TieBreaker.Nullable", true, "a tie-breaker is unique and never NULL")
	}
	s.sortable = make(map[string]*field, len(cfg.Sortable))
	for i, f := range cfg.Sortable {
		place := fmt.Sprintf("Sortable[%d]", i)
		made := f.compile(place, false, errs)
		if s.sortable[f.Name] != nil {
			fault(place+".Name", f.Name, "is listed twice")
		}
		if made.sql == s.tie.sql {
			made = s.tie // one identity, so that an order ends at its unique column
		}
		s.sortable[f.Name] = made
		s.sortNames = append(s.sortNames, f.Name)
	}
	s.sortDefault = cfg.DefaultSort
	fields, fail := []sortField(nil), (*Error)(nil)
	if cfg.DefaultSort != "" {
		fields, fail = splitSort(cfg.DefaultSort, maxKeys-1)
	}
	if fail == nil {
		s.defaultSort, fail = s.order(fields)
	}
	if fail != nil {
		fault("DefaultSort", cfg.DefaultSort, fail.Detail)
	}
}

func (s *Spec) addFilters(cfg Config, errs *[]error) {
	s.filters = make(map[string]filterParam)
	for i, f := range cfg.Filterable {
		place := fmt.Sprintf("Filterable[%d]", i)
		made := f.compile(place, true, errs)
		if _, taken := s.filters[f.Name]; taken {
			*errs = append(*errs, &ConfigError{Field: place + ".Name", Value: f.Name, Reason: "is listed twice"})
			continue
		}
		s.filterable = append(s.filterable, made)
		for n, op := range made.Ops {
			id := f.Name + "[" + op.String() + "]"
			s.filters[id] = filterParam{field: made, op: op, id: id}
			if n == 0 {
				s.filters[f.Name] = s.filters[id]
			}
		}
	}
}

func (n ParamNames) withDefaults() ParamNames {
	for _, pair := range []struct {
		name     *string
		fallback string
	}{
		{&n.Page, "page"}, {&n.Size, "size"}, {&n.Cursor, "cursor"}, {&n.Sort, "sort"}, {&n.Search, "q"},
	} {
		if *pair.name == "" {
			*pair.name = pair.fallback
		}
	}
	return n
}

// check finds names that clash with each other or with a filter.
func (n ParamNames) check(filters map[string]filterParam, errs *[]error) {
	all := []string{n.Page, n.Size, n.Cursor, n.Sort}
	for _, optional := range []string{n.Search, n.Total} {
		if optional != "" {
			all = append(all, optional)
		}
	}
	for i, name := range all {
		_, taken := filters[name]
		switch {
		case !namePattern.MatchString(name):
			*errs = append(*errs, &ConfigError{Field: "Names", Value: name, Reason: "is not a parameter name"})
		case taken || slices.Contains(all[:i], name):
			*errs = append(*errs, &ConfigError{Field: "Names", Value: name, Reason: "is used twice"})
		}
	}
}

// SortNames returns the names the sort parameter accepts, in the order of [Config.Sortable].
func (s *Spec) SortNames() []string { return slices.Clone(s.sortNames) }

// DefaultSort returns the order used without a sort parameter, in the parameter's grammar and
// with the tie-breaker it ends in.
func (s *Spec) DefaultSort() string { return sortText(s.defaultSort) }

func sortText(keys []key) string {
	var b strings.Builder
	for i, k := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		if k.desc {
			b.WriteByte('-')
		}
		b.WriteString(k.field.Name)
	}
	return b.String()
}
