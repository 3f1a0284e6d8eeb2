package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// redisPatience bounds how long a question whether Redis answers may take.
	redisPatience = 500 * time.Millisecond
	// redisPrefix begins every key of the deny-list.
	redisPrefix = "groundwork:auth:"
)

// quietRedis keeps the client's own log, a package variable, from writing a line of its own for every
// failure. Callers get the errors.
var quietRedis = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

// Printf implements the logger of package redis.
func (silence) Printf(context.Context, string, ...any) {}

// newRedis returns a client, or nil for an empty URL. It connects when it is asked something and again
// after every failure: Redis may be down when the server starts.
func newRedis(url string) (*redis.Client, error) {
	if url == "" {
		return nil, nil
	}
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("app: REDIS_URL cannot be read") // the cause may quote the password
	}
	options.ContextTimeoutEnabled = true // callers wait for less time than the client would
	options.MaxRetries = -1              // and know what to do instead
	options.DialerRetries = 1
	quietRedis()
	return redis.NewClient(options), nil
}

// pingRedis asks whether Redis answers.
func pingRedis(client *redis.Client) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, redisPatience)
		defer cancel()
		return client.Ping(ctx).Err()
	}
}

// reportRedis says at start when Redis does not answer. Nothing waits for it.
func (p *parts) reportRedis(ctx context.Context, logger *slog.Logger) {
	if p.redis == nil {
		return
	}
	ping := pingRedis(p.redis)
	p.probes.optional = append(p.probes.optional, optionalPart{"redis", ping})
	if err := ping(ctx); err != nil {
		logger.WarnContext(ctx, "redis does not answer yet", slog.Any("error", err))
	}
}
