package rbac_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/rbac"
)

func TestNewReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := rbac.New(rbac.Config{PollInterval: -1, MaxStaleness: -1, MaxSubjects: -1, LoadTimeout: -1, MaxTenants: -1})
	for _, field := range []string{"Registry", "Store", "PollInterval", "MaxStaleness", "MaxSubjects", "LoadTimeout", "MaxTenants"} {
		require.ErrorContains(t, err, "config "+field)
	}
	_, err = rbac.New(rbac.Config{Registry: rbac.NewRegistry(), Store: newFake(), SubjectTTL: time.Hour})
	require.ErrorContains(t, err, "SubjectTTL = 1h0m0s: is longer than MaxStaleness")
	_, err = rbac.New(rbac.Config{Registry: rbac.NewRegistry(), Store: newFake(), MaxStaleness: time.Second})
	require.NoError(t, err)
}

// An empty tenant is none and matches none, through assignments.
func TestCheckerTenants(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		give(t, b.store, "a", "ann", "admin")
		give(t, b.store, "", "bob", "admin")
		give(t, b.store, rbac.AnyTenant, "root", "admin")
		for _, tt := range []struct {
			tenant, subject string
			want            bool
		}{
			{"a", "ann", true},
			{"", "ann", false},
			{"b", "ann", false},
			{rbac.AnyTenant, "ann", false},
			{"", "bob", true},
			{"a", "bob", false},
			{"", "root", true},
			{"a", "root", true},
			{rbac.AnyTenant, "root", true},
			{"a", "nobody", false},
		} {
			require.Equal(t, tt.want, b.subject(tt.tenant, tt.subject).Can(b.edit), "%+v", tt)
			require.Equal(t, tt.want, b.fresh(tt.tenant, tt.subject).Can(b.edit), "%+v", tt)
		}
		_, err := b.checker.Subject(t.Context(), "a", "")
		require.ErrorIs(t, err, rbac.ErrNoSubject)
		_, err = b.checker.Fresh(t.Context(), "a", "")
		require.ErrorIs(t, err, rbac.ErrNoSubject)
	})
}

// What a cached enforcer keeps allowing is denied here.
func TestRevocationIsSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.run()
		give(t, b.store, "", "ann", "user")
		before := b.subject("", "ann")
		require.True(t, before.Can(b.areaRead))

		seed(t, b.store, rbac.Role{Name: "user"}) // the role's rule goes
		require.False(t, b.fresh("", "ann").Can(b.areaRead))
		require.False(t, b.subject("", "ann").Can(b.areaRead), "Fresh brings the new policy to all")
		seed(t, b.store, rbac.Role{Name: "user", Grants: []string{"area:read"}})
		require.False(t, b.subject("", "ann").Can(b.areaRead))
		pass(5 * time.Second)
		require.True(t, b.subject("", "ann").Can(b.areaRead))

		take(t, b.store, "", "ann", "user") // the user's role goes
		require.False(t, b.fresh("", "ann").Can(b.areaRead))
		require.False(t, b.subject("", "ann").Can(b.areaRead))
		give(t, b.store, "", "ann", "user")
		pass(11 * time.Second)
		require.True(t, b.subject("", "ann").Can(b.areaRead))
		take(t, b.store, "", "ann", "user")
		b.checker.Forget("", "ann")
		require.False(t, b.subject("", "ann").Can(b.areaRead))

		require.True(t, before.Can(b.areaRead), "a request keeps its snapshot")
	})
}

// The boundary of an expiry counts although roles are cached.
func TestAssignmentExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		give(t, b.store, "", "ann", "user")
		require.NoError(t, b.store.Assign(t.Context(), rbac.Assignment{
			Subject: "ann", Role: global("admin"), ExpiresAt: time.Now().Add(3 * time.Second),
		}, rbac.Guard{}))
		require.True(t, b.subject("", "ann").Can(b.edit))
		pass(3*time.Second - 1)
		require.True(t, b.subject("", "ann").Can(b.edit))
		pass(1)
		require.False(t, b.subject("", "ann").Can(b.edit), "although the roles are still cached")
		require.True(t, b.subject("", "ann").Can(b.areaRead))
		require.Equal(t, int64(1), b.store.reads.Load())
	})
}

// A silent store is bridged for MaxStaleness and no longer.
func TestStaleness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.run()
		give(t, b.store, "", "ann", "admin")
		require.True(t, b.subject("", "ann").Can(b.edit))
		b.events.take()
		b.store.down.Store(true)

		pass(50 * time.Second)
		require.True(t, b.subject("", "ann").Can(b.edit))
		require.Contains(t, b.events.types(), rbac.EventServedStale)
		_, err := b.checker.Subject(t.Context(), "", "bob")
		require.ErrorIs(t, err, rbac.ErrUnavailable, "nothing is known of bob")
		_, err = b.checker.Fresh(t.Context(), "", "ann")
		require.ErrorIs(t, err, rbac.ErrUnavailable)

		pass(11 * time.Second)
		_, err = b.checker.Subject(t.Context(), "", "ann")
		require.ErrorIs(t, err, rbac.ErrStale)
		require.ErrorIs(t, err, errDown)
		_, err = b.checker.Policy(t.Context(), "")
		require.ErrorIs(t, err, rbac.ErrStale)
		status, code := rbac.StatusCode(err)
		require.Equal(t, "503 unavailable", fmt.Sprint(status, " ", code))
		require.Contains(t, b.events.types(), rbac.EventReloadFailed)

		b.store.down.Store(false)
		require.True(t, b.subject("", "ann").Can(b.edit), "the next call mends it")
	})
}

// TestStalenessWithoutRun: a Checker that nobody runs asks again when its knowledge is too old.
func TestStalenessWithoutRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		give(t, b.store, "", "ann", "user")
		require.True(t, b.subject("", "ann").Can(b.areaRead))
		seed(t, b.store, rbac.Role{Name: "user"})
		pass(time.Minute + 1)
		require.False(t, b.subject("", "ann").Can(b.areaRead))
	})
}

func TestFirstLoadFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.store.down.Store(true)
		_, err := b.checker.Subject(t.Context(), "", "ann")
		require.ErrorIs(t, err, rbac.ErrUnavailable)
		require.ErrorIs(t, b.checker.Reload(t.Context()), errDown)
		b.store.down.Store(false)

		seed(t, b.store, rbac.Role{Name: "future", Grants: []string{"moon:land"}})
		err = b.checker.Reload(t.Context())
		require.ErrorIs(t, err, rbac.ErrUnavailable, "a policy that does not compile is no client's fault")
		require.ErrorIs(t, err, rbac.ErrUnknownPermission)
		status, _ := rbac.StatusCode(err)
		require.Equal(t, 503, status)
	})
}

func TestSkipUnknownGrants(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *rbac.Config) { c.SkipUnknownGrants = true })
		seed(t, b.store, rbac.Role{Name: "future", Grants: []string{"moon:land", "moon:*", "area:read"}})
		give(t, b.store, "", "ann", "future")
		require.Equal(t, []string{"area:read"}, names(b.subject("", "ann").Permissions()))
		require.Equal(t, []rbac.EventType{rbac.EventUnknownGrant, rbac.EventUnknownGrant, rbac.EventReload}, b.events.types())
	})
}

// Whoever asks during a reload sees the old roles or the new ones.
func TestReloadRacesChecks(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *rbac.Config) { c.SubjectTTL = -1 })
	give(t, b.store, "", "ann", "user")
	shapes := [][]string{{"area:read", "area:create"}, {"area:verify", "role:manage"}}
	seed(t, b.store, rbac.Role{Name: "user", Grants: shapes[0]})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 125 {
				s, err := b.checker.Subject(context.Background(), "", "ann")
				if err != nil {
					t.Error(err)
					return
				}
				old := s.CanAll(b.areaRead, b.areaCreate) && !s.CanAny(b.areaVerify, b.edit)
				next := s.CanAll(b.areaVerify, b.edit) && !s.CanAny(b.areaRead, b.areaCreate)
				if old == next {
					t.Errorf("neither old nor new: %v", names(s.Permissions()))
				}
			}
		})
	}
	for i := range 50 {
		seed(t, b.store, rbac.Role{Name: "user", Grants: shapes[(i+1)%2]})
		require.NoError(t, b.checker.Reload(t.Context()))
	}
	wg.Wait()
}

// A restored backup must not bring old permissions back.
func TestVersionGoesBackwards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		give(t, b.store, "", "ann", "user")
		require.True(t, b.subject("", "ann").Can(b.areaRead))
		b.events.take()
		b.store.version = func(uint64) uint64 { return 1 }
		err := b.checker.Reload(t.Context())
		require.ErrorIs(t, err, rbac.ErrVersionBackwards)
		require.Equal(t, []rbac.EventType{rbac.EventVersionBackwards}, b.events.types())
		require.True(t, b.subject("", "ann").Can(b.areaRead))
		pass(2 * time.Minute)
		_, err = b.checker.Subject(t.Context(), "", "ann")
		require.ErrorIs(t, err, rbac.ErrStale)
	})
}

func TestRunPollsAndWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{})
		b := newBench(t, func(c *rbac.Config) { c.Wake = wake })
		b.run()
		require.Equal(t, []rbac.EventType{rbac.EventReload}, b.events.types())
		seed(t, b.store, rbac.Role{Name: "user", Grants: []string{"area:create"}})
		pass(4 * time.Second)
		require.Empty(t, b.events.take())
		pass(time.Second)
		list := b.events.take()
		require.Len(t, list, 1)
		require.Equal(t, uint64(4), list[0].Version)
		require.Equal(t, []rbac.Change{
			{Op: rbac.PermissionAdded, Role: global("user"), Permission: "area:create"},
			{Op: rbac.PermissionRemoved, Role: global("user"), Permission: "area:read"},
		}, list[0].Changes)
		seed(t, b.store, rbac.Role{Name: "user"})
		wake <- struct{}{}
		synctest.Wait()
		require.Equal(t, []rbac.EventType{rbac.EventReload}, b.events.types())
		require.Equal(t, int64(3), b.store.loads.Load(), "an unchanged version loads nothing")
	})
}

// TestParallelReadsAreShared: a hundred requests of one subject cost one read.
func TestParallelReadsAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.store.onRead = func() { <-time.After(time.Second) }
		give(t, b.store, "", "ann", "user")
		for range 100 {
			go func() {
				s, err := b.checker.Subject(context.Background(), "", "ann")
				if err != nil || !s.Can(b.areaRead) {
					t.Errorf("denied: %v", err)
				}
			}()
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := b.checker.Subject(ctx, "", "ann")
		require.ErrorIs(t, err, context.Canceled, "a waiter leaves when its client does")
		pass(2 * time.Second)
		require.Equal(t, int64(1), b.store.reads.Load())
		require.Equal(t, int64(1), b.store.loads.Load())
	})
}

// TestForgetDuringRead: an answer that was on its way when roles changed is not kept, nor shared with
// those who ask afterwards.
func TestForgetDuringRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, forget := range []string{"t", rbac.AnyTenant} {
			b := newBench(t, nil)
			require.NoError(t, b.checker.Reload(t.Context()))
			give(t, b.store, "t", "ann", "admin")
			b.store.onRead = func() { <-time.After(time.Second) }
			go func() { _, _ = b.checker.Subject(context.Background(), "t", "ann") }()
			synctest.Wait()
			take(t, b.store, "t", "ann", "admin")
			b.checker.Forget(forget, "ann")
			require.False(t, b.subject("t", "ann").Can(b.edit))
			pass(2 * time.Second)
			require.False(t, b.subject("t", "ann").Can(b.edit))
			b.checker.Forget(forget, "ann")
			reads := b.store.reads.Load()
			b.subject("t", "ann")
			require.Equal(t, reads+1, b.store.reads.Load())
		}
	})
}

func TestMaxSubjects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *rbac.Config) { c.MaxSubjects = 3 })
		for i := range 10 {
			b.subject("", fmt.Sprint(i))
		}
		b.subject("", "9")
		require.Equal(t, int64(10), b.store.reads.Load())
		for i := range 10 {
			b.subject("", fmt.Sprint(i))
		}
		require.Greater(t, b.store.reads.Load(), int64(16))
	})
}

func TestUnknownRoleIsReported(t *testing.T) {
	t.Parallel()
	w := newWorld()
	seen := &events{}
	c, err := rbac.New(rbac.Config{Registry: w.reg, OnEvent: seen.add, Store: foreignRoles{newFake()}})
	require.NoError(t, err)
	s, err := c.Subject(t.Context(), "a", "ann")
	require.NoError(t, err)
	require.Empty(t, s.Roles())
	list := seen.take()
	require.Equal(t, rbac.EventUnknownRole, list[1].Type)
	require.Equal(t, global("ghost"), list[1].Role)
}

// foreignRoles answers with roles that are not in the policy or not of the tenant.
type foreignRoles struct{ rbac.Reader }

func (f foreignRoles) RolesOf(_ context.Context, tenant, subject string, _ time.Time) ([]rbac.Assignment, error) {
	return []rbac.Assignment{
		{Tenant: tenant, Subject: subject, Role: global("ghost")},
		{Tenant: tenant, Subject: subject, Role: rbac.RoleID{Tenant: "b", Name: "staff"}},
	}, nil
}

func TestPerTenant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *rbac.Config) { c.PerTenant, c.MaxTenants = true, 2 })
		for _, tenant := range []string{"a", "b", "c"} {
			staff := rbac.Role{Tenant: tenant, Name: "staff", Grants: []string{"area:create"}, Inherits: globals("user")}
			seed(t, b.store, staff)
			require.NoError(t, b.store.Assign(t.Context(), rbac.Assignment{Tenant: tenant, Subject: "ann", Role: staff.ID()}, rbac.Guard{}))
		}
		for _, tenant := range []string{"a", "b", "c", "a"} {
			s := b.subject(tenant, "ann")
			require.Equal(t, []string{"area:create", "area:read"}, names(s.Permissions()))
			_, ok := s.Policy().Role(rbac.RoleID{Tenant: "b", Name: "staff"})
			require.Equal(t, tenant == "b", ok, "only the tenant's roles are loaded")
		}
		loads := b.store.loads.Load()
		b.subject("a", "ann")
		require.Equal(t, loads, b.store.loads.Load())

		// The roles move on between two tenants' first requests.
		seed(t, b.store, rbac.Role{Name: "user", Grants: []string{"area:verify"}})
		seed(t, b.store, rbac.Role{Tenant: "d", Name: "staff"})
		p, err := b.checker.Policy(t.Context(), "d")
		require.NoError(t, err)
		require.Equal(t, uint64(8), p.Version())
		require.Equal(t, []string{"area:create", "area:verify"}, names(b.subject("a", "ann").Permissions()))
		p, err = b.checker.Policy(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, uint64(8), p.Version())

		b.store.down.Store(true)
		_, err = b.checker.Policy(t.Context(), "e")
		require.ErrorIs(t, err, rbac.ErrUnavailable)
	})
}

func TestTooManyRoles(t *testing.T) {
	t.Parallel()
	w := newWorld()
	c, err := rbac.New(rbac.Config{Registry: w.reg, Store: manyRoles{newFake()}})
	require.NoError(t, err)
	err = c.Reload(t.Context())
	require.True(t, errors.Is(err, rbac.ErrLimit) && errors.Is(err, rbac.ErrUnavailable), err)
}

type manyRoles struct{ rbac.Reader }

func (manyRoles) LoadRoles(context.Context, ...string) ([]rbac.Role, uint64, error) {
	return make([]rbac.Role, rbac.MaxRoles+1), 1, nil
}
