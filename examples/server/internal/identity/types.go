package identity

import (
	"context"
	"net/http"
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Faults of this domain that callers branch on. Each knows its status and code.
var (
	ErrUnauthenticated    = challenge("Sign in and send the access token.", `Bearer error="invalid_token"`)
	ErrNoCredential       = challenge("Send a refresh token, in the body or as cookie.", "Bearer")
	ErrTwoCredentials     = fault.New(fault.Malformed, "Send one refresh token, in the body or as cookie.")
	ErrTokenOutdated      = fault.New(fault.TokenOutdated, "Your membership has changed. Refresh the access token.")
	ErrNoCompany          = fault.New(fault.NoCompany, "This account belongs to no company.")
	ErrCompanyInactive    = fault.New(fault.CompanyInactive, "This company has been switched off.")
	ErrInvalidCredentials = fault.New(fault.InvalidCredentials, "The login or the password is wrong.")
	ErrAccountDisabled    = fault.New(fault.AccountDisabled, "This account has been disabled.")
	ErrEmailNotVerified   = fault.New(fault.EmailNotVerified, "Confirm your e-mail address first. A new link can be asked for.")
	ErrForbidden          = fault.New(fault.Forbidden, "Your role does not allow this.")
	ErrWrongPassword      = fault.New(fault.WrongPassword, "The current password is wrong.")
	ErrInvalidToken       = fault.New(fault.InvalidToken, "The link is unknown, used, replaced or too old.")
	ErrUsernameTaken      = fault.New(fault.UsernameTaken, "This username is taken.")
	ErrAlreadyMember      = fault.New(fault.AlreadyMember, "This account belongs to a company already.")
	ErrMemberHere         = fault.New(fault.AlreadyMember, "This address belongs to a member of the company.")
	ErrAlreadyInvited     = fault.New(fault.AlreadyInvited, "This address has an open invitation. It can be mailed again.")
	ErrInviteOver         = fault.New(fault.InvalidState, "The invitation was accepted, revoked or is too old.")
	ErrInviteGone         = fault.New(fault.Gone, "The invitation was used, taken back or is too old.")
	ErrLastOwner          = fault.New(fault.LastOwner, "A company needs an active owner. Make somebody else one first.")
	ErrLastAdmin          = fault.New(fault.LastAdmin, "The server needs an administrator. Make somebody else one first.")
	ErrOwnRole            = fault.New(fault.OwnRole, "Another administrator must take this role from you.")
	ErrMeanwhile          = fault.New(fault.Conflict, "The account was changed at the same moment. Try again.")
	ErrNotConfigured      = fault.New(fault.NotConfigured, "Mail is not set up on this server.")
	ErrStaleVersion       = fault.New(fault.StaleVersion, "Somebody has changed this meanwhile. Read it again.")
	ErrNotDeleted         = fault.New(fault.NotDeleted, "This account is not deleted.")
	ErrParentDeleted      = fault.New(fault.ParentDeleted, "The company it belongs to is closed. Restore that first.")
	ErrNotFound           = fault.New(fault.NotFound, "There is nothing here.")
	ErrEmailTaken         = fault.New(fault.EmailTaken, "An account with this e-mail address exists.")
	ErrInvalidRefresh     = fault.New(fault.InvalidRefresh, "The refresh token is unknown, expired or revoked. Log in again.")
	ErrRefreshReused      = fault.New(fault.RefreshReused, "The refresh token was used before. The session has been ended.")
	ErrRefreshSuperseded  = fault.New(fault.RefreshSuperseded, "Another request has refreshed this session. Use its tokens.")
	ErrBusy               = fault.New(fault.Busy, "Too many sign-ins at once. Try again in a moment.")
	ErrUnavailable        = fault.New(fault.Unavailable, "Sign-in is not available right now. Try again in a moment.")
)

// challenge is a refusal of somebody unknown (RFC 6750, section 3).
func challenge(detail, header string) *middleware.Problem {
	p := fault.New(fault.Unauthenticated, detail)
	p.Header = http.Header{"Www-Authenticate": {header}}
	return p
}

// A User is one account, for both products of this server.
type User struct {
	ID           string
	Username     string
	Email        string // lower case
	FullName     string // "" when unknown
	Role         string // global role
	PasswordHash string
	PendingEmail string // the wanted address until it is confirmed, "" for none
	VerifiedAt   *time.Time
	DisabledAt   *time.Time
	TermsAt      *time.Time // written when the account is made, not read
	Version      int64
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// search is the folded text that the lists of people are searched in.
func (u User) search() string {
	return pagination.Fold(u.FullName + " " + u.Username + " " + u.Email)
}

// A Company is what this domain needs to know of a tenant.
type Company struct {
	ID     string
	Name   string
	Slug   string
	Active bool
}

// NewCompany describes the company that a sign-up founds.
type NewCompany struct {
	Name  string
	Slug  string
	Email string
	Phone string // "" for none
	// NamePointer is where the request has the name, for faults.
	NamePointer string
}

// Companies is the part of the company domain that sign-up and sessions need.
type Companies interface {
	// Create stores a company inside tx. A taken slug or address and an unacceptable slug are
	// returned as faults that may be shown to the caller.
	Create(ctx context.Context, tx sqldb.DB, company NewCompany) (Company, error)
	// Close deletes a company with its memberships and moves inside tx. A company that has changed since
	// match was read and one with moves under way are refused with a fault.
	Close(ctx context.Context, tx sqldb.DB, id string, match rest.Match) error
	// Company returns the company, or an error that wraps [database/sql.ErrNoRows].
	Company(ctx context.Context, db sqldb.DB, id string) (Company, error)
	// Names returns the names of companies by id. Ids of none are left out.
	Names(ctx context.Context, db sqldb.DB, ids []string) (map[string]string, error)
}

// Roles inside a company, as stored in company_members.role.
const (
	CompanyOwner  = "owner"
	CompanyAdmin  = "admin"
	CompanyMember = "member"
)

// Access is what a request may rely on once [Service.Require] has let it through: read from the
// database for this request, not from the token.
type Access struct {
	User        User
	SessionID   string
	CompanyRole string   // "" without a membership
	Company     *Company // nil without a membership
}

type accessKey struct{}

// AccessFrom returns the access record that [Service.Require] put into ctx.
func AccessFrom(ctx context.Context) (Access, bool) {
	access, ok := ctx.Value(accessKey{}).(Access)
	return access, ok
}

// WithAccess returns ctx with the access record, as [Service.Require] does. Entries of the audit trail
// are by this account from then on.
func WithAccess(ctx context.Context, access Access) context.Context {
	ctx = trail.WithUser(ctx, access.User.ID, access.tenant(), access.SessionID)
	return context.WithValue(ctx, accessKey{}, access)
}
