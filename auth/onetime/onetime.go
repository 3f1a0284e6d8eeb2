package onetime

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/groundwork-go/groundwork/auth"
)

// ErrInvalid means that a token is unknown, used, voided, expired or meant for another purpose; which
// of these is not told.
var ErrInvalid = errors.New("onetime: invalid token")

// ConfigError is one fault in a configuration or an [Issue].
type ConfigError struct {
	Field  string // name of the field
	Value  any    // what was given
	Reason string // what is wrong with it
}

// Error implements error.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("onetime: config %s = %v: %s", e.Field, e.Value, e.Reason)
}

// Config configures [Tokens].
type Config struct {
	// Store keeps the tokens' hashes. Required.
	Store auth.OneTimeStore
	// Prefix begins every token, for secret scanners. Default "ot_".
	Prefix string
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Tokens issues and consumes single-use tokens. Safe for concurrent use. The zero Tokens is invalid.
type Tokens struct {
	store  auth.OneTimeStore
	prefix string
	now    func() time.Time
}

// New checks the configuration. Errors are *ConfigError, joined.
func New(cfg Config) (*Tokens, error) {
	t := &Tokens{store: cfg.Store, prefix: cmp.Or(cfg.Prefix, "ot_"), now: cfg.Now}
	if t.now == nil {
		t.now = time.Now
	}
	var errs []error
	if t.store == nil {
		errs = append(errs, &ConfigError{Field: "Store", Reason: "is nil"})
	}
	if len(t.prefix) > 16 || strings.ContainsFunc(t.prefix, func(r rune) bool { return r <= ' ' || r > '~' }) {
		errs = append(errs, &ConfigError{Field: "Prefix", Value: t.prefix, Reason: "needs at most 16 visible ASCII characters"})
	}
	return t, errors.Join(errs...)
}

// Issue says what a token is for.
type Issue struct {
	Purpose string        // 1 to 64 bytes
	Subject string        // 1 to 1024 bytes
	Data    string        // at most 4096 bytes
	TTL     time.Duration // 1 second to 30 days
}

func (i *Issue) check() error {
	for _, f := range []struct {
		name, value string
		least, most int
	}{
		{"Purpose", i.Purpose, 1, 64}, {"Subject", i.Subject, 1, 1024}, {"Data", i.Data, 0, 4096},
	} {
		if len(f.value) < f.least || len(f.value) > f.most || !utf8.ValidString(f.value) || strings.Contains(f.value, "\x00") {
			return &ConfigError{Field: f.name, Value: len(f.value), Reason: "is empty, too long or not clean UTF-8"}
		}
	}
	if i.TTL < time.Second || i.TTL > 30*24*time.Hour {
		return &ConfigError{Field: "TTL", Value: i.TTL, Reason: "is not in 1s..720h"}
	}
	return nil
}

// Issue makes a token and voids the older one of the same purpose and subject. It is returned once and
// cannot be read back. Errors are *ConfigError, or auth.ErrUnavailable with the store's.
func (t *Tokens) Issue(ctx context.Context, i Issue) (string, error) {
	if err := i.check(); err != nil {
		return "", err
	}
	var secret [32]byte
	rand.Read(secret[:]) // never fails: the runtime ends the program instead
	token := t.prefix + base64.RawURLEncoding.EncodeToString(secret[:])
	err := t.store.Put(ctx, auth.OneTimeRecord{
		Hash: hash(i.Purpose, token), Purpose: i.Purpose, Subject: i.Subject, Data: i.Data,
		ExpiresAt: t.now().Add(i.TTL).Truncate(time.Microsecond),
	})
	if err != nil {
		return "", fmt.Errorf("%w: issue one-time token: %w", auth.ErrUnavailable, err)
	}
	return token, nil
}

// Used is a token that was consumed.
type Used struct{ Subject, Data string }

// Consume uses a token up. It is ErrInvalid for anything but a live token of this purpose, and
// auth.ErrUnavailable with the store's error when the store fails; then the token may be used up.
func (t *Tokens) Consume(ctx context.Context, purpose, token string) (Used, error) {
	if len(token) != len(t.prefix)+43 || !strings.HasPrefix(token, t.prefix) {
		return Used{}, ErrInvalid
	}
	r, err := t.store.Take(ctx, hash(purpose, token), t.now().Truncate(time.Microsecond))
	switch {
	case errors.Is(err, auth.ErrNotFound):
		return Used{}, ErrInvalid
	case err != nil:
		return Used{}, fmt.Errorf("%w: consume one-time token: %w", auth.ErrUnavailable, err)
	case r.Purpose != purpose:
		return Used{}, ErrInvalid
	}
	return Used{Subject: r.Subject, Data: r.Data}, nil
}

// Void makes the token of the purpose and subject useless, if there is one.
func (t *Tokens) Void(ctx context.Context, purpose, subject string) error {
	if err := t.store.Forget(ctx, purpose, subject); err != nil {
		return fmt.Errorf("%w: void one-time token: %w", auth.ErrUnavailable, err)
	}
	return nil
}

// Sweep removes at most limit expired tokens and returns how many. Call it from a periodic job.
func (t *Tokens) Sweep(ctx context.Context, limit int) (int, error) {
	n, err := t.store.DeleteExpired(ctx, t.now().Truncate(time.Microsecond), limit)
	if err != nil {
		return n, fmt.Errorf("%w: sweep one-time tokens: %w", auth.ErrUnavailable, err)
	}
	return n, nil
}

// hash binds the token to its purpose. The token has 256 random bits, so a plain hash is enough.
func hash(purpose, token string) string {
	sum := sha256.Sum256([]byte(purpose + "\x00" + token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
