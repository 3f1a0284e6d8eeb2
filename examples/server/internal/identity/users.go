package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// deletedUserID is the account that owns what purged accounts leave behind. To administrators it is
// not there.
const deletedUserID = "00000000-0000-7000-8000-000000000000"

// An AccountView is an account as administrators see it.
type AccountView struct {
	User
	LastLoginAt *time.Time
	CompanyID   string // "" without a membership; one that is suspended counts
	CompanyName string
	CompanyRole string
}

const (
	accountColumns = `u.id, u.username, u.email, u.full_name, u.role, u.password_hash, u.pending_email, u.email_verified_at,
       u.disabled_at, u.version, u.created_at, u.updated_at, u.last_login_at, COALESCE(m.company_id, ''), COALESCE(m.role, '')`
	// The sub-select gives names to what can be filtered by.
	accountTables = `(SELECT id, username, email, full_name, role, password_hash, COALESCE(pending_email, '') AS pending_email,
         email_verified_at, disabled_at, version, created_at, updated_at, last_login_at, search,
         email_verified_at IS NOT NULL AS is_verified, disabled_at IS NOT NULL AS is_disabled
    FROM users WHERE deleted_at IS NULL) AS u
  LEFT JOIN company_members AS m ON m.user_id = u.id AND m.deleted_at IS NULL`
	selectAccount = `SELECT ` + accountColumns + ` FROM ` + accountTables + ` WHERE u.id = $1`
)

func userList() pagination.Config {
	return pagination.Config{
		Sortable: []pagination.Field{{Name: "created_at", Column: "u.created_at", Kind: pagination.Time}},
		Filterable: []pagination.Field{
			{Name: "role", Column: "u.role"},
			{Name: "is_verified", Column: "u.is_verified", Kind: pagination.Bool},
			{Name: "is_disabled", Column: "u.is_disabled", Kind: pagination.Bool},
			{Name: "company_id", Column: "m.company_id", Kind: pagination.UUID, Nullable: true},
		},
		DefaultSort: "-created_at",
		TieBreaker:  pagination.Field{Name: "id", Column: "u.id", Kind: pagination.UUID},
		Search:      pagination.Search{Columns: []string{"u.search"}},
	}
}

func userSelect() pagination.Select {
	return pagination.Select{
		Columns: accountColumns, From: accountTables, Where: "u.id <> $1", Args: []any{deletedUserID},
	}
}

// Accounts returns a page of all accounts.
func (s *Service) Accounts(ctx context.Context, parameters url.Values) (pagination.Page[AccountView], error) {
	query, err := s.userList.Parse(parameters)
	if err != nil {
		return pagination.Page[AccountView]{}, err
	}
	page, err := lists.Page(ctx, s.db, query, userSelect(), scanAccount)
	if err != nil {
		return page, err
	}
	return page, s.nameCompanies(ctx, s.db, page.Items)
}

// Account returns an account as administrators see it. ErrNotFound when there is none.
func (s *Service) Account(ctx context.Context, id string) (AccountView, error) {
	return s.findAccount(ctx, s.db, id)
}

func (s *Service) findAccount(ctx context.Context, db sqldb.DB, id string) (AccountView, error) {
	if !uuid7.Valid(id) || id == deletedUserID {
		return AccountView{}, ErrNotFound
	}
	view, err := scanAccount(db.QueryRow(ctx, selectAccount, id))
	if errors.Is(err, sql.ErrNoRows) {
		return AccountView{}, ErrNotFound
	}
	if err != nil {
		return AccountView{}, fmt.Errorf("identity: find account: %w", err)
	}
	views := []AccountView{view}
	err = s.nameCompanies(ctx, db, views)
	return views[0], err
}

func scanAccount(row pagination.Scanner) (AccountView, error) {
	var v AccountView
	var verified, disabled, created, updated, login sqldb.Time
	err := row.Scan(&v.ID, &v.Username, &v.Email, &v.FullName, &v.Role, &v.PasswordHash, &v.PendingEmail, &verified,
		&disabled, &v.Version, &created, &updated, &login, &v.CompanyID, &v.CompanyRole)
	v.VerifiedAt, v.DisabledAt, v.LastLoginAt = verified.Ptr(), disabled.Ptr(), login.Ptr()
	v.CreatedAt, v.UpdatedAt = created.Time, updated.Time
	return v, err
}

// nameCompanies asks the domain of companies once for all views.
func (s *Service) nameCompanies(ctx context.Context, db sqldb.DB, views []AccountView) error {
	var ids []string
	for _, v := range views {
		if v.CompanyID != "" {
			ids = append(ids, v.CompanyID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	names, err := s.companies.Names(ctx, db, ids)
	if err != nil {
		return fmt.Errorf("identity: names of companies: %w", err)
	}
	for i := range views {
		views[i].CompanyName = names[views[i].CompanyID]
	}
	return nil
}
