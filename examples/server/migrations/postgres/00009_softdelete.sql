-- +goose Up

-- Moves, with their rooms and items, and companies can come back for a while (package softdelete).
ALTER TABLE jobs ADD COLUMN deleted_at TIMESTAMPTZ;
ALTER TABLE jobs ADD COLUMN deleted_by TEXT;
ALTER TABLE jobs ADD COLUMN deletion_id TEXT;
ALTER TABLE rooms ADD COLUMN deleted_at TIMESTAMPTZ;
ALTER TABLE rooms ADD COLUMN deleted_by TEXT;
ALTER TABLE rooms ADD COLUMN deletion_id TEXT;
ALTER TABLE items ADD COLUMN deleted_at TIMESTAMPTZ;
ALTER TABLE items ADD COLUMN deleted_by TEXT;
ALTER TABLE items ADD COLUMN deletion_id TEXT;
ALTER TABLE companies ADD COLUMN deleted_at TIMESTAMPTZ;
ALTER TABLE companies ADD COLUMN deleted_by TEXT;
ALTER TABLE companies ADD COLUMN deletion_id TEXT;
-- Folded text, for the q parameter of the list of deleted companies.
ALTER TABLE companies ADD COLUMN search TEXT NOT NULL DEFAULT '';
UPDATE companies SET search = lower(name || ' ' || slug || ' ' || email);
ALTER TABLE companies DROP CONSTRAINT companies_slug_key;
ALTER TABLE companies DROP CONSTRAINT companies_email_key;
CREATE INDEX jobs_deleted_at ON jobs (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX jobs_deletion_id ON jobs (deletion_id) WHERE deletion_id IS NOT NULL;
CREATE INDEX rooms_deleted_at ON rooms (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX rooms_deletion_id ON rooms (deletion_id) WHERE deletion_id IS NOT NULL;
CREATE INDEX items_deleted_at ON items (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX items_deletion_id ON items (deletion_id) WHERE deletion_id IS NOT NULL;
CREATE INDEX companies_deleted_at ON companies (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX companies_deletion_id ON companies (deletion_id) WHERE deletion_id IS NOT NULL;

-- Short name and address are free again once the company is deleted.
CREATE UNIQUE INDEX companies_slug ON companies (slug) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX companies_email ON companies (email) WHERE deleted_at IS NULL;

-- The lists of moves, live and deleted, in each of their orders, and the moves that have not changed for
-- years.
CREATE INDEX jobs_company_submitted ON jobs (company_id, submitted_at, id);
CREATE INDEX jobs_company_created_deleted ON jobs (company_id, created_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX jobs_company_submitted_deleted ON jobs (company_id, submitted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX jobs_status_updated ON jobs (status, updated_at, id);

-- +goose Down
DROP INDEX jobs_status_updated;
DROP INDEX jobs_company_submitted_deleted;
DROP INDEX jobs_company_created_deleted;
DROP INDEX jobs_company_submitted;
DROP INDEX companies_email;
DROP INDEX companies_slug;
DROP INDEX jobs_deletion_id;
DROP INDEX jobs_deleted_at;
DROP INDEX rooms_deletion_id;
DROP INDEX rooms_deleted_at;
DROP INDEX items_deletion_id;
DROP INDEX items_deleted_at;
DROP INDEX companies_deletion_id;
DROP INDEX companies_deleted_at;
ALTER TABLE companies DROP COLUMN search;
ALTER TABLE jobs DROP COLUMN deletion_id;
ALTER TABLE jobs DROP COLUMN deleted_by;
ALTER TABLE jobs DROP COLUMN deleted_at;
ALTER TABLE rooms DROP COLUMN deletion_id;
ALTER TABLE rooms DROP COLUMN deleted_by;
ALTER TABLE rooms DROP COLUMN deleted_at;
ALTER TABLE items DROP COLUMN deletion_id;
ALTER TABLE items DROP COLUMN deleted_by;
ALTER TABLE items DROP COLUMN deleted_at;
ALTER TABLE companies DROP COLUMN deletion_id;
ALTER TABLE companies DROP COLUMN deleted_by;
ALTER TABLE companies DROP COLUMN deleted_at;
ALTER TABLE companies ADD CONSTRAINT companies_slug_key UNIQUE (slug);
ALTER TABLE companies ADD CONSTRAINT companies_email_key UNIQUE (email);
