package auth

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"time"
)

// CookieConfig configures a [Cookie].
type CookieConfig struct {
	// Name of the cookie. Default "__Host-rt", which browsers accept only over HTTPS, for the whole
	// host and from the host itself; "rt" with DangerouslyAllowHTTP.
	Name string
	// Path of the cookie. Default "/", which the prefix __Host- demands.
	Path string
	// SameSite mode. Default http.SameSiteStrictMode; None is refused.
	SameSite http.SameSite
	// DangerouslyAllowHTTP drops Secure and the name's prefix, for development on plain HTTP. Set
	// then refuses to answer requests that came over HTTPS.
	DangerouslyAllowHTTP bool
}

// ErrInsecureCookie means that a cookie made for plain HTTP was to be set on an HTTPS request.
var ErrInsecureCookie = errors.New("auth: development cookie on an HTTPS request")

// Cookie carries the refresh token of browsers: HttpOnly, Secure, without Domain. The access token
// is never in a cookie. Immutable, safe for concurrent use.
type Cookie struct{ cfg CookieConfig }

// NewCookie checks the configuration. Errors are *ConfigError, joined.
func NewCookie(cfg CookieConfig) (*Cookie, error) {
	name := "__Host-rt"
	if cfg.DangerouslyAllowHTTP {
		name = "rt"
	}
	cfg.Name = cmp.Or(cfg.Name, name)
	cfg.Path = cmp.Or(cfg.Path, "/")
	cfg.SameSite = cmp.Or(cfg.SameSite, http.SameSiteStrictMode)
	var errs []error
	fault := func(bad bool, field string, value any, reason string) {
		if bad {
			errs = append(errs, &ConfigError{Field: field, Value: value, Reason: reason})
		}
	}
	probe := http.Cookie{Name: cfg.Name, Value: "x", Path: cfg.Path}
	fault(probe.Valid() != nil || cfg.Path[0] != '/', "Name", cfg.Name, "or Path is not valid for a cookie")
	host := strings.HasPrefix(strings.ToLower(cfg.Name), "__host-")
	secure := strings.HasPrefix(strings.ToLower(cfg.Name), "__secure-")
	fault(host && cfg.Path != "/", "Path", cfg.Path, "must be / with the prefix __Host-")
	fault((host || secure) && cfg.DangerouslyAllowHTTP, "Name", cfg.Name, "has a prefix that plain HTTP cannot set")
	fault(!host && !secure && !cfg.DangerouslyAllowHTTP, "Name", cfg.Name, "needs the prefix __Host- or __Secure-")
	fault(cfg.SameSite != http.SameSiteStrictMode && cfg.SameSite != http.SameSiteLaxMode, "SameSite", cfg.SameSite, "is neither Strict nor Lax")
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Cookie{cfg}, nil
}

// Set stores the refresh token in the browser for maxAge; 0 makes a session cookie, which ends with
// the browser. It fails with ErrInsecureCookie and then sets nothing.
func (c *Cookie) Set(w http.ResponseWriter, r *http.Request, refresh string, maxAge time.Duration) error {
	if c.cfg.DangerouslyAllowHTTP && (r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")) {
		return ErrInsecureCookie
	}
	cookie := c.cookie(refresh)
	cookie.MaxAge = int(maxAge / time.Second)
	http.SetCookie(w, cookie)
	return nil
}

// Clear removes the cookie from the browser. It has the attributes of Set, or browsers would keep
// the cookie.
func (c *Cookie) Clear(w http.ResponseWriter) {
	cookie := c.cookie("")
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
}

// Read returns the refresh token of a request. No cookie is ErrNoCredential, several of the name
// are ErrInvalidToken: another host of the domain may have planted one of them.
func (c *Cookie) Read(r *http.Request) (string, error) {
	switch found := r.CookiesNamed(c.cfg.Name); len(found) {
	case 0:
		return "", ErrNoCredential
	case 1:
		return found[0].Value, nil
	}
	return "", ErrInvalidToken
}

func (c *Cookie) cookie(value string) *http.Cookie {
	return &http.Cookie{
		Name: c.cfg.Name, Value: value, Path: c.cfg.Path, SameSite: c.cfg.SameSite,
		Secure: !c.cfg.DangerouslyAllowHTTP, HttpOnly: true,
	}
}
