package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Principal is who a verified access token speaks for. Treat it as read-only: several
// goroutines of one request may share it.
type Principal struct {
	Subject   string // sub: the account
	Tenant    string // tid: the tenant the session acts in, empty for none
	SessionID string // sid: the session, the handle for revoking it
	TokenID   string // jti: this one access token
	ClientID  string // client_id: the application that signed in
	KeyID     string // kid: the key that signed the token

	Roles   []string // roles, as of the last refresh
	Scopes  []string // scope, split at spaces
	Methods []string // amr: how the user signed in, such as "pwd" and "otp"

	AuthTime  time.Time // auth_time: when the user last proved who he is
	IssuedAt  time.Time // iat
	ExpiresAt time.Time // exp

	payload string
}

// HasScope reports whether the token was granted the scope.
func (p *Principal) HasScope(scope string) bool { return slices.Contains(p.Scopes, scope) }

// ClaimsAs decodes the token's whole claim set into a T, for claims beyond the fields of
// Principal. The signature is already checked. It fails for a Principal that did not come from a
// token.
func ClaimsAs[T any](p *Principal) (T, error) {
	var claims T
	if p == nil || p.payload == "" {
		return claims, fmt.Errorf("auth: claims: %w", ErrNoCredential)
	}
	if err := json.Unmarshal([]byte(p.payload), &claims); err != nil {
		return claims, fmt.Errorf("auth: claims: %w", err)
	}
	return claims, nil
}

type principalKey struct{}

// WithPrincipal returns a context that carries p. [Verifier.Require] and [Verifier.Optional] call
// it; tests and other transports may too.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalFrom returns the caller that WithPrincipal stored, and whether there is one.
func PrincipalFrom(ctx context.Context) (*Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(*Principal)
	return p, ok && p != nil
}
