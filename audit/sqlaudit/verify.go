package sqlaudit

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/groundwork-go/groundwork/sqldb"
)

// VerifyOptions are the options of [Store.Verify].
type VerifyOptions struct {
	// Chain is the chain to verify.
	Chain string
	// Checkpoints were kept outside the database. Their keys must be in Config.CheckpointKeys.
	// They are what shows a tail that was cut off together with its head.
	Checkpoints []Checkpoint
	// From skips everything up to this checkpoint, which was verified before. It is one of those
	// that were kept outside.
	From *Checkpoint
}

// Verify reads a chain from its beginning to its head and reports the first fault. It reads page
// by page, so memory does not grow with the chain, and runs beside writers, sealers and purges.
// The error is about the database or the options; a fault is in the Report.
func (s *Store) Verify(ctx context.Context, o VerifyOptions) (Report, error) {
	if err := s.needKeys(); err != nil {
		return Report{}, err
	}
	for range maxTries {
		report, purged, err := s.verify(ctx, o)
		if err != nil {
			return Report{}, fmt.Errorf("sqlaudit: verify: %w", err)
		}
		if !purged {
			return report, nil
		}
	}
	return Report{}, errors.New("sqlaudit: verify: the chain is purged faster than it is read")
}

// verifier is one walk over a chain.
type verifier struct {
	store  *Store
	hs     *hasher
	head   *head
	outer  []Checkpoint // given, in order
	report Report
	// proven are the keys that at least one link verified with.
	proven map[string]bool
}

// verify makes one attempt. Purged says that a purge took away what was being read.
func (s *Store) verify(ctx context.Context, o VerifyOptions) (report Report, purged bool, err error) {
	v := &verifier{store: s, hs: s.keys.hasher(), report: Report{Chain: o.Chain}, proven: map[string]bool{}}
	if v.outer, err = s.outside(o); err != nil {
		return Report{}, false, err
	}
	if err := s.countUnsealed(ctx, &v.report); err != nil {
		return Report{}, false, err
	}
	err = v.run(ctx, o)
	var fault *Fault
	if !errors.As(err, &fault) {
		return v.report, false, err
	}
	now, err := readHead(ctx, s.db, o.Chain)
	if err == nil && now != nil && v.head != nil && now.baseSeq > v.head.baseSeq {
		return Report{}, true, nil
	}
	if err != nil && !errors.Is(err, ErrTampered) {
		return Report{}, false, err
	}
	v.report.Fault = fault
	return v.report, false, nil
}

// outside returns the caller's checkpoints of the chain in order, all with a good signature.
func (s *Store) outside(o VerifyOptions) ([]Checkpoint, error) {
	var list []Checkpoint
	for _, c := range o.Checkpoints {
		if c.Chain != o.Chain {
			continue
		}
		if err := s.trust(c); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if o.From != nil {
		if o.From.Chain != o.Chain {
			return nil, fmt.Errorf("%w: of another chain", ErrCheckpoint)
		}
		if err := s.trust(*o.From); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(list, func(a, b Checkpoint) int { return cmp.Compare(a.Seq, b.Seq) })
	return list, nil
}

const (
	// An event is sealed by a link in its own chain; one in another would prove nothing about it.
	countUnsealed = `SELECT COUNT(*), MIN(e.at) FROM audit_events AS e
WHERE NOT EXISTS (SELECT 1 FROM audit_chain AS c WHERE c.event_id = e.id AND c.chain = $1)`
	countUnsealedOf = countUnsealed + ` AND e.tenant = $1`
)

func (s *Store) countUnsealed(ctx context.Context, r *Report) error {
	query, chain := countUnsealed, ""
	if s.perTenant {
		query, chain = countUnsealedOf, r.Chain
	}
	var oldest sqldb.Time
	if err := s.db.QueryRow(ctx, query, chain).Scan(&r.Unsealed, &oldest); err != nil {
		return fmt.Errorf("count unsealed: %w", err)
	}
	r.Oldest = oldest.Time
	return nil
}

// run walks the chain and returns a *Fault, another error, or nil.
func (v *verifier) run(ctx context.Context, o VerifyOptions) error {
	var err error
	if v.head, err = readHead(ctx, v.store.db, o.Chain); err != nil {
		return err
	}
	if v.head == nil {
		if err := v.strays(ctx); err != nil {
			return err
		}
		return v.beyond(ctx)
	}
	v.report.From, v.report.Hash = v.head.baseSeq, string(v.head.baseHash)
	headErr := v.head.checkEnd(v.hs, KindHead, useHead, v.head.seq, v.head.keyID, v.head.hash, v.head.mac)
	baseErr := v.head.checkEnd(v.hs, KindAnchor, useBase, v.head.baseSeq, v.head.baseKeyID, v.head.baseHash, v.head.baseMAC)
	if baseErr != nil {
		// With the wrong key both ends and all links fail; a forger leaves at least one right.
		if headErr != nil && !v.anyLinkVerifies(ctx) {
			return v.wrongKey(baseErr)
		}
		return baseErr
	}
	if o.From != nil && o.From.Seq > v.head.baseSeq {
		v.report.From, v.report.Hash = o.From.Seq, o.From.Hash
	}
	v.report.To = v.report.From
	if err := v.walk(ctx); err != nil {
		return err
	}
	if headErr != nil {
		return headErr
	}
	if v.report.To < v.head.seq {
		return v.fault(KindTail, v.report.To+1, "the head says that there is more")
	}
	if v.report.Hash != string(v.head.hash) {
		return v.fault(KindHead, v.head.seq, "it is not that of the last link")
	}
	if err := v.strays(ctx); err != nil {
		return err
	}
	return v.beyond(ctx)
}

const (
	// selectStrays finds links that no walk comes past, because they lie outside the two ends of
	// their chain. Sealer and purge change links and head together, so there are none at any time.
	selectStrays = `SELECT c.chain, c.seq, c.event_id FROM audit_chain AS c LEFT JOIN audit_heads AS h ON h.chain = c.chain
WHERE c.chain = $1 AND (h.chain IS NULL OR c.seq > h.seq OR c.seq <= h.base_seq) ORDER BY c.seq LIMIT 1`

	// selectOthers finds links in other chains, where there is only one.
	selectOthers = `SELECT c.chain, c.seq, c.event_id FROM audit_chain AS c WHERE c.chain <> $1 ORDER BY c.chain, c.seq LIMIT 1`
)

// strays reports the first link that makes an event look sealed and is not part of a chain.
func (v *verifier) strays(ctx context.Context) error {
	fault := &Fault{Kind: KindHead, Detail: "there is a link beyond the head"}
	chain := v.report.Chain
	scan := func(query string) error {
		return v.store.db.QueryRow(ctx, query, chain).Scan(&fault.Chain, &fault.Seq, &fault.EventID)
	}
	err := scan(selectStrays)
	if errors.Is(err, sql.ErrNoRows) && !v.store.perTenant && chain == "" {
		fault.Detail = "there is a link in a chain that nobody keeps"
		err = scan(selectOthers)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for strays: %w", err)
	}
	if v.head != nil && fault.Chain == chain && fault.Seq <= v.head.baseSeq {
		fault.Kind, fault.Detail = KindAnchor, "there is a link from before the anchor"
	}
	return fault
}

// beyond reports checkpoints past the end of the chain.
func (v *verifier) beyond(ctx context.Context) error {
	checkpoints, err := v.checkpoints(ctx, v.report.To, 1<<62)
	if err != nil {
		return err
	}
	for _, c := range checkpoints {
		if c.Seq <= v.report.To {
			continue
		}
		// The sealer may have moved on since the head was read.
		now, err := readHead(ctx, v.store.db, v.report.Chain)
		if err != nil {
			return err
		}
		if now == nil || now.seq < c.Seq {
			return v.fault(KindTail, v.report.To+1, "a checkpoint says that there is more")
		}
		break
	}
	return nil
}

func (v *verifier) fault(kind Kind, seq int64, detail string) *Fault {
	return &Fault{Kind: kind, Chain: v.report.Chain, Seq: seq, Detail: detail}
}

func (v *verifier) wrongKey(err error) error {
	var fault *Fault
	if errors.As(err, &fault) && fault.Kind == KindUnknownKey {
		return fault
	}
	return v.fault(KindKey, v.head.baseSeq+1, "nothing verifies with this key: key mismatch?")
}

// checkpoints returns the given and the stored checkpoints after one position and up to another.
func (v *verifier) checkpoints(ctx context.Context, after, to int64) ([]Checkpoint, error) {
	var list []Checkpoint
	if len(v.store.trusted) > 0 {
		stored, err := v.store.Checkpoints(ctx, v.report.Chain, after, v.store.page)
		if errors.Is(err, errStored) {
			return nil, v.fault(KindCheckpoint, 0, "its position is no number")
		}
		if err != nil {
			return nil, err
		}
		for _, c := range stored {
			if c.Seq > to {
				break
			}
			if err := v.store.trust(c); err != nil {
				return nil, v.fault(KindCheckpoint, c.Seq, "its signature is wrong")
			}
			list = append(list, c)
		}
	}
	for _, c := range v.outer {
		if c.Seq > after && c.Seq <= to {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b Checkpoint) int { return cmp.Compare(a.Seq, b.Seq) })
	return list, nil
}
