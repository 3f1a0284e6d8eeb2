package sqlaudit_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
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

func ExampleStore_Verify() {
	ctx := context.Background()
	db, done := exampleDB()
	defer done()
	keys, err := sqlaudit.NewKeyring(sqlaudit.Key{ID: "2026", Secret: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		log.Fatal(err)
	}
	store, err := sqlaudit.New(sqlaudit.Config{DB: db, Keys: keys})
	if err != nil {
		log.Fatal(err)
	}
	trail, err := audit.New(audit.Config{Sink: store})
	if err != nil {
		log.Fatal(err)
	}
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
