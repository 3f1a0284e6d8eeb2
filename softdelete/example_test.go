package softdelete_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"net/url"
	"os"
	"path/filepath"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

// openExample makes a file with a job of the company "acme" and two rooms in it.
func openExample() (db sqldb.TxDB, done func()) {
	dir, err := os.MkdirTemp("", "softdelete")
	if err != nil {
		log.Fatal(err)
	}
	write, read, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: filepath.Join(dir, "app.db")})
	if err != nil {
		log.Fatal(err)
	}
	w, _ := sql.Open("sqlite", write)
	w.SetMaxOpenConns(1)
	r, _ := sql.Open("sqlite", read)
	db = sqldb.SQLite(w, r)
	for _, statement := range []string{
		`CREATE TABLE jobs (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, slug TEXT NOT NULL)`,
		`CREATE TABLE rooms (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, job_id TEXT NOT NULL REFERENCES jobs (id))`,
		`CREATE INDEX rooms_job_id ON rooms (job_id)`,
		`INSERT INTO jobs VALUES ('j1', 'acme', 'spring')`,
		`INSERT INTO rooms VALUES ('r1', 'acme', 'j1'), ('r2', 'acme', 'j1')`,
	} {
		if _, err := db.Exec(context.Background(), statement); err != nil {
			log.Fatal(err)
		}
	}
	return db, func() { _, _, _ = w.Close(), r.Close(), os.RemoveAll(dir) }
}

func exampleConfig(db sqldb.TxDB) softdelete.Config[job, string] {
	return softdelete.Config[job, string]{
		DB: db, Table: "jobs", Columns: []string{"id", "slug"}, Tenant: "tenant",
		Scan: func(row pagination.Scanner) (j job, err error) {
			err = row.Scan(&j.ID, &j.Slug)
			return j, err
		},
		Unique:   [][]string{{"tenant", "slug"}},
		Children: []softdelete.Child{{Table: "rooms", ForeignKey: "job_id"}},
	}
}

// newExample is openExample with a repository and its columns and indexes.
func newExample() (db sqldb.TxDB, repo *softdelete.Repository[job, string], done func()) {
	db, done = openExample()
	repo, err := softdelete.New(exampleConfig(db))
	if err != nil {
		log.Fatal(err)
	}
	for _, statement := range repo.Schema(sqldb.DialectSQLite) { // usually in a migration
		if _, err := db.Exec(context.Background(), statement); err != nil {
			log.Fatal(err)
		}
	}
	return db, repo, done
}

func Example() {
	_, repo, done := newExample()
	defer done()
	ctx := context.Background()
	fmt.Println("check:", repo.Check(ctx))

	jobs := repo.For("acme")
	res, _ := jobs.Delete(ctx, "j1", "user-7")
	fmt.Println("deleted", res.Rows, res.Children)
	_, err := jobs.Get(ctx, "j1")
	fmt.Println(errors.Is(err, softdelete.ErrNotFound))
	old, _ := jobs.Get(ctx, "j1", softdelete.WithDeleted)
	fmt.Println(old.Slug)

	res, _ = jobs.Restore(ctx, "j1", "user-7")
	fmt.Println("restored", res.Rows, res.Children)
	// Output:
	// check: <nil>
	// deleted 1 [{rooms 2}]
	// true
	// spring
	// restored 1 [{rooms 2}]
}

// The value of a deleted row can be used again; then it can no longer come back as it was.
func ExampleRepository_Restore_conflict() {
	db, repo, done := newExample()
	defer done()
	ctx, jobs := context.Background(), repo.For("acme")
	_, _ = jobs.Delete(ctx, "j1", "user-7")
	_, _ = db.Exec(ctx, `INSERT INTO jobs (id, tenant, slug) VALUES ('j2', 'acme', 'spring')`)
	_, err := jobs.Restore(ctx, "j1", "user-7")
	fmt.Println(errors.Is(err, softdelete.ErrConflict))
	// Output: true
}

// A forgotten tenant is an error, not a view of everybody's rows.
func ExampleRepository_For_incorrect() {
	_, repo, done := newExample()
	defer done()
	_, err := repo.Get(context.Background(), "j1")
	fmt.Println(err)
	// Output: softdelete: no tenant given
}

// The insert of a child takes part in the transaction that keeps its parent alive.
func ExampleRepository_Hold() {
	db, repo, done := newExample()
	defer done()
	ctx, jobs := context.Background(), repo.For("acme")
	_, _ = jobs.Delete(ctx, "j1", "user-7")
	err := db.InTx(ctx, func(tx sqldb.DB) error {
		if err := jobs.In(tx).Hold(ctx, "j1"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO rooms (id, tenant, job_id) VALUES ('r3', 'acme', 'j1')`)
		return err
	})
	fmt.Println(err)
	// Output: softdelete: not found
}

func ExampleRepository_List() {
	_, repo, done := newExample()
	defer done()
	spec, err := pagination.NewSpec(pagination.Config{
		Sortable:    []pagination.Field{{Name: "deleted_at", Column: "jobs.deleted_at", Kind: pagination.Time, Nullable: true}},
		DefaultSort: "-deleted_at",
		TieBreaker:  pagination.Field{Name: "id", Column: "jobs.id"},
		Ephemeral:   true,
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, jobs := context.Background(), repo.For("acme")
	_, _ = jobs.Delete(ctx, "j1", "user-7")
	q, _ := spec.Parse(url.Values{"size": {"10"}}, "acme")
	page, err := jobs.List(ctx, q, softdelete.OnlyDeleted)
	fmt.Println(page.Items, *page.Total, err)
	// Output: [{j1 spring}] 1 <nil>
}
