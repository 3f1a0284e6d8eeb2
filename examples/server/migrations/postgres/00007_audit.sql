-- +goose Up

-- A copy of what audit/sqlaudit.Schema returned; a test compares the columns.
-- The events. Insert-only; pos is the order of insertion, with gaps where a transaction rolled back.
CREATE TABLE audit_events (
    pos          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           TEXT COLLATE "C" NOT NULL UNIQUE,
    at           TIMESTAMPTZ NOT NULL,
    tenant       TEXT COLLATE "C" NOT NULL,
    actor_type   TEXT COLLATE "C" NOT NULL,
    actor_id     TEXT COLLATE "C" NOT NULL,
    actor_name   TEXT COLLATE "C" NOT NULL,
    on_behalf_of TEXT COLLATE "C" NOT NULL,
    actor_tenant TEXT COLLATE "C" NOT NULL,
    action       TEXT COLLATE "C" NOT NULL,
    entity_type  TEXT COLLATE "C" NOT NULL,
    entity_id    TEXT COLLATE "C" NOT NULL,
    outcome      TEXT COLLATE "C" NOT NULL,
    reason       TEXT COLLATE "C" NOT NULL,
    class        TEXT COLLATE "C" NOT NULL,
    request_id   TEXT COLLATE "C" NOT NULL,
    session_id   TEXT COLLATE "C" NOT NULL,
    ip           TEXT COLLATE "C" NOT NULL,
    user_agent   TEXT COLLATE "C" NOT NULL,
    method       TEXT COLLATE "C" NOT NULL,
    path         TEXT COLLATE "C" NOT NULL,
    changes      TEXT COLLATE "C" NOT NULL,
    data         TEXT COLLATE "C" NOT NULL,
    truncated    BOOLEAN NOT NULL
);
CREATE INDEX audit_events_at ON audit_events (at, id);
CREATE INDEX audit_events_tenant ON audit_events (tenant, at, id);
CREATE INDEX audit_events_entity ON audit_events (entity_type, entity_id, at, id);
CREATE INDEX audit_events_actor ON audit_events (actor_id, at, id);
CREATE INDEX audit_events_request ON audit_events (request_id) WHERE request_id <> '';
-- +goose StatementBegin
CREATE FUNCTION audit_events_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''audit events are insert-only''; END';
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_events_insert_only BEFORE UPDATE ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_events_refuse();
-- +goose StatementEnd

-- The chain: one row per sealed event.
CREATE TABLE audit_chain (
    chain    TEXT COLLATE "C" NOT NULL,
    seq      BIGINT NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL UNIQUE,
    key_id   TEXT COLLATE "C" NOT NULL,
    prev     TEXT COLLATE "C" NOT NULL,
    hash     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (chain, seq)
);

-- The end of each chain and, after a purge, its beginning.
CREATE TABLE audit_heads (
    chain       TEXT COLLATE "C" PRIMARY KEY,
    seq         BIGINT NOT NULL,
    hash        TEXT COLLATE "C" NOT NULL,
    key_id      TEXT COLLATE "C" NOT NULL,
    mac         TEXT COLLATE "C" NOT NULL,
    base_seq    BIGINT NOT NULL,
    base_hash   TEXT COLLATE "C" NOT NULL,
    base_key_id TEXT COLLATE "C" NOT NULL,
    base_mac    TEXT COLLATE "C" NOT NULL
);

-- Signed copies of heads. Those that count are kept elsewhere.
CREATE TABLE audit_checkpoints (
    chain     TEXT COLLATE "C" NOT NULL,
    seq       BIGINT NOT NULL,
    hash      TEXT COLLATE "C" NOT NULL,
    at        TIMESTAMPTZ NOT NULL,
    key_id    TEXT COLLATE "C" NOT NULL,
    signature TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (chain, seq)
);

-- How far the sealer has read, and the positions behind that which may still be committed.
CREATE TABLE audit_sealer (
    name TEXT COLLATE "C" PRIMARY KEY,
    seen BIGINT NOT NULL
);
CREATE TABLE audit_gaps (
    first_pos BIGINT PRIMARY KEY,
    last_pos  BIGINT NOT NULL,
    found_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX audit_gaps_found_at ON audit_gaps (found_at);

-- +goose Down
DROP TABLE audit_gaps;
DROP TABLE audit_sealer;
DROP TABLE audit_checkpoints;
DROP TABLE audit_heads;
DROP TABLE audit_chain;
DROP TABLE audit_events;
DROP FUNCTION audit_events_refuse();
