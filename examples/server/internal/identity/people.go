package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// A Member is an account in its company.
type Member struct {
	UserID      string
	FullName    string
	Username    string
	Email       string
	Role        string
	Active      bool
	LastLoginAt *time.Time
	JoinedAt    time.Time
	Version     int64
}

// MemberPatch changes a membership.
type MemberPatch struct {
	Role     rest.Optional[string]
	IsActive rest.Optional[bool]
}

const (
	memberColumns = `m.user_id, u.full_name, u.username, u.email, m.role, m.is_active, u.last_login_at, m.created_at, m.version`
	memberTables  = `company_members AS m JOIN users AS u ON u.id = m.user_id AND u.deleted_at IS NULL`

	selectMember = `SELECT ` + memberColumns + ` FROM ` + memberTables + ` WHERE m.company_id = $1 AND m.deleted_at IS NULL AND m.user_id = $2`
)

func memberList() pagination.Config {
	return pagination.Config{
		Sortable: []pagination.Field{{Name: "created_at", Column: "m.created_at", Kind: pagination.Time}},
		Filterable: []pagination.Field{
			{Name: "role", Column: "m.role", Kind: pagination.Enum, Enum: companyRoles()},
			{Name: "is_active", Column: "m.is_active", Kind: pagination.Bool},
		},
		DefaultSort: "-created_at",
		TieBreaker:  pagination.Field{Name: "user_id", Column: "m.user_id", Kind: pagination.UUID},
		Search:      pagination.Search{Columns: []string{"u.search"}},
	}
}

func memberSelect(companyID string) pagination.Select {
	return pagination.Select{
		Columns: memberColumns, From: memberTables, Where: "m.company_id = $1 AND m.deleted_at IS NULL", Args: []any{companyID},
	}
}

func companyRoles() []string { return []string{CompanyOwner, CompanyAdmin, CompanyMember} }

// Members returns a page of the people of a company.
func (s *Service) Members(ctx context.Context, companyID string, parameters url.Values) (pagination.Page[Member], error) {
	query, err := s.memberList.Parse(parameters, companyID)
	if err != nil {
		return pagination.Page[Member]{}, err
	}
	return lists.Page(ctx, s.db, query, memberSelect(companyID), scanMember)
}

func scanMember(row pagination.Scanner) (Member, error) {
	var m Member
	var login, joined sqldb.Time
	err := row.Scan(&m.UserID, &m.FullName, &m.Username, &m.Email, &m.Role, &m.Active, &login, &joined, &m.Version)
	m.LastLoginAt, m.JoinedAt = login.Ptr(), joined.Time
	return m, err
}

func findMember(ctx context.Context, db sqldb.DB, companyID, userID string) (Member, error) {
	member, err := scanMember(db.QueryRow(ctx, selectMember, companyID, userID))
	if errors.Is(err, sql.ErrNoRows) {
		return Member{}, ErrNotFound
	}
	if err != nil {
		return Member{}, fmt.Errorf("identity: find member: %w", err)
	}
	return member, nil
}

// Two owners who demote each other at the same moment would each count on the other: whoever changes
// memberships locks the rows of all owners first and waits for the other's commit.
const lockOwners = `UPDATE company_members SET version = version WHERE company_id = $1 AND role = 'owner'`

// otherOwner is the guard of every statement that may take an owner away: the row is none, or there is
// another who can act.
const otherOwner = ` AND (role <> 'owner' OR is_active = FALSE OR EXISTS (
       SELECT 1 FROM company_members AS o JOIN users AS ou ON ou.id = o.user_id
        WHERE o.company_id = company_members.company_id AND o.user_id <> company_members.user_id
          AND o.role = 'owner' AND o.is_active = TRUE AND o.deleted_at IS NULL AND ou.disabled_at IS NULL
          AND ou.deleted_at IS NULL))`

const (
	updateMember = `
UPDATE company_members SET role = $1, is_active = $2, updated_at = $3, version = version + 1
 WHERE company_id = $4 AND user_id = $5 AND deleted_at IS NULL`
	// A deletion of its own, in one statement with its guard; see package softdelete for the columns.
	deleteMember = `
UPDATE company_members SET deleted_at = $1, deleted_by = $2, deletion_id = $3
 WHERE company_id = $4 AND user_id = $5 AND deleted_at IS NULL`
)

// UpdateMember changes role and activity of a member and ends his sessions. Errors: ErrNotFound,
// ErrStaleVersion, ErrLastOwner.
func (s *Service) UpdateMember(ctx context.Context, companyID, userID string, match rest.Match, patch MemberPatch) (Member, error) {
	if faults := patch.faults(); len(faults) > 0 {
		return Member{}, fault.Invalid(faults...)
	}
	var member Member
	changed := false
	err := s.changeMember(ctx, companyID, userID, match, func(tx sqldb.DB, old Member) error {
		member = patch.apply(old)
		if changed = member != old; !changed {
			return nil
		}
		text := updateMember
		if member.Role != CompanyOwner || !member.Active {
			text += otherOwner
		}
		member.Version++
		n, err := tx.Exec(ctx, text, member.Role, member.Active, sqldb.At(s.clock()), companyID, userID)
		if err != nil {
			return fmt.Errorf("identity: change member: %w", err)
		}
		if n == 0 {
			return ErrLastOwner
		}
		return s.record(ctx, tx, audit.Event{
			Action: trail.MemberChange, Entity: audit.Entity{Type: entityMember, ID: userID},
		}, newMemberRecord(old), newMemberRecord(member))
	})
	if err == nil && changed {
		err = s.endSessions(ctx, userID)
	}
	return member, err
}

// EndMembership takes an account out of its company and ends its sessions; the account stays. Errors
// as of UpdateMember.
func (s *Service) EndMembership(ctx context.Context, companyID, userID string, match rest.Match) error {
	err := s.changeMember(ctx, companyID, userID, match, func(tx sqldb.DB, old Member) error {
		n, err := tx.Exec(ctx, deleteMember+otherOwner,
			sqldb.At(s.clock()), trail.By(ctx), uuid7.New(s.clock()), companyID, userID)
		if err != nil {
			return fmt.Errorf("identity: change member: %w", err)
		}
		if n == 0 {
			return ErrLastOwner
		}
		return s.record(ctx, tx, audit.Event{
			Action: trail.MemberRemove, Entity: audit.Entity{Type: entityMember, ID: userID},
		}, newMemberRecord(old), nil)
	})
	if err != nil {
		return err
	}
	return s.endSessions(ctx, userID)
}

func (s *Service) changeMember(
	ctx context.Context, companyID, userID string, match rest.Match, change func(sqldb.DB, Member) error,
) error {
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		if _, err := tx.Exec(ctx, lockOwners, companyID); err != nil {
			return fmt.Errorf("identity: lock owners: %w", err)
		}
		member, err := findMember(ctx, tx, companyID, userID)
		if err != nil {
			return err
		}
		if !match.Accepts(strconv.FormatInt(member.Version, 10)) {
			return ErrStaleVersion
		}
		return change(tx, member)
	})
}

func (p MemberPatch) faults() (faults []fault.Field) {
	if p.Role.Null {
		faults = append(faults, notNullable("#/role"))
	}
	if p.IsActive.Null {
		faults = append(faults, notNullable("#/is_active"))
	}
	return faults
}

func (p MemberPatch) apply(m Member) Member {
	if p.Role.Sent {
		m.Role = p.Role.Value
	}
	if p.IsActive.Sent {
		m.Active = p.IsActive.Value
	}
	return m
}

const countMemberships = `SELECT COUNT(*) FROM company_members WHERE user_id = $1 AND deleted_at IS NULL`

// FoundCompany makes a company for an account that belongs to none, as its owner. The account's access
// token says so after the next refresh. Without an address of its own the company has the account's.
// ErrAlreadyMember when it belongs to one.
func (s *Service) FoundCompany(ctx context.Context, user User, company NewCompany, acceptTerms bool) (Company, error) {
	var faults []fault.Field
	if !acceptTerms {
		faults = append(faults, fault.Body("#/accept_terms", fault.FieldNotAllowed, "Accept the terms to go on."))
	}
	if company.Email == "" {
		company.Email = user.Email
	}
	email, ok := normalEmail(company.Email)
	if !ok {
		faults = append(faults, badEmail("#/email"))
	}
	if len(faults) > 0 {
		return Company{}, fault.Invalid(faults...)
	}
	company.Email, company.NamePointer = email, "#/name"
	var made Company
	err := s.db.InTx(ctx, func(tx sqldb.DB) (err error) {
		var memberships int64
		if err := tx.QueryRow(ctx, countMemberships, user.ID).Scan(&memberships); err != nil {
			return fmt.Errorf("identity: find membership: %w", err)
		}
		if memberships > 0 {
			return ErrAlreadyMember // which it would be told below, but after faults of the new company
		}
		if made, err = s.companies.Create(ctx, tx, company); err != nil {
			return err
		}
		if err := createMember(ctx, tx, user.ID, made.ID, CompanyOwner, "", s.clock()); err != nil {
			return err
		}
		return s.record(ctx, tx, audit.Event{
			Action: trail.Create, Tenant: made.ID, Actor: trail.User(user.ID, made.ID),
			Entity: audit.Entity{Type: entityCompany, ID: made.ID},
		}, nil, companyRecord{Name: made.Name, Slug: made.Slug})
	})
	return made, err
}
