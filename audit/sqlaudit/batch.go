package sqlaudit

import (
	"context"
	"strconv"
	"strings"

	"github.com/groundwork-go/groundwork/sqldb"
)

// insertColumns are what a row is written with; pos comes by itself.
const insertColumns = `id, at, tenant, actor_type, actor_id, actor_name, on_behalf_of, actor_tenant,
	action, entity_type, entity_id, outcome, reason, class, request_id, session_id, ip, user_agent,
	method, path, changes, data, truncated`

// insertArrays is PostgreSQL only: one statement for any number of rows. Measured in batches of
// 1,000 it reaches 0.70 of the speed of COPY, a batch of single inserts 0.53.
func insertArrays() string {
	var arrays []string
	for i := range textCount + 2 {
		kind := "TEXT[]"
		switch i {
		case 1:
			kind = "TIMESTAMPTZ[]"
		case textCount + 1:
			kind = "BOOLEAN[]"
		}
		arrays = append(arrays, "CAST($"+strconv.Itoa(i+1)+" AS "+kind+")")
	}
	return `INSERT INTO audit_events (` + insertColumns + `) SELECT * FROM unnest(` +
		strings.Join(arrays, ", ") + `) ON CONFLICT (id) DO NOTHING`
}

// insertBatch stores all rows or none.
func insertBatch(ctx context.Context, db sqldb.DB, rows [][]any) error {
	if sqldb.DialectOf(db) != sqldb.DialectPostgres {
		_, err := sqldb.InsertBatch(ctx, db, insertEvent, rows)
		return err
	}
	args := make([]any, len(rows[0]))
	for column := range args {
		args[column] = arrayOf(rows, column)
	}
	_, err := db.Exec(ctx, insertArrays(), args...)
	return err
}

// arrayOf writes one column as an array literal, a text that every transport takes.
func arrayOf(rows [][]any, column int) string {
	var b strings.Builder
	b.Grow(32 * len(rows))
	b.WriteByte('{')
	for i, row := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		switch v := row[column].(type) {
		case string:
			quote(&b, v)
		case bool:
			b.WriteString(strconv.FormatBool(v))
		case sqldb.Time:
			quote(&b, v.Format(sqldb.TimeLayout))
		}
	}
	b.WriteByte('}')
	return b.String()
}

func quote(b *strings.Builder, s string) {
	b.WriteByte('"')
	for {
		i := strings.IndexAny(s, `"\`)
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		b.WriteByte('\\')
		b.WriteByte(s[i])
		s = s[i+1:]
	}
	b.WriteString(s)
	b.WriteByte('"')
}
