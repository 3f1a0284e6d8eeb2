package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/mikespook/gorbac"

	"github.com/groundwork-go/groundwork/rbac"
)

// questions is how many different checks take turns, so that no contestant answers from a register.
const questions = 64

// rights is who may do what, in the form each contestant takes it. Role i grants the actions of
// resource i. Question k is put by a user who holds three roles: hits[k] is granted by the last of
// them, misses[k] by none.
type rights struct {
	roles        []rbac.Role
	users        []string
	held         [][]string
	hits, misses []string

	registry *rbac.Registry
	policy   *rbac.Policy
	subjects []rbac.Subject
}

// newRights makes roles with grants each, and permissions that no role grants.
func newRights(roles, grants, others int) *rights {
	r := &rights{registry: rbac.NewRegistry()}
	permission := func(resource, action int) string { return fmt.Sprintf("res%d:act%d", resource, action) }
	for i := range roles {
		role := rbac.Role{Name: fmt.Sprintf("role%d", i)}
		for j := range grants {
			role.Grants = append(role.Grants, permission(i, j))
			r.registry.MustDefine(permission(i, j), "")
		}
		r.roles = append(r.roles, role)
	}
	for j := range others {
		r.registry.MustDefine(permission(roles, j), "")
	}
	r.policy = must(rbac.Compile(r.registry, r.roles...))
	for k := range questions {
		var held []string
		for i := range 3 {
			held = append(held, r.roles[(k*7+i*max(1, roles/3))%roles].Name)
		}
		last := (k*7 + 2*max(1, roles/3)) % roles
		r.users, r.held = append(r.users, fmt.Sprintf("user%d", k)), append(r.held, held)
		r.hits = append(r.hits, permission(last, k%grants))
		if others > 0 {
			r.misses = append(r.misses, permission(roles, k%others))
		} else {
			r.misses = append(r.misses, permission((last+1)%roles, k%grants))
		}
		r.subjects = append(r.subjects, r.policy.Subject("", r.users[k], held...))
	}
	return r
}

func rbacGroups() []group {
	const about = "A user with three roles asks for what the last of them grants (hit) or none of them (miss); 64 such questions take turns. " +
		"Floor: a nested map[role]map[permission]bool. Rivals: gorbac v2.1.0; casbin v2.135.0 with the role model of its documentation, and with the " +
		"cheapest order in the matcher, object and action before the role; cedar-go v1.9.0 with one policy a role. casbin's cached enforcer goes on to " +
		"allow after the rule or the user's role was removed: the run checks that first."
	of := func(size string, names, casbin float64, rights func() *rights) []group {
		open := func(want bool) func(func(func())) ([]contestant, error) {
			return func(func(func())) ([]contestant, error) { return checks(rights(), want, names, casbin), nil }
		}
		return []group{
			{name: "rbac: check, " + size + ", hit", about: about, tried: triedNames, open: open(true), rounds: checkRounds},
			{name: "rbac: check, " + size + ", miss", about: about, tried: triedNames, open: open(false), rounds: checkRounds},
		}
	}
	small := func() *rights { return newRights(3, 5, 10) }
	large := func() *rights { return newRights(1000, 10, 0) }
	return slices.Concat(
		of("3 roles, 25 permissions", 1.3, 0, small),
		of("1,000 roles, 10,000 permissions", 0.8, 1000, large),
		[]group{
			{
				name:  "rbac: middleware, 3 roles, 25 permissions",
				about: "One permission before a handler, the subject is in the context. Floor: the same written by hand, with role names in the context and a nested map.",
				open:  func(func(func())) ([]contestant, error) { return middlewares(small()), nil },
			},
			{
				name:  "rbac: compile 1,000 roles with 10,000 permissions",
				about: "From a list of roles to what answers. Floor: the nested map, filled. cedar-go parses its language, the others take values.",
				open:  func(func(func())) ([]contestant, error) { return compilers(large()), nil },
				turn:  ioTurn, rounds: 21,
			},
		},
	)
}

const triedNames = "By names a check looks up each role and then the permission in large maps, once each, where the floor looks up each role in a " +
	"large map and the permission in small ones. Filling the subject in place has made it a quarter faster; what is left is the maps' hashing. " +
	"Keep the handle of the permission and the subject of the request, and no name is looked up."

// checkRounds are fewer than usual, because one answer of casbin outlasts a turn.
const checkRounds = 101

// checks returns the contestants for one kind of question. Names is the bar of the checks by name,
// casbin how many times as long as ours casbin must take.
func checks(r *rights, want bool, names, casbin float64) []contestant {
	asked := r.hits
	if !want {
		asked = r.misses
	}
	handles := make([]rbac.Permission, questions)
	wanted := make([]gorbac.Permission, questions)
	for k, name := range asked {
		handles[k], _ = r.registry.Lookup(name)
		wanted[k] = gorbac.NewStdPermission(name)
	}
	nested, standard := nestedMap(r.roles), gorbacOf(r)
	documented, cheapest, cached := casbinOf(r, roleFirst), casbinOf(r, roleLast), cachedCasbinOf(r)
	policies, entities := cedarOf(r.roles), cedarUsers(r)
	requests := cedarRequests(r, asked)

	// The quick ones are loops without a call in between, which would cost as much as they do.
	return []contestant{
		{name: "nested map", per: questions, run: func() {
			yes := 0
			for k, name := range asked {
				for _, role := range r.held[k] {
					if nested[role][name] {
						yes++
						break
					}
				}
			}
			expect(yes, want)
		}},
		{name: "rbac.Subject.Can, resolved", per: questions, bar: 0.2, run: func() {
			yes := 0
			for k := range handles {
				if r.subjects[k].Can(handles[k]) {
					yes++
				}
			}
			expect(yes, want)
		}},
		{name: "rbac.Policy.Subject, by role names", per: questions, bar: names, run: func() {
			yes := 0
			for k := range handles {
				if r.policy.Subject("", r.users[k], r.held[k]...).Can(handles[k]) {
					yes++
				}
			}
			expect(yes, want)
		}},
		{name: "and Registry.Lookup, by permission name", per: questions, bar: names, run: func() {
			yes := 0
			for k, name := range asked {
				handle, _ := r.registry.Lookup(name)
				if r.policy.Subject("", r.users[k], r.held[k]...).Can(handle) {
					yes++
				}
			}
			expect(yes, want)
		}},
		{name: "gorbac", slower: 10, run: inTurn(want, func(k int) bool {
			return gorbac.AnyGranted(standard, r.held[k], wanted[k], nil)
		})},
		{name: "casbin", slower: casbin, run: inTurn(want, func(k int) bool {
			return must(documented.Enforce(r.users[k], asked[k], "use"))
		})},
		{name: "casbin, cheapest order", slower: casbin, run: inTurn(want, func(k int) bool {
			return must(cheapest.Enforce(r.users[k], asked[k], "use"))
		})},
		{name: "casbin, cached", run: inTurn(want, func(k int) bool {
			return must(cached.Enforce(r.users[k], asked[k], "use"))
		})},
		{name: "cedar-go", run: inTurn(want, func(k int) bool {
			return allows(policies, entities, requests[k])
		})},
	}
}

// expect stops the race when a contestant gave wrong answers. It also keeps them from being
// optimized away.
func expect(yes int, want bool) {
	if want && yes != questions || !want && yes != 0 {
		panic(fmt.Sprintf("%d of %d allowed", yes, questions))
	}
}

// inTurn returns a call that puts one question after the other. All were answered once before.
func inTurn(want bool, ask func(k int) bool) func() {
	k := 0
	run := func() {
		if ask(k) != want {
			panic(fmt.Sprintf("question %d is answered %t", k, !want))
		}
		if k++; k == questions {
			k = 0
		}
	}
	for range questions {
		run()
	}
	return run
}

type rolesKey struct{}

func middlewares(r *rights) []contestant {
	served := 0
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ })
	nested, enforcer := nestedMap(r.roles), casbinOf(r, roleFirst)
	byHand := func(next http.Handler) http.Handler {
		permission := r.hits[0]
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			roles, _ := r.Context().Value(rolesKey{}).([]string)
			for _, role := range roles {
				if nested[role][permission] {
					next.ServeHTTP(w, r)
					return
				}
			}
			http.Error(w, "forbidden", http.StatusForbidden)
		})
	}
	withCasbin := func(next http.Handler) http.Handler {
		permission := r.hits[0]
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			user, _ := r.Context().Value(rolesKey{}).(string)
			if !must(enforcer.Enforce(user, permission, "use")) {
				http.Error(w, "forbidden", http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	permission, _ := r.registry.Lookup(r.hits[0])
	ctx, w := context.Background(), discard{http.Header{}}
	serve := func(h http.Handler, ctx context.Context, times int) func() {
		request := must(http.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
		return func() {
			before := served
			for range times {
				h.ServeHTTP(w, request)
			}
			if served != before+times {
				panic("a request was refused")
			}
		}
	}
	return []contestant{
		{name: "by hand", per: questions, run: serve(byHand(handler), context.WithValue(ctx, rolesKey{}, r.held[0]), questions)},
		{
			name: "rbac.Require", per: questions, bar: 0.75,
			run: serve(rbac.Require(permission)(handler), rbac.WithSubject(ctx, r.subjects[0]), questions),
		},
		{name: "casbin", run: serve(withCasbin(handler), context.WithValue(ctx, rolesKey{}, r.users[0]), 1)},
	}
}

func compilers(r *rights) []contestant {
	return []contestant{
		{name: "nested map", run: func() { nestedMap(r.roles) }},
		{name: "rbac.Compile", within: 50 * time.Millisecond, run: func() { must(rbac.Compile(r.registry, r.roles...)) }},
		{name: "gorbac", run: func() { gorbacOf(r) }},
		{name: "casbin", run: func() { casbinOf(r, roleFirst) }},
		{name: "cedar-go", run: func() { cedarOf(r.roles) }},
	}
}
