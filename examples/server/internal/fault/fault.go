// Package fault holds the error vocabulary of the server: every code a client may see, the one
// status each code has, and the way to make a problem of them. Domain packages declare their
// sentinels with it:
//
//	var ErrSlugTaken = fault.New(fault.SlugTaken, "This address is taken.")
//
// A problem carries only text written for the client. Causes travel in its Err field, which
// errors.Is sees and nobody sends.
package fault

import (
	"errors"
	"maps"
	"net/http"

	"github.com/groundwork-go/groundwork/middleware"
)

// Field names one faulty part of a request: Pointer (RFC 6901 as a fragment, "#/items/0/name") for
// bodies, Parameter for query, path and header parameters, and one of the Field codes.
type Field = middleware.FieldError

// New makes the problem of a code, with the status the table gives it. An empty detail leaves the
// member out. Codes that ask the client to come back later get Retry-After, those of refused
// credentials WWW-Authenticate; for unauthenticated, what it says depends on what came. Panics if the code is not
// in the table, which is a mistake in the calling code.
func New(code, detail string) *middleware.Problem {
	status, ok := Status(code)
	if !ok {
		panic("fault: unknown code " + code)
	}
	p := &middleware.Problem{Status: status, Code: code, Detail: detail}
	switch code {
	case Unavailable, Busy:
		p.Header = http.Header{"Retry-After": {"5"}}
	case InvalidCredentials:
		p.Header = http.Header{"Www-Authenticate": {"Bearer"}}
	case InvalidRefresh, RefreshReused, TokenOutdated:
		p.Header = http.Header{"Www-Authenticate": {`Bearer error="invalid_token"`}}
	case NotConfigured, RateLimited:
		p.Header = http.Header{"Retry-After": {"60"}}
	}
	return p
}

// Invalid makes the 422 answer that lists what is wrong with a request, one field per fault.
func Invalid(fields ...Field) *middleware.Problem {
	p := New(ValidationFailed, "One field is not acceptable.")
	if len(fields) != 1 {
		p.Detail = "Several fields are not acceptable."
	}
	p.Errors = fields
	return p
}

// Body makes the fault of a body member. The pointer is written as "#/name".
func Body(pointer, code, detail string) Field {
	return Field{Pointer: pointer, Code: code, Detail: detail}
}

// Parameter makes the fault of a query, path or header parameter.
func Parameter(name, code, detail string) Field {
	return Field{Parameter: name, Code: code, Detail: detail}
}

// With returns a copy of p that has one more member in its body, such as "missing". p stays as it is.
func With(p *middleware.Problem, member string, value any) *middleware.Problem {
	c := p.With("", nil)
	if c.Extensions = maps.Clone(p.Extensions); c.Extensions == nil {
		c.Extensions = map[string]any{}
	}
	c.Extensions[member] = value
	return c
}

// CodeOf returns the code of the problem in err's chain, or "" when there is none.
func CodeOf(err error) string {
	var p *middleware.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}
