package pagination

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Select is the caller's part of the statement: trusted text from source code, never from a
// request. Args belong to $1, $2, … in From and then Where, which use every number and let first
// uses ascend; Columns holds no parameters. What needs WITH, GROUP BY, DISTINCT or an expression
// to sort by goes into a sub-select in From.
type Select struct {
	Columns string // "j.id, j.name"
	From    string // "jobs AS j JOIN users AS u ON u.id = j.user_id"
	Where   string // "j.company_id = $1 AND j.deleted_at IS NULL"; may be empty
	Args    []any
}

// SQL returns the statement for the page and its arguments. It runs unchanged on PostgreSQL and
// SQLite. It asks for one row more than the size, which is how [Collect] knows that more follow,
// and appends the sort columns to the caller's, which Collect takes off again.
//
// From a cursor, an order over NOT NULL columns in one direction compares row values; mixed
// directions and nullable columns become one index range per segment, joined by UNION ALL.
func (q Query) SQL(base Select) (string, []any, error) {
	b, err := q.builder(base)
	if err != nil {
		return "", nil, err
	}
	switch {
	case q.at == nil:
		b.selectFrom(base, "", -1)
		b.orderBy(0)
		b.text(" LIMIT ", b.bindLimit())
		if q.mode == pageMode {
			b.text(" OFFSET ", b.bind("", q.offset()))
		}
	case q.segmented():
		b.segments(base)
	default:
		b.selectFrom(base, b.rowValue(), -1)
		b.orderBy(0)
		b.text(" LIMIT ", b.bindLimit())
	}
	return b.out.String(), b.args, nil
}

// CountSQL returns the statement that counts the list, with all filters and without the page:
// up to the cap in capped mode, otherwise in full. [Query.Count] runs it.
func (q Query) CountSQL(base Select) (string, []any, error) {
	b, err := q.builder(base)
	if err != nil {
		return "", nil, err
	}
	if q.count == CountExact {
		b.text("SELECT COUNT(*) FROM ", base.From, b.where(""))
		return b.out.String(), b.args, nil
	}
	b.text("SELECT COUNT(*) FROM (SELECT 1 AS page_one FROM ", base.From, b.where(""))
	b.text(" LIMIT ", b.bind("", q.spec.countCap+1), ") AS page_counted")
	return b.out.String(), b.args, nil
}

// segmented says that the page is a UNION ALL: its position cannot be compared as a row value.
func (q Query) segmented() bool {
	if q.at == nil {
		return false
	}
	for _, k := range q.keys {
		if k.field.Nullable || k.desc != q.keys[0].desc {
			return true
		}
	}
	return false
}

// builder writes one statement. Numbers are given out in the order of their first use.
type builder struct {
	q     Query
	out   strings.Builder
	args  []any
	conds string   // the caller's condition, filters and search
	limit string   // the placeholder of the limit, once bound
	keys  []string // placeholders of the position's values, "" for NULL or not bound yet
}

func (q Query) builder(base Select) (*builder, error) {
	if q.spec == nil {
		return nil, ErrZeroQuery
	}
	if err := base.check(); err != nil {
		return nil, err
	}
	b := &builder{q: q, args: append([]any(nil), base.Args...)}
	var conds []string
	if strings.TrimSpace(base.Where) != "" {
		conds = append(conds, "("+base.Where+")")
	}
	for _, f := range q.filters {
		conds = append(conds, b.filter(f))
	}
	if q.search != "" {
		pattern := b.bind("", "%"+escapeLike(q.search)+"%")
		var columns []string
		for _, column := range q.spec.search.columns {
			columns = append(columns, column+" LIKE "+pattern+" ESCAPE '!'")
		}
		conds = append(conds, "("+strings.Join(columns, " OR ")+")")
	}
	b.conds = strings.Join(conds, " AND ")
	return b, nil
}

func (b *builder) text(parts ...string) {
	for _, part := range parts {
		b.out.WriteString(part)
	}
}

// bind adds an argument and returns its placeholder, cast where PostgreSQL would infer a type
// that is too narrow (an INTEGER column and a 64-bit value) or none.
func (b *builder) bind(cast string, arg any) string {
	b.args = append(b.args, arg)
	n := "$" + strconv.Itoa(len(b.args))
	if cast == "" {
		return n
	}
	return "CAST(" + n + " AS " + cast + ")"
}

func (b *builder) bindValue(f *field, v value) string {
	switch f.Kind {
	case Int:
		return b.bind("BIGINT", v.arg())
	case Float:
		return b.bind("DOUBLE PRECISION", v.arg())
	default:
		return b.bind("", v.arg())
	}
}

func (b *builder) bindLimit() string {
	if b.limit == "" {
		b.limit = b.bind("", int64(b.q.size)+1)
	}
	return b.limit
}

func (b *builder) filter(f filter) string {
	column := f.field.sql
	null := len(f.values) == 1 && f.values[0].tag == tagNull
	switch {
	case null && f.op == Eq:
		return column + " IS NULL"
	case null && f.op == Ne:
		return column + " IS NOT NULL"
	}
	switch f.op {
	case IsNull:
		if f.values[0].bits == 1 {
			return column + " IS NULL"
		}
		return column + " IS NOT NULL"
	case Ne:
		cond := column + " <> " + b.bindValue(f.field, f.values[0])
		if f.field.Nullable {
			return "(" + cond + " OR " + column + " IS NULL)"
		}
		return cond
	case In:
		var list []string
		for _, v := range f.values {
			list = append(list, b.bindValue(f.field, v))
		}
		return column + " IN (" + strings.Join(list, ", ") + ")"
	case Prefix:
		// LIKE can use an index but ignores ASCII case on SQLite; the comparison settles it.
		prefix := f.values[0].text
		like := b.bind("", escapeLike(prefix)+"%")
		length := b.bind("INTEGER", int64(len([]rune(prefix))))
		return "(" + column + " LIKE " + like + " ESCAPE '!' AND SUBSTR(" + column + ", 1, " + length + ") = " +
			b.bind("", prefix) + ")"
	}
	return column + " " + [...]string{Eq: "=", Lt: "<", Le: "<=", Gt: ">", Ge: ">="}[f.op] + " " +
		b.bindValue(f.field, f.values[0])
}

func (b *builder) where(more string) string {
	switch {
	case b.conds == "" && more == "":
		return ""
	case b.conds == "" || more == "":
		return " WHERE " + b.conds + more
	default:
		return " WHERE " + b.conds + " AND " + more
	}
}

// selectFrom writes everything up to the order. A segment number from 0 is added as a column.
func (b *builder) selectFrom(base Select, more string, segment int) {
	b.text("SELECT ", base.Columns)
	for i := range b.q.hidden() {
		b.text(", ", b.q.keys[i].field.sql, " AS page_k", strconv.Itoa(i+1))
	}
	if segment >= 0 {
		b.text(", ", strconv.Itoa(segment), " AS page_seg")
	}
	b.text(" FROM ", base.From, b.where(more))
}

// orderBy writes the order as it is read, which is reversed when walking back. The first fixed
// columns are bound to one value or a range without NULL by the segment, so they need no word
// about NULL; for the others it is said, because the databases' defaults differ.
func (b *builder) orderBy(fixed int) {
	b.text(" ORDER BY ")
	for i, k := range b.q.keys {
		if i > 0 {
			b.text(", ")
		}
		b.text(k.field.sql, b.direction(k, i >= fixed))
	}
}

func (b *builder) direction(k key, nulls bool) string {
	nulls = nulls && k.field.Nullable
	switch desc := k.desc != b.q.backward(); {
	case desc && nulls:
		return " DESC NULLS FIRST"
	case desc:
		return " DESC"
	case nulls:
		return " ASC NULLS LAST"
	default:
		return " ASC"
	}
}

// check finds numbering that would work on one database and fail on the other.
func (s Select) check() error {
	if s.Columns == "" || s.From == "" {
		return errors.New("pagination: select needs Columns and From")
	}
	if firstParam(s.Columns) >= 0 {
		return errors.New("pagination: select columns must not hold parameters")
	}
	next := 1
	for _, text := range [...]string{s.From, s.Where} {
		for i := firstParam(text); i >= 0; i = firstParam(text) {
			n := 0
			for i++; i < len(text) && text[i] >= '0' && text[i] <= '9' && n < 1<<20; i++ {
				n = n*10 + int(text[i]-'0')
			}
			text = text[i:]
			if n == 0 || n > next {
				return fmt.Errorf("pagination: select uses $%d before $%d", n, next)
			}
			if n == next {
				next++
			}
		}
	}
	if next-1 != len(s.Args) {
		return fmt.Errorf("pagination: select uses %d parameters and has %d arguments", next-1, len(s.Args))
	}
	return nil
}

// firstParam returns the place of the first $N in text, or -1.
func firstParam(text string) int {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '$' && text[i+1] >= '0' && text[i+1] <= '9' {
			return i
		}
	}
	return -1
}
