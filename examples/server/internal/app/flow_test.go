package app_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/app"
	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
	"github.com/groundwork-go/groundwork/vision"
)

// room founds a company and opens a survey with one room, and returns the survey token and the path of
// the room.
func room(t *testing.T, s *servertest.Server) (token, path string) {
	t.Helper()
	slug := fmt.Sprintf("c%d", time.Now().UnixNano())
	res := s.Call(t, http.MethodPost, "/v1/auth/signup", "", map[string]any{
		"company_name": "Bright Removals", "slug": slug, "email": slug + "@example.com",
		"full_name": "Robin Owner", "password": "Correct-horse-7", "accept_terms": true,
	})
	require.Equal(t, http.StatusCreated, res.Status, "%s", res.Body)
	var session struct {
		AccessToken string `json:"access_token"`
	}
	res.JSON(t, &session)
	res = s.Call(t, http.MethodPost, "/v1/surveys", session.AccessToken, map[string]any{"mode": "quote"})
	require.Equal(t, http.StatusCreated, res.Status, "%s", res.Body)
	var survey struct {
		Token string `json:"survey_token"`
	}
	res.JSON(t, &survey)
	res = s.Call(t, http.MethodPost, "/v1/survey/rooms", survey.Token, map[string]any{"name": "Kitchen"})
	require.Equal(t, http.StatusCreated, res.Status, "%s", res.Body)
	return survey.Token, res.Header.Get("Location")
}

// photo returns a multipart body with one real photo.
func photo(t *testing.T) (body []byte, contentType string) {
	t.Helper()
	found, err := filepath.Glob("../../../../vision/testdata/photos/*.jpg")
	require.NoError(t, err)
	require.NotEmpty(t, found)
	content, err := os.ReadFile(found[0])
	require.NoError(t, err)
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	part, err := w.CreateFormFile("photos", "kitchen.jpg")
	require.NoError(t, err)
	_, err = part.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return buf.Bytes(), w.FormDataContentType()
}

// patient is a model that thinks until it is released.
type patient struct{ asked, release chan struct{} }

func (p patient) Analyze(ctx context.Context, _ vision.Request) (*vision.Result, error) {
	select {
	case p.asked <- struct{}{}:
	default:
	}
	select {
	case <-p.release:
		return nil, vision.ErrUnavailable
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// An open event stream ends when the server stops, instead of holding it up.
func TestStopEndsEventStreams(t *testing.T) {
	t.Parallel()
	model := patient{asked: make(chan struct{}, 1), release: make(chan struct{})}
	s := servertest.Start(t, servertest.Options{App: app.Options{Analyzer: model}})
	token, path := room(t, s)
	body, contentType := photo(t)
	res := s.Call(t, http.MethodPost, path+"/photos", token, body, "Content-Type", contentType)
	require.Equal(t, http.StatusAccepted, res.Status, "%s", res.Body)
	var upload struct{ Analysis struct{ ID string } }
	res.JSON(t, &upload)
	<-model.asked

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/survey/analyses/"+upload.Analysis.ID+"/events", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	stream, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = stream.Body.Close() }()
	require.Equal(t, http.StatusOK, stream.StatusCode)
	require.Contains(t, stream.Header.Get("Content-Type"), "text/event-stream")
	lines := bufio.NewReader(stream.Body)
	_, err = lines.ReadString('\n')
	require.NoError(t, err)

	ended := make(chan time.Duration, 1)
	start := time.Now()
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		ended <- time.Since(start)
		close(model.release) // the server waits for the job
	}()
	s.Stop(t)
	require.Less(t, <-ended, 5*time.Second)
}

// Production without a model refuses photos and serves everything else.
func TestProductionWithoutModel(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("A", 42) + "E"
	dir := t.TempDir()
	s := servertest.Start(t, servertest.Options{Environ: []string{
		"APP_ENV=production", "PUBLIC_URL=http://127.0.0.1", "STORAGE_URL=file:" + filepath.Join(dir, "files"),
		"DATABASE_URL=sqlite:" + filepath.Join(dir, "x.db"),
		"AUTH_SIGNING_KEYS=a:" + key, "AUTH_REFRESH_KEYS=" + key, "CURSOR_KEY=1:" + key, "ENCRYPTION_KEY=a:" + key,
	}})
	token, path := room(t, s)
	body, contentType := photo(t)
	res := s.Call(t, http.MethodPost, path+"/photos", token, body, "Content-Type", contentType)
	require.Equal(t, http.StatusServiceUnavailable, res.Status)
	require.Equal(t, "not_configured", res.Code())
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	res = s.Call(t, http.MethodPost, path+"/analyses", token, nil)
	require.Equal(t, "not_configured", res.Code())
}
