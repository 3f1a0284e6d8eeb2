package sqlauth

import (
	"context"
	"database/sql"
	_ "embed" // for the schema files
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
)

//go:embed schema/postgres.sql
var postgresSchema string

//go:embed schema/sqlite.sql
var sqliteSchema string

//go:embed schema/postgres_one_time.sql
var postgresOneTimeSchema string

//go:embed schema/sqlite_one_time.sql
var sqliteOneTimeSchema string

// Schema returns the DDL of [Store] and [Denylist] for a dialect: several statements, each ended by a
// semicolon at the end of a line. It is empty for an unknown dialect.
func Schema(d sqldb.Dialect) string {
	switch d {
	case sqldb.DialectPostgres:
		return postgresSchema
	case sqldb.DialectSQLite:
		return sqliteSchema
	}
	return ""
}

// OneTimeSchema returns the DDL of [OneTime] for a dialect, as Schema does.
func OneTimeSchema(d sqldb.Dialect) string {
	switch d {
	case sqldb.DialectPostgres:
		return postgresOneTimeSchema
	case sqldb.DialectSQLite:
		return sqliteOneTimeSchema
	}
	return ""
}

// Statements cuts a text of [Schema] or [OneTimeSchema] into single statements, for code that creates
// the tables itself.
func Statements(schema string) []string {
	var list []string
	for statement := range strings.SplitSeq(schema, ";\n") {
		if statement = strings.TrimSpace(statement); statement != "" {
			list = append(list, statement)
		}
	}
	return list
}

// Store is an [auth.Store] on SQL. Safe for concurrent use as far as its DB is.
type Store struct{ db sqldb.TxDB }

var _ auth.Store = (*Store)(nil)

// New returns a Store on db. The tables must exist.
func New(db sqldb.TxDB) *Store { return &Store{db: db} }

const insertSession = `
INSERT INTO auth_sessions (id, subject, tenant, client_id, methods, attributes, generation, hash,
	previous_hash, salt, replays, auth_time, created_at, last_used_at, idle_expires_at, expires_at, revoke_reason)
VALUES ($1, $2, $3, $4, $5, $6, 0, $7, '', $8, 0, $9, $10, $11, $12, $13, '')`

const lockSubject = `
INSERT INTO auth_subjects (subject, expires_at) VALUES ($1, $2)
ON CONFLICT (subject) DO UPDATE SET expires_at = CASE
	WHEN excluded.expires_at > auth_subjects.expires_at THEN excluded.expires_at ELSE auth_subjects.expires_at END`

const evictSessions = `
UPDATE auth_sessions SET revoked_at = $1, revoke_reason = $2
WHERE revoked_at IS NULL AND id IN (
	SELECT s.id FROM auth_sessions s
	WHERE s.subject = $3 AND s.revoked_at IS NULL AND s.idle_expires_at > $1 AND s.expires_at > $1 AND s.id <> $4
	ORDER BY s.created_at DESC, s.id DESC LIMIT 1000000 OFFSET $5)
RETURNING id`

// Create implements [auth.Store]. With a limit it locks the subject's row in auth_subjects first,
// so parallel log-ins of one user take turns.
func (s *Store) Create(ctx context.Context, r auth.Record, limit int) (evicted []string, err error) {
	insert, err := insertArgs(&r)
	if err != nil {
		return nil, fmt.Errorf("sqlauth: encode session: %w", err)
	}
	if limit <= 0 {
		if _, err := s.db.Exec(ctx, insertSession, insert...); err != nil {
			return nil, fmt.Errorf("sqlauth: insert session: %w", err)
		}
		return nil, nil
	}
	ses := &r.Session
	err = retry(func() error {
		return s.db.InTx(ctx, func(tx sqldb.DB) error {
			if _, err := tx.Exec(ctx, lockSubject, ses.Subject, sqldb.At(ses.ExpiresAt)); err != nil {
				return fmt.Errorf("sqlauth: lock subject: %w", err)
			}
			if _, err := tx.Exec(ctx, insertSession, insert...); err != nil {
				return fmt.Errorf("sqlauth: insert session: %w", err)
			}
			evicted, err = ids(tx.Query(ctx, evictSessions, sqldb.At(ses.CreatedAt), auth.ReasonEvicted,
				ses.Subject, ses.ID, int64(limit-1)))
			if err != nil {
				return fmt.Errorf("sqlauth: evict sessions: %w", err)
			}
			return nil
		})
	})
	return evicted, err
}

func insertArgs(r *auth.Record) ([]any, error) {
	ses := &r.Session
	methods, err := json.Marshal(ses.Methods)
	if err != nil {
		return nil, err
	}
	attributes, err := json.Marshal(ses.Attributes)
	if err != nil {
		return nil, err
	}
	return []any{
		ses.ID, ses.Subject, ses.Tenant, ses.ClientID, string(methods), string(attributes),
		encode(r.Hash[:]), encode(r.Salt[:]), sqldb.At(ses.AuthTime), sqldb.At(ses.CreatedAt),
		sqldb.At(ses.LastUsedAt), sqldb.At(ses.IdleExpiresAt), sqldb.At(ses.ExpiresAt),
	}, nil
}

// fixedColumns never change after Create.
const fixedColumns = `subject, tenant, client_id, methods, attributes, auth_time, created_at, expires_at`

const columns = fixedColumns + `, id, last_used_at, idle_expires_at, revoked_at, revoke_reason`

const selectSession = `SELECT ` + columns + ` FROM auth_sessions WHERE id = $1`

// Get implements [auth.Store].
func (s *Store) Get(ctx context.Context, id string) (auth.Session, error) {
	if !uuid7.Valid(id) {
		return auth.Session{}, auth.ErrNotFound
	}
	ses, err := scanSession(s.db.QueryRow(ctx, selectSession, id))
	if errors.Is(err, sql.ErrNoRows) {
		return auth.Session{}, fmt.Errorf("%w: %w", auth.ErrNotFound, err)
	}
	if err != nil {
		return auth.Session{}, fmt.Errorf("sqlauth: get session: %w", err)
	}
	return ses, nil
}

const listSessions = `SELECT ` + columns + ` FROM auth_sessions
WHERE subject = $1 AND revoked_at IS NULL AND idle_expires_at > $2 AND expires_at > $2
ORDER BY created_at DESC, id DESC`

// List implements [auth.Store].
func (s *Store) List(ctx context.Context, subject string, now time.Time) ([]auth.Session, error) {
	rows, err := s.db.Query(ctx, listSessions, subject, sqldb.At(now))
	if err != nil {
		return nil, fmt.Errorf("sqlauth: list sessions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []auth.Session
	for rows.Next() {
		ses, err := scanSession(rows)
		if err != nil {
			return nil, fmt.Errorf("sqlauth: list sessions: %w", err)
		}
		list = append(list, ses)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlauth: list sessions: %w", err)
	}
	return list, nil
}

const revokeSession = `
UPDATE auth_sessions SET revoked_at = $1, revoke_reason = $2 WHERE id = $3 AND revoked_at IS NULL`

// Revoke implements [auth.Store].
func (s *Store) Revoke(ctx context.Context, id, reason string, now time.Time) (did bool, err error) {
	if !uuid7.Valid(id) {
		return false, nil
	}
	err = retry(func() error {
		n, err := s.db.Exec(ctx, revokeSession, sqldb.At(now), reason, id)
		did = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("sqlauth: revoke session: %w", err)
	}
	return did, nil
}

const revokeSubject = `
UPDATE auth_sessions SET revoked_at = $1, revoke_reason = $2 WHERE subject = $3 AND revoked_at IS NULL`

// maxKeep bounds the placeholders of one statement well below every database's limit.
const maxKeep = 1000

// RevokeSubject implements [auth.Store]. It keeps at most 1,000 sessions.
func (s *Store) RevokeSubject(ctx context.Context, subject string, keep []string, reason string, now time.Time) (ended []string, err error) {
	query := strings.Builder{}
	query.WriteString(revokeSubject)
	args := []any{sqldb.At(now), reason, subject}
	for _, id := range keep {
		if !uuid7.Valid(id) {
			continue // matches no session
		}
		args = append(args, id)
		fmt.Fprintf(&query, " AND id <> $%d", len(args))
	}
	if len(args) > maxKeep+3 {
		return nil, fmt.Errorf("sqlauth: revoke sessions: more than %d to keep", maxKeep)
	}
	query.WriteString(" RETURNING id")
	err = retry(func() error {
		ended, err = ids(s.db.Query(ctx, query.String(), args...))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sqlauth: revoke sessions: %w", err)
	}
	return ended, nil
}

const deleteSessions = `
DELETE FROM auth_sessions WHERE (expires_at <= $1 OR revoked_at <= $1) AND id IN (
	SELECT s.id FROM auth_sessions s WHERE s.expires_at <= $1 OR s.revoked_at <= $1 ORDER BY s.id LIMIT $2)`

const deleteSubjects = `
DELETE FROM auth_subjects WHERE expires_at <= $1 AND subject IN (
	SELECT s.subject FROM auth_subjects s WHERE s.expires_at <= $1 ORDER BY s.subject LIMIT $2)`

// DeleteExpired implements [auth.Store].
func (s *Store) DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error) {
	var deleted int64
	for _, statement := range []string{deleteSubjects, deleteSessions} {
		err := retry(func() (err error) {
			deleted, err = s.db.Exec(ctx, statement, sqldb.At(before), int64(max(limit, 0)))
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("sqlauth: delete expired: %w", err)
		}
	}
	return int(deleted), nil
}

// maxTries bounds the repetition of a statement that lost against a parallel one.
const maxTries = 20

// retry repeats what failed only because of a parallel transaction.
func retry(do func() error) error {
	err := do()
	for range maxTries {
		if !sqldb.IsRetryable(err) {
			break
		}
		err = do()
	}
	return err
}

func ids(rows sqldb.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		list = append(list, id)
	}
	return list, rows.Err()
}

// scanSession reads the columns of the constant columns, and more behind them.
func scanSession(row sqldb.Row, more ...any) (auth.Session, error) {
	var id, reason string
	var used, idle, revoked sqldb.Time
	ses, err := scanFixed(row, append([]any{&id, &used, &idle, &revoked, &reason}, more...)...)
	ses.ID, ses.LastUsedAt, ses.IdleExpiresAt = id, used.Time, idle.Time
	ses.RevokedAt, ses.RevokeReason = revoked.Time, reason
	return ses, err
}

// scanFixed reads the columns of fixedColumns, and more behind them.
func scanFixed(row sqldb.Row, more ...any) (auth.Session, error) {
	var in struct { // one allocation for all that Scan writes to
		subject, tenant, clientID, methods, attributes string
		authTime, created, expires                     sqldb.Time
	}
	err := row.Scan(append([]any{
		&in.subject, &in.tenant, &in.clientID, &in.methods, &in.attributes, &in.authTime, &in.created, &in.expires,
	}, more...)...)
	if err != nil {
		return auth.Session{}, err
	}
	ses := auth.Session{
		Subject: in.subject, Tenant: in.tenant, ClientID: in.clientID,
		AuthTime: in.authTime.Time, CreatedAt: in.created.Time, ExpiresAt: in.expires.Time,
	}
	if ses.Methods, err = decodeMethods(in.methods); err != nil {
		return auth.Session{}, fmt.Errorf("methods: %w", err)
	}
	if in.attributes != "null" {
		if err := json.Unmarshal([]byte(in.attributes), &ses.Attributes); err != nil {
			return auth.Session{}, fmt.Errorf("attributes: %w", err)
		}
	}
	return ses, nil
}

// decodeMethods reads a JSON list of texts, without the decoder when it is as plain as the values of
// RFC 8176 are.
func decodeMethods(text string) (list []string, err error) {
	body, ok := strings.CutPrefix(text, `["`)
	body, closed := strings.CutSuffix(body, `"]`)
	switch {
	case text == "null":
		return nil, nil
	case ok && closed && !strings.ContainsAny(strings.ReplaceAll(body, `","`, ""), `"\`):
		return strings.Split(body, `","`), nil
	}
	err = json.Unmarshal([]byte(text), &list)
	return list, err
}

func encode(b []byte) string {
	var room [64]byte
	return string(base64.RawURLEncoding.AppendEncode(room[:0], b))
}
