package sqlaudit

import (
	"context"
	"errors"
	"fmt"

	"github.com/groundwork-go/groundwork/sqldb"
)

// link is a row of audit_chain with its event, if that still exists.
type link struct {
	seq     int64
	eventID text
	keyID   text
	prev    text
	hash    text
	found   bool
	record  record
	// broken is the error of a value that this package never stores.
	broken error
}

// The event comes in a second select because a NULL in place of a text means tampering here: a
// LEFT JOIN would have to allow it.
const selectLinks = `SELECT c.seq, c.event_id, c.key_id, c.prev, c.hash FROM audit_chain AS c
WHERE c.chain = $1 AND c.seq > $2 AND c.seq <= $3 ORDER BY c.seq LIMIT $4`

const selectLinked = `SELECT c.seq, ` + eventColumns + ` FROM audit_chain AS c JOIN audit_events AS e ON e.id = c.event_id
WHERE c.chain = $1 AND c.seq > $2 AND c.seq <= $3 ORDER BY c.seq`

// links reads a page of a chain: up to limit links after a position and up to another.
func links(ctx context.Context, db sqldb.DB, chain string, after, to int64, limit int) ([]link, error) {
	list, err := readLinks(ctx, db, chain, after, to, limit)
	if err != nil || len(list) == 0 {
		return list, err
	}
	rows, err := db.Query(ctx, selectLinked, chain, after, list[len(list)-1].seq)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	defer func() { _ = rows.Close() }()
	next := 0
	for rows.Next() {
		var seq int64
		var r record
		err := rows.Scan(r.dest(&seq)...)
		for next < len(list) && list[next].seq < seq {
			next++
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil, fmt.Errorf("read events: %w", err)
			}
			// Scan fills from the left, so seq is known even if a later column is at fault. pgx ends
			// the rows here: what follows counts as not read, which does not matter after a fault.
			if next < len(list) && list[next].seq == seq {
				list[next].broken = err
			}
			return list[:min(next+1, len(list))], nil
		}
		if next < len(list) && list[next].seq == seq {
			list[next].found, list[next].record = true, r
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return list, nil
}

func readLinks(ctx context.Context, db sqldb.DB, chain string, after, to int64, limit int) ([]link, error) {
	rows, err := db.Query(ctx, selectLinks, chain, after, to, int64(limit))
	if err != nil {
		return nil, fmt.Errorf("read chain: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := make([]link, 0, limit)
	for rows.Next() {
		var l link
		if err := rows.Scan((*number)(&l.seq), &l.eventID, &l.keyID, &l.prev, &l.hash); err != nil {
			if ctx.Err() != nil {
				return nil, fmt.Errorf("read chain: %w", err)
			}
			l.broken = err
			return append(list, l), nil
		}
		list = append(list, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read chain: %w", err)
	}
	return list, nil
}

// walk verifies all links from report.To to the head. Report.To and Hash follow it.
func (v *verifier) walk(ctx context.Context) error {
	if err := v.older(ctx); err != nil {
		return err
	}
	for v.report.To < v.head.seq {
		page, err := links(ctx, v.store.db, v.report.Chain, v.report.To, v.head.seq, v.store.page)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		checkpoints, checkErr := v.checkpoints(ctx, v.report.To, page[len(page)-1].seq)
		var forged *Fault
		if checkErr != nil && !errors.As(checkErr, &forged) {
			return checkErr
		}
		for i := range page {
			if err := v.step(&page[i], page[i:]); err != nil {
				return err
			}
			if forged != nil && forged.Seq == page[i].seq {
				return forged
			}
			for len(checkpoints) > 0 && checkpoints[0].Seq == page[i].seq {
				if checkpoints[0].Hash != v.report.Hash {
					return v.fault(KindCheckpoint, page[i].seq, "the chain was rewritten")
				}
				v.report.Checkpoints++
				checkpoints = checkpoints[1:]
			}
		}
		if forged != nil {
			return forged
		}
	}
	return nil
}

// older checks the checkpoints of the part that is not read.
func (v *verifier) older(ctx context.Context) error {
	for after := int64(0); ; {
		checkpoints, err := v.checkpoints(ctx, after, v.report.From)
		if err != nil {
			return err
		}
		if len(checkpoints) == 0 {
			return nil
		}
		for _, c := range checkpoints {
			switch {
			case c.Seq < v.report.From:
				v.report.Older++
			case c.Hash != v.report.Hash:
				return v.fault(KindCheckpoint, c.Seq, "the chain was rewritten")
			default:
				v.report.Checkpoints++
			}
			after = c.Seq
		}
	}
}

// step verifies one link; ahead are that link and those after it.
func (v *verifier) step(l *link, ahead []link) error {
	want := v.report.To + 1
	fault := func(kind Kind, detail string) error {
		return &Fault{Kind: kind, Chain: v.report.Chain, Seq: want, EventID: string(l.eventID), Detail: detail}
	}
	switch {
	case l.seq > want:
		return v.fault(KindGap, want, "the link is missing")
	case l.broken != nil:
		return fault(KindContent, "it holds a value that is never stored")
	case string(l.prev) != v.report.Hash:
		return fault(KindLink, "it does not follow the one before")
	case !l.found:
		return fault(KindMissing, "the event is missing")
	}
	ok, err := v.verifies(l)
	if errors.Is(err, errUnknownKey) {
		return fault(KindUnknownKey, err.Error())
	}
	if err != nil {
		return err
	}
	if !ok {
		if !v.proven[string(l.keyID)] && len(ahead) > 1 && !v.anyVerifies(ahead[1:], l.keyID) && !v.endVerifies(l.keyID) {
			return fault(KindKey, "nothing verifies with this key: key mismatch?")
		}
		return fault(KindContent, "the content changed")
	}
	v.proven[string(l.keyID)] = true
	v.report.To, v.report.Hash = l.seq, string(l.hash)
	v.report.Events++
	return nil
}

func (v *verifier) verifies(l *link) (bool, error) {
	if !l.found || l.broken != nil {
		return false, nil //nolint:nilerr // what cannot be read verifies with no key
	}
	hash, err := v.hs.event(string(l.keyID), v.report.Chain, l.seq, string(l.prev), &l.record)
	return err == nil && same(hash, string(l.hash)), err
}

// anyVerifies asks whether some link of a page is right for a key, going by its own prev.
func (v *verifier) anyVerifies(page []link, keyID text) bool {
	for i := range page {
		if ok, _ := v.verifies(&page[i]); ok && page[i].keyID == keyID {
			return true
		}
	}
	return false
}

func (v *verifier) endVerifies(keyID text) bool {
	h := v.head
	return h.keyID == keyID && h.checkEnd(v.hs, KindHead, useHead, h.seq, h.keyID, h.hash, h.mac) == nil ||
		h.baseKeyID == keyID && h.checkEnd(v.hs, KindAnchor, useBase, h.baseSeq, h.baseKeyID, h.baseHash, h.baseMAC) == nil
}

// anyLinkVerifies asks the first page of the chain.
func (v *verifier) anyLinkVerifies(ctx context.Context) bool {
	page, err := links(ctx, v.store.db, v.report.Chain, v.head.baseSeq, v.head.seq, v.store.page)
	if err != nil {
		return true // another statement will tell
	}
	for i := range page {
		if ok, _ := v.verifies(&page[i]); ok {
			return true
		}
	}
	return false
}
