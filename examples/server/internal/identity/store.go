package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/sqldb"
)

const insertUser = `
INSERT INTO users (id, username, email, full_name, role, password_hash, terms_accepted_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING`

// createUser reports false when the address or the username is taken.
func createUser(ctx context.Context, db sqldb.DB, u User) (bool, error) {
	now := sqldb.At(u.CreatedAt)
	inserted, err := db.Exec(ctx, insertUser,
		u.ID, u.Username, u.Email, u.FullName, u.Role, u.PasswordHash, now, now, now)
	if err != nil {
		return false, fmt.Errorf("identity: insert user: %w", err)
	}
	return inserted == 1, nil
}

const insertMember = `
INSERT INTO company_members (id, user_id, company_id, role, is_active, created_at, updated_at)
VALUES ($1, $2, $3, $4, TRUE, $5, $6)`

func createMember(ctx context.Context, db sqldb.DB, id, userID, companyID, role string, now time.Time) error {
	_, err := db.Exec(ctx, insertMember, id, userID, companyID, role, sqldb.At(now), sqldb.At(now))
	if err != nil {
		return fmt.Errorf("identity: insert member: %w", err)
	}
	return nil
}

const userColumns = `SELECT u.id, u.username, u.email, u.full_name, u.role, u.password_hash,
       u.email_verified_at, u.disabled_at, u.created_at, u.updated_at
  FROM users AS u`

const (
	selectUserByID       = userColumns + ` WHERE u.id = $1`
	selectUserByEmail    = userColumns + ` WHERE u.email = $1`
	selectUserByUsername = userColumns + ` WHERE lower(u.username) = $1`
)

// findUser returns an error that wraps sql.ErrNoRows when there is no such account.
func findUser(ctx context.Context, db sqldb.DB, query, key string) (User, error) {
	var u User
	var verified, disabled, created, updated sqldb.Time
	err := db.QueryRow(ctx, query, key).Scan(&u.ID, &u.Username, &u.Email, &u.FullName, &u.Role,
		&u.PasswordHash, &verified, &disabled, &created, &updated)
	if err != nil {
		return User{}, fmt.Errorf("identity: find user: %w", err)
	}
	u.VerifiedAt, u.DisabledAt = verified.Ptr(), disabled.Ptr()
	u.CreatedAt, u.UpdatedAt = created.Time, updated.Time
	return u, nil
}

const selectMembership = `
SELECT m.company_id, m.role FROM company_members AS m
 WHERE m.user_id = $1 AND m.is_active = TRUE`

// findMembership returns an error that wraps sql.ErrNoRows when the user belongs to no company.
func findMembership(ctx context.Context, db sqldb.DB, userID string) (companyID, role string, err error) {
	if err := db.QueryRow(ctx, selectMembership, userID).Scan(&companyID, &role); err != nil {
		return "", "", fmt.Errorf("identity: find membership: %w", err)
	}
	return companyID, role, nil
}

const updateLastLogin = `UPDATE users SET last_login_at = $1 WHERE id = $2`

func touchLastLogin(ctx context.Context, db sqldb.DB, userID string, now time.Time) error {
	if _, err := db.Exec(ctx, updateLastLogin, sqldb.At(now), userID); err != nil {
		return fmt.Errorf("identity: last log-in: %w", err)
	}
	return nil
}

// The old hash in the condition keeps a rehash from undoing a password change made meanwhile.
const updatePasswordHash = `
UPDATE users SET password_hash = $1, updated_at = $2 WHERE id = $3 AND password_hash = $4`

func replacePasswordHash(ctx context.Context, db sqldb.DB, userID, oldHash, newHash string, now time.Time) error {
	if _, err := db.Exec(ctx, updatePasswordHash, newHash, sqldb.At(now), userID, oldHash); err != nil {
		return fmt.Errorf("identity: rehash password: %w", err)
	}
	return nil
}
