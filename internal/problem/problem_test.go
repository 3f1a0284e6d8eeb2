package problem_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/internal/problem"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		header map[string]string // set before the call
		p      problem.Problem
		want   string
	}{
		{
			name: "zero is a 500 without a request id",
			want: `{"title":"Internal Server Error","status":500,"instance":"/a%20b"}`,
		},
		{
			name:   "request id from the response",
			header: map[string]string{"X-Request-Id": "id-1", "Etag": `"x"`, "Cache-Control": "public"},
			p: problem.Problem{
				Status: 429, Code: "rate_limited", Detail: "Slow down.", Type: "about:blank",
				Extra: map[string]any{"limit": 3, "code": "no", "bad": make(chan int)},
			},
			want: `{"title":"Too Many Requests","status":429,"detail":"Slow down.","instance":"/a%20b",` +
				`"code":"rate_limited","request_id":"id-1","limit":3}`,
		},
		{
			name: "own members win",
			p: problem.Problem{
				Type: "https://e.example/x", Title: "T", Status: 422, Instance: "/i", RequestID: "r",
				Errors: []problem.Field{{Parameter: "size", Code: "out_of_range", Detail: "1 to 100."}},
			},
			want: `{"type":"https://e.example/x","title":"T","status":422,"instance":"/i","request_id":"r",` +
				`"errors":[{"parameter":"size","code":"out_of_range","detail":"1 to 100."}]}`,
		},
		{name: "499", p: problem.Problem{Status: 499}, want: `{"title":"Client Closed Request","status":499,"instance":"/a%20b"}`},
		{name: "unknown status", p: problem.Problem{Status: 599}, want: `{"title":"Error","status":599,"instance":"/a%20b"}`},
		{
			name: "invalid text is repaired",
			p:    problem.Problem{Status: 400, Detail: "a\xff\"\n"},
			want: `{"title":"Bad Request","status":400,"detail":"a\ufffd\"\n","instance":"/a%20b"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			for name, value := range tt.header {
				w.Header().Set(name, value)
			}
			problem.Write(w, httptest.NewRequest("GET", "/a%20b?q=secret", nil), tt.p)
			require.Equal(t, tt.want+"\n", w.Body.String())
			require.True(t, json.Valid(w.Body.Bytes()))
			require.Equal(t, problem.ContentType, w.Header().Get("Content-Type"))
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			require.Empty(t, w.Header().Get("Etag"))
			require.NotEmpty(t, w.Header().Get("Content-Length"))
		})
	}
}

func TestWriteHeaders(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	w.Header().Set("Content-Encoding", "gzip") // a compressor around the writer
	own := http.Header{"retry-after": {"3"}, "Cache-Control": {"private"}}
	problem.Write(w, httptest.NewRequest("GET", "/", nil), problem.Problem{Status: 503, Header: own})
	require.Equal(t, "3", w.Header().Get("Retry-After"))
	require.Equal(t, "private", w.Header().Get("Cache-Control"))
	require.Empty(t, w.Header().Get("Content-Length"))
	w.Header()["Retry-After"][0] = "changed"
	require.Equal(t, "3", own["retry-after"][0])
}
