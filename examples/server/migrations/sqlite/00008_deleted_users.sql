-- +goose Up

-- A deleted account can come back with its membership for thirty days (package softdelete). Until then
-- its name and address are free for others.
ALTER TABLE users ADD COLUMN deleted_at TIMESTAMP;
ALTER TABLE users ADD COLUMN deleted_by TEXT;
ALTER TABLE users ADD COLUMN deletion_id TEXT;
CREATE INDEX users_deleted_at ON users (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX users_deletion_id ON users (deletion_id) WHERE deletion_id IS NOT NULL;
DROP INDEX users_email;
DROP INDEX users_username;
CREATE UNIQUE INDEX users_email ON users (email) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX users_username ON users (lower(username)) WHERE deleted_at IS NULL;

ALTER TABLE company_members ADD COLUMN deleted_at TIMESTAMP;
ALTER TABLE company_members ADD COLUMN deleted_by TEXT;
ALTER TABLE company_members ADD COLUMN deletion_id TEXT;
CREATE INDEX company_members_deleted_at ON company_members (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX company_members_deletion_id ON company_members (deletion_id) WHERE deletion_id IS NOT NULL;
DROP INDEX company_members_user;
CREATE UNIQUE INDEX company_members_user ON company_members (user_id) WHERE deleted_at IS NULL;
-- The unique one holds live rows only; this one is for the purge.
CREATE INDEX company_members_user_id ON company_members (user_id);

-- Nobody can log in to this account. It owns what purged users leave behind.
INSERT INTO users (id, username, email, full_name, role, password_hash, email_verified_at, disabled_at, search, created_at, updated_at)
VALUES ('00000000-0000-7000-8000-000000000000', 'deleted', 'deleted@groundwork.invalid', '', 'user', '',
        '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 'deleted', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z');

-- +goose Down
DELETE FROM users WHERE id = '00000000-0000-7000-8000-000000000000';
DROP INDEX company_members_user_id;
DROP INDEX company_members_user;
CREATE UNIQUE INDEX company_members_user ON company_members (user_id);
DROP INDEX company_members_deletion_id;
DROP INDEX company_members_deleted_at;
ALTER TABLE company_members DROP COLUMN deletion_id;
ALTER TABLE company_members DROP COLUMN deleted_by;
ALTER TABLE company_members DROP COLUMN deleted_at;
DROP INDEX users_username;
DROP INDEX users_email;
CREATE UNIQUE INDEX users_email ON users (email);
CREATE UNIQUE INDEX users_username ON users (lower(username));
DROP INDEX users_deletion_id;
DROP INDEX users_deleted_at;
ALTER TABLE users DROP COLUMN deletion_id;
ALTER TABLE users DROP COLUMN deleted_by;
ALTER TABLE users DROP COLUMN deleted_at;
