package softdelete

import (
	"context"
	"errors"

	"github.com/groundwork-go/groundwork/sqldb"
)

// PurgeExpired removes the rows whose retention has ended, the oldest first, in batches that are
// a transaction each. It is safe beside deletions, restorations and other purges: a live row is
// never removed. Rows that cannot go are counted as blocked and passed over.
//
// When ctx ends or a statement fails, the batches before it stay removed, the result tells how
// many, and the next run goes on. With In, the batches are savepoints of the caller's transaction.
// A row's children count as expired together with it, unless they were deleted after the cutoff.
func (r *Repository[T, K]) PurgeExpired(ctx context.Context, o PurgeOptions) (PurgeResult, error) {
	var res PurgeResult
	if err := o.check(); err != nil {
		return res, err
	}
	if err := r.ready(); err != nil {
		return res, err
	}
	age := o.OlderThan
	if age == 0 {
		age = r.retention
	}
	if age < 0 {
		return res, nil
	}
	cutoff := sqldb.At(r.now().Add(-age))
	var after *place[K]
	for first := true; ; first = false {
		if o.Max > 0 && res.Rows >= o.Max {
			more, err := r.candidates(ctx, cutoff, after, 1)
			res.More = len(more) > 0
			return res, wrap("purge expired", err)
		}
		if !first && o.Pause > 0 {
			if err := r.sleep(ctx, o.Pause); err != nil {
				return res, wrap("purge expired", err)
			}
		}
		size := o.Batch
		if o.Max > 0 {
			size = int(min(int64(size), o.Max-res.Rows))
		}
		batch, err := r.candidates(ctx, cutoff, after, size)
		if err != nil {
			return res, wrap("purge expired", err)
		}
		if len(batch) == 0 {
			return res, nil
		}
		if err := r.purgeBatch(ctx, o, cutoff, after, batch, &res); err != nil {
			return res, err
		}
		if len(batch) < size {
			return res, nil
		}
		after = &batch[len(batch)-1]
	}
}

// candidates returns the next places in the order of the index on deleted_at and id.
func (r *Repository[T, K]) candidates(
	ctx context.Context, cutoff sqldb.Time, after *place[K], limit int,
) (list []place[K], err error) {
	at, id := r.root.col(r.root.deletedAt), r.root.col(r.root.id)
	s := &stmt{}
	s.add("SELECT ", at, ", ", id, " FROM ", r.root.from(), " WHERE ", r.Where(OnlyDeleted, ""),
		" AND ", at, " < ", s.bind(cutoff))
	if after != nil {
		s.add(" AND (", at, ", ", id, ") > (", s.bind(after.at), ", ", s.bind(after.id), ")")
	}
	r.andTenant(s, &r.root)
	s.add(" ORDER BY ", at, ", ", id, " LIMIT ", s.bind(int64(limit)))
	rows, err := r.db.Query(ctx, s.String(), s.args...)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := rows.Close(); err == nil {
			err = closeErr
		}
	}()
	for rows.Next() {
		var p place[K]
		if err := rows.Scan(&p.at, &p.id); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

func (r *Repository[T, K]) purgeBatch(
	ctx context.Context, o PurgeOptions, cutoff sqldb.Time, after *place[K], batch []place[K], res *PurgeResult,
) error {
	last := batch[len(batch)-1]
	which := r.between(after, last)
	if o.DryRun {
		return r.countBatch(ctx, cutoff, which, res)
	}
	var done Result
	err := r.inTx(ctx, "purge expired", func(tx sqldb.DB) (err error) {
		done, err = r.purgeTx(ctx, tx, which, cutoff, o.By)
		return err
	})
	switch {
	case errors.Is(err, errKept), isForeignKey(err):
		return r.purgeSingly(ctx, o, cutoff, batch, res)
	case err != nil:
		return err
	}
	res.Rows += done.Rows
	res.add(done.Children)
	if done.Rows > 0 {
		res.Batches++
	}
	if done.Rows >= int64(len(batch)) {
		return nil
	}
	blocked, err := r.countRange(ctx, which, nil)
	res.Blocked += blocked
	return wrap("purge expired", err)
}

// purgeSingly takes the rows of a batch one by one, because one of them has spoilt it for all.
func (r *Repository[T, K]) purgeSingly(
	ctx context.Context, o PurgeOptions, cutoff sqldb.Time, batch []place[K], res *PurgeResult,
) error {
	for _, p := range batch {
		which := r.byID(p.id, cutoff)
		var done Result
		err := r.inTx(ctx, "purge expired", func(tx sqldb.DB) (err error) {
			done, err = r.purgeTx(ctx, tx, which, cutoff, o.By)
			return err
		})
		switch {
		case errors.Is(err, errKept), isForeignKey(err):
			res.Blocked++
			continue
		case err != nil:
			return err
		}
		if done.Rows == 0 {
			blocked, err := r.countRange(ctx, which, nil) // none when it was restored or purged meanwhile
			if err != nil {
				return wrap("purge expired", err)
			}
			res.Blocked += blocked
			continue
		}
		res.Rows += done.Rows
		res.Batches++
		res.add(done.Children)
	}
	return nil
}

// countBatch is the dry run.
func (r *Repository[T, K]) countBatch(
	ctx context.Context, cutoff sqldb.Time, which condition, res *PurgeResult,
) error {
	all, err := r.countRange(ctx, which, nil)
	if err != nil {
		return wrap("purge expired", err)
	}
	free, err := r.countRange(ctx, which, func(s *stmt) {
		r.unblocked(s, r.root.from(), &r.root, r.children, cutoff, 1)
	})
	res.Rows += free
	res.Blocked += max(all-free, 0)
	return wrap("purge expired", err)
}

func (r *Repository[T, K]) countRange(ctx context.Context, which condition, more condition) (int64, error) {
	s := (&stmt{}).add("SELECT COUNT(*) FROM ", r.root.from(), " WHERE ")
	r.purgeable(s, which)
	if more != nil {
		more(s)
	}
	var n int64
	err := r.db.QueryRow(ctx, s.String(), s.args...).Scan(&n)
	return n, err
}
