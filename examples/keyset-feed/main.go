// Keyset-feed reads a feed of posts page by page while new posts arrive between the pages. By
// cursor no post is skipped or repeated; by page number the same walk repeats some. It needs no
// service and removes its SQLite file again. From the root of the repository:
//
//	go run ./examples/keyset-feed
package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "keyset-feed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "keyset-feed")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, closeDB, err := open(filepath.Join(dir, "feed.db"))
	if err != nil {
		return err
	}
	defer closeDB()
	if _, err := db.Exec(ctx, `CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT NOT NULL)`); err != nil {
		return err
	}
	spec, err := pagination.NewSpec(pagination.Config{
		Sortable:    []pagination.Field{{Name: "id", Column: "p.id", Kind: pagination.Int}},
		DefaultSort: "-id", // the newest first
		TieBreaker:  pagination.Field{Name: "id", Column: "p.id", Kind: pagination.Int},
		Ephemeral:   true, // one process; replicas share a Keyring
	})
	if err != nil {
		return err
	}
	feed := &feed{db: db, spec: spec}
	for range 20 {
		if err := feed.publish(ctx); err != nil {
			return err
		}
	}
	if err := feed.walk(ctx, out, "cursor"); err != nil {
		return err
	}
	return feed.walk(ctx, out, "page")
}

func open(path string) (sqldb.TxDB, func(), error) {
	writeDSN, readDSN, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: path})
	if err != nil {
		return nil, nil, err
	}
	write, err := sql.Open("sqlite", writeDSN)
	if err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", readDSN)
	if err != nil {
		_ = write.Close()
		return nil, nil, err
	}
	return sqldb.SQLite(write, read), func() { _, _ = read.Close(), write.Close() }, nil
}

type feed struct {
	db   sqldb.TxDB
	spec *pagination.Spec
	last int64
}

func (f *feed) publish(ctx context.Context) error {
	f.last++
	_, err := f.db.Exec(ctx, `INSERT INTO posts (id, title) VALUES ($1, $2)`, f.last, fmt.Sprintf("post %d", f.last))
	return err
}

// page is what a handler does with the parameters of its request.
func (f *feed) page(ctx context.Context, params url.Values) (pagination.Page[int64], error) {
	q, err := f.spec.Parse(params)
	if err != nil {
		return pagination.Page[int64]{}, err
	}
	text, args, err := q.SQL(pagination.Select{Columns: "p.id", From: "posts AS p"})
	if err != nil {
		return pagination.Page[int64]{}, err
	}
	rows, err := f.db.Query(ctx, text, args...)
	if err != nil {
		return pagination.Page[int64]{}, err
	}
	return pagination.Collect(rows, q, func(row pagination.Scanner) (id int64, err error) {
		err = row.Scan(&id)
		return id, err
	})
}

// walk reads to the end. While each page is on the screen, two new posts appear.
func (f *feed) walk(ctx context.Context, out io.Writer, way string) error {
	fmt.Fprintf(out, "By %s, from post %d down, two new posts a page:\n", way, f.last)
	params := url.Values{"size": {"5"}}
	seen, repeated := map[int64]bool{}, 0
	for number := 1; ; number++ {
		page, err := f.page(ctx, params)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  page %d: %v\n", number, page.Items)
		for _, id := range page.Items {
			if seen[id] {
				repeated++
			}
			seen[id] = true
		}
		if !page.HasMore {
			fmt.Fprintf(out, "  %d posts, %d of them shown twice\n", len(seen), repeated)
			return nil
		}
		for range 2 {
			if err := f.publish(ctx); err != nil {
				return err
			}
		}
		params.Set("page", strconv.Itoa(number+1))
		if way == "cursor" {
			params.Del("page")
			params.Set("cursor", page.NextCursor)
		}
	}
}
