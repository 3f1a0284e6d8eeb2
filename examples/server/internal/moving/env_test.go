package moving_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/examples/server/internal/blob"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/examples/server/internal/moving"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/examples/server/migrations"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/sqldb"
	"github.com/groundwork-go/groundwork/vision"
)

// env is one server of this domain on a database of its own.
type env struct {
	t        *testing.T
	db       sqldb.TxDB
	service  *moving.Service
	registry *jobs.Registry
	queue    *queue
	analyzer *analyzer
	server   *httptest.Server
	filesDir string

	mu    sync.Mutex
	clock time.Time
}

// each runs a test on SQLite and, when there is one, on PostgreSQL.
func each(t *testing.T, test func(t *testing.T, e *env)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newEnv(t, openSQLite(t)))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newEnv(t, openPostgres(t)))
	})
}

func openSQLite(t *testing.T) sqldb.TxDB {
	t.Helper()
	writeDSN, readDSN, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: testdb.SQLitePath(t)})
	require.NoError(t, err)
	write, err := sql.Open("sqlite", writeDSN)
	require.NoError(t, err)
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", readDSN)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, write.Close()); require.NoError(t, read.Close()) })
	migrate(t, write, sqldb.DialectSQLite)
	return sqldb.SQLite(write, read)
}

func openPostgres(t *testing.T) sqldb.TxDB {
	t.Helper()
	db, err := sql.Open("pgx", testdb.Postgres(t))
	require.NoError(t, err)
	db.SetMaxOpenConns(10)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	migrate(t, db, sqldb.DialectPostgres)
	return sqldb.SQL(db, sqldb.DialectPostgres)
}

// migrate makes the tables of the server.
func migrate(t *testing.T, db *sql.DB, d sqldb.Dialect) {
	t.Helper()
	files, err := migrations.FS(d)
	require.NoError(t, err)
	dialect := goose.DialectSQLite3
	if d == sqldb.DialectPostgres {
		dialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, db, files)
	require.NoError(t, err)
	_, err = provider.Up(t.Context())
	require.NoError(t, err)
}

type staffKey struct{}

// requireStaff takes the token "staff:<company>" for an owner of that company.
func requireStaff(next http.Handler) http.Handler {
	return middleware.Handle(func(w http.ResponseWriter, r *http.Request) error {
		id, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer staff:")
		if !ok {
			return fault.New(fault.Unauthenticated, "")
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), staffKey{}, id)))
		return nil
	})
}

func newEnv(t *testing.T, db sqldb.TxDB) *env {
	t.Helper()
	e := &env{
		t: t, db: db, queue: &queue{}, analyzer: &analyzer{}, filesDir: t.TempDir(),
		clock: time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC), registry: jobs.NewRegistry(),
	}
	files, err := blob.OpenLocal(e.filesDir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, files.Close()) })
	keys, err := pagination.NewKeyring(pagination.Key{ID: 1, Secret: [32]byte{1}})
	require.NoError(t, err)
	trail, err := audit.New(audit.Config{Sink: sqlaudit.On(db), Now: e.now})
	require.NoError(t, err)
	e.service, err = moving.New(moving.Config{
		DB: db, Queue: e.queue, Files: files, Analyzer: e.analyzer, PublicURL: "https://app.example/",
		Lists: lists.New(keys), Audit: trail, Now: e.now,
		Staff: func(ctx context.Context) (moving.Staff, bool) {
			id, ok := ctx.Value(staffKey{}).(string)
			return moving.Staff{UserID: "u", CompanyID: id, Role: "owner"}, ok
		},
		RequireStaff:  func(rbac.Permission) middleware.Middleware { return requireStaff },
		RequireMember: requireStaff, RequireVerified: requireStaff,
		Found: func(context.Context, moving.NewCompany, bool) (string, error) { return "", moving.ErrNotFound },
	})
	require.NoError(t, err)
	e.service.Workers(e.registry)
	mux := http.NewServeMux()
	e.service.Register(mux, rest.New(mux, huma.Info{Title: "test", Version: "1"}))
	e.server = httptest.NewServer(mux)
	t.Cleanup(e.server.Close)
	return e
}

func (e *env) now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.clock
}

func (e *env) advance(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clock = e.clock.Add(d)
}

// queue remembers what was enqueued.
type queue struct {
	mu   sync.Mutex
	jobs []jobs.Args
}

func (q *queue) Enqueue(_ context.Context, _ sqldb.DB, args jobs.Args, _ jobs.Options) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, args)
	return nil
}

func (q *queue) take() []jobs.Args {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.jobs
	q.jobs = nil
	return list
}

// work runs everything that was enqueued and returns the first error.
func (e *env) work() error {
	for _, job := range e.queue.take() {
		if err := e.registry.Run(e.t.Context(), job); err != nil {
			return err
		}
	}
	return nil
}

// analyzer answers what the test says; without that one sofa for each room.
type analyzer struct {
	mu     sync.Mutex
	answer func(ctx context.Context, r vision.Request) (*vision.Result, error)
	asked  []vision.Request
}

func (a *analyzer) set(answer func(ctx context.Context, r vision.Request) (*vision.Result, error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = answer
}

func (a *analyzer) Analyze(ctx context.Context, r vision.Request) (*vision.Result, error) {
	a.mu.Lock()
	a.asked = append(a.asked, r)
	answer := a.answer
	a.mu.Unlock()
	if answer != nil {
		return answer(ctx, r)
	}
	return found(r, vision.Item{Name: "Fabric sofa", Quantity: 1, Variant: "sofa"}), nil
}

// found is a complete result.
func found(r vision.Request, items ...vision.Item) *vision.Result {
	result := &vision.Result{
		Model: "test-model", PromptVersion: "p1", Complete: true,
		Usage: vision.Usage{Requests: 1, InputTokens: 100, OutputTokens: 10},
		Rooms: []vision.Room{{Name: r.Photos[0].Room, Summary: "A room.", Items: items}},
	}
	for _, photo := range r.Photos {
		result.Photos = append(result.Photos, vision.PhotoOutcome{ID: photo.ID, Status: vision.PhotoAnalyzed})
	}
	return result
}

func (e *env) company(slug string) moving.CompanyRef {
	e.t.Helper()
	var ref moving.CompanyRef
	err := e.db.InTx(e.t.Context(), func(tx sqldb.DB) error {
		var err error
		ref, err = e.service.CreateCompany(e.t.Context(), tx, moving.NewCompany{
			Name: "Company " + slug, Slug: slug, Email: slug + "@example.com",
		})
		return err
	})
	require.NoError(e.t, err)
	return ref
}

// survey opens a survey and returns it with its token.
func (e *env) survey(companyID string) (moving.Survey, string) {
	e.t.Helper()
	move, token, err := e.service.CreateSurvey(e.t.Context(), companyID, moving.NewSurvey{Mode: moving.ModeQuote})
	require.NoError(e.t, err)
	return moving.Survey{CompanyID: companyID, MoveID: move.ID}, token.Secret
}

// answer is what came back over HTTP.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

func (a answer) code() string { code, _ := a.body["code"].(string); return code }

// pointers lists the pointers or parameters of errors[].
func (a answer) pointers() []string {
	var list []string
	errors, _ := a.body["errors"].([]any)
	for _, e := range errors {
		field, _ := e.(map[string]any)
		for _, name := range []string{"pointer", "parameter"} {
			if text, ok := field[name].(string); ok {
				list = append(list, text)
			}
		}
	}
	return list
}

func (e *env) send(r *http.Request) answer {
	e.t.Helper()
	response, err := e.server.Client().Do(r)
	require.NoError(e.t, err)
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	require.NoError(e.t, err)
	a := answer{status: response.StatusCode, header: response.Header, text: string(data)}
	if strings.Contains(response.Header.Get("Content-Type"), "json") {
		require.NoError(e.t, json.Unmarshal(data, &a.body), "%s", data)
	}
	require.Less(e.t, a.status, 500, "%s %s: %s", r.Method, r.URL.Path, data)
	return a
}

// call sends JSON; headers are pairs of name and value.
func (e *env) call(credential, method, path, body string, headers ...string) answer {
	e.t.Helper()
	r, err := http.NewRequestWithContext(e.t.Context(), method, e.server.URL+path, strings.NewReader(body))
	require.NoError(e.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if credential != "" {
		r.Header.Set("Authorization", "Bearer "+credential)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return e.send(r)
}

// ok is call for requests that must succeed.
func (e *env) ok(credential, method, path, body string, headers ...string) answer {
	e.t.Helper()
	a := e.call(credential, method, path, body, headers...)
	require.Less(e.t, a.status, 300, "%s %s: %s", method, path, a.text)
	return a
}

type file struct {
	name string
	data []byte
}

func (e *env) upload(credential, path string, files ...file) answer {
	e.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, f := range files {
		part, err := form.CreateFormFile("photos", f.name)
		require.NoError(e.t, err)
		_, err = part.Write(f.data)
		require.NoError(e.t, err)
	}
	require.NoError(e.t, form.Close())
	r, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, e.server.URL+path, &body)
	require.NoError(e.t, err)
	r.Header.Set("Authorization", "Bearer "+credential)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return e.send(r)
}

// picture makes a JPEG whose bytes depend on n.
func picture(t *testing.T, n int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			img.Set(x, y, color.RGBA{uint8(n * 37), uint8(x * 4), uint8(y * 5), 255})
		}
	}
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, img, nil))
	return out.Bytes()
}

func (e *env) room(credential, name string) string {
	e.t.Helper()
	id, ok := e.ok(credential, "POST", "/v1/survey/rooms", `{"name":"`+name+`"}`).body["id"].(string)
	require.True(e.t, ok)
	return id
}

// fill completes a survey up to its submission.
func (e *env) fill(credential string) {
	e.t.Helper()
	e.ok(credential, "PATCH", "/v1/survey", `{"contact":{"name":"Alex","email":"alex@example.com","phone":"+44 7700 900123"},
		"pickup":{"label":"1 A St","city":"London"},"dropoff":{"label":"2 B St"}}`)
	e.ok(credential, "POST", "/v1/survey/rooms/"+e.room(credential, "Bed 1")+"/items",
		`{"name":"Bed","volume_m3":1.4,"weight_kg":35}`)
}
