package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

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

// Durable is the side of an Async that waits until an event is stored.
func ExampleAsync() {
	ctx := context.Background()
	stored := audit.NewMemory(0)
	async, err := audit.NewAsync(audit.AsyncConfig{Sink: stored})
	if err != nil {
		log.Fatal(err)
	}
	trail, err := audit.New(audit.Config{Sink: async})
	if err != nil {
		log.Fatal(err)
	}
	if err := trail.Log(ctx, audit.Event{Action: "page.view"}); err != nil { // accepted
		log.Fatal(err)
	}
	if err := trail.LogTo(ctx, async.Durable(), audit.Event{Action: "login"}); err != nil { // stored
		log.Fatal(err)
	}
	fmt.Println(len(stored.Events()), async.Close(ctx))
	// Output: 2 <nil>
}

// Close tells what could not be written.
func ExampleAsync_Close() {
	down := audit.SinkFunc(func(context.Context, []audit.Event) error { return errors.New("no database") })
	async, err := audit.NewAsync(audit.AsyncConfig{Sink: down})
	if err != nil {
		log.Fatal(err)
	}
	trail, err := audit.New(audit.Config{Sink: async})
	if err != nil {
		log.Fatal(err)
	}
	if err := trail.Log(context.Background(), audit.Event{Action: "login"}, audit.Event{Action: "logout"}); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	fmt.Println(async.Close(ctx))
	// Output: audit: 2 events lost: 2 pending, 0 rejected, 0 dropped
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
