package rbac

import (
	"context"
	"errors"
	"net/http"

	"github.com/groundwork-go/groundwork/internal/problem"
)

type resolvedKey struct{}

// resolved is what a request's context carries.
type resolved struct {
	subject Subject
	onError func(http.ResponseWriter, *http.Request, error)
}

// WithSubject returns a context that carries s. [Checker.Resolve] calls it; tests and other
// transports may too.
func WithSubject(ctx context.Context, s Subject) context.Context {
	return context.WithValue(ctx, resolvedKey{}, &resolved{subject: s})
}

// SubjectFrom returns the subject that WithSubject stored, and whether there is one.
func SubjectFrom(ctx context.Context) (Subject, bool) {
	r, ok := ctx.Value(resolvedKey{}).(*resolved)
	if !ok || r.subject.IsZero() {
		return Subject{}, false
	}
	return r.subject, true
}

// Resolve finds the subject of each request once, through Config.Identify and [Checker.Subject],
// and puts it into the context for [Require] and [SubjectFrom]. It goes behind authentication.
// Requests without a subject pass without one. A stale or unavailable policy is answered here, by
// Config.OnError with 503. Panics if Config.Identify is nil.
func (c *Checker) Resolve(next http.Handler) http.Handler {
	if c.cfg.Identify == nil {
		panic("rbac: Resolve without Config.Identify")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tenant, subject, err := c.cfg.Identify(r)
		if err != nil {
			c.cfg.OnError(w, r, err)
			return
		}
		res := &resolved{onError: c.cfg.OnError}
		if subject != "" {
			if res.subject, err = c.Subject(r.Context(), tenant, subject); err != nil {
				c.cfg.OnError(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), resolvedKey{}, res)))
	})
}

// Require lets only requests through whose subject holds all of the permissions; without any,
// every request that has a subject. Others are answered by the OnError of the Checker that resolved
// the request, or by [WriteError]: without subject (or without Resolve) [ErrNoSubject], 401;
// otherwise [ErrDenied], 403. Panics if a permission is the zero Permission.
func Require(permissions ...Permission) func(http.Handler) http.Handler {
	return require(permissions, func(s *Subject) (Permission, bool) {
		for _, p := range permissions {
			if !s.Can(p) {
				return p, false
			}
		}
		return Permission{}, true
	})
}

// RequireAny is Require for at least one of the permissions. Panics if there is none, or if one is
// the zero Permission.
func RequireAny(permissions ...Permission) func(http.Handler) http.Handler {
	if len(permissions) == 0 {
		panic("rbac: RequireAny without permission")
	}
	return require(permissions, func(s *Subject) (Permission, bool) {
		return permissions[0], s.CanAny(permissions...)
	})
}

func require(permissions []Permission, check func(*Subject) (Permission, bool)) func(http.Handler) http.Handler {
	for _, p := range permissions {
		if p.IsZero() {
			panic("rbac: Require of a zero Permission")
		}
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			res, ok := r.Context().Value(resolvedKey{}).(*resolved)
			if !ok || res.subject.IsZero() {
				refuse(res, w, r, ErrNoSubject)
				return
			}
			if p, ok := check(&res.subject); !ok {
				refuse(res, w, r, res.subject.denied(p.Name(), res.subject.whyNot(p)))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func refuse(res *resolved, w http.ResponseWriter, r *http.Request, err error) {
	if res == nil || res.onError == nil {
		WriteError(w, r, err)
		return
	}
	res.onError(w, r, err)
}

// StatusCode returns the HTTP status and the machine-readable code for an error of this package: 401
// unauthenticated; 403 forbidden or escalation; 404 not_found for an unknown role; 409 last_manager
// or in_use; 412 stale_version; 422 validation_failed; 503 unavailable; and 500 internal for anything
// else.
func StatusCode(err error) (status int, code string) {
	switch {
	case errors.Is(err, ErrStale), errors.Is(err, ErrUnavailable), errors.Is(err, ErrVersionBackwards),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable, "unavailable"
	case errors.Is(err, ErrNoSubject):
		return http.StatusUnauthorized, "unauthenticated"
	case errors.Is(err, ErrEscalation):
		return http.StatusForbidden, "escalation"
	case errors.Is(err, ErrDenied):
		return http.StatusForbidden, "forbidden"
	case errors.Is(err, ErrConflict):
		return http.StatusPreconditionFailed, "stale_version"
	case errors.Is(err, ErrLastManager):
		return http.StatusConflict, "last_manager"
	case errors.Is(err, ErrRoleInUse):
		return http.StatusConflict, "in_use"
	case errors.Is(err, ErrUnknownPermission), errors.Is(err, ErrCycle), errors.Is(err, ErrCrossTenant),
		errors.Is(err, ErrInvalidName), errors.Is(err, ErrDuplicate), errors.Is(err, ErrLimit):
		return http.StatusUnprocessableEntity, "validation_failed"
	case errors.Is(err, ErrUnknownRole):
		return http.StatusNotFound, "not_found"
	}
	return http.StatusInternalServerError, "internal"
}

// WriteError answers with problem+json (RFC 9457) as [StatusCode] says. Neither the name of a
// permission nor any other text of err reaches the client. A 401 carries WWW-Authenticate, a 503
// Retry-After.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	status, code := StatusCode(err)
	p := problem.Problem{Status: status, Code: code}
	h := w.Header()
	switch status {
	case http.StatusUnauthorized:
		if h.Get("WWW-Authenticate") == "" {
			h.Set("WWW-Authenticate", "Bearer")
		}
		p.Detail = "Sign in to use this."
	case http.StatusForbidden:
		p.Detail = "You may not do this."
	case http.StatusPreconditionFailed:
		p.Detail = "The roles have changed meanwhile; load them again."
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
		p.Detail = "Try again in a moment."
	}
	problem.Write(w, r, p)
}
