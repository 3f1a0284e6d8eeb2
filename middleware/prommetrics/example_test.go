package prommetrics_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/middleware/prommetrics"
)

// The figures are observed around the handlers and served by promhttp, on an address of its own.
func Example() {
	registry := prometheus.NewRegistry()
	metrics, err := prommetrics.New(prommetrics.Config{Registerer: registry, Namespace: "shop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(http.ResponseWriter, *http.Request) {})
	shell := middleware.Metrics(middleware.MetricsConfig{Observer: metrics})(mux)
	for _, path := range []string{"/items/1", "/items/2", "/wp-login.php", "/.env"} {
		shell.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}

	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "shop_http_requests_total") {
			fmt.Print(line)
		}
	}
	// Output:
	// shop_http_requests_total{endpoint="/items/{id}",method="GET",status="200"} 2
	// shop_http_requests_total{endpoint="unmatched",method="GET",status="404"} 2
}
