package middleware

import "net/http"

// Mux serves mux and answers what mux has no handler for as a [Problem]: 404 not_found, or 405
// method_not_allowed with the Allow header, where http.ServeMux by itself writes plain text. A
// catch-all pattern could not do that: it would hide the 405.
func (m ErrorMap) Mux(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI == "*" {
			mux.ServeHTTP(w, r)
			return
		}
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		answer := muxAnswer{header: http.Header{}}
		h.ServeHTTP(&answer, r)
		p := &Problem{Status: http.StatusNotFound, Code: "not_found", Detail: "There is nothing at this path."}
		if answer.status == http.StatusMethodNotAllowed {
			p = &Problem{
				Status: answer.status, Code: "method_not_allowed", Detail: "This path does not have that method.",
				Header: http.Header{"Allow": answer.header["Allow"]},
			}
		}
		m.Write(w, r, p)
	})
}

// muxAnswer takes the plain answer of ServeMux, of which only the status and Allow are of use.
type muxAnswer struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (a *muxAnswer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *muxAnswer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *muxAnswer) Write(b []byte) (int, error) { return len(b), nil }
