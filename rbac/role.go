package rbac

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// AnyTenant, as the tenant of an [Assignment], gives a global role in every tenant and outside of
// any. It is the mark of platform staff and must be written out: an empty tenant means "no tenant"
// and never matches one.
const AnyTenant = "*"

// RoleID names a role: of one tenant, or global with an empty Tenant. Two tenants may have roles of
// the same name, which have nothing to do with each other.
type RoleID struct{ Tenant, Name string }

// String returns the name, for a tenant's role with the tenant and a slash in front.
func (id RoleID) String() string {
	if id.Tenant == "" {
		return id.Name
	}
	return id.Tenant + "/" + id.Name
}

func compareRoleID(a, b RoleID) int {
	return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Name, b.Name))
}

func (id RoleID) valid() bool {
	return word(id.Name) && (id.Tenant == "" || validTenant(id.Tenant))
}

func validTenant(tenant string) bool { return storable(tenant, maxTenant) && tenant != AnyTenant }

// Role is a set of permissions under a name, as an administrator writes it.
type Role struct {
	// Tenant owns the role; empty for a global role, which every tenant can use.
	Tenant string
	// Name is 1 to 64 bytes of a-z, 0-9, _ and -, beginning with a letter.
	Name string
	// Description is for people. At most 1,024 bytes.
	Description string
	// Grants are permissions ("area:create", "area:update:own") and patterns in which "*" stands for
	// one whole segment, at the end for all that follow ("area:*"), or [AllPermissions]. A grant of
	// resource:action:any includes resource:action:own.
	Grants []string
	// Inherits are roles whose permissions this one has too: global ones or those of the same
	// tenant.
	Inherits []RoleID
}

// ID returns the role's identity.
func (r *Role) ID() RoleID { return RoleID{Tenant: r.Tenant, Name: r.Name} }

// Validate checks what can be checked without registry and other roles: names, the form of the
// grants, and that no role of another tenant is inherited. Stores call it before they write. The
// error is a [*RoleError].
func (r *Role) Validate() error {
	fault := func(err error, value string) error { return &RoleError{Role: r.ID(), Value: value, Err: err} }
	if !r.ID().valid() {
		return fault(ErrInvalidName, "")
	}
	if len(r.Description) > maxDescription || !utf8.ValidString(r.Description) || strings.IndexByte(r.Description, 0) >= 0 {
		return fault(ErrInvalidName, "description")
	}
	for _, grant := range r.Grants {
		if !validGrant(grant) {
			return fault(ErrUnknownPermission, grant)
		}
	}
	for _, parent := range r.Inherits {
		if !parent.valid() {
			return fault(ErrUnknownRole, parent.String())
		}
		if parent.Tenant != "" && parent.Tenant != r.Tenant {
			return fault(ErrCrossTenant, parent.String())
		}
	}
	return nil
}

// Canonical returns a copy with grants and parents sorted and without duplicates: the form in which
// stores return roles.
func (r *Role) Canonical() Role {
	c := *r
	c.Grants = slices.Compact(slices.Sorted(slices.Values(r.Grants)))
	c.Inherits = slices.Compact(slices.SortedFunc(slices.Values(r.Inherits), compareRoleID))
	return c
}

// Assignment gives a subject a role in a tenant.
type Assignment struct {
	// Tenant is where the role holds: one tenant, "" for outside of any, or [AnyTenant].
	Tenant string
	// Subject is the account, 1 to 1024 bytes.
	Subject string
	// Role is a role of Tenant or a global one.
	Role RoleID

	GrantedBy string // who gave it; set by the Manager
	GrantedAt time.Time
	ExpiresAt time.Time // the first moment at which it no longer holds; zero: lasting
}

// Validate checks the names and that the role is global or of the same tenant. Stores call it before
// they write. The error wraps [ErrInvalidName] or [ErrCrossTenant].
func (a *Assignment) Validate() error {
	switch {
	case !storable(a.Subject, maxSubject):
		return fmt.Errorf("%w: subject of an assignment", ErrInvalidName)
	case a.Tenant != "" && a.Tenant != AnyTenant && !validTenant(a.Tenant):
		return fmt.Errorf("%w: tenant of an assignment", ErrInvalidName)
	case !a.Role.valid():
		return fmt.Errorf("%w: role of an assignment", ErrInvalidName)
	case a.Role.Tenant != "" && a.Role.Tenant != a.Tenant:
		return fmt.Errorf("%w: assignment of %s", ErrCrossTenant, a.Role)
	case a.GrantedBy != "" && !storable(a.GrantedBy, maxSubject):
		return fmt.Errorf("%w: giver of an assignment", ErrInvalidName)
	}
	return nil
}

// Live reports whether the assignment holds at that time.
func (a *Assignment) Live(now time.Time) bool {
	return a.ExpiresAt.IsZero() || now.Before(a.ExpiresAt)
}
