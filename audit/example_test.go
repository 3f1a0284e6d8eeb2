package audit_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/groundwork-go/groundwork/audit"
)

func Example() {
	sink := audit.NewMemory(0)
	trail, err := audit.New(audit.Config{Sink: sink})
	if err != nil {
		log.Fatal(err)
	}
	type account struct {
		Email    string `json:"email"`
		Password string `json:"password"`
		IBAN     string `json:"iban" audit:"redact"`
	}
	ctx := audit.WithActor(context.Background(), audit.Actor{Type: audit.ActorUser, ID: "u1"})
	err = trail.Change(ctx,
		audit.Event{Action: "account.update", Entity: audit.Entity{Type: "account", ID: "7"}},
		account{"ann@example.org", "old one", "GB33BUKB20201555555555"},
		account{"ann@example.com", "new one", "GB33BUKB20201555555555"})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range sink.Events() {
		fmt.Println(e.Actor.ID, e.Action, e.Entity.ID, e.Outcome)
		for _, c := range e.Changes {
			fmt.Printf("%s %s: %s -> %s\n", c.Op, c.Path, c.Old, c.New)
		}
	}
	// Output:
	// u1 account.update 7 success
	// replace /email: "ann@example.org" -> "ann@example.com"
	// replace /password: "[redacted]" -> "[redacted]"
}

// Middleware puts request and actor into the context once; every event takes them from there.
func ExampleWithRequest() {
	sink := audit.NewMemory(0)
	trail, err := audit.New(audit.Config{Sink: sink})
	if err != nil {
		log.Fatal(err)
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	handler := func(w http.ResponseWriter, r *http.Request) {
		ctx := audit.WithRequest(r.Context(), audit.RequestFrom(r, proxies))
		ctx = audit.WithActor(ctx, audit.Actor{Type: audit.ActorUser, ID: "u1", Tenant: "acme"}) // after authentication
		err := trail.Log(ctx, audit.Event{
			Action: "area.delete", Entity: audit.Entity{Type: "area", ID: "7"}, Outcome: audit.Denied, Reason: "not an owner",
		})
		if err != nil {
			http.Error(w, "internal", http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusForbidden)
	}
	r := httptest.NewRequest("DELETE", "/areas/7?token=abc", nil)
	r.RemoteAddr = "10.0.0.5:4711"
	r.Header.Set("X-Forwarded-For", "1.1.1.1, 203.0.113.9") // only what the proxy has added is believed
	handler(httptest.NewRecorder(), r)
	e := sink.Events()[0]
	fmt.Println(e.Tenant, e.Actor.ID, e.Action, e.Outcome, e.Request.IP, e.Request.Path)
	// Output: acme u1 area.delete denied 203.0.113.9 /areas/7?token=[redacted]
}

// A secret in free text is not recognised: the Redactor goes by names.
func ExampleRedactor_freeText() {
	sink := audit.NewMemory(0)
	trail, err := audit.New(audit.Config{Sink: sink})
	if err != nil {
		log.Fatal(err)
	}
	err = trail.Log(context.Background(), audit.Event{
		Action: "login", Outcome: audit.Failure,
		Reason: "wrong password hunter2", // never do this
		Data:   map[string]any{"password": "hunter2"},
	})
	if err != nil {
		log.Fatal(err)
	}
	e := sink.Events()[0]
	fmt.Println(e.Reason, "|", e.Data["password"])
	// Output: wrong password hunter2 | [redacted]
}

func ExampleDiff() {
	changes, err := audit.Diff(
		map[string]any{"name": "Tower", "tags": []string{"old", "tall"}},
		map[string]any{"name": "Tower", "tags": []string{"tall"}, "height": 30})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range changes {
		fmt.Printf("%s %s %s %s\n", c.Op, c.Path, c.Old, c.New)
	}
	// Output:
	// add /height  30
	// remove /tags/0 "old"
}
