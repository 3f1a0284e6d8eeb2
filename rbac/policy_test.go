package rbac_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/rbac"
)

// world is the registry most tests use.
type world struct {
	reg                              *rbac.Registry
	areaCreate, areaRead, areaVerify rbac.Permission
	areaUpdate, note                 rbac.Scoped
	assign, edit, escalate           rbac.Permission
}

func newWorld() *world {
	reg := rbac.NewRegistry()
	return &world{
		reg:        reg,
		areaCreate: reg.MustDefine("area:create", "Draw an area."),
		areaRead:   reg.MustDefine("area:read", ""),
		areaVerify: reg.MustDefine("area:verify", ""),
		areaUpdate: reg.MustDefineScoped("area:update", ""),
		note:       reg.MustDefineScoped("note:delete", ""),
		assign:     reg.MustDefine("user:assign_role", ""),
		edit:       reg.MustDefine("role:manage", ""),
		escalate:   reg.MustDefine("role:escalate", ""),
	}
}

func global(name string) rbac.RoleID { return rbac.RoleID{Name: name} }

func globals(names ...string) []rbac.RoleID {
	ids := make([]rbac.RoleID, 0, len(names))
	for _, name := range names {
		ids = append(ids, global(name))
	}
	return ids
}

func compile(tb testing.TB, reg *rbac.Registry, roles ...rbac.Role) *rbac.Policy {
	tb.Helper()
	p, err := rbac.Compile(reg, roles...)
	require.NoError(tb, err)
	return p
}

func names(permissions func(func(rbac.Permission) bool)) []string {
	list := []string{}
	for p := range permissions {
		list = append(list, p.Name())
	}
	return list
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	w := newWorld()
	require.Equal(t, 10, w.reg.Len())
	require.Equal(t, "area:create", w.areaCreate.Name())
	require.Equal(t, "Draw an area.", w.areaCreate.Description())
	require.Equal(t, "area:update:own", w.areaUpdate.Own.String())
	require.Equal(t, "area:create", names(w.reg.All())[0])
	p, ok := w.reg.Lookup("area:update:any")
	require.True(t, ok)
	require.Equal(t, w.areaUpdate.Any, p)
	require.True(t, rbac.Permission{}.IsZero())
	require.Empty(t, rbac.Permission{}.Name())

	for _, name := range []string{
		"", "area", "Area:read", "area:", ":read", "area::read", "a:b:c:d:e", "area:re ad", "1a:b", "a:*", "*",
		"area:read:own", "area:read:any", strings.Repeat("a", 65) + ":b", "área:read", "a:b\x00",
	} {
		_, err := w.reg.Define(name, "")
		require.ErrorIs(t, err, rbac.ErrInvalidName, name)
		require.Panics(t, func() { w.reg.MustDefine(name, "") })
	}
	for _, name := range []string{"area", "a:b:c:d", "a:b:own"} {
		_, err := w.reg.DefineScoped(name, "")
		require.ErrorIs(t, err, rbac.ErrInvalidName, name)
		require.Panics(t, func() { w.reg.MustDefineScoped(name, "") })
	}
	_, err := w.reg.Define("area:read", "")
	require.ErrorIs(t, err, rbac.ErrDuplicate)
	_, err = w.reg.DefineScoped("note:delete", "")
	require.ErrorIs(t, err, rbac.ErrDuplicate)

	compile(t, w.reg)
	_, err = w.reg.Define("late:comer", "")
	require.ErrorIs(t, err, rbac.ErrClosed)
}

// Whatever is not granted is denied, whoever asks.
func TestDefaultDeny(t *testing.T) {
	t.Parallel()
	w, foreign := newWorld(), newWorld()
	p := compile(t, w.reg, rbac.Role{Name: "admin", Grants: []string{rbac.AllPermissions}})
	for name, s := range map[string]rbac.Subject{
		"zero subject": {}, "no roles": p.Subject("", "ann"), "unknown role": p.Subject("", "ann", "nobody", ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for perm := range w.reg.All() {
				require.False(t, s.Can(perm))
				require.ErrorIs(t, s.Check(perm), rbac.ErrDenied)
				require.False(t, s.Explain(perm).Allowed)
			}
			require.False(t, s.CanAny(w.areaRead, w.areaCreate))
			require.False(t, s.CanAny())
			require.False(t, s.CanAll(w.areaRead))
			require.Equal(t, !s.IsZero(), s.CanAll())
			require.False(t, s.CanOn(w.note, "ann"))
			require.Equal(t, rbac.ScopeNone, s.ScopeOf(w.note))
			require.Empty(t, names(s.Permissions()))
			require.Empty(t, s.Roles())
		})
	}
	admin := p.Subject("", "ann", "admin")
	require.False(t, admin.Can(rbac.Permission{}))
	require.False(t, admin.Can(foreign.areaRead))
	require.False(t, admin.CanOn(foreign.note, "ann"))
	require.False(t, admin.CanOn(rbac.Scoped{}, "ann"))
	require.True(t, admin.CanAll(w.areaRead, w.areaCreate))
	require.False(t, admin.CanAll(w.areaRead, foreign.areaRead))
	require.False(t, rbac.Subject{}.Can(rbac.Permission{}))

	var denied *rbac.DeniedError
	require.ErrorAs(t, admin.Check(foreign.areaRead), &denied)
	require.Equal(t, "the permission is of another registry", denied.Reason)
	require.ErrorAs(t, admin.Check(rbac.Permission{}), &denied)
	require.Equal(t, "the permission is the zero value", denied.Reason)
	require.NoError(t, admin.Check(w.areaRead))
}

func TestCompileFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		roles []rbac.Role
		want  error
		text  string
	}{
		{"unknown permission", []rbac.Role{{Name: "a", Grants: []string{"area:fly"}}}, rbac.ErrUnknownPermission, `"area:fly"`},
		{"pattern without match", []rbac.Role{{Name: "a", Grants: []string{"moon:*"}}}, rbac.ErrUnknownPermission, `"moon:*"`},
		{"pattern of a part", []rbac.Role{{Name: "a", Grants: []string{"ar*:read"}}}, rbac.ErrUnknownPermission, `"ar*:read"`},
		{"too short", []rbac.Role{{Name: "a", Grants: []string{"area"}}}, rbac.ErrUnknownPermission, `"area"`},
		{"scope left out", []rbac.Role{{Name: "a", Grants: []string{"note:delete"}}}, rbac.ErrUnknownPermission, `"note:delete"`},
		{"bad name", []rbac.Role{{Name: "A"}}, rbac.ErrInvalidName, "role A"},
		{"any tenant", []rbac.Role{{Tenant: rbac.AnyTenant, Name: "a"}}, rbac.ErrInvalidName, "role */a"},
		{"duplicate", []rbac.Role{{Name: "a"}, {Name: "a"}}, rbac.ErrDuplicate, "role a"},
		{"unknown parent", []rbac.Role{{Name: "a", Inherits: globals("b")}}, rbac.ErrUnknownRole, `"b"`},
		{"cross-tenant parent", []rbac.Role{
			{Tenant: "x", Name: "a"}, {Tenant: "y", Name: "b", Inherits: []rbac.RoleID{{Tenant: "x", Name: "a"}}},
		}, rbac.ErrCrossTenant, `role y/b: "x/a"`},
		{"global inherits tenant's", []rbac.Role{
			{Tenant: "x", Name: "a"}, {Name: "b", Inherits: []rbac.RoleID{{Tenant: "x", Name: "a"}}},
		}, rbac.ErrCrossTenant, `role b: "x/a"`},
		{"own parent", []rbac.Role{{Name: "a", Inherits: globals("a")}}, rbac.ErrCycle, "a -> a"},
		{"cycle of two", []rbac.Role{
			{Name: "a", Inherits: globals("b")}, {Name: "b", Inherits: globals("a")}, {Name: "c", Inherits: globals("a")},
		}, rbac.ErrCycle, "a -> b -> a"},
		{"too many", make([]rbac.Role, rbac.MaxRoles+1), rbac.ErrLimit, "10001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := rbac.Compile(newWorld().reg, tt.roles...)
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, tt.text)
		})
	}
	t.Run("all at once", func(t *testing.T) {
		t.Parallel()
		_, err := rbac.Compile(newWorld().reg, rbac.Role{Name: "a", Grants: []string{"x:y", "y:z"}}, rbac.Role{Name: "b", Inherits: globals("c")})
		require.ErrorIs(t, err, rbac.ErrUnknownPermission)
		require.ErrorIs(t, err, rbac.ErrUnknownRole)
		require.Equal(t, 3, strings.Count(err.Error(), "\n")+1)
	})
	t.Run("no registry", func(t *testing.T) {
		t.Parallel()
		_, err := rbac.Compile(nil)
		fault := (*rbac.ConfigError)(nil)
		require.ErrorAs(t, err, &fault)
	})
	t.Run("pattern in a check", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		for _, name := range []string{"*", "area:*", "*:read", "area:update:*"} {
			_, ok := w.reg.Lookup(name)
			require.False(t, ok)
		}
	})
}

// The path of a long cycle, and a chain as deep as there may be roles.
func TestDeepInheritance(t *testing.T) {
	t.Parallel()
	w := newWorld()
	chain := func(n int, last []rbac.RoleID) []rbac.Role {
		roles := make([]rbac.Role, n)
		for i := range roles {
			roles[i] = rbac.Role{Name: fmt.Sprintf("r%d", i), Inherits: globals(fmt.Sprintf("r%d", i+1))}
		}
		roles[n-1].Inherits = last
		return roles
	}
	_, err := rbac.Compile(w.reg, chain(50, globals("r0"))...)
	var fault *rbac.RoleError
	require.ErrorAs(t, err, &fault)
	require.ErrorIs(t, err, rbac.ErrCycle)
	require.Len(t, fault.Path, 51)
	require.Equal(t, fault.Path[0], fault.Path[50])

	roles := chain(rbac.MaxRoles, nil)
	roles[rbac.MaxRoles-1].Grants = []string{"area:read"}
	p := compile(t, w.reg, roles...)
	s := p.Subject("", "ann", "r0")
	require.True(t, s.Can(w.areaRead))
	require.Len(t, s.Explain(w.areaRead).Path, rbac.MaxRoles)
	require.True(t, p.Subject("", "ann", "r9999").Can(w.areaRead))
}

// Two ways to a parent count once.
func TestDiamondInheritance(t *testing.T) {
	t.Parallel()
	w := newWorld()
	p := compile(t, w.reg,
		rbac.Role{Name: "bottom", Inherits: globals("left", "right", "left")},
		rbac.Role{Name: "left", Grants: []string{"area:create"}, Inherits: globals("top")},
		rbac.Role{Name: "right", Grants: []string{"area:verify", "area:verify"}, Inherits: globals("top")},
		rbac.Role{Name: "top", Grants: []string{"area:read"}})
	require.Equal(t, []string{"area:create", "area:read", "area:verify"}, names(p.Effective(global("bottom"))))
	require.Equal(t, []string{"area:read"}, names(p.Effective(global("top"))))
	require.Empty(t, names(p.Effective(global("nobody"))))
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for grant, want := range map[string][]string{
		"area:*":        {"area:create", "area:read", "area:verify", "area:update:own", "area:update:any"},
		"*:read":        {"area:read"},
		"*:*:own":       {"area:update:own", "note:delete:own"},
		"*:*:any":       {"area:update:own", "area:update:any", "note:delete:own", "note:delete:any"},
		"area:update:*": {"area:update:own", "area:update:any"},
		"*:delete:own":  {"note:delete:own"},
		"*:manage":      {"role:manage"},
	} {
		t.Run(grant, func(t *testing.T) {
			t.Parallel()
			p := compile(t, newWorld().reg, rbac.Role{Name: "a", Grants: []string{grant}})
			require.Equal(t, want, names(p.Effective(global("a"))))
		})
	}
	for _, grant := range []string{rbac.AllPermissions, "*:*"} {
		w := newWorld()
		p := compile(t, w.reg, rbac.Role{Name: "a", Grants: []string{grant}})
		require.Equal(t, names(w.reg.All()), names(p.Effective(global("a"))))
	}
}

// A pattern covers a new permission after the next Compile, and Diff says so.
func TestPatternGrowsOnlyWithTheRegistry(t *testing.T) {
	t.Parallel()
	role := rbac.Role{Name: "boss", Grants: []string{"area:*"}}
	old := rbac.NewRegistry()
	old.MustDefine("area:read", "")
	p := compile(t, old, role)

	next := rbac.NewRegistry()
	next.MustDefine("area:read", "")
	archive := next.MustDefine("area:archive", "")
	require.False(t, p.Subject("", "ann", "boss").Can(archive))
	q := compile(t, next, role, rbac.Role{Name: "new"})
	require.True(t, q.Subject("", "ann", "boss").Can(archive))
	require.Equal(t, []rbac.Change{
		{Op: rbac.PermissionAdded, Role: global("boss"), Permission: "area:archive"},
		{Op: rbac.RoleAdded, Role: global("new")},
	}, p.Diff(q))
	require.Equal(t, []rbac.Change{
		{Op: rbac.PermissionRemoved, Role: global("boss"), Permission: "area:archive"},
		{Op: rbac.RoleRemoved, Role: global("new")},
	}, q.Diff(p))
	require.Empty(t, p.Diff(p))
}

// Bits around the ends of words, against a plain map.
func TestWordBoundaries(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 63, 64, 65, 127, 128, 129} {
		reg := rbac.NewRegistry()
		var all []rbac.Permission
		for i := range n {
			all = append(all, reg.MustDefine(fmt.Sprintf("p%d:do", i), ""))
		}
		roles := []rbac.Role{}
		for i := range n {
			roles = append(roles, rbac.Role{Name: fmt.Sprintf("r%d", i), Grants: []string{all[i].Name()}})
		}
		p := compile(t, reg, roles...)
		for i := range n {
			s := p.Subject("", "ann", fmt.Sprintf("r%d", i))
			for j, perm := range all {
				require.Equal(t, i == j, s.Can(perm), "n %d role %d permission %d", n, i, j)
			}
			require.Equal(t, []string{all[i].Name()}, names(s.Permissions()))
		}
	}
}

// The allocation bar of checks is in TestAllocations.
func TestLargePolicyCompilesFast(t *testing.T) {
	reg, roles := large()
	best := time.Hour
	for range 5 {
		began := time.Now()
		_, err := rbac.Compile(reg, roles...)
		require.NoError(t, err)
		best = min(best, time.Since(began))
	}
	limit := 50 * time.Millisecond
	if raceEnabled {
		limit *= 20
	}
	require.Less(t, best, limit)
}

// large is a registry of 10,000 permissions and 1,000 roles with 30 grants each.
func large() (*rbac.Registry, []rbac.Role) {
	reg := rbac.NewRegistry()
	for i := range 10_000 {
		reg.MustDefine(fmt.Sprintf("res%d:act%d", i/10, i%10), "")
	}
	roles := make([]rbac.Role, 1000)
	for i := range roles {
		roles[i].Name = fmt.Sprintf("role%d", i)
		for j := range 30 {
			n := (i*31 + j*331) % 10_000
			roles[i].Grants = append(roles[i].Grants, fmt.Sprintf("res%d:act%d", n/10, n%10))
		}
		if i%10 > 0 {
			roles[i].Inherits = globals(fmt.Sprintf("role%d", i-1))
		}
	}
	return reg, roles
}

func TestPolicyLookups(t *testing.T) {
	t.Parallel()
	w := newWorld()
	p := compile(t, w.reg, rbac.Role{Name: "staff"}, rbac.Role{Tenant: "a", Name: "staff", Grants: []string{"area:read", "area:create"}})
	require.Same(t, w.reg, p.Registry())
	require.Zero(t, p.Version())
	require.Len(t, slices.Collect(p.Roles()), 2)
	id, ok := p.Find("a", "staff")
	require.True(t, ok)
	require.Equal(t, rbac.RoleID{Tenant: "a", Name: "staff"}, id)
	id, ok = p.Find("b", "staff")
	require.True(t, ok)
	require.Equal(t, global("staff"), id)
	_, ok = p.Find("", "nobody")
	require.False(t, ok)
	r, ok := p.Role(rbac.RoleID{Tenant: "a", Name: "staff"})
	require.True(t, ok)
	require.Equal(t, []string{"area:create", "area:read"}, r.Grants)
	_, ok = p.Role(rbac.RoleID{Tenant: "b", Name: "staff"})
	require.False(t, ok)
}

func TestErrorsAreTyped(t *testing.T) {
	t.Parallel()
	for err, text := range map[error]string{
		&rbac.ConfigError{Field: "Store", Reason: "is nil"}:                                     "rbac: config Store: is nil",
		&rbac.ConfigError{Field: "MaxSubjects", Value: -1, Reason: "is negative"}:               "rbac: config MaxSubjects = -1: is negative",
		&rbac.DeniedError{Permission: "a:b", Reason: "no role grants it"}:                       "rbac: permission denied: a:b: no role grants it",
		&rbac.EscalationError{Role: global("x"), Missing: []string{"a:b", "c:d"}}:               "rbac: privilege escalation: role x: actor lacks a:b, c:d",
		&rbac.RoleError{Role: global("x"), Path: globals("x", "x"), Err: errors.ErrUnsupported}: "unsupported operation: role x: x -> x",
	} {
		require.EqualError(t, err, text)
	}
}
