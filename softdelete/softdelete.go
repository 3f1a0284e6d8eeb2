package softdelete

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Repository reads, deletes, restores and purges the rows of one table. T is a row, K its id: a
// string or an integer. Make it with [New], once per table, at start. It is immutable and as safe
// for concurrent use as its DB; [Repository.In], [Repository.For] and [Repository.AllTenants]
// return cheap copies.
type Repository[T any, K comparable] struct {
	db       sqldb.TxDB
	joined   bool // db is a caller's transaction, which only the caller can begin again
	root     table
	columns  []string
	scan     func(pagination.Scanner) (T, error)
	unique   [][]string
	parents  []parent
	children []child

	retention time.Duration
	onChange  func(ctx context.Context, tx sqldb.DB, c Change[T, K]) error
	now       func() time.Time
	newID     func() string
	sleep     func(ctx context.Context, d time.Duration) error

	tenant     any
	allTenants bool
}

// Config describes one table. Names are those of the database: lower-case letters, digits and
// underscores, at most 63. They come from source code, never from a request.
type Config[T any, K comparable] struct {
	// DB is where the table is. Required.
	DB sqldb.TxDB
	// Table is the table's name. Required.
	Table string
	// ID is the primary key. Default "id".
	ID string
	// Columns are what Scan reads, in its order. Required.
	Columns []string
	// Scan reads one row, with one call of row.Scan. Required.
	Scan func(row pagination.Scanner) (T, error)

	// DeletedAt is the time of the deletion, NULL in live rows. Default "deleted_at".
	DeletedAt string
	// DeletedBy is who deleted the row. Default "deleted_by"; "-" means there is no such column.
	DeletedBy string
	// DeletionID holds the id of the operation that deleted the row. Default "deletion_id"; "-"
	// means there is no such column, and then there can be no Children.
	DeletionID string

	// Tenant is a column that every statement compares with the tenant given to For. Default: the
	// table knows no tenants.
	Tenant string
	// Unique lists the columns, or groups of columns, that are unique among live rows: Schema
	// writes partial indexes for them and Check looks for them.
	Unique [][]string
	// Parents are the rows that must be live for a row to be restored.
	Parents []Parent
	// Children are the rows that are deleted, restored and purged together with a row.
	Children []Child

	// Retention is how long a deleted row can be restored. Default 30 days. Negative means for
	// ever: PurgeExpired then does nothing unless its options say how old.
	Retention time.Duration
	// OnChange is told of every deletion, restoration and purge, in its transaction: an error
	// rolls the change back and is returned. Write the audit entry here, on tx. It may run again
	// when a transaction lost against a parallel one is repeated, so it must do nothing that
	// cannot be rolled back.
	OnChange func(ctx context.Context, tx sqldb.DB, c Change[T, K]) error
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// NewID makes deletion ids. Default UUIDv7; the column can be TEXT or UUID.
	NewID func() string
	// Sleep pauses between the batches of a purge. Default: a timer that ends with ctx.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Parent is a table that the rows belong to.
type Parent struct {
	Table      string // required
	ForeignKey string // the column of our table that holds the parent's id; required. NULL means no parent.
	ID         string // default "id"
	DeletedAt  string // default [Config.DeletedAt]
	Tenant     string // default [Config.Tenant]; "-" means the parent has no such column
}

// Child is a table whose rows belong to a row of ours, or to a row of the Child it is listed in.
type Child struct {
	Table      string // required
	ForeignKey string // the column of the child that holds our id; required
	ID         string // default "id"
	// DeletedAt, DeletedBy and DeletionID default to those of the Config. DeletedAt "-" means a
	// table without soft deletion: deleting and restoring leave its rows alone, the purge takes
	// them along. Its own Children must be of that kind, too.
	DeletedAt, DeletedBy, DeletionID string
	Tenant                           string // default [Config.Tenant]; "-" means there is no such column
	// OnPurge says what becomes of the rows when the row they belong to is purged.
	OnPurge Action
	// Children are the next level. A tree in one table is as many levels as it may be deep.
	Children []Child
}

// Action is what a purge does to the children of a row.
type Action uint8

// The actions.
const (
	Cascade  Action = iota // remove them too; a live child, or one deleted too lately, blocks the purge
	Restrict               // keep them: any child, live or deleted, blocks the purge
	SetNull                // keep them and set their foreign key to NULL
)

// Kind is what happened to rows.
type Kind string

// The kinds of [Change].
const (
	Deleted  Kind = "deleted"
	Restored Kind = "restored"
	Purged   Kind = "purged"
)

// Change is one operation as [Config.OnChange] sees it.
type Change[T any, K comparable] struct {
	Kind       Kind
	Table      string
	Tenant     any    // what For was given; nil without a tenant and after AllTenants
	DeletionID string // empty for a purge, and when the table has no such column
	By         string // without what no database takes, as it is stored
	At         time.Time
	IDs        []K        // rows of the table itself
	Rows       []T        // their content after the change, for a purge their last
	Children   []Affected // how many rows went along
}

// Affected counts the rows of one child table.
type Affected struct {
	Table string
	Rows  int64
}

// Result says what an operation has done.
type Result struct {
	DeletionID string // the operation that deleted the rows; empty for a purge
	At         time.Time
	Rows       int64      // rows of the table itself
	Children   []Affected // in the order of [Config.Children], each level before the next
}

const (
	defaultRetention = 30 * 24 * time.Hour
	none             = "-"
	maxTries         = 20
)

// New checks cfg and returns its Repository. It asks nothing of the database: [Repository.Check]
// does. All faults are reported, each as a [*ConfigError].
func New[T any, K comparable](cfg Config[T, K]) (*Repository[T, K], error) {
	r := &Repository[T, K]{
		db: cfg.DB, columns: slices.Clone(cfg.Columns), scan: cfg.Scan,
		retention: cfg.Retention, onChange: cfg.OnChange, now: cfg.Now, newID: cfg.NewID, sleep: cfg.Sleep,
	}
	m := model(cfg)
	r.root, r.parents, r.children, r.unique = m.root, m.parents, m.children, m.unique
	if cfg.DB == nil {
		m.fault("DB", nil, "is required")
	}
	if cfg.Scan == nil {
		m.fault("Scan", nil, "is required")
	}
	if len(m.errs) > 0 {
		return nil, errors.Join(m.errs...)
	}
	if r.retention == 0 {
		r.retention = defaultRetention
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.newID == nil {
		r.newID = func() string { return uuid7.New(r.now()) }
	}
	if r.sleep == nil {
		r.sleep = sleep
	}
	return r, nil
}

// Table returns the name of the table.
func (r *Repository[T, K]) Table() string { return r.root.name }

// PurgeAt returns the moment from which on a row that was deleted at the given time can be
// purged, for showing it. It is the zero time when the retention is for ever.
func (r *Repository[T, K]) PurgeAt(deletedAt time.Time) time.Time {
	if r.retention < 0 {
		return time.Time{}
	}
	return deletedAt.Add(r.retention)
}

// In returns a copy that works in the caller's transaction. Each of its operations is a savepoint
// there: one that fails leaves nothing behind, and the transaction goes on. It is valid as long
// as tx. Serialization failures are returned, since only the caller can begin again.
func (r *Repository[T, K]) In(tx sqldb.DB) *Repository[T, K] {
	in := *r
	in.joined = true
	if outer, ok := tx.(sqldb.TxDB); ok {
		in.db = outer
	} else {
		in.db = flat{tx}
	}
	return &in
}

// flat is a DB of another package that cannot nest: the transaction around it must be rolled back
// after an error.
type flat struct{ sqldb.DB }

// Dialect keeps [sqldb.DialectOf] working.
func (f flat) Dialect() sqldb.Dialect { return sqldb.DialectOf(f.DB) }

// InTx implements sqldb.TxDB.
func (f flat) InTx(_ context.Context, fn func(tx sqldb.DB) error) error { return fn(f.DB) }

// For returns a copy that sees the rows of one tenant only; those of others are [ErrNotFound].
// The tenant is a string or an integer, as the column is. A nil or empty one is [ErrNoTenant] in
// every call.
func (r *Repository[T, K]) For(tenant any) *Repository[T, K] {
	one := *r
	one.tenant, one.allTenants = tenant, false
	return &one
}

// AllTenants returns a copy that does not compare the tenant, for purges and administrators.
func (r *Repository[T, K]) AllTenants() *Repository[T, K] {
	all := *r
	all.tenant, all.allTenants = nil, true
	return &all
}

// ready refuses to run without a tenant.
func (r *Repository[T, K]) ready() error {
	if r.root.tenant == "" || r.allTenants {
		return nil
	}
	switch v := r.tenant.(type) {
	case nil:
		return ErrNoTenant
	case string:
		if v == "" || sqldb.CleanText(v) != v {
			return ErrNoTenant
		}
	}
	return nil
}

// inTx runs fn in a transaction and once more when it lost against a parallel one.
func (r *Repository[T, K]) inTx(ctx context.Context, what string, fn func(tx sqldb.DB) error) error {
	if err := r.ready(); err != nil {
		return err
	}
	err := r.db.InTx(ctx, fn)
	for range maxTries {
		again := errors.Is(err, errAgain) || !r.joined && sqldb.IsRetryable(err)
		if !again || ctx.Err() != nil {
			break
		}
		err = r.db.InTx(ctx, fn)
	}
	return wrap(what, err)
}

// wrap names the operation, except where a sentinel says it all.
func wrap(what string, err error) error {
	bare := []error{nil, ErrNotFound, ErrAlreadyDeleted, ErrNotDeleted, ErrParentDeleted, ErrBlocked}
	if slices.Contains(bare, err) {
		return err
	}
	return fmt.Errorf("softdelete: %s: %w", what, err)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
