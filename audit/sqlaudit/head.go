package sqlaudit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/groundwork-go/groundwork/sqldb"
)

// head is a row of audit_heads: the last link of a chain, and the last one that was purged. Both
// are authenticated, so that neither end can be moved without the key. An older head with its own
// mac, put back after cutting the chain to fit, is only found by a checkpoint.
type head struct {
	chain     string
	seq       int64
	hash      text
	keyID     text
	mac       text
	baseSeq   int64
	baseHash  text
	baseKeyID text
	baseMAC   text
}

const headColumns = `h.seq, h.hash, h.key_id, h.mac, h.base_seq, h.base_hash, h.base_key_id, h.base_mac`

const selectHead = `SELECT ` + headColumns + ` FROM audit_heads AS h WHERE h.chain = $1`

func (h *head) dest() []any {
	return []any{
		(*number)(&h.seq), &h.hash, &h.keyID, &h.mac, (*number)(&h.baseSeq), &h.baseHash, &h.baseKeyID, &h.baseMAC,
	}
}

// readHead returns nil without an error when there is no such chain.
func readHead(ctx context.Context, db sqldb.DB, chain string) (*head, error) {
	h := &head{chain: chain}
	err := db.QueryRow(ctx, selectHead, chain).Scan(h.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		if ctx.Err() == nil && errors.Is(err, errStored) {
			return nil, &Fault{Kind: KindHead, Chain: chain, Detail: "it holds a value that is never stored"}
		}
		return nil, fmt.Errorf("read head: %w", err)
	}
	return h, nil
}

// check returns a *Fault when an end of the chain is not authentic.
func (h *head) check(hs *hasher) error {
	if err := h.checkEnd(hs, KindHead, useHead, h.seq, h.keyID, h.hash, h.mac); err != nil {
		return err
	}
	return h.checkEnd(hs, KindAnchor, useBase, h.baseSeq, h.baseKeyID, h.baseHash, h.baseMAC)
}

func (h *head) checkEnd(hs *hasher, kind Kind, use byte, seq int64, keyID, link, mac text) error {
	want, err := hs.point(use, string(keyID), h.chain, seq, string(link))
	if errors.Is(err, errUnknownKey) {
		return &Fault{Kind: KindUnknownKey, Chain: h.chain, Seq: seq, Detail: err.Error()}
	}
	if err != nil {
		return err
	}
	if !same(want, string(mac)) {
		return &Fault{Kind: kind, Chain: h.chain, Seq: seq, Detail: "it is not authentic"}
	}
	return nil
}

func (h *head) move(hs *hasher, seq int64, link string) error {
	mac, err := hs.point(useHead, hs.ring.current, h.chain, seq, link)
	h.seq, h.hash, h.keyID, h.mac = seq, text(link), text(hs.ring.current), text(mac)
	return err
}

func (h *head) moveBase(hs *hasher, seq int64, link string) error {
	mac, err := hs.point(useBase, hs.ring.current, h.chain, seq, link)
	h.baseSeq, h.baseHash, h.baseKeyID, h.baseMAC = seq, text(link), text(hs.ring.current), text(mac)
	return err
}

const (
	insertHead = `INSERT INTO audit_heads (chain, seq, hash, key_id, mac, base_seq, base_hash, base_key_id, base_mac)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

	updateHead = `UPDATE audit_heads SET seq = $1, hash = $2, key_id = $3, mac = $4 WHERE chain = $5`
)

// link appends records to their chains. The caller holds the sealer's lock.
func (s *Store) link(ctx context.Context, tx sqldb.DB, records []record) error {
	chains := map[string][]*record{}
	for i := range records {
		chain := s.chainOf(&records[i])
		chains[chain] = append(chains[chain], &records[i])
	}
	hs := s.keys.hasher()
	for _, chain := range slices.Sorted(maps.Keys(chains)) {
		if err := s.appendTo(ctx, tx, hs, chain, chains[chain]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) chainOf(r *record) string {
	if s.perTenant {
		return string(r.texts[colTenant])
	}
	return ""
}

func (s *Store) appendTo(ctx context.Context, tx sqldb.DB, hs *hasher, chain string, records []*record) error {
	h, err := readHead(ctx, tx, chain)
	if err != nil {
		return err
	}
	isNew := h == nil
	if isNew {
		h = &head{chain: chain}
		if err := h.moveBase(hs, 0, ""); err != nil {
			return err
		}
	} else if err := h.check(hs); err != nil {
		return err
	}
	seq, prev := h.seq, string(h.hash)
	list := make([]linked, len(records))
	for i, r := range records {
		seq++
		link, err := hs.event(hs.ring.current, chain, seq, prev, r)
		if err != nil {
			return err
		}
		list[i] = linked{seq, string(r.texts[colID]), prev, link}
		prev = link
	}
	if err := h.move(hs, seq, prev); err != nil {
		return err
	}
	if isNew {
		_, err = tx.Exec(ctx, insertHead, chain, h.seq, string(h.hash), string(h.keyID), string(h.mac),
			h.baseSeq, string(h.baseHash), string(h.baseKeyID), string(h.baseMAC))
	} else {
		_, err = tx.Exec(ctx, updateHead, h.seq, string(h.hash), string(h.keyID), string(h.mac), chain)
	}
	if err != nil {
		return err
	}
	err = insertChain(ctx, tx, chain, hs.ring.current, list)
	if _, taken := sqldb.UniqueViolation(err); taken {
		// The lock keeps other sealers out, so this is a chain that somebody has cut the head of.
		return errors.Join(&Fault{Kind: KindHead, Chain: chain, Seq: h.seq, Detail: "the chain goes on beyond its head"}, err)
	}
	return err
}

const selectUncheckpointed = `SELECT h.chain, ` + headColumns + ` FROM audit_heads AS h
WHERE h.seq > 0 AND NOT EXISTS (SELECT 1 FROM audit_checkpoints AS c WHERE c.chain = h.chain AND c.seq >= h.seq)
ORDER BY h.chain`

func (s *Store) uncheckpointed(ctx context.Context) ([]head, error) {
	rows, err := s.db.Query(ctx, selectUncheckpointed)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []head
	for rows.Next() {
		var h head
		if err := rows.Scan(append([]any{&h.chain}, h.dest()...)...); err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, rows.Err()
}

const selectChains = `SELECT h.chain FROM audit_heads AS h ORDER BY h.chain`

// Chains returns the names of all chains.
func (s *Store) Chains(ctx context.Context) ([]string, error) {
	rows, err := s.db.Query(ctx, selectChains)
	if err != nil {
		return nil, fmt.Errorf("sqlaudit: list chains: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var chain string
		if err := rows.Scan(&chain); err != nil {
			return nil, fmt.Errorf("sqlaudit: list chains: %w", err)
		}
		list = append(list, chain)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlaudit: list chains: %w", err)
	}
	return list, nil
}
