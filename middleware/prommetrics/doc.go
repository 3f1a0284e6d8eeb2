// Package prommetrics reports the requests seen by middleware.Metrics to Prometheus.
//
//	metrics, err := prommetrics.New(prommetrics.Config{Registerer: registry})
//	if err != nil {
//		return err
//	}
//	shell := middleware.Chain(
//		middleware.Metrics(middleware.MetricsConfig{Observer: metrics}),
//		middleware.Recover(middleware.RecoverConfig{}),
//	)
//
// Three families are exported:
//
//	http_requests_total{method,endpoint,status}
//	http_request_duration_seconds{method,endpoint}
//	http_requests_in_flight
//
// endpoint is the route's pattern or "unmatched", method one of nine or "OTHER", status the code the
// client got. None of them can be invented by a client, so the number of series is bounded by routes
// and answers of the program.
//
// # What it does not do
//
// It serves nothing: mount promhttp on an address of its own. It has no per-client figures.
package prommetrics
