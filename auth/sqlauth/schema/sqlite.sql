-- One row per session.
CREATE TABLE auth_sessions (
    id              TEXT NOT NULL PRIMARY KEY,
    subject         TEXT NOT NULL,
    tenant          TEXT NOT NULL,
    client_id       TEXT NOT NULL,
    methods         TEXT NOT NULL,
    attributes      TEXT NOT NULL,
    generation      INTEGER NOT NULL,
    hash            TEXT NOT NULL,
    previous_hash   TEXT NOT NULL,
    salt            TEXT NOT NULL,
    replays         INTEGER NOT NULL,
    auth_time       TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    last_used_at    TEXT NOT NULL,
    idle_expires_at TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    revoked_at      TEXT,
    revoke_reason   TEXT NOT NULL
);
CREATE INDEX auth_sessions_subject ON auth_sessions (subject, created_at, id) WHERE revoked_at IS NULL;
CREATE INDEX auth_sessions_expires_at ON auth_sessions (expires_at);
CREATE INDEX auth_sessions_revoked_at ON auth_sessions (revoked_at) WHERE revoked_at IS NOT NULL;

-- The row that log-ins of one subject lock when their number of sessions is limited.
CREATE TABLE auth_subjects (
    subject    TEXT NOT NULL PRIMARY KEY,
    expires_at TEXT NOT NULL
);
CREATE INDEX auth_subjects_expires_at ON auth_subjects (expires_at);

-- The deny-list.
CREATE TABLE auth_denied (
    id           TEXT NOT NULL PRIMARY KEY,
    denied_until TEXT NOT NULL
);
CREATE INDEX auth_denied_until ON auth_denied (denied_until);
