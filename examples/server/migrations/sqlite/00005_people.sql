-- +goose Up

-- A copy of what auth/sqlauth.Schema returned; a test compares the columns.
-- Single-use tokens: one live token for each purpose and subject.
CREATE TABLE auth_one_time (
    purpose    TEXT NOT NULL,
    subject    TEXT NOT NULL,
    hash       TEXT NOT NULL UNIQUE,
    data       TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (purpose, subject)
);
CREATE INDEX auth_one_time_expires_at ON auth_one_time (expires_at);

-- The wanted new address until it is confirmed. It is not unique: who confirms first has it.
ALTER TABLE users ADD COLUMN pending_email TEXT;
-- Folded name, username and address, for the q parameter of lists.
ALTER TABLE users ADD COLUMN search TEXT NOT NULL DEFAULT '';
UPDATE users SET search = lower(full_name || ' ' || username || ' ' || email);
CREATE INDEX users_unverified ON users (created_at) WHERE email_verified_at IS NULL;

ALTER TABLE company_members ADD COLUMN invited_by TEXT;

-- The token is minted when the mail is sent; until then sha256 is null.
CREATE TABLE company_invites (
    id          TEXT NOT NULL PRIMARY KEY,
    company_id  TEXT NOT NULL REFERENCES companies (id),
    email       TEXT NOT NULL,
    full_name   TEXT NOT NULL,
    role        TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    sha256      TEXT,
    invited_by  TEXT NOT NULL REFERENCES users (id),
    expires_at  TIMESTAMP NOT NULL,
    accepted_at TIMESTAMP,
    revoked_at  TIMESTAMP,
    created_at  TIMESTAMP NOT NULL,
    updated_at  TIMESTAMP NOT NULL,
    CONSTRAINT company_invites_sha256_key UNIQUE (sha256)
);
CREATE UNIQUE INDEX company_invites_open ON company_invites (company_id, email)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX company_invites_company_created ON company_invites (company_id, created_at, id);
CREATE INDEX company_invites_invited_by ON company_invites (invited_by);
CREATE INDEX company_invites_expires ON company_invites (expires_at);

-- +goose Down
DROP TABLE company_invites;
ALTER TABLE company_members DROP COLUMN invited_by;
DROP INDEX users_unverified;
ALTER TABLE users DROP COLUMN search;
ALTER TABLE users DROP COLUMN pending_email;
DROP TABLE auth_one_time;
