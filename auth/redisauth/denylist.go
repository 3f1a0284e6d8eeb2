package redisauth

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/groundwork-go/groundwork/auth"
)

// Denylist is an [auth.Denylist] in Redis: one key per denied id, which Redis drops at its end. A
// look-up is one round trip. Safe for concurrent use.
type Denylist struct {
	client redis.UniversalClient
	prefix string
	now    func() time.Time
}

var _ auth.Denylist = (*Denylist)(nil)

// NewDenylist checks the configuration and returns a Denylist. It does no I/O. Errors are
// *ConfigError.
func NewDenylist(cfg Config) (*Denylist, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	return &Denylist{client: cfg.Client, prefix: cfg.Prefix + "d:", now: cfg.Now}, nil
}

// Deny implements [auth.Denylist].
func (d *Denylist) Deny(ctx context.Context, until time.Time, ids ...string) error {
	ttl := until.Sub(d.now())
	if ttl < time.Millisecond || len(ids) == 0 {
		return nil
	}
	_, err := d.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, id := range ids {
			p.SetNX(ctx, d.prefix+id, 1, ttl)
			p.Do(ctx, "PEXPIRE", d.prefix+id, ttl.Milliseconds(), "GT")
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("redisauth: deny: %w", err)
	}
	return nil
}

// Denied implements [auth.Denylist]. One EXISTS per id in one pipeline instead of one EXISTS with
// all of them, because the ids may live on different nodes of a cluster.
func (d *Denylist) Denied(ctx context.Context, ids ...string) (bool, error) {
	if len(ids) == 0 {
		return false, nil
	}
	replies, err := d.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, id := range ids {
			p.Exists(ctx, d.prefix+id)
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("redisauth: denied: %w", err)
	}
	for _, reply := range replies {
		if reply.(*redis.IntCmd).Val() > 0 {
			return true, nil
		}
	}
	return false, nil
}
