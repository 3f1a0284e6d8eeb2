-- +goose Up
CREATE TABLE users (
  id                TEXT PRIMARY KEY,
  username          TEXT NOT NULL,
  email             TEXT NOT NULL,
  full_name         TEXT NOT NULL DEFAULT '',
  role              TEXT NOT NULL,
  password_hash     TEXT NOT NULL,
  email_verified_at TIMESTAMP,
  disabled_at       TIMESTAMP,
  last_login_at     TIMESTAMP,
  terms_accepted_at TIMESTAMP,
  version           INTEGER NOT NULL DEFAULT 1,
  created_at        TIMESTAMP NOT NULL,
  updated_at        TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email);
CREATE UNIQUE INDEX users_username ON users (lower(username));

-- +goose Down
DROP TABLE users;
