package sqlaudit_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
)

// BenchmarkWrite stores batches of events. On PostgreSQL it is compared with COPY of the same rows
// into the same table, alternating, and reports the ratio.
func BenchmarkWrite(b *testing.B) {
	const batch = 1000
	b.Run("sqlite", func(b *testing.B) {
		o := openFile(b)
		for b.Loop() {
			require.NoError(b, o.store.Write(ctx, benchEvents(batch)))
		}
		b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("pgx against copy", func(b *testing.B) {
		pool := openPool(b, testdb.Postgres(b), pgx.QueryExecModeCacheStatement)
		o := &opened{db: sqldb.Pgx(pool)}
		createTables(b, o.db)
		o.store = newStore(b, config(b, o.db))
		columns := []string{
			"id", "at", "tenant", "actor_type", "actor_id", "actor_name", "on_behalf_of", "actor_tenant", "action",
			"entity_type", "entity_id", "outcome", "reason", "class", "request_id", "session_id", "ip", "user_agent",
			"method", "path", "changes", "data", "truncated",
		}
		var ours, copied []time.Duration
		for b.Loop() {
			events := benchEvents(batch)
			start := b.Elapsed()
			require.NoError(b, o.store.Write(ctx, events))
			ours = append(ours, b.Elapsed()-start)

			rows := make([][]any, batch)
			for i, e := range benchEvents(batch) {
				rows[i] = []any{
					e.ID, e.At, e.Tenant, e.Actor.Type, e.Actor.ID, "", "", "", e.Action, e.Entity.Type, e.Entity.ID,
					string(e.Outcome), "", string(e.Class), e.Request.ID, "", e.Request.IP, "", "", "",
					`[{"path":"/name","op":"replace","before":"a","after":"b"}]`, "", false,
				}
			}
			start = b.Elapsed()
			_, err := pool.CopyFrom(ctx, pgx.Identifier{"audit_events"}, columns, pgx.CopyFromRows(rows))
			require.NoError(b, err)
			copied = append(copied, b.Elapsed()-start)
		}
		b.ReportMetric(median(copied)/median(ours), "x-of-copy")
		b.ReportMetric(batch/median(ours), "events/s")
	})
}

func median(list []time.Duration) float64 {
	slices.Sort(list)
	return list[len(list)/2].Seconds()
}

func benchEvents(n int) []audit.Event {
	events := make([]audit.Event, n)
	for i := range events {
		events[i] = audit.Event{
			ID: uuid7.New(epoch), At: epoch, Tenant: "t1", Actor: audit.Actor{Type: "user", ID: fmt.Sprint("u", i%100)},
			Action: "area.update", Entity: audit.Entity{Type: "area", ID: fmt.Sprint(i)}, Outcome: audit.Success,
			Class: audit.Normal, Request: audit.Request{ID: fmt.Sprint("r", i), IP: "10.0.0.1"},
			Changes: []audit.Change{{Path: "/name", Op: audit.OpReplace, Old: []byte(`"a"`), New: []byte(`"b"`)}},
		}
	}
	return events
}
