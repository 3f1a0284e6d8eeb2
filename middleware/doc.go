// Package middleware is the HTTP shell of a service on the standard library alone: request ids, client
// addresses, access log, panics, security headers, host checks, and errors as RFC 9457 problem+json.
//
//	shell := middleware.Chain(
//		middleware.Must(middleware.RequestID(middleware.RequestIDConfig{})),
//		middleware.Must(middleware.ClientIP(middleware.ClientIPConfig{TrustedProxies: proxies})),
//		middleware.AccessLog(middleware.AccessLogConfig{Handler: slog.Default().Handler(), Slow: time.Second}),
//		middleware.Recover(middleware.RecoverConfig{Handler: slog.Default().Handler()}),
//		middleware.Must(middleware.Headers(middleware.APIHeaders())),
//		middleware.Must(middleware.TrustedHosts(middleware.HostsConfig{Allowed: []string{"api.example.com"}})),
//	)
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
//  3. [AccessLog], which must see the 500 that Recover writes
//  4. [Recover]
//  5. [Headers], before anything that rejects, so that rejections carry them
//  6. [TrustedHosts], before anything that builds URLs
//  7. rate limit by address, body limit, authentication, rate limit by account, authorisation
//
// A compressor fits between 4 and 5. Errors are rendered where [Handle] or [ErrorMap.Handle] wraps the
// handlers.
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
// # What it does not do
//
// No rate limits, no authentication, no sessions: those packages bring their own adapters. No
// compression: proxies do it, and doing it right is a package of its own. No CSRF tokens, no
// Forwarded header (RFC 7239), no X-Forwarded-Host.
package middleware
