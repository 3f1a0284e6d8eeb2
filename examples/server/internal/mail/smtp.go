package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/mail"
	"net/textproto"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// SMTPConfig configures an [SMTP].
type SMTPConfig struct {
	// Host and Port are the server. Required.
	Host string
	Port int
	// Username and Password are sent over TLS only. Empty means no log-in.
	Username, Password string
	// From is the sender, "Name <address>" or an address. Required.
	From string
	// ImplicitTLS speaks TLS from the first byte (RFC 8314). Otherwise STARTTLS is demanded.
	ImplicitTLS bool
	// DangerouslyAllowPlaintext sends the mail in the clear when the server offers no STARTTLS: for
	// a server on the same machine.
	DangerouslyAllowPlaintext bool
	// TLS replaces the default of verifying the server's certificate for Host.
	TLS *tls.Config
	// Timeout bounds the delivery of one mail. Default 30 seconds.
	Timeout time.Duration
}

// ConfigError is one fault of an [SMTPConfig].
type ConfigError struct {
	Field  string // name of the field
	Value  any    // what was given, nil for secrets
	Reason string // what is wrong with it
}

// Error implements error.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("mail: config %s = %v: %s", e.Field, e.Value, e.Reason)
}

// SMTP is a Sender on an SMTP server. Each mail has a connection of its own: mails are few and come
// from background jobs.
type SMTP struct {
	cfg  SMTPConfig
	opts []gomail.Option
}

var _ Sender = (*SMTP)(nil)

// NewSMTP checks the configuration without connecting. Errors are *ConfigError, joined.
func NewSMTP(cfg SMTPConfig) (*SMTP, error) {
	cfg.Timeout = cmp.Or(cfg.Timeout, 30*time.Second)
	var faults []error
	fault := func(bad bool, field string, value any, reason string) {
		if bad {
			faults = append(faults, &ConfigError{Field: field, Value: value, Reason: reason})
		}
	}
	_, err := mail.ParseAddress(cfg.From)
	fault(err != nil, "From", cfg.From, "is no address")
	fault(cfg.Host == "", "Host", cfg.Host, "is empty")
	fault(cfg.Port < 1 || cfg.Port > 65535, "Port", cfg.Port, "is not in 1..65535")
	fault(cfg.Timeout < 0, "Timeout", cfg.Timeout, "is negative")
	fault(cfg.Username == "" && cfg.Password != "", "Username", cfg.Username, "is missing for the password")
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	policy := gomail.TLSMandatory
	if cfg.DangerouslyAllowPlaintext {
		policy = gomail.TLSOpportunistic
	}
	s := &SMTP{cfg: cfg, opts: []gomail.Option{
		gomail.WithPort(cfg.Port), gomail.WithTLSPolicy(policy), gomail.WithTimeout(cfg.Timeout), gomail.WithoutNoop(),
	}}
	if cfg.ImplicitTLS {
		s.opts = append(s.opts, gomail.WithSSL())
	}
	if cfg.TLS != nil {
		s.opts = append(s.opts, gomail.WithTLSConfig(cfg.TLS))
	}
	if cfg.Username != "" {
		s.opts = append(s.opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(cfg.Username), gomail.WithPassword(cfg.Password))
	}
	return s, nil
}

// Send implements Sender.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(message.From(s.cfg.From), message.To(m.To)); err != nil {
		return fmt.Errorf("%w: address", ErrMessage) // the cause would quote it
	}
	message.Subject(m.Subject)
	message.SetDate()
	message.SetMessageID()
	// RFC 3834: no answers from machines.
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	client, err := gomail.NewClient(s.cfg.Host, s.opts...)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	// What goes wrong after the server has taken the mail must not send it twice.
	if err := client.DialAndSendWithContext(ctx, message); err != nil && !message.IsDelivered() {
		return outcome(err)
	}
	return nil
}

// outcome tells what became of a mail by the server's status. The server's words stay out of the
// error: they often repeat the address.
func outcome(err error) error {
	status := 0
	var refused *gomail.SendError
	var reply *textproto.Error
	switch {
	case errors.As(err, &refused):
		status = refused.ErrorCode()
	case errors.As(err, &reply):
		// Greeting, STARTTLS and log-in are about the server's settings, which somebody can mend.
		return fmt.Errorf("mail: server answers %d", reply.Code)
	}
	switch {
	case status >= 500 && status <= 599:
		return fmt.Errorf("%w: status %d", ErrPermanent, status)
	case status > 0:
		return fmt.Errorf("mail: server answers %d", status)
	case refused != nil:
		return errors.New("mail: delivery broke off")
	}
	return fmt.Errorf("mail: %w", err)
}
