package moving

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/blob"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
	"github.com/groundwork-go/groundwork/vision"
)

// Service is the moving-quote domain. It is safe for concurrent use.
type Service struct {
	db           sqldb.TxDB
	queue        jobs.Queue
	files        blob.Store
	analyzer     vision.Analyzer
	staff        func(ctx context.Context) (Staff, bool)
	requireStaff func(rbac.Permission) middleware.Middleware
	// requireMember is for what every role of a company may do even when the company is switched off.
	requireMember   middleware.Middleware
	requireVerified middleware.Middleware
	found           func(context.Context, NewCompany, bool) (string, error)
	publicURL       string

	moveList           *pagination.Spec
	roomList           *pagination.Spec
	variantList        *pagination.Spec
	deletedCompanyList *pagination.Spec

	audit *audit.Logger

	moves     *softdelete.Repository[Move, string]
	rooms     *softdelete.Repository[string, string]
	items     *softdelete.Repository[string, string]
	companies *softdelete.Repository[Company, string]

	now    func() time.Time
	logger *slog.Logger
	// decoders has a slot for each photo that may be decoded at a time: a photo of 40 megapixels
	// takes over a hundred megabytes while it is.
	decoders chan struct{}
}

// Staff is a signed-in member of a company.
type Staff struct {
	UserID    string
	CompanyID string
	Role      string // owner, admin or member
}

// Config is what a [Service] needs. All fields without a default are required.
type Config struct {
	DB    sqldb.TxDB
	Queue jobs.Queue
	Files blob.Store
	// Analyzer looks at photos. Nil means that nobody does: photos and analyses are then answered
	// with ErrNotConfigured, and everything else works.
	Analyzer vision.Analyzer

	// Staff tells who is signed in; false when RequireStaff did not run.
	Staff func(ctx context.Context) (Staff, bool)
	// RequireStaff makes the middleware that lets only members of an active company pass whose role
	// holds the permission.
	RequireStaff func(rbac.Permission) middleware.Middleware
	// RequireVerified lets a signed-in account through whose address is confirmed.
	RequireVerified middleware.Middleware
	// Found makes a company with whoever is signed in as its owner and returns its id.
	Found func(ctx context.Context, company NewCompany, acceptTerms bool) (id string, err error)
	// RequireMember lets members pass, also those of a company that is switched off.
	RequireMember middleware.Middleware

	// PublicURL is the root of the links that customers get, such as https://app.example.com.
	PublicURL string
	// Lists takes the lists of this domain.
	Lists *lists.Registry
	// Audit takes the entries of the audit trail.
	Audit *audit.Logger

	Now    func() time.Time // Default time.Now.
	Logger *slog.Logger     // Default silent.
}

// ConfigError is one fault of a [Config].
type ConfigError struct {
	Field  string
	Value  string
	Reason string
}

// Error implements error.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("moving: config %s %q: %s", e.Field, e.Value, e.Reason)
}

// New returns a Service. The error joins a [*ConfigError] for each fault.
func New(cfg Config) (*Service, error) {
	var faults []error
	require := func(missing bool, field string) {
		if missing {
			faults = append(faults, &ConfigError{Field: field, Reason: "is required"})
		}
	}
	require(cfg.DB == nil, "DB")
	require(cfg.Queue == nil, "Queue")
	require(cfg.Files == nil, "Files")
	require(cfg.Staff == nil, "Staff")
	require(cfg.RequireStaff == nil, "RequireStaff")
	require(cfg.RequireMember == nil, "RequireMember")
	require(cfg.RequireVerified == nil, "RequireVerified")
	require(cfg.Found == nil, "Found")
	require(cfg.Lists == nil, "Lists")
	require(cfg.Audit == nil, "Audit")
	root, err := url.Parse(cfg.PublicURL)
	if err != nil || (root.Scheme != "http" && root.Scheme != "https") || root.Host == "" || root.Fragment != "" {
		faults = append(faults, &ConfigError{
			Field: "PublicURL", Value: cfg.PublicURL, Reason: "must be an absolute http or https URL",
		})
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	s := &Service{
		db: cfg.DB, queue: cfg.Queue, files: cfg.Files, analyzer: cfg.Analyzer,
		staff: cfg.Staff, requireStaff: cfg.RequireStaff, requireMember: cfg.RequireMember,
		requireVerified: cfg.RequireVerified, found: cfg.Found,
		publicURL: strings.TrimSuffix(cfg.PublicURL, "/"), audit: cfg.Audit,
		now: cfg.Now, logger: cfg.Logger,
		decoders: make(chan struct{}, max(2, runtime.GOMAXPROCS(0))),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	if err := s.wireDeletion(); err != nil {
		return nil, fmt.Errorf("moving: %w", err)
	}
	if err := s.wireLists(cfg.Lists); err != nil {
		return nil, fmt.Errorf("moving: %w", err)
	}
	return s, nil
}
