package config_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/config"
	"github.com/groundwork-go/groundwork/sqldb"
)

const key = "aGVsbG8taGVsbG8taGVsbG8taGVsbG8taGVsbG8tMTI" // 32 bytes

// production is a complete environment.
func production(more ...string) []string {
	return append([]string{
		"APP_ENV=production", "LISTEN_ADDR=0.0.0.0:8080", "PUBLIC_URL=https://app.example.com/",
		"DATABASE_URL=postgres://u:hunter2@db/groundwork", "STORAGE_URL=file:/var/lib/groundwork",
		"AUTH_SIGNING_KEYS=a:" + key + ",b:" + key, "AUTH_REFRESH_KEYS=" + key, "CURSOR_KEY=2:" + key,
		"ENCRYPTION_KEY=e:" + key,
	}, more...)
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg, err := config.Load([]string{"DATA_DIR=" + dir, "OPENAI_API_KEY=", "PATH=/bin"})
	require.NoError(t, err)
	require.False(t, cfg.Production)
	require.Equal(t, "127.0.0.1:8080", cfg.ListenAddr)
	require.Equal(t, "http://127.0.0.1:8080", cfg.PublicURL)
	require.Equal(t, config.Database{
		Dialect: sqldb.DialectSQLite, Path: filepath.Join(dir, "groundwork.db"),
		MaxOpen: 25, MaxIdle: 25, MaxLifetime: time.Hour, AcquireTimeout: 30 * time.Second,
	}, cfg.Database)
	require.Equal(t, filepath.Join(dir, "files"), cfg.StoragePath)
	require.Equal(t, config.OpenAI{Model: "gpt-4.1-mini"}, cfg.OpenAI)
	require.False(t, cfg.OpenAI.Configured())
	require.ElementsMatch(t, []string{"localhost", "127.0.0.1", "[::1]"}, cfg.AllowedHosts)
	require.Empty(t, cfg.TrustedProxies)
	require.Equal(t, slog.LevelInfo, cfg.LogLevel)
}

func TestProduction(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load(production(
		"ALLOWED_HOSTS=api.example.com, *.example.org", "TRUSTED_PROXIES=10.0.0.0/8,192.0.2.1, ::1", "LOG_LEVEL=WARN",
		"OPENAI_BASE_URL=http://127.0.0.1:11434/v1/", "OPENAI_MODEL=qwen", "DATABASE_MAX_OPEN=10", "DATABASE_MAX_IDLE=5",
		"DATABASE_MAX_LIFETIME=5m", "DATABASE_ACQUIRE_TIMEOUT=2s", "METRICS_ADDR=:9090",
		"ALLOWED_ORIGINS=https://pages.example.com, https://*.example.org"))
	require.NoError(t, err)
	require.True(t, cfg.Production)
	require.Equal(t, "https://app.example.com", cfg.PublicURL)
	require.Equal(t, config.Database{
		Dialect: sqldb.DialectPostgres, URL: "postgres://u:hunter2@db/groundwork",
		MaxOpen: 10, MaxIdle: 5, MaxLifetime: 5 * time.Minute, AcquireTimeout: 2 * time.Second,
	}, cfg.Database)
	require.Equal(t, "/var/lib/groundwork", cfg.StoragePath)
	require.Equal(t, config.OpenAI{BaseURL: "http://127.0.0.1:11434/v1", Model: "qwen"}, cfg.OpenAI)
	require.Equal(t, []string{"*.example.org", "api.example.com", "app.example.com"}, cfg.AllowedHosts)
	require.Equal(t, []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("::1/128"),
	}, cfg.TrustedProxies)
	require.Equal(t, []string{"https://pages.example.com", "https://*.example.org"}, cfg.AllowedOrigins)
	require.Equal(t, ":9090", cfg.MetricsAddr)
	require.Equal(t, slog.LevelWarn, cfg.LogLevel)
	require.Len(t, cfg.Keys.Signing, 2)
	require.Equal(t, "a", cfg.Keys.Signing[0].ID)
	require.Len(t, cfg.Keys.Signing[0].Secret, 32)
	require.Equal(t, byte(2), cfg.Keys.Cursor[0].ID)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		environ []string
		want    []string // variables, in any order
	}{
		{"mode", []string{"APP_ENV=prod"}, []string{"APP_ENV"}},
		{"reachable without a word", []string{"LISTEN_ADDR=0.0.0.0:8080"}, []string{"LISTEN_ADDR"}},
		{"every address without a word", []string{"LISTEN_ADDR=:8080"}, []string{"LISTEN_ADDR"}},
		{"postgres without a word", []string{"DATABASE_URL=postgres://u:hunter2@db/x"}, []string{"DATABASE_URL"}},
		{"address", []string{"LISTEN_ADDR=8080"}, []string{"LISTEN_ADDR"}},
		{"port", []string{"LISTEN_ADDR=127.0.0.1:hunter"}, []string{"LISTEN_ADDR"}},
		{"host", []string{"LISTEN_ADDR=example.com:80"}, []string{"LISTEN_ADDR"}},
		{"numbers", []string{"DATABASE_MAX_OPEN=x", "DATABASE_MAX_IDLE=-1", "DATABASE_ACQUIRE_TIMEOUT=30", "DATABASE_MAX_LIFETIME=-1s"}, []string{"DATABASE_MAX_OPEN", "DATABASE_ACQUIRE_TIMEOUT", "DATABASE_MAX_LIFETIME"}},
		{"idle over open", []string{"DATABASE_MAX_OPEN=5"}, []string{"DATABASE_MAX_IDLE"}},
		{"database", []string{"APP_ENV=development", "DATABASE_URL=mysql://u:hunter2@db"}, []string{"DATABASE_URL"}},
		{"database url", []string{"APP_ENV=development", "DATABASE_URL=postgres://u:hunter2@db:x/y"}, []string{"DATABASE_URL"}},
		{"memory", []string{"DATABASE_URL=sqlite::memory:"}, []string{"DATABASE_URL"}},
		{"storage", []string{"STORAGE_URL=/files"}, []string{"STORAGE_URL"}},
		{"public url", []string{"PUBLIC_URL=app.example.com"}, []string{"PUBLIC_URL"}},
		{"public url with path", []string{"PUBLIC_URL=https://app.example.com/x"}, []string{"PUBLIC_URL"}},
		{"public url with password", []string{"PUBLIC_URL=https://u:hunter2@app.example.com"}, []string{"PUBLIC_URL"}},
		{"model", []string{"OPENAI_BASE_URL=localhost", "OPENAI_API_KEY=hunter2 x"}, []string{"OPENAI_BASE_URL", "OPENAI_API_KEY"}},
		{"hosts", []string{"ALLOWED_HOSTS=*,a.example"}, []string{"ALLOWED_HOSTS"}},
		{"origins", []string{"ALLOWED_ORIGINS=https://a.example/,http://a.example,*"}, []string{"ALLOWED_ORIGINS", "ALLOWED_ORIGINS", "ALLOWED_ORIGINS"}},
		{"metrics", []string{"METRICS_ADDR=9090"}, []string{"METRICS_ADDR"}},
		{"metrics for all without a word", []string{"METRICS_ADDR=:9090"}, []string{"METRICS_ADDR"}},
		{"metrics in public", []string{"METRICS_ADDR=127.0.0.1:8080"}, []string{"METRICS_ADDR"}},
		{"proxies", []string{"TRUSTED_PROXIES=10.0.0.0/33"}, []string{"TRUSTED_PROXIES"}},
		{"redis", []string{"REDIS_URL=http://:hunter2@127.0.0.1"}, []string{"REDIS_URL"}},
		{"redis database", []string{"REDIS_URL=redis://:hunter2@127.0.0.1/x"}, []string{"REDIS_URL"}},
		{"level", []string{"LOG_LEVEL=loud"}, []string{"LOG_LEVEL"}},
		{"keys", []string{"AUTH_SIGNING_KEYS=hunter2", "AUTH_REFRESH_KEYS=hunter2", "CURSOR_KEY=300:" + key, "ENCRYPTION_KEY=hunter2"}, []string{"AUTH_SIGNING_KEYS", "AUTH_REFRESH_KEYS", "CURSOR_KEY", "ENCRYPTION_KEY"}},
		{"short keys", []string{"AUTH_SIGNING_KEYS=a:aHVudGVyMg", "CURSOR_KEY=1:" + key + "AAAA"}, []string{"AUTH_SIGNING_KEYS", "CURSOR_KEY"}},
		{"bare production", []string{"APP_ENV=production"}, []string{"PUBLIC_URL", "DATABASE_URL", "STORAGE_URL", "AUTH_SIGNING_KEYS", "AUTH_REFRESH_KEYS", "CURSOR_KEY", "ENCRYPTION_KEY"}},
		{"production over http", production("PUBLIC_URL=http://app.example.com"), []string{"PUBLIC_URL"}},
		{"production with a bad key", production("CURSOR_KEY=hunter2"), []string{"CURSOR_KEY"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			_, err := config.Load(append([]string{"DATA_DIR=" + dir}, tt.environ...))
			require.Error(t, err)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), key)
			var got []string
			joined, ok := err.(interface{ Unwrap() []error })
			require.True(t, ok, "%T", err)
			for _, one := range joined.Unwrap() {
				var fault *config.Error
				require.ErrorAs(t, one, &fault)
				require.NotEmpty(t, fault.Reason)
				got = append(got, fault.Variable)
			}
			require.ElementsMatch(t, tt.want, got)
			_, err = os.Stat(dir)
			require.ErrorIs(t, err, fs.ErrNotExist, "no key is made for a wrong configuration")
		})
	}
}

func TestDevelopmentKeys(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	environ := []string{"DATA_DIR=" + dir}
	// Processes that start together agree on one set.
	var wait sync.WaitGroup
	found := make([]config.Config, 4)
	errs := make([]error, 4)
	for i := range found {
		wait.Go(func() { found[i], errs[i] = config.Load(environ) })
	}
	wait.Wait()
	require.NoError(t, errors.Join(errs...))
	for _, cfg := range found {
		require.Equal(t, found[0].Keys, cfg.Keys)
	}
	require.Len(t, found[0].Keys.Signing[0].Secret, 32)
	path := filepath.Join(dir, "keys.env")
	stat, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), stat.Mode().Perm())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file stays")

	// The environment wins, key by key.
	cfg, err := config.Load(append(environ, "CURSOR_KEY=7:"+key))
	require.NoError(t, err)
	require.Equal(t, byte(7), cfg.Keys.Cursor[0].ID)
	require.Equal(t, found[0].Keys.Refresh, cfg.Keys.Refresh)

	// A file from before one of the keys existed gets it and keeps the others.
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	older, _, found2 := strings.Cut(string(text), "ENCRYPTION_KEY=")
	require.True(t, found2)
	require.NoError(t, os.WriteFile(path, []byte(older), 0o600))
	cfg, err = config.Load(environ)
	require.NoError(t, err)
	require.Equal(t, found[0].Keys.Signing, cfg.Keys.Signing)
	require.NotEqual(t, found[0].Keys.Encryption, cfg.Keys.Encryption)
	again, err := config.Load(environ)
	require.NoError(t, err)
	require.Equal(t, cfg.Keys, again.Keys)
	stat, err = os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), stat.Mode().Perm())
	entries, err = os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file stays")

	require.NoError(t, os.WriteFile(path, []byte("CURSOR_KEY=hunter2\n"), 0o600))
	_, err = config.Load(environ)
	require.ErrorContains(t, err, "is damaged")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestListenAddr(t *testing.T) {
	t.Parallel()
	for environ, want := range map[string]string{
		"": "127.0.0.1:8080", "LISTEN_ADDR=0.0.0.0:9": "127.0.0.1:9", "LISTEN_ADDR=:9": "127.0.0.1:9",
		"LISTEN_ADDR=[::]:9": "127.0.0.1:9", "LISTEN_ADDR=10.0.0.1:9": "10.0.0.1:9",
	} {
		require.Equal(t, want, config.ListenAddr(strings.Fields(environ)))
	}
}
