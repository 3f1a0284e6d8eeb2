package sqlaudit

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/sqldb"
)

// Sealer puts committed events into the hash chain. It works beside the application, so that a
// business transaction takes no shared lock and has no more to do than its insert. Any number of
// sealers may run; they take turns. An event is protected once it is sealed: until then, whoever
// can write to the table can still change it unnoticed, so the interval is the window.
type Sealer struct {
	cfg SealerConfig
}

// SealerConfig describes a [Sealer].
type SealerConfig struct {
	// Store is what to seal. It needs Keys. Required.
	Store *Store
	// Interval is the pause of Run between passes. Default 1 minute.
	Interval time.Duration
	// Batch is the number of events sealed in one transaction. Default 500.
	Batch int
	// Late is how long a position that was skipped is watched for a transaction that commits
	// after its successors. It must be longer than any transaction. Default 1 hour.
	Late time.Duration
	// SigningKey signs checkpoints after each pass that sealed something. Default: none are made.
	SigningKey ed25519.PrivateKey
	// SigningKeyID names the key. Required with SigningKey.
	SigningKeyID string
	// OnCheckpoint takes a signed checkpoint out of reach of the database, for example to object
	// storage with a retention lock or to another company. It is called before the copy in the
	// database is stored, again after an error. Default: the copy in the database is all.
	OnCheckpoint func(ctx context.Context, c Checkpoint) error
	// OnError hears of a failed pass of Run, which goes on. Default: silent.
	OnError func(err error)
}

// SealResult tells what a pass has done.
type SealResult struct {
	Sealed      int64        // events
	Checkpoints []Checkpoint // made and stored
}

// NewSealer returns a Sealer. The error joins a [*ConfigError] for each fault.
func NewSealer(cfg SealerConfig) (*Sealer, error) {
	var faults []error
	fault := func(field string, value any, reason string) {
		faults = append(faults, &ConfigError{Field: field, Value: value, Reason: reason})
	}
	switch {
	case cfg.Store == nil:
		fault("Store", nil, "is required")
	case cfg.Store.keys == nil:
		fault("Store", nil, "has no keys")
	}
	if cfg.Interval < 0 {
		fault("Interval", cfg.Interval, "must not be negative")
	}
	if cfg.Batch < 0 || cfg.Batch > 10000 {
		fault("Batch", cfg.Batch, "must be between 1 and 10000")
	}
	if cfg.Late < 0 {
		fault("Late", cfg.Late, "must not be negative")
	}
	if cfg.SigningKey != nil && len(cfg.SigningKey) != ed25519.PrivateKeySize {
		fault("SigningKey", nil, "is no Ed25519 private key")
	}
	if cfg.SigningKey != nil && cfg.SigningKeyID == "" {
		fault("SigningKeyID", "", "is required with SigningKey")
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	if cfg.Interval == 0 {
		cfg.Interval = time.Minute
	}
	if cfg.Batch == 0 {
		cfg.Batch = 500
	}
	if cfg.Late == 0 {
		cfg.Late = time.Hour
	}
	if cfg.OnError == nil {
		cfg.OnError = func(error) {}
	}
	cfg.SigningKey = append(ed25519.PrivateKey(nil), cfg.SigningKey...)
	return &Sealer{cfg: cfg}, nil
}

// Run makes a pass at once and then one per Interval, until ctx ends; it returns the error of ctx.
func (s *Sealer) Run(ctx context.Context) error {
	ticker := time.NewTicker(s.cfg.Interval)
	defer ticker.Stop()
	for {
		if _, err := s.Once(ctx); err != nil && ctx.Err() == nil {
			s.cfg.OnError(err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Once seals everything that is committed, and makes checkpoints. A head that was tampered with
// is a [*Fault], and nothing is sealed on it.
func (s *Sealer) Once(ctx context.Context) (SealResult, error) {
	return s.pass(ctx, s.batch)
}

// Rescan is Once for the whole table instead of what is new: it finds events whose transaction
// committed later than Config.Late allows, or that somebody hid by moving the sealer's mark. It
// reads every event.
func (s *Sealer) Rescan(ctx context.Context) (SealResult, error) {
	return s.pass(ctx, func(ctx context.Context, tx sqldb.DB) (more bool, sealed int64, err error) {
		var seen int64
		if err := tx.QueryRow(ctx, lockSealer).Scan(&seen); err != nil {
			return false, 0, err
		}
		found, err := readRecords(ctx, tx, selectNew, int64(0), int64(s.cfg.Batch))
		if err != nil {
			return false, 0, err
		}
		return len(found) == s.cfg.Batch, int64(len(found)), s.cfg.Store.link(ctx, tx, found)
	})
}

const insertSealer = `INSERT INTO audit_sealer (name, seen) VALUES ('', 0) ON CONFLICT (name) DO NOTHING`

// lockSealer is the first statement of each transaction here: sealers wait for each other in it.
const lockSealer = `UPDATE audit_sealer SET seen = seen WHERE name = '' RETURNING seen`

func (s *Sealer) pass(
	ctx context.Context, batch func(ctx context.Context, tx sqldb.DB) (more bool, sealed int64, err error),
) (result SealResult, err error) {
	store := s.cfg.Store
	err = store.inTx(ctx, func(tx sqldb.DB) error {
		_, err := tx.Exec(ctx, insertSealer)
		return err
	})
	if err != nil {
		return result, fmt.Errorf("sqlaudit: seal: %w", err)
	}
	for more := true; more; {
		var sealed int64
		err := store.inTx(ctx, func(tx sqldb.DB) (err error) {
			more, sealed, err = batch(ctx, tx)
			return err
		})
		if err != nil {
			return result, fmt.Errorf("sqlaudit: seal: %w", err)
		}
		result.Sealed += sealed
	}
	if len(s.cfg.SigningKey) > 0 {
		result.Checkpoints, err = s.checkpoints(ctx)
	}
	return result, err
}

const (
	// selectLate finds events at positions that were skipped.
	selectLate = `SELECT ` + eventColumns + ` FROM audit_gaps AS g
JOIN audit_events AS e ON e.pos >= g.first_pos AND e.pos <= g.last_pos
WHERE e.pos > $1 AND NOT EXISTS (SELECT 1 FROM audit_chain AS c WHERE c.event_id = e.id)
ORDER BY e.pos LIMIT $2`

	selectNew = `SELECT ` + eventColumns + ` FROM audit_events AS e
WHERE e.pos > $1 AND NOT EXISTS (SELECT 1 FROM audit_chain AS c WHERE c.event_id = e.id)
ORDER BY e.pos LIMIT $2`

	insertGap = `INSERT INTO audit_gaps (first_pos, last_pos, found_at) VALUES ($1, $2, $3)
ON CONFLICT (first_pos) DO NOTHING`

	deleteGaps = `DELETE FROM audit_gaps WHERE found_at < $1`

	updateSealer = `UPDATE audit_sealer SET seen = $1 WHERE name = ''`
)

// batch seals one batch. Positions are given out at the insert and become visible at the commit,
// so a position may appear after a higher one. Those that are missing are remembered as gaps and
// looked at again; most of them belong to transactions that rolled back.
func (s *Sealer) batch(ctx context.Context, tx sqldb.DB) (more bool, sealed int64, err error) {
	var seen int64
	if err := tx.QueryRow(ctx, lockSealer).Scan(&seen); err != nil {
		return false, 0, err
	}
	late, err := readRecords(ctx, tx, selectLate, int64(0), int64(s.cfg.Batch))
	if err != nil {
		return false, 0, err
	}
	fresh, err := readRecords(ctx, tx, selectNew, seen, int64(s.cfg.Batch))
	if err != nil {
		return false, 0, err
	}
	now := s.cfg.Store.now()
	var gaps [][]any
	last := seen
	for i := range fresh {
		if fresh[i].pos > last+1 {
			gaps = append(gaps, []any{last + 1, fresh[i].pos - 1, sqldb.At(now)})
		}
		last = fresh[i].pos
	}
	if err := s.cfg.Store.link(ctx, tx, append(late, fresh...)); err != nil {
		return false, 0, err
	}
	if _, err := sqldb.InsertBatch(ctx, tx, insertGap, gaps); err != nil {
		return false, 0, err
	}
	if _, err := tx.Exec(ctx, deleteGaps, sqldb.At(now.Add(-s.cfg.Late))); err != nil {
		return false, 0, err
	}
	if last > seen {
		if _, err := tx.Exec(ctx, updateSealer, last); err != nil {
			return false, 0, err
		}
	}
	full := len(late) == s.cfg.Batch || len(fresh) == s.cfg.Batch
	return full, int64(len(late) + len(fresh)), nil
}

// checkpoints signs the heads that have moved since their last checkpoint.
func (s *Sealer) checkpoints(ctx context.Context) ([]Checkpoint, error) {
	store := s.cfg.Store
	heads, err := store.uncheckpointed(ctx)
	if err != nil {
		return nil, fmt.Errorf("sqlaudit: checkpoint: %w", err)
	}
	var made []Checkpoint
	h := store.keys.hasher()
	for _, head := range heads {
		if err := head.check(h); err != nil {
			return made, fmt.Errorf("sqlaudit: checkpoint: %w", err)
		}
		c := Checkpoint{Chain: head.chain, Seq: head.seq, Hash: string(head.hash), At: store.now()}
		c = c.Sign(s.cfg.SigningKeyID, s.cfg.SigningKey)
		if s.cfg.OnCheckpoint != nil {
			if err := s.cfg.OnCheckpoint(ctx, c); err != nil {
				return made, fmt.Errorf("sqlaudit: hand over checkpoint: %w", err)
			}
		}
		if err := storeCheckpoint(ctx, store.db, c); err != nil {
			return made, err
		}
		made = append(made, c)
	}
	return made, nil
}
