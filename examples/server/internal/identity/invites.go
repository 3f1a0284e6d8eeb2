package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/examples/server/internal/mail"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// inviteLife is how long an invitation can be accepted.
const inviteLife = 7 * 24 * time.Hour

// The states of an invitation.
const (
	InviteOpen     = "open"
	InviteAccepted = "accepted"
	InviteRevoked  = "revoked"
	InviteExpired  = "expired"
)

// An Invite asks somebody to join a company.
type Invite struct {
	ID         string
	CompanyID  string
	Email      string
	FullName   string
	Role       string
	InvitedBy  string
	ExpiresAt  time.Time
	AcceptedAt *time.Time
	RevokedAt  *time.Time
}

// Status returns the state at a time.
func (i Invite) Status(now time.Time) string {
	switch {
	case i.AcceptedAt != nil:
		return InviteAccepted
	case i.RevokedAt != nil:
		return InviteRevoked
	case !i.ExpiresAt.After(now):
		return InviteExpired
	}
	return InviteOpen
}

const inviteColumns = `i.id, i.company_id, i.email, i.full_name, i.role, i.invited_by, i.expires_at, i.accepted_at, i.revoked_at`

const (
	selectInvite        = `SELECT ` + inviteColumns + ` FROM company_invites AS i WHERE i.id = $1`
	selectInviteByToken = `SELECT ` + inviteColumns + ` FROM company_invites AS i WHERE i.sha256 = $1`
)

func scanInvite(row pagination.Scanner) (Invite, error) {
	var i Invite
	var expires, accepted, revoked sqldb.Time
	err := row.Scan(&i.ID, &i.CompanyID, &i.Email, &i.FullName, &i.Role, &i.InvitedBy, &expires, &accepted, &revoked)
	i.ExpiresAt, i.AcceptedAt, i.RevokedAt = expires.Time, accepted.Ptr(), revoked.Ptr()
	return i, err
}

// findInvite returns an error that wraps sql.ErrNoRows when there is no such invitation.
func findInvite(ctx context.Context, db sqldb.DB, query, key string) (Invite, error) {
	invite, err := scanInvite(db.QueryRow(ctx, query, key))
	if err != nil {
		return Invite{}, fmt.Errorf("identity: find invite: %w", err)
	}
	return invite, nil
}

// NewInvite says who is invited, as what.
type NewInvite struct {
	Email    string
	FullName string
	Role     string
}

const (
	// An invitation that ran out makes room for a new one to the same address.
	deleteExpiredInvite = `
DELETE FROM company_invites
 WHERE company_id = $1 AND email = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at <= $3`
	countMemberByEmail = `
SELECT COUNT(*) FROM company_members AS m JOIN users AS u ON u.id = m.user_id WHERE m.company_id = $1 AND m.deleted_at IS NULL AND u.email = $2`
	insertInvite = `
INSERT INTO company_invites (id, company_id, email, full_name, role, invited_by, expires_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING`
)

// Invite mails an invitation to the company of whoever is signed in. ErrMemberHere and
// ErrAlreadyInvited speak of this company only.
func (s *Service) Invite(ctx context.Context, access Access, in NewInvite) (Invite, error) {
	if s.mail == nil {
		return Invite{}, ErrNotConfigured
	}
	var faults []fault.Field
	email, ok := normalEmail(in.Email)
	if !ok {
		faults = append(faults, badEmail("#/email"))
	}
	name := strings.TrimSpace(in.FullName)
	if n := utf8.RuneCountInString(name); n < 1 || n > 200 {
		faults = append(faults, fault.Body("#/full_name", fault.FieldRequired, "Use 1 to 200 characters."))
	}
	if len(faults) > 0 {
		return Invite{}, fault.Invalid(faults...)
	}
	now := s.clock()
	invite := Invite{
		ID: uuid7.New(now), CompanyID: access.Company.ID, Email: email, FullName: name, Role: in.Role,
		InvitedBy: access.User.ID, ExpiresAt: now.Add(inviteLife),
	}
	err := s.db.InTx(ctx, func(tx sqldb.DB) error {
		if _, err := tx.Exec(ctx, deleteExpiredInvite, invite.CompanyID, email, sqldb.At(now)); err != nil {
			return fmt.Errorf("identity: delete expired invite: %w", err)
		}
		var here int64
		if err := tx.QueryRow(ctx, countMemberByEmail, invite.CompanyID, email).Scan(&here); err != nil {
			return fmt.Errorf("identity: find member: %w", err)
		}
		if here > 0 {
			return ErrMemberHere
		}
		inserted, err := tx.Exec(ctx, insertInvite, invite.ID, invite.CompanyID, email, name, invite.Role, invite.InvitedBy,
			sqldb.At(invite.ExpiresAt), sqldb.At(now), sqldb.At(now))
		if err != nil {
			return fmt.Errorf("identity: insert invite: %w", err)
		}
		if inserted == 0 {
			return ErrAlreadyInvited
		}
		err = s.record(ctx, tx, audit.Event{
			Action: trail.Invite, Entity: audit.Entity{Type: entityInvite, ID: invite.ID},
		}, nil, newInviteRecord(invite, now))
		if err != nil {
			return err
		}
		return s.enqueue(ctx, tx, companyInviteMail{invite.ID})
	})
	return invite, err
}

const (
	resendInvite = `
UPDATE company_invites SET sha256 = NULL, expires_at = $1, updated_at = $2
 WHERE id = $3 AND company_id = $4 AND accepted_at IS NULL AND revoked_at IS NULL`
	revokeInvite = `
UPDATE company_invites SET revoked_at = $1, updated_at = $2
 WHERE id = $3 AND company_id = $4 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $5`
)

// ResendInvite voids the token of an invitation, open or expired, and mails a new one for seven more
// days. ErrNotFound for one of another company, ErrInviteOver for one accepted or revoked.
func (s *Service) ResendInvite(ctx context.Context, companyID, id string) error {
	if s.mail == nil {
		return ErrNotConfigured
	}
	now := s.clock()
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		changed, err := tx.Exec(ctx, resendInvite, sqldb.At(now.Add(inviteLife)), sqldb.At(now), id, companyID)
		if err != nil {
			return fmt.Errorf("identity: resend invite: %w", err)
		}
		if changed == 0 {
			return inviteRefusal(ctx, tx, companyID, id)
		}
		invite, err := findInvite(ctx, tx, selectInvite, id)
		if err != nil {
			return err
		}
		err = s.record(ctx, tx, audit.Event{
			Action: trail.Invite, Reason: "mailed again", Entity: audit.Entity{Type: entityInvite, ID: id},
		}, nil, newInviteRecord(invite, now))
		if err != nil {
			return err
		}
		return s.enqueue(ctx, tx, companyInviteMail{id})
	})
}

// RevokeInvite takes an open invitation back. Errors as of ResendInvite.
func (s *Service) RevokeInvite(ctx context.Context, companyID, id string) error {
	now := sqldb.At(s.clock())
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		changed, err := tx.Exec(ctx, revokeInvite, now, now, id, companyID, now)
		if err != nil {
			return fmt.Errorf("identity: revoke invite: %w", err)
		}
		if changed == 0 {
			return inviteRefusal(ctx, tx, companyID, id)
		}
		return s.record(ctx, tx, audit.Event{
			Action: trail.InviteRevoke, Entity: audit.Entity{Type: entityInvite, ID: id},
		}, inviteState{InviteOpen}, inviteState{InviteRevoked})
	})
}

// inviteRefusal says why an invitation could not be changed.
func inviteRefusal(ctx context.Context, db sqldb.DB, companyID, id string) error {
	invite, err := findInvite(ctx, db, selectInvite, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && invite.CompanyID != companyID {
		return ErrNotFound
	}
	return errors.Join(err, whenTrue(err == nil, ErrInviteOver))
}

func inviteList() pagination.Config {
	return pagination.Config{
		Sortable:    []pagination.Field{{Name: "created_at", Column: "i.created_at", Kind: pagination.Time}},
		DefaultSort: "-created_at",
		TieBreaker:  pagination.Field{Name: "id", Column: "i.id", Kind: pagination.UUID},
	}
}

// inviteSelect selects the invitations of a company, those of one state unless it is empty.
func inviteSelect(companyID, state string, now sqldb.Time) pagination.Select {
	base := pagination.Select{
		Columns: inviteColumns, From: "company_invites AS i", Where: "i.company_id = $1", Args: []any{companyID},
	}
	switch state {
	case InviteOpen:
		base.Where += " AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $2"
		base.Args = append(base.Args, now)
	case InviteExpired:
		base.Where += " AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at <= $2"
		base.Args = append(base.Args, now)
	case InviteAccepted:
		base.Where += " AND i.accepted_at IS NOT NULL"
	case InviteRevoked:
		base.Where += " AND i.revoked_at IS NOT NULL"
	}
	return base
}

// Invites returns a page of the invitations of a company. The status depends on the time, so it is no
// column and its filter is read here.
func (s *Service) Invites(ctx context.Context, companyID string, parameters url.Values) (pagination.Page[Invite], error) {
	var none pagination.Page[Invite]
	state := ""
	switch status := parameters["status"]; {
	case len(status) > 1:
		return none, fault.Invalid(fault.Parameter("status", fault.FieldRepeatedParameter, "Send this parameter once."))
	case len(status) == 1:
		state = status[0]
		if !slices.Contains([]string{InviteOpen, InviteAccepted, InviteRevoked, InviteExpired}, state) {
			return none, fault.Invalid(fault.Parameter("status", fault.FieldNotAllowed, "Use open, accepted, revoked or expired."))
		}
		parameters = maps.Clone(parameters)
		delete(parameters, "status")
	}
	query, err := s.inviteList.Parse(parameters, companyID, state)
	if err != nil {
		return none, err
	}
	return lists.Page(ctx, s.db, query, inviteSelect(companyID, state, sqldb.At(s.clock())), scanInvite)
}

const mintInvite = `
UPDATE company_invites SET sha256 = $1, updated_at = $2
 WHERE id = $3 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $4`

// writeInvite mints the token of an invitation, which voids the older one, and writes the mail.
func (s *Service) writeInvite(ctx context.Context, a companyInviteMail) (mail.Message, error) {
	invite, err := findInvite(ctx, s.db, selectInvite, a.InviteID)
	if errors.Is(err, sql.ErrNoRows) {
		return mail.Message{}, nil
	}
	if err != nil {
		return mail.Message{}, err
	}
	company, err := s.companies.Company(ctx, s.db, invite.CompanyID)
	if errors.Is(err, sql.ErrNoRows) { // closed since
		return mail.Message{}, nil
	}
	if err != nil {
		return mail.Message{}, err
	}
	advice := "Choose a password there."
	holder, err := findUser(ctx, s.db, selectUserByEmail, invite.Email)
	switch {
	case err == nil && holder.VerifiedAt != nil:
		advice = "You have an account: use your password there."
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return mail.Message{}, err
	}
	var secret [32]byte
	rand.Read(secret[:]) // never fails: the runtime ends the program instead
	token := "ot_" + base64.RawURLEncoding.EncodeToString(secret[:])
	now := sqldb.At(s.clock())
	minted, err := s.db.Exec(ctx, mintInvite, inviteHash(token), now, invite.ID, now)
	if err != nil {
		return mail.Message{}, fmt.Errorf("identity: mint invite: %w", err)
	}
	if minted == 0 { // accepted, revoked or expired meanwhile
		return mail.Message{}, nil
	}
	return letter(invite.Email, "You are invited", "You are invited to join "+company.Name+". The link works until "+
		invite.ExpiresAt.UTC().Format("2 January 2006 15:04 MST")+":\n\n"+s.pageLink("accept-invite", token)+"\n\n"+advice), nil
}

// inviteHash is how a token is stored. It has 256 random bits, so a plain hash is enough.
func inviteHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
