package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// KeySource finds the key that verifies a token. [KeySet] and [RemoteKeys] implement it.
//
// VerificationKey returns the usable key of that kid, or an error for which
// errors.Is(err, [ErrUnknownKey]) holds when there is none. Any other error means that the source
// could not tell, and the Verifier answers with ErrUnavailable. It must be safe for concurrent use.
type KeySource interface {
	VerificationKey(ctx context.Context, kid string) (Key, error)
}

// KeySetConfig configures a [KeySet].
type KeySetConfig struct {
	// Active signs new tokens. Required, with its private half or secret.
	Active Key
	// Published keys verify tokens and are listed in the JWKS, but sign nothing yet.
	Published []Key
	// MaxAge is how long readers may cache the JWKS. Default 5 minutes; negative sends no-cache.
	MaxAge time.Duration
	// DangerouslyAllowMixed accepts HS256 beside public-key algorithms in one set. Needed only while
	// moving from one family to the other.
	DangerouslyAllowMixed bool
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// KeySet holds the keys of an issuer. A key is published first, so that readers of the JWKS learn
// it; activated after MaxAge has passed; and its predecessor retired at the time when the last
// token it signed has expired. Safe for concurrent use; verification takes no lock.
type KeySet struct {
	maxAge     time.Duration
	allowMixed bool
	now        func() time.Time

	mu   sync.Mutex // serialises writers
	keys atomic.Pointer[keyring]
}

// keyring is one immutable state of a KeySet.
type keyring struct {
	active   Key
	byKid    map[string]keyEntry
	byHeader map[string]keyEntry
}

type keyEntry struct {
	key   Key
	until time.Time // zero: no end
}

func (e keyEntry) usable(now time.Time) bool { return e.until.IsZero() || now.Before(e.until) }

// NewKeySet checks the configuration and returns the set. Errors are *ConfigError, joined.
func NewKeySet(cfg KeySetConfig) (*KeySet, error) {
	s := &KeySet{
		maxAge:     cmp.Or(cfg.MaxAge, 5*time.Minute),
		allowMixed: cfg.DangerouslyAllowMixed,
		now:        cfg.Now,
	}
	if s.now == nil {
		s.now = time.Now
	}
	var errs []error
	if !cfg.Active.CanSign() {
		errs = append(errs, &ConfigError{Field: "Active", Reason: "needs a key that can sign"})
	}
	ring := &keyring{active: cfg.Active, byKid: map[string]keyEntry{}}
	for i, k := range append([]Key{cfg.Active}, cfg.Published...) {
		field := "Active"
		if i > 0 {
			field = fmt.Sprintf("Published[%d]", i-1)
		}
		if k.data == nil {
			if i > 0 {
				errs = append(errs, &ConfigError{Field: field, Reason: "is the zero Key"})
			}
			continue
		}
		if err := s.checkNew(ring, k); err != nil {
			errs = append(errs, &ConfigError{Field: field, Value: k, Reason: err.Error()})
			continue
		}
		ring.byKid[k.data.kid] = keyEntry{key: k}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	s.store(ring)
	return s, nil
}

// Publish adds a key that verifies and is listed in the JWKS, but does not sign yet. A kid that
// is already known, or a family that does not fit, is ErrKeyState.
func (s *KeySet) Publish(k Key) error {
	if k.data == nil {
		return fmt.Errorf("%w: zero Key", ErrKeyState)
	}
	return s.update(func(ring *keyring) error {
		if err := s.checkNew(ring, k); err != nil {
			return fmt.Errorf("%w: %w", ErrKeyState, err)
		}
		ring.byKid[k.data.kid] = keyEntry{key: k}
		return nil
	})
}

// Activate lets the published key sign from now on; the key before it stays published. An unknown
// or retired kid is ErrUnknownKey, a key without private half ErrKeyState.
func (s *KeySet) Activate(kid string) error {
	return s.update(func(ring *keyring) error {
		e, ok := ring.byKid[kid]
		if !ok || !e.until.IsZero() {
			return ErrUnknownKey
		}
		if !e.key.CanSign() {
			return fmt.Errorf("%w: it has no private half", ErrKeyState)
		}
		ring.active = e.key
		return nil
	})
}

// Retire ends a key at the given time: from then on its tokens are refused and the JWKS leaves
// it out. The usual time is now + access token life + leeway; the present time kills every token
// of a leaked key at once. A key may be retired again to another time. The active key is
// ErrKeyState: activate another one first.
func (s *KeySet) Retire(kid string, until time.Time) error {
	return s.update(func(ring *keyring) error {
		e, ok := ring.byKid[kid]
		if !ok {
			return ErrUnknownKey
		}
		if ring.active.data.kid == kid {
			return fmt.Errorf("%w: it is the active key", ErrKeyState)
		}
		if until.IsZero() {
			return fmt.Errorf("%w: no time given", ErrKeyState)
		}
		e.until = until
		ring.byKid[kid] = e
		return nil
	})
}

// Active returns the key that signs now.
func (s *KeySet) Active() Key { return s.keys.Load().active }

// VerificationKey implements [KeySource] for published, active and not yet retired keys.
func (s *KeySet) VerificationKey(_ context.Context, kid string) (Key, error) {
	e, ok := s.keys.Load().byKid[kid]
	if !ok || !e.usable(s.now()) {
		return Key{}, ErrUnknownKey
	}
	return e.key, nil
}

// keyByHeader finds the key whose own tokens start with exactly this header, which saves
// decoding it.
func (s *KeySet) keyByHeader(header string) (Key, bool) {
	e, ok := s.keys.Load().byHeader[header]
	if !ok || !e.usable(s.now()) {
		return Key{}, false
	}
	return e.key, true
}

func (s *KeySet) checkNew(ring *keyring, k Key) error {
	if _, ok := ring.byKid[k.data.kid]; ok {
		return errors.New("kid is already in the set")
	}
	for _, e := range ring.byKid {
		if e.key.symmetric() != k.symmetric() && !s.allowMixed {
			return errors.New("secret and public-key algorithms do not mix in one set")
		}
	}
	return nil
}

func (s *KeySet) update(change func(*keyring) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.keys.Load()
	next := &keyring{active: old.active, byKid: maps.Clone(old.byKid)}
	if err := change(next); err != nil {
		return err
	}
	s.store(next)
	return nil
}

func (s *KeySet) store(ring *keyring) {
	ring.byHeader = make(map[string]keyEntry, len(ring.byKid))
	for _, e := range ring.byKid {
		ring.byHeader[e.key.data.header] = e
	}
	s.keys.Store(ring)
}

// listed returns the public keys that the JWKS shows at this time, sorted by kid.
func (s *KeySet) listed() []Key {
	now := s.now()
	var keys []Key
	for _, e := range s.keys.Load().byKid {
		if e.usable(now) && !e.key.symmetric() {
			keys = append(keys, e.key)
		}
	}
	slices.SortFunc(keys, func(a, b Key) int { return cmp.Compare(a.data.kid, b.data.kid) })
	return keys
}
