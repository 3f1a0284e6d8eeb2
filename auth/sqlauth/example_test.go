package sqlauth_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/sqlauth"
	"github.com/groundwork-go/groundwork/sqldb"
)

// exampleDB opens a SQLite file and makes the tables, which belongs into the migrations of a real
// program.
func exampleDB(ctx context.Context) (db sqldb.TxDB, remove func()) {
	dir, err := os.MkdirTemp("", "sqlauth")
	check(err)
	wdsn, rdsn, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: filepath.Join(dir, "app.db")})
	check(err)
	write, err := sql.Open("sqlite", wdsn)
	check(err)
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", rdsn)
	check(err)
	db = sqldb.SQLite(write, read)
	for _, statement := range sqlauth.Statements(sqlauth.Schema(sqldb.DialectOf(db))) {
		_, err := db.Exec(ctx, statement)
		check(err)
	}
	return db, func() { check(errors.Join(write.Close(), read.Close(), os.RemoveAll(dir))) }
}

func exampleService(store auth.Store, denylist auth.Denylist) *auth.Service {
	key, err := auth.NewHMACKey("2026-03", []byte("32 bytes from a secret manager!!"))
	check(err)
	keys, err := auth.NewKeySet(auth.KeySetConfig{Active: key})
	check(err)
	refreshKeys, err := auth.NewRefreshKeys([]byte("32 more bytes, and random ones!!"))
	check(err)
	svc, err := auth.New(auth.Config{
		Issuer: "https://api.example.com", Audience: []string{"api"}, Keys: keys, RefreshKeys: refreshKeys,
		Store: store, Denylist: denylist, AccessTTL: 5 * time.Minute,
	})
	check(err)
	return svc
}

func Example() {
	ctx := context.Background()
	db, remove := exampleDB(ctx)
	defer remove()
	svc := exampleService(sqlauth.New(db), sqlauth.NewDenylist(db))

	tokens, err := svc.Login(ctx, auth.Login{Subject: "user-1"})
	check(err)
	check(svc.Logout(ctx, tokens.Refresh))
	_, err = svc.Verifier().Verify(ctx, tokens.Access)
	fmt.Println(errors.Is(err, auth.ErrRevoked))
	// Output: true
}

// On PostgreSQL a pgx pool takes the place of the SQLite handles. The example needs a server, so it is
// compiled but not run.
func ExampleNew_postgres() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, "postgres://app@db.example.com/app")
	check(err)
	defer pool.Close()
	db := sqldb.Pgx(pool)
	svc := exampleService(sqlauth.New(db), sqlauth.NewDenylist(db))

	// Once a day, until nothing is left to remove.
	for n := 1000; n == 1000; {
		n, err = svc.Sweep(ctx, 1000)
		check(err)
	}
}

// A store on a transaction takes part in it: the new password and the end of all sessions commit
// together, or not at all.
func ExampleNew_transaction() {
	ctx := context.Background()
	db, remove := exampleDB(ctx)
	defer remove()
	_, err := db.Exec(ctx, "CREATE TABLE users (id TEXT PRIMARY KEY, password TEXT)")
	check(err)
	_, err = db.Exec(ctx, "INSERT INTO users (id, password) VALUES ($1, $2)", "user-1", "old hash")
	check(err)
	svc := exampleService(sqlauth.New(db), nil)
	tokens, err := svc.Login(ctx, auth.Login{Subject: "user-1"})
	check(err)

	change := func(fail error) error {
		return db.InTx(ctx, func(tx sqldb.DB) error {
			if _, err := tx.Exec(ctx, "UPDATE users SET password = $1 WHERE id = $2", "new hash", "user-1"); err != nil {
				return err
			}
			inside := exampleService(sqlauth.New(tx.(sqldb.TxDB)), nil) // InTx always gives a TxDB
			if _, err := inside.LogoutAll(ctx, "user-1"); err != nil {
				return err
			}
			return fail
		})
	}
	fmt.Println(change(errors.New("changed my mind")))
	tokens, err = svc.Refresh(ctx, tokens.Refresh)
	fmt.Println("still signed in:", err == nil)
	fmt.Println(change(nil))
	_, err = svc.Refresh(ctx, tokens.Refresh)
	fmt.Println("signed out:", errors.Is(err, auth.ErrRevoked))
	// Output:
	// changed my mind
	// still signed in: true
	// <nil>
	// signed out: true
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
