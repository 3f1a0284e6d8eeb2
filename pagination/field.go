package pagination

import (
	"fmt"
	"regexp"
	"slices"
)

// Kind is the type of a field: how its parameter is read, how its value is bound and how it
// travels inside a cursor.
type Kind uint8

// The kinds. Text kinds are bound as string, so their columns are TEXT (or UUID, or an enum type
// of PostgreSQL). Time values are bound as fixed-width UTC text with microseconds,
// 2006-01-02T15:04:05.000000Z, which both databases compare correctly; a TEXT column must hold
// exactly that form.
const (
	String Kind = iota // TEXT
	Int                // any integer column; 64 bits
	Float              // DOUBLE PRECISION or REAL
	Bool               // BOOLEAN; true or false
	Time               // TIMESTAMPTZ, or TEXT in the form above; RFC 3339 with offset
	Date               // DATE, or TEXT; 2006-01-02
	UUID               // UUID, or TEXT in canonical lower case
	Enum               // TEXT; one of Field.Enum
)

// String returns the kind's name in lower case.
func (k Kind) String() string {
	names := [...]string{"string", "int", "float", "bool", "time", "date", "uuid", "enum"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Op is what a filter does with its value.
type Op uint8

// The operators, as they are written in a request: name[ne]=value. A bare name uses the first
// operator of [Field.Ops].
const (
	Eq     Op = iota // name[eq]: equal
	Ne               // name[ne]: not equal; a NULL is not equal to any value
	Lt               // name[lt]: less than
	Le               // name[le]: at most
	Gt               // name[gt]: greater than
	Ge               // name[ge]: at least
	In               // name[in]: one of a comma-separated list
	Prefix           // name[prefix]: begins with, case-sensitive on both databases
	IsNull           // name[isnull]: true or false
)

// String returns the operator as it is written between the brackets.
func (o Op) String() string {
	names := [...]string{"eq", "ne", "lt", "le", "gt", "ge", "in", "prefix", "isnull"}
	if int(o) < len(names) {
		return names[o]
	}
	return fmt.Sprintf("op(%d)", uint8(o))
}

// Field is one thing a list can be sorted or filtered by. Only what is listed can be asked for.
type Field struct {
	// Name is the public name: a letter, then letters, digits and underscores.
	Name string
	// Column is the trusted column, always with its table or alias: "j.created_at". An
	// expression is given a name in a sub-select in [Select.From] first.
	Column string
	// Kind is the column's type. Default String.
	Kind Kind
	// Nullable says that the column may hold NULL. NULL counts as larger than any value: last
	// when ascending, first when descending. A filter value of null then means "is NULL".
	Nullable bool
	// Ops are the filter's operators; the first is used by the bare name. Default Eq alone.
	// Sorting ignores them.
	Ops []Op
	// Enum lists the values of an Enum field.
	Enum []string
}

var (
	namePattern   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,62}$`)
	columnPattern = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]{0,62})\.([A-Za-z_][A-Za-z0-9_]{0,62})$`)
)

// field is a checked Field with its column quoted. Qualified and quoted, an unknown column is an
// error on SQLite too, where a lone quoted name may turn into a string.
type field struct {
	Field
	sql string
}

// compile checks f and quotes its column. Faults are added to errs under the given place.
func (f Field) compile(place string, filter bool, errs *[]error) *field {
	fault := func(name string, value any, reason string) {
		*errs = append(*errs, &ConfigError{Field: place + name, Value: value, Reason: reason})
	}
	if !namePattern.MatchString(f.Name) {
		fault(".Name", f.Name, "must be a letter followed by letters, digits or underscores")
	}
	parts := columnPattern.FindStringSubmatch(f.Column)
	if parts == nil {
		fault(".Column", f.Column, "must be table.column")
		parts = []string{"", "", ""}
	}
	if f.Kind > Enum {
		fault(".Kind", uint8(f.Kind), "is not a kind")
	}
	if (f.Kind == Enum) != (len(f.Enum) > 0) && filter {
		fault(".Enum", f.Enum, "must be filled for an Enum and empty otherwise")
	}
	f.Enum = slices.Clone(f.Enum)
	f.Ops = slices.Clone(f.Ops)
	if filter {
		if len(f.Ops) == 0 {
			f.Ops = []Op{Eq}
		}
		for i, op := range f.Ops {
			switch {
			case op > IsNull:
				fault(".Ops", uint8(op), "is not an operator")
			case slices.Contains(f.Ops[:i], op):
				fault(".Ops", op, "is listed twice")
			case op == Prefix && f.Kind != String:
				fault(".Ops", op, "needs a String field")
			case op == IsNull && !f.Nullable:
				fault(".Ops", op, "needs a nullable field")
			case f.Kind == Bool && op > Ne && op != IsNull:
				fault(".Ops", op, "has no meaning for a Bool")
			}
		}
	}
	return &field{Field: f, sql: parts[1] + `."` + parts[2] + `"`}
}
