-- Single-use tokens: one live token for each purpose and subject.
CREATE TABLE auth_one_time (
    purpose    TEXT COLLATE "C" NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    hash       TEXT COLLATE "C" NOT NULL UNIQUE,
    data       TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (purpose, subject)
);
CREATE INDEX auth_one_time_expires_at ON auth_one_time (expires_at);
