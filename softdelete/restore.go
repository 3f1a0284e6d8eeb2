package softdelete

import (
	"context"
	"fmt"
	"slices"

	"github.com/groundwork-go/groundwork/sqldb"
)

// Restore brings a deleted row back, and of its children exactly those that the same operation
// has deleted. Children that were deleted earlier or later stay deleted. By is who does it, for
// OnChange.
//
// A row that does not exist is [ErrNotFound], a live one [ErrNotDeleted]. When a parent is
// deleted it is [ErrParentDeleted]; when a live row has taken a unique value of this row or of a
// child it is [ErrConflict]. Of parallel calls exactly one succeeds.
func (r *Repository[T, K]) Restore(ctx context.Context, id K, by string) (Result, error) {
	if !storable(id) {
		return Result{}, ErrNotFound
	}
	var res Result
	err := r.inTx(ctx, "restore", func(tx sqldb.DB) (err error) {
		res, err = r.restore(ctx, tx, id, by)
		return err
	})
	if err != nil {
		if _, unique := sqldb.UniqueViolation(err); unique && !ofOnChange(err) {
			err = fmt.Errorf("%w: %w", ErrConflict, err)
		}
		return Result{}, err
	}
	return res, nil
}

func (r *Repository[T, K]) restore(ctx context.Context, tx sqldb.DB, id K, by string) (Result, error) {
	res := Result{At: sqldb.At(r.now()).Time}
	// Parents are locked before the row, in the order of a deletion: a parallel deletion of the
	// parent either waits and then takes the row along, or has won and is seen here.
	held := make([]int64, len(r.parents))
	for i := range r.parents {
		n, err := r.holdParent(ctx, tx, &r.parents[i], id)
		if err != nil {
			return res, err
		}
		held[i] = n
	}

	s := &stmt{}
	s.add("UPDATE ", r.root.from(), " SET ", quote(r.root.deletedAt), " = NULL")
	if r.root.deletedBy != "" {
		s.add(", ", quote(r.root.deletedBy), " = NULL")
	}
	s.add(" WHERE ", r.root.col(r.root.id), " = ", s.bind(id), " AND ", r.Where(OnlyDeleted, ""))
	r.andTenant(s, &r.root)
	var extra []string
	var dest []any
	var deletion *string
	if r.root.deletionID != "" {
		extra, dest = append(extra, r.root.col(r.root.deletionID)), append(dest, &deletion)
	}
	orphan := make([]bool, len(r.parents))
	for i, p := range r.parents {
		extra, dest = append(extra, r.root.col(p.foreignKey)+" IS NULL"), append(dest, &orphan[i])
	}
	done := touched[T, K]{}
	if err := r.returning(ctx, tx, s, extra, dest, &done); err != nil {
		return res, err
	}
	if done.n == 0 {
		deleted, err := r.why(ctx, tx, id)
		switch {
		case err != nil:
			return res, err
		case deleted:
			return res, errAgain
		}
		return res, ErrNotDeleted
	}
	for i := range r.parents {
		if held[i] == 0 && !orphan[i] {
			return res, ErrParentDeleted
		}
	}

	res.Rows = done.n
	if deletion != nil {
		res.DeletionID = *deletion
		if err := r.restoreLevel(ctx, tx, &r.root, r.children, &res); err != nil {
			return res, err
		}
		// Last of all, because one table may stand on several levels.
		for _, t := range tables(&r.root, r.children) {
			if err := r.forget(ctx, tx, t, res.DeletionID); err != nil {
				return res, err
			}
		}
	}
	return res, r.changed(ctx, tx, Restored, by, res, done)
}

// holdParent locks the parent of a row if it is live, and counts it.
func (r *Repository[T, K]) holdParent(ctx context.Context, tx sqldb.DB, p *parent, id K) (int64, error) {
	s := &stmt{}
	s.add("UPDATE ", p.from(), " SET ", quote(p.deletedAt), " = NULL WHERE ", p.col(p.deletedAt), " IS NULL")
	r.andTenant(s, &p.table)
	s.add(" AND ", p.col(p.id), " IN (SELECT ", r.root.col(p.foreignKey), " FROM ", r.root.from(),
		" WHERE ", r.root.col(r.root.id), " = ", s.bind(id))
	r.andTenant(s, &r.root)
	s.add(")")
	return tx.Exec(ctx, s.String(), s.args...)
}

// restoreLevel restores the children of those rows of above that this operation has restored.
// They are live and still carry the deletion id, which is cleared only when the levels below are
// done: a statement's RETURNING cannot tell the value it has just cleared.
func (r *Repository[T, K]) restoreLevel(
	ctx context.Context, tx sqldb.DB, above *table, children []child, res *Result,
) error {
	for i := range children {
		c := &children[i]
		if !c.soft() {
			continue
		}
		s := &stmt{}
		s.add("UPDATE ", c.from(), " SET ", quote(c.deletedAt), " = NULL")
		if c.deletedBy != "" {
			s.add(", ", quote(c.deletedBy), " = NULL")
		}
		s.add(" WHERE ", c.col(c.deletedAt), " IS NOT NULL AND ", c.col(c.deletionID), " = ", s.bind(res.DeletionID))
		r.andTenant(s, &c.table)
		s.add(" AND ", c.col(c.foreignKey), " IN (SELECT ", above.col(above.id), " FROM ", above.from(),
			" WHERE ", above.col(above.deletionID), " = ", s.bind(res.DeletionID),
			" AND ", above.col(above.deletedAt), " IS NULL)")
		n, err := tx.Exec(ctx, s.String(), s.args...)
		if err != nil {
			return err
		}
		res.Children = append(res.Children, Affected{Table: c.name, Rows: n})
		if n == 0 {
			continue
		}
		if err := r.restoreLevel(ctx, tx, &c.table, c.children, res); err != nil {
			return err
		}
	}
	return nil
}

// forget clears the deletion id of the rows of t that are live again.
func (r *Repository[T, K]) forget(ctx context.Context, tx sqldb.DB, t *table, deletion string) error {
	s := &stmt{}
	s.add("UPDATE ", t.from(), " SET ", quote(t.deletionID), " = NULL WHERE ", t.col(t.deletionID), " = ",
		s.bind(deletion), " AND ", t.col(t.deletedAt), " IS NULL")
	r.andTenant(s, t)
	_, err := tx.Exec(ctx, s.String(), s.args...)
	return err
}

// tables returns the tables with soft deletion, each once, the root first.
func tables(root *table, children []child) []*table {
	list := []*table{root}
	var walk func(children []child)
	walk = func(children []child) {
		for i := range children {
			c := &children[i]
			if !c.soft() {
				continue
			}
			if !slices.ContainsFunc(list, func(t *table) bool { return t.name == c.name }) {
				list = append(list, &c.table)
			}
			walk(c.children)
		}
	}
	walk(children)
	return list
}
