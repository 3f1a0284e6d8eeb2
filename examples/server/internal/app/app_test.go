package app_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/app"
	"github.com/groundwork-go/groundwork/examples/server/internal/config"
	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
	"github.com/groundwork-go/groundwork/internal/testdb"
)

// The checked-in document is the one the code has. After a change of the API run
//
//	go run ./examples/server openapi > examples/server/api/openapi.json
func TestDocumentIsCheckedIn(t *testing.T) {
	t.Parallel()
	want, err := app.Document()
	require.NoError(t, err)
	got, err := os.ReadFile("../../api/openapi.json")
	require.NoError(t, err)
	if !bytes.Equal(want, got) {
		t.Fatal("api/openapi.json is not up to date: go run ./examples/server openapi > examples/server/api/openapi.json")
	}
}

// What a client cannot do without stands in the document.
func TestDocumentIsComplete(t *testing.T) {
	t.Parallel()
	text, err := app.Document()
	require.NoError(t, err)
	type operation struct {
		OperationID string `json:"operationId"`
		Summary     string
		Tags        []string
		Responses   map[string]any
		Security    []map[string][]string
	}
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]operation
		Components struct {
			Schemas         map[string]struct{ Properties map[string]any }
			SecuritySchemes map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(text, &doc))
	require.Equal(t, "3.1.0", doc.OpenAPI)
	for path, methods := range doc.Paths {
		require.True(t, strings.HasPrefix(path, "/v1/"), path)
		for method, op := range methods {
			require.NotEmpty(t, op.OperationID, method+path)
			require.NotEmpty(t, op.Summary, method+path)
			require.NotEmpty(t, op.Tags, method+path)
			require.Contains(t, op.Responses, "default", method+path)
			require.GreaterOrEqual(t, len(op.Responses), 2, method+path)
			for _, choice := range op.Security {
				for name := range choice {
					require.Contains(t, doc.Components.SecuritySchemes, name, method+path)
				}
			}
		}
	}
	require.Contains(t, doc.Components.Schemas["Session"].Properties, "access_token")
}

func TestPlatformRoutes(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		for _, path := range []string{"/healthz", "/readyz", "/docs", "/redoc", "/openapi.json", "/openapi.yaml"} {
			res := s.Call(t, http.MethodGet, path, "", nil)
			require.Equal(t, http.StatusOK, res.Status, path)
			require.NotEmpty(t, res.Header.Get("X-Request-Id"), path)
			require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"), path)
			require.Empty(t, res.Header.Get("Strict-Transport-Security"), "not over plain http")
		}
		res := s.Call(t, http.MethodGet, "/readyz", "", nil)
		require.JSONEq(t, `{"status":"ready"}`, string(res.Body))

		res = s.Call(t, http.MethodGet, "/nothing", "", nil)
		require.Equal(t, http.StatusNotFound, res.Status)
		require.Equal(t, "not_found", res.Code())
		res = s.Call(t, http.MethodDelete, "/v1/auth/login", "", nil)
		require.Equal(t, http.StatusMethodNotAllowed, res.Status)
		require.Equal(t, "method_not_allowed", res.Code())
		require.Equal(t, "POST", res.Header.Get("Allow"))

		document := s.Call(t, http.MethodGet, "/openapi.json", "", nil)
		require.True(t, json.Valid(document.Body))
		again := s.Call(t, http.MethodGet, "/openapi.json", "", nil, "If-None-Match", document.Header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, again.Status)
		require.Empty(t, again.Body)
		require.NoError(t, app.Healthcheck(t.Context(), strings.TrimPrefix(s.URL, "http://")))
		s.Stop(t)
		require.Error(t, app.Healthcheck(t.Context(), strings.TrimPrefix(s.URL, "http://")))
	})
}

func TestForeignHostIsRefused(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{})
	for path, want := range map[string]int{"/docs": http.StatusMisdirectedRequest, "/healthz": 200, "/readyz": 200} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
		require.NoError(t, err)
		req.Host = "evil.example"
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode, path)
		require.Equal(t, "DENY", res.Header.Get("X-Frame-Options"))
	}
}

// Text that only some databases refuse must not become a 500.
func TestHostileTextIsNoServerError(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		for name, body := range map[string]string{
			"nul":       `{"login":"a\u0000b@example.com","password":"Correct-horse-7"}`,
			"surrogate": `{"login":"\ud800@example.com","password":"Correct-horse-7"}`,
			"utf-8":     "{\"login\":\"a\xff@example.com\",\"password\":\"Correct-horse-7\"}",
			"long":      `{"login":"` + strings.Repeat("x", 7000) + `","password":"x"}`,
			"large":     `{"login":"` + strings.Repeat("x", 9000) + `","password":"x"}`,
		} {
			res := s.Call(t, http.MethodPost, "/v1/auth/login", "", body, "User-Agent", "agent \xff\xfe")
			require.GreaterOrEqual(t, res.Status, 400, name)
			require.Less(t, res.Status, 500, name)
		}
		for _, path := range []string{"/v1/auth/%00", "/v1/jobs/%ff", "/v1/variants?x=%00", "/%2e%2e/%2e%2e/etc/passwd"} {
			res := s.Call(t, http.MethodGet, path, "", nil)
			require.Less(t, res.Status, 500, path)
		}
	})
}

// Three replicas may start on an empty database at once.
func TestReplicasStartTogether(t *testing.T) {
	t.Parallel()
	url := testdb.Postgres(t)
	cfg, err := config.Load([]string{"APP_ENV=development", "DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + url})
	require.NoError(t, err)
	var wait sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		wait.Go(func() { errs[i] = app.Migrate(t.Context(), cfg, app.Options{}) })
	}
	wait.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.NoError(t, app.Migrate(t.Context(), cfg, app.Options{}))
}

// Both migration folders lead to the same tables and columns.
func TestSchemasAgree(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	url := testdb.Postgres(t)
	columns := func(database, driver, dsn, query string) []string {
		cfg, err := config.Load([]string{"APP_ENV=development", "DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + database})
		require.NoError(t, err)
		require.NoError(t, app.Migrate(t.Context(), cfg, app.Options{}))
		db, err := sql.Open(driver, dsn)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		rows, err := db.QueryContext(t.Context(), query)
		require.NoError(t, err)
		defer func() { require.NoError(t, rows.Close()) }()
		var found []string
		for rows.Next() {
			var table, column string
			require.NoError(t, rows.Scan(&table, &column))
			if !strings.HasPrefix(table, "river_") && !strings.HasPrefix(table, "sqlite_") {
				found = append(found, table+"."+column)
			}
		}
		require.NoError(t, rows.Err())
		slices.Sort(found)
		return found
	}
	sqlite := columns("sqlite:"+path, "sqlite", path,
		`SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'`)
	postgres := columns(url, "pgx", url,
		`SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'`)
	require.Equal(t, sqlite, postgres)
	require.Contains(t, sqlite, "users.email")
}

func TestStartFailures(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	load := func(environ ...string) config.Config {
		cfg, err := config.Load(append([]string{"APP_ENV=development", "DATA_DIR=" + t.TempDir(), "LISTEN_ADDR=127.0.0.1:0"}, environ...))
		require.NoError(t, err)
		return cfg
	}
	t.Run("address in use", func(t *testing.T) {
		t.Parallel()
		cfg := load("LISTEN_ADDR=" + listener.Addr().String())
		require.ErrorContains(t, app.Run(t.Context(), cfg, app.Options{}), "listen")
		_, err := os.Stat(cfg.Database.Path)
		require.ErrorIs(t, err, os.ErrNotExist, "nothing was touched")
	})
	t.Run("database unreachable", func(t *testing.T) {
		t.Parallel()
		start := time.Now()
		err := app.Run(t.Context(), load("DATABASE_URL=postgres://u:hunter2@127.0.0.1:1/x", "DATABASE_ACQUIRE_TIMEOUT=1s"), app.Options{})
		require.ErrorContains(t, err, "did not answer within 1s")
		require.NotContains(t, err.Error(), "hunter2")
		require.GreaterOrEqual(t, time.Since(start), 900*time.Millisecond)
	})
	t.Run("database refuses", func(t *testing.T) {
		t.Parallel()
		gone := strings.Replace(testdb.Postgres(t), "/groundwork_test_", "/groundwork_missing_", 1)
		start := time.Now()
		require.ErrorContains(t, app.Run(t.Context(), load("DATABASE_URL="+gone), app.Options{}), "refuses")
		require.Less(t, time.Since(start), 10*time.Second)
	})
	t.Run("told to stop while waiting", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		require.NoError(t, app.Run(ctx, load("DATABASE_URL=postgres://127.0.0.1:1/x"), app.Options{}))
	})
}

// While the database is waited for, probes are answered and everything else is 503.
func TestProbesWhileStarting(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	cfg, err := config.Load([]string{"APP_ENV=development", "DATA_DIR=" + t.TempDir(), "DATABASE_URL=postgres://127.0.0.1:1/x"})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx, cfg, app.Options{Listener: listener}) }()
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/v1/variants": 503} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+path, nil)
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode, path)
	}
	cancel()
	require.NoError(t, <-ended)
}

// An open event stream does not hold up the shutdown, and what was answered before stays answered.
func TestStopEndsStreams(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{})
	start := time.Now()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	s.Stop(t)
	require.Less(t, time.Since(start), 10*time.Second)
}

func TestGreeting(t *testing.T) {
	t.Parallel()
	var out syncBuffer
	servertest.Start(t, servertest.Options{App: app.Options{Stdout: &out}})
	text := out.String()
	require.Contains(t, text, "SIMULATED")
	require.Contains(t, text, "OPENAI_API_KEY")
	require.Contains(t, text, "go run ./examples/quote-demo")
	require.Contains(t, text, "/docs")

	var other syncBuffer
	url := testdb.Postgres(t)
	servertest.Start(t, servertest.Options{
		Environ: []string{"DATABASE_URL=" + url, "OPENAI_API_KEY=sk-hunter2", "OPENAI_MODEL=gpt-x"},
		App:     app.Options{Stdout: &other},
	})
	require.Contains(t, other.String(), "analysed by gpt-x at OpenAI")
	require.NotContains(t, other.String(), "hunter2")
}

// A request that fails inside is logged with its cause and answered without it.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	var logs syncBuffer
	s := servertest.Start(t, servertest.Options{App: app.Options{Logger: slog.New(slog.NewJSONHandler(&logs, nil))}})
	res := s.Call(t, http.MethodGet, "/v1/variants?token=hunter2", "", nil)
	require.Equal(t, http.StatusUnprocessableEntity, res.Status)
	s.Call(t, http.MethodGet, "/healthz", "", nil)
	s.Stop(t)
	require.Contains(t, logs.String(), res.Header.Get("X-Request-Id"))
	require.Contains(t, logs.String(), `"route":"/v1/variants"`)
	require.NotContains(t, logs.String(), "hunter2")
	require.NotContains(t, logs.String(), "/healthz")
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

var _ io.Writer = (*syncBuffer)(nil)
