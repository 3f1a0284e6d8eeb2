-- +goose Up
CREATE TABLE users (
  id                TEXT PRIMARY KEY,
  username          TEXT NOT NULL,
  email             TEXT NOT NULL,
  full_name         TEXT NOT NULL DEFAULT '',
  role              TEXT NOT NULL,
  password_hash     TEXT NOT NULL,
  email_verified_at TIMESTAMPTZ,
  disabled_at       TIMESTAMPTZ,
  last_login_at     TIMESTAMPTZ,
  terms_accepted_at TIMESTAMPTZ,
  version           BIGINT NOT NULL DEFAULT 1,
  created_at        TIMESTAMPTZ NOT NULL,
  updated_at        TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email);
CREATE UNIQUE INDEX users_username ON users (lower(username));

-- +goose Down
DROP TABLE users;
