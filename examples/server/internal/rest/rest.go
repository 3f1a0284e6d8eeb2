// Package rest is the server's side of huma: it registers operations with the limits and checks
// every operation has, and turns whatever goes wrong into application/problem+json with a code, one
// pointer or parameter per fault and no word of the input or of an internal error.
//
// huma keeps its error hook in package variables. [New] replaces it, once per process; nothing else
// in the server touches it.
package rest

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/rbac"
)

const (
	// maxBody is the largest JSON body, maxAuthBody that of the routes under /v1/auth.
	maxBody     = 1 << 20
	maxAuthBody = 8 << 10

	// timeout is how long an operation may take. It waits for databases and the queue of the password
	// hasher, never for a model or a transfer.
	timeout = 30 * time.Second

	problemType    = "application/problem+json"
	jsonType       = "application/json"
	mergePatchType = "application/merge-patch+json"

	staffScheme  = "staff"
	surveyScheme = "survey"

	// PermissionMember is the member of an operation in the document that names its permission.
	PermissionMember = "x-permission"
)

// New returns an API on mux whose document has the given title, version and description. It serves
// neither the document nor pages by itself.
func New(mux *http.ServeMux, info huma.Info) huma.API {
	install()
	format := jsonFormat()
	return humago.New(mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &info,
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaNamer()),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					staffScheme: {
						Type: "http", Scheme: "bearer", BearerFormat: "JWT",
						Description: "The access token of a signed-in user.",
					},
					surveyScheme: {
						Type: "http", Scheme: "bearer",
						Description: "The customer's survey token, which starts with svy_.",
					},
				},
			},
		},
		Formats:       map[string]huma.Format{jsonType: format, "json": format},
		DefaultFormat: jsonType,
	})
}

// Staff marks an operation as one that needs a user's access token, in the document only.
func Staff() []map[string][]string { return []map[string][]string{{staffScheme: {}}} }

// Permitted marks an operation as one that needs a user whose role holds the permission, in the
// document only: as the security scheme of [Staff] and the member x-permission.
func Permitted(p rbac.Permission, op huma.Operation) huma.Operation {
	op.Security = Staff()
	op.Extensions = map[string]any{PermissionMember: p.Name()}
	return op
}

// Survey marks an operation as one that needs a survey token, in the document only.
func Survey() []map[string][]string { return []map[string][]string{{surveyScheme: {}}} }

// Register adds a huma operation. On top of huma's own validation it refuses unknown and repeated
// query parameters (unless op.SkipValidateParams is set, for operations that parse the query
// themselves), other media types than JSON, and bodies over op.MaxBodyBytes; that is 1 MiB when
// unset, 8 KiB under /v1/auth, and a body of exactly the limit is accepted. PATCH takes
// application/merge-patch+json too. op.Errors lists the error statuses worth naming in the document.
// The context of h ends after 30 seconds; what h then returns is answered with 503 unavailable.
//
// The context of h tells the audit trail about the request.
//
// h returns a problem of package fault, or any error: that one is logged with the request and
// answered as 500 internal without its text.
func Register[I, O any](api huma.API, op huma.Operation, h func(context.Context, *I) (*O, error)) {
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = maxBody
		if strings.HasPrefix(op.Path, "/v1/auth/") {
			op.MaxBodyBytes = maxAuthBody
		}
	}
	limit := op.MaxBodyBytes
	op.MaxBodyBytes++ // huma refuses a body of exactly its limit
	documentErrors(api, &op)
	op.Middlewares = slices.Concat(
		huma.Middlewares{Use(trail.Request), Use(refuseLarge(limit)), Use(middleware.Timeout(timeout))},
		op.Middlewares,
		huma.Middlewares{guardOperation},
	)
	huma.Register(api, op, h)
	if op.Method == http.MethodPatch {
		body := api.OpenAPI().Paths[op.Path].Patch.RequestBody
		if body != nil && body.Content[jsonType] != nil {
			body.Content[mergePatchType] = body.Content[jsonType]
		}
	}
}

// Handle adds a plain handler: uploads, file content and event streams, which huma would buffer. op
// describes it in the document, with its Parameters, RequestBody and Responses spelled out; query
// parameters are checked against them as in Register. mws run around h, the first outermost. The
// handler limits its body and its time itself. An error it returns is answered as in Register, unless part of an
// answer was sent: then the connection is broken.
func Handle(
	mux *http.ServeMux, api huma.API, op huma.Operation, mws []middleware.Middleware,
	h func(w http.ResponseWriter, r *http.Request) error,
) {
	documentErrors(api, &op)
	api.OpenAPI().AddOperation(&op)
	handler := errorMap().Handle(func(w http.ResponseWriter, r *http.Request) error {
		if err := checkRequest(r, &op); err != nil {
			return err
		}
		return settle(r.Context(), h(w, r))
	})
	mux.Handle(op.Method+" "+op.Path, trail.Request(middleware.Chain(mws...)(handler)))
}

// Use runs a net/http middleware around one operation, as an element of huma.Operation.Middlewares.
// What it puts into the request's context reaches the operation; when it answers by itself, the
// operation does not run.
func Use(mw middleware.Middleware) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		op := ctx.Operation()
		r, w := humago.Unwrap(ctx)
		mw(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next(humago.NewContext(op, r, w))
		})).ServeHTTP(w, r)
	}
}

// Request gives an operation what huma hides. Embed it in the input struct.
type Request struct {
	writer http.ResponseWriter
	raw    *http.Request
}

// Resolve implements huma.Resolver.
func (q *Request) Resolve(ctx huma.Context) []error {
	q.raw, q.writer = humago.Unwrap(ctx)
	return nil
}

// HTTP returns what cookies travel on. Headers set on the writer are sent with the answer, whatever
// it is; only huma writes the rest of it.
func (q *Request) HTTP() (http.ResponseWriter, *http.Request) { return q.writer, q.raw }

// Query returns the query parameters, for pagination.Spec.Parse.
func (q *Request) Query() url.Values {
	if q.raw == nil {
		return nil
	}
	return q.raw.URL.Query()
}

// UserAgent returns the caller's User-Agent: at most 200 bytes of clean text.
func (q *Request) UserAgent() string {
	if q.raw == nil {
		return ""
	}
	return clean(q.raw.UserAgent(), 200)
}

// Problem documents the body of every error answer.
type Problem struct {
	_         struct{}       `additionalProperties:"true"`
	Title     string         `json:"title" doc:"The phrase of the status." example:"Unprocessable Entity"`
	Status    int            `json:"status" doc:"The HTTP status." example:"422"`
	Detail    string         `json:"detail,omitempty" doc:"What went wrong this time."`
	Instance  string         `json:"instance,omitempty" doc:"The path of the request."`
	Code      string         `json:"code" doc:"A stable word to branch on." example:"validation_failed"`
	RequestID string         `json:"request_id,omitempty" doc:"Quote it when you report a problem."`
	Errors    []ProblemField `json:"errors,omitempty" doc:"One entry per faulty part of the request."`
}

// ProblemField documents one element of errors[].
type ProblemField struct {
	Pointer   string `json:"pointer,omitempty" doc:"JSON pointer into the body." example:"#/items/0/name"`
	Parameter string `json:"parameter,omitempty" doc:"Name of the query or header parameter."`
	Code      string `json:"code" doc:"A stable word to branch on." example:"too_long"`
	Detail    string `json:"detail,omitempty" doc:"What would be acceptable."`
}

func documentErrors(api huma.API, op *huma.Operation) {
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	response := func(description string) *huma.Response {
		return &huma.Response{
			Description: description,
			Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
		}
	}
	for _, status := range op.Errors {
		op.Responses[strconv.Itoa(status)] = response(http.StatusText(status))
	}
	op.Responses["default"] = response("Error")
	op.Errors = nil
}
