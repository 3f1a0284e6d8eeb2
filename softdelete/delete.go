package softdelete

import (
	"context"
	"errors"

	"github.com/groundwork-go/groundwork/sqldb"
)

// chunk is how many ids one statement carries.
const chunk = 500

// operation is one deletion while it runs.
type operation struct {
	id string
	at sqldb.Time
	by any // a string, or nil for NULL
}

func (r *Repository[T, K]) begin(by string) operation {
	op := operation{id: r.newID(), at: sqldb.At(r.now())}
	if by = sqldb.CleanText(by); by != "" {
		op.by = by
	}
	return op
}

// Delete marks a live row and its live children as deleted, in one transaction and under one
// deletion id. By is who does it; empty is stored as NULL. A row that does not exist is
// [ErrNotFound], a deleted one [ErrAlreadyDeleted]. Of parallel calls exactly one succeeds.
func (r *Repository[T, K]) Delete(ctx context.Context, id K, by string) (Result, error) {
	if !storable(id) {
		return Result{}, ErrNotFound
	}
	var res Result
	err := r.inTx(ctx, "delete", func(tx sqldb.DB) error {
		op, done := r.begin(by), touched[T, K]{}
		s := r.mark(&r.root, op)
		s.add(" AND ", r.root.col(r.root.id), " = ", s.bind(id))
		if err := r.write(ctx, tx, s, false, &done); err != nil {
			return err
		}
		if done.n == 0 {
			deleted, err := r.why(ctx, tx, id)
			switch {
			case err != nil:
				return err
			case deleted:
				return ErrAlreadyDeleted
			}
			return errAgain
		}
		done.ids = []K{id}
		var err error
		res, err = r.deleteChildren(ctx, tx, op, by, done)
		return err
	})
	if err != nil {
		return Result{}, err
	}
	return res, nil
}

// DeleteMany is Delete for several rows in one transaction and under one deletion id; a repeated
// id counts once. When one of them is missing or deleted already, nothing is written and the
// error is a [*ManyError] that names them. Ids are compared as the database returns them: a UUID
// in lower case.
func (r *Repository[T, K]) DeleteMany(ctx context.Context, ids []K, by string) (Result, error) {
	todo := map[K]bool{}
	var list, hopeless []K
	for _, id := range ids {
		if todo[id] {
			continue
		}
		todo[id] = true
		if storable(id) {
			list = append(list, id)
		} else {
			hopeless = append(hopeless, id)
		}
	}
	if len(hopeless) > 0 {
		return Result{}, &ManyError[K]{NotFound: hopeless}
	}
	if len(list) == 0 {
		return Result{}, r.ready()
	}
	var res Result
	err := r.inTx(ctx, "delete many", func(tx sqldb.DB) error {
		op, done := r.begin(by), touched[T, K]{}
		for part := list; len(part) > 0; part = part[min(chunk, len(part)):] {
			s := r.mark(&r.root, op)
			s.add(" AND ", r.root.col(r.root.id), " IN ")
			inList(s, part[:min(chunk, len(part))])
			if err := r.write(ctx, tx, s, true, &done); err != nil {
				return err
			}
		}
		if done.n != int64(len(list)) {
			return r.whyMany(ctx, tx, list, done.ids)
		}
		var err error
		res, err = r.deleteChildren(ctx, tx, op, by, done)
		return err
	})
	if err != nil {
		return Result{}, err
	}
	return res, nil
}

// whyMany sorts the ids that were not deleted into missing and deleted ones.
func (r *Repository[T, K]) whyMany(ctx context.Context, tx sqldb.DB, list, done []K) error {
	ours := map[K]bool{}
	for _, id := range done {
		ours[id] = true
	}
	e := &ManyError[K]{}
	for _, id := range list {
		if ours[id] {
			continue
		}
		deleted, err := r.why(ctx, tx, id)
		switch {
		case errors.Is(err, ErrNotFound):
			e.NotFound = append(e.NotFound, id)
		case err != nil:
			return err
		case !deleted:
			return errAgain
		default:
			e.AlreadyDeleted = append(e.AlreadyDeleted, id)
		}
	}
	return e
}

// mark begins the guarded statement that deletes rows of t.
func (r *Repository[T, K]) mark(t *table, op operation) *stmt {
	s := &stmt{}
	s.add("UPDATE ", t.from(), " SET ", quote(t.deletedAt), " = ", s.bind(op.at))
	if t.deletedBy != "" {
		s.add(", ", quote(t.deletedBy), " = ", s.bind(op.by))
	}
	if t.deletionID != "" {
		s.add(", ", quote(t.deletionID), " = ", s.bind(op.id))
	}
	s.add(" WHERE ", t.col(t.deletedAt), " IS NULL")
	r.andTenant(s, t)
	return s
}

// deleteChildren ends a deletion: the levels below, then OnChange.
func (r *Repository[T, K]) deleteChildren(
	ctx context.Context, tx sqldb.DB, op operation, by string, done touched[T, K],
) (Result, error) {
	res := Result{At: op.at.Time, Rows: done.n}
	if r.root.deletionID != "" {
		res.DeletionID = op.id
	}
	err := r.deleteLevel(ctx, tx, &r.root, r.children, op, &res)
	if err != nil {
		return Result{}, err
	}
	return res, r.changed(ctx, tx, Deleted, by, res, done)
}

// deleteLevel deletes the live children of those rows of above that this operation has deleted.
func (r *Repository[T, K]) deleteLevel(
	ctx context.Context, tx sqldb.DB, above *table, children []child, op operation, res *Result,
) error {
	for i := range children {
		c := &children[i]
		if !c.soft() {
			continue
		}
		s := r.mark(&c.table, op)
		s.add(" AND ", c.col(c.foreignKey), " IN (SELECT ", above.col(above.id), " FROM ", above.from(),
			" WHERE ", above.col(above.deletionID), " = ", s.bind(op.id), ")")
		n, err := tx.Exec(ctx, s.String(), s.args...)
		if err != nil {
			return err
		}
		res.Children = append(res.Children, Affected{Table: c.name, Rows: n})
		if n == 0 {
			continue
		}
		if err := r.deleteLevel(ctx, tx, &c.table, c.children, op, res); err != nil {
			return err
		}
	}
	return nil
}

// changed tells OnChange.
func (r *Repository[T, K]) changed(
	ctx context.Context, tx sqldb.DB, kind Kind, by string, res Result, done touched[T, K],
) error {
	if r.onChange == nil {
		return nil
	}
	err := r.onChange(ctx, tx, Change[T, K]{
		Kind: kind, Table: r.root.name, Tenant: r.tenant, DeletionID: res.DeletionID, By: sqldb.CleanText(by), At: res.At,
		IDs: done.ids, Rows: done.rows, Children: res.Children,
	})
	if err != nil {
		return changeError{err}
	}
	return nil
}
