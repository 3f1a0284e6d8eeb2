package rbac_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/rbac"
)

// scene is a subject with three roles, the last of which grants hit and none of which grants miss.
type scene struct {
	policy    *rbac.Policy
	subject   rbac.Subject
	roles     []string
	hit, miss rbac.Permission
	naive     map[string]map[string]bool
}

func scenes(tb testing.TB) map[string]scene {
	tb.Helper()
	small := rbac.NewRegistry()
	for i := range 25 {
		small.MustDefine(fmt.Sprintf("res%d:act%d", i/5, i%5), "")
	}
	smallRoles := []rbac.Role{
		{Name: "role0", Grants: []string{"res0:*"}},
		{Name: "role1", Grants: []string{"res1:*"}},
		{Name: "role2", Grants: []string{"res2:*"}},
	}
	big, bigRoles := large()
	list := map[string]scene{}
	for name, in := range map[string]struct {
		reg   *rbac.Registry
		roles []rbac.Role
		held  []string
	}{
		"25":    {small, smallRoles, []string{"role0", "role1", "role2"}},
		"10000": {big, bigRoles, []string{"role0", "role500", "role909"}},
	} {
		s := scene{policy: compile(tb, in.reg, in.roles...), roles: in.held, naive: map[string]map[string]bool{}}
		s.subject = s.policy.Subject("", "ann", in.held...)
		for _, role := range in.roles {
			s.naive[role.Name] = map[string]bool{}
			for p := range s.policy.Effective(role.ID()) {
				s.naive[role.Name][p.Name()] = true
			}
		}
		for p := range in.reg.All() {
			if s.miss.IsZero() && !s.subject.Can(p) {
				s.miss = p
			}
			if s.policy.Subject("", "ann", in.held[2]).Can(p) && !s.policy.Subject("", "ann", in.held[:2]...).Can(p) {
				s.hit = p
			}
		}
		require.False(tb, s.hit.IsZero() || s.miss.IsZero())
		list[name] = s
	}
	return list
}

func BenchmarkCan(b *testing.B) {
	for size, s := range scenes(b) {
		for name, p := range map[string]rbac.Permission{"Hit": s.hit, "Miss": s.miss} {
			b.Run(size+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					if s.subject.Can(p) {
						n++
					}
				}
			})
		}
	}
}

// BenchmarkNestedMap is the floor that BenchmarkCan is measured against.
func BenchmarkNestedMap(b *testing.B) {
	for size, s := range scenes(b) {
		for name, p := range map[string]string{"Hit": s.hit.Name(), "Miss": s.miss.Name()} {
			b.Run(size+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					for _, role := range s.roles {
						if s.naive[role][p] {
							n++
							break
						}
					}
				}
			})
		}
	}
}

func BenchmarkCanByNames(b *testing.B) {
	for size, s := range scenes(b) {
		b.Run(size, func(b *testing.B) {
			reg, name := s.policy.Registry(), s.hit.Name()
			b.ReportAllocs()
			for b.Loop() {
				p, _ := reg.Lookup(name)
				if !s.policy.Subject("", "ann", s.roles...).Can(p) {
					b.Fatal("denied")
				}
			}
		})
	}
}

func BenchmarkSubject(b *testing.B) {
	for size, s := range scenes(b) {
		b.Run(size, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.policy.Subject("", "ann", s.roles...)
			}
		})
	}
}

func BenchmarkChecker(b *testing.B) {
	w := newWorld()
	store := rbac.NewMemoryStore()
	seed(b, store, rbac.Role{Name: "user", Grants: []string{"area:read"}})
	give(b, store, "", "ann", "user")
	c, err := rbac.New(rbac.Config{Registry: w.reg, Store: store})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Subject(context.Background(), "", "ann"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRequire(b *testing.B) {
	s := scenes(b)["25"]
	h := rbac.Require(s.hit)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(rbac.WithSubject(r.Context(), s.subject))
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(nil, r)
	}
}

func BenchmarkCompile(b *testing.B) {
	reg, roles := large()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rbac.Compile(reg, roles...); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAllocations holds the bars of the fast paths.
func TestAllocations(t *testing.T) {
	w := newWorld()
	store := rbac.NewMemoryStore()
	seed(t, store, rbac.Role{Name: "user", Grants: []string{"area:read", "note:delete:own"}})
	give(t, store, "", "ann", "user")
	c, err := rbac.New(rbac.Config{Registry: w.reg, Store: store})
	require.NoError(t, err)
	ann, err := c.Subject(t.Context(), "", "ann")
	require.NoError(t, err)
	big := scenes(t)["10000"]
	h := rbac.Require(w.areaRead)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(rbac.WithSubject(r.Context(), ann))
	ctx := t.Context()
	for name, run := range map[string]func(){
		"Can":     func() { ann.Can(w.areaRead) },
		"Can big": func() { big.subject.Can(big.hit); big.subject.Can(big.miss) },
		"CanOn":   func() { ann.CanOn(w.note, "ann") },
		"ScopeOf": func() { ann.ScopeOf(w.note) },
		"CanAll":  func() { ann.CanAll(w.areaRead, w.areaCreate) },
		"CanAny":  func() { ann.CanAny(w.areaCreate, w.areaRead) },
		"Subject": func() {
			big.policy.Subject("a", "ann", "role1", "role2", "role3", "role4", "role5", "role6", "role7", "role8")
		},
		"by names":  func() { p, _ := w.reg.Lookup("area:read"); ann.Can(p) },
		"Checker":   func() { _, _ = c.Subject(ctx, "", "ann") },
		"FromCtx":   func() { rbac.SubjectFrom(r.Context()) },
		"Require":   func() { h.ServeHTTP(nil, r) },
		"Check yes": func() { _ = ann.Check(w.areaRead) },
	} {
		require.Zero(t, testing.AllocsPerRun(100, run), name)
	}
}
