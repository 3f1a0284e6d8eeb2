package main_test

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/internal/testdb"
)

// The tests of this file start the built program, as its users do, on an empty folder and a free
// port. The others of this package run the same server inside the test.

var binaries struct {
	sync.Once
	folder string
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if binaries.folder != "" {
		_ = os.RemoveAll(binaries.folder)
	}
	os.Exit(code)
}

// binary builds the program of a folder under examples once.
func binary(t *testing.T, name string) string {
	t.Helper()
	binaries.Do(func() {
		if binaries.folder, binaries.err = os.MkdirTemp("", "groundwork-e2e-"); binaries.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", binaries.folder, "../server", "../quote-demo")
		build.Stderr = os.Stderr
		binaries.err = build.Run()
	})
	require.NoError(t, binaries.err)
	return filepath.Join(binaries.folder, name)
}

// process is the server as a process of its own.
type process struct {
	t       *testing.T
	folder  string
	address string
	environ []string
	command *exec.Cmd
	log     *os.File
}

// launch starts the server on an empty folder and a free port.
func launch(t *testing.T, environ ...string) *process {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &process{t: t, folder: t.TempDir(), address: listener.Addr().String(), environ: environ}
	require.NoError(t, listener.Close())
	p.start()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			text, _ := os.ReadFile(filepath.Join(p.folder, "server.log"))
			t.Logf("server log:\n%s", text)
		}
	})
	return p
}

func (p *process) url() string { return "http://" + p.address }

func (p *process) start() {
	p.t.Helper()
	var err error
	p.log, err = os.OpenFile(filepath.Join(p.folder, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(p.t, err)
	p.command = exec.Command(binary(p.t, "server"))
	p.command.Dir = p.folder
	p.command.Env = append([]string{"LISTEN_ADDR=" + p.address, "HOME=" + p.folder, "LOG_LEVEL=warn"}, p.environ...)
	p.command.Stdout, p.command.Stderr = p.log, p.log
	require.NoError(p.t, p.command.Start())
	eventually(p.t, 60*time.Second, func() bool {
		response, err := http.Get(p.url() + "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	if p.command.ProcessState == nil {
		_ = p.command.Process.Signal(syscall.SIGKILL)
		_ = p.command.Wait()
		_ = p.log.Close()
	}
}

// interrupt ends the process as Ctrl-C does.
func (p *process) interrupt() {
	p.t.Helper()
	require.NoError(p.t, p.command.Process.Signal(os.Interrupt))
	require.NoError(p.t, p.command.Wait(), "the server did not stop cleanly")
	_ = p.log.Close()
}

// eachDatabase runs a test against the built server on each database.
func eachDatabase(t *testing.T, test func(t *testing.T, environ []string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, nil) })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, []string{"APP_ENV=development", "DATABASE_URL=" + testdb.Postgres(t)})
	})
}

func TestBinaryFromPhotosToAcceptedQuote(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, environ []string) {
		server := launch(t, environ...)
		c := api{t: t, base: server.url()}.signUp("photo-movers")
		s := c.survey("quote")

		living, study := s.room("Living room"), s.room("Study")
		state := s.analyse(living, "room-living.jpg", "room-living-cmyk.jpg", "room-living.webp", "hall-many-tables.jpg")
		require.Equal(t, "succeeded", state.text("status"), "%v", state)
		require.Equal(t, "simulator", state.text("model"))
		require.Equal(t, int64(100), state.pence("percent"))
		require.NotEmpty(t, state.list("items"))
		require.NotZero(t, state.pence("input_tokens"))
		state = s.analyse(study, "room-study.jpg", "room-study-16bit.png", "shelf-1-jpeg-named.png", "shelf-2-jpeg-named.png")
		require.Equal(t, "succeeded", state.text("status"), "%v", state)

		// The customer corrects what the model found, and the corrections survive another analysis.
		first := state.text("items", 0, "id")
		edited := s.do("PATCH", "/v1/survey/items/"+first, object{"name": "Grandfather clock", "qty": 2, "fragile": true}, http.StatusOK)
		require.Equal(t, "Grandfather clock", edited.text("name"))
		s.do("POST", "/v1/survey/rooms/"+study+"/items", piece("Cello", 1, 0.4, 6, fragile), http.StatusCreated)
		again := s.do("POST", "/v1/survey/rooms/"+study+"/analyses", nil, http.StatusAccepted)
		require.Equal(t, "succeeded", s.finished(again.text("id")).text("status"))
		names := map[string]int{}
		room := s.do("GET", "/v1/survey/rooms/"+study, nil, http.StatusOK)
		for i := range room.list("items") {
			names[room.text("items", i, "name")]++
		}
		require.Equal(t, 1, names["Grandfather clock"], "%v", names)
		require.Equal(t, 1, names["Cello"], "%v", names)

		s.do("PATCH", "/v1/survey", object{
			"contact": object{"name": "Alex Customer", "email": "alex@customer.example", "phone": "+44 7700 900123"},
			"pickup":  object{"label": "London", "lat": 51.5074, "lng": -0.1278},
			"dropoff": object{"label": "Brighton", "lat": 50.8225, "lng": -0.1372},
		}, http.StatusOK)
		s.do("PUT", "/v1/survey/access/pickup", object{"floors": 1, "parking_type": "street", "outdoor_access": "direct"}, http.StatusOK)
		quote := s.do("GET", "/v1/survey/quote", nil, http.StatusOK)
		require.Len(t, quote.at("lines"), 9)
		submitted := s.do("POST", "/v1/survey/submit", object{}, http.StatusOK)
		require.Equal(t, "awaiting_approval", submitted.text("status"))
		require.Equal(t, int64(2), c.owner.do("GET", "/v1/company", nil, http.StatusOK).pence("credits"))
		approved := c.owner.do("POST", "/v1/jobs/"+s.job+"/approve", object{"final_price_pence": 123456}, http.StatusOK)
		require.Equal(t, int64(123456), approved.pence("final_price_pence"))
		s.refused("POST", "/v1/survey/accept", object{"confirm": true, "price_pence": 1}, http.StatusConflict, "price_changed")
		accepted := s.do("POST", "/v1/survey/accept", object{"confirm": true, "price_pence": 123456}, http.StatusOK)
		require.Equal(t, "accepted", accepted.text("status"))
		server.interrupt()
	})
}

func TestBinaryWorkedExamples(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, environ []string) {
		server := launch(t, environ...)
		c := api{t: t, base: server.url()}.signUp("worked-examples")
		for _, example := range workedExamples() { // in turn: they share one price list
			t.Run(example.name, func(t *testing.T) { example.play(t, c) })
		}
	})
}

// A power cut in the middle of an analysis loses nothing and doubles nothing.
func TestBinaryKilledDuringAnalysis(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, environ []string) {
		server := launch(t, environ...)
		c := api{t: t, base: server.url()}.signUp("power-cut")
		s := c.survey("quote")
		room := s.room("Living room")
		upload := s.do("POST", "/v1/survey/rooms/"+room+"/photos",
			photos(t, "room-living.jpg", "room-study.jpg", "hall-many-tables.jpg", "shelf-1-jpeg-named.png", "shelf-2-jpeg-named.png", "room-living.webp"),
			http.StatusAccepted)
		id := upload.text("analysis", "id")
		eventually(t, 20*time.Second, func() bool {
			return s.do("GET", "/v1/survey/analyses/"+id, nil, http.StatusOK)["status"] == "running"
		})
		server.kill()
		server.start()
		state := s.finished(id)
		require.Equal(t, "succeeded", state.text("status"), "%v", state)

		after := s.do("GET", "/v1/survey/rooms/"+room, nil, http.StatusOK)
		require.Len(t, after.list("photos"), 6)
		seen := map[string]bool{}
		for i := range after.list("items") {
			name := after.text("items", i, "name")
			require.False(t, seen[name], "%s stands twice", name)
			seen[name] = true
		}
		require.Len(t, after.list("items"), len(state.list("items")))
		require.NotEmpty(t, seen)
		photo := s.call("GET", "/v1/survey/photos/"+after.text("photos", 0, "id")+"/content", nil)
		require.Equal(t, http.StatusOK, photo.status)
		require.Equal(t, "image/jpeg", photo.header.Get("Content-Type"))
	})
}

// The program that the start-up message names does what it says, also a second time.
func TestBinaryDemo(t *testing.T) {
	t.Parallel()
	server := launch(t)
	for _, greeting := range []string{"Signed up", "logging in", "(bright-removals-3)"} {
		demo := exec.Command(binary(t, "quote-demo"), "-url", server.url(), "-photos", photoFolder)
		var out bytes.Buffer
		demo.Stdout, demo.Stderr = &out, &out
		require.NoError(t, demo.Run(), out.String())
		require.Contains(t, out.String(), greeting)
		require.Contains(t, out.String(), "Accepted:   accepted")
		for _, line := range []string{"base", "volume", "bulky", "fragile", "weight", "distance", "access", "packing", "service"} {
			require.Regexp(t, `(?m)^ *`+line+` +GBP \d+\.\d\d$`, out.String())
		}
	}
	log, err := os.ReadFile(filepath.Join(server.folder, "server.log"))
	require.NoError(t, err)
	require.Contains(t, string(log), "quote-demo -url "+server.url())
	require.Contains(t, string(log), "SIMULATED")
	// Whoever tries the server finds the mails on its terminal.
	require.Contains(t, string(log), "To: owner@bright-removals.example")
	require.Contains(t, string(log), server.url()+"/verify-email#token=ot_")
	require.NotContains(t, strings.ToLower(string(log)), "bearer")
	require.NotContains(t, string(log), "svy_")
}
