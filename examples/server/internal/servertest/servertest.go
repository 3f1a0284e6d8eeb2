// Package servertest starts the whole server for tests of the domain packages: on SQLite always, and
// on PostgreSQL too when TEST_POSTGRES_URL is set. Nothing is replaced but what a test asks for, so a
// test that passes here passes over HTTP on both databases.
package servertest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/app"
	"github.com/groundwork-go/groundwork/examples/server/internal/config"
	"github.com/groundwork-go/groundwork/internal/testdb"
)

// Server is a running server.
type Server struct {
	// URL is its root, without a trailing slash.
	URL string
	// Config is what it runs with.
	Config config.Config
	// Mail is what it has sent, unless the test gave a sender of its own.
	Mail *Mailbox

	stop func(t testing.TB)
}

// Options vary a server. The zero value is development on a fresh database.
type Options struct {
	// Environ is added to the environment, as in "OPENAI_BASE_URL=http://127.0.0.1:9090".
	Environ []string
	// NoMail leaves the sending of mails to the configuration instead of a [Mailbox].
	NoMail bool
	// App is passed on to the server. Listener and Ready are set here.
	App app.Options
}

// Each runs test against a fresh server on each database, in parallel subtests "sqlite" and
// "postgres".
func Each(t *testing.T, opts Options, test func(t *testing.T, s *Server)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, Start(t, opts))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		with := opts
		with.Environ = append([]string{"DATABASE_URL=" + testdb.Postgres(t)}, opts.Environ...)
		test(t, Start(t, with))
	})
}

// Start starts a server on a free port with its data in a folder of its own, waits until it answers
// and stops it when the test ends. Without DATABASE_URL in opts.Environ it runs on SQLite.
func Start(t testing.TB, opts Options) *Server {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	environ := append([]string{
		"APP_ENV=development",
		"LISTEN_ADDR=" + listener.Addr().String(),
		"DATA_DIR=" + t.TempDir(),
		"DATABASE_MAX_OPEN=8",
		"DATABASE_MAX_IDLE=8",
	}, opts.Environ...)
	cfg, err := config.Load(environ)
	require.NoError(t, err)
	ready, ended := make(chan struct{}), make(chan error, 1)
	run := opts.App
	run.Listener = listener
	run.Ready = func() { close(ready) }
	mailbox := &Mailbox{}
	if run.Mail == nil && !opts.NoMail {
		run.Mail = mailbox
	}
	if run.Logger == nil {
		run.Logger = slog.New(slog.NewTextHandler(failureLog{t}, &slog.HandlerOptions{Level: slog.LevelError}))
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	go func() { ended <- app.Run(ctx, cfg, run) }()
	stopped := false
	s := &Server{URL: "http://" + listener.Addr().String(), Config: cfg, Mail: mailbox}
	s.stop = func(t testing.TB) {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			require.NoError(t, err)
		case <-time.After(time.Minute):
			t.Error("the server did not stop")
		}
	}
	t.Cleanup(func() { s.stop(t) })
	select {
	case <-ready:
	case err := <-ended:
		stopped = true
		cancel()
		t.Fatalf("the server did not start: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("the server did not become ready")
	}
	return s
}

// Stop stops the server before the test ends.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.stop(t)
}

// Response is an answer read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON decodes the body into v.
func (r Response) JSON(t testing.TB, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(r.Body, v), "%s", r.Body)
}

// Code returns the code of a problem, or "" for other answers.
func (r Response) Code() string {
	var p struct{ Code string }
	_ = json.Unmarshal(r.Body, &p)
	return p.Code
}

// Call sends a request and reads the answer. token may be empty; body is nil, a []byte or string sent
// as it is, an io.Reader, or a value sent as JSON. headers are name, value, name, value; they replace
// what Call would set.
func (s *Server) Call(t testing.TB, method, path, token string, body any, headers ...string) Response {
	t.Helper()
	var reader io.Reader
	switch v := body.(type) {
	case nil:
	case []byte:
		reader = bytes.NewReader(v)
	case string:
		reader = bytes.NewReader([]byte(v))
	case io.Reader:
		reader = v
	default:
		text, err := json.Marshal(v)
		require.NoError(t, err)
		reader = bytes.NewReader(text)
	}
	target, err := url.Parse(s.URL + path)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, target.String(), reader)
	require.NoError(t, err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return Response{Status: res.StatusCode, Header: res.Header, Body: text}
}

// failureLog shows the errors of the server in the output of the test.
type failureLog struct{ t testing.TB }

// Write implements io.Writer.
func (l failureLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", bytes.TrimSpace(p))
	return len(p), nil
}
