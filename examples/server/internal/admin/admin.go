// Package admin is for those who run the server: it keeps the audit trail in order.
package admin

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
)

// Config is what a [Service] needs. All fields without a default are required.
type Config struct {
	// Trail is the audit trail.
	Trail *sqlaudit.Store

	Logger *slog.Logger // Default silent.
}

// Service is the administration. It is safe for concurrent use.
type Service struct {
	trail  *sqlaudit.Store
	sealer *sqlaudit.Sealer
	logger *slog.Logger
}

// New returns a Service. It does no I/O.
func New(cfg Config) (*Service, error) {
	s := &Service{trail: cfg.Trail, logger: cfg.Logger}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	var err error
	if s.sealer, err = sqlaudit.NewSealer(sqlaudit.SealerConfig{Store: cfg.Trail}); err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	return s, nil
}

// sealTrail puts the entries of the last minute into the hash chain.
type sealTrail struct{}

// Kind implements jobs.Args.
func (sealTrail) Kind() string { return "audit.seal" }

// Workers registers the queue jobs of this domain.
func (s *Service) Workers(reg *jobs.Registry) {
	jobs.Register(reg, jobs.WorkerConfig{
		MaxAttempts: 1, Every: time.Minute,
	}, func(ctx context.Context, _ sealTrail) error {
		_, err := s.sealer.Once(ctx)
		return err
	})
}
