package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Claims is what an application adds to an access token.
type Claims struct {
	Tenant string   // tid; empty leaves it out
	Roles  []string // roles
	Scopes []string // scope; a scope contains no space
	// Extra holds further claims. Names that this package sets itself are an error, values must
	// encode as JSON.
	Extra map[string]any
}

// ClaimsFunc returns the claims for a session, at log-in and again at every refresh, so that a
// changed role takes effect within one access token's life. ErrSubjectDisabled refuses the log-in
// or ends the session; any other error is reported as ErrUnavailable and leaves the session alone.
// Without a ClaimsFunc tokens carry the session's tenant and nothing else; with one, Tenant is
// what it returns.
type ClaimsFunc func(ctx context.Context, s Session) (Claims, error)

// ownClaim reports whether this package sets the claim itself.
func ownClaim(name string) bool {
	switch name {
	case "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "client_id", "tid", "auth_time",
		"amr", "scope", "roles", "cnf", "act":
		return true
	}
	return false
}

// mint encodes and signs an access token (RFC 9068, section 2).
func (s *Service) mint(key Key, ses *Session, c Claims, issued, expires time.Time) (string, error) {
	b := make([]byte, 0, 640)
	b = appendString(append(b, `{"iss":`...), s.issuer)
	b = appendString(append(b, `,"sub":`...), ses.Subject)
	b = append(b, `,"aud":`...)
	if len(s.audience) == 1 {
		b = appendString(b, s.audience[0])
	} else {
		b = appendStrings(b, s.audience)
	}
	b = appendString(append(b, `,"client_id":`...), ses.ClientID)
	b = appendString(append(b, `,"sid":`...), ses.ID)
	b = appendString(append(b, `,"jti":`...), rand.Text())
	b = strconv.AppendInt(append(b, `,"iat":`...), issued.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"nbf":`...), issued.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"exp":`...), expires.Unix(), 10)
	b = strconv.AppendInt(append(b, `,"auth_time":`...), ses.AuthTime.Unix(), 10)
	if c.Tenant != "" {
		b = appendString(append(b, `,"tid":`...), c.Tenant)
	}
	if len(ses.Methods) > 0 {
		b = appendStrings(append(b, `,"amr":`...), ses.Methods)
	}
	if len(c.Scopes) > 0 {
		b = appendString(append(b, `,"scope":`...), strings.Join(c.Scopes, " "))
	}
	if len(c.Roles) > 0 {
		b = appendStrings(append(b, `,"roles":`...), c.Roles)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Extra)) {
		if ownClaim(name) {
			return "", fmt.Errorf("auth: claim %q is set by the package itself", name)
		}
		value, err := json.Marshal(c.Extra[name])
		if err != nil {
			return "", fmt.Errorf("auth: claim %q: %w", name, err)
		}
		b = append(append(appendString(append(b, ','), name), ':'), value...)
	}
	return signToken(key, append(b, '}'))
}

func signToken(key Key, payload []byte) (string, error) {
	enc := base64.RawURLEncoding
	b := make([]byte, 0, len(key.data.header)+enc.EncodedLen(len(payload))+96)
	b = append(b, key.data.header...)
	b = enc.AppendEncode(append(b, '.'), payload)
	sig, err := key.sign(string(b))
	if err != nil {
		return "", err
	}
	b = enc.AppendEncode(append(b, '.'), sig)
	if len(b) > defaultMaxBytes {
		return "", errors.New("auth: access token would be larger than 8 KiB")
	}
	return string(b), nil
}
