package main

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	chimw "github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httplog/v3"
	"github.com/rs/cors"
	"github.com/unrolled/secure"

	"github.com/groundwork-go/groundwork/middleware"
)

const (
	pageOrigin = "https://app.example.com"
	policy     = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	hsts       = 63072000
)

// writer has the optional interfaces of net/http's own, so that recorders do their usual work.
type writer struct{ header http.Header }

func (w *writer) Header() http.Header                          { return w.header }
func (w *writer) Write(b []byte) (int, error)                  { return len(b), nil }
func (w *writer) WriteString(s string) (int, error)            { return len(s), nil }
func (w *writer) WriteHeader(int)                              {}
func (w *writer) Flush()                                       {}
func (w *writer) ReadFrom(r io.Reader) (int64, error)          { return io.Copy(io.Discard, r) }
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, http.ErrNotSupported }
func (w *writer) SetReadDeadline(time.Time) error              { return nil }
func (w *writer) SetWriteDeadline(time.Time) error             { return nil }

func middlewareGroups() []group {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	request := &http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: "/v1/items/7"}, Host: "api.example.com", RequestURI: "/v1/items/7",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "10.0.0.9:4711", Body: http.NoBody,
		Header: http.Header{
			"Origin": {pageOrigin}, "X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"https"},
			"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64)"}, "Sec-Fetch-Site": {"cross-site"},
		},
	}
	serve := func(h http.Handler, r *http.Request) func() {
		w := &writer{http.Header{}}
		return func() {
			clear(w.header)
			h.ServeHTTP(w, r)
		}
	}
	log := func() slog.Handler { return slog.NewJSONHandler(io.Discard, nil) }

	headers := middleware.APIHeaders()
	headers.PermissionsPolicy = "camera=(), microphone=()"
	rivalHeaders := secure.New(secure.Options{
		ContentSecurityPolicy: policy, STSSeconds: hsts, STSIncludeSubdomains: true,
		SSLProxyHeaders: map[string]string{"X-Forwarded-Proto": "https"}, ContentTypeNosniff: true, FrameDeny: true,
		ReferrerPolicy: "no-referrer", CrossOriginOpenerPolicy: "same-origin", CrossOriginResourcePolicy: "same-origin",
		PermissionsPolicy: "camera=(), microphone=()", XPermittedCrossDomainPolicies: "none",
		CustomBrowserXssValue: "0", AllowedHosts: []string{"api.example.com"},
	})
	rivalCORS := cors.New(cors.Options{
		AllowedOrigins: []string{pageOrigin}, AllowCredentials: true,
		AllowedMethods: []string{"GET", "POST", "PUT"}, AllowedHeaders: []string{"Authorization", "Content-Type"},
	})
	ourCORS := middleware.CORSConfig{
		Origins: []string{pageOrigin}, Credentials: true, Methods: []string{"GET", "POST", "PUT"},
		RequestHeaders: []string{"Authorization", "Content-Type"},
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}

	// The same ten attributes as ours. httplog has none for the other middleware's results.
	rivalLog := httplog.Options{
		Schema: &httplog.Schema{
			RequestMethod: "method", RequestHost: "host", RequestPath: "path", RequestProto: "proto",
			RequestUserAgent: "user_agent", ResponseStatus: "status", ResponseBytes: "bytes",
			ResponseDuration: httplog.ECSResponseDuration,
		},
		LogExtraAttrs: func(r *http.Request, _ string, _ int) []slog.Attr {
			return []slog.Attr{
				slog.String("client_ip", chimw.GetClientIP(r.Context())),
				slog.String("request_id", chimw.GetReqID(r.Context())),
			}
		},
	}
	csrf := http.NewCrossOriginProtection()
	if err := csrf.AddTrustedOrigin(pageOrigin); err != nil {
		panic(err)
	}
	// The router only chains here; routing is left out on both sides.
	rivals := chi.Chain(
		chimw.RequestID, chimw.ClientIPFromXFF("10.0.0.0/8"),
		echoRequestID, httplog.RequestLogger(slog.New(log()), &rivalLog), chimw.Recoverer,
		rivalHeaders.Handler, rivalCORS.Handler, csrf.Handler,
	).Handler(handler)
	ours := must(middleware.Stack(middleware.StackConfig{
		RequestID: &middleware.RequestIDConfig{}, ClientIP: &middleware.ClientIPConfig{TrustedProxies: proxies},
		AccessLog: &middleware.AccessLogConfig{Handler: log()}, Recover: &middleware.RecoverConfig{},
		Headers: &headers, Hosts: &middleware.HostsConfig{Allowed: []string{"api.example.com"}},
		CORS: &ourCORS, CSRF: &middleware.CSRFConfig{TrustedOrigins: []string{pageOrigin}},
	}))(handler)

	preflight := request.Clone(request.Context())
	preflight.Method = http.MethodOptions
	preflight.Header.Set("Access-Control-Request-Method", "PUT")
	preflight.Header.Set("Access-Control-Request-Headers", strings.Repeat(",", 512<<10))
	return []group{
		{
			name:  "middleware: eight parts, GET",
			about: "Request id with its echo, client IP, JSON access log of ten attributes, recover, eleven headers, host check, CORS, CSRF. Floor: chi v5.5.0 + httplog v3.3.0 + unrolled/secure v1.17.0 + rs/cors v1.11.1 + net/http's CrossOriginProtection.",
			contestants: []contestant{
				{name: "chi stack", run: serve(rivals, request)},
				{name: "middleware.Stack", run: serve(ours, request), bar: 0.35, allocs: 10},
			},
		},
		{
			name:  "middleware: eleven security headers",
			about: "Floor: unrolled/secure v1.17.0.",
			contestants: []contestant{
				{name: "unrolled/secure", run: serve(rivalHeaders.Handler(handler), request)},
				{name: "middleware.Headers", run: serve(must(middleware.Headers(headers))(handler), request), bar: 0.2, allocs: 1},
			},
		},
		{
			name:  "middleware: access log, JSON",
			about: "Floor: httplog v3.3.0.",
			contestants: []contestant{
				{name: "httplog", run: serve(httplog.RequestLogger(slog.New(log()), &httplog.Options{})(handler), request)},
				{name: "middleware.AccessLog", run: serve(middleware.AccessLog(middleware.AccessLogConfig{Handler: log()})(handler), request), bar: 0.6, allocs: 5},
			},
		},
		{
			name:  "middleware: preflight with 512 KiB of commas",
			about: "Floor: rs/cors v1.11.1.",
			contestants: []contestant{
				{name: "rs/cors", run: serve(rivalCORS.Handler(handler), preflight)},
				{name: "middleware.CORS", run: serve(must(middleware.CORS(ourCORS))(handler), preflight), bar: 2, allocs: -1},
			},
		},
	}
}

// echoRequestID sends the id back, which chi's middleware leaves to others.
func echoRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Request-Id"] = []string{chimw.GetReqID(r.Context())}
		next.ServeHTTP(w, r)
	})
}
