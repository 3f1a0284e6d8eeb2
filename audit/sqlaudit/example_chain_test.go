package sqlaudit_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
)

func ExampleStore_Verify() {
	ctx := context.Background()
	db, done := exampleDB()
	defer done()
	store, trail := exampleStore(db)
	sealer, err := sqlaudit.NewSealer(sqlaudit.SealerConfig{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c"} {
		if err := trail.Log(ctx, audit.Event{ID: id, Action: "area.update"}); err != nil {
			log.Fatal(err)
		}
	}
	if _, err := sealer.Once(ctx); err != nil {
		log.Fatal(err)
	}
	report, err := store.Verify(ctx, sqlaudit.VerifyOptions{})
	fmt.Println(report.Events, report.Err(), err)

	if _, err := db.Exec(ctx, "DELETE FROM audit_events WHERE id = 'b'"); err != nil {
		log.Fatal(err)
	}
	report, err = store.Verify(ctx, sqlaudit.VerifyOptions{})
	fmt.Println(report.Events, report.Err(), err)
	// Output:
	// 3 <nil> <nil>
	// 1 sqlaudit: chain "": missing at 2 (event b): the event is missing <nil>
}

// A checkpoint that is kept elsewhere shows what no table can: that the end of the trail was cut off
// together with everything that could tell.
func ExampleSealerConfig_checkpoints() {
	ctx := context.Background()
	db, done := exampleDB()
	defer done()
	store, trail := exampleStore(db)
	var outside []sqlaudit.Checkpoint // stands for object storage with a retention lock
	sealer, err := sqlaudit.NewSealer(sqlaudit.SealerConfig{
		Store: store, SigningKey: exampleSigner, SigningKeyID: "sign-1",
		OnCheckpoint: func(_ context.Context, c sqlaudit.Checkpoint) error {
			outside = append(outside, c)
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := trail.Log(ctx, audit.Event{Action: "login"}, audit.Event{Action: "area.delete"}); err != nil {
		log.Fatal(err)
	}
	if _, err := sealer.Once(ctx); err != nil { // Run does it once a minute
		log.Fatal(err)
	}
	for _, table := range []string{"audit_events", "audit_chain", "audit_heads", "audit_checkpoints"} {
		if _, err := db.Exec(ctx, "DELETE FROM "+table); err != nil {
			log.Fatal(err)
		}
	}
	report, err := store.Verify(ctx, sqlaudit.VerifyOptions{})
	fmt.Println(report.Err(), err)
	report, err = store.Verify(ctx, sqlaudit.VerifyOptions{Checkpoints: outside})
	fmt.Println(report.Err(), err)
	// Output:
	// <nil> <nil>
	// sqlaudit: chain "": tail at 1: a checkpoint says that there is more <nil>
}

// Retention: what is older than the date goes, and the rest still proves itself.
func ExampleStore_Purge() {
	ctx := context.Background()
	db, done := exampleDB()
	defer done()
	store, trail := exampleStore(db)
	sealer, err := sqlaudit.NewSealer(sqlaudit.SealerConfig{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	for year := 2022; year < 2027; year++ {
		err := trail.Log(ctx, audit.Event{ID: fmt.Sprint(year), Action: "login", At: time.Date(year, 5, 1, 12, 0, 0, 0, time.UTC)})
		if err != nil {
			log.Fatal(err)
		}
	}
	if _, err := sealer.Once(ctx); err != nil {
		log.Fatal(err)
	}
	result, err := store.Purge(ctx, sqlaudit.PurgeOptions{Before: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)})
	fmt.Println(result.Events, "purged", err)
	report, err := store.Verify(ctx, sqlaudit.VerifyOptions{})
	fmt.Println(report.Events, "verified from", report.From+1, report.Err(), err)
	n, err := store.Export(ctx, sqlaudit.Filter{}, io.Discard, sqlaudit.JSONL)
	fmt.Println(n, "exported", err)
	// Output:
	// 3 purged <nil>
	// 2 verified from 4 <nil> <nil>
	// 2 exported <nil>
}
