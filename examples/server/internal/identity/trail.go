package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Types of entities in the audit trail.
const (
	entityUser    = "user"
	entityMember  = "member" // the id is that of the account
	entityInvite  = "invite"
	entitySession = "session"
	entityCompany = "company"
)

func userEntity(id string) audit.Entity { return audit.Entity{Type: entityUser, ID: id} }

// record writes the entry of a change inside its transaction. A nil before is a creation, a nil after
// a deletion; values that show the same leave no entry.
func (s *Service) record(ctx context.Context, tx sqldb.DB, e audit.Event, before, after any) error {
	if err := s.audit.ChangeTo(ctx, sqlaudit.On(tx), e, before, after); err != nil {
		return fmt.Errorf("identity: audit %s: %w", e.Action, err)
	}
	return nil
}

// recordAct writes the entry of a change that is its own description, inside its transaction.
func (s *Service) recordAct(ctx context.Context, tx sqldb.DB, e audit.Event) error {
	if err := s.audit.LogTo(ctx, sqlaudit.On(tx), e); err != nil {
		return fmt.Errorf("identity: audit %s: %w", e.Action, err)
	}
	return nil
}

// note writes the entry of something that has happened already. It never fails: the logger reports
// what could not be written.
func (s *Service) note(ctx context.Context, e audit.Event) { _ = s.audit.Log(ctx, e) }

// by returns an account as the actor of an entry, with the company it belongs to; for requests that
// prove by a mailed token or a password who they are.
func (s *Service) by(ctx context.Context, db sqldb.DB, userID string) (audit.Actor, error) {
	companyID, _, err := findMembership(ctx, db, userID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return audit.Actor{}, err
	}
	return trail.User(userID, companyID), nil
}

// noteSession writes the entry of what happened to a session. Unless the request is that of a signed-in
// account, it is by the holder of the session itself.
func (s *Service) noteSession(ctx context.Context, action string, outcome audit.Outcome, userID, sessionID string) {
	e := audit.Event{Action: action, Outcome: outcome, Entity: audit.Entity{Type: entitySession, ID: sessionID}}
	if _, signedIn := audit.ActorFrom(ctx); !signedIn {
		var err error
		if e.Actor, err = s.by(ctx, s.db, userID); err != nil {
			s.logger.WarnContext(ctx, "membership not found for the audit trail", slog.Any("error", err))
			e.Actor = trail.User(userID, "")
		}
		e.Request, _ = audit.RequestOf(ctx)
		e.Request.SessionID = sessionID
	}
	s.note(ctx, e)
}

// noteLogIn writes the entry of a log-in.
func (s *Service) noteLogIn(ctx context.Context, access Access) {
	s.note(WithAccess(ctx, access), audit.Event{
		Action: trail.LogIn, Entity: audit.Entity{Type: entitySession, ID: access.SessionID},
	})
}

// noteLogInFailure writes the entry of a log-in that was refused. The account is looked up once more
// for it, known or not, so that the time of the answer tells nothing.
func (s *Service) noteLogInFailure(ctx context.Context, login string, refusal error) {
	e := audit.Event{Action: trail.LogInFailed, Outcome: audit.Failure, Reason: fault.CodeOf(refusal)}
	if e.Reason != fault.InvalidCredentials {
		e.Outcome = audit.Denied
	}
	if account, err := s.lookup(ctx, login); err == nil {
		e.Entity = userEntity(account.ID)
	}
	s.note(ctx, e)
}

// onEvent keeps what package auth has noticed: the end of a session that somebody wanted, and a refresh
// token that came back, of which the user is told as well.
func (s *Service) onEvent(ctx context.Context, e auth.Event) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), eventTimeout)
	defer cancel()
	switch {
	case e.Type == auth.EventRevoke && e.Reason == auth.ReasonLogout:
		s.noteSession(ctx, trail.LogOut, audit.Success, e.Subject, e.SessionID)
	case e.Type == auth.EventRevoke && e.Reason == auth.ReasonRevoked:
		s.noteSession(ctx, trail.SessionRevoke, audit.Success, e.Subject, e.SessionID)
	case e.Type == auth.EventReuse:
		s.noteSession(ctx, trail.RefreshReuse, audit.Denied, e.Subject, e.SessionID)
		s.alert(ctx, e.Subject)
	}
}

// userRecord is what the trail shows of an account. Who it is can be looked up while it exists.
type userRecord struct {
	Username     string `json:"username" audit:"redact"`
	Email        string `json:"email" audit:"redact"`
	PendingEmail string `json:"pending_email,omitempty" audit:"redact"`
	FullName     string `json:"full_name" audit:"redact"`
	Password     string `json:"password,omitempty"`
	Role         string `json:"role"`
	Verified     bool   `json:"is_verified"`
	Disabled     bool   `json:"is_disabled"`
}

func newUserRecord(u User) userRecord {
	return userRecord{
		Username: u.Username, Email: u.Email, PendingEmail: u.PendingEmail, FullName: u.FullName, Password: u.PasswordHash,
		Role: u.Role, Verified: u.VerifiedAt != nil, Disabled: u.DisabledAt != nil,
	}
}

// memberRecord is what the trail shows of a membership.
type memberRecord struct {
	Role   string `json:"role"`
	Active bool   `json:"is_active"`
}

func newMemberRecord(m Member) memberRecord { return memberRecord{Role: m.Role, Active: m.Active} }

// inviteRecord is what the trail shows of an invitation.
type inviteRecord struct {
	Email     string    `json:"email" audit:"redact"`
	FullName  string    `json:"full_name" audit:"redact"`
	Role      string    `json:"role"`
	Status    string    `json:"status"`
	ExpiresAt time.Time `json:"expires_at"`
}

func newInviteRecord(i Invite, now time.Time) inviteRecord {
	return inviteRecord{Email: i.Email, FullName: i.FullName, Role: i.Role, Status: i.Status(now), ExpiresAt: i.ExpiresAt}
}

// inviteState is what the trail shows of an invitation that is taken back.
type inviteState struct {
	Status string `json:"status"`
}

// companyRecord is what the trail shows of a company that is founded.
type companyRecord struct {
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// Names returns the usernames of accounts by id, for those that exist, deleted ones included.
func (s *Service) Names(ctx context.Context, ids []string) (names map[string]string, err error) {
	names = make(map[string]string, len(ids))
	for _, id := range ids {
		names[id] = ""
	}
	if len(names) == 0 {
		return names, nil
	}
	marks, args := make([]string, 0, len(names)), make([]any, 0, len(names))
	for id := range names {
		args = append(args, id)
		marks = append(marks, "$"+strconv.Itoa(len(args)))
	}
	rows, err := s.db.Query(ctx, selectNames+"("+strings.Join(marks, ", ")+")", args...)
	if err != nil {
		return nil, fmt.Errorf("identity: names: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id, name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, fmt.Errorf("identity: names: %w", err)
		}
		names[id] = name
	}
	return names, rows.Err()
}

const selectNames = `SELECT u.id, u.username FROM users AS u WHERE u.id IN `
