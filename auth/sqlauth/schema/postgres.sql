-- One row per session. A rotation touches no indexed column, so PostgreSQL keeps it on its page.
CREATE TABLE auth_sessions (
    id              TEXT COLLATE "C" PRIMARY KEY,
    subject         TEXT COLLATE "C" NOT NULL,
    tenant          TEXT NOT NULL,
    client_id       TEXT NOT NULL,
    methods         TEXT NOT NULL,
    attributes      TEXT NOT NULL,
    generation      BIGINT NOT NULL,
    hash            TEXT COLLATE "C" NOT NULL,
    previous_hash   TEXT COLLATE "C" NOT NULL,
    salt            TEXT NOT NULL,
    replays         BIGINT NOT NULL,
    auth_time       TIMESTAMPTZ NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    last_used_at    TIMESTAMPTZ NOT NULL,
    idle_expires_at TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    revoked_at      TIMESTAMPTZ,
    revoke_reason   TEXT NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX auth_sessions_subject ON auth_sessions (subject, created_at, id) WHERE revoked_at IS NULL;
CREATE INDEX auth_sessions_expires_at ON auth_sessions (expires_at);
CREATE INDEX auth_sessions_revoked_at ON auth_sessions (revoked_at) WHERE revoked_at IS NOT NULL;

-- The row that log-ins of one subject lock when their number of sessions is limited.
CREATE TABLE auth_subjects (
    subject    TEXT COLLATE "C" PRIMARY KEY,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX auth_subjects_expires_at ON auth_subjects (expires_at);

-- The deny-list.
CREATE TABLE auth_denied (
    id           TEXT COLLATE "C" PRIMARY KEY,
    denied_until TIMESTAMPTZ NOT NULL
);
CREATE INDEX auth_denied_until ON auth_denied (denied_until);
