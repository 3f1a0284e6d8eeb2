// Secure-api is a notebook behind the whole middleware stack. Pages of the origins in ALLOWED_ORIGINS
// may use it with cookies; pages of all others can neither read nor write.
//
//	ALLOWED_ORIGINS=http://localhost:3000 go run ./examples/secure-api
//	curl -i -d 'buy milk' http://localhost:8080/notes
//	curl http://localhost:9090/metrics
package main

import (
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/middleware/prommetrics"
)

func main() {
	registry := prometheus.NewRegistry()
	handler, err := newHandler(strings.Fields(os.Getenv("ALLOWED_ORIGINS")), slog.NewJSONHandler(os.Stdout, nil), registry)
	if err != nil {
		log.Fatal("secure-api: ", err)
	}
	go serve("127.0.0.1:9090", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	serve("127.0.0.1:8080", handler)
}

func serve(addr string, h http.Handler) {
	server := &http.Server{Addr: addr, Handler: h, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal("secure-api: ", server.ListenAndServe())
}

// newHandler puts the stack around the notebook.
func newHandler(origins []string, records slog.Handler, registry prometheus.Registerer) (http.Handler, error) {
	metrics, err := prommetrics.New(prommetrics.Config{Registerer: registry})
	if err != nil {
		return nil, err
	}
	headers := middleware.APIHeaders()
	stack, err := middleware.Stack(middleware.StackConfig{
		RequestID: &middleware.RequestIDConfig{},
		ClientIP:  &middleware.ClientIPConfig{}, // no proxies: the peer is the client
		Metrics:   &middleware.MetricsConfig{Observer: metrics},
		AccessLog: &middleware.AccessLogConfig{Handler: records, Slow: time.Second},
		Recover:   &middleware.RecoverConfig{Handler: records},
		Headers:   &headers,
		Hosts:     &middleware.HostsConfig{Allowed: []string{"localhost", "127.0.0.1", "[::1]"}},
		CORS:      &middleware.CORSConfig{Credentials: true, RequestHeaders: []string{"Content-Type"}},
		CSRF:      &middleware.CSRFConfig{},
		Origins:   origins, // of CORS and CSRF alike
		MaxBody:   1 << 10,
		Timeout:   10 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	var book notebook
	mux := http.NewServeMux()
	mux.Handle("GET /notes", middleware.Handle(book.list))
	mux.Handle("POST /notes", middleware.Handle(book.add))
	return stack(middleware.ErrorMap{}.Mux(mux)), nil
}

type notebook struct {
	mu    sync.Mutex
	notes []string
}

func (b *notebook) list(w http.ResponseWriter, r *http.Request) error {
	if _, err := r.Cookie("writer"); err != nil {
		return &middleware.Problem{Status: http.StatusUnauthorized, Code: "unauthenticated", Detail: "Write a note first."}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return json.NewEncoder(w).Encode(b.notes)
}

func (b *notebook) add(w http.ResponseWriter, r *http.Request) error {
	note, err := io.ReadAll(r.Body)
	if err != nil {
		return err // 413 if it is longer than MaxBody
	}
	b.mu.Lock()
	b.notes = append(b.notes, string(note))
	b.mu.Unlock()
	middleware.AddLogAttrs(r.Context(), slog.Int("length", len(note)))
	http.SetCookie(w, &http.Cookie{Name: "writer", Value: "you", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	w.WriteHeader(http.StatusCreated)
	return nil
}
