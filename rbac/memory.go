package rbac

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// MemoryStore is a Store in the process's memory: the reference implementation, for tests, tools and
// single-process programs that define their roles at start-up. Safe for concurrent use. The zero
// MemoryStore is empty and ready.
type MemoryStore struct {
	mu          sync.RWMutex
	changes     uint64
	roles       map[RoleID]Role
	assignments map[assignmentKey]Assignment
}

type assignmentKey struct {
	tenant, subject string
	role            RoleID
}

var _ Store = (*MemoryStore)(nil)

// NewMemoryStore returns an empty store at version 1.
func NewMemoryStore() *MemoryStore { return &MemoryStore{} }

// Version implements [Reader].
func (m *MemoryStore) Version(ctx context.Context) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.version(), nil
}

func (m *MemoryStore) version() uint64 { return m.changes + 1 }

// LoadRoles implements [Reader].
func (m *MemoryStore) LoadRoles(ctx context.Context, tenants ...string) ([]Role, uint64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	var list []Role
	for id, role := range m.roles {
		if len(tenants) == 0 || slices.Contains(tenants, id.Tenant) {
			list = append(list, role.Canonical())
		}
	}
	slices.SortFunc(list, func(a, b Role) int { return compareRoleID(a.ID(), b.ID()) })
	return list, m.version(), nil
}

// RolesOf implements [Reader].
func (m *MemoryStore) RolesOf(ctx context.Context, tenant, subject string, now time.Time) ([]Assignment, error) {
	return m.list(ctx, func(a *Assignment) bool {
		return a.Subject == subject && (a.Tenant == tenant || a.Tenant == AnyTenant) && a.Live(now)
	})
}

// Assignments implements [Store].
func (m *MemoryStore) Assignments(ctx context.Context, tenant string, role RoleID, now time.Time) ([]Assignment, error) {
	return m.list(ctx, func(a *Assignment) bool {
		return a.Tenant == tenant && a.Role == role && a.Live(now)
	})
}

func (m *MemoryStore) list(ctx context.Context, want func(*Assignment) bool) ([]Assignment, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	var list []Assignment
	for _, a := range m.assignments {
		if want(&a) {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b Assignment) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Subject, b.Subject),
			compareRoleID(a.Role, b.Role))
	})
	return list, nil
}

// PutRole implements [Store].
func (m *MemoryStore) PutRole(ctx context.Context, r Role, g Guard) (uint64, error) {
	if err := cmp.Or(ctx.Err(), r.Validate()); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.guard(g); err != nil {
		return 0, err
	}
	for _, parent := range r.Inherits {
		if _, ok := m.roles[parent]; !ok && parent != r.ID() {
			return 0, fmt.Errorf("%w: %s", ErrUnknownRole, parent)
		}
	}
	held := map[string]bool{}
	for key := range m.assignments {
		held[key.tenant] = held[key.tenant] || m.lasting(key.tenant, g.Before)
	}
	for tenant, before := range held {
		if before && !m.lasting(tenant, g.After) {
			return 0, ErrLastManager
		}
	}
	if m.roles == nil {
		m.roles = map[RoleID]Role{}
	}
	m.roles[r.ID()] = r.Canonical()
	m.changes++
	return m.version(), nil
}

// DeleteRole implements [Store].
func (m *MemoryStore) DeleteRole(ctx context.Context, id RoleID, now time.Time, g Guard) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.guard(g); err != nil {
		return 0, err
	}
	if _, ok := m.roles[id]; !ok {
		return m.version(), nil
	}
	for other, role := range m.roles {
		if other != id && slices.Contains(role.Inherits, id) {
			return 0, fmt.Errorf("%w: inherited by %s", ErrRoleInUse, other)
		}
	}
	for _, a := range m.assignments {
		if a.Role == id && a.Live(now) {
			return 0, fmt.Errorf("%w: assigned", ErrRoleInUse)
		}
	}
	maps.DeleteFunc(m.assignments, func(key assignmentKey, _ Assignment) bool { return key.role == id })
	delete(m.roles, id)
	m.changes++
	return m.version(), nil
}

// Assign implements [Store].
func (m *MemoryStore) Assign(ctx context.Context, a Assignment, g Guard) error {
	if err := cmp.Or(ctx.Err(), a.Validate()); err != nil {
		return err
	}
	a.GrantedAt, a.ExpiresAt = micro(a.GrantedAt), micro(a.ExpiresAt)
	return m.reassign(g, a.Tenant, func() error {
		if _, ok := m.roles[a.Role]; !ok {
			return fmt.Errorf("%w: %s", ErrUnknownRole, a.Role)
		}
		if m.assignments == nil {
			m.assignments = map[assignmentKey]Assignment{}
		}
		m.assignments[keyOf(&a)] = a
		return nil
	})
}

// Unassign implements [Store].
func (m *MemoryStore) Unassign(ctx context.Context, a Assignment, g Guard) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.reassign(g, a.Tenant, func() error {
		delete(m.assignments, keyOf(&a))
		return nil
	})
}

// reassign makes a change of a tenant's assignments under its guard and takes it back when the
// guard refuses the outcome.
func (m *MemoryStore) reassign(g Guard, tenant string, change func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.guard(g); err != nil {
		return err
	}
	if len(g.Before) == 0 || !m.lasting(tenant, g.Before) {
		return change()
	}
	old := maps.Clone(m.assignments)
	if err := change(); err != nil {
		return err
	}
	if !m.lasting(tenant, g.After) {
		m.assignments = old
		return ErrLastManager
	}
	return nil
}

// DeleteExpired implements [Store].
func (m *MemoryStore) DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for key, a := range m.assignments {
		if n >= limit {
			break
		}
		if !a.Live(before) {
			delete(m.assignments, key)
			n++
		}
	}
	return n, nil
}

func (m *MemoryStore) guard(g Guard) error {
	if g.Version != 0 && g.Version != m.version() {
		return fmt.Errorf("%w: at %d, not %d", ErrConflict, m.version(), g.Version)
	}
	return nil
}

// lasting reports whether somebody in the tenant holds one of the roles without expiry.
func (m *MemoryStore) lasting(tenant string, roles []RoleID) bool {
	if len(roles) == 0 {
		return false
	}
	for key, a := range m.assignments {
		if key.tenant == tenant && a.ExpiresAt.IsZero() && slices.Contains(roles, key.role) {
			return true
		}
	}
	return false
}

func keyOf(a *Assignment) assignmentKey { return assignmentKey{a.Tenant, a.Subject, a.Role} }

// micro cuts a time to what every store keeps.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
