package sqlaudit

import (
	"context"
	_ "embed" // for the schema files
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/sqldb"
)

//go:embed schema/postgres.sql
var postgresSchema string

//go:embed schema/sqlite.sql
var sqliteSchema string

// Schema returns the DDL for a dialect: several statements, each ended by a semicolon at the end of
// a line. It is empty for an unknown dialect.
func Schema(d sqldb.Dialect) string {
	switch d {
	case sqldb.DialectPostgres:
		return postgresSchema
	case sqldb.DialectSQLite:
		return sqliteSchema
	}
	return ""
}

// Statements returns the single statements of [Schema], for code that creates the tables itself.
func Statements(d sqldb.Dialect) []string {
	var list []string
	for statement := range strings.SplitSeq(Schema(d), ";\n") {
		if statement = strings.TrimSpace(statement); statement != "" {
			if strings.HasSuffix(statement, "END") { // the semicolon belongs to a trigger's body
				statement += ";"
			}
			list = append(list, statement)
		}
	}
	return list
}

// On returns a sink that writes to the tables on db. On a transaction its events commit with the
// transaction, or not at all. One event is one INSERT; several are one batch.
func On(db sqldb.DB) audit.Sink { return sink{db} }

type sink struct{ db sqldb.DB }

var _ audit.Sink = sink{}

// Write implements [audit.Sink].
func (s sink) Write(ctx context.Context, events []audit.Event) error {
	if len(events) == 0 {
		return nil
	}
	records := make([]record, len(events))
	for i := range events {
		var err error
		if records[i], err = newRecord(&events[i]); err != nil {
			return err
		}
	}
	if err := insertRecords(ctx, s.db, records); err != nil {
		return fmt.Errorf("sqlaudit: insert events: %w", err)
	}
	return nil
}

// Store reads, seals, verifies and purges the trail. It is safe for concurrent use.
type Store struct {
	db        sqldb.TxDB
	keys      *Keyring
	perTenant bool
	trusted   map[string]PublicKey
	page      int
	now       func() time.Time
}

var _ audit.Sink = (*Store)(nil)

// Config describes a [Store].
type Config struct {
	// DB holds the tables. Required.
	DB sqldb.TxDB
	// Keys authenticate the chain. Required for sealing, Verify and Purge.
	Keys *Keyring
	// PerTenant gives each tenant a chain of its own, named like the tenant, so that it can be
	// verified and purged alone. Default: one chain, named "". Do not change it later.
	PerTenant bool
	// CheckpointKeys verify the signatures of checkpoints, by key id. Without them Verify does
	// not look at stored checkpoints.
	CheckpointKeys map[string]PublicKey
	// PageSize is the number of rows read at a time by Verify, Export and Purge. Default 500.
	PageSize int
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// New returns a Store. The tables must exist. The error joins a [*ConfigError] for each fault.
func New(cfg Config) (*Store, error) {
	var faults []error
	if cfg.DB == nil {
		faults = append(faults, &ConfigError{Field: "DB", Reason: "is required"})
	}
	if cfg.PageSize < 0 {
		faults = append(faults, &ConfigError{Field: "PageSize", Value: cfg.PageSize, Reason: "must not be negative"})
	}
	s := &Store{
		db: cfg.DB, keys: cfg.Keys, perTenant: cfg.PerTenant, page: cfg.PageSize, now: cfg.Now,
		trusted: map[string]PublicKey{},
	}
	for id, key := range cfg.CheckpointKeys {
		if len(key) != publicKeySize {
			faults = append(faults, &ConfigError{Field: "CheckpointKeys", Value: id, Reason: "is no Ed25519 public key"})
		}
		s.trusted[id] = append(PublicKey(nil), key...)
	}
	if s.page == 0 {
		s.page = 500
	}
	if s.now == nil {
		s.now = time.Now
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return s, nil
}

// Write implements [audit.Sink] on the Store's own database.
func (s *Store) Write(ctx context.Context, events []audit.Event) error {
	return retry(ctx, func() error { return sink{s.db}.Write(ctx, events) })
}

func (s *Store) needKeys() error {
	if s.keys == nil {
		return ErrNoKeys
	}
	return nil
}

// inTx runs a transaction again that failed only because of a parallel one.
func (s *Store) inTx(ctx context.Context, fn func(tx sqldb.DB) error) error {
	return retry(ctx, func() error { return s.db.InTx(ctx, fn) })
}

// maxTries bounds the repetition of a transaction that lost against a parallel one.
const maxTries = 20

func retry(ctx context.Context, fn func() error) error {
	err := fn()
	for range maxTries {
		if !sqldb.IsRetryable(err) || ctx.Err() != nil {
			break
		}
		err = fn()
	}
	return err
}
