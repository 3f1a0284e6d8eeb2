package visionsim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// request is what the simulator needs of a valid request.
type request struct {
	text      string // all text of the first user message
	images    [][]byte
	maxTokens int // 0 is no limit
}

type wireRequest struct {
	Model       *string       `json:"model"`
	Messages    []wireMessage `json:"messages"`
	Temperature *float64      `json:"temperature"`
	MaxTokens   *int          `json:"max_tokens"`
	MaxOutput   *int          `json:"max_completion_tokens"`
	N           *int          `json:"n"`
	Stream      bool          `json:"stream"`
	Format      *struct {
		Type   string `json:"type"`
		Schema *struct {
			Name   string          `json:"name"`
			Strict bool            `json:"strict"`
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

type wireMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

type wirePart struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Image *struct {
		URL    string `json:"url"`
		Detail string `json:"detail"`
	} `json:"image_url"`
}

// parse reads and checks a request.
func parse(body io.Reader) (*request, *fault) {
	data, err := io.ReadAll(body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, &fault{http.StatusRequestEntityTooLarge, "", "", "Request too large."}
	}
	var wire wireRequest
	if err != nil || json.Unmarshal(data, &wire) != nil {
		return nil, bad("", "We could not parse the JSON body of your request.")
	}
	if f := wire.check(); f != nil {
		return nil, f
	}
	req := &request{}
	for _, limit := range []*int{wire.MaxTokens, wire.MaxOutput} {
		if limit != nil {
			req.maxTokens = *limit
		}
	}
	for i, m := range wire.Messages {
		if f := m.read(req, fmt.Sprintf("messages[%d]", i)); f != nil {
			return nil, f
		}
	}
	return req, nil
}

func bad(param, format string, args ...any) *fault {
	return &fault{http.StatusBadRequest, "", param, fmt.Sprintf(format, args...)}
}

// check covers everything but the messages' content.
func (w *wireRequest) check() *fault {
	positive := func(n *int) bool { return n == nil || *n > 0 }
	switch {
	case w.Model == nil || *w.Model == "":
		return bad("model", "You must provide a model parameter.")
	case len(w.Messages) == 0:
		return bad("messages", "Expected an array with at least 1 message.")
	case w.Stream:
		return bad("stream", "The simulator does not stream.")
	case w.N != nil && *w.N != 1:
		return bad("n", "The simulator gives one answer.")
	case w.Temperature != nil && (*w.Temperature < 0 || *w.Temperature > 2):
		return bad("temperature", "Expected a value between 0 and 2.")
	case w.MaxTokens != nil && w.MaxOutput != nil:
		return bad("max_tokens", "Set only one of max_tokens and max_completion_tokens.")
	case !positive(w.MaxTokens) || !positive(w.MaxOutput):
		return bad("max_completion_tokens", "Expected a value above 0.")
	case w.Format == nil:
		return nil
	}
	switch w.Format.Type {
	case "text", "json_object":
		return nil
	case "json_schema":
	default:
		return bad("response_format.type", "Expected text, json_object or json_schema.")
	}
	s := w.Format.Schema
	if s == nil || s.Name == "" {
		return bad("response_format.json_schema.name", "Missing required parameter.")
	}
	var schema struct {
		Type       string                     `json:"type"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(s.Schema, &schema) != nil || schema.Type != "object" {
		return bad("response_format.json_schema.schema", "Expected a schema of type object.")
	}
	if _, ok := schema.Properties["items"]; !ok {
		return bad("response_format.json_schema.schema", "The simulator answers only with an inventory.")
	}
	return nil
}

// read takes up the content of one message.
func (m *wireMessage) read(req *request, at string) *fault {
	switch m.Role {
	case "system", "developer", "user", "assistant":
	default:
		return bad(at+".role", "Expected system, developer, user or assistant.")
	}
	var text string
	if json.Unmarshal(m.Content, &text) == nil && len(m.Content) > 0 && m.Content[0] == '"' {
		req.text += text + "\n"
		return nil
	}
	var parts []wirePart
	if json.Unmarshal(m.Content, &parts) != nil || len(parts) == 0 {
		return bad(at+".content", "Expected a string or an array of parts.")
	}
	for i, p := range parts {
		at := fmt.Sprintf("%s.content[%d]", at, i)
		switch {
		case p.Type == "text" && p.Image == nil && p.Text != "":
			req.text += p.Text + "\n"
		case p.Type == "image_url" && p.Image != nil && m.Role == "user":
			image, f := decodeImage(p.Image.URL, p.Image.Detail, at)
			if f != nil {
				return f
			}
			req.images = append(req.images, image)
		default:
			return bad(at+".type", "Expected a text part, or an image_url part of a user message.")
		}
	}
	return nil
}

// decodeImage reads a data URL. Addresses are refused, as the simulator goes nowhere.
func decodeImage(url, detail, at string) ([]byte, *fault) {
	switch detail {
	case "", "auto", "low", "high":
	default:
		return nil, bad(at+".image_url.detail", "Expected auto, low or high.")
	}
	media, encoded, ok := strings.Cut(strings.TrimPrefix(url, "data:"), ";base64,")
	if !ok || !strings.HasPrefix(url, "data:") {
		return nil, bad(at+".image_url.url", "Expected a base64-encoded data URL.")
	}
	magic := map[string]string{
		"image/jpeg": "\xff\xd8\xff", "image/png": "\x89PNG", "image/gif": "GIF8", "image/webp": "RIFF",
	}[media]
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || magic == "" || !bytes.HasPrefix(data, []byte(magic)) {
		return nil, &fault{
			http.StatusBadRequest, "invalid_image_format", at + ".image_url.url",
			"You uploaded an unsupported image. Use png, jpeg, gif or webp.",
		}
	}
	return data, nil
}
