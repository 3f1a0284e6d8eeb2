package docs_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// browser starts a Chromium that talks to nobody but the test, and returns its context. Without
// Chromium the test is skipped, or fails when TEST_REQUIRE_SERVICES is 1.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{os.Getenv("TEST_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("TEST_REQUIRE_SERVICES") == "1" {
			t.Fatal("no chromium in PATH or TEST_CHROMIUM, and TEST_REQUIRE_SERVICES is 1")
		}
		t.Skip("no chromium in PATH or TEST_CHROMIUM")
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	t.Cleanup(cancel)
	return ctx
}

// visit opens a page, waits until selector is visible, runs the script use and waits until what it opens
// is visible too. It returns everything worse than information that reached the console: scripts that fail,
// files that do not load, violations of the policy.
func visit(t *testing.T, allocator context.Context, address, selector, use, opened string) (problems []string) {
	t.Helper()
	ctx, cancel := chromedp.NewContext(allocator)
	defer cancel()
	limited, done := context.WithTimeout(ctx, time.Minute)
	defer done()
	console := chromedp.Console(limited)
	require.NoError(t, chromedp.Do(limited,
		chromedp.Navigate(address),
		chromedp.WaitVisible(chromedp.CSS(selector)),
	))
	if use != "" {
		_, err := chromedp.Run(limited, chromedp.Evaluate[bool](use+`, true`))
		require.NoError(t, err)
		require.NoError(t, chromedp.Do(limited, chromedp.WaitVisible(chromedp.CSS(opened))))
	}
	// A message of our own marks the end: what the page wrote before comes before it.
	_, err := chromedp.Run(limited, chromedp.Evaluate[bool](`console.log("groundwork: end"), true`))
	require.NoError(t, err)
	for message, err := range console {
		require.NoError(t, err)
		if message.Text == "groundwork: end" {
			break
		}
		switch message.Type {
		case chromedp.ConsoleWarning, chromedp.ConsoleError, chromedp.ConsoleException:
			problems = append(problems, message.String()+" "+message.URL)
		}
	}
	return problems
}

func TestPagesInTheBrowser(t *testing.T) {
	t.Parallel()
	allocator := browser(t)
	s := servertest.Start(t, servertest.Options{})
	require.Empty(t, visit(t, allocator, s.URL+"/docs", ".swagger-ui .opblock",
		`document.querySelector(".opblock-summary-control").click()`, ".swagger-ui .opblock-body .responses-table"))
	require.Empty(t, visit(t, allocator, s.URL+"/redoc", `#redoc-page [id^="operation/"], #redoc-page [id^="tag/"]`, "", ""))

	// The check itself: a page that breaks its policy and has a script error is noticed.
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(`document.body.setAttribute("style", "color:red"); missing()`))
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; img-src data:")
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,"><body><p id="here">x</p><script src="/x.js"></script>`))
	}))
	t.Cleanup(bad.Close)
	require.Len(t, visit(t, allocator, bad.URL+"/", "#here", "", ""), 2)
	// A violation by what is opened later counts as well.
	require.Len(t, visit(t, allocator, bad.URL+"/", "#here",
		`document.body.insertAdjacentHTML("beforeend", "<p id=late style='color:red'>y</p>")`, "#late"), 3)
}
