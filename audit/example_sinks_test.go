package audit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"time"

	"github.com/groundwork-go/groundwork/audit"
)

// The table must have every event; the log collector gets what it can take in time.
func ExampleMulti() {
	table := audit.NewMemory(0) // stands for sqlaudit.On(db)
	down := audit.SinkFunc(func(context.Context, []audit.Event) error { return errors.New("connection refused") })
	sink, err := audit.NewMulti(audit.MultiConfig{
		Targets: []audit.Target{
			{Name: "table", Sink: table},
			{Name: "stdout", Sink: audit.NewSlog(slog.NewJSONHandler(io.Discard, nil)), BestEffort: true},
			{Name: "collector", Sink: down, BestEffort: true, Timeout: time.Second},
		},
		OnError: func(name string, _ []audit.Event, err error) { fmt.Println("failed:", err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	trail, err := audit.New(audit.Config{Sink: sink})
	if err != nil {
		log.Fatal(err)
	}
	err = trail.Log(context.Background(), audit.Event{Action: "login"})
	fmt.Println(len(table.Events()), err)
	// Output:
	// failed: audit: target collector: connection refused
	// 1 <nil>
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
