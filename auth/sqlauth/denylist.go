package sqlauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Denylist is an [auth.Denylist] in the table auth_denied. It costs one indexed read per verified
// token. An entry refuses its id until DeleteExpired removes it, which may be later than its end;
// by then every token of that id has expired anyway.
type Denylist struct{ db sqldb.TxDB }

var _ auth.Denylist = (*Denylist)(nil)

// NewDenylist returns a Denylist on db. The table must exist.
func NewDenylist(db sqldb.TxDB) *Denylist { return &Denylist{db: db} }

const denyID = `
INSERT INTO auth_denied (id, denied_until) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET denied_until = CASE
	WHEN excluded.denied_until > auth_denied.denied_until THEN excluded.denied_until ELSE auth_denied.denied_until END`

// Deny implements [auth.Denylist].
func (d *Denylist) Deny(ctx context.Context, until time.Time, ids ...string) error {
	rows := make([][]any, 0, len(ids))
	for _, id := range ids {
		rows = append(rows, []any{id, sqldb.At(until)})
	}
	err := retry(func() error {
		_, err := sqldb.InsertBatch(ctx, d.db, denyID, rows)
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlauth: deny: %w", err)
	}
	return nil
}

// Denied implements [auth.Denylist].
func (d *Denylist) Denied(ctx context.Context, ids ...string) (bool, error) {
	if len(ids) == 0 {
		return false, nil
	}
	query := strings.Builder{}
	query.WriteString("SELECT id FROM auth_denied WHERE id IN ($1")
	args := []any{ids[0]}
	for _, id := range ids[1:] {
		args = append(args, id)
		fmt.Fprintf(&query, ", $%d", len(args))
	}
	query.WriteString(") LIMIT 1")
	var found string
	err := d.db.QueryRow(ctx, query.String(), args...).Scan(&found)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("sqlauth: denied: %w", err)
	}
	return true, nil
}

const deleteDenied = `
DELETE FROM auth_denied WHERE denied_until <= $1 AND id IN (
	SELECT d.id FROM auth_denied d WHERE d.denied_until <= $1 ORDER BY d.id LIMIT $2)`

// DeleteExpired removes at most limit entries that ended at or before the given time and returns
// how many. Call it from a periodic job.
func (d *Denylist) DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error) {
	var n int64
	err := retry(func() (err error) {
		n, err = d.db.Exec(ctx, deleteDenied, sqldb.At(before), int64(max(limit, 0)))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("sqlauth: delete denied: %w", err)
	}
	return int(n), nil
}
