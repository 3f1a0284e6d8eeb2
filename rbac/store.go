package rbac

import (
	"context"
	"time"
)

// Reader is what a [Checker] needs: the roles, their version, and who holds them. A program that
// keeps roles in its own tables implements it, usually with the first two methods of a [Store].
// Implementations must be safe for concurrent use and honour ctx.
type Reader interface {
	// Version returns the version of the policy: at least 1, larger after every change of a role.
	Version(ctx context.Context) (uint64, error)

	// LoadRoles returns roles together with the version they belong to, read as one consistent
	// snapshot, sorted by tenant and name and in the form of [Role.Canonical]. Without tenants it
	// returns all roles, otherwise those of the named tenants; "" names the global ones.
	LoadRoles(ctx context.Context, tenants ...string) ([]Role, uint64, error)

	// RolesOf returns the subject's assignments in the tenant and in AnyTenant that are live at now,
	// sorted by tenant and role. A subject without any, and one no store would accept, gives an
	// empty list.
	RolesOf(ctx context.Context, tenant, subject string, now time.Time) ([]Assignment, error)
}

// Store keeps roles and assignments. It checks forms ([Role.Validate], [Assignment.Validate]) and
// references, and it applies guards; what a change means is the [Manager]'s business. Every change
// is one atomic step. Times are kept to the microsecond.
type Store interface {
	Reader

	// PutRole creates the role or replaces it, and returns the new version. A parent that does not
	// exist is ErrUnknownRole.
	PutRole(ctx context.Context, r Role, g Guard) (uint64, error)

	// DeleteRole removes the role, with its assignments that have expired at now, and returns the
	// new version. A role that others inherit or hold is ErrRoleInUse. Deleting a role that does
	// not exist is no error and returns the present version.
	DeleteRole(ctx context.Context, id RoleID, now time.Time, g Guard) (uint64, error)

	// Assign creates the assignment; one of the same tenant, subject and role is replaced. A role
	// that does not exist is ErrUnknownRole. The version does not change.
	Assign(ctx context.Context, a Assignment, g Guard) error

	// Unassign removes the assignment of the same tenant, subject and role; other fields do not
	// matter. Removing one that does not exist is no error. The version does not change.
	Unassign(ctx context.Context, a Assignment, g Guard) error

	// Assignments returns who holds the role in that tenant (or in AnyTenant, when that is named) at
	// now, sorted by subject.
	Assignments(ctx context.Context, tenant string, role RoleID, now time.Time) ([]Assignment, error)

	// DeleteExpired removes at most limit assignments that have expired at or before the given time
	// and returns how many.
	DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error)
}

// Guard is a condition of a change, checked in the same atomic step as the change is made. The zero
// Guard asks for nothing.
type Guard struct {
	// Version is the policy version by which the change was judged; at any other the change is
	// refused with ErrConflict. 0 means whatever it is.
	Version uint64

	// Before and After are the roles that hold the management permission before and after the
	// change. A tenant (or AnyTenant) that has a lasting assignment, one without expiry, to a role
	// in Before must have one to a role in After when the change is done; otherwise the change is
	// refused with ErrLastManager. Nil means that nobody needs to be left.
	Before, After []RoleID
}
