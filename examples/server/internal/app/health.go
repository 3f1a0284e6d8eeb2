package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// pingTimeout bounds how long a readiness probe waits for the database.
const pingTimeout = 2 * time.Second

// phase is where the process is in its life.
type phase int32

const (
	starting phase = iota
	serving
	draining
)

// health answers the two probes. It tells strangers nothing but yes and no, and which part
// is missing.
type health struct {
	phase atomic.Int32
	// ping asks the database. It is set before the phase becomes serving.
	ping func(context.Context) error
	// optional are the parts that the server can do without for a while. They are set before the phase
	// becomes serving, too.
	optional []optionalPart
}

// optionalPart is a part that readiness does not depend on.
type optionalPart struct {
	name string
	ping func(context.Context) error
}

func (h *health) set(p phase) { h.phase.Store(int32(p)) }

func (h *health) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", h.live)
	mux.HandleFunc("GET /readyz", h.ready)
}

// live answers as long as the process can answer at all.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	writeStatus(w, http.StatusOK, "ok")
}

// ready answers 503 while starting, while draining and without database. Other parts that do not
// answer are named in a 200.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	switch phase(h.phase.Load()) {
	case starting:
		writeStatus(w, http.StatusServiceUnavailable, "starting")
		return
	case draining:
		writeStatus(w, http.StatusServiceUnavailable, "draining")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), pingTimeout)
	defer cancel()
	if err := h.ping(ctx); err != nil {
		writeStatus(w, http.StatusServiceUnavailable, "unavailable")
		return
	}
	var degraded []string
	for _, part := range h.optional {
		if part.ping(ctx) != nil {
			degraded = append(degraded, part.name)
		}
	}
	writeStatus(w, http.StatusOK, "ready", degraded...)
}

func writeStatus(w http.ResponseWriter, status int, word string, degraded ...string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Status   string   `json:"status"`
		Degraded []string `json:"degraded,omitempty"`
	}{word, degraded})
}

// Healthcheck asks the server on addr, which has the form of LISTEN_ADDR, whether it is ready.
func Healthcheck(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*pingTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("app: healthcheck: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("app: healthcheck: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("app: healthcheck: the server on %s answers %s", addr, res.Status)
	}
	return nil
}
