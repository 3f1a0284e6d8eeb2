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
type Store struct {
	*sqlrbac.Store
	db sqldb.TxDB
}

var _ rbac.Reader = (*Store)(nil)

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
