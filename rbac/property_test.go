package rbac_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/rbac"
)

// oracle answers by brute force: it expands grants with regular expressions and walks the
// inheritance for every question.
type oracle struct {
	permissions []string
	roles       map[rbac.RoleID]rbac.Role
	patterns    map[string]*regexp.Regexp
}

func oraclePattern(grant string) *regexp.Regexp {
	parts := strings.Split(grant, ":")
	for i, part := range parts {
		switch {
		case part == "*" && i == len(parts)-1:
			parts[i] = ".+"
		case part == "*":
			parts[i] = "[^:]+"
		default:
			parts[i] = regexp.QuoteMeta(part)
		}
	}
	return regexp.MustCompile(`\A` + strings.Join(parts, ":") + `\z`)
}

func (o *oracle) match(grant, name string) bool {
	if o.patterns[grant] == nil {
		o.patterns[grant] = oraclePattern(grant)
	}
	return o.patterns[grant].MatchString(name)
}

// direct reports whether one of the role's own grants gives the permission.
func (o *oracle) direct(id rbac.RoleID, name string) (grant string, ok bool) {
	for _, wanted := range []string{name, strings.TrimSuffix(name, ":own") + ":any"} {
		if !slices.Contains(o.permissions, wanted) || wanted != name && !strings.HasSuffix(name, ":own") {
			continue
		}
		for _, grant := range o.roles[id].Grants {
			if o.match(grant, wanted) {
				return grant, true
			}
		}
	}
	return "", false
}

func (o *oracle) holds(id rbac.RoleID, name string) bool {
	if _, ok := o.direct(id, name); ok {
		return true
	}
	return slices.ContainsFunc(o.roles[id].Inherits, func(parent rbac.RoleID) bool { return o.holds(parent, name) })
}

// randomPolicy makes a registry and roles; a role inherits only from roles before it.
func randomPolicy(r *rand.Rand) (*rbac.Registry, []rbac.Role, *oracle) {
	reg, o := rbac.NewRegistry(), &oracle{roles: map[rbac.RoleID]rbac.Role{}, patterns: map[string]*regexp.Regexp{}}
	for i := range 1 + r.IntN(90) {
		name := fmt.Sprintf("r%d:a%d", r.IntN(5), i)
		if r.IntN(3) == 0 {
			reg.MustDefineScoped(name, "")
			o.permissions = append(o.permissions, name+":own", name+":any")
		} else {
			reg.MustDefine(name, "")
			o.permissions = append(o.permissions, name)
		}
	}
	var roles []rbac.Role
	for i := range r.IntN(9) {
		role := rbac.Role{Name: fmt.Sprintf("n%d", i), Tenant: []string{"", "", "a", "b"}[r.IntN(4)]}
		for range r.IntN(4) {
			role.Grants = append(role.Grants, randomGrant(r, o.permissions))
		}
		for _, parent := range roles {
			if r.IntN(3) == 0 && (parent.Tenant == "" || parent.Tenant == role.Tenant) {
				role.Inherits = append(role.Inherits, parent.ID())
			}
		}
		o.roles[role.ID()] = role
		roles = append(roles, role)
	}
	r.Shuffle(len(roles), func(i, j int) { roles[i], roles[j] = roles[j], roles[i] })
	return reg, roles, o
}

// randomGrant turns a permission into a pattern that matches at least it.
func randomGrant(r *rand.Rand, permissions []string) string {
	parts := strings.Split(permissions[r.IntN(len(permissions))], ":")
	for i := range parts {
		if r.IntN(4) == 0 {
			parts[i] = "*"
		}
	}
	if n := len(parts); parts[n-1] == "*" && n > 2 && r.IntN(2) == 0 {
		parts = parts[:n-1]
		parts[n-2] = "*"
	}
	return strings.Join(parts, ":")
}

// 10,000 random policies against the oracle.
func TestAgainstOracle(t *testing.T) {
	t.Parallel()
	n := 10_000
	if testing.Short() || raceEnabled {
		n = 500
	}
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		reg, roles, o := randomPolicy(r)
		p, err := rbac.Compile(reg, roles...)
		require.NoError(t, err, "seed %d", seed)
		for _, role := range roles {
			var want []string
			for _, name := range o.permissions {
				if o.holds(role.ID(), name) {
					want = append(want, name)
				}
			}
			if got := slices.Collect(permissionNames(p, role.ID())); !slices.Equal(got, want) {
				t.Fatalf("seed %d role %s: %v, want %v", seed, role.ID(), got, want)
			}
		}
		checkExplain(t, seed, r, reg, p, roles, o)
	}
}

func permissionNames(p *rbac.Policy, id rbac.RoleID) func(func(string) bool) {
	return func(yield func(string) bool) {
		for perm := range p.Effective(id) {
			if !yield(perm.Name()) {
				return
			}
		}
	}
}

// checkExplain follows the path of an explanation for a random subject and permission.
func checkExplain(t *testing.T, seed int, r *rand.Rand, reg *rbac.Registry, p *rbac.Policy, roles []rbac.Role, o *oracle) {
	t.Helper()
	var held []string
	for range r.IntN(4) {
		held = append(held, fmt.Sprintf("n%d", r.IntN(9)))
	}
	tenant := []string{"", "a", "b"}[r.IntN(3)]
	s := p.Subject(tenant, "ann", held...)
	perm, _ := reg.Lookup(o.permissions[r.IntN(len(o.permissions))])
	var mine []rbac.RoleID
	for _, name := range held {
		if id := (rbac.RoleID{Tenant: tenant, Name: name}); tenant != "" && o.roles[id].Name != "" {
			mine = append(mine, id)
		} else if o.roles[global(name)].Name != "" {
			mine = append(mine, global(name))
		}
	}
	want := slices.ContainsFunc(mine, func(id rbac.RoleID) bool { return o.holds(id, perm.Name()) })
	d := s.Explain(perm)
	if s.Can(perm) != want || d.Allowed != want {
		t.Fatalf("seed %d: %v with %v, want %v", seed, perm, mine, want)
	}
	if !want {
		require.Empty(t, d.Path)
		require.NotEmpty(t, d.Reason)
		return
	}
	require.Contains(t, mine, d.Path[0], "seed %d", seed)
	for i, id := range d.Path[1:] {
		require.Contains(t, o.roles[d.Path[i]].Inherits, id, "seed %d", seed)
	}
	last := d.Path[len(d.Path)-1]
	_, ok := o.direct(last, perm.Name())
	require.True(t, ok, "seed %d: %+v", seed, d)
	require.Contains(t, o.roles[last].Grants, d.Grant, "seed %d", seed)
}

// FuzzGrant feeds grants as an administrator may type them: Compile never panics, and what it
// accepts means what the oracle says.
func FuzzGrant(f *testing.F) {
	for _, grant := range []string{"*", "area:*", "*:read", "*:*:own", "area:update:own", "a", "", ":", "area:**", "*:", "\x00"} {
		f.Add(grant)
	}
	f.Fuzz(func(t *testing.T, grant string) {
		w := newWorld()
		role := rbac.Role{Name: "a", Grants: []string{grant}}
		p, err := rbac.Compile(w.reg, role)
		if err != nil {
			require.ErrorIs(t, err, rbac.ErrUnknownPermission)
			return
		}
		require.NoError(t, role.Validate())
		pattern := oraclePattern(grant)
		for perm := range w.reg.All() {
			name := perm.Name()
			own := strings.TrimSuffix(name, ":own")
			want := pattern.MatchString(name) || own != name && pattern.MatchString(own+":any")
			require.Equal(t, want, p.Subject("", "ann", "a").Can(perm), name)
		}
	})
}
