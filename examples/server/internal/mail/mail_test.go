package mail_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/mail"
)

// backend is an SMTP server that keeps what it takes.
type backend struct {
	password string // wanted, when not empty
	rcpt     error  // answer to RCPT TO
	data     error  // answer to the content

	mu    sync.Mutex
	taken []string // from, to and content, each in a line of its own
}

func (b *backend) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{b: b}, nil }

type session struct {
	b        *backend
	from, to string
	known    bool
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "robin" || password != s.b.password {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.b.password != "" && !s.known {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return s.b.rcpt }

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.b.data != nil {
		return s.b.data
	}
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.taken = append(s.b.taken, s.from, s.to, string(text))
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// serve starts the backend, with STARTTLS when secure, and returns how to reach it.
func serve(t *testing.T, b *backend, secure bool) mail.SMTPConfig {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := smtp.NewServer(b)
	server.Domain = "localhost"
	cfg := mail.SMTPConfig{
		Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port,
		From: "Groundwork <no-reply@example.com>", DangerouslyAllowPlaintext: true,
	}
	if secure {
		certified := httptest.NewTLSServer(nil) // for its certificate
		t.Cleanup(certified.Close)
		pool := x509.NewCertPool()
		pool.AddCert(certified.Certificate())
		server.TLSConfig = &tls.Config{Certificates: certified.TLS.Certificates}
		cfg.TLS = &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
		cfg.DangerouslyAllowPlaintext = false
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return cfg
}

func letter() mail.Message {
	return mail.Message{To: "alex@example.org", Subject: "Groundwork | Hëllo", Text: "First line.\n\nhttps://example.com/x#token=ot_abc\n"}
}

func send(t *testing.T, cfg mail.SMTPConfig) error {
	t.Helper()
	sender, err := mail.NewSMTP(cfg)
	require.NoError(t, err)
	return sender.Send(t.Context(), letter())
}

func TestSMTPDelivers(t *testing.T) {
	t.Parallel()
	b := &backend{}
	require.NoError(t, send(t, serve(t, b, false)))
	require.Equal(t, "no-reply@example.com", b.taken[0])
	require.Equal(t, "alex@example.org", b.taken[1])
	content := b.taken[2]
	for _, part := range []string{
		"To: <alex@example.org>", "=?UTF-8?", "Auto-Submitted: auto-generated", "Message-ID: <", "First line.\r\n",
		"https://example.com/x#token", "text/plain",
	} {
		require.Contains(t, content, part)
	}
}

func TestSMTPLogsInOverTLSOnly(t *testing.T) {
	t.Parallel()
	b := &backend{password: "hunter2"}
	cfg := serve(t, b, true)
	cfg.Username, cfg.Password = "robin", "hunter2"
	require.NoError(t, send(t, cfg))
	require.Len(t, b.taken, 3)

	cfg.Password = "wrong"
	err := send(t, cfg)
	require.Error(t, err)
	require.NotErrorIs(t, err, mail.ErrPermanent, "somebody can mend the settings")
	require.NotContains(t, err.Error(), "wrong")

	plain := serve(t, b, false)
	plain.DangerouslyAllowPlaintext = false
	require.Error(t, send(t, plain), "no STARTTLS")
	require.Len(t, b.taken, 3)
}

func TestSMTPTellsPermanentFromTemporary(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		b         *backend
		permanent bool
	}{
		"unknown recipient": {&backend{rcpt: &smtp.SMTPError{Code: 550, Message: "no alex@example.org"}}, true},
		"grey-listed":       {&backend{rcpt: &smtp.SMTPError{Code: 451, Message: "later"}}, false},
		"spam":              {&backend{data: &smtp.SMTPError{Code: 554, Message: "spam"}}, true},
		"full":              {&backend{data: &smtp.SMTPError{Code: 452, Message: "full"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := send(t, serve(t, test.b, false))
			require.Error(t, err)
			require.Equal(t, test.permanent, errors.Is(err, mail.ErrPermanent), "%v", err)
			require.NotContains(t, err.Error(), "alex")
		})
	}
	t.Run("down", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		port := listener.Addr().(*net.TCPAddr).Port
		require.NoError(t, listener.Close())
		err = send(t, mail.SMTPConfig{Host: "127.0.0.1", Port: port, From: "a@example.com"})
		require.Error(t, err)
		require.NotErrorIs(t, err, mail.ErrPermanent)
	})
}

func TestSMTPRefusesForgedHeaders(t *testing.T) {
	t.Parallel()
	b := &backend{}
	sender, err := mail.NewSMTP(serve(t, b, false))
	require.NoError(t, err)
	m := letter()
	m.To = "alex@example.org\r\nBcc: eve@example.org"
	require.ErrorIs(t, sender.Send(t.Context(), m), mail.ErrMessage)
	m = letter()
	m.Subject = "Hello\r\nBcc: eve@example.org"
	if err := sender.Send(t.Context(), m); err == nil {
		require.NotContains(t, b.taken[2], "\r\nBcc:")
	}
}

func TestSMTPConfig(t *testing.T) {
	t.Parallel()
	_, err := mail.NewSMTP(mail.SMTPConfig{From: "nobody", Port: 70000, Password: "hunter2", Timeout: -1})
	for _, field := range []string{"From", "Host", "Port", "Timeout", "Username"} {
		require.ErrorContains(t, err, field)
	}
	require.NotContains(t, err.Error(), "hunter2")
	var fault *mail.ConfigError
	require.ErrorAs(t, err, &fault)
}

func TestPrinter(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, mail.NewPrinter(&out).Send(t.Context(), letter()))
	require.Contains(t, out.String(), "To: alex@example.org")
	require.Equal(t, 1, strings.Count(out.String(), "#token=ot_abc"))
}
