package main_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// fakeModel is an OpenAI-compatible endpoint of this test's own: what it answers next is a matter of
// the script, and the last entry repeats.
type fakeModel struct {
	calls  atomic.Int64
	script []http.HandlerFunc
}

func (f *fakeModel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := int(f.calls.Add(1)) - 1
	if r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer test-key" {
		http.NotFound(w, r)
		return
	}
	f.script[min(n, len(f.script)-1)](w, r)
}

// completion answers with one choice.
func completion(message object, finish string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		message["role"] = "assistant"
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(object{
			"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "house-model-2",
			"choices": []object{{"index": 0, "message": message, "finish_reason": finish}},
			"usage":   object{"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050},
		})
	}
}

func failure(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"error":{"message":"internal text of the provider","type":"x","code":"x"}}`))
	}
}

const pianoAnswer = `{"summary":"A music room.","items":[{"name":"Upright piano","qty":1,"length_cm":150,"width_cm":60,
"height_cm":120,"weight_kg":220,"volume_m3":99,"bulky":false,"fragile":true,"item_category":"furniture",
"packing_requirement":"none","variant_group":null,"confidence":0.9,"photo_indexes":[1],"notes":""}]}`

func TestAnyOpenAICompatibleServer(t *testing.T) {
	t.Parallel()
	good := completion(object{"content": pianoAnswer}, "stop")
	for _, test := range []struct {
		name   string
		script []http.HandlerFunc
		status string
		code   string
	}{
		{"answers", []http.HandlerFunc{good}, "succeeded", ""},
		{"429, then answers", []http.HandlerFunc{failure(429, "Retry-After", "1"), good}, "succeeded", ""},
		{"500, then answers", []http.HandlerFunc{failure(500), good}, "succeeded", ""},
		{"invalid, then answers", []http.HandlerFunc{completion(object{"content": "no JSON"}, "stop"), good}, "succeeded", ""},
		{"refuses", []http.HandlerFunc{completion(object{"content": nil, "refusal": "I cannot."}, "stop")}, "failed", "model_refused"},
		{"always cut off", []http.HandlerFunc{completion(object{"content": `{"summary":"A`}, "length")}, "failed", "answer_truncated"},
		{"always invalid", []http.HandlerFunc{completion(object{"content": "no JSON"}, "stop")}, "failed", "invalid_answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			model := &fakeModel{script: test.script}
			provider := httptest.NewServer(model)
			t.Cleanup(provider.Close)
			server := servertest.Start(t, servertest.Options{Environ: []string{
				"OPENAI_BASE_URL=" + provider.URL + "/v1", "OPENAI_API_KEY=test-key", "OPENAI_MODEL=house-model",
			}})
			s := api{t: t, base: server.URL}.signUp("model").survey("quote")
			state := s.analyse(s.room("Music room"), "room-study.jpg")
			require.Equal(t, test.status, state.text("status"), "%v", state)
			require.Equal(t, test.code, state.text("error_code"))
			if test.status == "succeeded" {
				require.Equal(t, "house-model-2", state.text("model"))
				require.Equal(t, "Upright piano", state.text("items", 0, "name"))
				require.InDelta(t, 1.08, state.at("items", 0, "volume_m3"), 1e-9, "computed from the sides")
				require.Equal(t, true, state.at("items", 0, "bulky"), "decided by the company's threshold")
			}
			require.GreaterOrEqual(t, int(model.calls.Load()), len(test.script))
		})
	}
}
