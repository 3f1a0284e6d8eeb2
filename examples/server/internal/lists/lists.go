// Package lists is where every list of the server is registered: its parameters and what it selects. A
// test asks PostgreSQL how it would read each of them, in every order a client can ask for, so that a
// list whose order has no index does not get as far as a customer.
//
//	func memberSelect(companyID string) pagination.Select { … }
//
//	s.members, err = reg.Add("list-people", memberConfig(), memberSelect(lists.SampleID))
//
//	query, err := s.members.Parse(parameters, companyID)
//	page, err := lists.Page(ctx, db, query, memberSelect(companyID), scanMember)
package lists

import (
	"context"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// SampleID stands for an identifier in the selects that are registered.
const SampleID = "01890000-0000-7000-8000-000000000007"

// SampleTime stands for a time in the selects that are registered.
func SampleTime() sqldb.Time { return sqldb.At(time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC)) }

// An Entry is one registered list.
type Entry struct {
	// Name is the id of the operation that serves the list.
	Name string
	Spec *pagination.Spec
	// Selects are what the list reads: one for each condition that the caller or a parameter outside
	// of the Spec puts. None for a list that is in memory.
	Selects []pagination.Select
}

// Registry collects the lists of one server. It is not safe for concurrent use while lists are added.
type Registry struct {
	keys    *pagination.Keyring
	entries []Entry
}

// New returns an empty Registry whose lists seal their cursors with keys.
func New(keys *pagination.Keyring) *Registry { return &Registry{keys: keys} }

// Add registers a list under the id of its operation and returns its specification. The selects are
// those the list runs with [SampleID] and [SampleTime] in the place of their arguments; without one the
// list is in memory.
func (r *Registry) Add(name string, cfg pagination.Config, selects ...pagination.Select) (*pagination.Spec, error) {
	for _, e := range r.entries {
		if e.Name == name {
			return nil, fmt.Errorf("lists: %s is registered twice", name)
		}
	}
	if cfg.Mode != pagination.PageOnly {
		cfg.Keyring = r.keys
	}
	spec, err := pagination.NewSpec(cfg)
	if err != nil {
		return nil, fmt.Errorf("lists: %s: %w", name, err)
	}
	r.entries = append(r.entries, Entry{Name: name, Spec: spec, Selects: selects})
	return spec, nil
}

// Entries returns what was registered, in that order.
func (r *Registry) Entries() []Entry { return r.entries }

// Page runs the statements of a page. In page mode it counts the way the list's specification says.
func Page[T any](
	ctx context.Context, db sqldb.DB, query pagination.Query, base pagination.Select,
	scan func(pagination.Scanner) (T, error),
) (page pagination.Page[T], err error) {
	query, err = query.Count(ctx, base, func(ctx context.Context, text string, args ...any) (n int64, err error) {
		err = db.QueryRow(ctx, text, args...).Scan(&n)
		return n, err
	})
	if err != nil {
		return page, fmt.Errorf("lists: count: %w", err)
	}
	text, args, err := query.SQL(base)
	if err != nil {
		return page, fmt.Errorf("lists: %w", err)
	}
	rows, err := db.Query(ctx, text, args...)
	if err != nil {
		return page, fmt.Errorf("lists: %w", err)
	}
	if page, err = pagination.Collect(rows, query, scan); err != nil {
		return page, fmt.Errorf("lists: %w", err)
	}
	return page, nil
}
