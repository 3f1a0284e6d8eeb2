// Package identity keeps accounts, company memberships and sessions: sign-up, confirmation of
// addresses, log-in, refresh, log-out, passwords, the people of a company and their invitations. It
// decides for every signed-in request who is asking and on behalf of which company.
package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/password"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/examples/server/internal/mail"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

// clientID names this application in sessions and tokens.
const clientID = "groundwork"

// Config configures a [Service]. Every field but Mail, Now and Logger is required.
type Config struct {
	DB        sqldb.TxDB
	Companies Companies
	// Policy tells what roles grant; its errors may be shown.
	Policy func(context.Context) (*rbac.Policy, error)

	// Issuer is the iss and aud of access tokens and the root of links: the server's public URL.
	Issuer      string
	Keys        *auth.KeySet
	RefreshKeys auth.RefreshKeys
	Sessions    auth.Store
	// Cookie keeps the refresh token of browsers that want it there.
	Cookie    *auth.Cookie
	Passwords *password.Hasher

	// Queue takes the mails; [Service.Workers] registers who sends them.
	Queue jobs.Queue
	// Mail sends them. Nil means that no mail can be sent: what needs one answers ErrNotConfigured.
	Mail mail.Sender
	// Lists takes the lists of this domain.
	Lists *lists.Registry
	// Audit takes the entries of the audit trail.
	Audit *audit.Logger

	// Denylist makes access tokens of ended sessions invalid at once. While it does not answer, the
	// rows of Sessions decide.
	Denylist auth.Denylist

	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Logger is told about failures that do not fail a request. Default: silent.
	Logger *slog.Logger
}

// Service is the identity domain. It is safe for concurrent use.
type Service struct {
	db        sqldb.TxDB
	companies Companies
	keys      *auth.KeySet
	policyOf  func(context.Context) (*rbac.Policy, error)
	sessions  *auth.Service
	handlers  *auth.Handlers
	cookie    *auth.Cookie
	passwords *password.Hasher
	policy    *password.Policy
	signIn    *password.Authenticator
	queue     jobs.Queue
	mail      mail.Sender
	publicURL string
	denylist  auth.Denylist
	audit     *audit.Logger
	accounts  *softdelete.Repository[string, string]

	sessionList *pagination.Spec
	memberList  *pagination.Spec
	inviteList  *pagination.Spec
	userList    *pagination.Spec
	deletedList *pagination.Spec

	now    func() time.Time
	logger *slog.Logger
}

// New wires the domain. It does no I/O.
func New(cfg Config) (*Service, error) {
	s := &Service{
		db: cfg.DB, companies: cfg.Companies, keys: cfg.Keys, policyOf: cfg.Policy, passwords: cfg.Passwords,
		queue: cfg.Queue, mail: cfg.Mail, publicURL: cfg.Issuer, denylist: cfg.Denylist, audit: cfg.Audit,
		cookie: cfg.Cookie, now: cfg.Now, logger: cfg.Logger,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	var err error
	s.sessions, err = auth.New(auth.Config{
		Issuer: cfg.Issuer, Audience: []string{cfg.Issuer}, Keys: cfg.Keys,
		RefreshKeys: cfg.RefreshKeys, Store: cfg.Sessions, Denylist: &denylist{cfg.Denylist, cfg.Sessions, s.denyLater}, Claims: s.claims,
		OnEvent: s.onEvent, Now: s.now, MaxSessions: 20,
	})
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	// The operations read bodies and refuse foreign pages themselves.
	s.handlers, err = auth.NewHandlers(auth.HandlersConfig{Service: s.sessions, Cookie: cfg.Cookie})
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	if s.accounts, err = s.newAccounts(); err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	if err := s.wireLists(cfg.Lists); err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	if err := s.wirePasswords(); err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	return s, nil
}

func (s *Service) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// claims is asked at every log-in and refresh, so that a changed membership takes effect then.
func (s *Service) claims(ctx context.Context, session auth.Session) (auth.Claims, error) {
	access, err := s.access(ctx, session.Subject, session.ID)
	if errors.Is(err, ErrUnauthenticated) {
		return auth.Claims{}, auth.ErrSubjectDisabled
	}
	if err != nil {
		return auth.Claims{}, err
	}
	return auth.Claims{Roles: access.roles(), Tenant: access.tenant()}, nil
}

// access reads the present state of an account and its membership. ErrUnauthenticated means that
// the account is gone or disabled.
func (s *Service) access(ctx context.Context, userID, sessionID string) (Access, error) {
	user, err := findUser(ctx, s.db, selectUserByID, userID)
	if errors.Is(err, sql.ErrNoRows) || err == nil && user.DisabledAt != nil {
		return Access{}, ErrUnauthenticated
	}
	if err != nil {
		return Access{}, err
	}
	access := Access{User: user, SessionID: sessionID}
	companyID, role, err := findMembership(ctx, s.db, userID)
	if errors.Is(err, sql.ErrNoRows) {
		return access, nil
	}
	if err != nil {
		return Access{}, err
	}
	company, err := s.companies.Company(ctx, s.db, companyID)
	if errors.Is(err, sql.ErrNoRows) {
		return access, nil
	}
	if err != nil {
		return Access{}, err
	}
	access.CompanyRole, access.Company = role, &company
	return access, nil
}

// subject returns what the account may do, as roles are defined at the moment.
func (s *Service) subject(ctx context.Context, access Access) (rbac.Subject, error) {
	policy, err := s.policyOf(ctx)
	if err != nil {
		return rbac.Subject{}, err
	}
	return policy.Subject(access.tenant(), access.User.ID, access.roles()...), nil
}

// Require lets a request through when its access token is good and its account may still sign in, and
// puts the [Access] record and the [rbac.Subject] into its context.
func (s *Service) Require(next http.Handler) http.Handler {
	return s.sessions.Verifier().Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, _ := auth.PrincipalFrom(r.Context())
		access, err := s.access(r.Context(), principal.Subject, principal.SessionID)
		var subject rbac.Subject
		if err == nil {
			subject, err = s.subject(r.Context(), access)
		}
		if err != nil {
			middleware.WriteProblem(w, r, err)
			return
		}
		middleware.AddLogAttrs(r.Context(), slog.String("user_id", access.User.ID),
			slog.String("company_id", access.tenant()))
		ctx := rbac.WithSubject(WithAccess(r.Context(), access), subject)
		next.ServeHTTP(w, r.WithContext(ctx))
	}))
}

// RequireMember is [Service.Require] for what members may do even when their company is switched off:
// read that it is. It wants a membership, and a token that says so.
func (s *Service) RequireMember(next http.Handler) http.Handler {
	return s.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, _ := auth.PrincipalFrom(r.Context())
		access, _ := AccessFrom(r.Context())
		switch {
		case access.outdated(principal.Tenant):
			middleware.WriteProblem(w, r, ErrTokenOutdated)
		case access.Company == nil:
			middleware.WriteProblem(w, r, ErrNoCompany)
		default:
			next.ServeHTTP(w, r)
		}
	}))
}

// RequireCompany is [Service.RequireMember] for the routes of a company that is switched on.
func (s *Service) RequireCompany(next http.Handler) http.Handler {
	return s.RequireMember(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if access, _ := AccessFrom(r.Context()); !access.Company.Active {
			middleware.WriteProblem(w, r, ErrCompanyInactive)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// outdated reports whether a token for that tenant speaks of another membership than the present one.
// Tokens of a company that is switched off name it, or none when they are younger than that.
func (a Access) outdated(tenant string) bool {
	if a.Company == nil {
		return tenant != ""
	}
	return tenant != a.Company.ID && (tenant != "" || a.Company.Active)
}

// roles are the names in the policy of what the account is, globally and for its tenant.
func (a Access) roles() []string {
	list := []string{a.User.Role}
	if a.tenant() != "" {
		list = append(list, permission.OfCompany(a.CompanyRole))
	}
	return list
}

// tenant is what the token of this account should say: a company that is switched off is none.
func (a Access) tenant() string {
	if a.Company == nil || !a.Company.Active {
		return ""
	}
	return a.Company.ID
}
