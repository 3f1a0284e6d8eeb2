package middleware

import (
	"net/http"
	"strings"
)

// Route labels requests that reach h with pattern, for the access log and the metrics. http.ServeMux
// needs no such help; foreign routers, and muxes behind a middleware that copies the request, do:
//
//	router.Get("/items/{id}", middleware.Route("/items/{id}", h).ServeHTTP)
func Route(pattern string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i := infoFrom(r.Context()); i != nil {
			i.route = pattern
		}
		h.ServeHTTP(w, r)
	})
}

// routeLabel is the template of the request's path, without a method, or "".
func (i *info) routeLabel() string {
	if i.route != "" {
		return i.route
	}
	pattern := i.req.Pattern
	if space := strings.IndexAny(pattern, " \t"); space >= 0 {
		pattern = strings.TrimLeft(pattern[space:], " \t")
	}
	return pattern
}
