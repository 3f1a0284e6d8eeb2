package rbac

import (
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"slices"
)

// MaxRoles bounds a policy. See Config.PerTenant for more tenants' roles than that.
const MaxRoles = 10_000

// Policy is a compiled set of roles. Inheritance, patterns and "any includes own" are worked out at
// compile time into one bit set per role, so a check reads one word per role of the subject,
// whatever the size of the policy. A Policy never changes; safe for concurrent use.
type Policy struct {
	reg     *Registry
	version uint64
	defs    []definition
	pairs   []pair
	words   int
	bits    []uint64 // one row of words for each role
	roles   []Role
	index   map[RoleID]int
	global  map[string]int // index of the global roles, which a shorter key finds faster
	skipped []error
}

// Compile checks the roles and builds a policy. It closes the registry. All faults are reported at
// once, joined: a bad name, a role defined twice, a granted permission the registry does not have, a
// pattern that matches nothing, an unknown parent, a parent of another tenant, a cycle with its
// path. Each is a [*RoleError], except [ErrLimit].
func Compile(reg *Registry, roles ...Role) (*Policy, error) {
	if len(roles) > MaxRoles {
		return nil, fmt.Errorf("%w: %d roles, at most %d", ErrLimit, len(roles), MaxRoles)
	}
	return compile(reg, roles, 0, false)
}

// compile is Compile for a version of a store. With lenient, unknown grants are skipped and kept in
// Policy.skipped.
func compile(reg *Registry, roles []Role, version uint64, lenient bool) (*Policy, error) {
	if reg == nil {
		return nil, &ConfigError{Field: "Registry", Reason: "is nil"}
	}
	defs, pairs := reg.close()
	p := &Policy{
		reg: reg, version: version, defs: defs, pairs: pairs, words: max((len(defs)+63)/64, 1),
		roles: make([]Role, 0, len(roles)), index: make(map[RoleID]int, len(roles)), global: map[string]int{},
	}
	var errs []error
	for i := range roles {
		r := roles[i].Canonical()
		if err := validate(&r); err != nil {
			errs = append(errs, err)
		}
		if _, ok := p.index[r.ID()]; ok {
			errs = append(errs, &RoleError{Role: r.ID(), Err: ErrDuplicate})
			continue
		}
		p.index[r.ID()] = len(p.roles)
		if r.Tenant == "" {
			p.global[r.Name] = len(p.roles)
		}
		p.roles = append(p.roles, r)
	}
	p.bits = make([]uint64, len(p.roles)*p.words)
	unknown := p.expandGrants()
	if lenient {
		p.skipped = unknown
	} else {
		errs = append(errs, unknown...)
	}
	if err := errors.Join(append(errs, p.inherit()...)...); err != nil {
		return nil, err
	}
	return p, nil
}

// validate checks a role but for its grants, which expandGrants reports.
func validate(r *Role) error {
	bare := *r
	bare.Grants = nil
	return bare.Validate()
}

func (p *Policy) row(role int) []uint64 { return p.bits[role*p.words : (role+1)*p.words] }

// expandGrants sets the bits of each role's own grants.
func (p *Policy) expandGrants() (unknown []error) {
	expanded := map[string][]uint64{} // patterns repeat in many roles
	for i := range p.roles {
		row := p.row(i)
		for _, grant := range p.roles[i].Grants {
			if !isPattern(grant) {
				if perm, ok := p.reg.Lookup(grant); ok {
					row[perm.index/64] |= 1 << (perm.index % 64)
					continue
				}
			} else if set := p.pattern(grant, expanded); set != nil {
				or(row, set)
				continue
			}
			unknown = append(unknown, &RoleError{Role: p.roles[i].ID(), Value: grant, Err: ErrUnknownPermission})
		}
		p.widen(row)
	}
	return unknown
}

// pattern returns the permissions that a pattern stands for, nil for none.
func (p *Policy) pattern(grant string, known map[string][]uint64) []uint64 {
	if set, ok := known[grant]; ok {
		return set
	}
	var set []uint64
	if validGrant(grant) {
		for i, def := range p.defs {
			if matches(grant, def.name) {
				if set == nil {
					set = make([]uint64, p.words)
				}
				set[i/64] |= 1 << (i % 64)
			}
		}
	}
	known[grant] = set
	return set
}

// widen adds own to every any.
func (p *Policy) widen(row []uint64) {
	for _, pair := range p.pairs {
		if row[pair.any/64]&(1<<(pair.any%64)) != 0 {
			row[pair.own/64] |= 1 << (pair.own % 64)
		}
	}
}

// inherit adds the parents' bits in an order in which every parent is complete before its children.
// It keeps its own queue instead of recursing, so depth costs no stack.
func (p *Policy) inherit() (errs []error) {
	parents := make([][]int, len(p.roles))
	children := make([][]int, len(p.roles))
	waiting := make([]int, len(p.roles))
	for i := range p.roles {
		for _, id := range p.roles[i].Inherits {
			parent, ok := p.index[id]
			if !ok {
				errs = append(errs, &RoleError{Role: p.roles[i].ID(), Value: id.String(), Err: ErrUnknownRole})
				continue
			}
			parents[i] = append(parents[i], parent)
			children[parent] = append(children[parent], i)
			waiting[i]++
		}
	}
	ready := make([]int, 0, len(p.roles))
	for i, n := range waiting {
		if n == 0 {
			ready = append(ready, i)
		}
	}
	for done := 0; done < len(ready); done++ {
		for _, child := range children[ready[done]] {
			or(p.row(child), p.row(ready[done]))
			if waiting[child]--; waiting[child] == 0 {
				ready = append(ready, child)
			}
		}
	}
	if len(ready) < len(p.roles) {
		errs = append(errs, p.cycle(parents, waiting))
	}
	return errs
}

// cycle walks up from a role that never became ready. Each such role has a parent of the same kind,
// so the walk must come back to a role it has seen.
func (p *Policy) cycle(parents [][]int, waiting []int) error {
	at := slices.IndexFunc(waiting, func(n int) bool { return n > 0 })
	seen := map[int]int{}
	var walk []int
	for {
		if start, ok := seen[at]; ok {
			walk = append(walk[start:], at)
			break
		}
		seen[at] = len(walk)
		walk = append(walk, at)
		next := slices.IndexFunc(parents[at], func(parent int) bool { return waiting[parent] > 0 })
		at = parents[at][next]
	}
	path := make([]RoleID, 0, len(walk))
	for _, i := range walk {
		path = append(path, p.roles[i].ID())
	}
	return &RoleError{Role: path[0], Path: path, Err: ErrCycle}
}

func or(dst, src []uint64) {
	for i, word := range src {
		dst[i] |= word
	}
}

// Version returns the store's version of the policy, 0 for one made by [Compile].
func (p *Policy) Version() uint64 { return p.version }

// Registry returns the registry the policy was compiled with.
func (p *Policy) Registry() *Registry { return p.reg }

// Roles yields the roles in the order they were given to Compile, in canonical form. Do not change
// the slices in them.
func (p *Policy) Roles() iter.Seq[Role] { return slices.Values(p.roles) }

// Role returns the role of exactly that identity. Do not change the slices in it.
func (p *Policy) Role(id RoleID) (Role, bool) {
	i, ok := p.index[id]
	if !ok {
		return Role{}, false
	}
	return p.roles[i], true
}

// Find returns the role that a name means in a tenant: the tenant's own, otherwise the global one.
func (p *Policy) Find(tenant, name string) (RoleID, bool) {
	i, ok := p.find(tenant, name)
	if !ok {
		return RoleID{}, false
	}
	return p.roles[i].ID(), true
}

func (p *Policy) find(tenant, name string) (int, bool) {
	if tenant != "" {
		if i, ok := p.index[RoleID{Tenant: tenant, Name: name}]; ok {
			return i, true
		}
	}
	i, ok := p.global[name]
	return i, ok
}

// Effective yields every permission of the role, inherited ones included, in the order of the
// registry. An unknown role has none.
func (p *Policy) Effective(id RoleID) iter.Seq[Permission] {
	i, ok := p.index[id]
	if !ok {
		return func(func(Permission) bool) {}
	}
	return p.permissions(p.row(i))
}

func (p *Policy) permissions(row []uint64) iter.Seq[Permission] {
	return func(yield func(Permission) bool) {
		for i, word := range row {
			for ; word != 0; word &= word - 1 {
				if !yield(Permission{reg: p.reg, index: uint32(i*64 + bits.TrailingZeros64(word))}) {
					return
				}
			}
		}
	}
}
