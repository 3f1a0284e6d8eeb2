package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// Two pages of the same machine, and one of another site, use the notebook from a real browser. The
// foreign ones try with the visitor's cookies: the port does not matter to those, so it is the origin
// check alone that keeps the neighbour out.
func TestOriginsInTheBrowser(t *testing.T) {
	t.Parallel()
	path := chromium(t)
	empty := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><p id="here">x</p>`)
	})
	own, neighbour := httptest.NewServer(empty), httptest.NewServer(empty)
	t.Cleanup(own.Close)
	t.Cleanup(neighbour.Close)
	var records bytes.Buffer
	handler, err := newHandler([]string{own.URL}, slog.NewTextHandler(&records, nil), prometheus.NewRegistry())
	require.NoError(t, err)
	api := httptest.NewServer(handler)
	t.Cleanup(api.Close)
	otherSite := strings.Replace(neighbour.URL, "127.0.0.1", "localhost", 1)

	allocator, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
	)
	t.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	tab, done := context.WithTimeout(tab, time.Minute)
	t.Cleanup(done)
	try := func(options string) string {
		got, err := chromedp.Run(tab, chromedp.Evaluate[string](
			`fetch("`+api.URL+`/notes", {credentials: "include", `+options+`})`+
				`.then(async r => r.type + " " + r.status + " " + await r.text(), e => e.name)`,
			chromedp.EvalAwaitPromise))
		require.NoError(t, err)
		return got
	}
	visit := func(address string) {
		require.NoError(t, chromedp.Do(tab, chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("#here"))))
	}

	visit(own.URL)
	require.Equal(t, "cors 201 ", try(`method: "POST", body: "milk"`))
	require.Equal(t, "cors 200 [\"milk\"]\n", try(`method: "GET"`), "with the cookie")
	require.Equal(t, "cors 201 ", try(`method: "POST", body: "bread", headers: {"Content-Type": "application/json"}`), "after a preflight")
	for _, foreign := range []string{neighbour.URL, otherSite} {
		visit(foreign)
		require.Equal(t, "TypeError", try(`method: "GET"`), "cannot read")
		require.Equal(t, "TypeError", try(`method: "POST", body: "gin"`), "cannot post")
		require.Equal(t, "TypeError", try(`method: "POST", body: "gin", headers: {"Content-Type": "application/json"}`))
		require.Equal(t, "TypeError", try(`method: "POST", body: "gin", mode: "no-cors"`))
	}
	visit(own.URL)
	require.Equal(t, "cors 200 [\"milk\",\"bread\"]\n", try(`method: "GET"`), "nothing was written by a foreign page")
	api.Close()
	require.Equal(t, 4, strings.Count(records.String(), "method=POST")-strings.Count(records.String(), "status=201"),
		"the posts that need no preflight did arrive")
	require.Equal(t, 6, strings.Count(records.String(), "status=403"), "and were refused, as were the preflights")
}

// chromium finds the browser. Without one the test is skipped, or fails when TEST_REQUIRE_SERVICES is 1.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("TEST_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("TEST_REQUIRE_SERVICES") == "1" {
		t.Fatal("no chromium in PATH or TEST_CHROMIUM, and TEST_REQUIRE_SERVICES is 1")
	}
	t.Skip("no chromium in PATH or TEST_CHROMIUM")
	return ""
}
