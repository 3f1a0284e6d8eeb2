package redisauth

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/internal/uuid7"
)

// Config configures a [Store], a [Denylist] or a [OneTime].
type Config struct {
	// Client talks to Redis. Required. It stays the caller's to close.
	Client redis.UniversalClient
	// Prefix begins every key. Default "auth:". It may contain a hash tag, which puts everything on
	// one node of a cluster.
	Prefix string
	// Retention is how long after its absolute end Redis itself drops a session that no sweep has
	// removed. Default 30 days.
	Retention time.Duration
	// Now is the clock by which deny-list entries live. Default time.Now.
	Now func() time.Time
}

// ConfigError is one fault in a configuration. Constructors report all faults at once, joined
// with [errors.Join].
type ConfigError struct {
	Field  string // name of the field
	Value  any    // what was given
	Reason string // what is wrong with it
}

// Error implements error.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("redisauth: config %s = %v: %s", e.Field, e.Value, e.Reason)
}

func (cfg *Config) check() error {
	cfg.Prefix = cmp.Or(cfg.Prefix, "auth:")
	cfg.Retention = cmp.Or(cfg.Retention, 30*24*time.Hour)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	var errs []error
	if cfg.Client == nil {
		errs = append(errs, &ConfigError{Field: "Client", Reason: "is nil"})
	}
	if cfg.Retention < time.Minute {
		errs = append(errs, &ConfigError{Field: "Retention", Value: cfg.Retention, Reason: "is under a minute"})
	}
	return errors.Join(errs...)
}

// Store is an [auth.Store] in Redis. Safe for concurrent use.
type Store struct {
	client    redis.UniversalClient
	prefix    string
	retention time.Duration
}

var _ auth.Store = (*Store)(nil)

// New checks the configuration and returns a Store. It does no I/O. Errors are *ConfigError.
func New(cfg Config) (*Store, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	return &Store{client: cfg.Client, prefix: cfg.Prefix, retention: cfg.Retention}, nil
}

func (s *Store) sessionKey(id string) string      { return s.prefix + "s:" + id }
func (s *Store) subjectKey(subject string) string { return s.prefix + "u:" + subject }
func (s *Store) leaseKey(subject string) string   { return s.prefix + "l:" + subject }
func (s *Store) endsKey() string                  { return s.prefix + "ends" }

// fields are the names in a session's hash, in the order in which the scripts return them. The first
// fixedFields of them never change after Create.
var fields = []string{
	"subject", "tenant", "client", "methods", "attrs", "auth", "created", "abs", "used", "idle", "revoked",
	"reason", "gen", "salt",
}

const fixedFields = 8

// Get implements [auth.Store].
func (s *Store) Get(ctx context.Context, id string) (auth.Session, error) {
	if !uuid7.Valid(id) {
		return auth.Session{}, auth.ErrNotFound
	}
	values, err := s.client.HMGet(ctx, s.sessionKey(id), fields...).Result()
	if err != nil {
		return auth.Session{}, fmt.Errorf("redisauth: get session: %w", err)
	}
	ses, _, err := decode(id, values)
	return ses, err
}

// decode reads the values of fields. A hash without subject is ErrNotFound.
func decode(id string, values []any) (auth.Session, row, error) {
	if len(values) < len(fields) || values[0] == nil {
		return auth.Session{}, row{}, auth.ErrNotFound
	}
	d := decoder{values: values}
	ses := d.fixed(id)
	ses.LastUsedAt, ses.IdleExpiresAt, ses.RevokeReason = d.time(8), d.time(9), d.text(11)
	if values[10] != nil {
		ses.RevokedAt = d.time(10)
	}
	r := row{generation: uint32(d.number(12))}
	n, err := base64.RawURLEncoding.Decode(r.salt[:], []byte(d.text(13)))
	if d.err == nil && (err != nil || n != len(r.salt)) {
		d.err = errors.New("redisauth: stored salt is damaged")
	}
	return ses, r, d.err
}

// fixed reads the fields that never change.
func (d *decoder) fixed(id string) auth.Session {
	ses := auth.Session{
		ID: id, Subject: d.text(0), Tenant: d.text(1), ClientID: d.text(2),
		AuthTime: d.time(5), CreatedAt: d.time(6), ExpiresAt: d.time(7),
	}
	d.json(3, &ses.Methods)
	d.json(4, &ses.Attributes)
	return ses
}

type row struct {
	generation uint32
	salt       [auth.SaltBytes]byte
}

// decoder keeps the first error of several conversions.
type decoder struct {
	values []any
	err    error
}

func (d *decoder) text(i int) string {
	text, _ := d.values[i].(string)
	return text
}

func (d *decoder) number(i int) int64 {
	n, err := strconv.ParseInt(d.text(i), 10, 64)
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("redisauth: stored field %s is damaged", fields[i])
	}
	return n
}

func (d *decoder) time(i int) time.Time { return time.UnixMicro(d.number(i)).UTC() }

func (d *decoder) json(i int, into any) {
	if d.text(i) == "null" {
		return
	}
	if err := json.Unmarshal([]byte(d.text(i)), into); err != nil && d.err == nil {
		d.err = fmt.Errorf("redisauth: stored field %s is damaged", fields[i])
	}
}

// Create implements [auth.Store]. The indexes are written before the session, so no session exists
// that RevokeSubject cannot find.
func (s *Store) Create(ctx context.Context, r auth.Record, limit int) (evicted []string, err error) {
	ses := &r.Session
	if limit > 0 {
		release, err := s.lease(ctx, ses.Subject)
		if err != nil {
			return nil, err
		}
		defer release()
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, leaseTime/2)
		defer cancel()
		if evicted, err = s.evict(ctx, ses, limit); err != nil {
			return nil, err
		}
	}
	args, err := createArgs(&r)
	if err != nil {
		return nil, fmt.Errorf("redisauth: encode session: %w", err)
	}
	// Relative, so that the clock of the Service need not agree with that of Redis.
	keep := ses.ExpiresAt.Sub(ses.CreatedAt) + s.retention
	subject := s.subjectKey(ses.Subject)
	end := float64(ses.ExpiresAt.UnixMicro())
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZAddNX(ctx, subject, redis.Z{Score: end, Member: ses.ID})
		p.ExpireNX(ctx, subject, keep)
		p.ExpireGT(ctx, subject, keep)
		p.ZAddNX(ctx, s.endsKey(), redis.Z{Score: end, Member: ses.ID})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("redisauth: index session: %w", err)
	}
	made, err := scripts.create.Run(ctx, s.client, []string{s.sessionKey(ses.ID)},
		append([]any{keep.Milliseconds()}, args...)...).Int()
	if err != nil {
		return nil, fmt.Errorf("redisauth: create session: %w", err)
	}
	if made == 0 {
		return nil, errors.New("redisauth: create session: id exists")
	}
	return evicted, nil
}

func createArgs(r *auth.Record) ([]any, error) {
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
		"subject", ses.Subject, "tenant", ses.Tenant, "client", ses.ClientID, "methods", methods, "attrs", attributes,
		"auth", ses.AuthTime.UnixMicro(), "created", ses.CreatedAt.UnixMicro(), "used", ses.LastUsedAt.UnixMicro(),
		"idle", ses.IdleExpiresAt.UnixMicro(), "abs", ses.ExpiresAt.UnixMicro(), "gen", 0, "rep", 0,
		"hash", encode(r.Hash[:]), "prev", "", "salt", encode(r.Salt[:]),
	}, nil
}

// evict makes room for one more session of a subject whose lease is held.
func (s *Store) evict(ctx context.Context, next *auth.Session, limit int) ([]string, error) {
	live, err := s.List(ctx, next.Subject, next.CreatedAt)
	if err != nil || len(live) < limit {
		return nil, err
	}
	// A caller that repeats a known id gets its error below; nobody is evicted for it.
	if n, err := s.client.Exists(ctx, s.sessionKey(next.ID)).Result(); err != nil || n > 0 {
		return nil, err
	}
	var evicted []string
	for _, ses := range live[limit-1:] {
		did, err := s.Revoke(ctx, ses.ID, auth.ReasonEvicted, next.CreatedAt)
		if err != nil {
			return nil, err
		}
		if did {
			evicted = append(evicted, ses.ID)
		}
	}
	return evicted, nil
}

// Rotate implements [auth.Store] with one script call.
func (s *Store) Rotate(ctx context.Context, r auth.RotateRequest) (auth.RotateResult, error) {
	if !uuid7.Valid(r.ID) {
		return auth.RotateResult{Verdict: auth.VerdictNotFound}, nil
	}
	reply, err := scripts.rotate.Run(ctx, s.client, []string{s.sessionKey(r.ID)},
		r.Generation, encode(r.Hash[:]), encode(r.NextHash[:]), encode(r.NextSalt[:]), r.Now.UnixMicro(),
		r.IdleUntil.UnixMicro(), r.Window.Microseconds(), r.MaxReplays).Slice()
	if err != nil {
		return auth.RotateResult{}, fmt.Errorf("redisauth: rotate: %w", err)
	}
	code, _ := reply[0].(int64)
	switch {
	case auth.Verdict(code) == auth.VerdictNotFound:
		return auth.RotateResult{Verdict: auth.VerdictNotFound}, nil
	case auth.Verdict(code) == auth.VerdictRotated && len(reply) > fixedFields:
		return rotated(&r, reply[1:])
	}
	ses, row, err := decode(r.ID, reply[1:])
	if err != nil {
		return auth.RotateResult{}, fmt.Errorf("redisauth: rotate: %w", err)
	}
	if auth.Verdict(code) == auth.VerdictReused {
		// The sweep finds the session by its absolute end if this fails.
		_ = s.endsAt(ctx, r.ID, r.Now)
	}
	return auth.RotateResult{
		Verdict: auth.Verdict(code), Session: ses, Generation: row.generation, Salt: row.salt,
	}, nil
}

// rotated is the result of a rotation. What the script has set is known without reading it back.
func rotated(r *auth.RotateRequest, values []any) (auth.RotateResult, error) {
	d := decoder{values: values}
	ses := d.fixed(r.ID)
	ses.LastUsedAt, ses.IdleExpiresAt = r.Now.UTC().Truncate(time.Microsecond), r.IdleUntil.UTC().Truncate(time.Microsecond)
	if ses.ExpiresAt.Before(ses.IdleExpiresAt) {
		ses.IdleExpiresAt = ses.ExpiresAt
	}
	if d.err != nil {
		return auth.RotateResult{}, fmt.Errorf("redisauth: rotate: %w", d.err)
	}
	return auth.RotateResult{
		Verdict: auth.VerdictRotated, Session: ses, Generation: r.Generation + 1, Salt: r.NextSalt,
	}, nil
}

// List implements [auth.Store].
func (s *Store) List(ctx context.Context, subject string, now time.Time) ([]auth.Session, error) {
	all, err := s.all(ctx, subject)
	if err != nil {
		return nil, err
	}
	live := slices.DeleteFunc(all, func(ses auth.Session) bool { return !ses.Live(now) })
	slices.SortFunc(live, func(a, b auth.Session) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(b.ID, a.ID))
	})
	return live, nil
}

// all reads the subject's sessions in any state. Ids whose session is not there, because it has
// expired or is just being created, are left out.
func (s *Store) all(ctx context.Context, subject string) ([]auth.Session, error) {
	ids, err := s.client.ZRange(ctx, s.subjectKey(subject), 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("redisauth: list sessions: %w", err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	replies, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, id := range ids {
			p.HMGet(ctx, s.sessionKey(id), fields...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("redisauth: list sessions: %w", err)
	}
	var list []auth.Session
	for i, reply := range replies {
		ses, _, err := decode(ids[i], reply.(*redis.SliceCmd).Val())
		if errors.Is(err, auth.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, ses)
	}
	return list, nil
}

// Revoke implements [auth.Store].
func (s *Store) Revoke(ctx context.Context, id, reason string, now time.Time) (bool, error) {
	if !uuid7.Valid(id) {
		return false, nil
	}
	did, err := scripts.revoke.Run(ctx, s.client, []string{s.sessionKey(id)}, now.UnixMicro(), reason).Int()
	if err != nil {
		return false, fmt.Errorf("redisauth: revoke session: %w", err)
	}
	if did == 0 {
		return false, nil
	}
	return true, s.endsAt(ctx, id, now)
}

// endsAt moves a session forward in the sweep's index.
func (s *Store) endsAt(ctx context.Context, id string, at time.Time) error {
	err := s.client.ZAddArgs(ctx, s.endsKey(), redis.ZAddArgs{
		XX: true, LT: true, Members: []redis.Z{{Score: float64(at.UnixMicro()), Member: id}},
	}).Err()
	if err != nil {
		return fmt.Errorf("redisauth: index session: %w", err)
	}
	return nil
}

// RevokeSubject implements [auth.Store]. Each session ends atomically; sessions of a cluster live
// on several nodes, so all of them together do not. A failed call may be repeated.
func (s *Store) RevokeSubject(ctx context.Context, subject string, keep []string, reason string, now time.Time) ([]string, error) {
	all, err := s.all(ctx, subject)
	if err != nil {
		return nil, err
	}
	var ended []string
	for _, ses := range all {
		if !ses.RevokedAt.IsZero() || slices.Contains(keep, ses.ID) {
			continue
		}
		did, err := s.Revoke(ctx, ses.ID, reason, now)
		if err != nil {
			return ended, err
		}
		if did {
			ended = append(ended, ses.ID)
		}
	}
	return ended, nil
}
