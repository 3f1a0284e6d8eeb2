package roles

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/rbac/sqlrbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Store keeps what roles grant in the tables of sqlrbac, and answers who has which role from
// users.role and company_members.role: there is no second place that says so. A global role holds
// everywhere and is therefore an assignment in [rbac.AnyTenant]; a role of a company is one in the
// tenant of that company's id.
//
// No role is stored that grants what [permission.CheckGrant] refuses.
type Store struct {
	*sqlrbac.Store
	db sqldb.TxDB
}

var _ rbac.Store = (*Store)(nil)

// NewStore returns a Store on db, which may be a transaction.
func NewStore(db sqldb.TxDB) *Store { return &Store{sqlrbac.New(db), db} }

// One row: outside of a company, and in one that the account does not belong to, the second role is
// empty.
const selectRolesOf = `
SELECT u.role, COALESCE(m.role, '') FROM users AS u
  LEFT JOIN company_members AS m ON m.user_id = u.id AND m.company_id = $1 AND m.is_active = TRUE AND m.deleted_at IS NULL
 WHERE u.id = $2 AND u.disabled_at IS NULL AND u.deleted_at IS NULL`

// RolesOf implements [rbac.Reader]. A disabled or deleted account has no roles.
func (s *Store) RolesOf(ctx context.Context, tenant, subject string, _ time.Time) ([]rbac.Assignment, error) {
	var global, member string
	err := s.db.QueryRow(ctx, selectRolesOf, sqldb.CleanText(tenant), sqldb.CleanText(subject)).Scan(&global, &member)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("roles: roles of an account: %w", err)
	}
	list := []rbac.Assignment{{Tenant: rbac.AnyTenant, Subject: subject, Role: rbac.RoleID{Name: global}}}
	if member != "" {
		role := rbac.RoleID{Name: permission.OfCompany(member)}
		list = append(list, rbac.Assignment{Tenant: tenant, Subject: subject, Role: role})
	}
	return list, nil
}

// PutRole implements [rbac.Store].
func (s *Store) PutRole(ctx context.Context, r rbac.Role, g rbac.Guard) (uint64, error) {
	for _, grant := range r.Grants {
		if err := permission.CheckGrant(r.Name, grant); err != nil {
			return 0, &rbac.RoleError{Role: r.ID(), Value: grant, Err: err}
		}
	}
	return s.Store.PutRole(ctx, r, g)
}

// A deleted account that comes back wants its role.
const countHolders = `SELECT COUNT(*) FROM users WHERE role = $1`

// DeleteRole implements [rbac.Store].
func (s *Store) DeleteRole(ctx context.Context, id rbac.RoleID, now time.Time, g rbac.Guard) (version uint64, err error) {
	err = s.db.InTx(ctx, func(tx sqldb.DB) error {
		if err := Lock(ctx, tx); err != nil {
			return err
		}
		var holders int64
		if err := tx.QueryRow(ctx, countHolders, id.Name).Scan(&holders); err != nil {
			return fmt.Errorf("roles: count holders: %w", err)
		}
		if holders > 0 {
			return fmt.Errorf("%w: %s", rbac.ErrRoleInUse, id)
		}
		version, err = sqlrbac.New(tx.(sqldb.TxDB)).DeleteRole(ctx, id, now, g)
		return err
	})
	return version, err
}

// Roles are given by statements on users and company_members, with the other things that such a change
// means. Nobody asks this Store to, and it must not fill the empty table of sqlrbac.
var errAssignment = fmt.Errorf("roles: assignments are columns of accounts and memberships: %w", errors.ErrUnsupported)

// Assign implements [rbac.Store] by refusing.
func (*Store) Assign(context.Context, rbac.Assignment, rbac.Guard) error { return errAssignment }

// Unassign implements [rbac.Store] by refusing.
func (*Store) Unassign(context.Context, rbac.Assignment, rbac.Guard) error { return errAssignment }

// Assignments implements [rbac.Store] by refusing.
func (*Store) Assignments(context.Context, string, rbac.RoleID, time.Time) ([]rbac.Assignment, error) {
	return nil, errAssignment
}

// lockPolicy takes the row that every change of a role locks as well.
const lockPolicy = `UPDATE rbac_policy SET version = version WHERE id = 1`

// Lock makes changes of roles, and of who has a global one, take turns: it is the first statement of
// the transaction of each. What is read after it stays true until the transaction ends, so of two
// administrators who dismiss each other one comes second and finds himself dismissed.
func Lock(ctx context.Context, tx sqldb.DB) error {
	if _, err := tx.Exec(ctx, lockPolicy); err != nil {
		return fmt.Errorf("roles: lock: %w", err)
	}
	return nil
}
