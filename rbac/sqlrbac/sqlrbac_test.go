package sqlrbac_test

import (
	"errors"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/rbac/rbactest"
	"github.com/groundwork-go/groundwork/rbac/sqlrbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

// statements makes the tables.
func statements(d sqldb.Dialect) []string { return sqlrbac.Statements(d) }

func transports(t *testing.T, run func(t *testing.T, open func(t *testing.T) sqldb.TxDB)) {
	testdb.EachTransport(t, statements, run)
}

func TestStatements(t *testing.T) {
	t.Parallel()
	for _, d := range []sqldb.Dialect{sqldb.DialectPostgres, sqldb.DialectSQLite} {
		require.Len(t, statements(d), 9, d)
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		rbactest.TestStore(t, func(t *testing.T) rbac.Store { return sqlrbac.New(open(t)) })
	})
}

// TestSchemaRefusesCrossTenant writes past the store: the constraints alone keep tenants apart.
func TestSchemaRefusesCrossTenant(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		db := open(t)
		store := sqlrbac.New(db)
		for _, tenant := range []string{"a", "b"} {
			_, err := store.PutRole(t.Context(), rbac.Role{Tenant: tenant, Name: "staff"}, rbac.Guard{})
			require.NoError(t, err)
		}
		for _, statement := range []string{
			`INSERT INTO rbac_inherits (tenant, role, parent_tenant, parent) VALUES ('b', 'staff', 'a', 'staff')`,
			`INSERT INTO rbac_assignments (subject, tenant, role_tenant, role, granted_by) VALUES ('x', 'b', 'a', 'staff', '')`,
			`INSERT INTO rbac_assignments (subject, tenant, role_tenant, role, granted_by) VALUES ('x', '*', 'a', 'staff', '')`,
			`INSERT INTO rbac_assignments (subject, tenant, role_tenant, role, granted_by) VALUES ('x', 'b', 'b', 'nobody', '')`,
			`INSERT INTO rbac_roles (tenant, name, description) VALUES ('*', 'staff', '')`,
			`DELETE FROM rbac_roles WHERE tenant = 'a'; INSERT INTO rbac_policy (id, version) VALUES (2, 1)`,
		} {
			_, err := db.Exec(t.Context(), statement)
			require.Error(t, err, statement)
		}
	})
}

// TestInTransaction checks that a store on a transaction commits and rolls back with it.
func TestInTransaction(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		db := open(t)
		undo := errors.New("undo")
		put := func(name string, result error) error {
			return db.InTx(t.Context(), func(tx sqldb.DB) error {
				store := sqlrbac.New(tx.(sqldb.TxDB))
				_, err := store.PutRole(t.Context(), rbac.Role{Name: name, Grants: []string{"a:b"}}, rbac.Guard{})
				require.NoError(t, err)
				require.NoError(t, store.Assign(t.Context(), rbac.Assignment{Subject: "ann", Role: rbac.RoleID{Name: name}}, rbac.Guard{}))
				return result
			})
		}
		require.ErrorIs(t, put("undone", undo), undo)
		require.NoError(t, put("done", nil))
		roles, version, err := sqlrbac.New(db).LoadRoles(t.Context())
		require.NoError(t, err)
		require.Equal(t, uint64(2), version)
		require.Equal(t, []rbac.Role{{Name: "done", Grants: []string{"a:b"}}}, roles)
	})
}

// TestHandWrittenRole is the migration that the package comment shows.
func TestHandWrittenRole(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		db := open(t)
		for _, statement := range []string{
			`INSERT INTO rbac_roles (tenant, name, description) VALUES ('', 'auditor', 'Reads everything.')`,
			`INSERT INTO rbac_grants (tenant, role, pattern) VALUES ('', 'auditor', '*:read')`,
			`UPDATE rbac_policy SET version = version + 1`,
		} {
			_, err := db.Exec(t.Context(), statement)
			require.NoError(t, err)
		}
		roles, version, err := sqlrbac.New(db).LoadRoles(t.Context())
		require.NoError(t, err)
		require.Equal(t, uint64(2), version)
		require.Equal(t, []rbac.Role{{Name: "auditor", Description: "Reads everything.", Grants: []string{"*:read"}}}, roles)
	})
}

func TestWithoutPolicyRow(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t, statements)
	_, err := db.Exec(t.Context(), `DELETE FROM rbac_policy`)
	require.NoError(t, err)
	store := sqlrbac.New(db)
	_, err = store.PutRole(t.Context(), rbac.Role{Name: "a"}, rbac.Guard{})
	require.ErrorContains(t, err, "rbac_policy has no row")
	_, _, err = store.LoadRoles(t.Context())
	require.ErrorContains(t, err, "rbac_policy has no row")
	_, err = store.Version(t.Context())
	require.ErrorContains(t, err, "sqlrbac: version")
}

func TestSchemaOfUnknownDialect(t *testing.T) {
	t.Parallel()
	require.Empty(t, sqlrbac.Schema(0))
	require.Empty(t, sqlrbac.Statements(0))
}
