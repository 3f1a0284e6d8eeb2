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
// the memory of header values at once; the others find it in the context. The whole stack costs one
// copy of the request, and r.Pattern, set by http.ServeMux, can be read outside the mux. With a
// middleware in between that copies the request, name the route with [Route].
//
// The response writer keeps exactly the optional interfaces of the one below (Flusher, FlushError,
// Hijacker, ReaderFrom, StringWriter, Pusher) and unwraps for http.ResponseController, so streaming,
// upgrades and sendfile work through every part. The deprecated http.CloseNotifier is not kept; use
// the context.
//
// # CORS beside other libraries
//
// The cases of the published tests of rs/cors and gorilla/handlers run against [CORS] as data. It
// differs where they are lenient:
//
//   - A refused preflight is 403 (rs: 204, gorilla: 403, 405 or 200 by cause), an allowed one 204.
//   - No request header is allowed that was not listed (rs allows accept, content-type and
//     x-requested-with by default), and "*" is not a header.
//   - Any origin together with credentials, no origin at all, http origins with credentials unless
//     said to be dangerous, trailing slashes and default ports are errors at construction.
//   - Access-Control-Allow-Headers is the whole list, not an echo of the request; Access-Control-Max-Age
//     is sent as configured (gorilla cuts it to 600).
//   - Requested headers may come in any order, case and number of lines (rs: sorted and lower case).
//   - OPTIONS without Access-Control-Request-Method or without Origin reaches the handler (gorilla: 400).
//   - Vary: Origin is left out when any origin is allowed, since the answer is the same for all.
//   - Private network access, decisions by function and pass-through of preflights are not offered.
//
// # What it does not do
//
// No rate limits, no authentication, no sessions: those packages bring their own adapters. No
// compression: proxies do it, and doing it right is a package of its own. No CSRF tokens, no
// Forwarded header (RFC 7239), no X-Forwarded-Host.
package middleware
