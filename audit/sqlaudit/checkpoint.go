package sqlaudit

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/sqldb"
)

// PublicKey verifies checkpoints.
type PublicKey = ed25519.PublicKey

const publicKeySize = ed25519.PublicKeySize

// Checkpoint says that a chain had this hash at this place, signed with Ed25519. Whoever has
// copies outside the database can prove that the trail up to there was not rewritten or cut, even
// by someone who has the chain's keys.
type Checkpoint struct {
	Chain     string    `json:"chain"`
	Seq       int64     `json:"seq"`
	Hash      string    `json:"hash"`
	At        time.Time `json:"at"`
	KeyID     string    `json:"key_id"`
	Signature []byte    `json:"signature"`
}

// Sign returns c with its signature.
func (c Checkpoint) Sign(keyID string, key ed25519.PrivateKey) Checkpoint {
	c.KeyID, c.At = keyID, sqldb.At(c.At).Time
	c.Signature = ed25519.Sign(key, c.message())
	return c
}

// Verify reports a wrong signature as [ErrCheckpoint].
func (c Checkpoint) Verify(key PublicKey) error {
	if len(key) != publicKeySize || !ed25519.Verify(key, c.message(), c.Signature) {
		return fmt.Errorf("%w: signature", ErrCheckpoint)
	}
	return nil
}

func (c Checkpoint) message() []byte {
	b := []byte("groundwork audit checkpoint 1")
	for _, s := range []string{c.Chain, c.Hash, c.KeyID, c.At.UTC().Format(sqldb.TimeLayout)} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return binary.BigEndian.AppendUint64(b, uint64(c.Seq))
}

func (s *Store) trust(c Checkpoint) error {
	key, ok := s.trusted[c.KeyID]
	if !ok {
		return fmt.Errorf("%w: unknown key %q", ErrCheckpoint, c.KeyID)
	}
	return c.Verify(key)
}

const insertCheckpoint = `
INSERT INTO audit_checkpoints (chain, seq, hash, at, key_id, signature) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (chain, seq) DO NOTHING`

func storeCheckpoint(ctx context.Context, db sqldb.DB, c Checkpoint) error {
	_, err := db.Exec(ctx, insertCheckpoint, c.Chain, c.Seq, c.Hash, sqldb.At(c.At), c.KeyID,
		base64.RawURLEncoding.EncodeToString(c.Signature))
	if err != nil {
		return fmt.Errorf("sqlaudit: store checkpoint: %w", err)
	}
	return nil
}

// decodeSignature reads the one spelling that is stored; base64 itself would pass over line ends and
// stray bits. Any other text is a signature that verifies nothing.
func decodeSignature(stored string) []byte {
	signature, err := base64.RawURLEncoding.DecodeString(stored)
	if err != nil || base64.RawURLEncoding.EncodeToString(signature) != stored {
		return nil
	}
	return signature
}

const selectCheckpoints = `
SELECT c.seq, c.hash, c.at, c.key_id, c.signature FROM audit_checkpoints c
WHERE c.chain = $1 AND c.seq > $2 ORDER BY c.seq LIMIT $3`

// Checkpoints returns stored checkpoints of a chain beyond a sequence number, oldest first, at
// most limit of them. They are as the table holds them: ask [Checkpoint.Verify] of each.
func (s *Store) Checkpoints(ctx context.Context, chain string, after int64, limit int) ([]Checkpoint, error) {
	rows, err := s.db.Query(ctx, selectCheckpoints, chain, after, int64(limit))
	if err != nil {
		return nil, fmt.Errorf("sqlaudit: list checkpoints: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []Checkpoint
	for rows.Next() {
		c := Checkpoint{Chain: chain}
		var at moment
		var hash, keyID, signature text
		if err := rows.Scan((*number)(&c.Seq), &hash, &at, &keyID, &signature); err != nil {
			if ctx.Err() != nil || c.Seq <= after {
				return nil, fmt.Errorf("sqlaudit: list checkpoints: %w", err)
			}
			return append(list, c), nil // it holds a value that is never stored, so it does not verify
		}
		c.Hash, c.At, c.KeyID = string(hash), at.Time.Time, string(keyID)
		c.Signature = decodeSignature(string(signature))
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlaudit: list checkpoints: %w", err)
	}
	return list, nil
}
