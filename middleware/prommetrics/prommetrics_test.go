package prommetrics_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/middleware/prommetrics"
)

func handler(t *testing.T, registry *prometheus.Registry) http.Handler {
	t.Helper()
	metrics, err := prommetrics.New(prommetrics.Config{Registerer: registry, Buckets: []float64{0.1, 1}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("x") })
	clock := time.Unix(1000, 0)
	var mu sync.Mutex
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		clock = clock.Add(500 * time.Millisecond)
		return clock
	}
	return middleware.Chain(middleware.Metrics(middleware.MetricsConfig{Observer: metrics, Now: now}),
		middleware.Recover(middleware.RecoverConfig{}))(mux)
}

func TestExposition(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	h := handler(t, registry)
	for range 3 {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/items/7", nil))
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/panic", nil))
	golden, err := os.ReadFile("testdata/exposition.txt")
	require.NoError(t, err)
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, string(golden), w.Body.String())
}

// Scanners and invented methods add one series each, not one per request.
func TestSeriesAreBounded(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	h := handler(t, registry)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for n := range 125 {
				target := fmt.Sprintf("/scan/%d/%d", worker, n)
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", target, nil))
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(fmt.Sprintf("M%d", n), target, nil))
			}
		})
	}
	wg.Wait()
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == "http_requests_total" {
			require.Len(t, f.GetMetric(), 2)
			require.EqualValues(t, 500, f.GetMetric()[0].GetCounter().GetValue())
		}
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	_, err := prommetrics.New(prommetrics.Config{Buckets: []float64{1, 1}})
	var fault *prommetrics.ConfigError
	require.ErrorAs(t, err, &fault)
	require.Equal(t, "Config.Registerer", fault.Field)
	require.ErrorContains(t, err, "Config.Buckets")

	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(prometheus.NewGauge(prometheus.GaugeOpts{Name: "http_requests_in_flight", Help: "x"})))
	_, err = prommetrics.New(prommetrics.Config{Registerer: registry})
	require.Error(t, err)
	families, err := registry.Gather()
	require.NoError(t, err)
	require.Len(t, families, 1, "nothing is left behind")
	_, err = prommetrics.New(prommetrics.Config{Registerer: registry, Namespace: "shop"})
	require.NoError(t, err)
	_, err = prommetrics.New(prommetrics.Config{Registerer: registry, Namespace: "shop"})
	require.ErrorAs(t, err, new(prometheus.AlreadyRegisteredError))
}

func TestObservingAllocatesNothing(t *testing.T) {
	metrics, err := prommetrics.New(prommetrics.Config{Registerer: prometheus.NewRegistry()})
	require.NoError(t, err)
	o := middleware.Observation{Route: "/x", Method: "GET", Status: 200, Duration: time.Second}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		metrics.Begin(t.Context())
		metrics.End(t.Context(), o)
	}))
}
