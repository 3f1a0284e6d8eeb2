// Package middleware is the HTTP shell of a service on the standard library alone: request ids, client
// addresses, metrics, access log, panics, security headers, host checks, CORS, CSRF, limits, and errors as
// RFC 9457 problem+json.
//
//	headers := middleware.APIHeaders()
//	shell, err := middleware.Stack(middleware.StackConfig{
//		RequestID: &middleware.RequestIDConfig{},
//		ClientIP:  &middleware.ClientIPConfig{TrustedProxies: proxies},
//		AccessLog: &middleware.AccessLogConfig{Handler: slog.Default().Handler(), Slow: time.Second},
//		Recover:   &middleware.RecoverConfig{Handler: slog.Default().Handler()},
//		Headers:   &headers,
//		Hosts:     &middleware.HostsConfig{Allowed: []string{"api.example.com"}},
//		CORS:      &middleware.CORSConfig{Credentials: true},
//		CSRF:      &middleware.CSRFConfig{},
//		Origins:   []string{"https://app.example.com"},
//	})
//	mux := http.NewServeMux()
//	mux.Handle("GET /items/{id}", middleware.Handle(func(w http.ResponseWriter, r *http.Request) error {
//		return &middleware.Problem{Status: 404, Code: "not_found", Detail: "There is no such item."}
//	}))
//	http.ListenAndServe(addr, shell(mux))
//
// Everything is a plain func(http.Handler) http.Handler, works alone, twice, in any order and between
// foreign middleware, and is safe for concurrent use. Configurations are checked completely: a
// constructor that can fail returns every fault as a joined [*ConfigError].
//
// # Order
//
// Outermost first:
//
//  1. [RequestID], so that everything after it can name the request
//  2. [ClientIP], so that log, limiter and HSTS know the client and its scheme
//  3. [Metrics] and [AccessLog], which must see the 500 that Recover writes
//  4. [Recover]
//  5. [Headers], before anything that rejects, so that rejections carry them
//  6. [TrustedHosts], before anything that builds URLs
//  7. [CORS], before limits and authentication: otherwise scripts cannot read a 401 or 429, and
//     preflights, which carry no credentials, fail. Mount it on patterns without a method
//  8. [CSRF], next to CORS, since both need the same list of origins
//  9. rate limit by address, before any work is done
//  10. [MaxBody], [Timeout]
//  11. authentication, rate limit by account, authorisation
//
// [Stack] builds 1 to 8 and 10 in this order. A compressor fits between 4 and 5. Errors are rendered
// where [Handle] or [ErrorMap.Handle] wraps the handlers; [ErrorMap.Mux] renders the 404 and 405 of
// http.ServeMux.
//
// # One object per request
//
// The outermost middleware makes one object that is the request's context, the response recorder and
// the memory of header values at once; the others find it in the context. Parts 1 to 8 together cost
// one copy of the request and five allocations ([Timeout] has a copy of its own), and r.Pattern, set by
// http.ServeMux, can be read outside the mux. With a middleware in between that copies the request,
// name the route with [Route].
//
// The object belongs to one request and is not locked. A handler that dispatches requests of its own to
// handlers behind parts of this package, side by side, must give them another context than its own. A
// middleware that answers while its handler goes on in another goroutine, as http.TimeoutHandler does,
// belongs outside of all parts, not between two; [Timeout] takes its place.
//
// The response writer keeps exactly the optional interfaces of the one below (Flusher, FlushError,
// Hijacker, ReaderFrom, StringWriter, Pusher) and unwraps for http.ResponseController, so streaming,
// upgrades and sendfile work through every part. The deprecated http.CloseNotifier is not kept; use
// the context.
//
// # CORS beside other libraries
//
// The cases of the published tests of rs/cors v1.11.1, gorilla/handlers v1.5.2 and jub0bs/cors v1.0.2 run
// against [CORS] as data. It differs as follows:
//
//   - A refused preflight is 403 (rs: 204, gorilla: 405, 403 or 200 by cause), an allowed one 204
//     (gorilla: 200). The status tells the reader of a log what a browser was told.
//   - No request header is allowed that was not listed (rs allows accept, content-type and
//     x-requested-with, gorilla the safelisted ones): browsers ask for none of those without need.
//   - OPTIONS without Access-Control-Request-Method or without Origin reaches the handler (rs: 204,
//     gorilla: 400), since it is no preflight.
//   - Vary names on every answer what it depends on, also for refused origins (gorilla: for allowed
//     ones) and for OPTIONS (jub0bs: not, since caches must not keep it; some do).
//   - Vary: Origin is left out when any origin is allowed (rs sends it), since the answer is the same
//     for all. With any origin the answer says so to every request, also without an Origin (rs and
//     gorilla: only with one), so that a cache may share it.
//   - The header list is bounded by its bytes, not by its empty elements and lines (jub0bs: 16), and
//     requested headers may come in any order, case and number of lines (rs and jub0bs: sorted and in
//     lower case).
//   - Access-Control-Max-Age is sent as configured (gorilla cuts it to 600); any negative age is none
//     (jub0bs: -1). Access-Control-Allow-Headers is the whole list, not an echo of the request.
//   - Any origin together with credentials, no origin at all, trailing slashes, default ports and
//     whole top-level domains are errors at construction (rs and gorilla take them all, jub0bs the
//     last on request). So an http origin with credentials is an error, unless it is said to be
//     dangerous or is the developer's own machine (rs and gorilla take it).
//   - There is no list of public suffixes (jub0bs has one), and punycode is not decoded to be checked,
//     since both need tables that grow old.
//   - IPv4-mapped addresses are origins like others (jub0bs refuses them). Origins of other schemes
//     than http count as secure (jub0bs: https only): they name programs, not places on a network.
//   - A wildcard stands for names below a host only, not for ports; "*" is not a method, a header or
//     one origin among others (jub0bs), and no CORS header can be exposed: each widens more than was
//     meant, or does nothing.
//   - Methods are written as browsers send them: "put" is an error (jub0bs reads PUT).
//   - Private network access, decisions by function, pass-through of preflights, another success
//     status, a debug mode and changes while running are not offered.
//
// # What it does not do
//
// No rate limits, no authentication, no sessions: those packages bring their own adapters. No
// compression: proxies do it, and doing it right is a package of its own. No CSRF tokens, no
// Forwarded header (RFC 7239), no X-Forwarded-Host.
package middleware
