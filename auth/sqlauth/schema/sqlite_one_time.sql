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
