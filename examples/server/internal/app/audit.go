package app

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/examples/server/internal/config"
	"github.com/groundwork-go/groundwork/sqldb"
)

// newTrail makes the audit trail: who writes entries, and who reads, seals and verifies them.
func newTrail(db sqldb.TxDB, cfg config.Config, opts Options) (*audit.Logger, *sqlaudit.Store, error) {
	keys, err := chainKeys(cfg.Keys.Encryption)
	if err != nil {
		return nil, nil, fmt.Errorf("app: ENCRYPTION_KEY: %w", err)
	}
	store, err := sqlaudit.New(sqlaudit.Config{DB: db, Keys: keys, Now: opts.Now})
	if err != nil {
		return nil, nil, fmt.Errorf("app: %w", err)
	}
	failures := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "audit_write_failures_total", Help: "Entries of the audit trail that could not be written.",
	})
	if err := opts.registry.Register(failures); err != nil {
		return nil, nil, fmt.Errorf("app: %w", err)
	}
	logger, err := audit.New(audit.Config{
		Sink: store, Now: opts.Now,
		// Only entries without a transaction of their own go this way: sign-ins, which must not fail
		// because of the trail. Whatever changes a row uses LogTo and ChangeTo, which return their errors.
		FailOpen: true,
		OnError: func(ctx context.Context, e audit.Event, err error) {
			failures.Inc()
			opts.Logger.ErrorContext(ctx, "audit entry not written",
				slog.String("action", e.Action), slog.String("entity_type", e.Entity.Type), slog.Any("error", err))
		},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("app: %w", err)
	}
	return logger, store, nil
}

// chainKeys derives the keys of the chain, so that a root key is never used for two purposes.
func chainKeys(roots []config.NamedKey) (*sqlaudit.Keyring, error) {
	keys := make([]sqlaudit.Key, len(roots))
	for i, root := range roots {
		secret, err := hkdf.Key(sha256.New, root.Secret, nil, "groundwork audit chain", sha256.Size)
		if err != nil {
			return nil, err
		}
		keys[i] = sqlaudit.Key{ID: root.ID, Secret: secret}
	}
	return sqlaudit.NewKeyring(keys[0], keys[1:]...)
}
