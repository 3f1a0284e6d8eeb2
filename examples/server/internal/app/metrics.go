package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/groundwork-go/groundwork/examples/server/internal/config"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/middleware/prommetrics"
)

// measured reports whether somebody wants metrics.
func measured(cfg config.Config, opts Options) bool {
	return cfg.MetricsAddr != "" || opts.MetricsListener != nil
}

// observe returns who is told of requests, or nil.
func observe(cfg config.Config, opts Options) (middleware.Observer, error) {
	if !measured(cfg, opts) {
		return nil, nil
	}
	metrics, err := prommetrics.New(prommetrics.Config{Registerer: opts.registry})
	if err != nil {
		return nil, err
	}
	return metrics, nil
}

// metricsServer serves /metrics on an address of its own, which can be kept inside a network. A nil
// one serves nothing.
type metricsServer struct {
	server   *http.Server
	listener net.Listener
}

func listenMetrics(ctx context.Context, cfg config.Config, opts Options) (*metricsServer, error) {
	if !measured(cfg, opts) {
		return nil, nil
	}
	listener := opts.MetricsListener
	if listener == nil {
		var err error
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", cfg.MetricsAddr); err != nil {
			return nil, fmt.Errorf("app: listen for metrics: %w", err)
		}
	}
	opts.registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(opts.registry, promhttp.HandlerOpts{}))
	return &metricsServer{listener: listener, server: &http.Server{
		Handler: mux, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
	}}, nil
}

func (m *metricsServer) serve() error {
	if m == nil {
		return nil
	}
	if err := m.server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("app: serve metrics: %w", err)
	}
	return nil
}

// close ends it last, so that the figures of the shutdown can be read.
func (m *metricsServer) close() error {
	if m == nil {
		return nil
	}
	return m.server.Close()
}
