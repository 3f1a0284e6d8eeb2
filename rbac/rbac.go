package rbac

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Config configures a [Checker]. Zero values of optional fields mean the stated defaults.
type Config struct {
	// Registry is the program's list of permissions. Required.
	Registry *Registry
	// Store has the roles and who holds them. Required.
	Store Reader

	// Identify tells who sends a request, for Resolve: the tenant ("" for none) and the subject.
	// An empty subject is an anonymous request. An error ends the request in OnError.
	Identify func(r *http.Request) (tenant, subject string, err error)
	// OnError answers requests that Resolve and Require refuse. Default [WriteError].
	OnError func(w http.ResponseWriter, r *http.Request, err error)
	// OnEvent is told what happens; it must not block.
	OnEvent func(ctx context.Context, e Event)
	// Now is the clock. Default time.Now.
	Now func() time.Time

	// PollInterval is how often Run asks for the version; each wait is up to a tenth shorter, so
	// that replicas spread. Default 5 seconds.
	PollInterval time.Duration
	// Wake makes Run ask at once, for stores that can notify. Optional.
	Wake <-chan struct{}
	// MaxStaleness bounds how old the knowledge is that an answer rests on. While the store is
	// silent the last policy and the last roles of a subject are used up to this age; beyond it
	// there are errors, never permissions. Default 5 minutes.
	MaxStaleness time.Duration
	// SubjectTTL is how long a subject's roles are kept without asking again. Default 10 seconds or
	// MaxStaleness, if that is less; negative means they are read every time.
	SubjectTTL time.Duration
	// MaxSubjects bounds the number of subjects kept. Default 10,000.
	MaxSubjects int
	// LoadTimeout bounds one look into the store. Default 5 seconds.
	LoadTimeout time.Duration

	// SkipUnknownGrants makes the Checker ignore stored grants that name no permission of the
	// Registry, with an event, instead of refusing the whole policy. Replicas of the last release
	// then live with roles that the next one has extended already.
	SkipUnknownGrants bool
	// PerTenant loads a tenant's roles when the tenant is first seen, instead of all roles of all
	// tenants, for programs in which tenants write their own. MaxTenants bounds how many are kept.
	PerTenant bool
	// MaxTenants is for PerTenant. Default 1,000.
	MaxTenants int
}

// Checker keeps the policy of a store up to date and answers who a subject is. A check itself, on
// the [Subject], does no I/O. Safe for concurrent use; the zero Checker is invalid.
type Checker struct {
	cfg      Config
	mu       sync.RWMutex // guards what follows
	current  *snapshot
	checked  time.Time // when current was last known to be the store's policy
	reload   *flight[*snapshot]
	subjects map[subjectKey]*entry
	loading  map[subjectKey]*flight[*entry]
	changes  uint64 // local changes of assignments, so that a read from before is not kept
}

// snapshot is one version of the roles. Without PerTenant, global holds all of them.
type snapshot struct {
	version uint64
	global  *Policy

	mu      sync.Mutex
	tenants map[string]*Policy
}

// New checks the configuration and returns a Checker. Errors are *ConfigError, joined. It starts
// nothing and does no I/O: the first call that needs the policy loads it.
func New(cfg Config) (*Checker, error) {
	c := &Checker{cfg: cfg, subjects: map[subjectKey]*entry{}, loading: map[subjectKey]*flight[*entry]{}}
	d := &c.cfg
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.OnError == nil {
		d.OnError = WriteError
	}
	d.PollInterval = cmp.Or(cfg.PollInterval, 5*time.Second)
	d.MaxStaleness = cmp.Or(cfg.MaxStaleness, 5*time.Minute)
	d.SubjectTTL = max(cmp.Or(cfg.SubjectTTL, min(10*time.Second, d.MaxStaleness)), 0)
	d.MaxSubjects = cmp.Or(cfg.MaxSubjects, 10_000)
	d.LoadTimeout = cmp.Or(cfg.LoadTimeout, 5*time.Second)
	d.MaxTenants = cmp.Or(cfg.MaxTenants, 1000)

	var errs []error
	fault := func(bad bool, field string, value any, reason string) {
		if bad {
			errs = append(errs, &ConfigError{Field: field, Value: value, Reason: reason})
		}
	}
	fault(cfg.Registry == nil, "Registry", nil, "is nil")
	fault(cfg.Store == nil, "Store", nil, "is nil")
	fault(d.PollInterval < 0, "PollInterval", d.PollInterval, "is negative")
	fault(d.MaxStaleness < 0, "MaxStaleness", d.MaxStaleness, "is negative")
	fault(d.MaxStaleness >= 0 && d.SubjectTTL > d.MaxStaleness, "SubjectTTL", d.SubjectTTL, "is longer than MaxStaleness")
	fault(d.MaxSubjects < 0, "MaxSubjects", d.MaxSubjects, "is negative")
	fault(d.LoadTimeout < 0, "LoadTimeout", d.LoadTimeout, "is negative")
	fault(d.MaxTenants < 0, "MaxTenants", d.MaxTenants, "is negative")
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// Run keeps the policy up to date until ctx ends, and then returns its error. Failures are events;
// Run goes on. Without Run the policy is looked at when it is MaxStaleness old, by the call that
// needs it.
func (c *Checker) Run(ctx context.Context) error {
	for {
		_ = c.Reload(ctx) // an event has told of the failure
		// Not a secret: the jitter only keeps replicas from asking in step.
		wait := c.cfg.PollInterval - rand.N(c.cfg.PollInterval/10+1)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		case <-c.cfg.Wake:
			timer.Stop()
		}
	}
}

// Reload asks the store for its version and, when that is new, loads the roles. Call it at start-up
// to fail early. Errors: [ErrUnavailable] with the store's error, the faults of [Compile],
// [ErrVersionBackwards]; the policy in use stays.
func (c *Checker) Reload(ctx context.Context) error {
	_, err := c.refresh(ctx)
	return err
}

// Policy returns the policy in use, for administration: the global roles and, with PerTenant,
// those of the tenant. Errors as for [Checker.Subject].
func (c *Checker) Policy(ctx context.Context, tenant string) (*Policy, error) {
	snap, err := c.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return c.policyOf(ctx, snap, tenant)
}

// snapshot returns the roles in use, and an error when they are too old.
func (c *Checker) snapshot(ctx context.Context) (*snapshot, error) {
	c.mu.RLock()
	snap, checked := c.current, c.checked
	c.mu.RUnlock()
	if snap != nil && c.cfg.Now().Sub(checked) <= c.cfg.MaxStaleness {
		return snap, nil
	}
	fresh, err := c.refresh(ctx)
	switch {
	case err == nil:
		return fresh, nil
	case ctx.Err() != nil || snap == nil:
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", ErrStale, err)
}

// refresh revalidates the snapshot. Parallel calls share one look into the store, which goes on
// when the caller that began it leaves.
func (c *Checker) refresh(ctx context.Context) (*snapshot, error) {
	c.mu.Lock()
	f := c.reload
	if f == nil {
		f = newFlight[*snapshot]()
		c.reload = f
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.LoadTimeout)
			defer cancel()
			snap, err := c.revalidate(ctx)
			c.mu.Lock()
			c.reload = nil
			c.mu.Unlock()
			f.land(snap, err)
		}()
	}
	c.mu.Unlock()
	return f.wait(ctx)
}

func (c *Checker) revalidate(ctx context.Context) (*snapshot, error) {
	began := c.cfg.Now()
	c.mu.RLock()
	old := c.current
	c.mu.RUnlock()
	next, err := c.load(ctx, old)
	if err != nil {
		kind := EventReloadFailed
		if errors.Is(err, ErrVersionBackwards) {
			kind = EventVersionBackwards
		}
		if !errors.Is(err, context.Canceled) { // a client that left says nothing about the store
			emit(ctx, c.cfg.OnEvent, c.cfg.Now(), Event{Type: kind, Err: err})
		}
		return nil, err
	}
	installed := false
	c.mu.Lock()
	switch {
	case c.current != nil && c.current.version > next.version:
		next = c.current // a parallel look has seen more
	case c.current != nil && c.current.version == next.version:
		next = c.current // with its tenants
		if c.checked.Before(began) {
			c.checked = began
		}
	default:
		c.current, c.checked, installed = next, began, true
	}
	c.mu.Unlock()
	if installed {
		var changes []Change
		if old != nil {
			changes = old.global.Diff(next.global)
		}
		emit(ctx, c.cfg.OnEvent, c.cfg.Now(), Event{Type: EventReload, Version: next.version, Changes: changes})
	}
	return next, nil
}

// load returns the store's roles: old itself when its version is still the store's.
func (c *Checker) load(ctx context.Context, old *snapshot) (*snapshot, error) {
	if old != nil {
		version, err := c.cfg.Store.Version(ctx)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		case version == old.version:
			return old, nil
		case version < old.version:
			return nil, fmt.Errorf("%w: from %d to %d", ErrVersionBackwards, old.version, version)
		}
	}
	var only []string
	if c.cfg.PerTenant {
		only = []string{""}
	}
	roles, version, err := c.cfg.Store.LoadRoles(ctx, only...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if old != nil && version < old.version {
		return nil, fmt.Errorf("%w: from %d to %d", ErrVersionBackwards, old.version, version)
	}
	policy, err := c.compile(ctx, roles, version)
	if err != nil {
		return nil, err
	}
	return &snapshot{version: version, global: policy, tenants: map[string]*Policy{}}, nil
}

func (c *Checker) compile(ctx context.Context, roles []Role, version uint64) (*Policy, error) {
	if len(roles) > MaxRoles {
		return nil, fmt.Errorf("%w: %w: %d roles, see Config.PerTenant", ErrUnavailable, ErrLimit, len(roles))
	}
	policy, err := compile(c.cfg.Registry, roles, version, c.cfg.SkipUnknownGrants)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	for _, skipped := range policy.skipped {
		emit(ctx, c.cfg.OnEvent, c.cfg.Now(), Event{Type: EventUnknownGrant, Version: version, Err: skipped})
	}
	return policy, nil
}

// policyOf returns the policy for a tenant. With PerTenant it is loaded on first use; when the
// store has moved on meanwhile, the snapshot is replaced and the tenant loaded again.
func (c *Checker) policyOf(ctx context.Context, snap *snapshot, tenant string) (*Policy, error) {
	if !c.cfg.PerTenant || tenant == "" || tenant == AnyTenant {
		return snap.global, nil
	}
	for range 4 {
		if p, ok := snap.tenant(tenant); ok {
			return p, nil
		}
		loadCtx, cancel := context.WithTimeout(ctx, c.cfg.LoadTimeout)
		roles, version, err := c.cfg.Store.LoadRoles(loadCtx, "", tenant)
		cancel()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if version == snap.version {
			policy, err := c.compile(ctx, roles, version)
			if err != nil {
				return nil, err
			}
			return snap.keep(tenant, policy, c.cfg.MaxTenants), nil
		}
		if snap, err = c.refresh(ctx); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: the policy changes too fast", ErrUnavailable)
}

func (s *snapshot) tenant(name string) (*Policy, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.tenants[name]
	return p, ok
}

// keep stores a tenant's policy, making room by dropping any other.
func (s *snapshot) keep(name string, p *Policy, limit int) *Policy {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.tenants[name]; ok {
		return known
	}
	for other := range s.tenants {
		if len(s.tenants) < limit {
			break
		}
		delete(s.tenants, other)
	}
	s.tenants[name] = p
	return p
}
