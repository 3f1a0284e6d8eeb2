-- +goose Up
CREATE TABLE company_members (
  id         TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users (id),
  company_id TEXT NOT NULL REFERENCES companies (id),
  role       TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
  is_active  BOOLEAN NOT NULL,
  version    INTEGER NOT NULL DEFAULT 1,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX company_members_user ON company_members (user_id);
CREATE INDEX company_members_company ON company_members (company_id, created_at, user_id);

-- +goose Down
DROP TABLE company_members;
