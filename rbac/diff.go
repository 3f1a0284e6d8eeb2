package rbac

import (
	"cmp"
	"slices"
	"strings"
)

// ChangeOp is a kind of [Change].
type ChangeOp string

// The kinds of changes.
const (
	RoleAdded         ChangeOp = "role added"
	RoleRemoved       ChangeOp = "role removed"
	PermissionAdded   ChangeOp = "permission added"
	PermissionRemoved ChangeOp = "permission removed"
)

// Change is one difference between two policies.
type Change struct {
	Op         ChangeOp
	Role       RoleID
	Permission string // of PermissionAdded and PermissionRemoved
}

// Diff returns what changes for the holders of each role from p to next: effective permissions,
// whether they come by grant, by inheritance or because a pattern matches something new. The
// policies may have different registries, so the Diff of two releases shows what "area:*" has come
// to mean. Sorted by role, then permission. The permissions of a role that is added or removed are
// listed too.
func (p *Policy) Diff(next *Policy) []Change {
	var changes []Change
	ids := map[RoleID]bool{}
	for _, policy := range [...]*Policy{p, next} {
		for i := range policy.roles {
			ids[policy.roles[i].ID()] = true
		}
	}
	for id := range ids {
		_, before := p.index[id]
		_, after := next.index[id]
		switch {
		case !before:
			changes = append(changes, Change{Op: RoleAdded, Role: id})
		case !after:
			changes = append(changes, Change{Op: RoleRemoved, Role: id})
		}
		old, now := p.names(id), next.names(id)
		for name := range now {
			if !old[name] {
				changes = append(changes, Change{Op: PermissionAdded, Role: id, Permission: name})
			}
		}
		for name := range old {
			if !now[name] {
				changes = append(changes, Change{Op: PermissionRemoved, Role: id, Permission: name})
			}
		}
	}
	slices.SortFunc(changes, func(a, b Change) int {
		return cmp.Or(compareRoleID(a.Role, b.Role), strings.Compare(a.Permission, b.Permission))
	})
	return changes
}

// names returns the effective permissions of a role by name.
func (p *Policy) names(id RoleID) map[string]bool {
	names := map[string]bool{}
	for perm := range p.Effective(id) {
		names[p.defs[perm.index].name] = true
	}
	return names
}
