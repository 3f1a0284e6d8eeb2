package middleware

import (
	"maps"
	"net/http"

	"github.com/groundwork-go/groundwork/internal/problem"
)

// StatusClientClosed is the status recorded, and answered, when the client went away before the
// handler had an answer. It is not registered; nginx introduced it.
const StatusClientClosed = 499

// StatusAborted is the status recorded when a handler panicked with http.ErrAbortHandler, on purpose and
// before it had answered: the connection was closed without one. It is not registered either; nginx
// introduced it.
const StatusAborted = 444

// Problem is an error with everything an HTTP answer needs: RFC 9457 members plus code, errors and
// request_id. It marshals to one flat JSON object in which empty members are left out.
//
// A *Problem is an error and may be kept in a package-level variable as a sentinel: nothing in this
// package changes one after it was made. Use [Problem.With] to answer with another detail.
type Problem struct {
	// Type is a URI that names the kind of problem. Empty, or about:blank, leaves it out.
	Type string
	// Title is a short text that is the same for every problem of the kind. Default: the phrase of
	// the status.
	Title string
	// Status is the HTTP status. Default 500.
	Status int
	// Detail explains this occurrence to the client. Never put internal text or input values here.
	Detail string
	// Instance names the occurrence. Default: the path of the request.
	Instance string
	// Code is a stable word that programs branch on, such as "not_found".
	Code string
	// RequestID is filled by [WriteProblem] from the request.
	RequestID string
	// Errors lists the faulty parts of a request.
	Errors []FieldError
	// Extensions are further members. Names used by the fields above are ignored, as are values that
	// cannot be encoded as JSON.
	Extensions map[string]any
	// Header is set on the response, for Retry-After, WWW-Authenticate and the like.
	Header http.Header
	// Err is the cause. It is never written to the client; errors.Is and errors.As see it.
	Err error
}

// FieldError names one faulty part of a request. Pointer (RFC 6901, written as a fragment such as
// "#/items/0/name") is for bodies, Parameter for query, path and header parameters.
type FieldError struct {
	Pointer   string `json:"pointer,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	Code      string `json:"code,omitempty"`
	Detail    string `json:"detail,omitempty"`
}

// Error implements error: the code and the detail, or the title where there is none.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if text == "" {
		text = problem.Title(p.status())
	}
	if p.Code != "" {
		text = p.Code + ": " + text
	}
	if p.Err != nil {
		text += ": " + p.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// Is reports whether target is a *Problem of the same status and non-empty code, so that a copy made
// by [Problem.With] still matches its sentinel.
func (p *Problem) Is(target error) bool {
	t, ok := target.(*Problem)
	return ok && p.Code != "" && p.Code == t.Code && p.status() == t.status()
}

// With returns a copy of p that has another detail and cause. An empty detail keeps the old one.
func (p *Problem) With(detail string, cause error) *Problem {
	c := *p
	if detail != "" {
		c.Detail = detail
	}
	if cause != nil {
		c.Err = cause
	}
	c.Header = p.Header.Clone()
	c.Extensions = maps.Clone(p.Extensions)
	return &c
}

// MarshalJSON writes the flat RFC 9457 object.
func (p *Problem) MarshalJSON() ([]byte, error) { return p.body().Append(nil), nil }

func (p *Problem) status() int {
	if p.Status == 0 {
		return http.StatusInternalServerError
	}
	return p.Status
}

func (p *Problem) body() problem.Problem {
	fields := make([]problem.Field, len(p.Errors))
	for i, e := range p.Errors {
		fields[i] = problem.Field(e)
	}
	return problem.Problem{
		Type: p.Type, Title: p.Title, Status: p.status(), Detail: p.Detail, Instance: p.Instance,
		Code: p.Code, RequestID: p.RequestID, Errors: fields, Extra: p.Extensions,
		Header: p.Header,
	}
}

// WriteProblem answers r with err as application/problem+json. It is [ErrorMap.Write] of an empty
// map: a *Problem anywhere in err's chain is used as it is, body limits become 413, a context that
// ended 503 or 499, everything else 500 with code "internal" and no text of err.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	ErrorMap{}.Write(w, r, err)
}
