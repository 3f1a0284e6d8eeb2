package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/sqldb"
)

func auditGroups() []group {
	return []group{
		{
			name: "audit: batches of 1,000 events on PostgreSQL",
			about: "One event of a batch. Floor: COPY (pgx CopyFrom, binary) of the same rows, made beforehand, into the same table with its seven indexes. " +
				"Ours gets events, makes rows of them and stores a repeated event once, which COPY cannot. The bar is 0.7 of its throughput. synchronous_commit is off for both.",
			open: openAuditBatches, turn: ioTurn, rounds: 31,
		},
		{
			name: "audit: an entry in a transaction on PostgreSQL",
			about: "BEGIN, one entry, COMMIT. Floor: an INSERT by hand of the same 23 columns with values made beforehand. " +
				"Ours makes an id, reads actor and request from the context, compares before and after, redacts and checks limits. synchronous_commit is off for both.",
			open: openAuditEntry, turn: ioTurn, rounds: ioRounds,
		},
		{
			name: "audit: a link of the chain",
			about: "BenchmarkDigest in the tests of package sqlaudit, because the exported API cannot isolate it. " +
				"Floor: HMAC-SHA256 over the same event and the link before as JSON, in base64url, as it is commonly written.",
			contestants: []contestant{{name: "JSON and HMAC"}, {name: "sqlaudit", bar: 0.5, allocs: 4}},
			rounds:      21,
			race: func(rounds int) (results, error) {
				return runBenchmarks(rounds,
					testBenchmark{"internal/benchmarks", "BenchmarkJSONLink"}, testBenchmark{"audit/sqlaudit", "BenchmarkDigest"})
			},
		},
	}
}

var auditColumns = []string{
	"id", "at", "tenant", "actor_type", "actor_id", "actor_name", "on_behalf_of", "actor_tenant", "action", "entity_type",
	"entity_id", "outcome", "reason", "class", "request_id", "session_id", "ip", "user_agent", "method", "path", "changes",
	"data", "truncated",
}

const auditBatch = 1000

// openTrail makes the tables of package sqlaudit.
func openTrail(after func(func())) (*pgxpool.Pool, sqldb.TxDB, error) {
	address, err := newDatabase(after)
	if err != nil {
		return nil, nil, err
	}
	pool := must(pgxpool.New(context.Background(), address))
	after(pool.Close)
	db := sqldb.Pgx(pool)
	for _, statement := range sqlaudit.Statements(sqldb.DialectPostgres) {
		must(db.Exec(context.Background(), statement))
	}
	return pool, db, nil
}

func openAuditBatches(after func(func())) ([]contestant, error) {
	pool, db, err := openTrail(after)
	if err != nil {
		return nil, err
	}
	ctx, store, now := context.Background(), must(sqlaudit.New(sqlaudit.Config{DB: db})), time.Now().UTC().Truncate(time.Microsecond)
	events, rows := make([]audit.Event, auditBatch), make([][]any, auditBatch)
	for i := range events {
		e := audit.Event{
			At: now, Tenant: "t1", Actor: audit.Actor{Type: audit.ActorUser, ID: fmt.Sprint("u", i%100)}, Action: "area.update",
			Entity: audit.Entity{Type: "area", ID: fmt.Sprint(i)}, Outcome: audit.Success, Class: audit.Normal,
			Request: audit.Request{ID: fmt.Sprint("r", i), IP: "10.0.0.1"},
			Changes: []audit.Change{{Path: "/name", Op: audit.OpReplace, Old: []byte(`"a"`), New: []byte(`"b"`)}},
		}
		events[i] = e
		rows[i] = []any{
			"", e.At, e.Tenant, e.Actor.Type, e.Actor.ID, "", "", "", e.Action, e.Entity.Type, e.Entity.ID, string(e.Outcome), "",
			string(e.Class), e.Request.ID, "", e.Request.IP, "", "", "",
			`[{"path":"/name","op":"replace","before":"a","after":"b"}]`, "", false,
		}
	}
	// Ids ascend, as those of UUIDv7 do, and both take from the same numbers.
	written := 0
	id := func() string {
		written++
		return fmt.Sprintf("0192f0c1-a4e0-7c5b-9f6d-%012d", written)
	}
	contestants := []contestant{
		{name: "COPY", per: auditBatch, run: func() {
			for i := range rows {
				rows[i][0] = id()
			}
			if must(pool.CopyFrom(ctx, pgx.Identifier{"audit_events"}, auditColumns, pgx.CopyFromRows(rows))) != auditBatch {
				panic("COPY took fewer rows")
			}
		}},
		{name: "sqlaudit.Store.Write", per: auditBatch, bar: 1.43, allocs: -1, run: func() {
			for i := range events {
				events[i].ID = id()
			}
			check(store.Write(ctx, events))
		}},
	}
	for _, c := range contestants {
		c.run()
	}
	return contestants, sameRows(db, auditBatch)
}

// sameRows reports an error unless each row of the trail is there twice but for its id.
func sameRows(db sqldb.DB, want int) error {
	var pairs, rows int
	const others = `at, tenant, actor_type, actor_id, actor_name, on_behalf_of, actor_tenant, action, entity_type, entity_id,
		outcome, reason, class, request_id, session_id, ip, user_agent, method, path, changes, data, truncated`
	err := db.QueryRow(context.Background(), `SELECT COUNT(*), SUM(n) FROM (SELECT COUNT(*) AS n FROM audit_events GROUP BY `+
		others+` HAVING COUNT(*) = 2) AS twice`).Scan(&pairs, &rows)
	if err == nil && (pairs != want || rows != 2*want) {
		err = fmt.Errorf("%d of %d rows are alike", pairs, want)
	}
	return err
}

// document is what the entry of a transaction is about.
type document struct {
	Name     string `json:"name"`
	Size     int    `json:"size"`
	Password string `json:"password"`
}

func openAuditEntry(after func(func())) ([]contestant, error) {
	_, db, err := openTrail(after)
	if err != nil {
		return nil, err
	}
	trail := must(audit.New(audit.Config{Sink: sqlaudit.On(db)}))
	ctx := audit.WithActor(context.Background(), audit.Actor{Type: audit.ActorUser, ID: "u1", Tenant: "t1"})
	ctx = audit.WithRequest(ctx, audit.Request{ID: "r1", IP: "10.0.0.1", UserAgent: "Mozilla/5.0 (X11; Linux x86_64)", Method: "PATCH", Path: "/areas/7"})
	before, changed := document{"a", 1, "x"}, document{"b", 1, "y"}
	entry := func() {
		check(db.InTx(ctx, func(tx sqldb.DB) error {
			return trail.ChangeTo(ctx, sqlaudit.On(tx), audit.Event{Action: "area.update", Entity: audit.Entity{Type: "area", ID: "7"}}, before, changed)
		}))
	}
	entry()
	var changes string
	check(db.QueryRow(ctx, `SELECT changes FROM audit_events`).Scan(&changes))

	now, written := sqldb.At(time.Now()), 0
	const insert = `INSERT INTO audit_events (id, at, tenant, actor_type, actor_id, actor_name, on_behalf_of, actor_tenant, action,
		entity_type, entity_id, outcome, reason, class, request_id, session_id, ip, user_agent, method, path, changes, data, truncated)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`
	byHand := func() {
		written++
		check(db.InTx(ctx, func(tx sqldb.DB) error {
			_, err := tx.Exec(ctx, insert, fmt.Sprintf("0192f0c1-a4e0-7c5b-9f6d-%012d", written), now, "t1", "user", "u1", "", "", "t1",
				"area.update", "area", "7", "success", "", "normal", "r1", "", "10.0.0.1", "Mozilla/5.0 (X11; Linux x86_64)", "PATCH", "/areas/7",
				changes, "", false)
			return err
		}))
	}
	byHand()
	must(db.Exec(ctx, `CREATE TABLE first AS SELECT * FROM audit_events`))
	var alike int
	check(db.QueryRow(ctx, `SELECT COUNT(*) FROM first AS a JOIN first AS b ON a.pos < b.pos AND a.tenant = b.tenant AND a.actor_type = b.actor_type
		AND a.actor_id = b.actor_id AND a.actor_tenant = b.actor_tenant AND a.action = b.action AND a.entity_id = b.entity_id AND a.class = b.class
		AND a.outcome = b.outcome AND a.request_id = b.request_id AND a.ip = b.ip AND a.changes = b.changes AND a.truncated = b.truncated`).Scan(&alike))
	if alike != 1 {
		return nil, fmt.Errorf("the entries differ")
	}
	return []contestant{
		{name: "INSERT by hand", run: byHand},
		{name: "audit.Logger.ChangeTo, sqlaudit", run: entry, bar: 1.3, allocs: -1},
	}, nil
}
