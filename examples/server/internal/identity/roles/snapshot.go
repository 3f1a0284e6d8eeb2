package roles

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

// A Role as administrators see it.
type Role struct {
	Name        string
	Description string
	Permissions []string // effective ones, sorted
	Users       int64    // accounts or memberships that have it
}

// Tag is the entity tag, without quotes, of the roles at a version. They have one version together.
func Tag(version uint64) string { return "p" + strconv.FormatUint(version, 10) }

// snapshot is all roles at one version.
type snapshot struct {
	stored  []rbac.Role
	policy  *rbac.Policy
	users   map[string]int64
	version uint64
}

func read(ctx context.Context, db sqldb.DB, store *Store) (snapshot, error) {
	var snap snapshot
	var err error
	if snap.stored, snap.version, err = store.LoadRoles(ctx); err != nil {
		return snapshot{}, fmt.Errorf("roles: load: %w", err)
	}
	if snap.policy, err = compile(snap.stored); err != nil {
		return snapshot{}, err
	}
	snap.users, err = countUsers(ctx, db)
	return snap, err
}

// role returns the role as it is stored.
func (s snapshot) role(name string) (rbac.Role, bool) {
	i := slices.IndexFunc(s.stored, func(r rbac.Role) bool { return r.Name == name })
	if i < 0 {
		return rbac.Role{}, false
	}
	return s.stored[i], true
}

// shown returns the role as administrators see it, or the zero Role.
func (s snapshot) shown(name string) Role {
	role, known := s.role(name)
	if !known {
		return Role{}
	}
	return Role{Name: name, Description: role.Description, Users: s.users[name], Permissions: effective(s.policy, name)}
}

// list returns all roles, global ones first.
func (s snapshot) list() []Role {
	list := make([]Role, len(s.stored))
	for i, role := range s.stored {
		list[i] = s.shown(role.Name)
	}
	scope := func(r Role) string { return string(permission.ScopeOfRole(r.Name)) }
	slices.SortFunc(list, func(a, b Role) int {
		return cmp.Or(-strings.Compare(scope(a), scope(b)), strings.Compare(a.Name, b.Name))
	})
	return list
}

// compile passes over grants that this release does not know, as the Checker does.
func compile(stored []rbac.Role) (*rbac.Policy, error) {
	known := slices.Clone(stored)
	for i := range known {
		known[i].Grants = slices.DeleteFunc(slices.Clone(known[i].Grants), func(grant string) bool {
			_, found := permission.Registry().Lookup(grant)
			return !found
		})
	}
	policy, err := rbac.Compile(permission.Registry(), known...)
	if err != nil {
		return nil, fmt.Errorf("roles: compile: %w", err)
	}
	return policy, nil
}

func effective(policy *rbac.Policy, role string) []string {
	list := []string{}
	for p := range policy.Effective(rbac.RoleID{Name: role}) {
		list = append(list, p.Name())
	}
	slices.Sort(list)
	return list
}

const countRoles = `
SELECT role, COUNT(*) FROM users WHERE deleted_at IS NULL GROUP BY role
 UNION ALL
SELECT 'company_' || role, COUNT(*) FROM company_members WHERE is_active = TRUE AND deleted_at IS NULL GROUP BY role`

func countUsers(ctx context.Context, db sqldb.DB) (map[string]int64, error) {
	rows, err := db.Query(ctx, countRoles)
	if err != nil {
		return nil, fmt.Errorf("roles: count: %w", err)
	}
	defer func() { _ = rows.Close() }()
	users := map[string]int64{}
	for rows.Next() {
		var role string
		var n int64
		if err := rows.Scan(&role, &n); err != nil {
			return nil, fmt.Errorf("roles: count: %w", err)
		}
		users[role] = n
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("roles: count: %w", err)
	}
	return users, nil
}
