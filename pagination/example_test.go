package pagination_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/groundwork-go/groundwork/pagination"
)

type job struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// jobSpec is made once, at start.
func jobSpec() *pagination.Spec {
	keys, err := pagination.NewKeyring(pagination.Key{ID: 1, Secret: [32]byte{ /* from a secret store */ 1}})
	if err != nil {
		log.Fatal(err)
	}
	spec, err := pagination.NewSpec(pagination.Config{
		Sortable:    []pagination.Field{{Name: "name", Column: "j.name"}},
		Filterable:  []pagination.Field{{Name: "status", Column: "j.status", Kind: pagination.Enum, Enum: []string{"open", "done"}}},
		DefaultSort: "name",
		TieBreaker:  pagination.Field{Name: "id", Column: "j.id", Kind: pagination.Int},
		Keyring:     keys,
	})
	if err != nil {
		log.Fatal(err)
	}
	return spec
}

// listJobs runs a query on any *sql.DB; with package sqldb it reads the same.
func listJobs(ctx context.Context, db *sql.DB, q pagination.Query, tenant string) (pagination.Page[job], error) {
	base := pagination.Select{
		Columns: "j.id, j.name", From: "jobs AS j", Where: "j.tenant = $1", Args: []any{tenant},
	}
	q, err := q.Count(ctx, base, func(ctx context.Context, query string, args ...any) (n int64, err error) {
		err = db.QueryRowContext(ctx, query, args...).Scan(&n)
		return n, err
	})
	if err != nil {
		return pagination.Page[job]{}, err
	}
	text, args, err := q.SQL(base)
	if err != nil {
		return pagination.Page[job]{}, err
	}
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return pagination.Page[job]{}, err
	}
	return pagination.Collect(rows, q, func(row pagination.Scanner) (j job, err error) {
		err = row.Scan(&j.ID, &j.Name)
		return j, err
	})
}

func openJobs() *sql.DB {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(1) // each connection to :memory: is a database of its own
	_, err = db.Exec(`CREATE TABLE jobs (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL);
		INSERT INTO jobs VALUES (1, 'a', 'wash', 'open'), (2, 'a', 'dry', 'done'), (3, 'a', 'fold', 'open'), (4, 'b', 'iron', 'open')`)
	if err != nil {
		log.Fatal(err)
	}
	return db
}

func Example() {
	db, spec := openJobs(), jobSpec()
	defer func() { _ = db.Close() }()
	handler := func(w http.ResponseWriter, r *http.Request) {
		tenant := "a" // from the caller's credentials
		q, err := spec.Parse(r.URL.Query(), tenant)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		page, err := listJobs(r.Context(), db, q, tenant)
		if err != nil {
			http.Error(w, "internal", http.StatusInternalServerError)
			return
		}
		pagination.WriteLinks(w, r, page)
		page.NextCursor = page.NextCursor[:min(2, len(page.NextCursor))] // shortened for this example
		_ = json.NewEncoder(w).Encode(page)
	}
	w := httptest.NewRecorder()
	handler(w, httptest.NewRequest("GET", "/jobs?status=open&size=1", nil))
	fmt.Print(w.Body)
	fmt.Println(w.Header().Get("Link"))
	// Output:
	// {"items":[{"id":3,"name":"fold"}],"size":1,"page":1,"pages":2,"total":2,"total_kind":"exact","next_cursor":"AQ","has_more":true}
	// <?page=1&size=1&status=open>; rel="first", <?page=2&size=1&status=open>; rel="next", <?page=2&size=1&status=open>; rel="last"
}

// Every item of a list, page after page, while the loop goes on.
func ExampleAll() {
	db, spec := openJobs(), jobSpec()
	defer func() { _ = db.Close() }()
	jobs := pagination.All(context.Background(), func(ctx context.Context, cursor string) (pagination.Page[job], error) {
		params := url.Values{"sort": {"-name"}, "size": {"2"}}
		if cursor != "" {
			params.Set("cursor", cursor)
		}
		q, err := spec.Parse(params, "a")
		if err != nil {
			return pagination.Page[job]{}, err
		}
		return listJobs(ctx, db, q, "a")
	})
	for j, err := range jobs {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(j.Name)
	}
	// Output:
	// wash
	// fold
	// dry
}

// Faults come joined; each names its parameter and a code, and none repeats the value.
func ExampleErrors() {
	_, err := jobSpec().Parse(url.Values{"size": {"1000"}, "sort": {"secret_column"}, "status": {"lost"}})
	for _, fault := range pagination.Errors(err) {
		fmt.Println(fault.Param, fault.Code)
	}
	// Output:
	// size out_of_range
	// sort unknown_sort
	// status not_allowed
}

// A cursor belongs to the tenant it was made for. It is no permission: Select.Where is.
func ExampleSpec_Parse_scope() {
	db, spec := openJobs(), jobSpec()
	defer func() { _ = db.Close() }()
	q, _ := spec.Parse(url.Values{"size": {"1"}}, "a")
	page, _ := listJobs(context.Background(), db, q, "a")
	_, err := spec.Parse(url.Values{"size": {"1"}, "cursor": {page.NextCursor}}, "b")
	fmt.Println(errors.Is(err, pagination.ErrInvalidCursor))
	// Output: true
}

// Map turns rows into what the client sees.
func ExampleMap() {
	page := pagination.Page[job]{Items: []job{{ID: 1, Name: "wash"}}, Size: 20, Page: 1}
	names := pagination.Map(page, func(j job) string { return j.Name })
	fmt.Println(names.Items, names.Size)
	// Output: [wash] 20
}

// A list that is in memory already, such as an enumeration.
func ExampleSlice() {
	spec, err := pagination.NewSpec(pagination.Config{
		Mode: pagination.PageOnly, TieBreaker: pagination.Field{Name: "id", Column: "x.id"},
	})
	if err != nil {
		log.Fatal(err)
	}
	q, _ := spec.Parse(url.Values{"size": {"2"}, "page": {"2"}})
	page, _ := pagination.Slice([]string{"sofa", "bed", "piano"}, q)
	fmt.Println(page.Items, *page.Total, *page.Pages, page.HasMore)
	// Output: [piano] 3 2 false
}
