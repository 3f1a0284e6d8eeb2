package softdelete

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Scope says which rows a read sees.
type Scope uint8

// The scopes. Reads take at most one; without it they see live rows only.
const (
	Live        Scope = iota // rows that are not deleted
	WithDeleted              // all rows
	OnlyDeleted              // deleted rows
)

// String returns the scope's name.
func (s Scope) String() string {
	switch s {
	case Live:
		return "live"
	case WithDeleted:
		return "with deleted"
	case OnlyDeleted:
		return "only deleted"
	}
	return "unknown"
}

func oneScope(list []Scope) (Scope, error) {
	switch {
	case len(list) == 0:
		return Live, nil
	case len(list) > 1 || list[0] > OnlyDeleted:
		return Live, ErrScope
	}
	return list[0], nil
}

// Get returns the row with the given id, or [ErrNotFound] when there is none in the scope. To
// answer "gone" for a deleted row ask again [WithDeleted].
func (r *Repository[T, K]) Get(ctx context.Context, id K, scope ...Scope) (T, error) {
	var zero T
	in, err := oneScope(scope)
	if err == nil {
		err = r.ready()
	}
	if err != nil {
		return zero, err
	}
	if !storable(id) {
		return zero, ErrNotFound
	}
	s := &stmt{}
	s.add("SELECT ", r.columnList(), " FROM ", r.root.from(), " WHERE ", r.root.col(r.root.id), " = ", s.bind(id))
	r.andTenant(s, &r.root)
	s.add(" AND ", r.Where(in, ""))
	item, err := r.scan(r.db.QueryRow(ctx, s.String(), s.args...))
	if errors.Is(err, sql.ErrNoRows) {
		return zero, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	if err != nil {
		return zero, wrap("get", err)
	}
	return item, nil
}

// List returns one page of the rows in the scope. The Spec that made q writes its columns with
// the table's name: "jobs.created_at". In page mode it counts the way the Spec says.
func (r *Repository[T, K]) List(ctx context.Context, q pagination.Query, scope ...Scope) (pagination.Page[T], error) {
	return r.ListWhere(ctx, q, "", nil, scope...)
}

// ListWhere is List with a condition of the caller's, such as `rooms.job_id = $1`: trusted text
// whose placeholders are numbered from $1 and belong to args.
func (r *Repository[T, K]) ListWhere(
	ctx context.Context, q pagination.Query, where string, args []any, scope ...Scope,
) (pagination.Page[T], error) {
	empty := pagination.Page[T]{Items: []T{}}
	in, err := oneScope(scope)
	if err != nil {
		return empty, err
	}
	base, err := r.Select(in, where, args...)
	if err != nil {
		return empty, err
	}
	q, err = q.Count(ctx, base, func(ctx context.Context, query string, args ...any) (n int64, err error) {
		err = r.db.QueryRow(ctx, query, args...).Scan(&n)
		return n, err
	})
	if err != nil {
		return empty, wrap("list", err)
	}
	text, args, err := q.SQL(base)
	if err != nil {
		return empty, wrap("list", err)
	}
	rows, err := r.db.Query(ctx, text, args...)
	if err != nil {
		return empty, wrap("list", err)
	}
	page, err := pagination.Collect(rows, q, r.scan)
	return page, wrap("list", err)
}

// Select returns what List hands to package pagination, for lists that need more: joins, other
// columns, an estimate. The condition is as in [Repository.ListWhere]; it may be empty.
func (r *Repository[T, K]) Select(scope Scope, where string, args ...any) (pagination.Select, error) {
	if scope > OnlyDeleted {
		return pagination.Select{}, ErrScope
	}
	if err := r.ready(); err != nil {
		return pagination.Select{}, err
	}
	s := &stmt{args: append([]any(nil), args...)}
	if where != "" {
		s.add("(", where, ") AND ")
	}
	s.add(r.Where(scope, ""))
	r.andTenant(s, &r.root)
	return pagination.Select{Columns: r.columnList(), From: r.root.from(), Where: s.String(), Args: s.args}, nil
}

// Count returns the number of rows in the scope.
func (r *Repository[T, K]) Count(ctx context.Context, scope ...Scope) (int64, error) {
	in, err := oneScope(scope)
	if err == nil {
		err = r.ready()
	}
	if err != nil {
		return 0, err
	}
	s := (&stmt{}).add("SELECT COUNT(*) FROM ", r.root.from(), " WHERE ", r.Where(in, ""))
	r.andTenant(s, &r.root)
	var n int64
	err = r.db.QueryRow(ctx, s.String(), s.args...).Scan(&n)
	return n, wrap("count", err)
}

// Where returns the scope as a condition for SQL written by hand: `j."deleted_at" IS NULL` for the
// alias j, without an alias on the table's own name. A scope that does not exist is FALSE. The
// tenant is not part of it.
func (r *Repository[T, K]) Where(scope Scope, alias string) string {
	column := r.root.col(r.root.deletedAt)
	if alias != "" {
		column = quote(alias) + "." + quote(r.root.deletedAt)
	}
	switch scope {
	case Live:
		return column + " IS NULL"
	case OnlyDeleted:
		return column + " IS NOT NULL"
	case WithDeleted:
		return "TRUE"
	}
	return "FALSE"
}

// Hold locks a live row until the transaction ends, so that it cannot be deleted meanwhile, and
// answers [ErrNotFound] when it is not live. Call it with In before you insert a child: neither a
// foreign key nor a look beforehand keeps the parent from being deleted at the same moment.
func (r *Repository[T, K]) Hold(ctx context.Context, id K) error {
	if err := r.ready(); err != nil {
		return err
	}
	if !storable(id) {
		return ErrNotFound
	}
	s := &stmt{}
	s.add("UPDATE ", r.root.from(), " SET ", quote(r.root.deletedAt), " = NULL WHERE ",
		r.root.col(r.root.id), " = ", s.bind(id))
	r.andTenant(s, &r.root)
	s.add(" AND ", r.Where(Live, ""))
	n, err := r.db.Exec(ctx, s.String(), s.args...)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return wrap("hold", err)
}

func (r *Repository[T, K]) columnList() string {
	s := &stmt{}
	for i, column := range r.columns {
		if i > 0 {
			s.add(", ")
		}
		s.add(r.root.col(column))
	}
	return s.String()
}

// andTenant adds the condition on the tenant, if t has the column and one was given.
func (r *Repository[T, K]) andTenant(s *stmt, t *table) {
	if t.tenant != "" && !r.allTenants {
		s.add(" AND ", t.col(t.tenant), " = ", s.bind(r.tenant))
	}
}

// storable reports whether a database can hold the id at all: PostgreSQL refuses to look for a
// text with NUL or invalid UTF-8, and no row has it.
func storable[K comparable](id K) bool {
	text, ok := any(id).(string)
	return !ok || sqldb.CleanText(text) == text
}

// why looks at a row that a guarded write has not touched: it is missing, deleted or live.
func (r *Repository[T, K]) why(ctx context.Context, tx sqldb.DB, id K) (deleted bool, err error) {
	s := &stmt{}
	s.add("SELECT ", r.root.col(r.root.deletedAt), " FROM ", r.root.from(),
		" WHERE ", r.root.col(r.root.id), " = ", s.bind(id))
	r.andTenant(s, &r.root)
	var at sqldb.Time
	err = tx.QueryRow(ctx, s.String(), s.args...).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return false, ErrNotFound
	}
	return !at.IsZero(), err
}

// touched are the rows of the table itself that a statement has written.
type touched[T any, K comparable] struct {
	n    int64
	ids  []K
	rows []T
}

// write runs a statement on the table itself. It reads the rows back when somebody wants to know
// them: OnChange, or the caller for their ids.
func (r *Repository[T, K]) write(ctx context.Context, tx sqldb.DB, s *stmt, ids bool, out *touched[T, K]) error {
	if r.onChange == nil && !ids {
		n, err := tx.Exec(ctx, s.String(), s.args...)
		out.n += n
		return err
	}
	return r.returning(ctx, tx, s, nil, nil, out)
}

// returning runs a statement with RETURNING: the id, the extra expressions into dest, and for
// OnChange the columns of the row.
func (r *Repository[T, K]) returning(
	ctx context.Context, tx sqldb.DB, s *stmt, extra []string, dest []any, out *touched[T, K],
) (err error) {
	s.add(" RETURNING ", r.root.col(r.root.id))
	for _, expression := range extra {
		s.add(", ", expression)
	}
	if r.onChange != nil {
		s.add(", ", r.columnList())
	}
	rows, err := tx.Query(ctx, s.String(), s.args...)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := rows.Close(); err == nil {
			err = closeErr
		}
	}()
	for rows.Next() {
		var id K
		head := headScanner{rows: rows, head: append([]any{&id}, dest...)}
		if r.onChange == nil {
			err = head.Scan()
		} else {
			var item T
			item, err = r.scan(head)
			out.rows = append(out.rows, item)
		}
		if err != nil {
			return err
		}
		out.n++
		out.ids = append(out.ids, id)
	}
	return rows.Err()
}

// headScanner reads the columns in front of the caller's.
type headScanner struct {
	rows sqldb.Rows
	head []any
}

// Scan implements pagination.Scanner.
func (h headScanner) Scan(dest ...any) error {
	return h.rows.Scan(append(h.head[:len(h.head):len(h.head)], dest...)...)
}

// inList adds a list of placeholders.
func inList[K comparable](s *stmt, ids []K) {
	s.add("(")
	for i, id := range ids {
		if i > 0 {
			s.add(", ")
		}
		s.add(s.bind(id))
	}
	s.add(")")
}
