// Package sqlrbac keeps the roles and assignments of package rbac in PostgreSQL or SQLite.
//
//	for _, statement := range sqlrbac.Statements(sqldb.DialectPostgres) {
//		_, err := db.Exec(ctx, statement)                  // or in your migrations
//	}
//	store := sqlrbac.New(db)                               // db from sqldb.Pgx, SQL or SQLite
//	checker, err := rbac.New(rbac.Config{Registry: registry, Store: store})
//
// The package never creates tables by itself. [Schema] is the DDL, for migration tools:
//
//   - rbac_policy: one row, the version
//   - rbac_roles, rbac_grants, rbac_inherits: the roles
//   - rbac_assignments: who holds them
//
// The schema itself refuses what would mix tenants: a role can only inherit, and an assignment only
// name, a global role or one of its own tenant.
//
// # Guarantees
//
// Every change is one transaction that begins by locking the row of rbac_policy, so changes take
// turns and each sees the outcome of the one before; serialization failures and deadlocks are
// retried. Roles are read by a single statement together with their version and are therefore
// consistent under every isolation level. Built on a transaction of sqldb, a Store takes part in it,
// so a role and its audit entry commit together. The store needs the primary, not a replica: a
// Checker refuses a version that is older than one it has seen.
//
// # Roles written by migrations
//
// A statement that changes roles by hand counts the version up, or Checkers will not notice:
//
//	INSERT INTO rbac_roles (tenant, name, description) VALUES ('', 'auditor', 'Reads everything.');
//	INSERT INTO rbac_grants (tenant, role, pattern) VALUES ('', 'auditor', '*:read');
//	UPDATE rbac_policy SET version = version + 1;
//
// # Users with a role column
//
// A program that keeps who has which role in its own tables embeds a *Store for the roles and writes
// RolesOf, Assign, Unassign and Assignments itself.
package sqlrbac
