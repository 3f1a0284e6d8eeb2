package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/password"
	"github.com/groundwork-go/groundwork/auth/redisauth"
	"github.com/groundwork-go/groundwork/auth/sqlauth"
	"github.com/groundwork-go/groundwork/examples/server/internal/admin"
	"github.com/groundwork-go/groundwork/examples/server/internal/config"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/identity"
	"github.com/groundwork-go/groundwork/examples/server/internal/identity/roles"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/examples/server/internal/moving"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// domains makes the domain services, connects them with each other, and registers their operations
// and workers.
func (p *parts) domains(
	cfg config.Config, opts Options, mux *http.ServeMux, registry *jobs.Registry, queue jobs.Queue,
) error {
	// Accounts need companies and companies need to know who asks: one of the two comes late.
	companies := &companies{}
	cursors, err := cursorKeys(cfg.Keys.Cursor)
	if err != nil {
		return fmt.Errorf("app: CURSOR_KEY: %w", err)
	}
	p.lists = lists.New(cursors)
	sender, err := mailer(cfg, opts)
	if err != nil {
		return err
	}
	logger, store, err := newTrail(p.db, cfg, opts)
	if err != nil {
		return err
	}
	p.roles, err = roles.New(roles.Config{DB: p.db, Audit: logger, Lists: p.lists, Now: opts.Now, Logger: opts.Logger})
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	refused, err := p.denylist(opts)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	p.accounts, err = newIdentity(identity.Config{
		DB: p.db, Companies: companies, Policy: p.roles.Policy, Queue: queue, Mail: sender, Lists: p.lists, Audit: logger,
		Denylist: refused,
	}, cfg, opts)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	model, err := analyzer(cfg, opts)
	if err != nil {
		return err
	}
	companies.moving, err = moving.New(moving.Config{
		DB: p.db, Queue: queue, Files: p.files, Analyzer: model,
		Staff: staff, RequireStaff: p.accounts.RequirePermission, RequireMember: p.accounts.RequireMember,
		RequireVerified: identity.RequireVerified, Found: found(p.accounts),
		PublicURL: cfg.PublicURL, Lists: p.lists, Audit: logger, Now: opts.Now, Logger: opts.Logger,
	})
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	office, err := admin.New(admin.Config{
		Trail: store, Names: p.accounts.Names, Require: p.accounts.RequirePermission, Lists: p.lists, Logger: opts.Logger,
		Company: func(ctx context.Context) (string, bool) {
			member, ok := staff(ctx)
			return member.CompanyID, ok
		},
		Purges: []func(context.Context) error{p.accounts.Purge, companies.moving.Purge},
	})
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	p.accounts.Register(mux, p.api)
	p.roles.Register(p.api, p.accounts.RequirePermission)
	companies.moving.Register(mux, p.api)
	office.Register(mux, p.api)
	admin.AddKind(office, p.api, admin.Kind[moving.DeletedCompanyJSON, moving.CompanyJSON]{
		Name: "companies", Singular: "company", Spec: companies.moving.DeletedCompanyList(),
		List: companies.moving.DeletedCompanies, Restore: companies.moving.RestoredCompany, Purge: companies.moving.PurgeCompany,
	})
	admin.AddKind(office, p.api, admin.Kind[identity.DeletedUserJSON, identity.UserAdminJSON]{
		Name: "users", Singular: "user", Spec: p.accounts.DeletedUserList(),
		List: p.accounts.DeletedUsers, Restore: p.accounts.RestoreUser, Purge: p.accounts.PurgeUser,
	})
	p.accounts.Workers(registry)
	companies.moving.Workers(registry)
	office.Workers(registry)
	return nil
}

// denylist is where replicas tell each other whose access tokens to refuse: Redis when there is one.
func (p *parts) denylist(opts Options) (auth.Denylist, error) {
	if p.redis == nil {
		return sqlauth.NewDenylist(p.db), nil
	}
	return redisauth.NewDenylist(redisauth.Config{Client: p.redis, Prefix: redisPrefix, Now: opts.Now})
}

// newIdentity adds keys, stores and clock to the connections in wired.
func newIdentity(wired identity.Config, cfg config.Config, opts Options) (*identity.Service, error) {
	keys, err := signingKeys(cfg.Keys.Signing, opts)
	if err != nil {
		return nil, fmt.Errorf("AUTH_SIGNING_KEYS: %w", err)
	}
	refresh, err := auth.NewRefreshKeys(cfg.Keys.Refresh[0], cfg.Keys.Refresh[1:]...)
	if err != nil {
		return nil, fmt.Errorf("AUTH_REFRESH_KEYS: %w", err)
	}
	cookie, err := auth.NewCookie(auth.CookieConfig{DangerouslyAllowHTTP: !cfg.SecureCookies()})
	if err != nil {
		return nil, err
	}
	passwords, err := password.New(password.Config{})
	if err != nil {
		return nil, err
	}
	wired.Issuer, wired.Keys, wired.RefreshKeys, wired.Passwords = cfg.PublicURL, keys, refresh, passwords
	wired.Sessions = sqlauth.New(wired.DB)
	wired.Cookie, wired.Now, wired.Logger = cookie, opts.Now, opts.Logger
	return identity.New(wired)
}

func signingKeys(list []config.NamedKey, opts Options) (*auth.KeySet, error) {
	keys := make([]auth.Key, len(list))
	for i, k := range list {
		key, err := auth.NewHMACKey(k.ID, k.Secret)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return auth.NewKeySet(auth.KeySetConfig{Active: keys[0], Published: keys[1:], Now: opts.Now})
}

func cursorKeys(list []config.CursorKey) (*pagination.Keyring, error) {
	keys := make([]pagination.Key, len(list))
	for i, k := range list {
		keys[i] = pagination.Key{ID: k.ID, Secret: k.Secret}
	}
	return pagination.NewKeyring(keys[0], keys[1:]...)
}

// staff tells package moving who is signed in.
func staff(ctx context.Context) (moving.Staff, bool) {
	access, ok := identity.AccessFrom(ctx)
	if !ok || access.Company == nil {
		return moving.Staff{}, false
	}
	return moving.Staff{
		UserID: access.User.ID, CompanyID: access.Company.ID, Role: access.CompanyRole,
	}, true
}

// found lets package moving answer the founding of a company, which is the business of accounts.
func found(accounts *identity.Service) func(context.Context, moving.NewCompany, bool) (string, error) {
	return func(ctx context.Context, company moving.NewCompany, acceptTerms bool) (string, error) {
		access, ok := identity.AccessFrom(ctx)
		if !ok {
			return "", identity.ErrUnauthenticated
		}
		made, err := accounts.FoundCompany(ctx, access.User, identity.NewCompany(company), acceptTerms)
		return made.ID, err
	}
}

// companies gives package identity the companies of package moving.
type companies struct{ moving *moving.Service }

// Create implements identity.Companies.
func (c *companies) Create(ctx context.Context, tx sqldb.DB, company identity.NewCompany) (identity.Company, error) {
	ref, err := c.moving.CreateCompany(ctx, tx, moving.NewCompany(company))
	return identity.Company(ref), err
}

// Close implements identity.Companies.
func (c *companies) Close(ctx context.Context, tx sqldb.DB, id string, match rest.Match) error {
	return c.moving.CloseCompany(ctx, tx, id, moving.IfMatch{Match: match})
}

// Company implements identity.Companies.
func (c *companies) Company(ctx context.Context, db sqldb.DB, id string) (identity.Company, error) {
	ref, err := c.moving.Ref(ctx, db, id)
	if fault.CodeOf(err) == fault.NotFound {
		err = errors.Join(err, sql.ErrNoRows)
	}
	return identity.Company(ref), err
}

// Names implements identity.Companies.
func (c *companies) Names(ctx context.Context, db sqldb.DB, ids []string) (map[string]string, error) {
	return c.moving.Names(ctx, db, ids)
}
