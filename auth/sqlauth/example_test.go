package sqlauth_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/sqlauth"
	"github.com/groundwork-go/groundwork/sqldb"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "sqlauth")
	check(err)
	defer func() { _ = os.RemoveAll(dir) }()
	wdsn, rdsn, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: filepath.Join(dir, "app.db")})
	check(err)
	write, err := sql.Open("sqlite", wdsn)
	check(err)
	defer func() { _ = write.Close() }()
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", rdsn)
	check(err)
	defer func() { _ = read.Close() }()

	db := sqldb.SQLite(write, read)
	for _, statement := range sqlauth.Statements(sqlauth.Schema(sqldb.DialectOf(db))) {
		_, err := db.Exec(ctx, statement)
		check(err)
	}
	key, err := auth.NewHMACKey("2026-03", []byte("32 bytes from a secret manager!!"))
	check(err)
	keys, err := auth.NewKeySet(auth.KeySetConfig{Active: key})
	check(err)
	refreshKeys, err := auth.NewRefreshKeys([]byte("32 more bytes, and random ones!!"))
	check(err)
	svc, err := auth.New(auth.Config{
		Issuer: "https://api.example.com", Audience: []string{"api"}, Keys: keys, RefreshKeys: refreshKeys,
		Store: sqlauth.New(db), Denylist: sqlauth.NewDenylist(db), AccessTTL: 5 * time.Minute,
	})
	check(err)

	tokens, err := svc.Login(ctx, auth.Login{Subject: "user-1"})
	check(err)
	check(svc.Logout(ctx, tokens.Refresh))
	_, err = svc.Verifier().Verify(ctx, tokens.Access)
	fmt.Println(errors.Is(err, auth.ErrRevoked))
	// Output: true
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
