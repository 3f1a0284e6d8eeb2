package redisauth_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// server is a redis-server of the test's own.
type server struct {
	addr    string
	busPort string // for a cluster's nodes among themselves
	dir     string
	args    []string
	process *exec.Cmd
}

// newServer starts a private server, with more arguments for it, and stops it when the test ends.
func newServer(t *testing.T, args ...string) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("TEST_REQUIRE_SERVICES") == "1" {
			t.Fatal("redis-server is not installed and TEST_REQUIRE_SERVICES is 1")
		}
		t.Skip("redis-server is not installed")
	}
	s := &server{addr: freeAddr(t), dir: t.TempDir(), args: args}
	_, s.busPort, _ = net.SplitHostPort(freeAddr(t))
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

func (s *server) start(t *testing.T) {
	t.Helper()
	host, port, err := net.SplitHostPort(s.addr)
	require.NoError(t, err)
	args := append([]string{"--bind", host, "--port", port, "--dir", s.dir, "--save", ""}, s.args...)
	if len(s.args) > 0 && s.args[0] == "--cluster-enabled" {
		args = append(args, "--cluster-port", s.busPort)
	}
	s.process = exec.Command("redis-server", args...) // not with the test's context, which ends before Cleanup
	require.NoError(t, s.process.Start())
	client := redis.NewClient(&redis.Options{Addr: s.addr})
	defer func() { _ = client.Close() }()
	require.Eventually(t, func() bool { return client.Ping(context.Background()).Err() == nil },
		20*time.Second, 20*time.Millisecond, "redis-server does not answer")
}

// kill ends the server without giving it time to say good-bye.
func (s *server) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
