package redisauth_test

import (
	"context"
	"crypto/rand"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/authtest"
	"github.com/groundwork-go/groundwork/auth/redisauth"
)

// newCluster starts a cluster of three primaries, each with a third of the slots.
func newCluster(t *testing.T) (*redis.ClusterClient, []*redis.Client) {
	t.Helper()
	const slots = 16384
	var nodes []*redis.Client
	var servers []*server
	for i := range 3 {
		s := newServer(t, "--cluster-enabled", "yes")
		node := redis.NewClient(&redis.Options{Addr: s.addr})
		t.Cleanup(func() { _ = node.Close() })
		require.NoError(t, node.ClusterAddSlotsRange(t.Context(), i*slots/3, (i+1)*slots/3-1).Err())
		nodes, servers = append(nodes, node), append(servers, s)
	}
	addrs := make([]string, len(servers))
	for i, s := range servers {
		host, port, err := net.SplitHostPort(s.addr)
		require.NoError(t, err)
		require.NoError(t, nodes[0].Do(t.Context(), "CLUSTER", "MEET", host, port, s.busPort).Err())
		addrs[i] = s.addr
	}
	require.Eventually(t, func() bool {
		for _, node := range nodes {
			info, err := node.ClusterInfo(context.Background()).Result()
			if err != nil || !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:3") {
				return false
			}
		}
		return true
	}, time.Minute, 50*time.Millisecond, "the nodes do not find each other")
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	t.Cleanup(func() { _ = client.Close() })
	return client, nodes
}

// TestCluster runs the whole suites on a real cluster, where a command over keys of two nodes fails.
func TestCluster(t *testing.T) {
	t.Parallel()
	client, nodes := newCluster(t)
	config := func() redisauth.Config {
		return redisauth.Config{Client: client, Prefix: rand.Text() + ":"}
	}
	store := func(t *testing.T) auth.Store {
		store, err := redisauth.New(config())
		require.NoError(t, err)
		return store
	}
	t.Run("Store", func(t *testing.T) { authtest.TestStore(t, store) })
	t.Run("Service", func(t *testing.T) { authtest.TestService(t, store) })
	t.Run("Denylist", func(t *testing.T) {
		authtest.TestDenylist(t, func(t *testing.T) auth.Denylist {
			list, err := redisauth.NewDenylist(config())
			require.NoError(t, err)
			return list
		})
	})
	t.Run("OneTime", func(t *testing.T) {
		authtest.TestOneTimeStore(t, true, func(t *testing.T) auth.OneTimeStore {
			store, err := redisauth.NewOneTime(config())
			require.NoError(t, err)
			return store
		})
	})
	for i, node := range nodes {
		count, err := node.DBSize(t.Context()).Result()
		require.NoError(t, err)
		require.Positive(t, count, "node %d had a part", i)
	}

	// A prefix with a hash tag puts everything on one node.
	svc := newService(t, client, "{auth}:")
	tokens, err := svc.Login(t.Context(), auth.Login{Subject: "user"})
	require.NoError(t, err)
	tokens, err = svc.Refresh(t.Context(), tokens.Refresh)
	require.NoError(t, err)
	require.NoError(t, svc.Logout(t.Context(), tokens.Refresh))
	_, err = svc.Verifier().Verify(t.Context(), tokens.Access)
	require.ErrorIs(t, err, auth.ErrRevoked)
	used := 0
	for _, node := range nodes {
		if len(keys(t, node, "{auth}:")) > 0 {
			used++
		}
	}
	require.Equal(t, 1, used)
}
