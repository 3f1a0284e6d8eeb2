package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"hash"
	"testing"
	"time"

	"github.com/groundwork-go/groundwork/audit"
)

// jsonLink chains an event as it is commonly written: an HMAC of its JSON and the link before.
func jsonLink(mac hash.Hash, seq int64, prev string, e *audit.Event) string {
	text := must(json.Marshal(struct {
		Seq   int64        `json:"seq"`
		Prev  string       `json:"prev"`
		Event *audit.Event `json:"event"`
	}{seq, prev, e}))
	mac.Reset()
	mac.Write(text)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// linkedEvent is the event of BenchmarkDigest in package sqlaudit.
func linkedEvent() *audit.Event {
	return &audit.Event{
		ID: "0195-1", At: time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC), Tenant: "t1", Action: "area.update",
		Actor: audit.Actor{Type: "user", ID: "u1"}, Entity: audit.Entity{Type: "area", ID: "a1"},
		Outcome: audit.Success, Class: audit.Normal,
		Request: audit.Request{ID: "r1", IP: "10.0.0.1", UserAgent: "Mozilla/5.0 (X11; Linux x86_64)", Method: "PATCH", Path: "/areas/1"},
		Changes: []audit.Change{{Path: "/name", Op: audit.OpReplace, Old: []byte(`"a"`), New: []byte(`"b"`)}},
	}
}

func TestJSONLink(t *testing.T) {
	mac, e := hmac.New(sha256.New, make([]byte, 32)), linkedEvent()
	link := jsonLink(mac, 42, "previous", e)
	if link != jsonLink(mac, 42, "previous", linkedEvent()) || len(link) != 43 {
		t.Fatalf("got %q", link)
	}
	e.Changes[0].New = []byte(`"c"`)
	if link == jsonLink(mac, 42, "previous", e) || link == jsonLink(mac, 42, "other", linkedEvent()) {
		t.Fatal("a change is not seen")
	}
}

func BenchmarkJSONLink(b *testing.B) {
	mac, e := hmac.New(sha256.New, make([]byte, 32)), linkedEvent()
	b.ReportAllocs()
	for b.Loop() {
		jsonLink(mac, 42, "previous", e)
	}
}
