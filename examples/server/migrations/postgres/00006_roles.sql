-- +goose Up

-- A copy of what rbac/sqlrbac.Schema returned; a test compares the columns. rbac_assignments stays
-- empty: users.role and company_members.role say who has which role.
-- One row: the version of all roles. Changes of roles count it up, all changes lock it.
CREATE TABLE rbac_policy (
    id      BIGINT PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO rbac_policy (id, version) VALUES (1, 1);

-- Roles; the tenant is empty for global ones.
CREATE TABLE rbac_roles (
    tenant      TEXT COLLATE "C" NOT NULL CHECK (tenant <> '*'),
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
);

-- Permissions and patterns of a role.
CREATE TABLE rbac_grants (
    tenant  TEXT COLLATE "C" NOT NULL,
    role    TEXT COLLATE "C" NOT NULL,
    pattern TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, role, pattern),
    FOREIGN KEY (tenant, role) REFERENCES rbac_roles (tenant, name)
);

-- Parents of a role: global ones or those of its tenant.
CREATE TABLE rbac_inherits (
    tenant        TEXT COLLATE "C" NOT NULL,
    role          TEXT COLLATE "C" NOT NULL,
    parent_tenant TEXT COLLATE "C" NOT NULL,
    parent        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, role, parent_tenant, parent),
    FOREIGN KEY (tenant, role) REFERENCES rbac_roles (tenant, name),
    FOREIGN KEY (parent_tenant, parent) REFERENCES rbac_roles (tenant, name),
    CHECK (parent_tenant = '' OR parent_tenant = tenant)
);
CREATE INDEX rbac_inherits_parent ON rbac_inherits (parent_tenant, parent);

-- Who holds which role in which tenant; '' is outside of any, '*' everywhere.
CREATE TABLE rbac_assignments (
    subject     TEXT COLLATE "C" NOT NULL,
    tenant      TEXT COLLATE "C" NOT NULL,
    role_tenant TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL,
    granted_by  TEXT NOT NULL,
    granted_at  TIMESTAMPTZ,
    expires_at  TIMESTAMPTZ,
    PRIMARY KEY (subject, tenant, role_tenant, role),
    FOREIGN KEY (role_tenant, role) REFERENCES rbac_roles (tenant, name),
    CHECK (role_tenant = '' OR role_tenant = tenant)
);
CREATE INDEX rbac_assignments_role ON rbac_assignments (role_tenant, role, tenant, subject);
CREATE INDEX rbac_assignments_expires_at ON rbac_assignments (expires_at) WHERE expires_at IS NOT NULL;

-- The built-in roles. Permissions that a later release adds are granted by a migration of their own,
-- which counts the version up. admin names each permission: a pattern would hold those of companies too.
INSERT INTO rbac_roles (tenant, name, description) VALUES
  ('', 'user', 'What every account may do.'),
  ('', 'moderator', 'Reviews what users add.'),
  ('', 'admin', 'Runs the server and the platform.'),
  ('', 'company_member', 'Works on moves.'),
  ('', 'company_admin', 'Decides moves and sets prices and terms.'),
  ('', 'company_owner', 'Answers for the company.');
INSERT INTO rbac_grants (tenant, role, pattern) VALUES
  ('', 'user', 'area:create'),
  ('', 'user', 'area:read'),
  ('', 'user', 'area:update:own'),
  ('', 'user', 'area:delete:own'),
  ('', 'user', 'landmark:create'),
  ('', 'user', 'landmark:read'),
  ('', 'user', 'landmark:update:own'),
  ('', 'user', 'landmark:delete:own'),
  ('', 'user', 'unlock:create'),
  ('', 'user', 'unlock:read:own'),
  ('', 'user', 'unlock:update:own'),
  ('', 'user', 'attempt:read:own'),
  ('', 'user', 'attempt:cancel:own'),
  ('', 'user', 'feed:read'),
  ('', 'user', 'user:read'),
  ('', 'user', 'user:update:own'),
  ('', 'user', 'user:delete:own'),
  ('', 'user', 'session:revoke:own'),
  ('', 'user', 'company:create');
INSERT INTO rbac_grants (tenant, role, pattern) VALUES
  ('', 'moderator', 'area:verify'),
  ('', 'moderator', 'landmark:verify'),
  ('', 'moderator', 'attempt:review');
INSERT INTO rbac_grants (tenant, role, pattern) VALUES
  ('', 'admin', 'area:create'),
  ('', 'admin', 'area:read'),
  ('', 'admin', 'area:update:own'),
  ('', 'admin', 'area:delete:own'),
  ('', 'admin', 'landmark:create'),
  ('', 'admin', 'landmark:read'),
  ('', 'admin', 'landmark:update:own'),
  ('', 'admin', 'landmark:delete:own'),
  ('', 'admin', 'unlock:create'),
  ('', 'admin', 'unlock:read:own'),
  ('', 'admin', 'unlock:update:own'),
  ('', 'admin', 'attempt:read:own'),
  ('', 'admin', 'attempt:cancel:own'),
  ('', 'admin', 'feed:read'),
  ('', 'admin', 'user:read'),
  ('', 'admin', 'user:update:own'),
  ('', 'admin', 'user:delete:own'),
  ('', 'admin', 'session:revoke:own'),
  ('', 'admin', 'company:create'),
  ('', 'admin', 'area:verify'),
  ('', 'admin', 'landmark:verify'),
  ('', 'admin', 'attempt:review'),
  ('', 'admin', 'area:update:any'),
  ('', 'admin', 'area:delete:any'),
  ('', 'admin', 'landmark:update:any'),
  ('', 'admin', 'landmark:delete:any'),
  ('', 'admin', 'unlock:read:any'),
  ('', 'admin', 'unlock:update:any'),
  ('', 'admin', 'attempt:read:any'),
  ('', 'admin', 'attempt:cancel:any'),
  ('', 'admin', 'user:update:any'),
  ('', 'admin', 'user:delete:any'),
  ('', 'admin', 'user:assign_role'),
  ('', 'admin', 'session:revoke:any'),
  ('', 'admin', 'role:manage'),
  ('', 'admin', 'audit:read'),
  ('', 'admin', 'content:restore'),
  ('', 'admin', 'content:purge'),
  ('', 'admin', 'queue:manage'),
  ('', 'admin', 'file:manage'),
  ('', 'admin', 'platform:read'),
  ('', 'admin', 'platform:manage'),
  ('', 'admin', 'platform:export');
INSERT INTO rbac_grants (tenant, role, pattern) VALUES
  ('', 'company_member', 'company:read'),
  ('', 'company_member', 'job:read'),
  ('', 'company_member', 'job:note'),
  ('', 'company_member', 'note:delete:own'),
  ('', 'company_member', 'item:feedback'),
  ('', 'company_member', 'survey:create');
INSERT INTO rbac_grants (tenant, role, pattern) VALUES
  ('', 'company_admin', 'job:decide'),
  ('', 'company_admin', 'note:delete:any'),
  ('', 'company_admin', 'company:update'),
  ('', 'company_admin', 'pricing:update'),
  ('', 'company_admin', 'terms:manage'),
  ('', 'company_admin', 'analytics:read'),
  ('', 'company_admin', 'market:read'),
  ('', 'company_admin', 'market:bid');
INSERT INTO rbac_grants (tenant, role, pattern) VALUES
  ('', 'company_owner', 'member:manage'),
  ('', 'company_owner', 'billing:manage'),
  ('', 'company_owner', 'job:delete'),
  ('', 'company_owner', 'job:restore'),
  ('', 'company_owner', 'job:export'),
  ('', 'company_owner', 'company:audit'),
  ('', 'company_owner', 'company:delete');
INSERT INTO rbac_inherits (tenant, role, parent_tenant, parent) VALUES
  ('', 'moderator', '', 'user'),
  ('', 'company_admin', '', 'company_member'),
  ('', 'company_owner', '', 'company_admin');
UPDATE rbac_policy SET version = version + 1;

-- Who holds a role, and how many.
CREATE INDEX users_role ON users (role, id);

-- +goose Down
DROP INDEX users_role;
DROP TABLE rbac_assignments;
DROP TABLE rbac_inherits;
DROP TABLE rbac_grants;
DROP TABLE rbac_roles;
DROP TABLE rbac_policy;
