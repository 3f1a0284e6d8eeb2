package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// RacePolicy decides what the direct parent of the current refresh token gets when it comes back
// within [Config.ReuseInterval]. That happens to honest clients, when two tabs refresh at once or
// an answer is lost, far more often than theft does.
type RacePolicy uint8

const (
	// RaceReplay answers with the same successor again, up to MaxReplays times. However many
	// requests race, the session has one current token. A thief who replays the parent within the
	// interval is found out one rotation later. The default.
	RaceReplay RacePolicy = iota
	// RaceReject answers ErrSuperseded and leaves the session alone.
	RaceReject
	// RaceStrict takes every second use for theft and revokes the session (ASVS 10.4.5 to the
	// letter). Parallel tabs and lost answers then sign users out.
	RaceStrict
)

// String returns the policy's name.
func (p RacePolicy) String() string {
	switch p {
	case RaceReplay:
		return "replay"
	case RaceReject:
		return "reject"
	case RaceStrict:
		return "strict"
	}
	return "unknown"
}

// Config configures a [Service]. Zero values of optional fields mean the stated defaults.
type Config struct {
	// Issuer is the iss of the access tokens, normally the service's public URL. Required.
	Issuer string
	// Audience is the aud of the access tokens: who may read them. Required.
	Audience []string
	// Keys sign the access tokens. Required.
	Keys *KeySet
	// RefreshKeys authenticate the refresh tokens. Required.
	RefreshKeys RefreshKeys
	// Store keeps the sessions. Required.
	Store Store

	// Denylist makes ended sessions' access tokens invalid at once instead of at their expiry.
	// Optional.
	Denylist Denylist
	// Claims adds claims to access tokens. Optional.
	Claims ClaimsFunc
	// OnEvent is told what happens, inside the request and after the fact; it must not block.
	OnEvent func(ctx context.Context, e Event)
	// OnReject is the Verifier's hook of that name. Optional.
	OnReject func(ctx context.Context, reason Reason)
	// Now is the clock. Default time.Now.
	Now func() time.Time

	// AccessTTL is the life of an access token. Default 15 minutes, at most 24 hours.
	AccessTTL time.Duration
	// IdleTTL ends a session that is not refreshed. Default 30 days.
	IdleTTL time.Duration
	// AbsoluteTTL ends a session however often it is refreshed. Default 90 days.
	AbsoluteTTL time.Duration
	// ReuseInterval is how long after a rotation the direct parent may come back. Default 10
	// seconds, at most 5 minutes.
	ReuseInterval time.Duration
	// OnRace is the policy within ReuseInterval. Default RaceReplay.
	OnRace RacePolicy
	// MaxReplays bounds the answers of RaceReplay for one parent. Default 16.
	MaxReplays int
	// MaxSessions bounds a subject's live sessions: the oldest give way. Default 0, no bound.
	MaxSessions int
	// Leeway is the Verifier's tolerated clock difference. Default 30 seconds, at most 2 minutes;
	// negative means none. It never applies to refresh tokens.
	Leeway time.Duration
	// StoreTimeout bounds a store call that changes a session. Such calls go on when the client
	// hangs up, so that nobody dodges a revocation by leaving. Default 5 seconds.
	StoreTimeout time.Duration
	// Retention is how long Sweep keeps ended sessions. Default 7 days; negative means not at all.
	Retention time.Duration
	// RefreshPrefix begins every refresh token, for secret scanners. Default "rt_".
	RefreshPrefix string
}

// Service signs users in, keeps their sessions and issues their tokens. Safe for concurrent use;
// replicas that share store and keys act as one. The zero Service is invalid.
type Service struct {
	issuer        string
	audience      []string
	keys          *KeySet
	refreshKeys   RefreshKeys
	store         Store
	denylist      Denylist
	claims        ClaimsFunc
	onEvent       func(context.Context, Event)
	now           func() time.Time
	accessTTL     time.Duration
	idleTTL       time.Duration
	absoluteTTL   time.Duration
	reuseInterval time.Duration
	maxReplays    int
	maxSessions   int
	leeway        time.Duration
	storeTimeout  time.Duration
	retention     time.Duration
	prefix        string
	verifier      *Verifier
}

// New checks the configuration and returns a Service. Errors are *ConfigError, joined. It starts
// nothing and does no I/O.
func New(cfg Config) (*Service, error) {
	s := &Service{
		issuer: cfg.Issuer, audience: slices.Clone(cfg.Audience), keys: cfg.Keys,
		refreshKeys: cfg.RefreshKeys, store: cfg.Store, denylist: cfg.Denylist,
		claims: cfg.Claims, onEvent: cfg.OnEvent, now: cfg.Now,
		accessTTL:     cmp.Or(cfg.AccessTTL, 15*time.Minute),
		idleTTL:       cmp.Or(cfg.IdleTTL, 30*24*time.Hour),
		absoluteTTL:   cmp.Or(cfg.AbsoluteTTL, 90*24*time.Hour),
		reuseInterval: cmp.Or(cfg.ReuseInterval, 10*time.Second),
		maxReplays:    cmp.Or(cfg.MaxReplays, 16),
		maxSessions:   cfg.MaxSessions,
		leeway:        max(cmp.Or(cfg.Leeway, 30*time.Second), 0),
		storeTimeout:  cmp.Or(cfg.StoreTimeout, 5*time.Second),
		retention:     max(cmp.Or(cfg.Retention, 7*24*time.Hour), 0),
		prefix:        cmp.Or(cfg.RefreshPrefix, "rt_"),
	}
	if s.now == nil {
		s.now = time.Now
	}
	errs := s.faults(cfg)
	var source KeySource
	if cfg.Keys != nil {
		source = cfg.Keys
	}
	verifier, err := NewVerifier(VerifierConfig{
		Issuer: cfg.Issuer, Audience: cfg.Audience, Keys: source, Denylist: cfg.Denylist,
		Leeway: cfg.Leeway, MaxLifetime: s.accessTTL, OnReject: cfg.OnReject, Now: s.now,
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	switch cfg.OnRace {
	case RaceReject:
		s.maxReplays = 0
	case RaceStrict:
		s.reuseInterval = 0
	}
	s.verifier = verifier
	return s, nil
}

func (s *Service) faults(cfg Config) (errs []error) {
	fault := func(bad bool, field string, value any, reason string) {
		if bad {
			errs = append(errs, &ConfigError{Field: field, Value: value, Reason: reason})
		}
	}
	fault(s.store == nil, "Store", nil, "is nil")
	fault(len(s.refreshKeys.ring) == 0, "RefreshKeys", nil, "is the zero value")
	fault(s.accessTTL < time.Second || s.accessTTL > 24*time.Hour, "AccessTTL", s.accessTTL, "is not in 1s..24h")
	fault(s.idleTTL < s.accessTTL, "IdleTTL", s.idleTTL, "is shorter than AccessTTL")
	fault(s.absoluteTTL < s.idleTTL, "AbsoluteTTL", s.absoluteTTL, "is shorter than IdleTTL")
	fault(s.reuseInterval < 0 || s.reuseInterval > 5*time.Minute, "ReuseInterval", s.reuseInterval, "is not in 0..5m")
	fault(cfg.OnRace > RaceStrict, "OnRace", uint8(cfg.OnRace), "is no policy")
	fault(s.maxReplays < 0, "MaxReplays", s.maxReplays, "is negative")
	fault(s.maxSessions < 0, "MaxSessions", s.maxSessions, "is negative")
	fault(s.storeTimeout < 0, "StoreTimeout", s.storeTimeout, "is negative")
	fault(!tokenPrefix(s.prefix), "RefreshPrefix", s.prefix, "needs 1 to 16 of A-Z a-z 0-9 _ -")
	return errs
}

func tokenPrefix(p string) bool {
	return p != "" && len(p) <= 16 && strings.Trim(p, base64Alphabet) == ""
}

// Verifier returns the Verifier of the service's own access tokens.
func (s *Service) Verifier() *Verifier { return s.verifier }

// Login describes a user whose password, passkey or other proof the application has checked.
type Login struct {
	// Subject is the account, 1 to 1024 bytes. Required.
	Subject string
	// Tenant, ClientID are copied into the session and its tokens. Optional; at most 1024 bytes.
	Tenant   string
	ClientID string
	// Methods are the amr values (RFC 8176) of the proof, such as "pwd". Optional, at most 16.
	Methods []string
	// AuthTime is when the proof was given. Default now.
	AuthTime time.Time
	// Attributes are kept with the session for display: ip, user_agent and the like. At most 16
	// entries and 4 KiB; they are cut or cleaned rather than refused.
	Attributes map[string]string
}

// Tokens is what a client gets. It prints as placeholders, so that a stray log line leaks nothing.
type Tokens struct {
	Access         string
	Refresh        string
	AccessExpires  time.Time
	RefreshExpires time.Time     // idle end: the refresh token dies when not used before
	AccessTTL      time.Duration // AccessExpires as seen now, for expires_in
	RefreshTTL     time.Duration // RefreshExpires as seen now
	Session        Session
	Replayed       bool // Refresh is a copy of what a parallel request got
}

// String hides the tokens.
func (t Tokens) String() string {
	return fmt.Sprintf("auth.Tokens(session %s, redacted)", t.Session.ID)
}

// GoString hides the tokens.
func (t Tokens) GoString() string { return t.String() }

// LogValue implements [slog.LogValuer] without the tokens.
func (t Tokens) LogValue() slog.Value { return slog.StringValue(t.String()) }

const (
	maxIDBytes   = 1024
	maxAttrs     = 16
	maxAttrBytes = 1024
	maxAttrTotal = 4096
)

// check refuses what a session cannot keep in every store.
func (l *Login) check() error {
	for _, f := range []struct{ name, value string }{
		{"subject", l.Subject}, {"tenant", l.Tenant}, {"client id", l.ClientID},
	} {
		if len(f.value) > maxIDBytes || !storable(f.value) {
			return fmt.Errorf("%w: %s is too long or not clean UTF-8", ErrInvalidLogin, f.name)
		}
	}
	if l.Subject == "" {
		return fmt.Errorf("%w: subject is empty", ErrInvalidLogin)
	}
	if len(l.Methods) > maxAttrs {
		return fmt.Errorf("%w: more than %d methods", ErrInvalidLogin, maxAttrs)
	}
	for _, m := range l.Methods {
		if m == "" || len(m) > 64 || !storable(m) {
			return fmt.Errorf("%w: method is empty, too long or not clean UTF-8", ErrInvalidLogin)
		}
	}
	return nil
}

// storable reports whether every database keeps the text as it is.
func storable(text string) bool {
	return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}

// attributes copies client-made text such as a user agent into a form that every store keeps.
func attributes(in map[string]string) map[string]string {
	if len(in) == 0 {
		return nil
	}
	names := make([]string, 0, len(in))
	for name := range in {
		names = append(names, name)
	}
	slices.Sort(names)
	out := make(map[string]string, min(len(in), maxAttrs))
	total := 0
	for _, name := range names {
		key, value := clean(name), clean(in[name])
		total += len(key) + len(value)
		if len(out) == maxAttrs || total > maxAttrTotal {
			break
		}
		out[key] = value
	}
	return out
}

func clean(text string) string {
	if len(text) > maxAttrBytes {
		text = text[:maxAttrBytes]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
