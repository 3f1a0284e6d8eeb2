package rbac_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/rbac"
)

var errDown = errors.New("store is down")

// fakeStore is a memory store that can fail, count and be slow.
type fakeStore struct {
	*rbac.MemoryStore
	down    atomic.Bool
	reads   atomic.Int64 // of RolesOf
	loads   atomic.Int64 // of LoadRoles
	version func(uint64) uint64
	onRead  func()
}

func newFake() *fakeStore { return &fakeStore{MemoryStore: rbac.NewMemoryStore()} }

func (f *fakeStore) Version(ctx context.Context) (uint64, error) {
	if f.down.Load() {
		return 0, errDown
	}
	v, err := f.MemoryStore.Version(ctx)
	if f.version != nil {
		v = f.version(v)
	}
	return v, err
}

func (f *fakeStore) LoadRoles(ctx context.Context, tenants ...string) ([]rbac.Role, uint64, error) {
	if f.down.Load() {
		return nil, 0, errDown
	}
	f.loads.Add(1)
	return f.MemoryStore.LoadRoles(ctx, tenants...)
}

func (f *fakeStore) RolesOf(ctx context.Context, tenant, subject string, now time.Time) ([]rbac.Assignment, error) {
	if f.down.Load() {
		return nil, errDown
	}
	f.reads.Add(1)
	list, err := f.MemoryStore.RolesOf(ctx, tenant, subject, now)
	if f.onRead != nil {
		f.onRead()
	}
	return list, err
}

func seed(tb testing.TB, store rbac.Store, roles ...rbac.Role) {
	tb.Helper()
	for _, r := range roles {
		_, err := store.PutRole(tb.Context(), r, rbac.Guard{})
		require.NoError(tb, err)
	}
}

func give(tb testing.TB, store rbac.Store, tenant, subject, role string) {
	tb.Helper()
	require.NoError(tb, store.Assign(tb.Context(), rbac.Assignment{
		Tenant: tenant, Subject: subject, Role: global(role),
	}, rbac.Guard{}))
}

func take(tb testing.TB, store rbac.Store, tenant, subject, role string) {
	tb.Helper()
	require.NoError(tb, store.Unassign(tb.Context(), rbac.Assignment{
		Tenant: tenant, Subject: subject, Role: global(role),
	}, rbac.Guard{}))
}

// events collects what a Checker or Manager tells.
type events struct {
	mu   sync.Mutex
	list []rbac.Event
}

func (e *events) add(_ context.Context, event rbac.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, event)
}

func (e *events) take() []rbac.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := e.list
	e.list = nil
	return list
}

func (e *events) types() []rbac.EventType {
	var types []rbac.EventType
	for _, event := range e.take() {
		types = append(types, event.Type)
	}
	return types
}

type bench struct {
	*testing.T
	*world
	store   *fakeStore
	checker *rbac.Checker
	events  *events
}

// newBench must run inside a synctest bubble: time.Now is then the test's clock.
func newBench(t *testing.T, change func(*rbac.Config)) *bench {
	t.Helper()
	b := &bench{T: t, world: newWorld(), store: newFake(), events: &events{}}
	cfg := rbac.Config{Registry: b.reg, Store: b.store, OnEvent: b.events.add, MaxStaleness: time.Minute}
	if change != nil {
		change(&cfg)
	}
	var err error
	b.checker, err = rbac.New(cfg)
	require.NoError(t, err)
	seed(t, b.store, rbac.Role{Name: "user", Grants: []string{"area:read"}}, rbac.Role{Name: "admin", Grants: []string{"*"}})
	return b
}

func (b *bench) subject(tenant, id string) rbac.Subject {
	b.Helper()
	s, err := b.checker.Subject(b.Context(), tenant, id)
	require.NoError(b, err)
	return s
}

func (b *bench) fresh(tenant, id string) rbac.Subject {
	b.Helper()
	s, err := b.checker.Fresh(b.Context(), tenant, id)
	require.NoError(b, err)
	return s
}

// run starts Checker.Run for the length of the test.
func (b *bench) run() {
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error)
	go func() { done <- b.checker.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		require.ErrorIs(b, <-done, context.Canceled)
	})
	synctest.Wait()
}

// pass lets time go by and background work settle.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
