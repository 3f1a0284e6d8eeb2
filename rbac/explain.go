package rbac

import "slices"

// Decision is the reason for an answer of [Subject.Can].
type Decision struct {
	Allowed    bool
	Permission string
	// Path leads from a role of the subject over inherited ones to the role that grants. Empty when
	// denied.
	Path []RoleID
	// Grant is the entry of that role's Grants: the permission itself, its any form, or a pattern.
	Grant string
	// Reason is a sentence for people.
	Reason string
}

// Check is Can as an error: nil, or a [*DeniedError] with the reason.
func (s Subject) Check(p Permission) error {
	if s.Can(p) {
		return nil
	}
	return s.denied(p.Name(), s.whyNot(p))
}

// CheckOn is CanOn as an error: nil, or a [*DeniedError].
func (s Subject) CheckOn(p Scoped, ownerID string) error {
	if s.CanOn(p, ownerID) {
		return nil
	}
	reason := s.whyNot(p.Own)
	if s.Can(p.Own) {
		reason = "belongs to somebody else"
		if ownerID == "" {
			reason = "has no owner"
		}
	}
	return s.denied(p.Own.Name(), reason)
}

func (s Subject) denied(permission, reason string) error {
	return &DeniedError{Tenant: s.tenant, Subject: s.id, Permission: permission, Reason: reason}
}

func (s Subject) whyNot(p Permission) string {
	switch {
	case s.policy == nil:
		return "there is no subject"
	case p.reg == nil:
		return "the permission is the zero value"
	case p.reg != s.policy.reg:
		return "the permission is of another registry"
	case s.low == 0 && s.merged == nil:
		return "the subject has no role here"
	}
	return "no role of the subject grants it"
}

// Explain tells why Can answers as it does: the shortest way from a role of the subject to a grant.
// It is for administrators and tests; it searches the policy and allocates.
func (s Subject) Explain(p Permission) Decision {
	d := Decision{Permission: p.Name()}
	if !s.Can(p) {
		d.Reason = s.whyNot(p)
		return d
	}
	from := map[int]int{} // role -> the role that inherits it, or -1
	var queue []int
	for _, id := range s.Roles() {
		i := s.policy.index[id]
		from[i] = -1
		queue = append(queue, i)
	}
	for ; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if grant, ok := s.policy.grantOf(at, p); ok {
			d.Allowed, d.Grant = true, grant
			for step := at; step >= 0; step = from[step] {
				d.Path = append(d.Path, s.policy.roles[step].ID())
			}
			slices.Reverse(d.Path)
			d.Reason = "role " + s.policy.roles[at].ID().String() + " grants " + grant
			return d
		}
		for _, id := range s.policy.roles[at].Inherits {
			parent := s.policy.index[id]
			if _, seen := from[parent]; !seen {
				from[parent] = at
				queue = append(queue, parent)
			}
		}
	}
	return d // not reached: what Can allows some role grants
}

// grantOf returns the entry of the role's own Grants that gives p.
func (p *Policy) grantOf(role int, perm Permission) (string, bool) {
	names := []string{p.defs[perm.index].name}
	for _, pair := range p.pairs {
		if pair.own == perm.index {
			names = append(names, p.defs[pair.any].name)
		}
	}
	for _, name := range names {
		for _, grant := range p.roles[role].Grants {
			if grant == name || validGrant(grant) && matches(grant, name) {
				return grant, true
			}
		}
	}
	return "", false
}
