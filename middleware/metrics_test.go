package middleware_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

// tally is an observer that keeps everything.
type tally struct {
	mu       sync.Mutex
	inFlight int
	seen     []middleware.Observation
}

func (o *tally) Begin(context.Context) {
	o.mu.Lock()
	o.inFlight++
	o.mu.Unlock()
}

func (o *tally) End(_ context.Context, one middleware.Observation) {
	o.mu.Lock()
	o.inFlight--
	o.seen = append(o.seen, one)
	o.mu.Unlock()
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	clock := time.Unix(1000, 0)
	obs := &tally{}
	mux := http.NewServeMux()
	mux.HandleFunc("/items/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "abc")
	})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("x") })
	mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	h := middleware.Chain(
		middleware.Metrics(middleware.MetricsConfig{
			Observer: obs, Now: func() time.Time { clock = clock.Add(time.Second); return clock },
		}),
		middleware.Recover(middleware.RecoverConfig{}),
	)(mux)
	call(h, request("POST", "/items/7"))
	require.Equal(t, middleware.Observation{
		Route: "/items/{id}", Method: "POST", Status: 201, Bytes: 3, Duration: time.Second,
	}, obs.seen[0])
	call(h, request("GET", "/panic"))
	require.Equal(t, 500, obs.seen[1].Status)
	require.Panics(t, func() { call(h, request("GET", "/abort")) })
	require.Equal(t, middleware.StatusAborted, obs.seen[2].Status, "no answer, on purpose")
	require.Zero(t, obs.inFlight)

	// Whatever clients send, the labels stay few.
	labels := map[string]bool{}
	obs.seen = nil
	for n := range 500 {
		call(h, request("GET", fmt.Sprintf("/scan/%d.php", n)))
		call(h, request(fmt.Sprintf("M%d", n), fmt.Sprintf("/items/%d", n)))
	}
	for _, o := range obs.seen {
		labels[o.Route+" "+o.Method] = true
	}
	require.Equal(t, map[string]bool{"unmatched GET": true, "/items/{id} OTHER": true}, labels)

	require.Equal(t, 200, call(middleware.Metrics(middleware.MetricsConfig{})(http.HandlerFunc(ok)), request("GET", "/")).Code)
}

func TestObservationClass(t *testing.T) {
	t.Parallel()
	var got []string
	for _, status := range []int{101, 200, 304, 499, 500, 599, 999} {
		got = append(got, middleware.Observation{Status: status}.Class())
	}
	require.Equal(t, "1xx 2xx 3xx 4xx 5xx 5xx 5xx", strings.Join(got, " "))
}

// silent is an observer that costs nothing.
type silent struct{}

func (silent) Begin(context.Context)                       {}
func (silent) End(context.Context, middleware.Observation) {}
