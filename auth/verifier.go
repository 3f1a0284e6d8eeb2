package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	defaultMaxBytes = 8 << 10
	hardMaxBytes    = 64 << 10
	maxHeaderBytes  = 512
	maxSigBytes     = maxRSABits / 8
)

// VerifierConfig configures a [Verifier]. A service that only reads tokens needs nothing else of
// this package and no store.
type VerifierConfig struct {
	// Issuer is the exact iss of accepted tokens. Required.
	Issuer string
	// Audience names this service; a token must be meant for at least one of the names. Required.
	Audience []string
	// Keys finds verification keys by kid: a [KeySet] or [RemoteKeys]. Required.
	Keys KeySource
	// Denylist, when set, is asked once for every token that is otherwise good.
	Denylist Denylist
	// DangerouslyFailOpen accepts tokens while the Denylist does not answer. Otherwise that is
	// ErrUnavailable.
	DangerouslyFailOpen bool
	// Leeway is the tolerated clock difference to the issuer. Default 30 seconds, at most 2 minutes;
	// negative means none.
	Leeway time.Duration
	// MaxLifetime bounds exp - iat. Default 1 hour; negative means no bound.
	MaxLifetime time.Duration
	// MaxBytes bounds a token's length. Default 8 KiB, at most 64 KiB.
	MaxBytes int
	// OnReject is told why a token was refused; callers and clients are not. It must not block.
	OnReject func(ctx context.Context, reason Reason)
	// OnError answers a refused request in Require, Optional and RequireFresh. Default
	// [WriteError].
	OnError func(w http.ResponseWriter, r *http.Request, err error)
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Reason says which check an access token failed, for logs and metrics.
type Reason string

// The reasons, in the order of the checks.
const (
	RejectSize      Reason = "size"      // longer than MaxBytes
	RejectFormat    Reason = "format"    // not three base64url segments
	RejectHeader    Reason = "header"    // not a strict header, or with members beyond alg, kid, typ
	RejectType      Reason = "type"      // typ is not at+jwt
	RejectKey       Reason = "key"       // unknown or retired kid
	RejectAlgorithm Reason = "algorithm" // alg is not the key's
	RejectSignature Reason = "signature" // forged or damaged
	RejectClaims    Reason = "claims"    // not a strict claim set, or required claims missing
	RejectIssuer    Reason = "issuer"    // foreign iss
	RejectAudience  Reason = "audience"  // not meant for this service
	RejectLifetime  Reason = "lifetime"  // exp - iat over MaxLifetime, or exp not after iat
	RejectNotYet    Reason = "not_yet"   // nbf or iat in the future
	RejectExpired   Reason = "expired"   // exp in the past
	RejectRevoked   Reason = "revoked"   // on the deny-list
)

// Verifier checks access tokens (RFC 9068 profile, with RFC 8725's advice). The signature is
// verified before the claims are parsed, the header may contain alg, kid and typ only, and the key
// decides the algorithm. Safe for concurrent use. The zero Verifier refuses every token.
type Verifier struct {
	issuer      string
	audience    []string
	keys        KeySource
	byHeader    headerSource // keys, when it can look headers up
	denylist    Denylist
	failOpen    bool
	leeway      time.Duration
	maxLifetime time.Duration
	maxBytes    int
	onReject    func(context.Context, Reason)
	onError     func(http.ResponseWriter, *http.Request, error)
	now         func() time.Time
	buffers     sync.Pool
}

type headerSource interface {
	keyByHeader(header string) (Key, bool)
}

// NewVerifier checks the configuration. Errors are *ConfigError, joined. An empty issuer, audience
// or key source is an error, never a check that is switched off.
func NewVerifier(cfg VerifierConfig) (*Verifier, error) {
	v := &Verifier{
		issuer:      cfg.Issuer,
		audience:    slices.Clone(cfg.Audience),
		keys:        cfg.Keys,
		denylist:    cfg.Denylist,
		failOpen:    cfg.DangerouslyFailOpen,
		leeway:      max(cmp.Or(cfg.Leeway, 30*time.Second), 0),
		maxLifetime: cmp.Or(cfg.MaxLifetime, time.Hour),
		maxBytes:    cmp.Or(cfg.MaxBytes, defaultMaxBytes),
		onReject:    cfg.OnReject,
		onError:     cfg.OnError,
		now:         cfg.Now,
	}
	var errs []error
	if v.issuer == "" {
		errs = append(errs, &ConfigError{Field: "Issuer", Reason: "is empty"})
	}
	if len(v.audience) == 0 || slices.Contains(v.audience, "") {
		errs = append(errs, &ConfigError{Field: "Audience", Reason: "needs one name or more, none empty"})
	}
	if v.keys == nil {
		errs = append(errs, &ConfigError{Field: "Keys", Reason: "is nil"})
	}
	if set, ok := v.keys.(*KeySet); ok && (set == nil || set.keys.Load() == nil) {
		errs = append(errs, &ConfigError{Field: "Keys", Reason: "is an empty KeySet"})
	}
	if v.leeway > 2*time.Minute {
		errs = append(errs, &ConfigError{Field: "Leeway", Value: cfg.Leeway, Reason: "is over 2 minutes"})
	}
	if v.maxBytes < 0 || v.maxBytes > hardMaxBytes {
		errs = append(errs, &ConfigError{Field: "MaxBytes", Value: cfg.MaxBytes, Reason: "is not in 0..65536"})
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	v.byHeader, _ = v.keys.(headerSource)
	if v.now == nil {
		v.now = time.Now
	}
	if v.onError == nil {
		v.onError = WriteError
	}
	v.buffers.New = func() any { b := make([]byte, 0, 1<<10); return &b }
	return v, nil
}

// Verify checks the token and returns who it speaks for. The error is ErrExpired, ErrRevoked,
// ErrUnavailable (with its cause) or ErrInvalidToken for everything else; all but ErrUnavailable
// mean 401. It does no I/O except through Keys and Denylist.
func (v *Verifier) Verify(ctx context.Context, token string) (*Principal, error) {
	p, reason, err := v.verify(ctx, token)
	if err == nil {
		return p, nil
	}
	if reason != "" && v.onReject != nil {
		v.onReject(ctx, reason)
	}
	return nil, err
}

func (v *Verifier) verify(ctx context.Context, token string) (*Principal, Reason, error) {
	if len(token) > v.maxBytes {
		return nil, RejectSize, ErrInvalidToken
	}
	header, payload, signature, ok := split(token)
	if !ok {
		return nil, RejectFormat, ErrInvalidToken
	}
	key, reason, err := v.key(ctx, header)
	if err != nil {
		return nil, reason, err
	}
	if !key.verify(token[:len(header)+1+len(payload)], signature) {
		return nil, RejectSignature, ErrInvalidToken
	}
	p, aud, reason := v.decode(payload)
	if reason == "" {
		reason = v.judge(p, aud)
	}
	switch {
	case reason == RejectExpired:
		return nil, reason, ErrExpired
	case reason != "":
		return nil, reason, ErrInvalidToken
	}
	p.KeyID = key.data.kid
	if reason, err := v.denied(ctx, &p.Principal); err != nil {
		return nil, reason, err
	}
	return &p.Principal, "", nil
}

// split cuts a token into its three segments. Whether their bytes belong to the alphabet is found
// when they are decoded.
func split(token string) (header, payload, signature string, ok bool) {
	header, rest, ok := strings.Cut(token, ".")
	if !ok {
		return "", "", "", false
	}
	payload, signature, ok = strings.Cut(rest, ".")
	if !ok || header == "" || payload == "" || signature == "" ||
		base64Len(len(signature)) > maxSigBytes || strings.IndexByte(signature, '.') >= 0 {
		return "", "", "", false
	}
	return header, payload, signature, true
}

// key finds the key of a header: at once when the header is byte for byte one that our own keys
// write, else by decoding it strictly.
func (v *Verifier) key(ctx context.Context, header string) (Key, Reason, error) {
	if v.byHeader != nil {
		if key, ok := v.byHeader.keyByHeader(header); ok {
			return key, "", nil
		}
	}
	alg, kid, reason := decodeHeader(header)
	if reason != "" {
		return Key{}, reason, ErrInvalidToken
	}
	if v.keys == nil {
		return Key{}, RejectKey, ErrInvalidToken
	}
	key, err := v.keys.VerificationKey(ctx, kid)
	switch {
	case errors.Is(err, ErrUnknownKey):
		return Key{}, RejectKey, ErrInvalidToken
	case err != nil:
		return Key{}, "", fmt.Errorf("%w: verification key: %w", ErrUnavailable, err)
	case key.data == nil || key.data.kid != kid:
		return Key{}, RejectKey, ErrInvalidToken
	case !key.accepts(Algorithm(alg)):
		return Key{}, RejectAlgorithm, ErrInvalidToken
	}
	return key, "", nil
}

func decodeHeader(segment string) (alg, kid string, reason Reason) {
	if base64Len(len(segment)) > maxHeaderBytes {
		return "", "", RejectHeader
	}
	var room [maxHeaderBytes]byte
	raw, ok := appendBase64(room[:0], segment)
	if !ok {
		return "", "", RejectFormat
	}
	var typ string
	ok = scanObject(string(raw), func(name, raw string) bool {
		text, ok := unquote(raw)
		switch name {
		case "alg":
			alg = text
		case "kid":
			kid = text
		case "typ":
			typ = text
		default: // crit, b64, jku, jwk, x5u, x5c, zip and whatever comes next
			return false
		}
		return ok
	})
	if !ok || alg == "" || checkKid(kid) != nil {
		return "", "", RejectHeader
	}
	if !strings.EqualFold(typ, tokenTypeName) && !strings.EqualFold(typ, "application/"+tokenTypeName) {
		return "", "", RejectType
	}
	return alg, kid, ""
}

// claimSet is a Principal with the claims that only the Verifier needs.
type claimSet struct {
	Principal
	issuer        string
	exp, nbf, iat int64
}

func (v *Verifier) decode(segment string) (*claimSet, []string, Reason) {
	buf := v.buffers.Get().(*[]byte)
	raw, ok := appendBase64((*buf)[:0], segment)
	payload := string(raw)
	*buf = raw[:0]
	v.buffers.Put(buf)
	if !ok {
		return nil, nil, RejectFormat
	}
	p := &claimSet{}
	p.payload = payload
	var room [4]string
	aud := room[:0]
	if !scanObject(payload, func(name, raw string) bool { return p.set(name, raw, &aud) }) {
		return nil, nil, RejectClaims
	}
	if p.Subject == "" || p.SessionID == "" || p.TokenID == "" || p.exp == 0 || p.iat == 0 {
		return nil, nil, RejectClaims
	}
	p.IssuedAt, p.ExpiresAt = time.Unix(p.iat, 0), time.Unix(p.exp, 0)
	return p, aud, ""
}

func (p *claimSet) set(name, raw string, aud *[]string) (ok bool) {
	switch name {
	case "iss":
		p.issuer, ok = unquote(raw)
	case "sub":
		p.Subject, ok = unquote(raw)
	case "aud":
		if raw[0] == '"' {
			var one string
			one, ok = unquote(raw)
			*aud = append(*aud, one)
		} else {
			*aud, ok = stringList(raw)
		}
	case "exp":
		p.exp, ok = wholeNumber(raw)
	case "nbf":
		p.nbf, ok = wholeNumber(raw)
	case "iat":
		p.iat, ok = wholeNumber(raw)
	case "jti":
		p.TokenID, ok = unquote(raw)
	case "sid":
		p.SessionID, ok = unquote(raw)
	case "client_id":
		p.ClientID, ok = unquote(raw)
	case "tid":
		p.Tenant, ok = unquote(raw)
	case "auth_time":
		var at int64
		at, ok = wholeNumber(raw)
		p.AuthTime = time.Unix(at, 0)
	case "amr":
		p.Methods, ok = stringList(raw)
	case "roles":
		p.Roles, ok = stringList(raw)
	case "scope":
		var scope string
		scope, ok = unquote(raw)
		p.Scopes = strings.Fields(scope)
	default:
		return true
	}
	return ok
}

func (v *Verifier) judge(p *claimSet, aud []string) Reason {
	if p.issuer != v.issuer {
		return RejectIssuer
	}
	if !slices.ContainsFunc(v.audience, func(a string) bool { return slices.Contains(aud, a) }) {
		return RejectAudience
	}
	lifetime := p.ExpiresAt.Sub(p.IssuedAt)
	if lifetime <= 0 || (v.maxLifetime > 0 && lifetime > v.maxLifetime) {
		return RejectLifetime
	}
	now := v.now()
	latest := now.Add(v.leeway)
	if p.IssuedAt.After(latest) || (p.nbf != 0 && time.Unix(p.nbf, 0).After(latest)) {
		return RejectNotYet
	}
	if !now.Before(p.ExpiresAt.Add(v.leeway)) {
		return RejectExpired
	}
	return ""
}

func (v *Verifier) denied(ctx context.Context, p *Principal) (Reason, error) {
	if v.denylist == nil {
		return "", nil
	}
	denied, err := v.denylist.Denied(ctx, denySession+p.SessionID, denyToken+p.TokenID)
	switch {
	case err != nil && !v.failOpen:
		return "", fmt.Errorf("%w: deny-list: %w", ErrUnavailable, err)
	case err == nil && denied:
		return RejectRevoked, ErrRevoked
	}
	return "", nil
}

// Prefixes of deny-list ids.
const (
	denySession = "s:"
	denyToken   = "j:"
)
