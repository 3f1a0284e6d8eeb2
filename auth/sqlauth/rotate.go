package sqlauth

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
)

const secretColumns = `, generation, hash, previous_hash, salt, replays`

// swap is the whole of a successful refresh. It returns only what the caller cannot know: a row that
// the guards let through and the assignments changed has no secrets in the other columns.
const swap = `
UPDATE auth_sessions SET generation = generation + 1, previous_hash = hash, hash = $1, salt = $2, last_used_at = $3,
	idle_expires_at = CASE WHEN expires_at < $4 THEN expires_at ELSE $4 END, replays = 0
WHERE id = $5 AND generation = $6 AND hash = $7
	AND revoked_at IS NULL AND idle_expires_at > $3 AND expires_at > $3
RETURNING ` + fixedColumns

// judge acts on a token that is not the current one: it counts the replay of the direct parent
// ($1 its successor's generation, $2 its hash, $3 the start of the window) or revokes the session.
// It changes nothing when the session is over, the token is current after all ($6), newer than
// the row, or a parent whose replays are used up ($7).
const judge = `
UPDATE auth_sessions SET
	replays = CASE WHEN generation = $1 AND previous_hash = $2 AND last_used_at >= $3 THEN replays + 1 ELSE replays END,
	revoked_at = CASE WHEN generation = $1 AND previous_hash = $2 AND last_used_at >= $3 THEN revoked_at ELSE $4 END,
	revoke_reason = CASE WHEN generation = $1 AND previous_hash = $2 AND last_used_at >= $3 THEN revoke_reason ELSE 'reuse' END
WHERE id = $5 AND revoked_at IS NULL AND idle_expires_at > $4 AND expires_at > $4
	AND generation >= $6 AND NOT (generation = $6 AND hash = $2)
	AND NOT (generation = $1 AND previous_hash = $2 AND last_used_at >= $3 AND replays >= $7)
RETURNING ` + columns + secretColumns

const selectSecrets = `SELECT ` + columns + secretColumns + ` FROM auth_sessions WHERE id = $1`

// noWindow is a start of the replay window that no rotation reaches.
var noWindow = sqldb.At(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))

// row is a session with what the client's token is compared with.
type row struct {
	auth.Session
	generation           int64
	hash, previous, salt string
	replays              int64
}

// errAgain says that the row changed between two statements.
var errAgain = errors.New("sqlauth: session changes too fast")

// Rotate implements [auth.Store]. Each of its three statements is atomic and complete in itself;
// the third only reads. When the row it reads would have allowed one of the first two, a parallel
// call has changed it in between and the sequence starts again.
func (s *Store) Rotate(ctx context.Context, r auth.RotateRequest) (auth.RotateResult, error) {
	if !uuid7.Valid(r.ID) {
		return auth.RotateResult{Verdict: auth.VerdictNotFound}, nil
	}
	var res auth.RotateResult
	var err error
	for range maxTries {
		err = retry(func() (err error) {
			res, err = s.rotate(ctx, &r)
			return err
		})
		if !errors.Is(err, errAgain) {
			break
		}
	}
	if err != nil {
		return auth.RotateResult{}, fmt.Errorf("sqlauth: rotate: %w", err)
	}
	return res, nil
}

func (s *Store) rotate(ctx context.Context, r *auth.RotateRequest) (auth.RotateResult, error) {
	now, hash := sqldb.At(r.Now), encode(r.Hash[:])
	idle := sqldb.At(r.IdleUntil)
	ses, err := scanFixed(s.db.QueryRow(ctx, swap, encode(r.NextHash[:]), encode(r.NextSalt[:]), now, idle,
		r.ID, int64(r.Generation), hash))
	if err == nil {
		ses.ID, ses.LastUsedAt, ses.IdleExpiresAt = r.ID, now.Time, idle.Time
		if ses.ExpiresAt.Before(idle.Time) {
			ses.IdleExpiresAt = ses.ExpiresAt
		}
		return auth.RotateResult{
			Verdict: auth.VerdictRotated, Session: ses, Generation: r.Generation + 1, Salt: r.NextSalt,
		}, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return auth.RotateResult{}, err
	}
	since := noWindow
	if r.Window > 0 {
		since = sqldb.At(r.Now.Add(-r.Window))
	}
	got, err := scanRow(s.db.QueryRow(ctx, judge, int64(r.Generation)+1, hash, since, now, r.ID,
		int64(r.Generation), int64(r.MaxReplays)))
	switch {
	case err == nil && got.RevokedAt.IsZero():
		return got.result(auth.VerdictReplayed)
	case err == nil:
		return got.result(auth.VerdictReused)
	case !errors.Is(err, sql.ErrNoRows):
		return auth.RotateResult{}, err
	}
	got, err = scanRow(s.db.QueryRow(ctx, selectSecrets, r.ID))
	if errors.Is(err, sql.ErrNoRows) {
		return auth.RotateResult{Verdict: auth.VerdictNotFound}, nil
	}
	if err != nil {
		return auth.RotateResult{}, err
	}
	switch {
	case !got.RevokedAt.IsZero():
		return got.result(auth.VerdictRevoked)
	case !got.Live(r.Now):
		return got.result(auth.VerdictExpired)
	case int64(r.Generation) > got.generation:
		return got.result(auth.VerdictAhead)
	case int64(r.Generation)+1 == got.generation && hash == got.previous &&
		!got.LastUsedAt.Before(since.Time) && got.replays >= int64(r.MaxReplays):
		return got.result(auth.VerdictSuperseded)
	}
	return auth.RotateResult{}, errAgain
}

func scanRow(from sqldb.Row) (row, error) {
	var r row
	var err error
	r.Session, err = scanSession(from, &r.generation, &r.hash, &r.previous, &r.salt, &r.replays)
	return r, err
}

func (r *row) result(v auth.Verdict) (auth.RotateResult, error) {
	res := auth.RotateResult{Verdict: v, Session: r.Session, Generation: uint32(r.generation)}
	n, err := base64.RawURLEncoding.Decode(res.Salt[:], []byte(r.salt))
	if err != nil || n != len(res.Salt) {
		return auth.RotateResult{}, errors.New("stored salt is damaged")
	}
	return res, nil
}
