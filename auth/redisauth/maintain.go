package redisauth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// DeleteExpired implements [auth.Store]. Redis drops old sessions by itself in the end; sweeping
// also keeps the indexes small.
func (s *Store) DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit <= 0 {
		return 0, nil
	}
	ids, err := s.client.ZRangeByScore(ctx, s.endsKey(), &redis.ZRangeBy{
		Min: "-inf", Max: strconv.FormatInt(before.UnixMicro(), 10), Count: int64(limit),
	}).Result()
	if err != nil {
		return 0, fmt.Errorf("redisauth: delete expired: %w", err)
	}
	deleted := 0
	for _, id := range ids {
		reply, err := scripts.remove.Run(ctx, s.client, []string{s.sessionKey(id)}, before.UnixMicro()).Slice()
		if err != nil {
			return deleted, fmt.Errorf("redisauth: delete expired: %w", err)
		}
		_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			if subject, ok := reply[len(reply)-1].(string); ok {
				deleted++
				p.ZRem(ctx, s.subjectKey(subject), id)
			}
			p.ZRem(ctx, s.endsKey(), id)
			return nil
		})
		if err != nil {
			return deleted, fmt.Errorf("redisauth: delete expired: %w", err)
		}
	}
	return deleted, nil
}

const (
	leaseTime = 15 * time.Second
	leasePoll = 3 * time.Millisecond
)

// lease waits until no other log-in of the subject is between counting and creating. The holder
// gives up before the lease could run out, so two never hold it.
func (s *Store) lease(ctx context.Context, subject string) (release func(), err error) {
	key, holder := s.leaseKey(subject), rand.Text()
	for {
		got, err := s.client.SetNX(ctx, key, holder, leaseTime).Result()
		if err != nil {
			return nil, fmt.Errorf("redisauth: lease: %w", err)
		}
		if got {
			break
		}
		timer := time.NewTimer(leasePoll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("redisauth: lease: %w", ctx.Err())
		case <-timer.C:
		}
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseTime)
		defer cancel()
		// A failed release only makes the next log-in wait for the lease to run out.
		_ = scripts.release.Run(ctx, s.client, []string{key}, holder).Err()
	}, nil
}

func encode(b []byte) string {
	var room [64]byte
	return string(base64.RawURLEncoding.AppendEncode(room[:0], b))
}
