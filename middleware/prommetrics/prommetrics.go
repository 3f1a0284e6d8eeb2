package prommetrics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/groundwork-go/groundwork/middleware"
)

// Config configures [New].
type Config struct {
	// Registerer takes the families, normally a *prometheus.Registry. Required.
	Registerer prometheus.Registerer
	// Namespace is put before every name. Default none.
	Namespace string
	// Buckets of the durations in seconds, ascending. Default prometheus.DefBuckets, 5 ms to 10 s.
	Buckets []float64
}

// ConfigError is one fault in a [Config].
type ConfigError struct {
	Field  string // as in "Config.Registerer"
	Value  string
	Reason string
}

// Error implements error.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("prommetrics: %s %q: %s", e.Field, e.Value, e.Reason)
}

// Metrics is a middleware.Observer. It is safe for concurrent use.
type Metrics struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge

	mu     sync.RWMutex
	series map[seriesKey]series // the label combinations seen, so that a request allocates nothing
}

var _ middleware.Observer = (*Metrics)(nil)

type seriesKey struct {
	method, route string
	status        int
}

type series struct {
	total    prometheus.Counter
	duration prometheus.Observer
}

// New makes the three families and registers them. It returns every fault as a joined [*ConfigError],
// or the error of the Registerer, such as prometheus.AlreadyRegisteredError.
func New(cfg Config) (*Metrics, error) {
	var errs []error
	if cfg.Registerer == nil {
		errs = append(errs, &ConfigError{Field: "Config.Registerer", Reason: "is missing"})
	}
	for i := 1; i < len(cfg.Buckets); i++ {
		if cfg.Buckets[i] <= cfg.Buckets[i-1] {
			errs = append(errs, &ConfigError{
				Field: "Config.Buckets", Value: fmt.Sprint(cfg.Buckets[i]), Reason: "is not above the one before",
			})
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if cfg.Buckets == nil {
		cfg.Buckets = prometheus.DefBuckets
	}
	m := &Metrics{series: map[seriesKey]series{}}
	m.total = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: cfg.Namespace, Name: "http_requests_total", Help: "Requests answered.",
	}, []string{"method", "endpoint", "status"})
	m.duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: cfg.Namespace, Name: "http_request_duration_seconds", Help: "Time to answer.",
		Buckets: slices.Clone(cfg.Buckets),
	}, []string{"method", "endpoint"})
	m.inFlight = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: cfg.Namespace, Name: "http_requests_in_flight", Help: "Requests being answered.",
	})
	for i, c := range []prometheus.Collector{m.total, m.duration, m.inFlight} {
		if err := cfg.Registerer.Register(c); err != nil {
			for _, done := range []prometheus.Collector{m.total, m.duration}[:i] {
				cfg.Registerer.Unregister(done)
			}
			return nil, fmt.Errorf("prommetrics: register: %w", err)
		}
	}
	return m, nil
}

// Begin implements middleware.Observer.
func (m *Metrics) Begin(context.Context) { m.inFlight.Inc() }

// End implements middleware.Observer.
func (m *Metrics) End(_ context.Context, o middleware.Observation) {
	m.inFlight.Dec()
	key := seriesKey{method: o.Method, route: o.Route, status: o.Status}
	m.mu.RLock()
	s, ok := m.series[key]
	m.mu.RUnlock()
	if !ok {
		s = m.add(key)
	}
	s.total.Inc()
	s.duration.Observe(o.Duration.Seconds())
}

func (m *Metrics) add(key seriesKey) series {
	s := series{
		total:    m.total.WithLabelValues(key.method, key.route, strconv.Itoa(key.status)),
		duration: m.duration.WithLabelValues(key.method, key.route),
	}
	m.mu.Lock()
	m.series[key] = s
	m.mu.Unlock()
	return s
}
