package sqlaudit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"log"
	"net/url"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// exampleDB opens a SQLite file with the tables of the trail.
func exampleDB() (db sqldb.TxDB, done func()) {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		log.Fatal(err)
	}
	writeDSN, readDSN, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: filepath.Join(dir, "audit.db"), Durable: true})
	if err != nil {
		log.Fatal(err)
	}
	write, err := sql.Open("sqlite", writeDSN)
	if err != nil {
		log.Fatal(err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", readDSN)
	if err != nil {
		log.Fatal(err)
	}
	db = sqldb.SQLite(write, read)
	for _, statement := range sqlaudit.Statements(sqldb.DialectSQLite) {
		if _, err := db.Exec(context.Background(), statement); err != nil {
			log.Fatal(err)
		}
	}
	return db, func() {
		_ = read.Close()
		_ = write.Close()
		_ = os.RemoveAll(dir)
	}
}

// On PostgreSQL the sink takes a pool, a connection or a transaction of pgx, or of database/sql.
func ExampleOn_postgres() {
	pool, err := pgxpool.New(context.Background(), os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	async, err := audit.NewAsync(audit.AsyncConfig{Sink: sqlaudit.On(sqldb.Pgx(pool))})
	if err != nil {
		log.Fatal(err)
	}
	trail, err := audit.New(audit.Config{Sink: async})
	if err != nil {
		log.Fatal(err)
	}
	if err := trail.LogTo(context.Background(), async.Durable(), audit.Event{Action: "start"}); err != nil {
		log.Fatal(err)
	}
	if err := async.Close(context.Background()); err != nil { // tells how many events it could not write
		log.Fatal(err)
	}
}

// An entry that is written on a transaction goes with it.
func ExampleOn() {
	ctx := context.Background()
	db, done := exampleDB()
	defer done()
	trail, err := audit.New(audit.Config{Sink: sqlaudit.On(db)})
	if err != nil {
		log.Fatal(err)
	}
	err = db.InTx(ctx, func(tx sqldb.DB) error {
		if err := trail.LogTo(ctx, sqlaudit.On(tx), audit.Event{Action: "area.delete"}); err != nil {
			return err
		}
		return fmt.Errorf("the area is still in use")
	})
	var n int
	if err := db.QueryRow(ctx, "SELECT COUNT(*) FROM audit_events").Scan(&n); err != nil {
		log.Fatal(err)
	}
	fmt.Println(err, "-", n, "entries")
	// Output: the area is still in use - 0 entries
}

// exampleStore is a Store on exampleDB and a trail that writes to it.
func exampleStore(db sqldb.TxDB) (*sqlaudit.Store, *audit.Logger) {
	// Both secrets come from a secret store that the database cannot read.
	keys, err := sqlaudit.NewKeyring(sqlaudit.Key{ID: "2026", Secret: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		log.Fatal(err)
	}
	store, err := sqlaudit.New(sqlaudit.Config{
		DB: db, Keys: keys, CheckpointKeys: map[string]sqlaudit.PublicKey{"sign-1": exampleSigner.Public().(ed25519.PublicKey)},
	})
	if err != nil {
		log.Fatal(err)
	}
	trail, err := audit.New(audit.Config{Sink: store})
	if err != nil {
		log.Fatal(err)
	}
	return store, trail
}

var exampleSigner = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))

// A list for the members of one tenant: the Filter is the caller's part, the parameters are the
// client's.
func ExampleStore_Query() {
	ctx := context.Background()
	db, done := exampleDB()
	defer done()
	store, trail := exampleStore(db)
	for i, tenant := range []string{"acme", "acme", "other", "acme"} {
		err := trail.Log(ctx, audit.Event{
			Tenant: tenant, Action: "area.update", Entity: audit.Entity{Type: "area", ID: fmt.Sprint(i)},
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	list := sqlaudit.ListConfig()
	list.Ephemeral = true // replicas share a Keyring
	spec, err := pagination.NewSpec(list)
	if err != nil {
		log.Fatal(err)
	}
	q, err := spec.Parse(url.Values{"entity_type": {"area"}, "size": {"2"}}, "acme")
	if err != nil {
		log.Fatal(err)
	}
	page, err := store.Query(ctx, sqlaudit.Filter{Tenant: "acme"}, q)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(page.Items), "of", *page.Total, "- more:", page.HasMore)

	// A forgotten tenant shows what belongs to none, never everything.
	page, err = store.Query(ctx, sqlaudit.Filter{}, q)
	fmt.Println(len(page.Items), err)
	// Output:
	// 2 of 3 - more: true
	// 0 <nil>
}
