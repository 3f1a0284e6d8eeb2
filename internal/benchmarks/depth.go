package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pilagod/gorm-cursor-paginator/v2/paginator"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

const (
	depthRows = 1_100_000
	pageSize  = 20
)

func depthGroups() []group {
	const about = "A page of 20 from 1.1 million rows, newest first, from the request's parameters to the read rows. Floor: the page after row 10, by cursor."
	return []group{
		{
			name: "pagination: depth on PostgreSQL",
			about: about + " gorm-cursor-paginator v2.7.0 compares with OR unless it is told to compare tuples; it runs on gorm v1.31.2 and database/sql, " +
				"ours on pgx itself. It is left out on SQLite, where gorm's drivers need a C compiler or a name that ours has taken in this process.",
			open: openDepthPostgres, turn: ioTurn, rounds: 21,
		},
		{name: "pagination: depth on SQLite", about: about, open: openDepthSQLite, turn: ioTurn, rounds: 21},
	}
}

func openDepthPostgres(after func(func())) ([]contestant, error) {
	address, err := newDatabase(after)
	if err != nil {
		return nil, err
	}
	pool := must(pgxpool.New(context.Background(), address))
	after(pool.Close)
	ours := depthContestants(sqldb.Pgx(pool), sqldb.DialectPostgres)
	db := openGorm(address, after)
	// Row 1,000,000 from the end is the last before the page.
	either := gormPages(db, depthRows-1_000_000+1, paginator.FALSE)
	tuples := gormPages(db, depthRows-1_000_000+1, paginator.TRUE)
	for i, row := range either() {
		if want := int64(depthRows - 1_000_000 - i); row.ID != want || tuples()[i].ID != want {
			panic("the pages differ")
		}
	}
	return append(ours,
		contestant{name: "gorm-cursor-paginator, depth 1,000,000", run: func() { either() }, slower: 100},
		contestant{name: "the same with tuples", run: func() { tuples() }, slower: 1},
	), nil
}

func openDepthSQLite(after func(func())) ([]contestant, error) {
	folder, err := os.MkdirTemp("", "benchmarks-*")
	if err != nil {
		return nil, err
	}
	after(func() { _ = os.RemoveAll(folder) })
	writeDSN, readDSN, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: filepath.Join(folder, "depth.db")})
	if err != nil {
		return nil, err
	}
	write, read := must(sql.Open("sqlite", writeDSN)), must(sql.Open("sqlite", readDSN))
	write.SetMaxOpenConns(1)
	after(func() { _, _ = write.Close(), read.Close() })
	return depthContestants(sqldb.SQLite(write, read), sqldb.DialectSQLite), nil
}

func depthContestants(db sqldb.DB, dialect sqldb.Dialect) []contestant {
	fillFeed(db, dialect)
	spec := must(pagination.NewSpec(pagination.Config{
		Sortable:   []pagination.Field{{Name: "created_at", Column: "f.created_at", Kind: pagination.Time}},
		TieBreaker: pagination.Field{Name: "id", Column: "f.id", Kind: pagination.Int},
		Count:      pagination.CountNone, MaxOffset: -1, Ephemeral: true,
	}))
	page := func(size int, query string) pagination.Page[int64] {
		q := must(spec.Parse(must(url.ParseQuery(fmt.Sprintf("sort=-created_at&size=%d&%s", size, query)))))
		text, args, err := q.SQL(pagination.Select{Columns: "f.id, f.body", From: "feed AS f"})
		if err != nil {
			panic(err)
		}
		p := must(pagination.Collect(must(db.Query(context.Background(), text, args...)), q,
			func(row pagination.Scanner) (id int64, err error) {
				var body string
				return id, row.Scan(&id, &body)
			}))
		if len(p.Items) != size {
			panic("a short page")
		}
		return p
	}
	near := "cursor=" + page(10, "page=1").NextCursor
	far := "cursor=" + page(pageSize, "page=50000").NextCursor
	if first := page(pageSize, far).Items[0]; first != depthRows-1_000_000 {
		panic(fmt.Sprintf("the deep page begins at row %d", first))
	}
	return []contestant{
		{name: "cursor, depth 10", run: func() { page(pageSize, near) }},
		{name: "cursor, depth 1,000,000", run: func() { page(pageSize, far) }, bar: 1.5, allocs: -1},
		{name: "OFFSET, depth 1,000,000", run: func() { page(pageSize, "page=50001") }, slower: 500},
	}
}

func fillFeed(db sqldb.DB, dialect sqldb.Dialect) {
	moment, column := `to_timestamp(1600000000 + i)`, "TIMESTAMPTZ"
	if dialect == sqldb.DialectSQLite {
		moment, column = `strftime('%Y-%m-%dT%H:%M:%S', 1600000000 + i, 'unixepoch') || '.000000Z'`, "TEXT"
	}
	for _, statement := range []string{
		`CREATE TABLE feed (id BIGINT PRIMARY KEY, created_at ` + column + ` NOT NULL, body TEXT NOT NULL)`,
		fmt.Sprintf(`INSERT INTO feed WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			SELECT i, %s, 'some text of a usual length, so that rows are not tiny' FROM n`, depthRows, moment),
		`CREATE INDEX feed_created ON feed (created_at, id)`,
		`ANALYZE feed`,
	} {
		must(db.Exec(context.Background(), statement))
	}
}
