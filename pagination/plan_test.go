package pagination_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// feed is a long list with an index for every declared sort.
var feed = pagination.Select{Columns: "f.id, f.body", From: "feed AS f"}

func feedSpec(t *testing.T) *pagination.Spec {
	t.Helper()
	spec, err := pagination.NewSpec(pagination.Config{
		Sortable: []pagination.Field{
			{Name: "created_at", Column: "f.created_at", Kind: pagination.Time},
			{Name: "kind", Column: "f.kind", Kind: pagination.Int},
			{Name: "score", Column: "f.score", Kind: pagination.Float, Nullable: true},
		},
		TieBreaker: pagination.Field{Name: "id", Column: "f.id", Kind: pagination.Int},
		Count:      pagination.CountNone, MaxOffset: -1, Keyring: keyring(t, testKey),
	})
	require.NoError(t, err)
	return spec
}

// fillFeed makes n rows: unique times, three kinds, and a score of 97 values that is NULL in
// every third row: with ties of a few rows PostgreSQL rightly sorts those rows instead.
func fillFeed(t *testing.T, tr transport, db sqldb.DB, n int) {
	t.Helper()
	moment := `strftime('%Y-%m-%dT%H:%M:%S', 1600000000 + i, 'unixepoch') || '.000000Z'`
	column := "TEXT"
	if tr.dialect == sqldb.DialectPostgres {
		moment, column = `to_timestamp(1600000000 + i)`, "TIMESTAMPTZ"
	}
	for _, statement := range []string{
		`CREATE TABLE feed (id BIGINT PRIMARY KEY, created_at ` + column + ` NOT NULL, kind INTEGER NOT NULL, score DOUBLE PRECISION, body TEXT NOT NULL)`,
		fmt.Sprintf(`INSERT INTO feed WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			SELECT i, %s, i %% 3, CASE WHEN i %% 3 = 0 THEN NULL ELSE (CAST(i AS BIGINT) * 7919) %% 97 END, 'some text of a usual length, so that rows are not tiny' FROM n`, n, moment),
		`CREATE INDEX feed_created ON feed (created_at, id)`,
		`CREATE INDEX feed_kind ON feed (kind, created_at DESC, id DESC)`,
		`CREATE INDEX feed_score ON feed (score, id)`,
		`ANALYZE feed`,
	} {
		_, err := db.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
}

func feedQuery(t *testing.T, db sqldb.DB, spec *pagination.Spec, query string) (pagination.Query, pagination.Page[int64]) {
	t.Helper()
	q, err := spec.Parse(values(t, query))
	require.NoError(t, err)
	text, args, err := q.SQL(feed)
	require.NoError(t, err)
	rows, err := db.Query(t.Context(), text, args...)
	require.NoError(t, err)
	page, err := pagination.Collect(rows, q, func(row pagination.Scanner) (id int64, err error) {
		var body string
		err = row.Scan(&id, &body)
		return id, err
	})
	require.NoError(t, err)
	return q, page
}

// onFeed runs test with a long feed, shorter under -short and -race.
func onFeed(t *testing.T, test func(t *testing.T, tr transport, db sqldb.DB, rows int)) {
	rows := 1_050_000
	if raceEnabled || testing.Short() {
		rows = 60_000
	}
	for _, tr := range transports() {
		if tr.name != "sqlite" && tr.name != "pgx simple protocol" { // one per database; plans need literals
			continue
		}
		t.Run(tr.name, func(t *testing.T) {
			db := tr.open(t) // not parallel: it measures
			fillFeed(t, tr, db, rows)
			test(t, tr, db, rows)
		})
	}
}

// Every sort is served by its index at any depth, and the page at depth one
// million costs what the page at depth ten costs.
func TestPlansAndDepth(t *testing.T) {
	onFeed(t, func(t *testing.T, tr transport, db sqldb.DB, rows int) {
		spec := feedSpec(t)
		deep := (rows - rows/20) / 20
		factor := time.Duration(50)
		if raceEnabled || testing.Short() {
			factor = 3
		}
		for _, sort := range []string{"created_at", "-created_at", "kind,-created_at", "-kind,created_at", "score", "-score"} {
			shallow := feedCursor(t, db, spec, sort, 2)
			far := feedCursor(t, db, spec, sort, deep)
			for _, query := range []string{shallow, far} {
				requireIndex(t, tr, db, spec, query)
			}
			near, distant := time.Hour, time.Hour
			flat := func() bool { return distant < near*3/2+50*time.Microsecond }
			// Interleaved, the best of each: other work on the machine only adds. Where it adds a lot,
			// more rounds bring both closer to what they cost.
			for round := 0; round < 40 || round < 400 && !flat(); round++ {
				near = min(near, feedTime(t, db, spec, shallow))
				distant = min(distant, feedTime(t, db, spec, far))
			}
			t.Logf("%s: page at row 20 %v, at row %d %v", sort, near, deep*20, distant)
			require.True(t, flat(), sort)
			offset := feedTime(t, db, spec, fmt.Sprintf("sort=%s&page=%d", sort, deep))
			t.Logf("%s: OFFSET %v, %dx", sort, offset, offset/distant)
			require.Greater(t, offset, distant*factor, sort)
		}
	})
}

func feedCursor(t *testing.T, db sqldb.DB, spec *pagination.Spec, sort string, page int) string {
	t.Helper()
	_, p := feedQuery(t, db, spec, fmt.Sprintf("sort=%s&page=%d", sort, page))
	require.NotEmpty(t, p.NextCursor)
	return "sort=" + sort + "&cursor=" + p.NextCursor
}

func feedTime(t *testing.T, db sqldb.DB, spec *pagination.Spec, query string) time.Duration {
	t.Helper()
	began := time.Now()
	_, page := feedQuery(t, db, spec, query)
	require.Len(t, page.Items, 20)
	return time.Since(began)
}

// requireIndex reads the plan: no scan of the table, and no sort but the one over the few rows
// that the segments hand up.
func requireIndex(t *testing.T, tr transport, db sqldb.DB, spec *pagination.Spec, query string) {
	t.Helper()
	q, _ := feedQuery(t, db, spec, query)
	text, args, err := q.SQL(feed)
	require.NoError(t, err)
	explain := "EXPLAIN (COSTS OFF) "
	if tr.dialect == sqldb.DialectSQLite {
		explain = "EXPLAIN QUERY PLAN "
	}
	rows, err := db.Query(t.Context(), explain+text, args...)
	require.NoError(t, err)
	var lines []string
	for rows.Next() {
		var line string
		if tr.dialect == sqldb.DialectSQLite {
			var a, b, c int
			require.NoError(t, rows.Scan(&a, &b, &c, &line))
		} else {
			require.NoError(t, rows.Scan(&line))
		}
		lines = append(lines, line)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	plan := strings.Join(lines, "\n")
	segments := strings.Count(text, "page_s") - strings.Count(text, "page_seg")
	require.NotContains(t, plan, "Seq Scan", "%s\n%s", query, plan)
	require.NotContains(t, plan, "SCAN f\n", "%s\n%s", query, plan)
	if tr.dialect == sqldb.DialectSQLite {
		for i, line := range lines[1:] { // what is sorted are segments, never the table
			if strings.Contains(line, "TEMP B-TREE") {
				require.Contains(t, lines[i], "SCAN page_s", "%s\n%s", query, plan)
			}
		}
		require.GreaterOrEqual(t, strings.Count(plan, "SEARCH f USING"), max(segments, 1), "%s\n%s", query, plan)
		return
	}
	require.LessOrEqual(t, strings.Count(plan, "Sort Key"), min(segments, 1), "%s\n%s", query, plan)
	require.GreaterOrEqual(t, strings.Count(plan, "Index Cond"), max(segments, 1), "%s\n%s", query, plan)
}
