// Package pagination turns request parameters into pages of a list: by page number with a total,
// and by sealed cursors that neither skip nor repeat a row, at the same cost at any depth.
//
// It knows no database and no web framework: it reads [net/url.Values], writes SQL text that runs
// unchanged on PostgreSQL and SQLite, and reads rows through a four-method interface that
// *sql.Rows has.
//
// # Use
//
// Describe the list once, then parse, run and collect per request:
//
//	spec, err := pagination.NewSpec(pagination.Config{
//		Sortable:    []pagination.Field{{Name: "created_at", Column: "j.created_at", Kind: pagination.Time}},
//		DefaultSort: "-created_at",
//		TieBreaker:  pagination.Field{Name: "id", Column: "j.id", Kind: pagination.UUID},
//		Keyring:     keys,
//	})
//
//	q, err := spec.Parse(r.URL.Query(), companyID)
//	base := pagination.Select{Columns: "j.id, j.name", From: "jobs AS j", Where: "j.company_id = $1", Args: []any{companyID}}
//	q, err = q.Count(ctx, base, scalar) // page mode only; see its comment
//	text, args, err := q.SQL(base)
//	rows, err := db.Query(ctx, text, args...)
//	page, err := pagination.Collect(rows, q, scanJob)
//
// # Parameters
//
//	page=3                     one-based; (page-1)*size at most Config.MaxOffset
//	size=50                    1 to Config.MaxSize
//	cursor=AQGSOM…             from next_cursor or prev_cursor; excludes page
//	sort=-created_at,name      minus is descending; "created_at desc, name" is read too
//	q=sofa                     substring, case ignored
//	status=open                the field's first operator
//	created_at[ge]=2026-…      eq ne lt le gt ge in prefix isnull, as the field lists them
//	deleted_at=null            is NULL, on a nullable field
//
// Parsing is strict. Unknown, repeated, malformed and out-of-range parameters are each an [*Error]
// with a code; all of them come back joined. An empty one is malformed, except that a String filter
// then looks for the empty text. The package sets no HTTP status.
//
// # Order
//
// Every order ends in the unique tie-breaker. NULL is larger than any value: last when ascending,
// first when descending, on both databases and out of a plain index on PostgreSQL. Text is compared
// by the column's collation; for the same order on both databases use COLLATE "C" on PostgreSQL,
// which is SQLite's default.
//
// An index should begin with what the list is limited to (the tenant), followed by the sort
// columns and the tie-breaker. Then a page reads size+1 rows: at row one million of 1,050,000 it
// costs what it costs at row twenty, and from 130 to 2,800 times less than OFFSET.
//
// # Cursors
//
// A cursor holds the sort values of a row, typed, and the direction. It is sealed with AES-GCM
// under a nonce derived from its content: unreadable, tamper-proof, and byte-equal for equal
// positions, so that ETags of pages hold. It is bound to sort, filters, search and scope; with
// any of them changed it is refused with [ErrInvalidCursor]. The size may change on the way.
//
// A cursor authorises nothing. Who may see which rows is the caller's [Select.Where], every time.
//
// Keys come from a [Keyring] that all replicas share; [NewKeyring] tells how to change them.
//
// # Changes during a walk
//
// Rows inserted ahead of the walk are met, rows inserted behind it are not, deleted rows are gone,
// and the row a cursor was made from may be deleted. A row whose sort value changes can cross the
// walk and be met twice or not at all, and a row committed late with an older sort value is not
// seen: sort by columns that never change, such as created_at or a UUIDv7.
//
// # Totals
//
// Page mode counts up to 10,000 rows by default; beyond that total_kind says at_least and the
// figures are left out. Counting every row costs more than the page does, from a few thousand
// rows on. The total is taken before the page; it is raised to what the page shows.
//
// # What it does not do
//
// It does not run statements, and it does not decide who may see what. It has no filter
// language with AND and OR, no full-text search, and no sort by expressions: give an expression a
// name in a sub-select in [Select.From]. It does not page backwards from the end of a list without
// a cursor; ask for the reverse sort.
package pagination
