package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// RemoteKeysConfig configures [RemoteKeys].
type RemoteKeysConfig struct {
	// URL of the issuer's JWK set. Required, https.
	URL string
	// Client fetches it. Default a client of its own. Redirects to another host or away from https
	// are refused whatever the client allows.
	Client *http.Client
	// MaxAge is how long a fetched set is used before it is fetched again. Default 10 minutes.
	MaxAge time.Duration
	// MinInterval is the least time between two fetches, whatever tokens arrive. Default 30 seconds.
	MinInterval time.Duration
	// Timeout bounds one fetch. Default 5 seconds.
	Timeout time.Duration
	// MaxBytes bounds the answer. Default 256 KiB.
	MaxBytes int64
	// DangerouslyAllowHTTP accepts http URLs, for an issuer on the same machine.
	DangerouslyAllowHTTP bool
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// RemoteKeys is a [KeySource] that reads an issuer's JWK set over HTTPS. Keys that are known are
// returned at once, even while the issuer is down; a set is replaced by a newer one and never
// dropped because a fetch failed. A token with an unknown kid triggers at most one fetch per
// MinInterval, shared by all who wait for it. Safe for concurrent use.
type RemoteKeys struct {
	url         string
	client      http.Client
	maxAge      time.Duration
	minInterval time.Duration
	timeout     time.Duration
	maxBytes    int64
	now         func() time.Time

	mu      sync.Mutex
	keys    map[string]Key
	fetched time.Time // last success
	tried   time.Time // last start of a fetch
	err     error     // of the last fetch
	flight  chan struct{}
}

var _ KeySource = (*RemoteKeys)(nil)

// NewRemoteKeys checks the configuration. It fetches nothing; call Fetch at start-up to find
// mistakes early. Errors are *ConfigError, joined.
func NewRemoteKeys(cfg RemoteKeysConfig) (*RemoteKeys, error) {
	k := &RemoteKeys{
		url: cfg.URL, maxAge: cmp.Or(cfg.MaxAge, 10*time.Minute),
		minInterval: cmp.Or(cfg.MinInterval, 30*time.Second), timeout: cmp.Or(cfg.Timeout, 5*time.Second),
		maxBytes: cmp.Or(cfg.MaxBytes, 256<<10), now: cfg.Now,
	}
	if k.now == nil {
		k.now = time.Now
	}
	if cfg.Client != nil {
		k.client = *cfg.Client
	}
	var errs []error
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && (u.Scheme != "http" || !cfg.DangerouslyAllowHTTP)) {
		errs = append(errs, &ConfigError{Field: "URL", Reason: "is not an https URL"})
	}
	for field, bad := range map[string]bool{
		"MaxAge": k.maxAge < 0, "MinInterval": k.minInterval < 0, "Timeout": k.timeout < 0, "MaxBytes": k.maxBytes < 0,
	} {
		if bad {
			errs = append(errs, &ConfigError{Field: field, Reason: "is negative"})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	k.client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > 3 || r.URL.Host != u.Host || r.URL.Scheme != u.Scheme {
			return errors.New("auth: redirect of a JWK set to another place")
		}
		return nil
	}
	return k, nil
}

// VerificationKey implements [KeySource]. It waits for a fetch only when the kid is unknown and no
// fetch was made within MinInterval. Until a first fetch has succeeded its errors are not
// ErrUnknownKey, so tokens get ErrUnavailable instead of a refusal.
func (k *RemoteKeys) VerificationKey(ctx context.Context, kid string) (Key, error) {
	k.mu.Lock()
	key, ok := k.keys[kid]
	now := k.now()
	stale := now.Sub(k.fetched) >= k.maxAge
	var flight chan struct{}
	if !ok || stale {
		flight = k.start(ctx, now)
	}
	k.mu.Unlock()
	if ok {
		return key, nil
	}
	if flight != nil {
		select {
		case <-flight:
		case <-ctx.Done():
			return Key{}, ctx.Err()
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if key, ok := k.keys[kid]; ok {
		return key, nil
	}
	if k.keys == nil {
		return Key{}, fmt.Errorf("auth: JWK set was never fetched: %w", k.err)
	}
	return Key{}, ErrUnknownKey
}

// Fetch fetches the set now, unless a fetch is under way, which it then waits for.
func (k *RemoteKeys) Fetch(ctx context.Context) error {
	k.mu.Lock()
	k.tried = time.Time{}
	flight := k.start(ctx, k.now())
	k.mu.Unlock()
	select {
	case <-flight:
	case <-ctx.Done():
		return ctx.Err()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

// start begins a fetch, or joins the one under way; nil means that it is too early for another.
// The fetch outlives the caller, because others may wait for it, and ends by its own time-out.
func (k *RemoteKeys) start(ctx context.Context, now time.Time) chan struct{} {
	if k.flight != nil {
		return k.flight
	}
	if !k.tried.IsZero() && now.Sub(k.tried) < k.minInterval {
		return nil
	}
	flight := make(chan struct{})
	k.flight, k.tried = flight, now
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.timeout)
	go func() {
		defer cancel()
		keys, err := k.get(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.err = err; err == nil {
			k.keys, k.fetched = keys, now
		}
		k.flight = nil
		close(flight)
	}()
	return flight
}

func (k *RemoteKeys) get(ctx context.Context) (map[string]Key, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, fmt.Errorf("auth: fetch JWK set: %w", err)
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	res, err := k.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("auth: fetch JWK set: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("auth: fetch JWK set: status %d", res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, k.maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("auth: fetch JWK set: %w", err)
	}
	if int64(len(body)) > k.maxBytes {
		return nil, fmt.Errorf("auth: fetch JWK set: over %d bytes", k.maxBytes)
	}
	list, err := ParseJWKS(body)
	if err != nil {
		return nil, err
	}
	keys := make(map[string]Key, len(list))
	for _, key := range list {
		keys[key.data.kid] = key
	}
	return keys, nil
}
