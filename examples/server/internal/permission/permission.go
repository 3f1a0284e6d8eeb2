// Package permission is the closed list of what can be permitted on this server: 43 global
// permissions, which the global role of an account grants, and 21 of a company, which the role inside
// the company of the access token grants. Which role grants what is in the database, put there by a
// migration and edited under /v1/admin/roles.
package permission

import (
	"errors"
	"iter"

	"github.com/groundwork-go/groundwork/rbac"
)

// Scope says by which of a caller's two roles a permission is checked, and what kind a role is.
type Scope string

const (
	// Global permissions are granted by users.role and hold everywhere.
	Global Scope = "global"
	// Company permissions are granted by company_members.role and hold in that company.
	Company Scope = "company"
)

// The built-in roles.
const (
	RoleUser          = "user" // what every account begins with
	RoleModerator     = "moderator"
	RoleAdmin         = "admin" // also staff of the platform; there is no second flag for that
	RoleCompanyOwner  = "company_owner"
	RoleCompanyAdmin  = "company_admin"
	RoleCompanyMember = "company_member"
)

// OfCompany returns the name in the policy of a role in company_members.role. The prefix is there
// because a company has an admin too.
func OfCompany(memberRole string) string { return "company_" + memberRole }

// IsBuiltIn reports whether the role is one that cannot be deleted.
func IsBuiltIn(role string) bool {
	return role == RoleUser || role == RoleModerator || IsFixed(role)
}

// IsFixed reports whether the role cannot be changed either: the administrator, who could lock
// everybody out by it, and the roles of companies.
func IsFixed(role string) bool { return role == RoleAdmin || ScopeOfRole(role) == Company }

// ScopeOfRole returns the kind of a role. All but the three of companies are global.
func ScopeOfRole(role string) Scope {
	switch role {
	case RoleCompanyOwner, RoleCompanyAdmin, RoleCompanyMember:
		return Company
	}
	return Global
}

// ScopeOf returns the scope of a permission of this package.
func ScopeOf(p rbac.Permission) Scope { return all.scopes[p] }

// Registry returns the list, for Checkers and Managers.
func Registry() *rbac.Registry { return all.registry }

// All yields every permission, global ones first.
func All() iter.Seq[rbac.Permission] { return all.registry.All() }

// ErrScope means that a role of one scope would grant a permission of the other.
var ErrScope = errors.New("permission: of the other scope")

// CheckGrant refuses what the role cannot grant: anything that is not the full name of a permission
// (a pattern would reach over both scopes), with [rbac.ErrUnknownPermission], and a permission of the
// other scope, with [ErrScope].
func CheckGrant(role, name string) error {
	p, known := all.registry.Lookup(name)
	switch {
	case !known:
		return rbac.ErrUnknownPermission
	case ScopeOf(p) != ScopeOfRole(role):
		return ErrScope
	}
	return nil
}
