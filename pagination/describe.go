package pagination

import (
	"slices"
	"strconv"
	"strings"
)

// Param describes one request parameter, in the words of JSON Schema, so that an API document
// can be written from the Spec instead of beside it.
type Param struct {
	Name        string
	Description string
	Type        string   // "integer", "number", "boolean" or "string"
	Format      string   // "date-time", "date", "uuid" or empty
	Enum        []string // the accepted values, empty when they are open
	Default     string   // as it would be written, empty when there is none
	// Min and Max limit the number, or the length of a search term; nil when there is no limit.
	Min, Max *int64
}

// Params returns every parameter that [Spec.Parse] accepts: paging first, then the filters in the
// order of [Config.Filterable], each operator on its own. A parameter that accepts null, or a
// comma-separated list, is described as a plain string.
func (s *Spec) Params() []Param {
	n := s.rules.names
	one, size := int64(1), int64(s.maxSize)
	var list []Param
	if s.mode != CursorOnly {
		list = append(list, Param{
			Name: n.Page, Type: "integer", Default: "1", Min: &one,
			Description: "Page number, from 1.",
		})
	}
	list = append(list, Param{
		Name: n.Size, Type: "integer", Default: strconv.Itoa(s.defaultSize), Min: &one, Max: &size,
		Description: "Rows per page.",
	})
	if s.mode != PageOnly {
		cursor := "Value of next_cursor or prev_cursor of an earlier page, with the same sort, filters and search."
		if s.mode == PageAndCursor {
			cursor += " Excludes " + n.Page + "."
		}
		list = append(list, Param{Name: n.Cursor, Type: "string", Description: cursor})
	}
	if len(s.sortNames) > 0 {
		list = append(list, Param{
			Name: n.Sort, Type: "string", Default: s.sortDefault,
			Description: "Up to " + strconv.Itoa(s.maxSort) + " of " + strings.Join(s.sortNames, ", ") +
				", separated by commas; a minus sign means descending.",
		})
	}
	if s.search.on() {
		least, most := int64(s.search.min), int64(s.search.max)
		list = append(list, Param{
			Name: n.Search, Type: "string", Min: &least, Max: &most,
			Description: "Text to search for; case is ignored.",
		})
	}
	if n.Total != "" {
		list = append(list, Param{
			Name: n.Total, Type: "string", Enum: []string{"none", "estimated", "capped", "exact"},
			Description: "How to count; only a cheaper way than usual has an effect.",
		})
	}
	for _, f := range s.filterable {
		for i, op := range f.Ops {
			name := f.Name
			if i > 0 {
				name += "[" + op.String() + "]"
			}
			list = append(list, f.describe(name, op))
		}
	}
	return list
}

func (f *field) describe(name string, op Op) Param {
	p := Param{Name: name, Type: "string", Description: opText(f.Name, op)}
	switch {
	case op == IsNull:
		p.Type = "boolean"
		return p
	case op == In:
		if f.Kind == Enum {
			p.Description += " Values: " + strings.Join(f.Enum, ", ") + "."
		}
		return p
	case f.Nullable && (op == Eq || op == Ne):
		p.Description += " The value null stands for a missing one."
		return p
	}
	switch f.Kind {
	case Int:
		p.Type = "integer"
	case Float:
		p.Type = "number"
	case Bool:
		p.Type = "boolean"
	case Time:
		p.Format = "date-time"
	case Date:
		p.Format = "date"
	case UUID:
		p.Format = "uuid"
	case Enum:
		p.Enum = slices.Clone(f.Enum)
	}
	return p
}

func opText(name string, op Op) string {
	switch op {
	case Ne:
		return "Rows whose " + name + " is another one."
	case Lt:
		return "Rows whose " + name + " is less."
	case Le:
		return "Rows whose " + name + " is at most this."
	case Gt:
		return "Rows whose " + name + " is greater."
	case Ge:
		return "Rows whose " + name + " is at least this."
	case In:
		return "Rows whose " + name + " is one of these, separated by commas."
	case Prefix:
		return "Rows whose " + name + " begins with this."
	case IsNull:
		return "Rows whose " + name + " is missing, or is not."
	default:
		return "Rows with this " + name + "."
	}
}
