package pagination

import (
	"strconv"
	"strings"
)

// rowValue compares all columns at once: (a, b) < ($1, $2).
func (b *builder) rowValue() string {
	var columns, values []string
	for i, k := range b.q.keys {
		columns = append(columns, k.field.sql)
		values = append(values, b.bindValue(k.field, b.q.at.keys[i]))
	}
	op := b.after(len(b.q.keys) - 1)
	if len(columns) == 1 {
		return columns[0] + op + values[0]
	}
	return "(" + strings.Join(columns, ", ") + ")" + op + "(" + strings.Join(values, ", ") + ")"
}

// after is the comparison that leads on from the position in column i. Only the last column may
// include the position itself.
func (b *builder) after(i int) string {
	op := " > "
	if b.q.keys[i].desc != b.q.backward() {
		op = " < "
	}
	if i == len(b.q.keys)-1 && b.q.at.inclusive() {
		op = op[:2] + "= "
	}
	return op
}

// segments writes the page as ranges, nearest first: all columns equal but the last, all but the
// last two, and so on. Each is one index range with an order and a limit of its own.
func (b *builder) segments(base Select) {
	keys, at := b.q.keys, b.q.at
	b.keys = make([]string, len(keys))
	for i, k := range keys {
		if at.keys[i].tag != tagNull {
			b.keys[i] = b.bindValue(k.field, at.keys[i])
		}
	}
	segment := 0
	add := func(i int, cond string) {
		if segment > 0 {
			b.text(" UNION ALL ")
		}
		for n := i - 1; n >= 0; n-- {
			equal := " = " + b.keys[n]
			if b.keys[n] == "" {
				equal = " IS NULL"
			}
			cond = keys[n].field.sql + equal + " AND " + cond
		}
		segment++
		b.text("SELECT * FROM (")
		b.selectFrom(base, cond, segment)
		b.orderBy(i + 1)
		b.text(" LIMIT ", b.bindLimit(), ") AS page_s", strconv.Itoa(segment))
	}
	for i := len(keys) - 1; i >= 0; i-- {
		k := keys[i]
		desc := k.desc != b.q.backward()
		switch null := at.keys[i].tag == tagNull; {
		case null && desc: // NULL came first; every value follows
			add(i, k.field.sql+" IS NOT NULL")
		case null: // NULL is last; nothing follows
		default:
			add(i, k.field.sql+b.after(i)+b.keys[i])
			if k.field.Nullable && !desc {
				add(i, k.field.sql+" IS NULL")
			}
		}
	}
	b.text(" ORDER BY page_seg ASC")
	for i, k := range keys {
		b.text(", page_k", strconv.Itoa(i+1), b.direction(k, true))
	}
	b.text(" LIMIT ", b.bindLimit())
}
