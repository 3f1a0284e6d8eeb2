package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/redis/go-redis/v9"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/redisauth"
	"github.com/groundwork-go/groundwork/auth/sqlauth"
	"github.com/groundwork-go/groundwork/sqldb"
)

const triedRefresh = "Rotation is one prepared statement that touches no indexed column, on pages with room for it, so the row " +
	"stays on its page. It returns the eight columns that the caller cannot know, times go as eight bytes, and no CHECK is left. " +
	"What the floor has not is six more parameters, RETURNING (for which PostgreSQL keeps the row in a store of its own), a wider " +
	"row, a context with a deadline, and the tokens made. One timer for many calls instead of one each was tried and changed nothing. " +
	"Runs at a load of 15 to 25 gave 1.66 to 1.88 on pgx (median 1.67) and 1.64 to 2.00 through database/sql, which also starts a goroutine for each query."

// Turns with input and output take long enough for some hundred calls.
const (
	ioTurn   = 50 * time.Millisecond
	ioRounds = 61
)

func refreshGroups() []group {
	return []group{
		{
			name:  "auth: refresh rotation on Redis",
			about: "Floor: a PING of the same client. A whole Service.Refresh: tag, rotation, a new access token (HS256).",
			open:  openRedis, turn: ioTurn, rounds: ioRounds,
		},
		{
			name:  "auth: refresh rotation on PostgreSQL, pgx pool",
			about: "Floor: an UPDATE of one row by primary key in the same pool. synchronous_commit is off for both, or the disk would drown the difference.",
			tried: triedRefresh, open: openPool, turn: ioTurn, rounds: ioRounds,
		},
		{
			name:  "auth: refresh rotation on PostgreSQL, database/sql",
			about: "The same through database/sql and pgx's driver.",
			tried: triedRefresh, open: openSQL, turn: ioTurn, rounds: ioRounds,
		},
	}
}

func newService(store auth.Store) *auth.Service {
	secret := []byte(strings.Repeat("0123456789abcdef", 4))
	return must(auth.New(auth.Config{
		Issuer: "https://api.example.com", Audience: []string{"api"}, Store: store,
		Keys:        must(auth.NewKeySet(auth.KeySetConfig{Active: must(auth.NewHMACKey("k1", secret))})),
		RefreshKeys: must(auth.NewRefreshKeys(secret)),
	}))
}

// refresher returns a call that rotates the token of one session on and on.
func refresher(store auth.Store) func() {
	ctx, service := context.Background(), newService(store)
	token := must(service.Login(ctx, auth.Login{Subject: "user-1", ClientID: "groundwork", Methods: []string{"pwd"}})).Refresh
	return func() { token = must(service.Refresh(ctx, token)).Refresh }
}

// rotator returns a call of the store's part alone.
func rotator(store auth.Store) func() {
	ctx, now := context.Background(), time.Now()
	request := auth.RotateRequest{
		ID: "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f", Now: now, IdleUntil: now.Add(time.Hour), Window: time.Second, MaxReplays: 1,
	}
	record := auth.Record{Session: auth.Session{
		ID: request.ID, Subject: "user-2", AuthTime: now, CreatedAt: now, LastUsedAt: now, IdleExpiresAt: now.Add(time.Hour),
		ExpiresAt: now.Add(time.Hour),
	}}
	must(store.Create(ctx, record, 0))
	return func() {
		request.NextHash[0]++
		if must(store.Rotate(ctx, request)).Verdict != auth.VerdictRotated {
			panic("not rotated")
		}
		request.Generation++
		request.Hash = request.NextHash
	}
}

func openRedis(after func(func())) ([]contestant, error) {
	address := os.Getenv("TEST_REDIS_URL")
	if address == "" {
		return nil, errors.New("TEST_REDIS_URL is not set")
	}
	ctx := context.Background()
	client := redis.NewClient(must(redis.ParseURL(address)))
	prefix := "groundwork_bench_" + strings.ToLower(rand.Text()[:16]) + ":"
	store := must(redisauth.New(redisauth.Config{Client: client, Prefix: prefix}))
	after(func() {
		keys := client.Scan(ctx, 0, prefix+"*", 1000).Iterator()
		for keys.Next(ctx) {
			must(client.Del(ctx, keys.Val()).Result())
		}
		if err := errors.Join(keys.Err(), client.Close()); err != nil {
			panic(err)
		}
	})
	return []contestant{
		{name: "PING", run: func() { must(client.Ping(ctx).Result()) }},
		{name: "auth.Service.Refresh, redisauth", run: refresher(store), bar: 3, allocs: -1},
		{name: "of it redisauth.Store.Rotate", run: rotator(store)},
	}, nil
}

const updateRow = `UPDATE bench_row SET n = n + 1 WHERE id = $1`

func openPool(after func(func())) ([]contestant, error) {
	address, err := newDatabase(after)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	pool := must(pgxpool.New(ctx, address))
	after(pool.Close)
	db := sqldb.Pgx(pool)
	fillSessions(db)
	return []contestant{
		{name: "UPDATE", run: func() { must(pool.Exec(ctx, updateRow, "row-500")) }},
		{name: "auth.Service.Refresh, sqlauth", run: refresher(sqlauth.New(db)), bar: 1.7, allocs: -1},
		{name: "of it sqlauth.Store.Rotate", run: rotator(sqlauth.New(db))},
	}, nil
}

func openSQL(after func(func())) ([]contestant, error) {
	address, err := newDatabase(after)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	pool := must(sql.Open("pgx", address))
	after(func() { _ = pool.Close() })
	db := sqldb.SQL(pool, sqldb.DialectPostgres)
	fillSessions(db)
	return []contestant{
		{name: "UPDATE", run: func() { must(pool.ExecContext(ctx, updateRow, "row-500")) }},
		{name: "auth.Service.Refresh, sqlauth", run: refresher(sqlauth.New(db)), bar: 1.7, allocs: -1},
		{name: "of it sqlauth.Store.Rotate", run: rotator(sqlauth.New(db))},
	}, nil
}

// fillSessions makes the tables and a thousand rows in each, so that both have an index to descend.
func fillSessions(db sqldb.TxDB) {
	ctx := context.Background()
	for _, statement := range append(sqlauth.Statements(sqlauth.Schema(sqldb.DialectPostgres)),
		`CREATE TABLE bench_row (id TEXT PRIMARY KEY, n BIGINT NOT NULL)`,
		`INSERT INTO bench_row SELECT 'row-' || i, 0 FROM generate_series(1, 1000) AS i`,
	) {
		must(db.Exec(ctx, statement))
	}
	service := newService(sqlauth.New(db))
	for i := range 1000 {
		must(service.Login(ctx, auth.Login{Subject: fmt.Sprintf("user-%d", i)}))
	}
}

// newDatabase creates a database of its own on the server of TEST_POSTGRES_URL.
func newDatabase(after func(func())) (address string, err error) {
	base := os.Getenv("TEST_POSTGRES_URL")
	if base == "" {
		return "", errors.New("TEST_POSTGRES_URL is not set")
	}
	name := "groundwork_bench_" + strings.ToLower(rand.Text()[:16])
	admin := func(statements ...string) {
		ctx := context.Background()
		conn := must(pgx.Connect(ctx, base))
		for _, statement := range statements {
			must(conn.Exec(ctx, statement))
		}
		_ = conn.Close(ctx)
	}
	admin("CREATE DATABASE " + name)
	after(func() { admin("DROP DATABASE " + name + " WITH (FORCE)") })
	admin("ALTER DATABASE " + name + " SET synchronous_commit = off")
	target := must(url.Parse(base))
	target.Path = "/" + name
	return target.String(), nil
}
