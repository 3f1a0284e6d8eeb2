package rbac

import (
	"iter"
	"slices"
)

// Subject is somebody in a tenant, with the roles he has there, under one [Policy]. It is a small
// value: copy it, keep it for the length of a request, and every check within the request is judged
// by the same policy. Checks do not allocate and do no I/O. The zero Subject may do nothing.
type Subject struct {
	policy     *Policy
	tenant, id string
	// Up to eight roles are kept inline, four to a word, each as its index plus one; a subject with
	// more has one set of its own.
	low, high uint64
	merged    *mergedRoles
}

type mergedRoles struct {
	roles []int
	set   []uint64
}

const inlineRoles = 8

// Subject returns the subject id in a tenant with the named roles, for programs that know the roles
// from elsewhere, such as an access token. A name means the tenant's role or, when it has none of
// that name, the global one; with an empty tenant only the global one. Unknown names grant nothing.
// It does not allocate for up to eight roles.
func (p *Policy) Subject(tenant, id string, roles ...string) (s Subject) {
	// The result is filled in place: copying it right after writing it would cost a third more.
	s.policy, s.tenant, s.id = p, tenant, id
	for _, name := range roles {
		if i, ok := p.find(tenant, name); ok {
			s.add(i)
		}
	}
	return s
}

// assigned returns the subject that holds the roles of the assignments, and the first role that the
// policy does not know.
func (p *Policy) assigned(tenant, id string, list []Assignment) (s Subject, unknown RoleID) {
	s = Subject{policy: p, tenant: tenant, id: id}
	for i := range list {
		role := list[i].Role
		if at, ok := p.index[role]; ok && (role.Tenant == "" || role.Tenant == tenant) {
			s.add(at)
		} else if unknown == (RoleID{}) {
			unknown = role
		}
	}
	return s, unknown
}

// add gives the subject one more role.
func (s *Subject) add(role int) {
	entry := uint64(role + 1)
	if s.merged == nil {
		if place(&s.low, entry) || place(&s.high, entry) {
			return
		}
		s.merged = &mergedRoles{set: s.set()}
		s.merged.roles = slices.AppendSeq(make([]int, 0, 2*inlineRoles), inline(s.low, s.high))
		s.low, s.high = 0, 0
	}
	if !slices.Contains(s.merged.roles, role) {
		s.merged.roles = append(s.merged.roles, role)
		or(s.merged.set, s.policy.row(role))
	}
}

// place puts an entry into the first free quarter of a word, and reports whether it is in it now.
func place(word *uint64, entry uint64) bool {
	for shift := 0; shift < 64; shift += 16 {
		switch *word >> shift & 0xffff {
		case 0:
			*word |= entry << shift
			return true
		case entry:
			return true
		}
	}
	return false
}

// indexes yields the subject's roles.
func (s *Subject) indexes() iter.Seq[int] {
	if s.merged != nil {
		return slices.Values(s.merged.roles)
	}
	return inline(s.low, s.high)
}

func inline(low, high uint64) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, word := range [...]uint64{low, high} {
			for ; word != 0; word >>= 16 {
				if !yield(int(word&0xffff) - 1) {
					return
				}
			}
		}
	}
}

// Can reports whether the subject holds the permission. It is false for a zero Permission, one of
// another registry, and the zero Subject.
func (s Subject) Can(p Permission) bool {
	if s.policy == nil || p.reg != s.policy.reg {
		return false
	}
	word, bit := int(p.index/64), uint64(1)<<(p.index%64)
	if s.merged != nil {
		return s.merged.set[word]&bit != 0
	}
	for roles := s.low; roles != 0; roles >>= 16 {
		if s.policy.bits[(int(roles&0xffff)-1)*s.policy.words+word]&bit != 0 {
			return true
		}
	}
	for roles := s.high; roles != 0; roles >>= 16 {
		if s.policy.bits[(int(roles&0xffff)-1)*s.policy.words+word]&bit != 0 {
			return true
		}
	}
	return false
}

// CanAny reports whether the subject holds at least one of the permissions. Of none it is false.
func (s Subject) CanAny(permissions ...Permission) bool {
	return slices.ContainsFunc(permissions, s.Can)
}

// CanAll reports whether the subject holds every one of the permissions. Of none it is true for any
// subject but the zero Subject.
func (s Subject) CanAll(permissions ...Permission) bool {
	for _, p := range permissions {
		if !s.Can(p) {
			return false
		}
	}
	return s.policy != nil
}

// CanOn reports whether the subject may act on a thing that belongs to ownerID: yes with p.Any, with
// p.Own only when ownerID is the subject's own id. An empty owner belongs to nobody and never
// matches, nor does a subject without id; so pass the owner that was read from the row, and a row
// whose owner was not loaded stays closed.
func (s Subject) CanOn(p Scoped, ownerID string) bool {
	return s.Can(p.Any) || ownerID != "" && ownerID == s.id && s.Can(p.Own)
}

// Scope says which rows a subject may see or change.
type Scope uint8

// The scopes, from none to all.
const (
	ScopeNone Scope = iota // no row
	ScopeOwn               // rows that belong to the subject
	ScopeAny               // every row of the tenant
)

// String returns "none", "own" or "any".
func (s Scope) String() string {
	switch s {
	case ScopeOwn:
		return "own"
	case ScopeAny:
		return "any"
	}
	return "none"
}

// ScopeOf returns the rows that p opens to the subject, for the WHERE of a list query: all rows, the
// rows with owner_id = subject, or none. A subject without id owns nothing.
func (s Subject) ScopeOf(p Scoped) Scope {
	switch {
	case s.Can(p.Any):
		return ScopeAny
	case s.id != "" && s.Can(p.Own):
		return ScopeOwn
	}
	return ScopeNone
}

// ID returns the subject's id.
func (s Subject) ID() string { return s.id }

// Tenant returns the tenant the subject acts in, "" for none.
func (s Subject) Tenant() string { return s.tenant }

// IsZero reports whether s is the zero Subject: nobody.
func (s Subject) IsZero() bool { return s.policy == nil }

// Policy returns the policy that judges the subject, nil for the zero Subject.
func (s Subject) Policy() *Policy { return s.policy }

// Roles returns the subject's roles, sorted by tenant and name. Inherited roles are not in it.
func (s Subject) Roles() []RoleID {
	var list []RoleID
	for i := range s.indexes() {
		list = append(list, s.policy.roles[i].ID())
	}
	slices.SortFunc(list, compareRoleID)
	return list
}

// Permissions yields everything the subject holds, each permission once, in the order of the
// registry.
func (s Subject) Permissions() iter.Seq[Permission] {
	if s.policy == nil {
		return func(func(Permission) bool) {}
	}
	return s.policy.permissions(s.set())
}

// set returns the union of the subject's roles.
func (s Subject) set() []uint64 {
	set := make([]uint64, s.policy.words)
	for i := range s.indexes() {
		or(set, s.policy.row(i))
	}
	return set
}
