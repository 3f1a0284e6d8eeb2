package rest

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/sqldb"
)

// refuseLarge answers a body whose declared length is over the limit before anything of it is read.
// Bodies without a declared length are stopped by huma's own limit.
func refuseLarge(limit int64) middleware.Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > limit {
				middleware.WriteProblem(w, r, tooLarge())
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// guardOperation is the last middleware of an operation, so that nobody without a credential learns
// what is wrong with a request.
func guardOperation(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	err := checkRequest(r, ctx.Operation())
	if err == nil {
		err = checkMediaType(r, ctx.Operation())
	}
	if err != nil {
		middleware.WriteProblem(w, r, err)
		return
	}
	next(ctx)
}

// checkRequest refuses text no database takes and query parameters the operation does not have.
func checkRequest(r *http.Request, op *huma.Operation) error {
	if !clear(r.URL.Path) {
		return fault.New(fault.NotFound, "There is nothing here.")
	}
	if r.URL.RawQuery == "" {
		return nil
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fault.New(fault.Malformed, "The query string cannot be read.")
	}
	if faults := checkQuery(values, op); len(faults) > 0 {
		return fault.Invalid(faults...)
	}
	return nil
}

func checkQuery(values url.Values, op *huma.Operation) []fault.Field {
	known := map[string]bool{} // name -> may repeat
	for _, p := range op.Parameters {
		if p.In == "query" {
			known[p.Name] = p.Explode != nil && *p.Explode
		}
	}
	var faults []fault.Field
	add := func(name, code, detail string) {
		faults = append(faults, fault.Parameter(clean(name, 64), code, detail))
	}
	for name, list := range values {
		repeatable, ok := known[name]
		switch {
		case !clear(name) || slices.ContainsFunc(list, func(v string) bool { return !clear(v) }):
			add(name, fault.FieldBadFormat, "Use valid UTF-8 without NUL.")
		case op.SkipValidateParams:
		case !ok:
			add(name, fault.FieldUnknownParameter, "This parameter is not known here.")
		case len(list) > 1 && !repeatable:
			add(name, fault.FieldRepeatedParameter, "Send this parameter once.")
		}
	}
	return tidy(faults)
}

// checkMediaType refuses a body that is not declared as JSON. A missing Content-Type counts as JSON.
func checkMediaType(r *http.Request, op *huma.Operation) error {
	if op.RequestBody == nil || r.ContentLength == 0 {
		return nil
	}
	declared := r.Header.Values("Content-Type")
	if len(declared) == 0 {
		return nil
	}
	kind, params, err := mime.ParseMediaType(declared[0])
	_, known := op.RequestBody.Content[kind]
	charset := params["charset"]
	if err != nil || len(declared) > 1 || !known || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return fault.New(fault.UnsupportedMedia, "Send the body as application/json.")
	}
	return nil
}

func tooLarge() *middleware.Problem {
	return fault.New(fault.TooLarge, "The request body is larger than allowed.")
}

// clear reports whether s is text that every database takes.
func clear(s string) bool {
	return utf8.ValidString(s) && !strings.Contains(s, "\x00")
}

// clean makes a name from outside fit to be repeated: valid, at most limit bytes.
func clean(s string, limit int) string {
	s = sqldb.CleanText(s)
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}
