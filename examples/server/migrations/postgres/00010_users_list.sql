-- +goose Up

-- The list of accounts, newest first.
CREATE INDEX users_created_at ON users (created_at, id) WHERE deleted_at IS NULL;

-- +goose Down
DROP INDEX users_created_at;
