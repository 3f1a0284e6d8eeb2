// Package admin is for those who run the server: the audit trail, and what was deleted. The kinds of
// entities that can be deleted belong to other packages, which register them here: see [Kind].
package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/rbac"
)

const (
	tagAudit   = "Audit"
	tagDeleted = "Deleted"
)

// Config is what a [Service] needs. All fields without a default are required.
type Config struct {
	// Trail is the audit trail.
	Trail *sqlaudit.Store
	// Names returns the usernames of accounts by id, of those that exist.
	Names func(ctx context.Context, ids []string) (map[string]string, error)
	// Company returns the company that the caller acts for.
	Company func(ctx context.Context) (id string, ok bool)
	// Require makes the middleware that lets an account through whose role holds the permission.
	Require func(rbac.Permission) middleware.Middleware
	// Lists takes the lists of this domain.
	Lists *lists.Registry
	// Purges remove for good what has been deleted for long enough, each in its domain.
	Purges []func(ctx context.Context) error

	Logger *slog.Logger // Default silent.
}

// Service is the administration. It is safe for concurrent use.
type Service struct {
	cfg         Config
	sealer      *sqlaudit.Sealer
	auditList   *pagination.Spec
	companyList *pagination.Spec
}

// New returns a Service. It does no I/O.
func New(cfg Config) (*Service, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{cfg: cfg}
	var errs [3]error
	s.sealer, errs[0] = sqlaudit.NewSealer(sqlaudit.SealerConfig{Store: cfg.Trail})
	s.auditList, errs[1] = cfg.Lists.Add("list-audit-logs", auditList(true), auditSelect(""))
	s.companyList, errs[2] = cfg.Lists.Add("list-company-audit", auditList(false), auditSelect(lists.SampleID))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	return s, nil
}

// Register adds the operations of this domain to the API. Those on deleted entities come with [AddKind].
func (s *Service) Register(mux *http.ServeMux, api huma.API) {
	s.registerAudit(mux, api)
}

// only completes an operation for accounts whose role holds the permission.
func (s *Service) only(p rbac.Permission, op huma.Operation) huma.Operation {
	op = rest.Permitted(p, op)
	op.Middlewares = huma.Middlewares{rest.Use(s.cfg.Require(p))}
	op.Errors = append([]int{http.StatusUnauthorized, http.StatusForbidden}, op.Errors...)
	return op
}

type (
	// sealTrail puts the entries of the last minute into the hash chain.
	sealTrail struct{}
	// purgeDeleted removes for good what has been deleted for long enough.
	purgeDeleted struct{}
)

// Kind implements jobs.Args.
func (sealTrail) Kind() string { return "audit.seal" }

// Kind implements jobs.Args.
func (purgeDeleted) Kind() string { return "softdelete.purge" }

// Workers registers the queue jobs of this domain.
func (s *Service) Workers(reg *jobs.Registry) {
	jobs.Register(reg, jobs.WorkerConfig{MaxAttempts: 1, Every: time.Minute}, func(ctx context.Context, _ sealTrail) error {
		_, err := s.sealer.Once(ctx)
		return err
	})
	jobs.Register(reg, jobs.WorkerConfig{
		MaxAttempts: 1, Every: 24 * time.Hour, Offset: 3 * time.Hour, Timeout: 10 * time.Minute,
	}, func(ctx context.Context, _ purgeDeleted) error {
		var errs []error
		for _, purge := range s.cfg.Purges {
			errs = append(errs, purge(ctx))
		}
		return errors.Join(errs...)
	})
}
