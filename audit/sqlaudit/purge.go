package sqlaudit

import (
	"context"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/sqldb"
)

// PurgeOptions are the options of [Store.Purge].
type PurgeOptions struct {
	// Chain is the chain to shorten.
	Chain string
	// Before is the time from which on events are kept. Required.
	Before time.Time
	// Max bounds the number of events of one call. Default: no bound.
	Max int64
	// DryRun counts and verifies and deletes nothing.
	DryRun bool
}

// PurgeResult tells what a purge has done.
type PurgeResult struct {
	Events int64 // deleted, or with DryRun to be deleted
	Seq    int64 // the last position that is purged
	More   bool  // Max ended it
}

const (
	// moveBase is the guard of a purge: of two at the same time, one changes the row.
	moveBase = `UPDATE audit_heads SET base_seq = $1, base_hash = $2, base_key_id = $3, base_mac = $4
WHERE chain = $5 AND base_seq = $6`

	deleteEvents = `DELETE FROM audit_events WHERE id IN (
	SELECT c.event_id FROM audit_chain AS c WHERE c.chain = $1 AND c.seq > $2 AND c.seq <= $3)`

	deleteLinks = `DELETE FROM audit_chain WHERE chain = $1 AND seq > $2 AND seq <= $3`
)

// Purge deletes the oldest part of a chain: the links up to the first event that is not older
// than Before. It works page by page, each in a transaction, verifies what it deletes, and leaves
// an authenticated record of where the chain now begins, so that [Store.Verify] goes on from
// there. A fault ends it with a [*Fault] before anything of that page is deleted. Events that are
// not sealed stay. Checkpoints stay.
//
// It is the only statement of this package that deletes; give the right to do so to the role it
// runs as and to no other.
func (s *Store) Purge(ctx context.Context, o PurgeOptions) (PurgeResult, error) {
	if err := s.needKeys(); err != nil {
		return PurgeResult{}, err
	}
	if o.Before.IsZero() {
		return PurgeResult{}, &ConfigError{Field: "Before", Reason: "is required"}
	}
	head, err := readHead(ctx, s.db, o.Chain)
	if err != nil || head == nil {
		return PurgeResult{}, wrap("sqlaudit: purge", err)
	}
	v := &verifier{
		store: s, hs: s.keys.hasher(), head: head, proven: map[string]bool{},
		report: Report{Chain: o.Chain, To: head.baseSeq, Hash: string(head.baseHash)},
	}
	result := PurgeResult{Seq: head.baseSeq}
	if err := head.check(v.hs); err != nil {
		return result, wrap("sqlaudit: purge", err)
	}
	for done := false; !done; {
		limit := s.page
		if o.Max > 0 {
			limit = int(min(int64(limit), o.Max-result.Events))
		}
		if limit == 0 {
			result.More = true
			return result, nil
		}
		var n int64
		n, done, err = s.purgePage(ctx, v, o, limit)
		result.Events += n
		if err != nil {
			return result, wrap("sqlaudit: purge", err)
		}
		result.Seq = v.head.baseSeq
		if o.DryRun {
			result.Seq = v.report.To
		}
	}
	return result, nil
}

// purgePage deletes one page. Done says that there is nothing more to delete.
func (s *Store) purgePage(
	ctx context.Context, v *verifier, o PurgeOptions, limit int,
) (n int64, done bool, err error) {
	page, err := links(ctx, s.db, o.Chain, v.report.To, v.head.seq, limit)
	if err != nil {
		return 0, false, err
	}
	from, before := v.report.To, sqldb.At(o.Before).Time
	done = len(page) < limit
	for i := range page {
		if page[i].found && !page[i].record.at.Before(before) {
			done = true
			break
		}
		if err := v.step(&page[i], page[i:]); err != nil {
			return 0, true, err
		}
	}
	n = v.report.To - from
	if n == 0 || o.DryRun {
		return n, done, nil
	}
	next := *v.head
	if err := next.moveBase(v.hs, v.report.To, v.report.Hash); err != nil {
		return 0, true, err
	}
	lost := false
	err = s.inTx(ctx, func(tx sqldb.DB) error {
		changed, err := tx.Exec(ctx, moveBase, next.baseSeq, string(next.baseHash), string(next.baseKeyID),
			string(next.baseMAC), o.Chain, from)
		if err != nil {
			return err
		}
		if lost = changed == 0; lost {
			return nil
		}
		if _, err := tx.Exec(ctx, deleteEvents, o.Chain, from, next.baseSeq); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, deleteLinks, o.Chain, from, next.baseSeq)
		return err
	})
	if err != nil || lost { // another purge is at it and will do the rest
		return 0, true, err
	}
	v.head = &next
	return n, done, nil
}

func wrap(prefix string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", prefix, err)
}
