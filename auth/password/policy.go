package password

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Violation is one rule that a new password breaks: a code for programs and forms.
type Violation string

// The violations.
const (
	TooShort    Violation = "password_too_short"
	TooLong     Violation = "password_too_long"
	NeedsUpper  Violation = "password_needs_upper"
	NeedsLower  Violation = "password_needs_lower"
	NeedsDigit  Violation = "password_needs_digit"
	NeedsSymbol Violation = "password_needs_symbol"
	Common      Violation = "password_common"   // on the block list
	Personal    Violation = "password_personal" // contains the user's own name or address
)

// PolicyError lists the rules that a password breaks. It does not contain the password.
type PolicyError struct{ Violations []Violation }

// Error implements error.
func (e *PolicyError) Error() string {
	list := make([]string, len(e.Violations))
	for i, v := range e.Violations {
		list[i] = string(v)
	}
	return "password: policy: " + strings.Join(list, ", ")
}

// PolicyConfig configures a [Policy].
type PolicyConfig struct {
	// MinBytes is the least length. Default 8; OWASP recommends 15 where passwords stand alone.
	MinBytes int
	// MaxBytes is the greatest length. Default and upper limit MaxBytes, 1024; at least 64.
	MaxBytes int
	// RequireUpper and the others demand a character of the kind. Default off: such rules make
	// passwords more alike, and ASVS 6.2.5 advises against them. Letters and digits of all scripts
	// count.
	RequireUpper, RequireLower, RequireDigit, RequireSymbol bool
	// Blocked reports whether a password is too well known, for instance [Blocklist.Blocked] or a
	// query to a breach database. Default none. Its error makes Check fail.
	Blocked func(ctx context.Context, password string) (bool, error)
}

// Policy decides which new passwords are acceptable. Safe for concurrent use. Old passwords are not
// measured by it: a user can always sign in with the password he has.
type Policy struct{ cfg PolicyConfig }

// NewPolicy checks the configuration. Errors are *ConfigError, joined.
func NewPolicy(cfg PolicyConfig) (*Policy, error) {
	cfg.MinBytes = cmp.Or(cfg.MinBytes, 8)
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, MaxBytes)
	var errs []error
	if cfg.MinBytes < 1 || cfg.MinBytes > 64 {
		errs = append(errs, &ConfigError{Field: "MinBytes", Value: cfg.MinBytes, Reason: "is not in 1..64"})
	}
	if cfg.MaxBytes < 64 || cfg.MaxBytes > MaxBytes {
		errs = append(errs, &ConfigError{Field: "MaxBytes", Value: cfg.MaxBytes, Reason: "is not in 64..1024"})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Policy{cfg}, nil
}

// Check returns nil or a *PolicyError with all violations. The words are what the password must not
// contain whatever the case, such as the user's name and address; those under 4 characters are
// ignored.
func (p *Policy) Check(ctx context.Context, password string, words ...string) error {
	var broken []Violation
	rule := func(bad bool, v Violation) {
		if bad {
			broken = append(broken, v)
		}
	}
	rule(len(password) < p.cfg.MinBytes, TooShort)
	if len(password) > p.cfg.MaxBytes { // nothing else is worth the time
		return &PolicyError{Violations: []Violation{TooLong}}
	}
	rule(p.cfg.RequireUpper && !strings.ContainsFunc(password, unicode.IsUpper), NeedsUpper)
	rule(p.cfg.RequireLower && !strings.ContainsFunc(password, unicode.IsLower), NeedsLower)
	rule(p.cfg.RequireDigit && !strings.ContainsFunc(password, unicode.IsDigit), NeedsDigit)
	rule(p.cfg.RequireSymbol && !strings.ContainsFunc(password, symbol), NeedsSymbol)
	folded := strings.ToLower(password)
	for _, w := range words {
		if utf8.RuneCountInString(w) >= 4 && strings.Contains(folded, strings.ToLower(w)) {
			rule(true, Personal)
			break
		}
	}
	if p.cfg.Blocked != nil {
		blocked, err := p.cfg.Blocked(ctx, password)
		if err != nil {
			return fmt.Errorf("password: block list: %w", err)
		}
		rule(blocked, Common)
	}
	if len(broken) > 0 {
		return &PolicyError{Violations: broken}
	}
	return nil
}

func symbol(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }

// Blocklist is a set of well-known passwords, compared without regard to case. Immutable, safe for
// concurrent use.
type Blocklist struct{ set map[string]struct{} }

// ReadBlocklist reads one password per line; empty lines are ignored. The error is the reader's.
func ReadBlocklist(r io.Reader) (*Blocklist, error) {
	b := &Blocklist{set: map[string]struct{}{}}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if line := strings.TrimSuffix(lines.Text(), "\r"); line != "" {
			b.set[strings.ToLower(line)] = struct{}{}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("password: read block list: %w", err)
	}
	return b, nil
}

// Blocked reports whether the password is on the list. It fits PolicyConfig.Blocked and never
// fails.
func (b *Blocklist) Blocked(_ context.Context, password string) (bool, error) {
	_, ok := b.set[strings.ToLower(password)]
	return ok, nil
}
