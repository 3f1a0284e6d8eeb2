-- +goose Up

-- A copy of what audit/sqlaudit.Schema returned; a test compares the columns.
-- The events. Insert-only; pos is the order of insertion.
CREATE TABLE audit_events (
    pos          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    at           TEXT NOT NULL,
    tenant       TEXT NOT NULL,
    actor_type   TEXT NOT NULL,
    actor_id     TEXT NOT NULL,
    actor_name   TEXT NOT NULL,
    on_behalf_of TEXT NOT NULL,
    actor_tenant TEXT NOT NULL,
    action       TEXT NOT NULL,
    entity_type  TEXT NOT NULL,
    entity_id    TEXT NOT NULL,
    outcome      TEXT NOT NULL,
    reason       TEXT NOT NULL,
    class        TEXT NOT NULL,
    request_id   TEXT NOT NULL,
    session_id   TEXT NOT NULL,
    ip           TEXT NOT NULL,
    user_agent   TEXT NOT NULL,
    method       TEXT NOT NULL,
    path         TEXT NOT NULL,
    changes      TEXT NOT NULL,
    data         TEXT NOT NULL,
    truncated    BOOLEAN NOT NULL
);
CREATE INDEX audit_events_at ON audit_events (at, id);
CREATE INDEX audit_events_tenant ON audit_events (tenant, at, id);
CREATE INDEX audit_events_entity ON audit_events (entity_type, entity_id, at, id);
CREATE INDEX audit_events_actor ON audit_events (actor_id, at, id);
CREATE INDEX audit_events_request ON audit_events (request_id) WHERE request_id <> '';
-- +goose StatementBegin
CREATE TRIGGER audit_events_insert_only BEFORE UPDATE ON audit_events BEGIN SELECT RAISE(ABORT, 'audit events are insert-only'); END;
-- +goose StatementEnd

-- The chain: one row per sealed event.
CREATE TABLE audit_chain (
    chain    TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    event_id TEXT NOT NULL UNIQUE,
    key_id   TEXT NOT NULL,
    prev     TEXT NOT NULL,
    hash     TEXT NOT NULL,
    PRIMARY KEY (chain, seq)
);

-- The end of each chain and, after a purge, its beginning.
CREATE TABLE audit_heads (
    chain       TEXT NOT NULL PRIMARY KEY,
    seq         INTEGER NOT NULL,
    hash        TEXT NOT NULL,
    key_id      TEXT NOT NULL,
    mac         TEXT NOT NULL,
    base_seq    INTEGER NOT NULL,
    base_hash   TEXT NOT NULL,
    base_key_id TEXT NOT NULL,
    base_mac    TEXT NOT NULL
);

-- Signed copies of heads. Those that count are kept elsewhere.
CREATE TABLE audit_checkpoints (
    chain     TEXT NOT NULL,
    seq       INTEGER NOT NULL,
    hash      TEXT NOT NULL,
    at        TEXT NOT NULL,
    key_id    TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (chain, seq)
);

-- How far the sealer has read, and the positions behind that which may still be committed.
CREATE TABLE audit_sealer (
    name TEXT NOT NULL PRIMARY KEY,
    seen INTEGER NOT NULL
);
CREATE TABLE audit_gaps (
    first_pos INTEGER NOT NULL PRIMARY KEY,
    last_pos  INTEGER NOT NULL,
    found_at  TEXT NOT NULL
);
CREATE INDEX audit_gaps_found_at ON audit_gaps (found_at);

-- +goose Down
DROP TABLE audit_gaps;
DROP TABLE audit_sealer;
DROP TABLE audit_checkpoints;
DROP TABLE audit_heads;
DROP TABLE audit_chain;
DROP TABLE audit_events;
