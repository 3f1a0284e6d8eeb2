package auth

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/internal/problem"
)

// ErrNotFresh means that the token is good but the user proved who he is too long ago for this
// operation ([Verifier.RequireFresh]).
var ErrNotFresh = errors.New("auth: authentication not fresh enough")

// Require lets only requests with a good access token through and puts the [Principal] into their
// context. The token is taken from exactly one Authorization header of the form "Bearer <token>",
// never from the query, a form or a cookie. Other requests are answered by OnError.
func (v *Verifier) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := v.authenticate(r)
		if err != nil {
			v.onError(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(WithPrincipal(r.Context(), p)))
	})
}

// Optional is Require for handlers that also serve anonymous callers: a request without any
// Authorization header passes without Principal. A bad token is refused all the same, never
// treated as anonymous.
func (v *Verifier) Optional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := v.authenticate(r)
		switch {
		case errors.Is(err, ErrNoCredential):
			next.ServeHTTP(w, r)
		case err != nil:
			v.onError(w, r, err)
		default:
			next.ServeHTTP(w, r.WithContext(WithPrincipal(r.Context(), p)))
		}
	})
}

// RequireFresh is Require for sensitive operations: the user must have signed in (auth_time) no
// longer than maxAge ago. Otherwise the answer is 401 with the challenge
// insufficient_user_authentication (RFC 9470), and the client signs in again by way of
// [Service.Reauthenticate].
func (v *Verifier) RequireFresh(maxAge time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return v.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, _ := PrincipalFrom(r.Context())
			if p.AuthTime.IsZero() || v.now().Sub(p.AuthTime) > maxAge {
				w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_user_authentication", max_age="`+
					strconv.Itoa(int(maxAge/time.Second))+`"`)
				v.onError(w, r, ErrNotFresh)
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
}

func (v *Verifier) authenticate(r *http.Request) (*Principal, error) {
	token, err := bearer(r.Header)
	if err != nil {
		return nil, err
	}
	return v.Verify(r.Context(), token)
}

// bearer returns the token of the one Authorization header. Two headers, another scheme and odd
// spacing are a bad credential, not a missing one.
func bearer(h http.Header) (string, error) {
	values := h["Authorization"]
	if len(values) == 0 {
		return "", ErrNoCredential
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if len(values) > 1 || !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", ErrInvalidToken
	}
	return token, nil
}

// StatusCode returns the HTTP status and the machine-readable code for an error of this package:
// 503 unavailable; 400 malformed; 401 refresh_reused, invalid_refresh, reauthentication_required or
// unauthenticated; 403 account_disabled; 409 refresh_superseded; 404 not_found; 422
// validation_failed; and 500 internal for anything else.
func StatusCode(err error) (status int, code string) {
	switch {
	case errors.Is(err, ErrUnavailable):
		return http.StatusServiceUnavailable, "unavailable"
	case errors.Is(err, ErrTwoCredentials):
		return http.StatusBadRequest, "malformed"
	case errors.Is(err, ErrReused):
		return http.StatusUnauthorized, "refresh_reused"
	case errors.Is(err, ErrRefreshInvalid):
		return http.StatusUnauthorized, "invalid_refresh"
	case errors.Is(err, ErrSubjectDisabled):
		return http.StatusForbidden, "account_disabled"
	case errors.Is(err, ErrSuperseded):
		return http.StatusConflict, "refresh_superseded"
	case errors.Is(err, ErrNotFresh):
		return http.StatusUnauthorized, "reauthentication_required"
	case errors.Is(err, ErrNoCredential), errors.Is(err, ErrInvalidToken),
		errors.Is(err, ErrExpired), errors.Is(err, ErrRevoked):
		return http.StatusUnauthorized, "unauthenticated"
	case errors.Is(err, ErrNotFound):
		return http.StatusNotFound, "not_found"
	case errors.Is(err, ErrInvalidLogin):
		return http.StatusUnprocessableEntity, "validation_failed"
	}
	return http.StatusInternalServerError, "internal"
}

// WriteError answers with problem+json (RFC 9457) as [StatusCode] says. A 401 carries
// WWW-Authenticate, with error="invalid_token" when a credential came but not why it failed; a 503
// carries Retry-After. No text of err reaches the client.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	status, code := StatusCode(err)
	p := problem.Problem{Status: status, Code: code}
	h := w.Header()
	switch status {
	case http.StatusUnauthorized:
		if h.Get("WWW-Authenticate") == "" {
			challenge := `Bearer error="invalid_token"`
			if errors.Is(err, ErrNoCredential) {
				challenge = "Bearer"
			}
			h.Set("WWW-Authenticate", challenge)
		}
		p.Detail = "Sign in to use this."
	case http.StatusForbidden:
		p.Detail = "This account may not sign in."
	case http.StatusConflict:
		p.Detail = "Another request has refreshed this session already; use its tokens."
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
		p.Detail = "Try again in a moment."
	}
	problem.Write(w, r, p)
}

func methodNotAllowed(w http.ResponseWriter, r *http.Request, allow string) {
	w.Header().Set("Allow", allow)
	problem.Write(w, r, problem.Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed"})
}
