package prommetrics_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/middleware/prommetrics"
)

// exposition is what one scrape says: the kind of each family and the value of each series, in a
// spelling that is the same for the same labels.
type exposition struct {
	kinds  map[string]string
	series map[string]float64
}

var (
	helpLine   = regexp.MustCompile(`^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (?:[^\\]|\\\\|\\n)*$`)
	typeLine   = regexp.MustCompile(`^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$`)
	sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)$`)
	labelPair  = regexp.MustCompile(`^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\\\|\\"|\\n)*)"(?:,|$)`)
)

// parse reads the text exposition format 0.0.4 and refuses whatever does not belong there.
func parse(t *testing.T, text string) exposition {
	t.Helper()
	e := exposition{kinds: map[string]string{}, series: map[string]float64{}}
	require.True(t, strings.HasSuffix(text, "\n"), "the last line must end")
	current := ""
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if m := helpLine.FindStringSubmatch(line); m != nil {
			continue
		}
		if m := typeLine.FindStringSubmatch(line); m != nil {
			require.NotContains(t, e.kinds, m[1], "one group of lines per family")
			e.kinds[m[1]], current = m[2], m[1]
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		require.NotNil(t, m, "%q is no line of the format", line)
		family := m[1]
		if e.kinds[current] == "histogram" {
			family = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(family, "")
		}
		require.Equal(t, current, family, "%q is not below its TYPE", line)
		names := map[string]bool{}
		for rest := m[2]; rest != ""; {
			pair := labelPair.FindStringSubmatch(rest)
			require.NotNil(t, pair, "%q has malformed labels", line)
			require.False(t, names[pair[1]], "%q repeats a label", line)
			names[pair[1]] = true
			rest = rest[len(pair[0]):]
		}
		value, err := strconv.ParseFloat(m[3], 64)
		require.NoError(t, err, line)
		key := m[1] + "{" + m[2] + "}"
		require.NotContains(t, e.series, key, "one line per series")
		e.series[key] = value
	}
	return e
}

// sum adds the series whose text contains every part.
func (e exposition) sum(parts ...string) float64 {
	var total float64
	for key, value := range e.series {
		has := true
		for _, part := range parts {
			has = has && strings.Contains(key, part)
		}
		if has {
			total += value
		}
	}
	return total
}

// While requests of every kind run, each scrape is well-formed, no counter and no bucket ever goes down,
// and the histogram counts what the counter counts. Afterwards nothing is in flight.
func TestScrapesUnderTraffic(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	metrics, err := prommetrics.New(prommetrics.Config{Registerer: registry})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/items/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("x") })
	mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.Handle("/odd", middleware.Route("/\"odd\"\\\n{x}", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	observed := middleware.Metrics(middleware.MetricsConfig{Observer: metrics})
	recovers := middleware.Recover(middleware.RecoverConfig{})
	h, bare := middleware.Chain(observed, recovers)(mux), observed(mux)
	scrape := func() exposition {
		w := httptest.NewRecorder()
		promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		require.Equal(t, 200, w.Code)
		return parse(t, w.Body.String())
	}

	const workers, rounds = 4, 50
	serve := func(h http.Handler, method, target string) {
		defer func() { _ = recover() }() // as net/http does
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, target, nil))
	}
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for n := range rounds {
				serve(h, "GET", fmt.Sprintf("/items/%d", n))
				serve(h, "POST", "/items/7")
				serve(h, fmt.Sprintf("M%d", n), "/items/7")
				serve(h, "GET", fmt.Sprintf("/scan/%d.php", n))
				serve(h, "GET", "/panic")
				serve(bare, "GET", "/panic")
				serve(h, "GET", "/abort")
				serve(h, "GET", "/odd")
			}
		})
	}
	done := make(chan struct{})
	go func() { running.Wait(); close(done) }()
	last := exposition{}
	for finished := false; !finished; {
		select {
		case <-done:
			finished = true // one more scrape
		default:
		}
		now := scrape()
		for key, value := range last.series {
			require.Contains(t, now.series, key, "series do not go away")
			if !strings.HasPrefix(key, "http_requests_in_flight") {
				require.GreaterOrEqual(t, now.series[key], value, key)
			}
		}
		require.GreaterOrEqual(t, now.series["http_requests_in_flight{}"], 0.0)
		require.LessOrEqual(t, now.series["http_requests_in_flight{}"], float64(workers))
		last = now
	}

	require.Equal(t, map[string]string{
		"http_requests_total": "counter", "http_requests_in_flight": "gauge", "http_request_duration_seconds": "histogram",
	}, last.kinds)
	require.Zero(t, last.series["http_requests_in_flight{}"])
	const each = workers * rounds
	for labels, want := range map[string]float64{
		`endpoint="/items/{id}",method="GET",status="200"`:     each,
		`endpoint="/items/{id}",method="POST",status="200"`:    each,
		`endpoint="/items/{id}",method="OTHER",status="200"`:   each,
		`endpoint="unmatched",method="GET",status="404"`:       each,
		`endpoint="/panic",method="GET",status="500"`:          2 * each,
		`endpoint="/abort",method="GET",status="444"`:          each,
		`endpoint="/\"odd\"\\\n{x}",method="GET",status="200"`: each,
	} {
		require.Equal(t, want, last.series["http_requests_total{"+labels+"}"], labels)
	}
	for _, endpoint := range []string{"/items/{id}", "unmatched", "/panic"} {
		label := `{endpoint="` + endpoint + `",`
		total := last.sum("http_requests_total"+label, "")
		require.Equal(t, total, last.sum("http_request_duration_seconds_count"+label), endpoint)
		require.Equal(t, total, last.sum("http_request_duration_seconds_bucket"+label, `le="+Inf"`), endpoint)
		lower := 0.0
		for _, bound := range prometheus.DefBuckets {
			now := last.sum("http_request_duration_seconds_bucket"+label, fmt.Sprintf(`le="%v"`, bound))
			require.GreaterOrEqual(t, now, lower, "buckets are cumulative")
			lower = now
		}
	}
}
