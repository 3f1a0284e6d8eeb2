package redisauth_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/authtest"
	"github.com/groundwork-go/groundwork/auth/onetime"
	"github.com/groundwork-go/groundwork/auth/redisauth"
)

// connect returns a client and a prefix of the test's own, whose keys are removed at the end.
func connect(t *testing.T) (*redis.Client, string) {
	t.Helper()
	url := os.Getenv("TEST_REDIS_URL")
	if url == "" {
		if os.Getenv("TEST_REQUIRE_SERVICES") == "1" {
			t.Fatal("TEST_REDIS_URL is not set and TEST_REQUIRE_SERVICES is 1")
		}
		t.Skip("TEST_REDIS_URL is not set")
	}
	options, err := redis.ParseURL(url)
	require.NoError(t, err)
	client := redis.NewClient(options)
	prefix := "groundwork-test:" + rand.Text() + ":"
	t.Cleanup(func() {
		ctx := context.Background()
		for _, key := range keys(t, client, prefix) {
			client.Del(ctx, key)
		}
		_ = client.Close()
	})
	return client, prefix
}

func keys(t *testing.T, client *redis.Client, prefix string) (list []string) {
	t.Helper()
	all := client.Scan(context.Background(), 0, prefix+"*", 1000).Iterator()
	for all.Next(context.Background()) {
		list = append(list, all.Val())
	}
	require.NoError(t, all.Err())
	return list
}

func openStore(t *testing.T) auth.Store {
	client, prefix := connect(t)
	store, err := redisauth.New(redisauth.Config{Client: client, Prefix: prefix})
	require.NoError(t, err)
	return store
}

func TestStore(t *testing.T) {
	t.Parallel()
	authtest.TestStore(t, openStore)
	authtest.TestService(t, openStore)
}

func TestDenylist(t *testing.T) {
	t.Parallel()
	authtest.TestDenylist(t, func(t *testing.T) auth.Denylist {
		client, prefix := connect(t)
		list, err := redisauth.NewDenylist(redisauth.Config{Client: client, Prefix: prefix})
		require.NoError(t, err)
		return list
	})
}

func TestOneTime(t *testing.T) {
	t.Parallel()
	authtest.TestOneTimeStore(t, true, func(t *testing.T) auth.OneTimeStore {
		client, prefix := connect(t)
		store, err := redisauth.NewOneTime(redisauth.Config{Client: client, Prefix: prefix})
		require.NoError(t, err)
		return store
	})
}

// counter counts round trips and the keys that each command names.
type counter struct {
	trips    atomic.Int64
	manyKeys atomic.Int64
}

func (c *counter) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.trips.Add(1)
		c.look(cmd)
		return next(ctx, cmd)
	}
}

func (c *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.trips.Add(1)
		for _, cmd := range cmds {
			c.look(cmd)
		}
		return next(ctx, cmds)
	}
}

// look finds commands over several keys, which a cluster refuses.
func (c *counter) look(cmd redis.Cmder) {
	args := cmd.Args()
	switch strings.ToLower(fmt.Sprint(args[0])) {
	case "eval", "evalsha":
		if fmt.Sprint(args[2]) != "1" {
			c.manyKeys.Add(1)
		}
	case "exists", "del", "unlink", "mget":
		if len(args) > 2 {
			c.manyKeys.Add(1)
		}
	}
}

func newService(t *testing.T, client redis.UniversalClient, prefix string) *auth.Service {
	t.Helper()
	store, err := redisauth.New(redisauth.Config{Client: client, Prefix: prefix})
	require.NoError(t, err)
	list, err := redisauth.NewDenylist(redisauth.Config{Client: client, Prefix: prefix})
	require.NoError(t, err)
	key, err := auth.NewHMACKey("k1", []byte("a secret that is long enough here"))
	require.NoError(t, err)
	keySet, err := auth.NewKeySet(auth.KeySetConfig{Active: key})
	require.NoError(t, err)
	refreshKeys, err := auth.NewRefreshKeys([]byte("another secret that is long enough"))
	require.NoError(t, err)
	svc, err := auth.New(auth.Config{
		Issuer: "iss", Audience: []string{"aud"}, Keys: keySet, RefreshKeys: refreshKeys,
		Store: store, Denylist: list, MaxSessions: 5,
	})
	require.NoError(t, err)
	return svc
}

func TestOneRoundTripAndOneKeyPerCommand(t *testing.T) {
	t.Parallel()
	client, prefix := connect(t)
	count := &counter{}
	client.AddHook(count)
	svc := newService(t, client, prefix)
	tokens, err := svc.Login(t.Context(), auth.Login{Subject: "user"})
	require.NoError(t, err)
	tokens, err = svc.Refresh(t.Context(), tokens.Refresh)
	require.NoError(t, err)

	before := count.trips.Load()
	tokens, err = svc.Refresh(t.Context(), tokens.Refresh)
	require.NoError(t, err)
	require.Equal(t, int64(1), count.trips.Load()-before, "a refresh is one round trip")
	before = count.trips.Load()
	_, err = svc.Verifier().Verify(t.Context(), tokens.Access)
	require.NoError(t, err)
	require.Equal(t, int64(1), count.trips.Load()-before, "a look-up is one round trip")

	_, err = svc.LogoutAll(t.Context(), "user")
	require.NoError(t, err)
	_, err = svc.Verifier().Verify(t.Context(), tokens.Access)
	require.ErrorIs(t, err, auth.ErrRevoked)
	_, err = svc.Sweep(t.Context(), 10)
	require.NoError(t, err)
	require.Zero(t, count.manyKeys.Load(), "a cluster refuses commands over several keys")
}

func TestEveryKeyOfASessionExpires(t *testing.T) {
	t.Parallel()
	client, prefix := connect(t)
	svc := newService(t, client, prefix)
	tokens, err := svc.Login(t.Context(), auth.Login{Subject: "user"})
	require.NoError(t, err)
	require.NoError(t, svc.Logout(t.Context(), tokens.Refresh))
	for _, key := range keys(t, client, prefix) {
		if key == prefix+"ends" {
			continue // emptied by Sweep
		}
		ttl, err := client.TTL(t.Context(), key).Result()
		require.NoError(t, err)
		require.Positive(t, ttl, key)
	}
}

// TestDumpHasNoUsableToken looks for issued tokens, and for the secrets in them, in every key.
func TestDumpHasNoUsableToken(t *testing.T) {
	t.Parallel()
	client, prefix := connect(t)
	svc := newService(t, client, prefix)
	store, err := redisauth.NewOneTime(redisauth.Config{Client: client, Prefix: prefix})
	require.NoError(t, err)
	once, err := onetime.New(onetime.Config{Store: store})
	require.NoError(t, err)
	var issued []string
	keep := func(tokens auth.Tokens, err error) auth.Tokens {
		require.NoError(t, err)
		issued = append(issued, tokens.Refresh, tokens.Access)
		return tokens
	}
	for i := range 6 {
		first := keep(svc.Login(t.Context(), auth.Login{Subject: "user"}))
		keep(svc.Refresh(t.Context(), first.Refresh))
		keep(svc.Refresh(t.Context(), first.Refresh)) // a replay
		token, err := once.Issue(t.Context(), onetime.Issue{Purpose: "reset", Subject: fmt.Sprint("user", i), TTL: time.Hour})
		require.NoError(t, err)
		issued = append(issued, token)
	}
	text := dump(t, client, prefix)
	for _, kind := range []string{"s:", "u:user", "d:s:", "ends", "o:t:", "o:u:"} {
		require.Contains(t, text, prefix+kind)
	}
	for _, token := range issued {
		require.NotContains(t, text, token)
		if strings.Count(token, ".") == 2 { // an access token is its own secret
			continue
		}
		raw, err := base64.RawURLEncoding.DecodeString(token[3:]) // behind rt_ or ot_
		require.NoError(t, err)
		if token[:3] == "rt_" {
			raw = raw[21:53]
		}
		for _, form := range []string{
			base64.RawURLEncoding.EncodeToString(raw), base64.RawStdEncoding.EncodeToString(raw), hex.EncodeToString(raw), string(raw),
		} {
			require.NotContains(t, text, form)
		}
	}
}

func dump(t *testing.T, client *redis.Client, prefix string) string {
	t.Helper()
	var out strings.Builder
	for _, key := range keys(t, client, prefix) {
		var value any
		var err error
		switch kind := client.Type(t.Context(), key).Val(); kind {
		case "hash":
			value, err = client.HGetAll(t.Context(), key).Result()
		case "zset":
			value, err = client.ZRange(t.Context(), key, 0, -1).Result()
		case "string":
			value, err = client.Get(t.Context(), key).Result()
		default:
			t.Fatalf("%s is a %s, which this test cannot read", key, kind)
		}
		require.NoError(t, err)
		fmt.Fprintln(&out, key, value)
	}
	return out.String()
}

// TestDeniedUntilTheLastAccessTokenEnds looks at the life that Redis gives to an entry.
func TestDeniedUntilTheLastAccessTokenEnds(t *testing.T) {
	t.Parallel()
	client, prefix := connect(t)
	svc := newService(t, client, prefix)
	tokens, err := svc.Login(t.Context(), auth.Login{Subject: "user"})
	require.NoError(t, err)
	require.NoError(t, svc.Logout(t.Context(), tokens.Refresh))
	left, err := client.PTTL(t.Context(), prefix+"d:s:"+tokens.Session.ID).Result()
	require.NoError(t, err)
	refused := time.Until(tokens.AccessExpires) + 30*time.Second // with the Verifier's leeway
	require.Greater(t, left, refused, "no gap")
	require.Less(t, left, refused+time.Minute, "and no litter")
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	_, err := redisauth.New(redisauth.Config{Retention: time.Second})
	require.ErrorContains(t, err, "Client")
	require.ErrorContains(t, err, "Retention")
	_, err = redisauth.NewDenylist(redisauth.Config{})
	require.ErrorContains(t, err, "Client")
	_, err = redisauth.NewOneTime(redisauth.Config{})
	require.ErrorContains(t, err, "Client")
}
