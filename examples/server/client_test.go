package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const photoFolder = "../../vision/testdata/photos"

// api calls a server with one credential.
type api struct {
	t     testing.TB
	base  string
	token string
}

func (a api) with(token string) api { a.token = token; return a }

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call sends body, a string as it is and anything else as JSON.
func (a api) call(method, path string, body any, header ...string) answer {
	a.t.Helper()
	var content io.Reader
	contentType := "application/json"
	switch b := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(b)
	case *form:
		content, contentType = &b.body, b.contentType()
	default:
		text, err := json.Marshal(b)
		require.NoError(a.t, err)
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, content)
	require.NoError(a.t, err)
	if body != nil {
		request.Header.Set("Content-Type", contentType)
	}
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(a.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(a.t, err)
	return answer{response.StatusCode, response.Header, text}
}

// do is call with an answer of the wanted status, decoded.
func (a api) do(method, path string, body any, want int, header ...string) object {
	a.t.Helper()
	got := a.call(method, path, body, header...)
	require.Equal(a.t, want, got.status, "%s %s: %s", method, path, got.body)
	if len(got.body) == 0 {
		return nil
	}
	return got.object(a.t)
}

// refused is call with a problem of the wanted status and code.
func (a api) refused(method, path string, body any, status int, code string, header ...string) object {
	a.t.Helper()
	got := a.call(method, path, body, header...)
	require.Equal(a.t, status, got.status, "%s %s: %s", method, path, got.body)
	require.Equal(a.t, "application/problem+json", got.header.Get("Content-Type"))
	p := got.object(a.t)
	require.Equal(a.t, code, p["code"], "%s", got.body)
	require.NotEmpty(a.t, p["request_id"])
	return p
}

// object is a decoded JSON object.
type object map[string]any

func (a answer) object(t testing.TB) object {
	t.Helper()
	var o object
	require.NoError(t, json.Unmarshal(a.body, &o), "%s", a.body)
	return o
}

// at follows names and list positions into the object.
func (o object) at(path ...any) any {
	var v any = map[string]any(o)
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

func (o object) text(path ...any) string { s, _ := o.at(path...).(string); return s }

func (o object) pence(path ...any) int64 { n, _ := o.at(path...).(float64); return int64(n) }

func (o object) list(path ...any) []any { l, _ := o.at(path...).([]any); return l }

// form is a multipart upload.
type form struct {
	body   bytes.Buffer
	writer *multipart.Writer
}

// photos makes the form of an upload of files from the photo folder.
func photos(t testing.TB, names ...string) *form {
	t.Helper()
	f := &form{}
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(photoFolder, name))
		require.NoError(t, err)
		f.add(t, filepath.Base(name), content)
	}
	return f
}

func (f *form) add(t testing.TB, name string, content []byte) {
	t.Helper()
	if f.writer == nil {
		f.writer = multipart.NewWriter(&f.body)
	}
	part, err := f.writer.CreateFormFile("photos", name)
	require.NoError(t, err)
	_, err = part.Write(content)
	require.NoError(t, err)
}

func (f *form) contentType() string {
	_ = f.writer.Close() // into memory, cannot fail
	return f.writer.FormDataContentType()
}

// eventually asks until ok, which must be within limit.
func eventually(t testing.TB, limit time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %v", limit)
		case <-tick.C:
		}
	}
}

// company is a signed-up company.
type company struct {
	owner   api
	session object
}

// signUp founds a company with the slug.
func (a api) signUp(slug string) company {
	a.t.Helper()
	session := a.do("POST", "/v1/auth/signup", signUpBody(slug), http.StatusCreated)
	return company{a.with(session.text("access_token")), session}
}

func signUpBody(slug string) object {
	return object{
		"company_name": "Company " + slug, "slug": slug, "email": slug + "@example.com",
		"full_name": "Robin Owner", "password": testPassword, "accept_terms": true,
	}
}

const testPassword = "Quick-brown-fox-7"

// survey is an open survey of a company.
type survey struct {
	api
	job string
}

func (c company) survey(mode string) survey {
	c.owner.t.Helper()
	made := c.owner.do("POST", "/v1/surveys", object{"mode": mode}, http.StatusCreated)
	return survey{c.owner.with(made.text("survey_token")), made.text("job", "id")}
}

// room adds a room and returns its id.
func (s survey) room(name string) string {
	s.t.Helper()
	return s.do("POST", "/v1/survey/rooms", object{"name": name}, http.StatusCreated).text("id")
}

// analyse uploads photos to a room and waits for the analysis; it returns the final state.
func (s survey) analyse(room string, names ...string) object {
	s.t.Helper()
	upload := s.do("POST", "/v1/survey/rooms/"+room+"/photos", photos(s.t, names...), http.StatusAccepted)
	for i, name := range names {
		require.Equal(s.t, true, upload.at("photos", i, "accepted"), "%s: %v", name, upload.at("photos", i))
	}
	return s.finished(upload.text("analysis", "id"))
}

func (s survey) finished(analysis string) object {
	s.t.Helper()
	var state object
	eventually(s.t, 60*time.Second, func() bool {
		state = s.do("GET", "/v1/survey/analyses/"+analysis, nil, http.StatusOK)
		return state["status"] != "queued" && state["status"] != "running"
	})
	return state
}
