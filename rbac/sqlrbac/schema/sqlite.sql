-- One row: the version of all roles. Changes of roles count it up, all changes lock it.
CREATE TABLE rbac_policy (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
);
INSERT INTO rbac_policy (id, version) VALUES (1, 1);

-- Roles; the tenant is empty for global ones.
CREATE TABLE rbac_roles (
    tenant      TEXT NOT NULL CHECK (tenant <> '*'),
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
);

-- Permissions and patterns of a role.
CREATE TABLE rbac_grants (
    tenant  TEXT NOT NULL,
    role    TEXT NOT NULL,
    pattern TEXT NOT NULL,
    PRIMARY KEY (tenant, role, pattern),
    FOREIGN KEY (tenant, role) REFERENCES rbac_roles (tenant, name)
);

-- Parents of a role: global ones or those of its tenant.
CREATE TABLE rbac_inherits (
    tenant        TEXT NOT NULL,
    role          TEXT NOT NULL,
    parent_tenant TEXT NOT NULL,
    parent        TEXT NOT NULL,
    PRIMARY KEY (tenant, role, parent_tenant, parent),
    FOREIGN KEY (tenant, role) REFERENCES rbac_roles (tenant, name),
    FOREIGN KEY (parent_tenant, parent) REFERENCES rbac_roles (tenant, name),
    CHECK (parent_tenant = '' OR parent_tenant = tenant)
);
CREATE INDEX rbac_inherits_parent ON rbac_inherits (parent_tenant, parent);

-- Who holds which role in which tenant; '' is outside of any, '*' everywhere.
CREATE TABLE rbac_assignments (
    subject     TEXT NOT NULL,
    tenant      TEXT NOT NULL,
    role_tenant TEXT NOT NULL,
    role        TEXT NOT NULL,
    granted_by  TEXT NOT NULL,
    granted_at  TEXT,
    expires_at  TEXT,
    PRIMARY KEY (subject, tenant, role_tenant, role),
    FOREIGN KEY (role_tenant, role) REFERENCES rbac_roles (tenant, name),
    CHECK (role_tenant = '' OR role_tenant = tenant)
);
CREATE INDEX rbac_assignments_role ON rbac_assignments (role_tenant, role, tenant, subject);
CREATE INDEX rbac_assignments_expires_at ON rbac_assignments (expires_at) WHERE expires_at IS NOT NULL;
