package pagination

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxFaults is where reporting stops; a client fixes a few at a time.
const maxFaults = 20

// Parse reads the request parameters strictly: an unknown, repeated, malformed or out-of-range one
// is a fault. All faults come back joined, each as an [*Error], in the order of the parameter names;
// [Errors] lists them. Nothing of values ends up in SQL text.
//
// Scope names what the list is limited to besides its parameters, such as the tenant and the
// user. It is authenticated into the cursor, so that one tenant's cursor is refused for another.
// It limits nothing by itself: the caller's [Select.Where] does that on every request.
func (s *Spec) Parse(values url.Values, scope ...string) (Query, error) {
	p := parser{spec: s, names: &s.rules.names, values: values}
	p.q = Query{spec: s, size: s.defaultSize, page: 1, keys: s.defaultSort, count: s.count}
	if s.mode == CursorOnly {
		p.q.mode, p.q.page = firstMode, 0
	}
	p.all()
	if err := errors.Join(p.faults...); err != nil {
		return Query{}, err
	}
	return p.finish(scope)
}

type parser struct {
	spec   *Spec
	names  *ParamNames
	values url.Values
	q      Query
	cursor string
	faults []error
}

func (p *parser) fault(param, code, detail string) {
	p.add(&Error{Param: param, Code: code, Detail: detail})
}

func (p *parser) add(e *Error) {
	if e != nil && len(p.faults) < maxFaults {
		p.faults = append(p.faults, e)
	}
}

// all walks the parameters in name order, so that answers are the same on every run.
func (p *parser) all() {
	names := make([]string, 0, len(p.values))
	for name := range p.values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		given := p.values[name]
		if !p.known(name) {
			if !p.spec.ignoreUnknown {
				p.fault(printable(name), CodeUnknownParameter, "There is no such parameter.")
			}
			continue
		}
		if len(given) != 1 {
			p.fault(name, CodeRepeatedParameter, "Give the parameter once.")
			continue
		}
		p.one(name, given[0])
	}
	slices.SortFunc(p.q.filters, func(a, b filter) int { return strings.Compare(a.id, b.id) })
}

func (p *parser) known(name string) bool {
	n, s := p.names, p.spec
	switch name {
	case n.Size:
		return true
	case n.Sort:
		return len(s.sortNames) > 0
	case n.Page:
		return s.mode != CursorOnly
	case n.Cursor:
		return s.mode != PageOnly
	}
	if name == n.Search && s.search.on() || name == n.Total && n.Total != "" {
		return true
	}
	_, ok := s.filters[name]
	return ok
}

func (p *parser) one(name, raw string) {
	var fail *Error
	switch name {
	case p.names.Size:
		p.size(raw)
	case p.names.Page:
		p.page(raw)
	case p.names.Cursor:
		p.cursor = raw
		switch _, both := p.values[p.names.Page]; {
		case both:
			p.fault(p.names.Page, CodeExclusiveParameters, "Give either a page or a cursor.")
		case raw == "":
			p.add(badCursor(p.names.Cursor))
		}
	case p.names.Sort:
		p.sort(raw)
	case p.names.Total:
		p.total(raw)
	case p.names.Search:
		p.q.search, fail = p.spec.search.parse(name, raw)
	default:
		fail = p.filter(p.spec.filters[name], name, raw)
	}
	p.add(fail)
}

func (p *parser) size(raw string) {
	n, code := parseInt(raw)
	most := int64(p.spec.maxSize)
	if code == "" && p.spec.clamp {
		if n == 0 {
			n = int64(p.spec.defaultSize)
		}
		n = min(n, most)
	}
	if code == "" && (n < 1 || n > most) {
		code = CodeOutOfRange
	}
	if code != "" {
		p.fault(p.names.Size, code, fmt.Sprintf("Use a whole number from 1 to %d.", most))
		return
	}
	p.q.size = int(n)
}

func (p *parser) page(raw string) {
	n, code := parseInt(raw)
	if code == "" && n < 1 {
		code = CodeOutOfRange
	}
	if code != "" {
		p.fault(p.names.Page, code, "Use a whole number from 1.")
		return
	}
	p.q.page = n
}

// parseInt reads plain decimal digits with an optional minus sign; no plus, space or exponent.
func parseInt(raw string) (int64, string) {
	digits := strings.TrimPrefix(raw, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, CodeWrongType
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil {
		return 0, CodeOutOfRange
	}
	return n, ""
}

// total lowers the cost of counting; a dearer wish is answered with the configured mode.
func (p *parser) total(raw string) {
	cost := []CountMode{CountNone, CountEstimated, CountCapped, CountExact}
	at := slices.Index([]string{"none", "estimated", "capped", "exact"}, raw)
	if at < 0 || cost[at] == CountEstimated && p.spec.estimate == nil {
		p.fault(p.names.Total, CodeNotAllowed, "Use one of the listed values.")
		return
	}
	if at < slices.Index(cost, p.spec.count) {
		p.q.count = cost[at]
	}
}

func (p *parser) sort(raw string) {
	fields, fail := splitSort(raw, p.spec.maxSort)
	if fail == nil {
		p.q.keys, fail = p.spec.order(fields)
	}
	if fail != nil {
		fail.Param = p.names.Sort
		p.add(fail)
	}
}

type sortField struct {
	name string
	desc bool
}

// splitSort reads "-created_at,name", or the form of AIP-132, "created_at desc, name".
func splitSort(raw string, most int) ([]sortField, *Error) {
	if strings.Count(raw, ",") >= most {
		return nil, &Error{Code: CodeOutOfRange, Detail: fmt.Sprintf("Sort by at most %d fields.", most)}
	}
	var fields []sortField
	for part := range strings.SplitSeq(raw, ",") {
		part = strings.Trim(part, " ")
		name, minus := strings.CutPrefix(part, "-")
		f := sortField{name: name, desc: minus}
		if word, direction, two := strings.Cut(part, " "); two && !minus {
			f.name = word
			f.desc = direction == "desc"
			if !f.desc && direction != "asc" {
				return nil, unknownSort()
			}
		}
		fields = append(fields, f)
	}
	return fields, nil
}

func unknownSort() *Error {
	return &Error{Code: CodeUnknownSort, Detail: "Sort by the listed fields only; a minus sign means descending."}
}

// order looks the fields up and ends the order with the tie-breaker, once.
func (s *Spec) order(fields []sortField) ([]key, *Error) {
	keys := make([]key, 0, len(fields)+1)
	desc, tied := false, false
	for i, want := range fields {
		f := s.sortable[want.name]
		if f == nil {
			return nil, unknownSort()
		}
		if slices.ContainsFunc(fields[:i], func(o sortField) bool { return o.name == want.name }) {
			return nil, &Error{Code: CodeNotAllowed, Detail: "Name a sort field once."}
		}
		if tied {
			continue // nothing after a unique column changes the order
		}
		desc, tied = want.desc, f == s.tie
		keys = append(keys, key{field: f, desc: desc})
	}
	if !tied {
		keys = append(keys, key{field: s.tie, desc: desc})
	}
	return keys, nil
}

func badCursor(param string) *Error {
	return &Error{
		Param: param, Code: CodeInvalidCursor,
		Detail: "The cursor is damaged or belongs to another list, sort, filter or search. Start again without it.",
	}
}

// finish does what needs several parameters at once.
func (p *parser) finish(scope []string) (Query, error) {
	q := p.q
	if most := p.spec.rules.maxOffset; q.mode == pageMode {
		if most < 0 {
			most = math.MaxInt64 - int64(q.size)
		}
		if q.page-1 > most/int64(q.size) {
			detail := "The page is too far from the start."
			if p.spec.mode != PageOnly {
				detail += " Go on with the cursor of an earlier page."
			}
			return Query{}, &Error{Param: p.names.Page, Code: CodeTooDeep, Detail: detail}
		}
	}
	if q.count == CountEstimated && (len(q.filters) > 0 || q.search != "") {
		q.count = CountCapped
	}
	if p.spec.mode == PageOnly {
		return q, nil
	}
	q.seal(scope)
	if p.cursor != "" {
		at := new(position)
		if !p.spec.keyring.open(p.cursor, &q.print, q.keys, at) {
			return Query{}, badCursor(p.names.Cursor)
		}
		q.mode, q.page, q.at = cursorMode, 0, at
	}
	return q, nil
}

// printable makes a foreign parameter name safe to repeat.
func printable(name string) string {
	if len(name) > 64 {
		name = name[:64]
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(name, string(unicode.ReplacementChar)))
}
