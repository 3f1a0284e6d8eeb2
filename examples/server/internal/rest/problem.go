package rest

import (
	"context"
	"database/sql/driver"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// install replaces huma's error hook, which is process-wide, exactly once.
var install = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true
	huma.NewError = func(status int, _ string, _ ...error) huma.StatusError {
		return &answer{byStatus(status)}
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		p := settled(ctx.Context(), status, message, errs)
		if p.Status >= http.StatusInternalServerError {
			for _, err := range errs {
				middleware.AddLogAttrs(ctx.Context(), slog.String("error", err.Error()))
			}
		}
		c := p.With("", nil)
		for name, values := range p.Header {
			for _, value := range values {
				ctx.AppendHeader(name, value)
			}
		}
		ctx.SetHeader("Cache-Control", "no-store")
		u := ctx.URL()
		c.Instance = u.EscapedPath()
		c.RequestID = middleware.RequestIDFrom(ctx.Context())
		return &answer{c}
	}
})

// answer is a problem on its way through huma, which asks it for status, type, body and schema.
type answer struct {
	problem *middleware.Problem
}

var (
	_ huma.StatusError       = (*answer)(nil)
	_ huma.ContentTypeFilter = (*answer)(nil)
	_ huma.SchemaProvider    = (*answer)(nil)
)

func (a *answer) Error() string                { return a.problem.Error() }
func (a *answer) GetStatus() int               { return a.problem.Status }
func (a *answer) ContentType(string) string    { return problemType }
func (a *answer) MarshalJSON() ([]byte, error) { return a.problem.MarshalJSON() }

func (a *answer) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[Problem](), true, "Problem")
}

// settled finds the problem for what huma reports: an error of a handler under a fixed message,
// faults of validation, or a body it could not read.
func settled(ctx context.Context, status int, message string, errs []error) *middleware.Problem {
	switch {
	case status >= http.StatusInternalServerError && len(errs) == 1 && message == "unexpected error occurred":
		return errorMap().Problem(settle(ctx, errs[0]))
	case status >= http.StatusInternalServerError && message == "cannot read request body":
		// The connection broke, or a limit outside huma struck.
		var limit *http.MaxBytesError
		switch err := errors.Join(errs...); {
		case ctx.Err() != nil:
			return fault.New(fault.ClientClosed, "")
		case errors.As(err, &limit):
			return tooLarge()
		}
		return fault.New(fault.Malformed, "The body ended early.")
	case status == http.StatusRequestTimeout:
		return fault.New(fault.Malformed, "The body did not arrive in time.")
	case len(errs) > 0 && status < http.StatusInternalServerError:
		return validation(status, errs)
	}
	return byStatus(status)
}

// settle marks the errors of a request whose client has gone or whose time is up: some drivers report
// a cancelled query as a failure of their own.
func settle(ctx context.Context, err error) error {
	if err == nil || fault.CodeOf(err) != "" {
		return err
	}
	switch ctx.Err() {
	case context.Canceled:
		return context.Canceled
	case context.DeadlineExceeded:
		return fault.New(fault.Unavailable, "This took too long. Try again.").With("", err)
	}
	return err
}

// errorMap answers the errors of the library packages. Domain errors are problems already.
func errorMap() middleware.ErrorMap {
	return middleware.ErrorMap{Rules: []middleware.ErrorRule{
		{As: func(err error) *middleware.Problem {
			var fields []fault.Field
			for _, e := range pagination.Errors(err) {
				fields = append(fields, fault.Parameter(e.Param, e.Code, e.Detail))
			}
			if len(fields) == 0 {
				return nil
			}
			return fault.Invalid(fields...)
		}},
		{As: func(err error) *middleware.Problem {
			var connect *pgconn.ConnectError
			if sqldb.IsRetryable(err) || errors.As(err, &connect) || errors.Is(err, driver.ErrBadConn) {
				return fault.New(fault.Unavailable, "The database is busy. Try again.").With("", err)
			}
			return nil
		}},
	}}
}

// byStatus is the answer to a bare status of huma.
func byStatus(status int) *middleware.Problem {
	switch status {
	case http.StatusNotFound:
		return fault.New(fault.NotFound, "There is nothing here.")
	case http.StatusMethodNotAllowed:
		return fault.New(fault.MethodNotAllowed, "")
	case http.StatusRequestEntityTooLarge:
		return tooLarge()
	case http.StatusUnsupportedMediaType:
		return fault.New(fault.UnsupportedMedia, "Send the body as application/json.")
	case http.StatusUnprocessableEntity:
		return fault.New(fault.ValidationFailed, "The request is not acceptable.")
	}
	if status >= http.StatusBadRequest && status < http.StatusInternalServerError {
		return fault.New(fault.Malformed, "The request cannot be read.")
	}
	return fault.New(fault.Internal, "Something went wrong on our side.")
}
