// Package app puts the server together: it opens the database, migrates, wires the domain packages,
// serves, and stops in the right order. It holds no rules of its own.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/groundwork-go/groundwork/examples/server/internal/config"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/examples/server/internal/mail"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/vision"
)

const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
	// drainTimeout is how long requests may go on after the signal, jobsTimeout how long jobs may
	// after that. Together they stay below the 60 seconds that orchestrators are set to here.
	drainTimeout = 25 * time.Second
	jobsTimeout  = 20 * time.Second
)

// Options vary a run. The zero value is what main uses.
type Options struct {
	// Logger gets the access log and failures. Nil is silent.
	Logger *slog.Logger
	// Stdout gets the text for the person who started the server. Nil prints nothing.
	Stdout io.Writer
	// Listener replaces listening on Config.ListenAddr. Run closes it.
	Listener net.Listener
	// MetricsListener replaces listening on Config.MetricsAddr. Run closes it.
	MetricsListener net.Listener
	// Analyzer replaces the one the configuration asks for.
	Analyzer vision.Analyzer
	// Mail replaces the way of sending mails that the configuration asks for.
	Mail mail.Sender
	// Ready is called once the server answers requests.
	Ready func()
	// Now is the clock. Default time.Now.
	Now func() time.Time

	registry *prometheus.Registry // made by withDefaults
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Stdout == nil {
		o.Stdout = io.Discard
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.registry = prometheus.NewRegistry()
	return o
}

// Run serves until ctx ends, then lets requests and jobs finish, and returns nil. It listens first,
// so that a second server on the same address fails before it touches anything, and answers probes
// while it still starts.
func Run(ctx context.Context, cfg config.Config, opts Options) (err error) {
	opts = opts.withDefaults()
	listener := opts.Listener
	if listener == nil {
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", cfg.ListenAddr); err != nil {
			return fmt.Errorf("app: listen: %w", err)
		}
	}
	metrics, err := listenMetrics(ctx, cfg, opts)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	// Requests live on when ctx ends; streams do not.
	streams, endAllStreams := context.WithCancel(context.WithoutCancel(ctx))
	defer endAllStreams()
	requests, abandonRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer abandonRequests()

	probes := &health{}
	front := newFront(probes)
	server := &http.Server{
		Handler:           endStreams(streams, front),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(opts.Logger.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return requests },
	}
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("app: serve: %w", err)
		}
		return nil
	})
	group.Go(metrics.serve)
	group.Go(func() error {
		parts, err := open(running, cfg, opts, probes)
		if err == nil {
			err = parts.runner.Start(running)
		}
		if err == nil {
			group.Go(func() error { return parts.roles.Run(running) })
			probes.ping = parts.db.ping
			front.set(parts.handler)
			probes.set(serving)
			greet(opts.Stdout, cfg, parts, listener.Addr())
			if opts.Ready != nil {
				opts.Ready()
			}
			<-running.Done()
		} else if ctx.Err() != nil {
			err = nil // told to stop before it was up
		}
		// Jobs stop after the requests that may enqueue some, and before the pools they need.
		probes.set(draining)
		endAllStreams()
		faults := []error{err, shutdown(server, abandonRequests)}
		if parts != nil {
			faults = append(faults, stopJobs(parts.runner), parts.close())
		}
		return errors.Join(append(faults, metrics.close())...)
	})
	return group.Wait()
}

// shutdown lets requests finish and cancels those that take too long.
func shutdown(server *http.Server, abandon func()) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	if err == nil {
		return nil
	}
	abandon()
	if closeErr := server.Close(); closeErr != nil {
		return fmt.Errorf("app: shut down: %w", closeErr)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // cut off as announced
	}
	return fmt.Errorf("app: shut down: %w", err)
}

func stopJobs(runner *jobs.Runner) error {
	ctx, cancel := context.WithTimeout(context.Background(), jobsTimeout)
	defer cancel()
	return runner.Stop(ctx)
}

// front answers before the rest is up: probes as they are, everything else as unavailable.
type front struct {
	handler atomic.Pointer[http.Handler]
}

func newFront(probes *health) *front {
	mux := http.NewServeMux()
	probes.register(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		middleware.WriteProblem(w, r, fault.New(fault.Unavailable, "The server is starting."))
	})
	f := &front{}
	f.set(mux)
	return f
}

func (f *front) set(h http.Handler) { f.handler.Store(&h) }

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*f.handler.Load()).ServeHTTP(w, r)
}
