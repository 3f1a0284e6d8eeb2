package visionsim_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
	"github.com/groundwork-go/groundwork/vision/visionsim"
)

// contract compiles one definition of OpenAI's own description.
func contract(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "testdata", "contracts", "openai-chat-completion.schema.json"))
	require.NoError(t, err)
	defer file.Close()
	doc, err := jsonschema.UnmarshalJSON(file)
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("urn:contract", doc))
	s, err := c.Compile("urn:contract#/$defs/" + name)
	require.NoError(t, err)
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, body []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, s.Validate(doc))
}

func picture(t testing.TB, n int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 32, 32))
	for i := range 32 {
		img.SetRGBA(i, (i*n)%32, color.RGBA{uint8(n), 200, 30, 255})
	}
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

func analyzer(t testing.TB, cfg visionsim.Config) *vision.OpenAI {
	t.Helper()
	a, err := vision.New(vision.Config{
		BaseURL: visionsim.BaseURL, HTTPClient: visionsim.Client(cfg), APIKey: cfg.APIKey,
	})
	require.NoError(t, err)
	return a
}

func photos(t testing.TB, room string, n int) []vision.Photo {
	t.Helper()
	out := make([]vision.Photo, n)
	for i := range out {
		out[i] = vision.Photo{ID: fmt.Sprintf("p%d", i+1), Room: room, Data: picture(t, i+1)}
	}
	return out
}

func TestRooms(t *testing.T) {
	t.Parallel()
	a := analyzer(t, visionsim.Config{})
	for room, least := range map[string]int{
		"Living room": 8, "Main bedroom": 8, "Kitchen": 8, "Study": 7, "Home office": 7, "Hall": 5,
		"Master bathroom": 4, "Garage": 6, "Whole Property": 14, "Dining room": 6, "Room 7": 5,
		"Garden": 2, "House from outside": 0,
	} {
		t.Run(room, func(t *testing.T) {
			t.Parallel()
			result, err := a.Analyze(t.Context(), vision.Request{Photos: photos(t, room, 6)})
			require.NoError(t, err)
			require.True(t, result.Complete)
			require.Equal(t, visionsim.Model, result.Model)
			require.NotEmpty(t, result.Rooms[0].Summary)
			found := result.Items()
			require.GreaterOrEqual(t, len(found), least)
			if least == 0 {
				require.Empty(t, found)
				return
			}
			fragile, packed, names := 0, 0, map[string]bool{}
			for _, it := range found {
				require.Empty(t, it.Flags, it.Name)
				require.NotEmpty(t, it.PhotoIDs)
				require.NotNil(t, it.VolumeM3)
				require.NotNil(t, it.WeightKG)
				require.False(t, names[it.Name], "%s twice", it.Name)
				names[it.Name] = true
				if it.Fragile {
					fragile++
				}
				if it.Packing != vision.PackingNone {
					packed++
				}
				if g, ok := vision.MatchVariant(it.Name); ok {
					require.Equal(t, g.Key, it.Variant)
				}
			}
			if least > 4 && room != "Garage" {
				require.Positive(t, fragile)
				require.Positive(t, packed)
			}
			require.Positive(t, result.Usage.InputTokens)
			require.Positive(t, result.Usage.OutputTokens)
		})
	}
}

func TestAnswersRepeatAndVary(t *testing.T) {
	t.Parallel()
	a := analyzer(t, visionsim.Config{})
	list := func(room string, photo int) []vision.Item {
		result, err := a.Analyze(t.Context(), vision.Request{
			Photos: []vision.Photo{{Room: room, Data: picture(t, photo)}},
		})
		require.NoError(t, err)
		return result.Items()
	}
	require.Equal(t, list("Kitchen", 1), list("Kitchen", 1))
	differ := 0
	for n := 2; n < 8; n++ {
		if fmt.Sprint(list("Kitchen", n)) != fmt.Sprint(list("Kitchen", 1)) {
			differ++
		}
	}
	require.Positive(t, differ, "other pictures show other things")
	require.GreaterOrEqual(t, len(list("Kitchen", 1)), 4)
}

func TestNothingIsRepeated(t *testing.T) {
	t.Parallel()
	a := analyzer(t, visionsim.Config{})
	first, err := a.Analyze(t.Context(), vision.Request{Photos: photos(t, "Lounge", 1)})
	require.NoError(t, err)
	var known []string
	for _, it := range first.Items() {
		known = append(known, it.Name)
	}
	again, err := a.Analyze(t.Context(), vision.Request{Photos: photos(t, "Lounge", 1), Known: known})
	require.NoError(t, err)
	require.Empty(t, again.Items())

	all, err := a.Analyze(t.Context(), vision.Request{Photos: photos(t, "Lounge", 14)})
	require.NoError(t, err)
	require.Equal(t, 3, all.Usage.Requests)
	names := map[string]bool{}
	for _, it := range all.Items() {
		require.False(t, names[it.Name], it.Name)
		require.False(t, it.Has(vision.FlagMerged))
		names[it.Name] = true
	}
}

// request is a body as package vision sends it.
func request(t *testing.T) string {
	t.Helper()
	var schema bytes.Buffer
	require.NoError(t, json.Compact(&schema, vision.Schema()))
	return fmt.Sprintf(`{"model":"gpt-4.1-mini","messages":[{"role":"user","content":[`+
		`{"type":"text","text":"room: \"Study\"\n"},`+
		`{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,%s","detail":"high"}}]}],`+
		`"temperature":0.1,"max_completion_tokens":4000,"stream":false,"response_format":{"type":"json_schema",`+
		`"json_schema":{"name":"moving_inventory","strict":true,"schema":%s}}}`,
		base64.StdEncoding.EncodeToString(picture(t, 1)), schema.String())
}

func post(t *testing.T, url, body string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, data
}

func TestProtocol(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(visionsim.New(visionsim.Config{APIKey: "k"}))
	defer srv.Close()
	url := srv.URL + "/v1/chat/completions"
	answers, faults := contract(t, "CreateChatCompletionResponse"), contract(t, "ErrorResponse")
	good := request(t)
	validate(t, contract(t, "StrictChatCompletionRequest"), []byte(good))

	resp, body := post(t, url, good, "Authorization", "Bearer k")
	require.Equal(t, http.StatusOK, resp.StatusCode, string(body))
	validate(t, answers, body)
	require.Contains(t, string(body), `"model":"simulator"`)

	short := strings.Replace(good, `:4000`, `:20`, 1)
	_, body = post(t, url, short, "Authorization", "Bearer k")
	validate(t, answers, body)
	require.Contains(t, string(body), `"finish_reason":"length"`)

	resp, body = post(t, url, good, "Authorization", "Bearer wrong")
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	validate(t, faults, body)
	resp, body = post(t, srv.URL+"/v1/embeddings", good)
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
	validate(t, faults, body)
	resp, err := http.Get(url)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)

	for _, broken := range []struct{ old, new string }{
		{`"model":"gpt-4.1-mini",`, ``},
		{`"messages":[`, `"messages":[],"x":[`},
		{`"user"`, `"person"`},
		{`"user"`, `"system"`},
		{`"high"`, `"medium"`},
		{`data:image/jpeg;base64,`, `https://example.com/`},
		{`image/jpeg`, `image/heic`},
		{`image/jpeg`, `image/png`},
		{`:0.1`, `:3`},
		{`:4000`, `:0`},
		{`:4000`, `:4000,"max_tokens":5`},
		{`"stream":false`, `"stream":true`},
		{`"stream":false`, `"stream":false,"n":2`},
		{`"json_schema",`, `"yaml",`},
		{`"name":"moving_inventory",`, ``},
		{`"items":`, `"things":`},
		{`{"model"`, `{{"model"`},
		{`"type":"text"`, `"type":"audio"`},
	} {
		text := strings.Replace(good, broken.old, broken.new, 1)
		require.NotEqual(t, good, text, broken.old)
		resp, body := post(t, url, text, "Authorization", "Bearer k")
		require.Equal(t, http.StatusBadRequest, resp.StatusCode, broken.new)
		validate(t, faults, body)
	}
}

func TestLongestAnswerFits(t *testing.T) {
	t.Parallel()
	a, err := vision.New(vision.Config{
		BaseURL: visionsim.BaseURL, MaxOutput: 4000, HTTPClient: visionsim.Client(visionsim.Config{}),
	})
	require.NoError(t, err)
	_, err = a.Analyze(t.Context(), vision.Request{Photos: photos(t, "Whole Property", 6)})
	require.NoError(t, err, "a whole property fits the smallest output limit")
}

func TestKey(t *testing.T) {
	t.Parallel()
	_, err := analyzer(t, visionsim.Config{APIKey: "k"}).
		Analyze(t.Context(), vision.Request{Photos: photos(t, "Hall", 1)})
	require.NoError(t, err)
	a, err := vision.New(vision.Config{
		BaseURL: visionsim.BaseURL, HTTPClient: visionsim.Client(visionsim.Config{APIKey: "k"}), APIKey: "x",
	})
	require.NoError(t, err)
	_, err = a.Analyze(t.Context(), vision.Request{Photos: photos(t, "Hall", 1)})
	require.ErrorIs(t, err, vision.ErrUnauthorized)
}

func TestLatency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := analyzer(t, visionsim.Config{Latency: time.Second, PhotoLatency: 100 * time.Millisecond})
		result, err := a.Analyze(t.Context(), vision.Request{Photos: photos(t, "Hall", 3)})
		require.NoError(t, err)
		require.Equal(t, 1300*time.Millisecond, result.Usage.Duration)

		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		_, err = a.Analyze(ctx, vision.Request{Photos: photos(t, "Hall", 3)})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func FuzzSimulator(f *testing.F) {
	f.Add(`{"model":"m","messages":[{"role":"user","content":"room: \"Hall\""}]}`)
	f.Add(`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}`)
	h := visionsim.New(visionsim.Config{})
	f.Fuzz(func(t *testing.T, body string) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/chat/completions", strings.NewReader(body)))
		if rec.Code != 200 && rec.Code != 400 || !json.Valid(rec.Body.Bytes()) {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
	})
}

func ExampleClient() {
	analyzer, err := vision.New(vision.Config{
		BaseURL:    visionsim.BaseURL,
		HTTPClient: visionsim.Client(visionsim.Config{}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 640, 480)), nil); err != nil {
		fmt.Println(err)
		return
	}
	result, err := analyzer.Analyze(context.Background(), vision.Request{
		Photos: []vision.Photo{{ID: "p1", Room: "Bathroom", Data: photo.Bytes()}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Model, result.Complete)
	for _, it := range result.Items()[:4] {
		fmt.Println(it.Quantity, it.Name, *it.VolumeM3, it.Packing)
	}
	// Output:
	// simulator true
	// 1 Free-standing bathroom cabinet 0.168 none
	// 1 Laundry basket 0.0945 none
	// 1 Towels and linen 0.0911 medium_box
	// 1 Toiletries 0.0473 small_box
}
