package vision_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
)

const testKey = "sk-test-very-secret"

// contract returns the compiled definitions of OpenAI's own description, once.
var contract = sync.OnceValue(func() map[string]*jsonschema.Schema {
	file, err := os.Open("testdata/contracts/openai-chat-completion.schema.json")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	doc, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	const urn = "urn:openai-openapi:chat-completion"
	if err := c.AddResource(urn, doc); err != nil {
		panic(err)
	}
	out := map[string]*jsonschema.Schema{}
	for _, name := range []string{
		"StrictChatCompletionRequest", "CreateChatCompletionResponse", "ErrorResponse",
	} {
		out[name] = c.MustCompile(urn + "#/$defs/" + name)
	}
	return out
})

// checkContract returns why body does not follow the named definition.
func checkContract(name string, body []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return contract()[name].Validate(doc)
}

// sentRequest is a request as the fake received it.
type sentRequest struct {
	Model       string   `json:"model"`
	Temperature *float64 `json:"temperature"`
	MaxTokens   *int     `json:"max_tokens"`
	MaxOutput   *int     `json:"max_completion_tokens"`
	Format      struct {
		Type   string `json:"type"`
		Schema *struct {
			Name   string          `json:"name"`
			Strict bool            `json:"strict"`
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	header http.Header
}

// text returns all text of message i.
func (r sentRequest) text(i int) string {
	var s string
	if json.Unmarshal(r.Messages[i].Content, &s) == nil {
		return s
	}
	var parts []struct{ Text string }
	_ = json.Unmarshal(r.Messages[i].Content, &parts)
	for _, p := range parts {
		s += p.Text + "\n"
	}
	return s
}

// images counts the pictures of the first message.
func (r sentRequest) images() int {
	return strings.Count(string(r.Messages[0].Content), `"image_url":{`)
}

// step answers one request.
type step func(w http.ResponseWriter, r *http.Request)

// fake is a model server that shares no code with the package or with visionsim.
type fake struct {
	t     *testing.T
	url   string
	mu    sync.Mutex
	steps []step
	calls []sentRequest
}

// newFake starts a server that answers with steps, one after the other; a last step that is
// followed by nil repeats.
func newFake(t *testing.T, steps ...step) *fake {
	f := &fake{t: t, steps: steps}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	f.url = srv.URL + "/v1"
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client hung up
	}
	if err := checkContract("StrictChatCompletionRequest", body); err != nil {
		f.t.Errorf("request breaks the contract: %v", err)
	}
	var sent sentRequest
	if err := json.Unmarshal(body, &sent); err != nil {
		f.t.Errorf("request is no JSON: %v", err)
	}
	sent.header = r.Header
	if r.URL.Path != "/v1/chat/completions" {
		f.t.Errorf("unexpected path %s", r.URL.Path)
	}
	f.mu.Lock()
	f.calls = append(f.calls, sent)
	if len(f.steps) == 0 {
		f.mu.Unlock()
		f.t.Errorf("unexpected call %d", len(f.calls))
		w.WriteHeader(http.StatusTeapot)
		return
	}
	next := f.steps[0]
	if len(f.steps) != 2 || f.steps[1] != nil {
		f.steps = f.steps[1:]
	}
	f.mu.Unlock()
	next(w, r)
}

func (f *fake) sent() []sentRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]sentRequest(nil), f.calls...)
}

// completion is a whole answer of the protocol around a message.
func completion(finish string, message map[string]any) step {
	for key, value := range map[string]any{"role": "assistant", "content": nil, "refusal": nil} {
		if _, ok := message[key]; !ok {
			message[key] = value
		}
	}
	body, err := json.Marshal(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4.1-mini-2025",
		"choices": []any{map[string]any{
			"index": 0, "finish_reason": finish, "logprobs": nil, "message": message,
		}},
		"usage": map[string]any{
			"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
			"prompt_tokens_details":     map[string]any{"cached_tokens": 400},
			"completion_tokens_details": map[string]any{"reasoning_tokens": 10},
		},
	})
	if err != nil {
		panic(err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "req_42")
		_, _ = w.Write(body)
	}
}

// reply is a normal answer with this content.
func reply(content string) step {
	return completion("stop", map[string]any{"content": content})
}

// status is an answer with an error status and any body.
func status(code int, body string, headers ...string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// apiError is an error body as OpenAI writes it.
func apiError(code, message string) string {
	return fmt.Sprintf(`{"error":{"message":%q,"type":"some_error","param":null,"code":%q}}`, message, code)
}

// hangUp closes the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// sofa is a complete, valid item; edits change single fields.
func sofa(edits ...string) string {
	fields := map[string]string{
		"name": `"3-seater fabric sofa"`, "qty": "1", "length_cm": "210", "width_cm": "92",
		"height_cm": "85", "weight_kg": "48", "volume_m3": "1.6422", "bulky": "false",
		"fragile": "false", "item_category": `"furniture"`, "packing_requirement": `"none"`,
		"variant_group": `"sofa"`, "confidence": "0.9", "photo_indexes": "[1]", "notes": `""`,
	}
	for _, e := range edits {
		key, value, _ := strings.Cut(e, "=")
		fields[key] = value
	}
	var parts []string
	for key, value := range fields {
		if value != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", key, value))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// items is the content of an answer with these items.
func items(list ...string) string {
	return `{"summary":"A tidy room.","items":[` + strings.Join(list, ",") + `]}`
}

// clock is a clock that only waiting moves.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.waits = append(c.waits, d)
	return ctx.Err()
}

// newAnalyzer returns an analyzer that talks to the fake and never really waits.
func newAnalyzer(t *testing.T, f *fake, edits ...func(*vision.Config)) *vision.OpenAI {
	t.Helper()
	c := newClock()
	cfg := vision.Config{APIKey: testKey, BaseURL: f.url, Now: c.Now, Sleep: c.Sleep}
	for _, edit := range edits {
		edit(&cfg)
	}
	a, err := vision.New(cfg)
	require.NoError(t, err)
	return a
}

// picture returns a small JPEG that differs from those of other numbers.
func picture(t testing.TB, n int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			img.SetRGBA(x, y, color.RGBA{uint8(n * 40), uint8(n * 7), uint8(200 - n), 255})
		}
	}
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

// pictures returns n different photos of one room with the IDs p1, p2, …
func pictures(t testing.TB, room string, n int) []vision.Photo {
	t.Helper()
	out := make([]vision.Photo, n)
	for i := range out {
		out[i] = vision.Photo{ID: fmt.Sprintf("p%d", i+1), Room: room, Data: picture(t, i+1)}
	}
	return out
}
