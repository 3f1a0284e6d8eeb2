-- +goose NO TRANSACTION
-- +goose Up

-- Moves, with their rooms and items, and companies can come back for a while (package softdelete).
-- SQLite cannot drop a constraint, so the companies move to a table without theirs. Foreign keys are off
-- meanwhile: dropping the old table would else delete what refers to it.
PRAGMA foreign_keys = OFF;
BEGIN;
ALTER TABLE jobs ADD COLUMN deleted_at TIMESTAMP;
ALTER TABLE jobs ADD COLUMN deleted_by TEXT;
ALTER TABLE jobs ADD COLUMN deletion_id TEXT;
ALTER TABLE rooms ADD COLUMN deleted_at TIMESTAMP;
ALTER TABLE rooms ADD COLUMN deleted_by TEXT;
ALTER TABLE rooms ADD COLUMN deletion_id TEXT;
ALTER TABLE items ADD COLUMN deleted_at TIMESTAMP;
ALTER TABLE items ADD COLUMN deleted_by TEXT;
ALTER TABLE items ADD COLUMN deletion_id TEXT;
CREATE TABLE companies_new (
    id                TEXT NOT NULL PRIMARY KEY,
    name              TEXT NOT NULL,
    slug              TEXT NOT NULL,
    email             TEXT NOT NULL,
    phone             TEXT,
    primary_colour    TEXT NOT NULL,
    secondary_colour  TEXT NOT NULL,
    is_active         BOOLEAN NOT NULL,
    credits           BIGINT NOT NULL CHECK (credits >= 0),
    surveys_used      BIGINT NOT NULL CHECK (surveys_used >= 0),
    version           BIGINT NOT NULL,
    created_at        TIMESTAMP NOT NULL,
    updated_at        TIMESTAMP NOT NULL,
    search            TEXT NOT NULL DEFAULT '', -- folded text, for the q parameter of the list of deleted companies
    deleted_at        TIMESTAMP,
    deleted_by        TEXT,
    deletion_id       TEXT
);
INSERT INTO companies_new (id, name, slug, email, phone, primary_colour, secondary_colour, is_active, credits,
       surveys_used, version, created_at, updated_at, search)
SELECT id, name, slug, email, phone, primary_colour, secondary_colour, is_active, credits,
       surveys_used, version, created_at, updated_at,
       lower(name || ' ' || slug || ' ' || email)
  FROM companies;
DROP TABLE companies;
ALTER TABLE companies_new RENAME TO companies;
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
COMMIT;
PRAGMA foreign_keys = ON;

-- +goose Down
PRAGMA foreign_keys = OFF;
BEGIN;
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
ALTER TABLE jobs DROP COLUMN deletion_id;
ALTER TABLE jobs DROP COLUMN deleted_by;
ALTER TABLE jobs DROP COLUMN deleted_at;
ALTER TABLE rooms DROP COLUMN deletion_id;
ALTER TABLE rooms DROP COLUMN deleted_by;
ALTER TABLE rooms DROP COLUMN deleted_at;
ALTER TABLE items DROP COLUMN deletion_id;
ALTER TABLE items DROP COLUMN deleted_by;
ALTER TABLE items DROP COLUMN deleted_at;
CREATE TABLE companies_old (
    id                TEXT NOT NULL PRIMARY KEY,
    name              TEXT NOT NULL,
    slug              TEXT NOT NULL,
    email             TEXT NOT NULL,
    phone             TEXT,
    primary_colour    TEXT NOT NULL,
    secondary_colour  TEXT NOT NULL,
    is_active         BOOLEAN NOT NULL,
    credits           BIGINT NOT NULL CHECK (credits >= 0),
    surveys_used      BIGINT NOT NULL CHECK (surveys_used >= 0),
    version           BIGINT NOT NULL,
    created_at        TIMESTAMP NOT NULL,
    updated_at        TIMESTAMP NOT NULL,
    CONSTRAINT companies_slug_key UNIQUE (slug),
    CONSTRAINT companies_email_key UNIQUE (email)
);
INSERT INTO companies_old (id, name, slug, email, phone, primary_colour, secondary_colour, is_active, credits,
       surveys_used, version, created_at, updated_at)
SELECT id, name, slug, email, phone, primary_colour, secondary_colour, is_active, credits,
       surveys_used, version, created_at, updated_at
  FROM companies;
DROP TABLE companies;
ALTER TABLE companies_old RENAME TO companies;
COMMIT;
PRAGMA foreign_keys = ON;
