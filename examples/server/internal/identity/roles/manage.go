package roles

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Patch changes a role. Members that were not sent stay as they are.
type Patch struct {
	Description rest.Optional[string]
	Permissions rest.Optional[[]string]
}

// Roles returns a page of the roles, global ones first, and the version they are at.
func (s *Service) Roles(ctx context.Context, parameters url.Values) (pagination.Page[Role], uint64, error) {
	query, err := s.list.Parse(parameters)
	if err != nil {
		return pagination.Page[Role]{}, 0, err
	}
	all, err := read(ctx, s.db, NewStore(s.db))
	if err != nil {
		return pagination.Page[Role]{}, 0, err
	}
	page, err := pagination.Slice(all.list(), query)
	return page, all.version, err
}

// Create makes a global role. Errors: ErrNameTaken, ErrEscalation.
func (s *Service) Create(ctx context.Context, name, description string, permissions []string) (Role, uint64, error) {
	if faults := grantFaults(name, permissions); len(faults) > 0 {
		return Role{}, 0, fault.Invalid(faults...)
	}
	return s.change(ctx, name, func(c changing) error {
		if _, taken := c.role(name); taken {
			return ErrNameTaken
		}
		return c.put(ctx, rbac.Role{Name: name, Description: sqldb.CleanText(description), Grants: permissions})
	})
}

// Update changes a role. What it includes because it inherits another one cannot be left out of its
// permissions. Errors: ErrUnknownRole, ErrNoIfMatch, ErrStaleVersion, ErrBuiltIn, ErrEscalation.
func (s *Service) Update(ctx context.Context, name string, match rest.Match, patch Patch) (Role, uint64, error) {
	if faults := patch.faults(name); len(faults) > 0 {
		return Role{}, 0, fault.Invalid(faults...)
	}
	return s.change(ctx, name, func(c changing) error {
		old, err := c.matched(name, match)
		if err != nil {
			return err
		}
		if permission.IsFixed(name) {
			return ErrBuiltIn
		}
		wanted := old
		if patch.Description.Sent {
			wanted.Description = sqldb.CleanText(patch.Description.Value)
		}
		if patch.Permissions.Sent {
			if wanted.Grants, err = c.withoutInherited(old, patch.Permissions.Value); err != nil {
				return err
			}
		}
		wanted = wanted.Canonical()
		if wanted.Description == old.Description && slices.Equal(wanted.Grants, old.Grants) {
			return nil
		}
		return c.put(ctx, wanted)
	})
}

// Delete removes a role that nobody has. Errors as of Update, and ErrInUse.
func (s *Service) Delete(ctx context.Context, name string, match rest.Match) error {
	_, _, err := s.change(ctx, name, func(c changing) error {
		if _, err := c.matched(name, match); err != nil {
			return err
		}
		if permission.IsBuiltIn(name) {
			return ErrBuiltIn
		}
		_, err := c.manager.DeleteRole(ctx, c.actor, rbac.RoleID{Name: name}, 0)
		return err
	})
	return err
}

// changing is a transaction in which nobody else changes roles: they are as in the snapshot.
type changing struct {
	snapshot
	actor   rbac.Subject
	manager *rbac.Manager
}

// change runs do in a transaction that has the roles to itself, on behalf of whoever is signed in, and
// leaves an entry in the audit trail. It returns the role afterwards, with the version of all roles.
func (s *Service) change(ctx context.Context, name string, do func(changing) error) (role Role, version uint64, err error) {
	subject, _ := rbac.SubjectFrom(ctx)
	err = s.db.InTx(ctx, func(tx sqldb.DB) error {
		if err := Lock(ctx, tx); err != nil {
			return err
		}
		actor, store, err := actorIn(ctx, tx, subject.ID())
		if err != nil {
			return err
		}
		manager, err := rbac.NewManager(rbac.ManagerConfig{
			Registry: permission.Registry(), Store: store, Now: s.now, SkipUnknownGrants: true,
			Assign: permission.UserAssignRole, Edit: permission.RoleManage,
		})
		if err != nil {
			return fmt.Errorf("roles: %w", err)
		}
		before, err := read(ctx, tx, store)
		if err != nil {
			return err
		}
		if err := do(changing{before, actor, manager}); err != nil {
			return err
		}
		after, err := read(ctx, tx, store)
		if err != nil {
			return err
		}
		role, version = after.shown(name), after.version
		return s.record(ctx, tx, name, before, after)
	})
	if err != nil {
		return Role{}, 0, Fault(err)
	}
	// The change is made. Should this look at it fail, Run takes another one and says so.
	_ = s.checker.Reload(ctx)
	return role, version, nil
}

// matched returns the role as it is stored, if the request has seen the roles as they are.
func (c changing) matched(name string, match rest.Match) (rbac.Role, error) {
	role, known := c.role(name)
	switch {
	case !known:
		return rbac.Role{}, ErrUnknownRole
	case !match.Sent():
		return rbac.Role{}, ErrNoIfMatch
	case !match.Accepts(Tag(c.version)):
		return rbac.Role{}, ErrStaleVersion
	}
	return role, nil
}

func (c changing) put(ctx context.Context, wanted rbac.Role) error {
	_, err := c.manager.PutRole(ctx, c.actor, wanted, 0)
	return err
}

// withoutInherited returns what the role must grant by itself to have the permissions, or a fault when
// they lack something that it inherits.
func (c changing) withoutInherited(role rbac.Role, permissions []string) ([]string, error) {
	const name = "wanted"
	policy, err := compile([]rbac.Role{{Name: name, Grants: permissions}})
	if err != nil {
		return nil, err
	}
	wanted := effective(policy, name)
	own := slices.Clone(permissions)
	for _, parent := range role.Inherits {
		for _, inherited := range effective(c.policy, parent.Name) {
			if !slices.Contains(wanted, inherited) {
				return nil, fault.Invalid(fault.Body("#/permissions", fault.FieldNotAllowed,
					"This role includes another one, and with it "+inherited+"."))
			}
			own = slices.DeleteFunc(own, func(name string) bool { return name == inherited })
		}
	}
	return own, nil
}

// roleRecord is what the audit trail shows of a role.
type roleRecord struct {
	Description string   `json:"description"`
	Permissions []string `json:"permissions"`
}

func (s *Service) record(ctx context.Context, tx sqldb.DB, name string, before, after snapshot) error {
	record := func(snap snapshot) any {
		if _, known := snap.role(name); !known {
			return nil
		}
		role := snap.shown(name)
		return roleRecord{role.Description, role.Permissions}
	}
	old, next := record(before), record(after)
	action := trail.Update
	switch {
	case old == nil:
		action = trail.Create
	case next == nil:
		action = trail.Delete
	}
	err := s.audit.ChangeTo(ctx, sqlaudit.On(tx), audit.Event{
		Action: action, Entity: audit.Entity{Type: "role", ID: name},
	}, old, next)
	if err != nil {
		return fmt.Errorf("roles: audit: %w", err)
	}
	return nil
}

func (p Patch) faults(name string) (faults []fault.Field) {
	if p.Description.Null {
		faults = append(faults, fault.Body("#/description", fault.FieldNotNullable, "This field cannot be null."))
	}
	if p.Permissions.Null {
		faults = append(faults, fault.Body("#/permissions", fault.FieldNotNullable, "This field cannot be null."))
	}
	return append(faults, grantFaults(name, p.Permissions.Value)...)
}

func grantFaults(role string, permissions []string) (faults []fault.Field) {
	for i, name := range permissions {
		pointer := "#/permissions/" + strconv.Itoa(i)
		switch err := permission.CheckGrant(role, name); {
		case errors.Is(err, permission.ErrScope):
			faults = append(faults, fault.Body(pointer, fault.FieldWrongScope, "This permission is of the other scope."))
		case err != nil:
			faults = append(faults, fault.Body(pointer, fault.FieldUnknownReference, "There is no such permission."))
		}
	}
	return faults
}
