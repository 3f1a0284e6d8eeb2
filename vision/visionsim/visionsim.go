package visionsim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// BaseURL is the base address to configure beside [Client]. The name does not exist in the DNS
// (RFC 2606), so nothing leaves the machine if the client is forgotten.
const BaseURL = "http://visionsim.invalid/v1"

// Model is the model that every answer names, whatever the request asked for.
const Model = "simulator"

// Config configures a simulator. The zero value is usable.
type Config struct {
	// Latency is waited before each answer; a request that is cancelled meanwhile gets none.
	// Default none.
	Latency time.Duration
	// PhotoLatency is waited in addition for each picture. Default none.
	PhotoLatency time.Duration
	// APIKey, when set, is the only bearer token that is accepted. Empty accepts any and none.
	APIKey string
	// Now dates the answers. Default time.Now.
	Now func() time.Time
}

// New returns the simulator as a handler for every path that ends with /chat/completions. It is
// safe for concurrent use and starts nothing.
func New(cfg Config) http.Handler {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &simulator{cfg}
}

// maxBody is the largest request that is read: twenty pictures of a megabyte in base64.
const maxBody = 32 << 20

type simulator struct{ cfg Config }

func (s *simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/chat/completions") {
		writeFault(w, &fault{http.StatusNotFound, "not_found", "", "Unknown request URL."})
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		writeFault(w, &fault{http.StatusMethodNotAllowed, "", "", "Not allowed to " + r.Method + " here."})
		return
	}
	if s.cfg.APIKey != "" && r.Header.Get("Authorization") != "Bearer "+s.cfg.APIKey {
		writeFault(w, &fault{http.StatusUnauthorized, "invalid_api_key", "", "Incorrect API key provided."})
		return
	}
	req, f := parse(http.MaxBytesReader(w, r.Body, maxBody))
	if f != nil {
		writeFault(w, f)
		return
	}
	if !s.wait(r, len(req.images)) {
		return
	}
	s.answer(w, req)
}

// wait sits out the latency; it reports false when the request is cancelled first.
func (s *simulator) wait(r *http.Request, images int) bool {
	d := s.cfg.Latency + time.Duration(images)*s.cfg.PhotoLatency
	if d <= 0 {
		return r.Context().Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// answer writes a chat completion with the inventory as its content.
func (s *simulator) answer(w http.ResponseWriter, req *request) {
	content, err := json.Marshal(survey(req))
	if err != nil { // cannot happen: the inventory holds plain values only
		writeFault(w, &fault{http.StatusInternalServerError, "server_error", "", "The server had an error."})
		return
	}
	text, finish := string(content), "stop"
	out := tokens(len(text))
	if req.maxTokens > 0 && out > req.maxTokens {
		out, finish = req.maxTokens, "length"
		text = text[:min(len(text), req.maxTokens*bytesPerToken)]
	}
	id := sha256.Sum256([]byte(req.text))
	in := tokens(len(req.text)) + imageTokens*len(req.images)
	w.Header().Set("X-Request-Id", "req_sim_"+hex.EncodeToString(id[:8]))
	writeJSON(w, http.StatusOK, map[string]any{
		"id":      "chatcmpl-sim-" + hex.EncodeToString(id[:12]),
		"object":  "chat.completion",
		"created": s.cfg.Now().Unix(),
		"model":   Model,
		"choices": []any{map[string]any{
			"index":         0,
			"finish_reason": finish,
			"logprobs":      nil,
			"message":       map[string]any{"role": "assistant", "content": text, "refusal": nil},
		}},
		"usage": map[string]any{
			"prompt_tokens": in, "completion_tokens": out, "total_tokens": in + out,
			"prompt_tokens_details":     map[string]any{"cached_tokens": 0, "audio_tokens": 0},
			"completion_tokens_details": map[string]any{"reasoning_tokens": 0, "audio_tokens": 0},
		},
	})
}

// Rough figures for the usage block.
const (
	bytesPerToken = 4
	imageTokens   = 765
)

func tokens(bytes int) int { return (bytes + bytesPerToken - 1) / bytesPerToken }

// fault is a refused request in the terms of OpenAI's error object.
type fault struct {
	status               int
	code, param, message string
}

func writeFault(w http.ResponseWriter, f *fault) {
	kind := "invalid_request_error"
	if f.status >= 500 {
		kind = "server_error"
	}
	null := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	writeJSON(w, f.status, map[string]any{"error": map[string]any{
		"message": f.message, "type": kind, "param": null(f.param), "code": null(f.code),
	}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone; nobody is left to tell
}
