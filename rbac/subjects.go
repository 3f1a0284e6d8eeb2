package rbac

import (
	"context"
	"fmt"
	"time"
)

type subjectKey struct{ tenant, id string }

// entry is what the store said about a subject. It never changes once it is shared.
type entry struct {
	list    []Assignment
	read    time.Time
	until   time.Time // first expiry of an assignment in list; zero for none
	subject Subject   // resolved under its policy, from the assignments live at read
}

// Subject returns the subject with the roles it holds in the tenant, those of [AnyTenant] included.
// Its roles are at most SubjectTTL old, its policy as Run keeps it; while the store is silent both
// may be up to MaxStaleness old. Expired assignments never count. Errors: [ErrStale],
// [ErrUnavailable], or ctx's own. On the common path it does not allocate.
//
// Without a subject it returns [ErrNoSubject].
func (c *Checker) Subject(ctx context.Context, tenant, subject string) (Subject, error) {
	if subject == "" {
		return Subject{}, ErrNoSubject
	}
	snap, err := c.snapshot(ctx)
	if err != nil {
		return Subject{}, err
	}
	policy, err := c.policyOf(ctx, snap, tenant)
	if err != nil {
		return Subject{}, err
	}
	key := subjectKey{tenant, subject}
	e, err := c.assignments(ctx, key)
	if err != nil {
		return Subject{}, err
	}
	now := c.cfg.Now()
	if e.subject.policy == policy && (e.until.IsZero() || now.Before(e.until)) {
		return e.subject, nil
	}
	return c.resolve(ctx, key, e, policy, now), nil
}

// Fresh is Subject without any cache and without tolerance: version and roles are read now, and a
// silent store is an error. It is for the few operations that must see a revocation at once.
func (c *Checker) Fresh(ctx context.Context, tenant, subject string) (Subject, error) {
	if subject == "" {
		return Subject{}, ErrNoSubject
	}
	// A look that began before this call may have missed the change this call must see.
	snap, err := c.revalidateNow(ctx)
	if err != nil {
		return Subject{}, err
	}
	policy, err := c.policyOf(ctx, snap, tenant)
	if err != nil {
		return Subject{}, err
	}
	key := subjectKey{tenant, subject}
	c.mu.RLock()
	before := c.changes
	c.mu.RUnlock()
	e, err := c.read(ctx, key)
	if err != nil {
		return Subject{}, err
	}
	c.mu.Lock()
	if c.changes == before && c.cfg.SubjectTTL > 0 {
		c.store(key, e)
	}
	c.mu.Unlock()
	s, unknown := policy.assigned(tenant, subject, live(e.list, c.cfg.Now()))
	c.reportUnknown(ctx, tenant, subject, unknown)
	return s, nil
}

// Forget drops what is kept about a subject, after its assignments were changed other than through
// a [Manager] that has this Checker. With AnyTenant it drops the subject in every tenant.
func (c *Checker) Forget(tenant, subject string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	if tenant != AnyTenant {
		delete(c.subjects, subjectKey{tenant, subject})
		delete(c.loading, subjectKey{tenant, subject})
		return
	}
	for key := range c.subjects {
		if key.id == subject {
			delete(c.subjects, key)
		}
	}
	for key := range c.loading {
		if key.id == subject {
			delete(c.loading, key)
		}
	}
}

func (c *Checker) revalidateNow(ctx context.Context) (*snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.LoadTimeout)
	defer cancel()
	return c.revalidate(ctx)
}

// assignments returns what is known about the subject, from the store when it is too old.
func (c *Checker) assignments(ctx context.Context, key subjectKey) (*entry, error) {
	now := c.cfg.Now()
	c.mu.RLock()
	known := c.subjects[key]
	c.mu.RUnlock()
	if known != nil && now.Sub(known.read) < c.cfg.SubjectTTL {
		return known, nil
	}
	e, err := c.fetch(ctx, key)
	if err == nil {
		return e, nil
	}
	now = c.cfg.Now() // the attempt took its time
	if ctx.Err() != nil || known == nil || now.Sub(known.read) > c.cfg.MaxStaleness {
		return nil, err
	}
	emit(ctx, c.cfg.OnEvent, now, Event{Type: EventServedStale, Tenant: key.tenant, Subject: key.id, Err: err})
	return known, nil
}

// fetch reads the assignments; parallel calls for one subject share one read.
func (c *Checker) fetch(ctx context.Context, key subjectKey) (*entry, error) {
	c.mu.Lock()
	f := c.loading[key]
	if f == nil {
		f = newFlight[*entry]()
		c.loading[key] = f
		before := c.changes
		go func() {
			e, err := c.read(context.WithoutCancel(ctx), key)
			c.mu.Lock()
			if c.loading[key] == f {
				delete(c.loading, key)
			}
			if err == nil && c.changes == before && c.cfg.SubjectTTL > 0 {
				c.store(key, e)
			}
			c.mu.Unlock()
			f.land(e, err)
		}()
	}
	c.mu.Unlock()
	return f.wait(ctx)
}

func (c *Checker) read(ctx context.Context, key subjectKey) (*entry, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.LoadTimeout)
	defer cancel()
	now := c.cfg.Now()
	list, err := c.cfg.Store.RolesOf(ctx, key.tenant, key.id, now)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return &entry{list: list, read: now}, nil
}

// resolve builds the subject under the policy and keeps it beside its assignments.
func (c *Checker) resolve(ctx context.Context, key subjectKey, e *entry, policy *Policy, now time.Time) Subject {
	list := live(e.list, now)
	s, unknown := policy.assigned(key.tenant, key.id, list)
	c.reportUnknown(ctx, key.tenant, key.id, unknown)
	next := &entry{list: list, read: e.read, subject: s}
	for i := range list {
		if end := list[i].ExpiresAt; !end.IsZero() && (next.until.IsZero() || end.Before(next.until)) {
			next.until = end
		}
	}
	c.mu.Lock()
	if c.subjects[key] == e { // not replaced or forgotten meanwhile
		c.subjects[key] = next
	}
	c.mu.Unlock()
	return s
}

// store keeps an entry, making room by dropping any other. The caller holds mu.
func (c *Checker) store(key subjectKey, e *entry) {
	if _, ok := c.subjects[key]; !ok {
		for other := range c.subjects {
			if len(c.subjects) < c.cfg.MaxSubjects {
				break
			}
			delete(c.subjects, other)
		}
	}
	c.subjects[key] = e
}

func (c *Checker) reportUnknown(ctx context.Context, tenant, subject string, role RoleID) {
	if role != (RoleID{}) {
		emit(ctx, c.cfg.OnEvent, c.cfg.Now(), Event{
			Type: EventUnknownRole, Tenant: tenant, Subject: subject, Role: role, Err: ErrUnknownRole,
		})
	}
}

// live returns the assignments that hold at now; the list itself when all do.
func live(list []Assignment, now time.Time) []Assignment {
	for i := range list {
		if list[i].Live(now) {
			continue
		}
		rest := append([]Assignment(nil), list[:i]...)
		for j := i + 1; j < len(list); j++ {
			if list[j].Live(now) {
				rest = append(rest, list[j])
			}
		}
		return rest
	}
	return list
}

// flight is a result several callers wait for.
type flight[T any] struct {
	done  chan struct{}
	value T
	err   error
}

func newFlight[T any]() *flight[T] { return &flight[T]{done: make(chan struct{})} }

func (f *flight[T]) land(value T, err error) {
	f.value, f.err = value, err
	close(f.done)
}

func (f *flight[T]) wait(ctx context.Context) (T, error) {
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
