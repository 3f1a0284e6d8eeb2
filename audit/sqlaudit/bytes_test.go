package sqlaudit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/sqldb"
)

// stored is a column of one row, and what an edit of it must be reported as.
type stored struct {
	table, where, column string
	kind                 sqlaudit.Kind
	seq                  int64
}

// storedTexts are all texts that a sealed trail of three events consists of: the second event, its
// link, the head and the checkpoint.
func storedTexts(d sqldb.Dialect) []stored {
	list := []stored{
		{"audit_events", "pos = 2", "id", sqlaudit.KindMissing, 2},
		{"audit_chain", "seq = 2", "event_id", sqlaudit.KindMissing, 2},
		{"audit_chain", "seq = 2", "key_id", sqlaudit.KindUnknownKey, 2},
		{"audit_chain", "seq = 2", "prev", sqlaudit.KindLink, 2},
		{"audit_chain", "seq = 2", "hash", sqlaudit.KindContent, 2},
		{"audit_heads", "chain = ''", "hash", sqlaudit.KindHead, 3},
		{"audit_heads", "chain = ''", "key_id", sqlaudit.KindUnknownKey, 3},
		{"audit_heads", "chain = ''", "mac", sqlaudit.KindHead, 3},
		{"audit_heads", "chain = ''", "base_hash", sqlaudit.KindAnchor, 0},
		{"audit_heads", "chain = ''", "base_key_id", sqlaudit.KindUnknownKey, 0},
		{"audit_heads", "chain = ''", "base_mac", sqlaudit.KindAnchor, 0},
		{"audit_checkpoints", "chain = ''", "hash", sqlaudit.KindCheckpoint, 3},
		{"audit_checkpoints", "chain = ''", "key_id", sqlaudit.KindCheckpoint, 3},
		{"audit_checkpoints", "chain = ''", "signature", sqlaudit.KindCheckpoint, 3},
	}
	for _, column := range eventTexts {
		list = append(list, stored{"audit_events", "pos = 2", column, sqlaudit.KindContent, 2})
	}
	if d == sqldb.DialectSQLite { // where times are texts
		list = append(list,
			stored{"audit_events", "pos = 2", "at", sqlaudit.KindContent, 2},
			stored{"audit_checkpoints", "chain = ''", "at", sqlaudit.KindCheckpoint, 3})
	}
	return list
}

// Each byte of each stored text is changed, each text is cut and made longer, and every time the
// verification names the kind and the position.
func TestEveryStoredByte(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		sealed(t, o, 3)
		step := 1
		if raceEnabled || testing.Short() {
			step = 7
		}
		edits := 0
		for _, c := range storedTexts(o.dialect) {
			var was string
			require.NoError(t, o.db.QueryRow(ctx, "SELECT "+c.column+" FROM "+c.table+" WHERE "+c.where).Scan(&was))
			for i := 0; i < len(was); i += step {
				other := byte('x')
				if was[i] == other {
					other = 'y'
				}
				o.edit(t, c, was, was[:i]+string(other)+was[i+1:])
			}
			o.edit(t, c, was, was+"x")
			o.edit(t, c, was, "\n"+was)
			if was != "" {
				o.edit(t, c, was, was[:len(was)-1])
			}
			edits += len(was)
		}
		require.Greater(t, edits, 500)
		require.NoError(t, o.verify(t).Err())
	})
}

// edit writes another value, looks at the report and puts the value back.
func (o *opened) edit(t *testing.T, c stored, was, value string) {
	t.Helper()
	update := "UPDATE " + c.table + " SET " + c.column + " = $1 WHERE " + c.where
	require.Equal(t, int64(1), o.exec(t, update, value))
	o.requireFault(t, c, value)
	o.exec(t, update, was)
}

func (o *opened) requireFault(t *testing.T, c stored, edit string) {
	t.Helper()
	fault := o.verify(t).Fault
	require.NotNil(t, fault, "%s.%s became %q", c.table, c.column, edit)
	require.Equal(t, c.kind, fault.Kind, "%s.%s became %q: %v", c.table, c.column, edit, fault)
	require.Equal(t, c.seq, fault.Seq, "%s.%s became %q: %v", c.table, c.column, edit, fault)
}

// Values that are no text: positions, times, the flag, and on SQLite other types in any column.
func TestEveryStoredValue(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		sealed(t, o, 3)
		o.exec(t, "CREATE TABLE was_events AS SELECT * FROM audit_events")
		o.exec(t, "CREATE TABLE was_checkpoints AS SELECT * FROM audit_checkpoints")
		event, link := "pos = 2", "seq = 2"
		edits := []struct {
			stored
			to, back string
		}{
			{
				stored{"audit_events", event, "truncated", sqlaudit.KindContent, 2},
				"NOT truncated", "(SELECT w.truncated FROM was_events AS w WHERE w.pos = 2)",
			},
			{stored{"audit_chain", link, "seq", sqlaudit.KindGap, 2}, "9", ""},
			{stored{"audit_heads", "chain = ''", "seq", sqlaudit.KindHead, 4}, "4", "3"},
			{stored{"audit_heads", "chain = ''", "base_seq", sqlaudit.KindAnchor, 1}, "1", "0"},
			{stored{"audit_checkpoints", "chain = ''", "seq", sqlaudit.KindCheckpoint, 2}, "2", "3"},
		}
		add := func(c stored, to, back string) {
			edits = append(edits, struct {
				stored
				to, back string
			}{c, to, back})
		}
		at := "(SELECT w.at FROM was_events AS w WHERE w.pos = 2)"
		checked := "(SELECT w.at FROM was_checkpoints AS w)"
		if o.dialect == sqldb.DialectPostgres {
			o.exec(t, "ALTER TABLE audit_events ALTER COLUMN pos DROP IDENTITY")
			for _, to := range []string{"at + interval '1 microsecond'", "'infinity'"} {
				add(stored{"audit_events", event, "at", sqlaudit.KindContent, 2}, to, at)
				add(stored{"audit_checkpoints", "chain = ''", "at", sqlaudit.KindCheckpoint, 3}, to, checked)
			}
		} else {
			for _, to := range []string{"2", "'true'", "''", "X'01'"} {
				add(stored{"audit_events", event, "truncated", sqlaudit.KindContent, 2}, to, "FALSE")
			}
			for _, to := range []string{"REPLACE(at, 'T', ' ')", "REPLACE(at, 'Z', '+00:00')", "CAST(at AS BLOB)", "1772366402123456"} {
				add(stored{"audit_events", event, "at", sqlaudit.KindContent, 2}, to, at)
				add(stored{"audit_checkpoints", "chain = ''", "at", sqlaudit.KindCheckpoint, 3}, to, checked)
			}
			add(stored{"audit_heads", "chain = ''", "seq", sqlaudit.KindHead, 0}, "'x'", "3")
			add(stored{"audit_heads", "chain = ''", "base_seq", sqlaudit.KindHead, 0}, "X'00'", "0")
			add(stored{"audit_checkpoints", "chain = ''", "seq", sqlaudit.KindCheckpoint, 0}, "'x'", "3")
			add(stored{"audit_chain", link, "seq", sqlaudit.KindGap, 2}, "'x'", "")
			for _, c := range storedTexts(o.dialect) {
				if c.column == "id" || c.column == "event_id" || c.column == "at" {
					continue
				}
				switch c.table {
				case "audit_heads":
					c.kind, c.seq = sqlaudit.KindHead, 0
				case "audit_chain":
					c.kind = sqlaudit.KindContent
				}
				add(c, "CAST("+c.column+" AS BLOB)", "CAST("+c.column+" AS TEXT)")
			}
		}
		add(stored{"audit_events", "id = '" + o.events(t)[1].ID + "'", "pos", sqlaudit.KindContent, 2}, "1000", "2")
		for _, e := range edits {
			o.exec(t, fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s", e.table, e.column, e.to, e.where))
			o.requireFault(t, e.stored, e.to)
			if e.back == "" { // the row is known by the column that was edited
				o.exec(t, "UPDATE audit_chain SET seq = 2 WHERE seq NOT IN (1, 3)")
			} else {
				o.exec(t, fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s", e.table, e.column, e.back, e.where))
			}
			require.NoError(t, o.verify(t).Err(), "%s.%s is back", e.table, e.column)
		}
	})
}

// A link outside of its chain would make a forged event look sealed, or keep a true one from being
// sealed.
func TestStrayLinks(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		sealed(t, o, 6)
		o.exec(t, "CREATE TABLE old_head AS SELECT * FROM audit_heads")
		at := epoch.Add(time.Hour)
		require.NoError(t, o.store.Write(ctx, []audit.Event{{ID: "forged", At: at, Action: "forged"}}))
		stray := func(chain string, seq int64) {
			t.Helper()
			o.exec(t, `INSERT INTO audit_chain (chain, seq, event_id, key_id, prev, hash) VALUES ($1, $2, 'forged', 'k1', 'x', 'x')`, chain, seq)
		}
		check := func(kind sqlaudit.Kind, chain string, seq, unsealed int64) {
			t.Helper()
			report := o.verify(t)
			require.NotNil(t, report.Fault)
			require.Equal(t, kind, report.Fault.Kind)
			require.Equal(t, chain, report.Fault.Chain)
			require.Equal(t, seq, report.Fault.Seq)
			require.Equal(t, "forged", report.Fault.EventID)
			require.Equal(t, unsealed, report.Unsealed)
			o.exec(t, "DELETE FROM audit_chain WHERE event_id = 'forged'")
			require.NoError(t, o.verify(t).Err())
		}
		stray("", 7)
		check(sqlaudit.KindHead, "", 7, 0)
		stray("other", 1)
		check(sqlaudit.KindHead, "other", 1, 1)
		o.exec(t, `INSERT INTO audit_heads SELECT 'other', seq, hash, key_id, mac, base_seq, base_hash, base_key_id, base_mac FROM audit_heads`)
		stray("other", 1)
		check(sqlaudit.KindHead, "other", 1, 1)
		o.exec(t, "DELETE FROM audit_heads WHERE chain = 'other'")

		_, err := o.store.Purge(ctx, sqlaudit.PurgeOptions{Before: epoch.Add(3 * time.Second)})
		require.NoError(t, err)
		stray("", 2)
		check(sqlaudit.KindAnchor, "", 2, 0)

		// The whole head as it was, with the links that have come since.
		o.log(t, 2)
		o.exec(t, "DELETE FROM old_head")
		o.exec(t, "INSERT INTO old_head SELECT * FROM audit_heads")
		o.seal(t)
		o.exec(t, "DELETE FROM audit_heads")
		o.exec(t, "INSERT INTO audit_heads SELECT * FROM old_head")
		o.exec(t, "DELETE FROM audit_checkpoints")
		fault := o.verify(t).Fault
		require.NotNil(t, fault)
		require.Equal(t, sqlaudit.KindHead, fault.Kind)
		require.Equal(t, int64(7), fault.Seq)
	})
}

// Where each tenant has a chain, a link in that of another does not seal an event either.
func TestStrayLinkInAnotherTenantsChain(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		cfg := config(t, o.db)
		cfg.PerTenant = true
		o.store = newStore(t, cfg)
		for _, tenant := range []string{"a", "b"} {
			o.log(t, 2, func(e *audit.Event) { e.Tenant, e.Actor.Tenant = tenant, "" })
		}
		o.seal(t)
		require.NoError(t, o.store.Write(ctx, []audit.Event{{ID: "forged", At: epoch, Action: "forged", Tenant: "a"}}))
		o.exec(t, `INSERT INTO audit_chain (chain, seq, event_id, key_id, prev, hash) VALUES ('b', 3, 'forged', 'k1', 'x', 'x')`)
		report := o.verify(t, sqlaudit.VerifyOptions{Chain: "a"})
		require.NoError(t, report.Err())
		require.Equal(t, int64(1), report.Unsealed)
		fault := o.verify(t, sqlaudit.VerifyOptions{Chain: "b"}).Fault
		require.NotNil(t, fault)
		require.Equal(t, int64(3), fault.Seq)
	})
}
