// Package mail sends the server's mails: through an SMTP server, or, in development without one, onto
// the terminal. A mail is plain text to one person.
package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Message is one mail.
type Message struct {
	// To is the bare address of the recipient.
	To string
	// Subject is one line.
	Subject string
	// Text is the body. Lines end with \n.
	Text string
}

// Sender sends mails. It is safe for concurrent use.
type Sender interface {
	// Send hands the mail over and returns nil once somebody else is responsible for it. An error that
	// is ErrPermanent comes again however often the mail is sent.
	Send(ctx context.Context, m Message) error
}

var (
	// ErrPermanent means that the mail was refused for good: SMTP status 5xx.
	ErrPermanent = errors.New("mail: refused for good")
	// ErrMessage means that a message has no form in which it could be sent. It is permanent too.
	ErrMessage = errors.New("mail: message cannot be sent")
)

// Printer is the Sender of development: it writes mails for the person at the terminal, who follows
// their links.
type Printer struct {
	mu sync.Mutex
	w  io.Writer
}

var _ Sender = (*Printer)(nil)

// NewPrinter returns a Printer that writes to w, one mail at a time.
func NewPrinter(w io.Writer) *Printer { return &Printer{w: w} }

// Send implements Sender.
func (p *Printer) Send(_ context.Context, m Message) error {
	text := "  " + strings.ReplaceAll(strings.TrimSpace(m.Text), "\n", "\n  ")
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := fmt.Fprintf(p.w, "\nMail (printed, not sent: SMTP_URL is not set)\n  To: %s\n  Subject: %s\n\n%s\n\n",
		m.To, m.Subject, text)
	if err != nil {
		return fmt.Errorf("mail: print: %w", err)
	}
	return nil
}
