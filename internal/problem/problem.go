// Package problem writes the default error bodies of this module's packages: RFC 9457
// application/problem+json with the extension members code, request_id and errors.
//
// It is only a writer. The public type, with error mapping and handlers, is middleware.Problem; it
// encodes through this package so that every body has one shape.
package problem

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// ContentType is the media type of every body this package writes.
const ContentType = "application/problem+json"

// RequestIDHeader is the response header the request_id member is taken from.
const RequestIDHeader = "X-Request-Id"

// Problem is one error answer. The zero value of each member leaves it out of the body, except
// Status (500) and Title (the status phrase).
type Problem struct {
	Type      string
	Title     string
	Status    int
	Detail    string
	Instance  string
	Code      string
	RequestID string
	Errors    []Field
	// Extra holds further members. Names the format already uses are ignored, as are values that
	// cannot be encoded.
	Extra map[string]any
	// Header is set on the response last, so it can override what Write sets.
	Header http.Header
}

// Field names one faulty part of a request. Exactly one of Pointer (RFC 6901, into the body) and
// Parameter (query, path or header name) is normally set.
type Field struct {
	Pointer   string `json:"pointer,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	Code      string `json:"code,omitempty"`
	Detail    string `json:"detail,omitempty"`
}

// Write answers r with p. Title, Instance and RequestID are filled when empty: from the status, the
// path of r and the response header X-Request-Id. Headers that describe another body are removed and
// Cache-Control becomes no-store; p.Header goes on top, for Retry-After and the like.
func Write(w http.ResponseWriter, r *http.Request, p Problem) {
	h := w.Header()
	if p.RequestID == "" {
		p.RequestID = h.Get(RequestIDHeader)
	}
	if p.Instance == "" && r != nil && r.URL != nil {
		p.Instance = r.URL.EscapedPath()
	}
	if p.Status == 0 {
		p.Status = http.StatusInternalServerError
	}
	body := append(p.Append(nil), '\n')
	for _, name := range [...]string{
		"Etag", "Last-Modified", "Content-Range", "Accept-Ranges", "Content-Disposition", "Expires",
	} {
		delete(h, name)
	}
	h.Set("Content-Type", ContentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if h.Get("Content-Encoding") == "" {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	} else {
		h.Del("Content-Length")
	}
	for name, values := range p.Header {
		h[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}

// Append encodes p as one JSON object at the end of b. Members come in a fixed order, further
// members sorted by name.
func (p Problem) Append(b []byte) []byte {
	if p.Status == 0 {
		p.Status = http.StatusInternalServerError
	}
	if p.Title == "" {
		p.Title = Title(p.Status)
	}
	if p.Type == "about:blank" {
		p.Type = ""
	}
	start := len(b)
	b = append(b, '{')
	b = appendString(b, start, "type", p.Type)
	b = appendString(b, start, "title", p.Title)
	b = appendName(b, start, "status")
	b = strconv.AppendInt(b, int64(p.Status), 10)
	b = appendString(b, start, "detail", p.Detail)
	b = appendString(b, start, "instance", p.Instance)
	b = appendString(b, start, "code", p.Code)
	b = appendString(b, start, "request_id", p.RequestID)
	if len(p.Errors) > 0 {
		if v, err := json.Marshal(p.Errors); err == nil {
			b = append(appendName(b, start, "errors"), v...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Extra)) {
		if name == "" || reserved(name) {
			continue
		}
		if v, err := json.Marshal(p.Extra[name]); err == nil {
			b = append(appendName(b, start, name), v...)
		}
	}
	return append(b, '}')
}

// Title is the phrase of a status; 499 and unknown ones have one too.
func Title(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	if status == 499 {
		return "Client Closed Request"
	}
	return "Error"
}

func reserved(name string) bool {
	switch name {
	case "type", "title", "status", "detail", "instance", "code", "request_id", "errors":
		return true
	}
	return false
}

func appendString(b []byte, start int, name, value string) []byte {
	if value == "" {
		return b
	}
	v, err := json.Marshal(value)
	if err != nil { // strings always encode
		return b
	}
	return append(appendName(b, start, name), v...)
}

func appendName(b []byte, start int, name string) []byte {
	if len(b) > start+1 {
		b = append(b, ',')
	}
	v, err := json.Marshal(name)
	if err != nil { // strings always encode
		return b
	}
	return append(append(b, v...), ':')
}
