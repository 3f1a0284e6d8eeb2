package sqlauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/sqldb"
)

// OneTime is an [auth.OneTimeStore] in the table auth_one_time. Each operation is one statement. Built
// on a transaction, a token is issued or used up together with the application's rows.
type OneTime struct{ db sqldb.DB }

var _ auth.OneTimeStore = (*OneTime)(nil)

// NewOneTime returns a OneTime on db. The table must exist.
func NewOneTime(db sqldb.DB) *OneTime { return &OneTime{db: db} }

const putOneTime = `
INSERT INTO auth_one_time (purpose, subject, hash, data, expires_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (purpose, subject) DO UPDATE SET hash = excluded.hash, data = excluded.data, expires_at = excluded.expires_at`

// Put implements [auth.OneTimeStore].
func (o *OneTime) Put(ctx context.Context, r auth.OneTimeRecord) error {
	err := retry(func() error {
		_, err := o.db.Exec(ctx, putOneTime, r.Purpose, r.Subject, r.Hash, r.Data, sqldb.At(r.ExpiresAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlauth: put one-time token: %w", err)
	}
	return nil
}

const takeOneTime = `
DELETE FROM auth_one_time WHERE hash = $1 AND expires_at > $2 RETURNING purpose, subject, data, expires_at`

// Take implements [auth.OneTimeStore].
func (o *OneTime) Take(ctx context.Context, hash string, now time.Time) (auth.OneTimeRecord, error) {
	r := auth.OneTimeRecord{Hash: hash}
	var expires sqldb.Time
	err := retry(func() error {
		return o.db.QueryRow(ctx, takeOneTime, hash, sqldb.At(now)).Scan(&r.Purpose, &r.Subject, &r.Data, &expires)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return auth.OneTimeRecord{}, fmt.Errorf("%w: %w", auth.ErrNotFound, err)
	}
	if err != nil {
		return auth.OneTimeRecord{}, fmt.Errorf("sqlauth: take one-time token: %w", err)
	}
	r.ExpiresAt = expires.Time
	return r, nil
}

const forgetOneTime = `DELETE FROM auth_one_time WHERE purpose = $1 AND subject = $2`

// Forget implements [auth.OneTimeStore].
func (o *OneTime) Forget(ctx context.Context, purpose, subject string) error {
	err := retry(func() error {
		_, err := o.db.Exec(ctx, forgetOneTime, purpose, subject)
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlauth: forget one-time token: %w", err)
	}
	return nil
}

const deleteOneTime = `
DELETE FROM auth_one_time WHERE expires_at <= $1 AND hash IN (
	SELECT o.hash FROM auth_one_time o WHERE o.expires_at <= $1 ORDER BY o.hash LIMIT $2)`

// DeleteExpired implements [auth.OneTimeStore].
func (o *OneTime) DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error) {
	var n int64
	err := retry(func() (err error) {
		n, err = o.db.Exec(ctx, deleteOneTime, sqldb.At(before), int64(max(limit, 0)))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("sqlauth: delete one-time tokens: %w", err)
	}
	return int(n), nil
}
