package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
)

const insertUser = `
INSERT INTO users (id, username, email, full_name, role, password_hash, email_verified_at, terms_accepted_at,
    search, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING`

// createUser reports false when the address or the username is taken.
func createUser(ctx context.Context, db sqldb.DB, u User) (bool, error) {
	now := sqldb.At(u.CreatedAt)
	inserted, err := db.Exec(ctx, insertUser,
		u.ID, u.Username, u.Email, u.FullName, u.Role, u.PasswordHash, sqldb.AtPtr(u.VerifiedAt),
		sqldb.AtPtr(u.TermsAt), u.search(), now, now)
	if err != nil {
		return false, fmt.Errorf("identity: insert user: %w", err)
	}
	return inserted == 1, nil
}

const insertMember = `
INSERT INTO company_members (id, user_id, company_id, role, is_active, invited_by, created_at, updated_at)
VALUES ($1, $2, $3, $4, TRUE, $5, $6, $7)
ON CONFLICT DO NOTHING`

// createMember returns ErrAlreadyMember when the account has a membership, in whichever company.
// invitedBy may be empty.
func createMember(ctx context.Context, db sqldb.DB, userID, companyID, role, invitedBy string, now time.Time) error {
	var inviter *string
	if invitedBy != "" {
		inviter = &invitedBy
	}
	inserted, err := db.Exec(ctx, insertMember, uuid7.New(now), userID, companyID, role, inviter, sqldb.At(now), sqldb.At(now))
	if err != nil {
		return fmt.Errorf("identity: insert member: %w", err)
	}
	if inserted == 0 {
		return ErrAlreadyMember
	}
	return nil
}

const userColumns = `SELECT u.id, u.username, u.email, u.full_name, u.role, u.password_hash,
       COALESCE(u.pending_email, ''), u.email_verified_at, u.disabled_at, u.version, u.created_at, u.updated_at
  FROM users AS u`

const (
	selectUserByID       = userColumns + ` WHERE u.deleted_at IS NULL AND u.id = $1`
	selectUserByEmail    = userColumns + ` WHERE u.deleted_at IS NULL AND u.email = $1`
	selectUserByUsername = userColumns + ` WHERE u.deleted_at IS NULL AND lower(u.username) = $1`
)

// findUser returns an error that wraps sql.ErrNoRows when there is no such account.
func findUser(ctx context.Context, db sqldb.DB, query, key string) (User, error) {
	var u User
	var verified, disabled, created, updated sqldb.Time
	err := db.QueryRow(ctx, query, key).Scan(&u.ID, &u.Username, &u.Email, &u.FullName, &u.Role,
		&u.PasswordHash, &u.PendingEmail, &verified, &disabled, &u.Version, &created, &updated)
	if err != nil {
		return User{}, fmt.Errorf("identity: find user: %w", err)
	}
	u.VerifiedAt, u.DisabledAt = verified.Ptr(), disabled.Ptr()
	u.CreatedAt, u.UpdatedAt = created.Time, updated.Time
	return u, nil
}

const selectMembership = `
SELECT m.company_id, m.role FROM company_members AS m
 WHERE m.user_id = $1 AND m.is_active = TRUE AND m.deleted_at IS NULL`

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
UPDATE users SET password_hash = $1, updated_at = $2 WHERE id = $3 AND password_hash = $4 AND deleted_at IS NULL`

func replacePasswordHash(ctx context.Context, db sqldb.DB, userID, oldHash, newHash string, now time.Time) error {
	if _, err := db.Exec(ctx, updatePasswordHash, newHash, sqldb.At(now), userID, oldHash); err != nil {
		return fmt.Errorf("identity: rehash password: %w", err)
	}
	return nil
}
