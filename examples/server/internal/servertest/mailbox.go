package servertest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/mail"
)

// mailPatience is how long a mail may take from the request that causes it.
const mailPatience = 20 * time.Second

// Mailbox keeps mails instead of sending them. The zero Mailbox is empty and ready.
type Mailbox struct {
	mu    sync.Mutex
	mails []mail.Message
}

var _ mail.Sender = (*Mailbox)(nil)

// Send implements mail.Sender.
func (b *Mailbox) Send(_ context.Context, m mail.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mails = append(b.mails, m)
	return nil
}

// All returns the mails to an address, oldest first.
func (b *Mailbox) All(to string) []mail.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []mail.Message
	for _, m := range b.mails {
		if m.To == to {
			found = append(found, m)
		}
	}
	return found
}

// Await waits for a mail to the address whose text or subject contains the words, and takes it out.
func (b *Mailbox) Await(t testing.TB, to, words string) mail.Message {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(mailPatience)
	defer late.Stop()
	for {
		if m, ok := b.take(to, words); ok {
			return m
		}
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("no mail with %q to %s; there are %v", words, to, b.All(to))
		}
	}
}

// Token waits for the mail to the address that links to the page, takes it out and returns its token.
func (b *Mailbox) Token(t testing.TB, to, page string) string {
	t.Helper()
	link := "/" + page + "#token="
	_, rest, _ := strings.Cut(b.Await(t, to, link).Text, link)
	token, _, _ := strings.Cut(rest, "\n")
	return token
}

func (b *Mailbox) take(to, words string) (mail.Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, m := range b.mails {
		if m.To == to && (strings.Contains(m.Text, words) || strings.Contains(m.Subject, words)) {
			b.mails = append(b.mails[:i:i], b.mails[i+1:]...)
			return m, true
		}
	}
	return mail.Message{}, false
}
