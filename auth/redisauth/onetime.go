package redisauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/groundwork-go/groundwork/auth"
)

// OneTime is an [auth.OneTimeStore] in Redis. A token is one key, and a second key of its purpose and
// subject names the newest; both end with the token, so nothing is left to sweep. Safe for concurrent
// use.
type OneTime struct {
	client redis.UniversalClient
	prefix string
	now    func() time.Time
}

var _ auth.OneTimeStore = (*OneTime)(nil)

// NewOneTime checks the configuration and returns a OneTime. It does no I/O. Errors are *ConfigError.
func NewOneTime(cfg Config) (*OneTime, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	return &OneTime{client: cfg.Client, prefix: cfg.Prefix + "o:", now: cfg.Now}, nil
}

// useKey separates purpose and subject so that no two pairs share a key.
func (o *OneTime) useKey(purpose, subject string) string {
	return o.prefix + "u:" + base64.RawURLEncoding.EncodeToString([]byte(purpose)) + ":" + subject
}

func (o *OneTime) tokenKey(hash string) string { return o.prefix + "t:" + hash }

// Put implements [auth.OneTimeStore]. The older token is void from the moment the second key names the
// new one, whichever node of a cluster keeps them.
func (o *OneTime) Put(ctx context.Context, r auth.OneTimeRecord) error {
	ttl := r.ExpiresAt.Sub(o.now())
	if ttl < time.Millisecond {
		return o.Forget(ctx, r.Purpose, r.Subject)
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("redisauth: encode one-time token: %w", err)
	}
	if err := o.client.Set(ctx, o.tokenKey(r.Hash), text, ttl).Err(); err != nil {
		return fmt.Errorf("redisauth: put one-time token: %w", err)
	}
	if err := o.client.Set(ctx, o.useKey(r.Purpose, r.Subject), r.Hash, ttl).Err(); err != nil {
		return fmt.Errorf("redisauth: put one-time token: %w", err)
	}
	return nil
}

// Take implements [auth.OneTimeStore]. The second key decides: of all who saw the token, the one who
// removes that key while it still names this token has taken it.
func (o *OneTime) Take(ctx context.Context, hash string, now time.Time) (auth.OneTimeRecord, error) {
	text, err := o.client.Get(ctx, o.tokenKey(hash)).Bytes()
	if errors.Is(err, redis.Nil) {
		return auth.OneTimeRecord{}, auth.ErrNotFound
	}
	if err != nil {
		return auth.OneTimeRecord{}, fmt.Errorf("redisauth: take one-time token: %w", err)
	}
	var r auth.OneTimeRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return auth.OneTimeRecord{}, fmt.Errorf("redisauth: take one-time token: %w", err)
	}
	if !r.ExpiresAt.After(now) {
		return auth.OneTimeRecord{}, auth.ErrNotFound
	}
	taken, err := scripts.release.Run(ctx, o.client, []string{o.useKey(r.Purpose, r.Subject)}, hash).Int()
	if err != nil {
		return auth.OneTimeRecord{}, fmt.Errorf("redisauth: take one-time token: %w", err)
	}
	if taken == 0 {
		return auth.OneTimeRecord{}, auth.ErrNotFound
	}
	// Without its second key the token is void already; a failure here only leaves a key to expire.
	_ = o.client.Del(ctx, o.tokenKey(hash)).Err()
	return r, nil
}

// Forget implements [auth.OneTimeStore].
func (o *OneTime) Forget(ctx context.Context, purpose, subject string) error {
	if err := o.client.Del(ctx, o.useKey(purpose, subject)).Err(); err != nil {
		return fmt.Errorf("redisauth: forget one-time token: %w", err)
	}
	return nil
}

// DeleteExpired implements [auth.OneTimeStore]: Redis has dropped them, so it returns 0.
func (o *OneTime) DeleteExpired(context.Context, time.Time, int) (int, error) { return 0, nil }
