package app_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/app"
	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/examples/server/migrations"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// listedRows is how many rows every table has that a list reads.
const listedRows = 100_000

// Every operation that answers a page is a registered list, and the other way round.
func TestEveryListIsRegistered(t *testing.T) {
	t.Parallel()
	text, err := app.Document()
	require.NoError(t, err)
	type operation struct {
		OperationID string `json:"operationId"`
		Responses   map[string]struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				}
			}
		}
	}
	var doc struct {
		Paths map[string]map[string]operation
	}
	require.NoError(t, json.Unmarshal(text, &doc))
	var served, registered []string
	for _, operations := range doc.Paths {
		for _, op := range operations {
			if strings.HasPrefix(op.Responses["200"].Content["application/json"].Schema.Ref, "#/components/schemas/Page") {
				served = append(served, op.OperationID)
			}
		}
	}
	entries, err := app.Lists()
	require.NoError(t, err)
	for _, e := range entries {
		registered = append(registered, e.Name)
	}
	require.NotEmpty(t, served)
	require.ElementsMatch(t, served, registered)
}

// PostgreSQL reads every list, in every order, through an index that has that order: the first page and
// the one after it, with 100,000 rows in each table. Lists are taken from the registry and tables are
// filled from their definitions, so a new list is covered without a line here.
func TestListsUseIndexes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills tables")
	}
	db := filled(t)
	entries, err := app.Lists()
	require.NoError(t, err)
	for _, e := range entries {
		for n, base := range e.Selects {
			for _, sort := range orders(e.Spec) {
				t.Run(fmt.Sprintf("%s/%d/%s", e.Name, n, sort), func(t *testing.T) {
					parameters := url.Values{}
					if sort != "" {
						parameters.Set("sort", sort)
					}
					query, err := e.Spec.Parse(parameters)
					require.NoError(t, err)
					statement, args, err := query.SQL(base)
					require.NoError(t, err)
					requireIndex(t, db, statement, args)

					parameters.Set("cursor", cursor(t, db, query, base))
					query, err = e.Spec.Parse(parameters)
					require.NoError(t, err)
					statement, args, err = query.SQL(base)
					require.NoError(t, err)
					requireIndex(t, db, statement, args)
				})
			}
		}
	}
}

// orders returns the values of the sort parameter that are worth a plan.
func orders(spec *pagination.Spec) []string {
	list := []string{""}
	for _, name := range spec.SortNames() {
		list = append(list, name, "-"+name)
	}
	return list
}

// cursor reads the first page and returns its next cursor.
func cursor(t *testing.T, db *sql.DB, query pagination.Query, base pagination.Select) string {
	t.Helper()
	statement, args, err := query.SQL(base)
	require.NoError(t, err)
	rows, err := db.QueryContext(t.Context(), statement, args...)
	require.NoError(t, err)
	columns, err := rows.Columns()
	require.NoError(t, err)
	visible := len(columns) - len(strings.Split(query.Sort(), ","))
	page, err := pagination.Collect(rows, query, func(row pagination.Scanner) (int, error) {
		dest := make([]any, visible)
		for i := range dest {
			dest[i] = new(any)
		}
		return 0, row.Scan(dest...)
	})
	require.NoError(t, err)
	require.NotEmpty(t, page.NextCursor, "the sample has more than one page")
	return page.NextCursor
}

// node is a node of a plan.
type node struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Plans    []node
}

// sortsPages reports whether a sort only puts pages together that are in order themselves: behind a
// cursor, NULLs and values are two of them.
func (n node) sortsPages() bool {
	parts := n.Plans
	if len(parts) == 1 && parts[0].Type == "Append" {
		parts = parts[0].Plans
	}
	return !slices.ContainsFunc(parts, func(part node) bool { return part.Type != "Limit" })
}

// requireIndex fails when the plan reads a whole table or sorts.
func requireIndex(t *testing.T, db *sql.DB, statement string, args []any) {
	t.Helper()
	var text []byte
	require.NoError(t, db.QueryRowContext(t.Context(), "EXPLAIN (FORMAT JSON) "+statement, args...).Scan(&text), statement)
	var plans []struct{ Plan node }
	require.NoError(t, json.Unmarshal(text, &plans))
	indexed := false
	for open := []node{plans[0].Plan}; len(open) > 0; open = open[1:] {
		n := open[0]
		if n.Type == "Seq Scan" || strings.HasSuffix(n.Type, "Sort") && !n.sortsPages() {
			t.Fatalf("%s %s in the plan of\n%s\n%s", n.Type, n.Relation, statement, plan(t, db, statement, args))
		}
		indexed = indexed || strings.HasPrefix(n.Type, "Index")
		open = append(open, n.Plans...)
	}
	require.True(t, indexed, "no index in the plan of\n%s", statement)
}

// plan is the plan for people.
func plan(t *testing.T, db *sql.DB, statement string, args []any) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN "+statement, args...)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var lines []string
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		lines = append(lines, line)
	}
	require.NoError(t, rows.Err())
	return strings.Join(lines, "\n")
}

// filled returns a migrated database in which every table that a list reads has listedRows rows.
func filled(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", testdb.Postgres(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1) // for session_replication_role
	files, err := migrations.FS(sqldb.DialectPostgres)
	require.NoError(t, err)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	require.NoError(t, err)
	_, err = provider.Up(t.Context())
	require.NoError(t, err)

	run := func(statement string) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	run(`SET session_replication_role = replica`) // no foreign keys
	for _, table := range listedTables(t) {
		columns, checks := describe(t, db, table)
		require.NotEmpty(t, columns, "there is no table %s", table)
		for _, name := range checks {
			run(`ALTER TABLE ` + table + ` DROP CONSTRAINT ` + name)
		}
		var names, values []string
		for _, c := range columns {
			names, values = append(names, c.name), append(values, c.sample())
		}
		run(fmt.Sprintf(`INSERT INTO %s (%s) SELECT %s FROM generate_series(1, %d) AS g ON CONFLICT DO NOTHING`,
			table, strings.Join(names, ", "), strings.Join(values, ", "), listedRows))
		run(`VACUUM ANALYZE ` + table)
		var n int
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n))
		require.Greater(t, n, listedRows*9/10, "rows of %s", table)
	}
	return db
}

// listedTables returns the tables that the registered lists read.
func listedTables(t *testing.T) []string {
	t.Helper()
	entries, err := app.Lists()
	require.NoError(t, err)
	var tables []string
	for _, e := range entries {
		for _, base := range e.Selects {
			text := strings.Join([]string{base.Columns, base.From, base.Where}, " ")
			for _, match := range regexp.MustCompile(`"?\b([a-z_]+)"? AS "?[a-z]+\b`).FindAllStringSubmatch(text, -1) {
				tables = append(tables, match[1])
			}
			for _, match := range regexp.MustCompile(`FROM "?([a-z_]+)\b`).FindAllStringSubmatch("FROM "+base.From+" "+base.Columns, -1) {
				tables = append(tables, match[1])
			}
		}
	}
	slices.Sort(tables)
	return slices.Compact(tables)
}

// column is a column of a table that is being filled.
type column struct {
	name, kind string
	nullable   bool
	unique     bool     // by itself
	values     []string // of its CHECK
}

// sample is an expression over the row's number g.
func (c column) sample() string {
	id := func(n string) string { return `'` + lists.SampleID[:24] + `' || lpad(to_hex(` + n + `), 12, '0')` }
	value := `'v' || g`
	switch {
	case c.unique && c.kind == "text":
		value = id("g")
	case strings.HasSuffix(c.name, "_id") || strings.HasSuffix(c.name, "_by") || c.name == "tenant":
		value = id("g % 20")
	case strings.HasPrefix(c.kind, "timestamp"):
		value = `TIMESTAMPTZ '2026-01-01' + g * INTERVAL '1 minute'`
	case c.kind == "boolean":
		value = `g % 10 <> 0`
	case c.kind != "text" && c.unique:
		value = `g`
	case c.kind != "text":
		value = `g % 1000`
	case len(c.values) > 0:
		value = fmt.Sprintf(`(ARRAY['%s'])[1 + g %% %d]`, strings.Join(c.values, "', '"), len(c.values))
	}
	if c.nullable && !c.unique {
		// Whatever marks a row, such as a deletion, marks few.
		value = `CASE WHEN g % 19 = 0 THEN ` + value + ` END`
	}
	return value
}

// describe returns the columns of a table that can be written, and the names of its CHECKs.
func describe(t *testing.T, db *sql.DB, table string) (columns []column, checks []string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	rows, err := db.QueryContext(ctx, `
SELECT a.attname, format_type(a.atttypid, NULL), NOT a.attnotnull,
       EXISTS (SELECT 1 FROM pg_index AS i
                WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indnatts = 1 AND i.indkey[0] = a.attnum)
  FROM pg_attribute AS a
 WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity <> 'a'
 ORDER BY a.attnum`, table)
	require.NoError(t, err)
	for rows.Next() {
		var c column
		require.NoError(t, rows.Scan(&c.name, &c.kind, &c.nullable, &c.unique))
		columns = append(columns, c)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	rows, err = db.QueryContext(ctx, `
SELECT c.conname, pg_get_constraintdef(c.oid), a.attname
  FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
 WHERE c.conrelid = $1::regclass AND c.contype = 'c'`, table)
	require.NoError(t, err)
	for rows.Next() {
		var name, definition, of string
		require.NoError(t, rows.Scan(&name, &definition, &of))
		checks = append(checks, name)
		if !strings.Contains(definition, "ARRAY[") {
			continue
		}
		at := slices.IndexFunc(columns, func(c column) bool { return c.name == of })
		for _, match := range regexp.MustCompile(`'([a-z0-9_]+)'`).FindAllStringSubmatch(definition, -1) {
			columns[at].values = append(columns[at].values, match[1])
		}
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	return columns, checks
}
