package sqlrbac

import (
	"cmp"
	"context"
	"database/sql"
	_ "embed" // for the schema files
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

//go:embed schema/postgres.sql
var postgresSchema string

//go:embed schema/sqlite.sql
var sqliteSchema string

// Schema returns the DDL for a dialect: several statements, each ended by a semicolon at the end of
// a line. It is empty for an unknown dialect.
func Schema(d sqldb.Dialect) string {
	switch d {
	case sqldb.DialectPostgres:
		return postgresSchema
	case sqldb.DialectSQLite:
		return sqliteSchema
	}
	return ""
}

// Statements returns the single statements of [Schema], for code that creates the tables itself.
func Statements(d sqldb.Dialect) []string {
	var list []string
	for statement := range strings.SplitSeq(Schema(d), ";\n") {
		if statement = strings.TrimSpace(statement); statement != "" {
			list = append(list, statement)
		}
	}
	return list
}

// Store is an [rbac.Store] on SQL. Safe for concurrent use as far as its DB is.
type Store struct{ db sqldb.TxDB }

var _ rbac.Store = (*Store)(nil)

// New returns a Store on db. The tables must exist.
func New(db sqldb.TxDB) *Store { return &Store{db: db} }

const selectVersion = `SELECT version FROM rbac_policy WHERE id = 1`

// Version implements [rbac.Reader].
func (s *Store) Version(ctx context.Context) (uint64, error) {
	version, err := version(ctx, s.db)
	if err != nil {
		return 0, fmt.Errorf("sqlrbac: version: %w", err)
	}
	return version, nil
}

func version(ctx context.Context, db sqldb.DB) (uint64, error) {
	var v int64
	err := db.QueryRow(ctx, selectVersion).Scan(&v)
	return uint64(v), err
}

// loadRoles is one statement, so that the roles and the version are of one moment.
const (
	loadVersion  = `SELECT 'v' AS kind, '' AS tenant, '' AS role, CAST(version AS TEXT) AS value, '' AS extra FROM rbac_policy`
	loadRoles    = ` UNION ALL SELECT 'r', tenant, name, description, '' FROM rbac_roles`
	loadGrants   = ` UNION ALL SELECT 'g', tenant, role, pattern, '' FROM rbac_grants`
	loadInherits = ` UNION ALL SELECT 'i', tenant, role, parent, parent_tenant FROM rbac_inherits`
)

// LoadRoles implements [rbac.Reader].
func (s *Store) LoadRoles(ctx context.Context, tenants ...string) ([]rbac.Role, uint64, error) {
	where := ""
	var args []any
	if len(tenants) > 0 {
		for _, tenant := range tenants {
			if storable(tenant) {
				args = append(args, tenant)
			}
		}
		where = " WHERE FALSE"
		if len(args) > 0 {
			where = " WHERE tenant IN (" + marks(len(args)) + ")"
		}
	}
	query := loadVersion + loadRoles + where + loadGrants + where + loadInherits + where
	rows, err := s.db.Query(ctx, query, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("sqlrbac: load roles: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list, version, err := collectRoles(rows)
	if err != nil {
		return nil, 0, fmt.Errorf("sqlrbac: load roles: %w", err)
	}
	return list, version, nil
}

func collectRoles(rows sqldb.Rows) (list []rbac.Role, version uint64, err error) {
	roles := map[rbac.RoleID]*rbac.Role{}
	for rows.Next() {
		var kind, value, extra string
		var id rbac.RoleID
		if err := rows.Scan(&kind, &id.Tenant, &id.Name, &value, &extra); err != nil {
			return nil, 0, err
		}
		if kind == "v" {
			if _, err := fmt.Sscan(value, &version); err != nil {
				return nil, 0, fmt.Errorf("version: %w", err)
			}
			continue
		}
		role := roles[id]
		if role == nil {
			role = &rbac.Role{Tenant: id.Tenant, Name: id.Name}
			roles[id] = role
		}
		switch kind {
		case "r":
			role.Description = value
		case "g":
			role.Grants = append(role.Grants, value)
		case "i":
			role.Inherits = append(role.Inherits, rbac.RoleID{Tenant: extra, Name: value})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, 0, err
	}
	if version == 0 {
		return nil, 0, errNoPolicy
	}
	for _, role := range roles {
		list = append(list, role.Canonical())
	}
	slices.SortFunc(list, func(a, b rbac.Role) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Name, b.Name))
	})
	return list, version, nil
}

// errNoPolicy means that somebody deleted the row the schema inserts.
var errNoPolicy = errors.New("sqlrbac: rbac_policy has no row")

// change runs fn in a transaction that holds the lock on the policy, after checking the guard's
// version. It is the first statement of every change.
func (s *Store) change(ctx context.Context, g rbac.Guard, by int64, fn func(tx sqldb.DB, version uint64) error) error {
	return retry(func() error {
		return s.db.InTx(ctx, func(tx sqldb.DB) error {
			var v int64
			err := tx.QueryRow(ctx, lockPolicy, by, int64(g.Version)).Scan(&v)
			if errors.Is(err, sql.ErrNoRows) {
				if g.Version == 0 {
					return errNoPolicy
				}
				return fmt.Errorf("%w: not at %d", rbac.ErrConflict, g.Version)
			}
			if err != nil {
				return err
			}
			return fn(tx, uint64(v))
		})
	})
}

const lockPolicy = `
UPDATE rbac_policy SET version = version + $1 WHERE id = 1 AND (version = $2 OR $2 = 0) RETURNING version`

const (
	upsertRole = `
INSERT INTO rbac_roles (tenant, name, description) VALUES ($1, $2, $3)
ON CONFLICT (tenant, name) DO UPDATE SET description = excluded.description`
	deleteGrants   = `DELETE FROM rbac_grants WHERE tenant = $1 AND role = $2`
	deleteInherits = `DELETE FROM rbac_inherits WHERE tenant = $1 AND role = $2`
	insertGrant    = `INSERT INTO rbac_grants (tenant, role, pattern) VALUES ($1, $2, $3)`
	insertInherit  = `INSERT INTO rbac_inherits (tenant, role, parent_tenant, parent) VALUES ($1, $2, $3, $4)`
	selectRole     = `SELECT name FROM rbac_roles WHERE tenant = $1 AND name = $2`
)

// PutRole implements [rbac.Store].
func (s *Store) PutRole(ctx context.Context, r rbac.Role, g rbac.Guard) (version uint64, err error) {
	if err := r.Validate(); err != nil {
		return 0, err
	}
	r = r.Canonical()
	err = s.change(ctx, g, 1, func(tx sqldb.DB, next uint64) error {
		version = next
		if _, err := tx.Exec(ctx, upsertRole, r.Tenant, r.Name, r.Description); err != nil {
			return err
		}
		for _, statement := range []string{deleteGrants, deleteInherits} {
			if _, err := tx.Exec(ctx, statement, r.Tenant, r.Name); err != nil {
				return err
			}
		}
		grants := make([][]any, 0, len(r.Grants))
		for _, grant := range r.Grants {
			grants = append(grants, []any{r.Tenant, r.Name, grant})
		}
		if _, err := sqldb.InsertBatch(ctx, tx, insertGrant, grants); err != nil {
			return err
		}
		parents := make([][]any, 0, len(r.Inherits))
		for _, parent := range r.Inherits {
			if err := exists(ctx, tx, parent); err != nil {
				return err
			}
			parents = append(parents, []any{r.Tenant, r.Name, parent.Tenant, parent.Name})
		}
		if _, err := sqldb.InsertBatch(ctx, tx, insertInherit, parents); err != nil {
			return err
		}
		return managersStay(ctx, tx, g)
	})
	if err != nil {
		return 0, wrap("put role", err)
	}
	return version, nil
}

// exists asks for a role inside a change, so that nobody can delete it before the change is done.
func exists(ctx context.Context, tx sqldb.DB, id rbac.RoleID) error {
	var name string
	err := tx.QueryRow(ctx, selectRole, id.Tenant, id.Name).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: %s", rbac.ErrUnknownRole, id)
	}
	return err
}

const (
	deleteDead = `
DELETE FROM rbac_assignments WHERE role_tenant = $1 AND role = $2 AND expires_at <= $3`
	selectHolder = `
SELECT subject FROM rbac_assignments WHERE role_tenant = $1 AND role = $2 LIMIT 1`
	selectHeir = `
SELECT role FROM rbac_inherits WHERE parent_tenant = $1 AND parent = $2 AND NOT (tenant = $1 AND role = $2) LIMIT 1`
	deleteRole = `DELETE FROM rbac_roles WHERE tenant = $1 AND name = $2`
)

// errUnchanged rolls a change back that has nothing to do.
var errUnchanged = errors.New("sqlrbac: unchanged")

// DeleteRole implements [rbac.Store].
func (s *Store) DeleteRole(ctx context.Context, id rbac.RoleID, now time.Time, g rbac.Guard) (uint64, error) {
	if !storable(id.Tenant) || !storable(id.Name) {
		id = rbac.RoleID{} // no role has this name either
	}
	var next uint64
	err := s.change(ctx, g, 1, func(tx sqldb.DB, version uint64) error {
		next = version
		if err := exists(ctx, tx, id); errors.Is(err, rbac.ErrUnknownRole) {
			next = version - 1
			return errUnchanged
		} else if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deleteDead, id.Tenant, id.Name, sqldb.At(now)); err != nil {
			return err
		}
		for _, query := range []string{selectHolder, selectHeir} {
			var user string
			err := tx.QueryRow(ctx, query, id.Tenant, id.Name).Scan(&user)
			if err == nil {
				return fmt.Errorf("%w: %s", rbac.ErrRoleInUse, id)
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		for _, statement := range []string{deleteGrants, deleteInherits, deleteRole} {
			if _, err := tx.Exec(ctx, statement, id.Tenant, id.Name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return 0, wrap("delete role", err)
	}
	return next, nil
}

// wrap leaves refusals as they are: they are not failures of the store.
func wrap(op string, err error) error {
	for _, refusal := range [...]error{rbac.ErrConflict, rbac.ErrLastManager, rbac.ErrRoleInUse, rbac.ErrUnknownRole} {
		if errors.Is(err, refusal) {
			return err
		}
	}
	return fmt.Errorf("sqlrbac: %s: %w", op, err)
}

// maxTries bounds the repetition of a change that lost against a parallel one.
const maxTries = 20

// retry repeats what failed only because of a parallel transaction.
func retry(do func() error) error {
	err := do()
	for range maxTries {
		if !sqldb.IsRetryable(err) {
			break
		}
		err = do()
	}
	return err
}
