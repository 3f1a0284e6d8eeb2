package pagination

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const maxFilter = 500 // bytes of one filter value

// filter reads one filter parameter.
func (p *parser) filter(fp filterParam, name, raw string) *Error {
	for _, f := range p.q.filters {
		if f.id == fp.id { // the bare name and its written-out form
			return &Error{Param: name, Code: CodeRepeatedParameter, Detail: "Give the parameter once."}
		}
	}
	made := filter{field: fp.field, op: fp.op, id: fp.id}
	fail := func(code, detail string) *Error { return &Error{Param: name, Code: code, Detail: detail} }
	parts := []string{raw}
	switch {
	case fp.op == IsNull:
		if raw != "true" && raw != "false" {
			return fail(CodeWrongType, "Use true or false.")
		}
		made.values = []value{boolValue(raw == "true")}
		p.q.filters = append(p.q.filters, made)
		return nil
	case raw == "null" && fp.field.Nullable && (fp.op == Eq || fp.op == Ne):
		made.values = []value{{}}
		p.q.filters = append(p.q.filters, made)
		return nil
	case fp.op == In:
		if strings.Count(raw, ",") >= p.spec.maxIn {
			return fail(CodeOutOfRange, fmt.Sprintf("Give at most %d values.", p.spec.maxIn))
		}
		parts = strings.Split(raw, ",")
		slices.Sort(parts)
		parts = slices.Compact(parts)
	case fp.op == Prefix && raw == "":
		return fail(CodeTooShort, "Give at least one character.")
	}
	for _, part := range parts {
		v, code, detail := fp.field.parse(part)
		if code != "" {
			return fail(code, detail)
		}
		made.values = append(made.values, v)
	}
	p.q.filters = append(p.q.filters, made)
	return nil
}

// parse reads one value as the field's kind.
func (f *field) parse(raw string) (v value, code, detail string) {
	if len(raw) > maxFilter {
		return v, CodeTooLong, fmt.Sprintf("Use at most %d bytes.", maxFilter)
	}
	switch f.Kind {
	case Int:
		n, code := parseInt(raw)
		return intValue(n), code, "Use a whole number of 64 bits."
	case Float:
		return parseFloat(raw)
	case Bool:
		if raw != "true" && raw != "false" {
			code = CodeWrongType
		}
		return boolValue(raw == "true"), code, "Use true or false."
	case Time:
		return parseTime(raw)
	case Date:
		t, err := time.Parse(time.DateOnly, raw)
		if err != nil || t.Year() < 1 {
			code = CodeBadFormat
		}
		return textValue(raw), code, "Use a date such as 2006-01-02."
	case UUID:
		v, ok := parseUUID(raw)
		if !ok {
			code = CodeBadFormat
		}
		return v, code, "Use a UUID."
	case Enum:
		if !slices.Contains(f.Enum, raw) {
			code = CodeNotAllowed
		}
		return textValue(raw), code, "Use one of the listed values."
	}
	if !clean(raw) {
		code = CodeBadFormat
	}
	return textValue(raw), code, "Use UTF-8 text without NUL."
}

// parseFloat reads decimal digits with point and exponent; no hexadecimal, no NaN, no infinity.
func parseFloat(raw string) (v value, code, detail string) {
	detail = "Use a number."
	if raw == "" || strings.Trim(raw, "0123456789.eE+-") != "" {
		return v, CodeWrongType, detail
	}
	x, err := strconv.ParseFloat(raw, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return v, CodeOutOfRange, detail
	case err != nil:
		return v, CodeWrongType, detail
	}
	return floatValue(x), "", detail
}

// parseTime reads RFC 3339 with offset, to the microsecond, in years both databases know.
func parseTime(raw string) (v value, code, detail string) {
	t, err := time.Parse(time.RFC3339Nano, raw)
	if err != nil || t.Nanosecond()%1_000 != 0 || strings.ContainsRune(raw, ',') {
		return v, CodeBadFormat, "Use RFC 3339 with an offset and at most microseconds, such as 2006-01-02T15:04:05Z."
	}
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return v, CodeOutOfRange, "Use a year from 1 to 9999."
	}
	return timeValue(t), "", ""
}
