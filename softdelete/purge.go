package softdelete

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/sqldb"
)

// PurgeOptions steer [Repository.PurgeExpired]. The zero value purges what is older than the
// retention, in batches of 1,000 without a pause, until nothing is left.
type PurgeOptions struct {
	// OlderThan is the age from which on rows go: a row deleted exactly that long ago stays.
	// Default [Config.Retention].
	OlderThan time.Duration
	// Batch is the number of rows in one transaction. Default 1,000, at most 10,000.
	Batch int
	// Pause is how long to rest between two batches.
	Pause time.Duration
	// Max ends the run after this many rows; the next run goes on where this one stopped.
	// Default: no limit.
	Max int64
	// DryRun counts what would be purged and blocked, and writes nothing.
	DryRun bool
	// By is passed on to OnChange.
	By string
}

// PurgeResult says what a run has done, also one that an error has ended.
type PurgeResult struct {
	Rows     int64      // rows of the table itself, purged or, in a dry run, to be purged
	Children []Affected // rows that went along, in the order of removal; not counted in a dry run
	Blocked  int64      // rows that are old enough but that others refer to
	Batches  int64      // transactions that removed rows
	More     bool       // Max ended the run
}

func (p *PurgeResult) add(children []Affected) {
next:
	for _, c := range children {
		for i := range p.Children {
			if p.Children[i].Table == c.Table {
				p.Children[i].Rows += c.Rows
				continue next
			}
		}
		p.Children = append(p.Children, c)
	}
}

const (
	defaultBatch = 1_000
	maxBatch     = 10_000
)

func (o *PurgeOptions) check() error {
	var errs []error
	fault := func(field string, value any, reason string) {
		errs = append(errs, &ConfigError{Field: field, Value: value, Reason: reason})
	}
	if o.OlderThan < 0 {
		fault("OlderThan", o.OlderThan, "must not be negative")
	}
	if o.Batch == 0 {
		o.Batch = defaultBatch
	}
	if o.Batch < 1 || o.Batch > maxBatch {
		fault("Batch", o.Batch, "must be 1 to 10000")
	}
	if o.Pause < 0 {
		fault("Pause", o.Pause, "must not be negative")
	}
	if o.Max < 0 {
		fault("Max", o.Max, "must not be negative")
	}
	return errors.Join(errs...)
}

// Purge removes a deleted row for good, whatever its age, and its children as their OnPurge
// says. A row that does not exist is [ErrNotFound], a live one [ErrNotDeleted], and one that
// others refer to [ErrBlocked]: a live child, a Restrict child, or a foreign key nobody declared.
func (r *Repository[T, K]) Purge(ctx context.Context, id K, by string) (Result, error) {
	if !storable(id) {
		return Result{}, ErrNotFound
	}
	var res Result
	err := r.inTx(ctx, "purge", func(tx sqldb.DB) (err error) {
		res, err = r.purgeTx(ctx, tx, r.byID(id, distantFuture()), distantFuture(), by)
		if err != nil || res.Rows > 0 {
			return err
		}
		deleted, err := r.why(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case deleted:
			return ErrBlocked
		}
		return ErrNotDeleted
	})
	if err != nil {
		if isForeignKey(err) {
			err = fmt.Errorf("%w: %w", ErrBlocked, err)
		}
		return Result{}, err
	}
	return res, nil
}

// distantFuture is later than any deletion.
func distantFuture() sqldb.Time {
	return sqldb.At(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
}

// condition adds what selects the rows of the table itself that a purge is about.
type condition func(s *stmt)

func (r *Repository[T, K]) byID(id K, cutoff sqldb.Time) condition {
	return func(s *stmt) {
		s.add(r.root.col(r.root.id), " = ", s.bind(id), " AND ", r.root.col(r.root.deletedAt), " < ", s.bind(cutoff))
	}
}

// place is a row's place in the order of a purge.
type place[K comparable] struct {
	at sqldb.Time
	id K
}

// between is the rows after one place, if there is one, up to another. Its upper end is older
// than the cutoff, so the rows are: a row restored and deleted again has left the range.
func (r *Repository[T, K]) between(after *place[K], upTo place[K]) condition {
	key := "(" + r.root.col(r.root.deletedAt) + ", " + r.root.col(r.root.id) + ")"
	return func(s *stmt) {
		if after != nil {
			s.add(key, " > (", s.bind(after.at), ", ", s.bind(after.id), ") AND ")
		}
		s.add(key, " <= (", s.bind(upTo.at), ", ", s.bind(upTo.id), ")")
	}
}

// purgeTx removes the rows that the condition selects, as far as they are deleted and nothing
// blocks them. The condition and the guard are part of the statement that locks the rows, not
// only of a query before it: a row whose restoration commits while the statement waits for its
// lock is left alone.
func (r *Repository[T, K]) purgeTx(
	ctx context.Context, tx sqldb.DB, which condition, cutoff sqldb.Time, by string,
) (Result, error) {
	res := Result{At: sqldb.At(r.now()).Time}
	done := touched[T, K]{}
	s := &stmt{}
	if len(r.children) == 0 {
		s.add("DELETE FROM ", r.root.from(), " WHERE ")
		r.purgeable(s, which)
		if err := r.write(ctx, tx, s, false, &done); err != nil {
			return res, err
		}
	} else {
		// The claim locks the rows and marks them with an id of its own. If anything fails, the
		// transaction and with it the mark are rolled back.
		claim := r.newID()
		s.add("UPDATE ", r.root.from(), " SET ", quote(r.root.deletionID), " = ", s.bind(claim), " WHERE ")
		r.purgeable(s, which)
		r.unblocked(s, r.root.from(), &r.root, r.children, cutoff, 1)
		n, err := tx.Exec(ctx, s.String(), s.args...)
		if err != nil || n == 0 {
			return res, err
		}
		claimed := func(s *stmt) {
			s.add("SELECT ", r.root.col(r.root.id), " FROM ", r.root.from(),
				" WHERE ", r.root.col(r.root.deletionID), " = ", s.bind(claim))
		}
		if err := r.purgeLevel(ctx, tx, claimed, r.children, cutoff, &res); err != nil {
			return res, err
		}
		if err := r.purgeClaimed(ctx, tx, claim, &done); err != nil {
			return res, err
		}
	}
	res.Rows = done.n
	if done.n == 0 {
		return res, nil
	}
	return res, r.changed(ctx, tx, Purged, by, res, done)
}

func (r *Repository[T, K]) purgeable(s *stmt, which condition) {
	which(s)
	s.add(" AND ", r.Where(OnlyDeleted, ""))
	r.andTenant(s, &r.root)
}

// unblocked adds that no child keeps a row of above: a live one, one deleted after the cutoff,
// or any where the purge is restricted. Inner tables get aliases, since one may be above itself.
func (r *Repository[T, K]) unblocked(
	s *stmt, alias string, above *table, children []child, cutoff sqldb.Time, level int,
) {
	for i := range children {
		s.add(" AND NOT ")
		if !r.blocking(s, alias, above, &children[i], cutoff, level) {
			s.add("FALSE")
		}
	}
}

// blocking writes whether some row of c keeps the row of above. It writes nothing and says so
// when no row of c can.
func (r *Repository[T, K]) blocking(
	s *stmt, alias string, above *table, c *child, cutoff sqldb.Time, level int,
) bool {
	if !c.canBlock() {
		return false
	}
	inner := fmt.Sprintf("c%d", level)
	s.add("EXISTS (SELECT 1 FROM ", c.from(), " AS ", inner, " WHERE ", inner, ".", quote(c.foreignKey),
		" = ", alias, ".", quote(above.id))
	if c.onPurge == Cascade {
		s.add(" AND (")
		separator := ""
		if c.soft() {
			at := inner + "." + quote(c.deletedAt)
			s.add(at, " IS NULL OR ", at, " >= ", s.bind(cutoff))
			separator = " OR "
		}
		for i := range c.children {
			if c.children[i].canBlock() {
				s.add(separator)
				r.blocking(s, inner, &c.table, &c.children[i], cutoff, level+1)
				separator = " OR "
			}
		}
		s.add(")")
	}
	s.add(")")
	return true
}

func (c *child) canBlock() bool {
	if c.onPurge != Cascade {
		return c.onPurge == Restrict
	}
	if c.soft() {
		return true
	}
	for i := range c.children {
		if c.children[i].canBlock() {
			return true
		}
	}
	return false
}

// purgeLevel removes the children of the rows that above selects, the lowest level first so that
// foreign keys hold at every moment.
func (r *Repository[T, K]) purgeLevel(
	ctx context.Context, tx sqldb.DB, above condition, children []child, cutoff sqldb.Time, res *Result,
) error {
	for i := range children {
		c := &children[i]
		if c.onPurge == Restrict {
			continue
		}
		s := &stmt{}
		if c.onPurge == SetNull {
			s.add("UPDATE ", c.from(), " SET ", quote(c.foreignKey), " = NULL")
		} else {
			below := func(s *stmt) {
				s.add("SELECT ", c.col(c.id), " FROM ", c.from(), " WHERE ", c.col(c.foreignKey), " IN (")
				above(s)
				s.add(")")
			}
			if err := r.purgeLevel(ctx, tx, below, c.children, cutoff, res); err != nil {
				return err
			}
			s.add("DELETE FROM ", c.from())
		}
		s.add(" WHERE ", c.col(c.foreignKey), " IN (")
		above(s)
		s.add(")")
		if c.onPurge == Cascade && c.soft() {
			s.add(" AND ", c.col(c.deletedAt), " IS NOT NULL AND ", c.col(c.deletedAt), " < ", s.bind(cutoff))
		}
		r.andTenant(s, &c.table)
		n, err := tx.Exec(ctx, s.String(), s.args...)
		if err != nil {
			return err
		}
		res.Children = append(res.Children, Affected{Table: c.name, Rows: n})
	}
	return nil
}

// purgeClaimed removes the claimed rows. A child that has come back to life since the claim
// keeps its row, also where the foreign key would take the child along; the answer is then
// errKept and nothing of the batch may stay.
func (r *Repository[T, K]) purgeClaimed(ctx context.Context, tx sqldb.DB, claim string, done *touched[T, K]) error {
	s := &stmt{}
	s.add("DELETE FROM ", r.root.from(), " WHERE ", r.root.col(r.root.deletionID), " = ", s.bind(claim),
		" AND ", r.Where(OnlyDeleted, ""))
	r.andTenant(s, &r.root)
	for i := range r.children {
		c := &r.children[i]
		if c.onPurge == SetNull {
			continue
		}
		s.add(" AND NOT EXISTS (SELECT 1 FROM ", c.from(), " AS c1 WHERE c1.", quote(c.foreignKey), " = ", r.root.col(r.root.id))
		if c.soft() && c.name == r.root.name { // in a tree, a claimed child goes in this same statement
			s.add(" AND (c1.", quote(c.deletionID), " IS NULL OR c1.", quote(c.deletionID), " <> ", s.bind(claim), ")")
		}
		s.add(")")
	}
	if err := r.write(ctx, tx, s, false, done); err != nil {
		return err
	}
	s = &stmt{}
	s.add("SELECT COUNT(*) FROM ", r.root.from(), " WHERE ", r.root.col(r.root.deletionID), " = ", s.bind(claim))
	var kept int64
	if err := tx.QueryRow(ctx, s.String(), s.args...).Scan(&kept); err != nil {
		return err
	}
	if kept > 0 {
		return errKept
	}
	return nil
}

// errKept says that a claimed row could not be removed after all.
var errKept = fmt.Errorf("%w since the purge began", ErrBlocked)
