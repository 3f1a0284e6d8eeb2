package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/sqldb"
)

const triedBatches = "COPY inserts many rows at once, a statement one by one. ON CONFLICT is about a tenth of the server's time for a batch and stays: a batch that is " +
	"repeated must not fail, and NOT EXISTS instead of it would when two writers repeat an event at once. Rows of VALUES cost the server as much as arrays and the client twice as much."

func auditGroups() []group {
	return []group{
		{
			name: "audit: batches of 1,000 events on PostgreSQL",
			about: "One event of a batch. Floor: COPY (pgx CopyFrom, binary) into the same table with its seven indexes, by hand: each event becomes a row, its changes JSON. " +
				"The bar is 0.7 of its throughput. Ours stores a repeated event once, which COPY cannot, and takes part in any transaction of sqldb. " +
				"synchronous_commit is off for all.",
			tried: triedBatches, open: openAuditBatches, turn: ioTurn, rounds: 31,
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
	events := make([]audit.Event, auditBatch)
	for i := range events {
		events[i] = audit.Event{
			At: now, Tenant: "t1", Actor: audit.Actor{Type: audit.ActorUser, ID: fmt.Sprint("u", i%100)}, Action: "area.update",
			Entity: audit.Entity{Type: "area", ID: fmt.Sprint(i)}, Outcome: audit.Success, Class: audit.Normal,
			Request: audit.Request{ID: fmt.Sprint("r", i), IP: "10.0.0.1"},
			Changes: []audit.Change{{Path: "/name", Op: audit.OpReplace, Old: []byte(`"a"`), New: []byte(`"b"`)}},
		}
	}
	row := func(i int) ([]any, error) {
		e := &events[i]
		changes, err := json.Marshal(e.Changes)
		return []any{
			e.ID, e.At, e.Tenant, e.Actor.Type, e.Actor.ID, e.Actor.Name, e.Actor.OnBehalfOf, e.Actor.Tenant, e.Action,
			e.Entity.Type, e.Entity.ID, string(e.Outcome), e.Reason, string(e.Class), e.Request.ID, e.Request.SessionID, e.Request.IP,
			e.Request.UserAgent, e.Request.Method, e.Request.Path, string(changes), "", e.Truncated,
		}, err
	}
	// Ids ascend, as those of UUIDv7 do, and all take from the same numbers.
	written := 0
	id := func() string {
		written++
		return fmt.Sprintf("0192f0c1-a4e0-7c5b-9f6d-%012d", written)
	}
	copied := func(rows pgx.CopyFromSource) {
		if must(pool.CopyFrom(ctx, pgx.Identifier{"audit_events"}, auditColumns, rows)) != auditBatch {
			panic("COPY took fewer rows")
		}
	}
	ready := make([][]any, auditBatch)
	for i := range ready {
		ready[i] = must(row(i))
	}
	contestants := []contestant{
		{name: "COPY", per: auditBatch, run: func() {
			for i := range events {
				events[i].ID = id()
			}
			copied(pgx.CopyFromSlice(auditBatch, row))
		}},
		{name: "sqlaudit.Store.Write", per: auditBatch, bar: 1.43, allocs: -1, run: func() {
			for i := range events {
				events[i].ID = id()
			}
			check(store.Write(ctx, events))
		}},
		{name: "COPY of rows made beforehand", per: auditBatch, run: func() {
			for i := range ready {
				ready[i][0] = id()
			}
			copied(pgx.CopyFromRows(ready))
		}},
	}
	for _, c := range contestants {
		c.run()
	}
	return contestants, sameRows(db, auditBatch, len(contestants))
}

// sameRows reports an error unless there are so many different rows in the trail, each the same
// number of times but for its id.
func sameRows(db sqldb.DB, different, times int) error {
	var groups, least, most int
	const others = `at, tenant, actor_type, actor_id, actor_name, on_behalf_of, actor_tenant, action, entity_type, entity_id,
		outcome, reason, class, request_id, session_id, ip, user_agent, method, path, changes, data, truncated`
	err := db.QueryRow(context.Background(), `SELECT COUNT(*), MIN(n), MAX(n) FROM (SELECT COUNT(*) AS n FROM audit_events GROUP BY `+
		others+`) AS alike`).Scan(&groups, &least, &most)
	if err == nil && (groups != different || least != times || most != times) {
		err = fmt.Errorf("%d different rows, each %d to %d times", groups, least, most)
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
