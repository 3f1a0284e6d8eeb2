package middleware_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"time"

	"github.com/groundwork-go/groundwork/middleware"
)

// The whole shell around a mux whose handlers return their errors.
func Example() {
	logger := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: stable})
	headers := middleware.APIHeaders()
	shell, err := middleware.Stack(middleware.StackConfig{
		RequestID: &middleware.RequestIDConfig{},
		AccessLog: &middleware.AccessLogConfig{Handler: logger},
		Recover:   &middleware.RecoverConfig{Handler: logger},
		Headers:   &headers,
		Hosts:     &middleware.HostsConfig{Allowed: []string{"api.example.com"}},
		CORS:      &middleware.CORSConfig{Credentials: true},
		CSRF:      &middleware.CSRFConfig{},
		Origins:   []string{"https://app.example.com"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /items/{id}", middleware.Handle(func(http.ResponseWriter, *http.Request) error {
		return &middleware.Problem{Status: 404, Code: "not_found", Detail: "There is no such item."}
	}))
	r := httptest.NewRequest("GET", "https://api.example.com/items/7", nil)
	r.Header.Set("X-Request-Id", "example-1")
	w := httptest.NewRecorder()
	shell(mux).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Strict-Transport-Security"))
	fmt.Println(w.Body.String())
	// Output:
	// level=INFO msg=request method=GET host=api.example.com path=/items/7 route=/items/{id} proto=HTTP/1.1 status=404 bytes=135 client_ip=192.0.2.1 request_id=example-1
	// 404 max-age=63072000; includeSubDomains
	// {"title":"Not Found","status":404,"detail":"There is no such item.","instance":"/items/7","code":"not_found","request_id":"example-1"}
}

// stable leaves out what differs from run to run.
func stable(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == "duration" {
		return slog.Attr{}
	}
	return a
}

// Errors of the domain become answers in one place; anything unknown is a 500 that says nothing.
func ExampleErrorMap() {
	errSoldOut := errors.New("shop: sold out")
	answers := middleware.ErrorMap{Rules: []middleware.ErrorRule{
		{Is: errSoldOut, Problem: &middleware.Problem{Status: 409, Code: "sold_out", Detail: "There are none left."}},
		middleware.AsRule(func(e *os.PathError) *middleware.Problem {
			return &middleware.Problem{Status: 404, Code: "not_found"}
		}),
	}}
	for _, err := range []error{
		fmt.Errorf("order 7: %w", errSoldOut), &os.PathError{Op: "open", Path: "/etc/x", Err: os.ErrNotExist}, errors.New("password=x"),
	} {
		h := answers.Handle(func(http.ResponseWriter, *http.Request) error { return err })
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/orders", nil))
		fmt.Print(w.Body.String())
	}
	// Output:
	// {"title":"Conflict","status":409,"detail":"There are none left.","instance":"/orders","code":"sold_out"}
	// {"title":"Not Found","status":404,"instance":"/orders","code":"not_found"}
	// {"title":"Internal Server Error","status":500,"detail":"Something went wrong on our side.","instance":"/orders","code":"internal"}
}

// A handler adds to the one record of its request, and what is not worth a record is left out. A client
// that is cut off on purpose is no error.
func ExampleAccessLog() {
	logger := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: stable})
	shell := middleware.AccessLog(middleware.AccessLogConfig{
		Handler: logger,
		Skip:    func(r *http.Request, status int) bool { return r.URL.Path == "/healthz" && status == http.StatusOK },
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/orders/{id}", func(_ http.ResponseWriter, r *http.Request) {
		middleware.AddLogAttrs(r.Context(), slog.String("order", r.PathValue("id")))
	})
	mux.HandleFunc("/tarpit", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for _, path := range []string{"/healthz", "/orders/7", "/tarpit"} {
		func() {
			defer func() { _ = recover() }() // net/http closes the connection
			shell(mux).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
		}()
	}
	// Output:
	// level=INFO msg=request method=GET host=example.com path=/orders/7 route=/orders/{id} proto=HTTP/1.1 status=200 bytes=0 client_ip=192.0.2.1 order=7
	// level=INFO msg=request method=GET host=example.com path=/tarpit route=/tarpit proto=HTTP/1.1 status=444 bytes=0 client_ip=192.0.2.1 aborted=true
}

// The client is the first address from the right that is not one of your own proxies. Whatever a client
// puts to the left of it is never believed.
func ExampleClientIP() {
	find := middleware.Must(middleware.ClientIP(middleware.ClientIPConfig{
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}))
	h := find(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(middleware.ClientIPFrom(r.Context()))
	}))
	for _, peer := range []string{"10.0.0.1:4711", "198.51.100.7:4711"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-For", "6.6.6.6, 203.0.113.9, 10.0.0.2")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	// Output:
	// 203.0.113.9
	// 198.51.100.7
}

// A deadline is news for handlers that listen. One that does not answers late, and is not stopped; only the
// server's WriteTimeout ends it.
func ExampleTimeout_deaf() {
	deadline := middleware.Timeout(time.Millisecond)
	call := func(handler http.HandlerFunc) int {
		w := httptest.NewRecorder()
		deadline(handler).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		return w.Code
	}
	fmt.Println(call(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	fmt.Println(call(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done() // stands for work that does not look at its context
		w.WriteHeader(http.StatusOK)
	}))
	// Output:
	// 503
	// 200
}

// A nonce exists only for answers that ask for it.
func ExampleNonceFrom() {
	page := middleware.Must(middleware.Headers(middleware.PageHeaders()))
	h := page(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce := middleware.NonceFrom(r.Context())
		fmt.Fprintf(w, `<script nonce="%s">start()</script>`, nonce)
		fmt.Println(len(nonce), "characters")
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	// Output: 24 characters
}

// A configuration that would open more than was meant is refused, with every fault named.
func ExampleCORS_refused() {
	_, err := middleware.CORS(middleware.CORSConfig{
		Origins:     []string{"https://app.example.com/", "http://app.example.com"},
		Credentials: true,
	})
	fmt.Println(err)
	// Output:
	// middleware: CORSConfig.Origins "https://app.example.com/": ends in a slash
	// middleware: CORSConfig.Origins "http://app.example.com": is insecure and cannot go with CORSConfig.Credentials
}

// A pattern with a method never sees the preflight, so CORS has to go around the mux or on a pattern
// without a method.
func ExampleCORS_incorrect() {
	cors := middleware.Must(middleware.CORS(middleware.CORSConfig{
		Origins: []string{"https://app.example.com"}, Methods: []string{"PUT"},
	}))
	items := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	preflight := func(h http.Handler) int {
		r := httptest.NewRequest("OPTIONS", "/items", nil)
		r.Header.Set("Origin", "https://app.example.com")
		r.Header.Set("Access-Control-Request-Method", "PUT")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	inside, around := http.NewServeMux(), http.NewServeMux()
	inside.Handle("PUT /items", cors(items))
	around.Handle("PUT /items", items)
	fmt.Println(preflight(inside), preflight(cors(around)))
	// Output: 405 204
}
