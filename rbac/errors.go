package rbac

import (
	"errors"
	"fmt"
	"strings"
)

// Answers to a caller who wants to do something.
var (
	// ErrDenied means that the subject lacks a permission. See [DeniedError].
	ErrDenied = errors.New("rbac: permission denied")
	// ErrNoSubject means that a request carries no subject: nobody has signed in, or Resolve did
	// not run.
	ErrNoSubject = errors.New("rbac: no subject")
	// ErrStale means that the roles could not be checked against the store for longer than
	// Config.MaxStaleness. It wraps the store's last error.
	ErrStale = errors.New("rbac: policy is stale")
	// ErrUnavailable means that the store did not answer and nothing recent enough is known.
	ErrUnavailable = errors.New("rbac: temporarily unavailable")
)

// Faults in definitions. Where a role is to blame the error is a [RoleError] that wraps one of
// them.
var (
	// ErrInvalidName means that a name of a permission, role, tenant or subject breaks its grammar.
	ErrInvalidName = errors.New("rbac: invalid name")
	// ErrDuplicate means that a permission or a role is defined twice.
	ErrDuplicate = errors.New("rbac: defined twice")
	// ErrClosed means that a registry was used by Compile already and takes no more definitions.
	ErrClosed = errors.New("rbac: registry is closed")
	// ErrUnknownPermission means that a role grants a permission that the registry does not have,
	// or a pattern that matches none.
	ErrUnknownPermission = errors.New("rbac: unknown permission")
	// ErrUnknownRole means that a role does not exist.
	ErrUnknownRole = errors.New("rbac: unknown role")
	// ErrCycle means that a role inherits itself, directly or by way of others. The path is in
	// [RoleError].
	ErrCycle = errors.New("rbac: inheritance cycle")
	// ErrCrossTenant means that a role inherits, or an assignment names, a role of another tenant.
	ErrCrossTenant = errors.New("rbac: role of another tenant")
	// ErrLimit means that there are more roles than [MaxRoles] or permissions than
	// [MaxPermissions].
	ErrLimit = errors.New("rbac: too many definitions")
)

// Refusals of changes.
var (
	// ErrConflict means that the policy is no longer at the version the change was judged by.
	ErrConflict = errors.New("rbac: policy version conflict")
	// ErrEscalation means that the actor would give, or touch, more than he holds. See
	// [EscalationError].
	ErrEscalation = errors.New("rbac: privilege escalation")
	// ErrLastManager means that a tenant would be left without a lasting holder of the management
	// permission.
	ErrLastManager = errors.New("rbac: last manager")
	// ErrRoleInUse means that a role cannot be deleted because others inherit it or hold it.
	ErrRoleInUse = errors.New("rbac: role in use")
	// ErrVersionBackwards means that the store's policy version is older than one seen before, as
	// after restoring a backup. The policy in use stays; restart the process to accept the old one.
	ErrVersionBackwards = errors.New("rbac: policy version went backwards")
)

// DeniedError says what was denied to whom. It wraps [ErrDenied]. Show it to operators, not to
// clients: the default HTTP answers leave the permission's name out.
type DeniedError struct {
	Tenant, Subject string
	Permission      string // "" for a zero Permission
	Reason          string
}

// Error implements error.
func (e *DeniedError) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrDenied, e.Permission, e.Reason)
}

// Unwrap returns [ErrDenied].
func (e *DeniedError) Unwrap() error { return ErrDenied }

// RoleError is a fault in one role. Err is one of the sentinels.
type RoleError struct {
	Role  RoleID
	Value string   // the faulty permission, pattern or role, when there is one
	Path  []RoleID // of ErrCycle: from a role back to itself
	Err   error
}

// Error implements error. A cycle is written out: "a -> b -> a".
func (e *RoleError) Error() string {
	text := fmt.Sprintf("%v: role %s", e.Err, e.Role)
	if e.Value != "" {
		text += fmt.Sprintf(": %q", e.Value)
	}
	if len(e.Path) > 0 {
		steps := make([]string, 0, len(e.Path))
		for _, id := range e.Path {
			steps = append(steps, id.String())
		}
		text += ": " + strings.Join(steps, " -> ")
	}
	return text
}

// Unwrap returns Err.
func (e *RoleError) Unwrap() error { return e.Err }

// EscalationError says which permissions the actor of a change lacks. It wraps [ErrEscalation].
type EscalationError struct {
	Role    RoleID
	Missing []string // sorted
}

// Error implements error.
func (e *EscalationError) Error() string {
	return fmt.Sprintf("%v: role %s: actor lacks %s", ErrEscalation, e.Role, strings.Join(e.Missing, ", "))
}

// Unwrap returns [ErrEscalation].
func (e *EscalationError) Unwrap() error { return ErrEscalation }

// ConfigError is one fault in a configuration. Constructors report all faults at once, joined
// with [errors.Join].
type ConfigError struct {
	Field  string // name of the field
	Value  any    // what was given
	Reason string // what is wrong with it
}

// Error implements error.
func (e *ConfigError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("rbac: config %s: %s", e.Field, e.Reason)
	}
	return fmt.Sprintf("rbac: config %s = %v: %s", e.Field, e.Value, e.Reason)
}
