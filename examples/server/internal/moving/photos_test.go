package moving_test

import (
	"bytes"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stored counts the files that are kept, half-written ones included.
func (e *env) stored() int {
	e.t.Helper()
	n := 0
	require.NoError(e.t, fs.WalkDir(os.DirFS(e.filesDir), ".", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	}))
	return n
}

func TestUploadOutcomes(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token := e.survey(e.company("bright").ID)
		path := "/v1/survey/rooms/" + e.room(token, "Loft") + "/photos"
		var animation, tiny bytes.Buffer
		require.NoError(t, gif.Encode(&animation, image.NewGray(image.Rect(0, 0, 64, 64)), nil))
		require.NoError(t, png.Encode(&tiny, image.NewGray(image.Rect(0, 0, 1, 1))))
		whole := picture(t, 1)
		refused := []struct {
			name   string
			data   []byte
			status int
			code   string
		}{
			{"empty.jpg", nil, 422, "image_empty"},
			{"magic.jpg", []byte("\xff\xd8\xff"), 422, "image_corrupt"},
			{"cut.jpg", whole[:len(whole)/2], 422, "image_corrupt"},
			{"tiny.png", tiny.Bytes(), 422, "image_dimensions"},
			{"still.gif", animation.Bytes(), 415, "unsupported_media"},
			{"page.png", []byte("<!doctype html><script>alert(1)</script>"), 415, "unsupported_media"},
			{"doc.webp", []byte("%PDF-1.7 ..."), 415, "unsupported_media"},
			{"../../etc/passwd", []byte("root:x:0"), 415, "unsupported_media"},
		}
		for _, tt := range refused {
			a := e.upload(token, path, file{tt.name, tt.data})
			require.Equal(t, tt.status, a.status, "%s: %s", tt.name, a.text)
			require.Equal(t, tt.code, a.code(), tt.name)
			require.Len(t, a.body["photos"], 1)
			require.NotContains(t, a.text, "script")
		}
		require.Zero(t, e.stored())
		require.Empty(t, e.queue.take())

		mixed := e.upload(token, path, file{"bad.gif", animation.Bytes()}, file{"C:\\a\\good.jpg", whole}, file{"same.jpg", whole})
		require.Equal(t, 202, mixed.status, mixed.text)
		photos := mixed.body["photos"].([]any)
		bad, good, same := photos[0].(map[string]any), photos[1].(map[string]any), photos[2].(map[string]any)
		require.Equal(t, []any{"bad.gif", false, "unsupported_media", nil}, []any{bad["name"], bad["accepted"], bad["code"], bad["photo"]})
		require.Equal(t, []any{"good.jpg", true, nil}, []any{good["name"], good["accepted"], good["code"]})
		require.Equal(t, []any{true, "duplicate", good["photo"]}, []any{same["accepted"], same["code"], same["photo"]})
		require.Equal(t, 1, e.stored())
		require.NoError(t, e.work())

		known := e.upload(token, path, file{"again.jpg", whole})
		require.Equal(t, 200, known.status)
		require.Nil(t, known.body["analysis"])
		require.Equal(t, 1, e.stored())
		require.Empty(t, e.queue.take())

		id := good["photo"].(map[string]any)["id"].(string)
		content := e.ok(token, "GET", "/v1/survey/photos/"+id+"/content", "")
		require.Equal(t, "image/jpeg", content.header.Get("Content-Type"))
		require.True(t, strings.HasPrefix(content.header.Get("Cache-Control"), "private"))
		_, err := jpeg.Decode(strings.NewReader(content.text))
		require.NoError(t, err)
		require.Equal(t, 204, e.call(token, "DELETE", "/v1/survey/photos/"+id, "").status)
		require.Equal(t, 404, e.call(token, "GET", "/v1/survey/photos/"+id+"/content", "").status)
		require.Zero(t, e.stored())
	})
}

func TestUploadLimits(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token := e.survey(e.company("bright").ID)
		path := "/v1/survey/rooms/" + e.room(token, "Loft") + "/photos"
		large := e.upload(token, path, file{"ok.jpg", picture(t, 1)}, file{"large.jpg", make([]byte, 10<<20+1)})
		require.Equal(t, 413, large.status)
		require.Equal(t, "too_large", large.code())

		var seven []file
		for n := range 7 {
			seven = append(seven, file{"a.jpg", picture(t, n)})
		}
		require.Equal(t, []string{"#/photos"}, e.upload(token, path, seven...).pointers())
		require.Equal(t, []string{"#/photos"}, e.upload(token, path).pointers())
		require.Equal(t, 415, e.call(token, "POST", path, `{}`).status)
		for name, body := range map[string]string{
			"cut short":   "--x\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"a\"\r\n\r\nabc",
			"no boundary": "nothing",
		} {
			a := e.call(token, "POST", path, body, "Content-Type", "multipart/form-data; boundary=x")
			require.Equal(t, 400, a.status, name)
			require.Equal(t, "malformed", a.code())
		}
		require.Equal(t, 400, e.call(token, "POST", path, "x", "Content-Type", "multipart/form-data").status)
		other := e.call(token, "POST", path, "--x\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nabc\r\n--x--\r\n",
			"Content-Type", "multipart/form-data; boundary=x")
		require.Equal(t, 422, other.status)
		require.Zero(t, e.stored())

		for n := range 5 {
			a := e.upload(token, path, sixPictures(t, n)...)
			require.Equal(t, 202, a.status, a.text)
		}
		a := e.upload(token, path, file{"a.jpg", picture(t, 200)})
		require.Equal(t, 409, a.status)
		require.Equal(t, "limit_reached", a.code())
		require.Equal(t, 30, e.stored(), "what was refused is gone")
	})
}

// sixPictures makes the pictures of a batch; no two batches share one.
func sixPictures(t *testing.T, batch int) []file {
	t.Helper()
	var files []file
	for n := range 6 {
		files = append(files, file{"a.jpg", picture(t, batch*6+n+1)})
	}
	return files
}

func TestUploadOfTheWholeProperty(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token := e.survey(e.company("bright").ID)
		for n := range 2 {
			require.Equal(t, 202, e.upload(token, "/v1/survey/photos", file{"a.jpg", picture(t, n)}).status)
		}
		rooms := e.ok(token, "GET", "/v1/survey/rooms", "").body
		require.InDelta(t, 1, rooms["total"], 0)
		room := rooms["items"].([]any)[0].(map[string]any)
		require.Equal(t, "Whole Property", room["name"])
		require.Len(t, room["photos"], 2)
		require.Equal(t, 204, e.call(token, "DELETE", "/v1/survey/rooms/"+room["id"].(string), "").status)
		require.Zero(t, e.stored())
		require.NoError(t, e.work(), "the analysis is gone with the room")
	})
}

// The server answers a file over the limit without reading the rest.
func TestUploadStopsAtTheLimit(t *testing.T) {
	t.Parallel()
	e := newEnv(t, openSQLite(t))
	_, token := e.survey(e.company("bright").ID)
	head := "--x\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"a\"\r\n\r\n"
	body := &endless{head: head}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		e.server.URL+"/v1/survey/photos", body)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	a := e.send(r)
	require.Equal(t, 413, a.status)
	require.Less(t, body.read, 40<<20)
}

// endless is a file without end.
type endless struct {
	head string
	read int
}

func (b *endless) Read(p []byte) (int, error) {
	n := copy(p, b.head)
	b.head = b.head[n:]
	clear(p[n:])
	b.read += len(p)
	return len(p), nil
}
