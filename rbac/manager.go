package rbac

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ManagerConfig configures a [Manager].
type ManagerConfig struct {
	// Registry and Store as in [Config]. Required.
	Registry *Registry
	Store    Store
	// Assign is the permission to give and take roles. Required. A tenant that has a lasting holder
	// of it always keeps one.
	Assign Permission
	// Edit is the permission to write and delete roles. With the zero Permission nobody may.
	Edit Permission
	// Escalate is the permission to give more than one holds. With the zero Permission, the
	// default, nobody may.
	Escalate Permission
	// Checker is told of changes, so that they hold at once in this process. Optional.
	Checker *Checker
	// SkipUnknownGrants as in [Config]. The role being written must be without unknown grants all
	// the same.
	SkipUnknownGrants bool
	// OnEvent is told what was changed or refused and by whom; it must not block.
	OnEvent func(ctx context.Context, e Event)
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Manager changes roles and assignments on behalf of an actor and enforces what the actor may do:
//
//   - he acts in his own tenant only: [Subject.Tenant] is the tenant of the assignment, or of the
//     role. Assignments in [AnyTenant] need an actor bound to AnyTenant. Global roles need one bound
//     to AnyTenant or to no tenant.
//   - he holds every permission of the role he gives, takes, writes or deletes, before and after the
//     change, unless he holds Escalate ([ErrEscalation]).
//   - the last lasting holder of Assign in a tenant stays ([ErrLastManager]).
//
// The actor's roles are judged by the definitions in the store at that moment, and the change is
// refused with [ErrConflict] if these move on before it is made. Who the actor is the caller knows:
// take it from [Checker.Fresh] when a revocation must count at once. Safe for concurrent use.
type Manager struct{ cfg ManagerConfig }

// NewManager checks the configuration. Errors are *ConfigError, joined.
func NewManager(cfg ManagerConfig) (*Manager, error) {
	var errs []error
	fault := func(bad bool, field, reason string) {
		if bad {
			errs = append(errs, &ConfigError{Field: field, Reason: reason})
		}
	}
	fault(cfg.Registry == nil, "Registry", "is nil")
	fault(cfg.Store == nil, "Store", "is nil")
	fault(cfg.Assign.IsZero(), "Assign", "is the zero Permission")
	for _, f := range []struct {
		name string
		p    Permission
	}{{"Assign", cfg.Assign}, {"Edit", cfg.Edit}, {"Escalate", cfg.Escalate}} {
		fault(!f.p.IsZero() && f.p.reg != cfg.Registry, f.name, "is of another registry")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Manager{cfg: cfg}, nil
}

// maxJudgements bounds how often a change is judged anew because the roles changed meanwhile.
const maxJudgements = 5

// Assign gives a role. GrantedBy and GrantedAt are set here. An assignment the subject has already
// gets the new expiry. Errors: [ErrDenied], [ErrEscalation], [ErrUnknownRole], [ErrInvalidName] (also
// for an expiry that is not in the future), [ErrCrossTenant], [ErrLastManager], or the store's.
func (m *Manager) Assign(ctx context.Context, actor Subject, a Assignment) error {
	a.GrantedBy, a.GrantedAt = actor.id, m.cfg.Now()
	err := a.Validate()
	if err == nil && !a.Live(a.GrantedAt) {
		err = fmt.Errorf("%w: the assignment has expired already", ErrInvalidName)
	}
	if err == nil {
		err = m.reassign(ctx, actor, a, m.cfg.Store.Assign)
	}
	return m.done(ctx, err, Event{Type: EventAssign, Actor: actor.id, Tenant: a.Tenant, Subject: a.Subject, Role: a.Role, Assignment: a})
}

// Unassign takes a role; only tenant, subject and role of a matter. Taking one the subject does not
// have is no error. Errors as for Assign.
func (m *Manager) Unassign(ctx context.Context, actor Subject, a Assignment) error {
	err := m.reassign(ctx, actor, a, m.cfg.Store.Unassign)
	return m.done(ctx, err, Event{Type: EventUnassign, Actor: actor.id, Tenant: a.Tenant, Subject: a.Subject, Role: a.Role, Assignment: a})
}

func (m *Manager) reassign(ctx context.Context, actor Subject, a Assignment,
	change func(context.Context, Assignment, Guard) error,
) error {
	var err error
	for range maxJudgements {
		var policy *Policy
		if policy, err = m.mayAssign(ctx, actor, a.Tenant, a.Role); err != nil {
			return err
		}
		managers := policy.holders(m.cfg.Assign)
		err = change(ctx, a, Guard{Version: policy.version, Before: managers, After: managers})
		if !errors.Is(err, ErrConflict) {
			break
		}
	}
	if err == nil && m.cfg.Checker != nil {
		m.cfg.Checker.Forget(a.Tenant, a.Subject)
	}
	return err
}

// MayAssign reports whether the actor may give or take the role in the tenant, for programs that
// write the change themselves, in a transaction of their own. Errors as for Assign.
func (m *Manager) MayAssign(ctx context.Context, actor Subject, tenant string, role RoleID) error {
	_, err := m.mayAssign(ctx, actor, tenant, role)
	return err
}

func (m *Manager) mayAssign(ctx context.Context, actor Subject, tenant string, role RoleID) (*Policy, error) {
	policy, _, err := m.load(ctx, tenant)
	if err != nil {
		return nil, err
	}
	actor = policy.rebind(actor)
	if err := actor.Check(m.cfg.Assign); err != nil {
		return nil, err
	}
	if actor.tenant != tenant {
		return nil, actor.denied(m.cfg.Assign.Name(), "the subject acts in another tenant")
	}
	if _, ok := policy.index[role]; !ok {
		return nil, fmt.Errorf("%w: %s", ErrUnknownRole, role)
	}
	return policy, m.covers(actor, policy, role)
}

// PutRole creates or replaces a role and returns the new policy version. Version is the one at which
// the actor saw the roles; if it is no longer the store's the error is [ErrConflict]. 0 means
// whatever it is now. Errors: [ErrDenied], [ErrEscalation], [ErrLastManager] if the role would lose
// the Assign permission and a tenant with it its last manager, the faults of [Compile], or the
// store's.
func (m *Manager) PutRole(ctx context.Context, actor Subject, r Role, version uint64) (uint64, error) {
	next, changes, err := m.putRole(ctx, actor, r, version)
	return next, m.done(ctx, err, Event{
		Type: EventPutRole, Actor: actor.id, Tenant: r.Tenant, Role: r.ID(), Version: next, Changes: changes,
	})
}

func (m *Manager) putRole(ctx context.Context, actor Subject, r Role, version uint64) (uint64, []Change, error) {
	if err := r.Validate(); err != nil {
		return 0, nil, err
	}
	policy, roles, err := m.mayEdit(ctx, actor, r.ID(), version)
	if err != nil {
		return 0, nil, err
	}
	edited := replace(roles, r)
	if len(edited) > MaxRoles {
		return 0, nil, fmt.Errorf("%w: %d roles, at most %d", ErrLimit, len(edited), MaxRoles)
	}
	next, err := m.compile(edited, policy.version)
	if err != nil {
		return 0, nil, err
	}
	for _, skipped := range next.skipped {
		if fault := (*RoleError)(nil); errors.As(skipped, &fault) && fault.Role == r.ID() {
			return 0, nil, skipped
		}
	}
	// What the role's heirs gain is part of what the role gains, so they need no look of their own.
	if err := m.covers(policy.rebind(actor), next, r.ID()); err != nil {
		return 0, nil, err
	}
	guard := Guard{Version: policy.version}
	if policy.grants(r.ID(), m.cfg.Assign) && !next.grants(r.ID(), m.cfg.Assign) {
		if guard.Before, guard.After, err = m.managers(ctx, r, policy.version); err != nil {
			return 0, nil, err
		}
	}
	stored, err := m.cfg.Store.PutRole(ctx, r, guard)
	if err != nil {
		return 0, nil, err
	}
	m.reload(ctx)
	return stored, policy.Diff(next), nil
}

// managers returns the roles of all tenants that hold Assign before and after r is replaced.
func (m *Manager) managers(ctx context.Context, r Role, version uint64) (before, after []RoleID, err error) {
	roles, now, err := m.cfg.Store.LoadRoles(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if now != version {
		return nil, nil, ErrConflict
	}
	old, err := m.compile(roles, now)
	if err != nil {
		return nil, nil, err
	}
	next, err := m.compile(replace(roles, r), now)
	if err != nil {
		return nil, nil, err
	}
	return old.holders(m.cfg.Assign), next.holders(m.cfg.Assign), nil
}

// DeleteRole removes a role and returns the new policy version. Version as in PutRole. Errors:
// [ErrDenied], [ErrEscalation], [ErrRoleInUse], [ErrUnknownRole], [ErrConflict], or the store's.
func (m *Manager) DeleteRole(ctx context.Context, actor Subject, id RoleID, version uint64) (uint64, error) {
	next, changes, err := m.deleteRole(ctx, actor, id, version)
	return next, m.done(ctx, err, Event{
		Type: EventDeleteRole, Actor: actor.id, Tenant: id.Tenant, Role: id, Version: next, Changes: changes,
	})
}

func (m *Manager) deleteRole(ctx context.Context, actor Subject, id RoleID, version uint64) (uint64, []Change, error) {
	policy, _, err := m.mayEdit(ctx, actor, id, version)
	if err != nil {
		return 0, nil, err
	}
	if _, ok := policy.index[id]; !ok {
		return 0, nil, fmt.Errorf("%w: %s", ErrUnknownRole, id)
	}
	next, err := m.cfg.Store.DeleteRole(ctx, id, m.cfg.Now(), Guard{Version: policy.version})
	if err != nil {
		return 0, nil, err
	}
	m.reload(ctx)
	return next, []Change{{Op: RoleRemoved, Role: id}}, nil
}

// mayEdit checks that the actor may touch the role as it is.
func (m *Manager) mayEdit(ctx context.Context, actor Subject, id RoleID, version uint64) (*Policy, []Role, error) {
	policy, roles, err := m.load(ctx, id.Tenant)
	if err != nil {
		return nil, nil, err
	}
	actor = policy.rebind(actor)
	if err := actor.Check(m.cfg.Edit); err != nil {
		return nil, nil, err
	}
	if actor.tenant != id.Tenant && (id.Tenant != "" || actor.tenant != AnyTenant) {
		return nil, nil, actor.denied(m.cfg.Edit.Name(), "the subject acts in another tenant")
	}
	if version != 0 && version != policy.version {
		return nil, nil, fmt.Errorf("%w: at %d, not %d", ErrConflict, policy.version, version)
	}
	return policy, roles, m.covers(actor, policy, id)
}

// load compiles the global roles and those of the tenant as they are in the store.
func (m *Manager) load(ctx context.Context, tenant string) (*Policy, []Role, error) {
	tenants := []string{""}
	if tenant != "" && tenant != AnyTenant {
		tenants = append(tenants, tenant)
	}
	roles, version, err := m.cfg.Store.LoadRoles(ctx, tenants...)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if len(roles) > MaxRoles {
		return nil, nil, fmt.Errorf("%w: %w: %d roles", ErrUnavailable, ErrLimit, len(roles))
	}
	policy, err := m.compile(roles, version)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnavailable, err) // the fault is in the store, not in the change
	}
	return policy, roles, nil
}

func (m *Manager) compile(roles []Role, version uint64) (*Policy, error) {
	return compile(m.cfg.Registry, roles, version, m.cfg.SkipUnknownGrants)
}

// covers reports which permissions of the role the actor lacks.
func (m *Manager) covers(actor Subject, policy *Policy, role RoleID) error {
	if actor.Can(m.cfg.Escalate) {
		return nil
	}
	var missing []string
	for p := range policy.Effective(role) {
		if !actor.Can(p) {
			missing = append(missing, p.Name())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return &EscalationError{Role: role, Missing: missing}
}

// reload lets this process see the change at once. A failure is the Checker's event: the change is
// made.
func (m *Manager) reload(ctx context.Context) {
	if m.cfg.Checker != nil {
		_, _ = m.cfg.Checker.revalidateNow(ctx)
	}
}

// done tells of the outcome and returns err.
func (m *Manager) done(ctx context.Context, err error, e Event) error {
	if err != nil {
		e.Type, e.Err, e.Changes = EventRefused, err, nil
	}
	emit(ctx, m.cfg.OnEvent, m.cfg.Now(), e)
	return err
}

// rebind returns the subject with its roles as this policy defines them. A subject of another
// registry is nobody.
func (p *Policy) rebind(s Subject) Subject {
	if s.policy == nil || s.policy.reg != p.reg {
		return Subject{}
	}
	next := Subject{policy: p, tenant: s.tenant, id: s.id}
	for i := range s.indexes() {
		if at, ok := p.index[s.policy.roles[i].ID()]; ok {
			next.add(at)
		}
	}
	return next
}

// holders returns the roles that hold the permission.
func (p *Policy) holders(perm Permission) []RoleID {
	var list []RoleID
	for i := range p.roles {
		if p.row(i)[perm.index/64]&(1<<(perm.index%64)) != 0 {
			list = append(list, p.roles[i].ID())
		}
	}
	return list
}

func (p *Policy) grants(id RoleID, perm Permission) bool {
	i, ok := p.index[id]
	return ok && p.row(i)[perm.index/64]&(1<<(perm.index%64)) != 0
}

// replace returns the roles with r in the place of its predecessor.
func replace(roles []Role, r Role) []Role {
	next := slices.DeleteFunc(slices.Clone(roles), func(old Role) bool { return old.ID() == r.ID() })
	return append(next, r)
}
