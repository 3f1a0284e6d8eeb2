package auth

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/groundwork-go/groundwork/internal/problem"
)

// HandlersConfig configures [Handlers].
type HandlersConfig struct {
	// Service does the work. Required.
	Service *Service
	// Cookie lets browsers keep the refresh token in a cookie. Without it tokens travel in bodies only.
	Cookie *Cookie
	// TrustedOrigins are origins, such as "https://app.example.com", whose pages may call across
	// origins. Default none.
	TrustedOrigins []string
	// OnError answers failed requests, those without a good access token included. Requests that
	// cannot be read, of another method or from a foreign page do not reach it. Default [WriteError].
	OnError func(w http.ResponseWriter, r *http.Request, err error)
}

// Handlers are the HTTP endpoints around sessions. Log-in is the application's, which ends it with
// [Handlers.Begin]. Every token answer is Cache-Control: no-store; requests from foreign pages are
// refused with 403 cross_origin. Applications that read bodies and write answers in a way of their
// own call Begin, [Handlers.Renew] and [Handlers.End] instead, and refuse foreign pages themselves.
// Safe for concurrent use.
type Handlers struct {
	service *Service
	cookie  *Cookie
	onError func(http.ResponseWriter, *http.Request, error)
	origins *http.CrossOriginProtection
}

// NewHandlers checks the configuration. Errors are *ConfigError, joined.
func NewHandlers(cfg HandlersConfig) (*Handlers, error) {
	h := &Handlers{
		service: cfg.Service, cookie: cfg.Cookie, onError: cfg.OnError, origins: http.NewCrossOriginProtection(),
	}
	if h.onError == nil {
		h.onError = WriteError
	}
	var errs []error
	if cfg.Service == nil {
		errs = append(errs, &ConfigError{Field: "Service", Reason: "is nil"})
	}
	for _, origin := range cfg.TrustedOrigins {
		if err := h.origins.AddTrustedOrigin(origin); err != nil {
			errs = append(errs, &ConfigError{Field: "TrustedOrigins", Value: origin, Reason: "is not an origin"})
		}
	}
	h.origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		problem.Write(w, r, problem.Problem{Status: http.StatusForbidden, Code: "cross_origin"})
	}))
	return h, errors.Join(errs...)
}

// Delivery is how a client wants its refresh token.
type Delivery struct {
	// Cookie puts the token into the cookie and leaves it out of the body.
	Cookie bool
	// Session makes a cookie that ends with the browser, for "do not remember me".
	Session bool
}

// Attributes that Begin adds to a session.
const (
	AttributeTransport = "transport" // "bearer" or "cookie"
	AttributeRemember  = "remember"  // "false" for a Delivery with Session
)

// Begin ends a log-in: it starts a session for l and returns its tokens, whose refresh token, with
// d.Cookie, is set as cookie and taken out of Tokens. A session that the browser's cookie still
// holds is ended, so that nobody can plant a session of his own (fixation), and without d.Cookie
// the cookie is removed. The caller writes the body, for instance with [WriteTokens].
func (h *Handlers) Begin(w http.ResponseWriter, r *http.Request, l Login, d Delivery) (Tokens, error) {
	var old string
	stale := false
	if h.cookie != nil {
		var err error
		old, err = h.cookie.Read(r)
		stale = !errors.Is(err, ErrNoCredential)
	}
	extra := map[string]string{AttributeTransport: "bearer"}
	toCookie := d.Cookie && h.cookie != nil
	if toCookie {
		extra[AttributeTransport] = "cookie"
		if d.Session {
			extra[AttributeRemember] = "false"
		}
	}
	for name, value := range l.Attributes {
		if _, ok := extra[name]; !ok {
			extra[name] = value
		}
	}
	l.Attributes = extra
	tokens, err := h.service.Login(r.Context(), l)
	if err != nil {
		return Tokens{}, err
	}
	if old != "" {
		if err := h.service.Logout(r.Context(), old); err != nil {
			return Tokens{}, err
		}
	}
	if stale && !toCookie {
		h.cookie.Clear(w) // or the browser would send it beside the tokens it is given now
	}
	return h.deliver(w, r, tokens, toCookie)
}

// deliver moves the refresh token from the answer into the cookie, if that is where it belongs.
func (h *Handlers) deliver(w http.ResponseWriter, r *http.Request, tokens Tokens, toCookie bool) (Tokens, error) {
	if !toCookie {
		return tokens, nil
	}
	maxAge := tokens.RefreshTTL
	if tokens.Session.Attributes[AttributeRemember] == "false" {
		maxAge = 0
	}
	if err := h.cookie.Set(w, r, tokens.Refresh, maxAge); err != nil {
		return Tokens{}, err
	}
	tokens.Refresh = ""
	return tokens, nil
}

// WriteTokens answers with the JSON of RFC 6749, section 5.1: access_token, token_type, expires_in,
// refresh_token unless it is empty, refresh_expires_in.
func WriteTokens(w http.ResponseWriter, tokens Tokens) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, struct {
		Access    string `json:"access_token"`
		Type      string `json:"token_type"`
		Expires   int    `json:"expires_in"`
		Refresh   string `json:"refresh_token,omitempty"`
		RefreshIn int    `json:"refresh_expires_in"`
	}{
		tokens.Access, "Bearer", int(tokens.AccessTTL / time.Second), tokens.Refresh,
		int(tokens.RefreshTTL / time.Second),
	})
}

// Renew exchanges a refresh token: the given one, or when that is empty the cookie's, whose
// successor is then set as cookie, for as long as the sign-in asked for, and taken out of Tokens.
// Errors are those of [Service.Refresh], ErrNoCredential without either, and ErrTwoCredentials. The
// cookie is removed only when its session is proven over, never because a parallel request won or
// the store is down.
func (h *Handlers) Renew(w http.ResponseWriter, r *http.Request, refresh string) (Tokens, error) {
	refresh, fromCookie, err := h.credential(r, refresh)
	if err != nil {
		return Tokens{}, err
	}
	tokens, err := h.service.Refresh(r.Context(), refresh)
	if err != nil {
		if fromCookie && over(err) {
			h.cookie.Clear(w)
		}
		return Tokens{}, err
	}
	return h.deliver(w, r, tokens, fromCookie)
}

// End logs out: it ends the session of the given refresh token, or when that is empty of the
// cookie's, and removes the cookie. Without either, and for tokens that are unknown or over already,
// it does nothing. Errors are ErrTwoCredentials and ErrUnavailable, which leaves the cookie.
func (h *Handlers) End(w http.ResponseWriter, r *http.Request, refresh string) error {
	refresh, fromCookie, err := h.credential(r, refresh)
	switch {
	case errors.Is(err, ErrNoCredential):
		return nil
	case err == nil:
		err = h.service.Logout(r.Context(), refresh)
	}
	if err == nil && fromCookie {
		h.cookie.Clear(w)
	}
	return err
}

// Refresh handles POST: {"refresh_token": "..."}, or no body and the cookie, as [Handlers.Renew]
// says. Both at once are 400.
func (h *Handlers) Refresh() http.Handler {
	return h.post(func(w http.ResponseWriter, r *http.Request) error {
		refresh, err := readRefresh(w, r)
		if err != nil {
			return err
		}
		tokens, err := h.Renew(w, r, refresh)
		if err != nil {
			return err
		}
		WriteTokens(w, tokens)
		return nil
	})
}

// over reports whether the session of a refresh token cannot come back.
func over(err error) bool {
	if errors.Is(err, ErrUnavailable) {
		return false
	}
	return errors.Is(err, ErrReused) || errors.Is(err, ErrRevoked) || errors.Is(err, ErrExpired) ||
		errors.Is(err, ErrSubjectDisabled)
}

// Logout handles POST like Refresh, as [Handlers.End] says. It needs no access token, and tokens
// that are unknown or over already are 204 too.
func (h *Handlers) Logout() http.Handler {
	return h.post(func(w http.ResponseWriter, r *http.Request) error {
		refresh, err := readRefresh(w, r)
		if err == nil {
			err = h.End(w, r, refresh)
		}
		if err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
}

// LogoutAll handles POST with an access token: {"keep_current": true} keeps the session of that
// token, no body or false ends all.
func (h *Handlers) LogoutAll() http.Handler {
	return h.require(h.post(func(w http.ResponseWriter, r *http.Request) error {
		keepCurrent := false
		err := readBody(w, r, func(name, raw string) bool {
			keepCurrent = raw == "true"
			return name == "keep_current" && (raw == "true" || raw == "false")
		})
		if err != nil {
			return err
		}
		p, _ := PrincipalFrom(r.Context())
		var keep []string
		if keepCurrent {
			keep = append(keep, p.SessionID)
		}
		if _, err := h.service.LogoutAll(r.Context(), p.Subject, keep...); err != nil {
			return err
		}
		if h.cookie != nil && !keepCurrent {
			if _, err := h.cookie.Read(r); !errors.Is(err, ErrNoCredential) {
				h.cookie.Clear(w)
			}
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}))
}

// Sessions handles GET with an access token and lists the caller's live sessions as {"items": []},
// each with id, client_id, created_at, last_used_at, expires_at, attributes and current.
func (h *Handlers) Sessions() http.Handler {
	type item struct {
		ID         string            `json:"id"`
		ClientID   string            `json:"client_id"`
		CreatedAt  time.Time         `json:"created_at"`
		LastUsedAt time.Time         `json:"last_used_at"`
		ExpiresAt  time.Time         `json:"expires_at"`
		Attributes map[string]string `json:"attributes"`
		Current    bool              `json:"current"`
	}
	return h.require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			methodNotAllowed(w, r, "GET, HEAD")
			return
		}
		p, _ := PrincipalFrom(r.Context())
		list, err := h.service.Sessions(r.Context(), p.Subject)
		if err != nil {
			h.onError(w, r, err)
			return
		}
		items := make([]item, 0, len(list))
		for _, s := range list {
			items = append(items, item{
				s.ID, s.ClientID, s.CreatedAt, s.LastUsedAt, s.IdleExpiresAt, s.Attributes, s.ID == p.SessionID,
			})
		}
		w.Header().Set("Cache-Control", "no-store")
		writeJSON(w, http.StatusOK, map[string]any{"items": items})
	}))
}

// RevokeSession handles DELETE with an access token for a route with the wildcard {id}, and ends
// that session of the caller: 204, or 404 for an id that is not his.
func (h *Handlers) RevokeSession() http.Handler {
	return h.require(h.origins.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodDelete {
			methodNotAllowed(w, r, "DELETE")
			return
		}
		p, _ := PrincipalFrom(r.Context())
		if err := h.service.RevokeSession(r.Context(), p.Subject, r.PathValue("id")); err != nil {
			h.onError(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})))
}

// require is Verifier.Require with the error writer of these handlers.
func (h *Handlers) require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := h.service.verifier.authenticate(r)
		if err != nil {
			h.onError(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(WithPrincipal(r.Context(), p)))
	})
}

// post wraps what only same-origin POST requests may reach.
func (h *Handlers) post(do func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return h.origins.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodPost {
			methodNotAllowed(w, r, "POST")
			return
		}
		err := do(w, r)
		var bad requestError
		switch {
		case errors.As(err, &bad):
			problem.Write(w, r, problem.Problem{Status: bad.status, Code: bad.code})
		case err != nil:
			h.onError(w, r, err)
		}
	}))
}

// credential chooses between the refresh token of a body, which may be empty, and the cookie's.
func (h *Handlers) credential(r *http.Request, refresh string) (token string, fromCookie bool, err error) {
	cookie, err := "", ErrNoCredential
	if h.cookie != nil {
		cookie, err = h.cookie.Read(r)
	}
	switch {
	case errors.Is(err, ErrNoCredential) && refresh != "":
		return refresh, false, nil
	case errors.Is(err, ErrNoCredential):
		return "", false, err
	case err != nil || refresh != "":
		return "", false, ErrTwoCredentials
	}
	return cookie, true, nil
}

// readRefresh reads the refresh token of a body, or "" when there is no body or none in it.
func readRefresh(w http.ResponseWriter, r *http.Request) (refresh string, err error) {
	err = readBody(w, r, func(name, raw string) bool {
		text, ok := unquote(raw)
		refresh = text
		return ok && name == "refresh_token" && text != ""
	})
	return refresh, err
}

// requestError is a request that cannot be read.
type requestError struct {
	status int
	code   string
}

func (e requestError) Error() string { return "auth: request: " + e.code }

var (
	malformed        = requestError{http.StatusBadRequest, "malformed"}
	tooLarge         = requestError{http.StatusRequestEntityTooLarge, "too_large"}
	unsupportedMedia = requestError{http.StatusUnsupportedMediaType, "unsupported_media"}
)

const maxBodyBytes = 8 << 10

// readBody reads a JSON object of at most 8 KiB strictly, or nothing.
func readBody(w http.ResponseWriter, r *http.Request, member func(name, raw string) bool) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		return tooLarge
	case err != nil:
		return malformed
	case len(body) == 0:
		return nil
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return unsupportedMedia
	}
	if !scanObject(string(body), member) {
		return malformed
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil { // nothing here fails to encode
		status, text = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
