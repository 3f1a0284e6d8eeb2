// Command audit-verify shows a trail that proves itself: it writes entries together with the
// changes that they describe, seals them, tampers with the database in several ways and lets the
// verification find each of them. Everything happens in a SQLite file in a temporary folder.
//
//	go run ./examples/audit-verify
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/sqldb"
)

type area struct {
	Name  string `json:"name"`
	Token string `json:"token"` // masked by its name
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "audit-verify")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	dsn, _, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: filepath.Join(dir, "audit.db"), Durable: true})
	if err != nil {
		return err
	}
	handle, err := sql.Open("sqlite", dsn)
	if err != nil {
		return err
	}
	defer func() { _ = handle.Close() }()
	handle.SetMaxOpenConns(1)
	db := sqldb.SQL(handle, sqldb.DialectSQLite)
	for _, statement := range append(sqlaudit.Statements(sqldb.DialectSQLite), `CREATE TABLE areas (name TEXT NOT NULL)`) {
		if _, err := db.Exec(ctx, statement); err != nil {
			return err
		}
	}

	// In production both keys come from a secret store that the database cannot read.
	secret := make([]byte, 32)
	rand.Read(secret)
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	keys, err := sqlaudit.NewKeyring(sqlaudit.Key{ID: "2026", Secret: secret})
	if err != nil {
		return err
	}
	store, err := sqlaudit.New(sqlaudit.Config{
		DB: db, Keys: keys, CheckpointKeys: map[string]sqlaudit.PublicKey{"sign-1": public},
	})
	if err != nil {
		return err
	}
	trail, err := audit.New(audit.Config{Sink: store})
	if err != nil {
		return err
	}
	var outside []sqlaudit.Checkpoint // stands for a place that the database's owner cannot write to
	sealer, err := sqlaudit.NewSealer(sqlaudit.SealerConfig{
		Store: store, SigningKey: private, SigningKeyID: "sign-1",
		OnCheckpoint: func(_ context.Context, c sqlaudit.Checkpoint) error {
			outside = append(outside, c)
			return nil
		},
	})
	if err != nil {
		return err
	}

	ctx = audit.WithActor(ctx, audit.Actor{Type: audit.ActorUser, ID: "ann"})
	for _, name := range []string{"Harbour", "Old Town", "Castle", "Market"} {
		err := db.InTx(ctx, func(tx sqldb.DB) error {
			if _, err := tx.Exec(ctx, `INSERT INTO areas (name) VALUES ($1)`, name); err != nil {
				return err
			}
			return trail.ChangeTo(ctx, sqlaudit.On(tx), audit.Event{
				Action: "area.create", Entity: audit.Entity{Type: "area", ID: name},
			}, nil, area{name, "t0ps3cret"})
		})
		if err != nil {
			return err
		}
	}
	if _, err := sealer.Once(ctx); err != nil {
		return err
	}
	if _, err := store.Export(ctx, sqlaudit.Filter{}, out, sqlaudit.JSONL); err != nil {
		return err
	}

	for _, attack := range []struct {
		name       string
		statements []string
	}{
		{"nothing", nil},
		{"edit", []string{`DROP TRIGGER audit_events_insert_only`, `UPDATE audit_events SET actor_id = 'bob' WHERE pos = 3`}},
		{"undo", []string{`UPDATE audit_events SET actor_id = 'ann' WHERE pos = 3`}},
		{"delete", []string{`DELETE FROM audit_events WHERE pos = 2`}},
		{"wipe", []string{`DELETE FROM audit_events`, `DELETE FROM audit_chain`, `DELETE FROM audit_heads`, `DELETE FROM audit_checkpoints`}},
	} {
		for _, statement := range attack.statements {
			if _, err := db.Exec(ctx, statement); err != nil {
				return err
			}
		}
		report, err := store.Verify(ctx, sqlaudit.VerifyOptions{Checkpoints: outside})
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "%-7s  %d events verified, fault: %v\n", attack.name, report.Events, report.Err())
	}
	return nil
}
