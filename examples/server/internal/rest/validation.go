package rest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/middleware"
)

// maxFaults bounds the answer to a body full of faults.
const maxFaults = 50

// validation turns huma's error details into an answer.
func validation(status int, errs []error) *middleware.Problem {
	var faults []fault.Field
	for _, err := range errs {
		detailer, ok := err.(huma.ErrorDetailer)
		if !ok {
			return byStatus(status)
		}
		detail := detailer.ErrorDetail()
		if found, ok := parseBodyFault(detail.Message); ok {
			if found.code == fault.Malformed {
				return fault.New(fault.Malformed, found.detail)
			}
			faults = append(faults, fault.Body(found.pointer, found.code, found.detail))
			continue
		}
		if status == http.StatusUnsupportedMediaType || status == http.StatusBadRequest {
			return byStatus(status)
		}
		field, inPath := translate(detail)
		if inPath {
			// A path whose identifier has the wrong form names nothing.
			return fault.New(fault.NotFound, "There is nothing here.")
		}
		faults = append(faults, field)
	}
	return fault.Invalid(tidy(faults)...)
}

// translate makes one of our faults of one of huma's. Only the location and the schema's own bounds
// are taken over: the value, and messages that may quote it, are not.
func translate(d *huma.ErrorDetail) (field fault.Field, inPath bool) {
	code, detail, member := explainMessage(d.Message, d.Value)
	in, rest, _ := strings.Cut(d.Location, ".")
	if in == "path" {
		return fault.Field{}, true
	}
	if in == "query" || in == "header" || in == "cookie" || in == "form" {
		return fault.Parameter(clean(rest, 64), code, detail), false
	}
	path := splitLocation(strings.TrimPrefix(strings.TrimPrefix(d.Location, "body"), "."))
	if member != "" {
		path = append(path, member)
	}
	return fault.Body(pointer(path), code, detail), false
}

// splitLocation reads "rooms[2].name".
func splitLocation(location string) []string {
	if location == "" {
		return nil
	}
	location = strings.NewReplacer("[", ".", "]", "").Replace(location)
	path := slices.DeleteFunc(strings.Split(location, "."), func(s string) bool { return s == "" })
	for i := range path {
		path[i] = unmaskName(path[i])
	}
	return path
}

// pointer writes a path as a JSON pointer in URI fragment form (RFC 6901, section 6).
func pointer(path []string) string {
	var b strings.Builder
	b.WriteByte('#')
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for _, part := range path {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(escape.Replace(clean(part, 64))))
	}
	return b.String()
}

// tidy orders faults, drops repetitions and bounds their number.
func tidy(faults []fault.Field) []fault.Field {
	slices.SortStableFunc(faults, func(a, b fault.Field) int {
		return cmp.Or(cmp.Compare(a.Parameter, b.Parameter), cmp.Compare(a.Pointer, b.Pointer))
	})
	faults = slices.Compact(faults)
	return faults[:min(len(faults), maxFaults)]
}

// messageRule reads one kind of huma message: everything after prefix, less suffix, goes into
// detail at the %.
type messageRule struct {
	prefix, suffix string
	code           string
	detail         string
}

// messageRules are tried in order. They follow huma's validation/messages.go; a test compares.
func messageRules() []messageRule {
	return []messageRule{
		{"unexpected property", "", fault.FieldUnknown, "This field is not known."},
		{"unknown query parameter", "", fault.FieldUnknownParameter, "This parameter is not known here."},
		{"required ", "parameter is missing", fault.FieldRequired, "This parameter is required."},
		{"expected boolean", "", fault.FieldWrongType, "Use true or false."},
		{"expected integer", "", fault.FieldWrongType, "Use a whole number."},
		{"expected number >= ", "", fault.FieldOutOfRange, "Use at least %."},
		{"expected number > ", "", fault.FieldOutOfRange, "Use more than %."},
		{"expected number <= ", "", fault.FieldOutOfRange, "Use at most %."},
		{"expected number < ", "", fault.FieldOutOfRange, "Use less than %."},
		{"expected number to be a multiple of ", "", fault.FieldOutOfRange, "Use a multiple of %."},
		{"expected number", "", fault.FieldWrongType, "Use a number."},
		{"expected length >= ", "", fault.FieldTooShort, "Use at least % characters."},
		{"expected length <= ", "", fault.FieldTooLong, "Use at most % characters."},
		{"expected array length >= ", "", fault.FieldTooShort, "Use at least % items."},
		{"expected array length <= ", "", fault.FieldTooLong, "Use at most % items."},
		{"expected object with at least ", " properties", fault.FieldTooShort, "Use at least % members."},
		{"expected object with at most ", " properties", fault.FieldTooLong, "Use at most % members."},
		{"expected array items to be unique", "", fault.FieldNotAllowed, "Use each item once."},
		{"expected array", "", fault.FieldWrongType, "Use an array."},
		{"expected object", "", fault.FieldWrongType, "Use an object."},
		{`expected value to be one of "`, `"`, fault.FieldNotAllowed, "Use one of: %."},
		{"expected value to be ", "", fault.FieldNotAllowed, "Use %."},
		{"expected value to ", "", fault.FieldNotAllowed, "Use one of the documented forms."},
		{"expected propertyName value", "", fault.FieldRequired, "This field is required."},
		{"expected string to be RFC 3339 date-time", "", fault.FieldBadFormat, "Use a time such as 2026-01-31T09:30:00Z."},
		{"expected string to be RFC 3339 date", "", fault.FieldBadFormat, "Use a date such as 2026-01-31."},
		{"expected string to be RFC 3339 time", "", fault.FieldBadFormat, "Use a time of day such as 09:30:00."},
		{"expected string to be RFC 5322 email", "", fault.FieldBadFormat, "Use an e-mail address."},
		{"expected string to be RFC 3986 uri", "", fault.FieldBadFormat, "Use a URL."},
		{"expected string to be RFC 4122 uuid", "", fault.FieldBadFormat, "Use a UUID."},
		{"expected string to match pattern ", "", fault.FieldBadFormat, "Use text that matches %."},
		{"expected string to be base64", "", fault.FieldBadFormat, "Use base64."},
		{"expected string to be RFC ", "", fault.FieldBadFormat, "Use the documented form."},
		{"expected string to be either RFC ", "", fault.FieldBadFormat, "Use an IP address."},
		{"expected string to be regex", "", fault.FieldBadFormat, "Use a regular expression."},
		{"expected string to be ", "", fault.FieldBadFormat, "Use %."},
		{"expected string", "", fault.FieldWrongType, "Use a string."},
		{"expected duration", "", fault.FieldBadFormat, "Use a duration such as 1h30m."},
		{"invalid integer", "", fault.FieldWrongType, "Use a whole number."},
		{"invalid float", "", fault.FieldWrongType, "Use a number."},
		{"invalid boolean", "", fault.FieldWrongType, "Use true or false."},
		{"invalid date/time", "", fault.FieldBadFormat, "Use a time such as 2026-01-31T09:30:00Z."},
	}
}

// explainMessage reads huma's message. member is the name of a missing property, which huma reports
// at the object that lacks it.
func explainMessage(message string, value any) (code, detail, member string) {
	const missing, isMissing = "expected required property ", " to be present"
	if rest, ok := strings.CutPrefix(message, missing); ok {
		return fault.FieldRequired, "This field is required.", strings.TrimSuffix(rest, isMissing)
	}
	if rest, ok := strings.CutPrefix(message, "expected property "); ok {
		name, _, _ := strings.Cut(rest, " to be present when ")
		return fault.FieldRequired, "This field is required with the others.", name
	}
	for _, rule := range messageRules() {
		rest, ok := strings.CutPrefix(message, rule.prefix)
		if !ok || !strings.HasSuffix(rest, rule.suffix) {
			continue
		}
		if rule.code == fault.FieldWrongType && value == nil {
			return fault.FieldNotNullable, "null is not possible here.", ""
		}
		return rule.code, strings.ReplaceAll(rule.detail, "%", strings.TrimSuffix(rest, rule.suffix)), ""
	}
	return fault.FieldBadFormat, "The value is not acceptable.", ""
}
