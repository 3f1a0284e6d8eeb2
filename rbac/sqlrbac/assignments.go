package sqlrbac

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

const columns = `subject, tenant, role_tenant, role, granted_by, granted_at, expires_at`

const selectOfSubject = `SELECT ` + columns + ` FROM rbac_assignments
WHERE subject = $1 AND (tenant = $2 OR tenant = '*') AND (expires_at IS NULL OR expires_at > $3)`

// RolesOf implements [rbac.Reader].
func (s *Store) RolesOf(ctx context.Context, tenant, subject string, now time.Time) ([]rbac.Assignment, error) {
	if !storable(tenant) || !storable(subject) {
		return nil, ctx.Err()
	}
	list, err := collect(s.db.Query(ctx, selectOfSubject, subject, tenant, sqldb.At(now)))
	if err != nil {
		return nil, fmt.Errorf("sqlrbac: roles of subject: %w", err)
	}
	return list, nil
}

const selectOfRole = `SELECT ` + columns + ` FROM rbac_assignments
WHERE role_tenant = $1 AND role = $2 AND tenant = $3 AND (expires_at IS NULL OR expires_at > $4)`

// Assignments implements [rbac.Store].
func (s *Store) Assignments(ctx context.Context, tenant string, role rbac.RoleID, now time.Time) ([]rbac.Assignment, error) {
	if !storable(tenant) || !storable(role.Tenant) || !storable(role.Name) {
		return nil, ctx.Err()
	}
	list, err := collect(s.db.Query(ctx, selectOfRole, role.Tenant, role.Name, tenant, sqldb.At(now)))
	if err != nil {
		return nil, fmt.Errorf("sqlrbac: assignments: %w", err)
	}
	return list, nil
}

func collect(rows sqldb.Rows, err error) ([]rbac.Assignment, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []rbac.Assignment
	for rows.Next() {
		var a rbac.Assignment
		var granted, expires sqldb.Time
		err := rows.Scan(&a.Subject, &a.Tenant, &a.Role.Tenant, &a.Role.Name, &a.GrantedBy, &granted, &expires)
		if err != nil {
			return nil, err
		}
		a.GrantedAt, a.ExpiresAt = granted.Time, expires.Time
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b rbac.Assignment) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Subject, b.Subject),
			strings.Compare(a.Role.Tenant, b.Role.Tenant), strings.Compare(a.Role.Name, b.Role.Name))
	})
	return list, rows.Err()
}

const upsertAssignment = `
INSERT INTO rbac_assignments (` + columns + `) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (subject, tenant, role_tenant, role)
DO UPDATE SET granted_by = excluded.granted_by, granted_at = excluded.granted_at, expires_at = excluded.expires_at`

// Assign implements [rbac.Store].
func (s *Store) Assign(ctx context.Context, a rbac.Assignment, g rbac.Guard) error {
	if err := a.Validate(); err != nil {
		return err
	}
	return s.reassign(ctx, "assign", a.Tenant, g, func(tx sqldb.DB) error {
		if err := exists(ctx, tx, a.Role); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, upsertAssignment, a.Subject, a.Tenant, a.Role.Tenant, a.Role.Name, a.GrantedBy,
			sqldb.At(a.GrantedAt), sqldb.At(a.ExpiresAt))
		return err
	})
}

const deleteAssignment = `
DELETE FROM rbac_assignments WHERE subject = $1 AND tenant = $2 AND role_tenant = $3 AND role = $4`

// Unassign implements [rbac.Store].
func (s *Store) Unassign(ctx context.Context, a rbac.Assignment, g rbac.Guard) error {
	for _, text := range [...]string{a.Subject, a.Tenant, a.Role.Tenant, a.Role.Name} {
		if !storable(text) {
			a = rbac.Assignment{} // matches nothing, but the guard counts
		}
	}
	return s.reassign(ctx, "unassign", a.Tenant, g, func(tx sqldb.DB) error {
		_, err := tx.Exec(ctx, deleteAssignment, a.Subject, a.Tenant, a.Role.Tenant, a.Role.Name)
		return err
	})
}

// reassign makes a change of a tenant's assignments under its guard.
func (s *Store) reassign(ctx context.Context, op, tenant string, g rbac.Guard, do func(tx sqldb.DB) error) error {
	err := s.change(ctx, g, 0, func(tx sqldb.DB, _ uint64) error {
		managed, err := lasting(ctx, tx, tenant, g.Before)
		if err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		if !managed {
			return nil
		}
		managed, err = lasting(ctx, tx, tenant, g.After)
		if err == nil && !managed {
			err = rbac.ErrLastManager
		}
		return err
	})
	if err != nil {
		return wrap(op, err)
	}
	return nil
}

// lasting reports whether somebody in the tenant holds one of the roles without expiry.
func lasting(ctx context.Context, tx sqldb.DB, tenant string, roles []rbac.RoleID) (bool, error) {
	for chunk := range slices.Chunk(roles, maxRoles) {
		args := []any{tenant}
		query := `SELECT subject FROM rbac_assignments WHERE tenant = $1 AND expires_at IS NULL AND ` +
			oneOf(chunk, &args) + ` LIMIT 1`
		var subject string
		err := tx.QueryRow(ctx, query, args...).Scan(&subject)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
	}
	return false, nil
}

// managersStay refuses the change of a role that leaves a tenant without manager.
func managersStay(ctx context.Context, tx sqldb.DB, g rbac.Guard) error {
	var tenants []string
	for chunk := range slices.Chunk(g.Before, maxRoles) {
		var args []any
		found, err := texts(tx.Query(ctx, `SELECT DISTINCT tenant FROM rbac_assignments WHERE expires_at IS NULL AND `+
			oneOf(chunk, &args), args...))
		if err != nil {
			return err
		}
		tenants = append(tenants, found...)
	}
	slices.Sort(tenants)
	for _, tenant := range slices.Compact(tenants) {
		managed, err := lasting(ctx, tx, tenant, g.After)
		if err != nil {
			return err
		}
		if !managed {
			return rbac.ErrLastManager
		}
	}
	return nil
}

const deleteExpired = `
DELETE FROM rbac_assignments WHERE expires_at <= $1 AND (subject, tenant, role_tenant, role) IN (
	SELECT a.subject, a.tenant, a.role_tenant, a.role FROM rbac_assignments a WHERE a.expires_at <= $1
	ORDER BY a.subject, a.tenant, a.role_tenant, a.role LIMIT $2)`

// DeleteExpired implements [rbac.Store].
func (s *Store) DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error) {
	var n int64
	err := retry(func() (err error) {
		n, err = s.db.Exec(ctx, deleteExpired, sqldb.At(before), int64(max(limit, 0)))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("sqlrbac: delete expired: %w", err)
	}
	return int(n), nil
}

// maxRoles bounds the placeholders of one statement well below every database's limit.
const maxRoles = 1000

// oneOf is the condition that an assignment is to one of the roles; it adds their names to args.
func oneOf(roles []rbac.RoleID, args *[]any) string {
	var b strings.Builder
	b.WriteString("(FALSE")
	for _, id := range roles {
		*args = append(*args, id.Tenant, id.Name)
		n := len(*args)
		fmt.Fprintf(&b, " OR (role_tenant = $%d AND role = $%d)", n-1, n)
	}
	return b.String() + ")"
}

func texts(rows sqldb.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

// marks returns "$1, $2, ..." up to n.
func marks(n int) string {
	list := make([]string, 0, n)
	for i := range n {
		list = append(list, "$"+strconv.Itoa(i+1))
	}
	return strings.Join(list, ", ")
}

// storable reports whether a database could hold the text; what it could not, it does not hold.
func storable(text string) bool {
	return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}
