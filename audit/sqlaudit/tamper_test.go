package sqlaudit_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/sqldb"
)

// sealed has n sealed events and a signed checkpoint, and no trigger in the way.
func sealed(t testing.TB, o *opened, n int) []string {
	t.Helper()
	ids := o.log(t, n)
	o.seal(t, signed)
	o.disarm(t)
	require.NoError(t, o.verify(t).Err())
	return ids
}

// eventTexts are the text columns of audit_events but the id.
var eventTexts = []string{
	"tenant", "actor_type", "actor_id", "actor_name", "on_behalf_of", "actor_tenant", "action", "entity_type",
	"entity_id", "outcome", "reason", "class", "request_id", "session_id", "ip", "user_agent", "method", "path",
	"changes", "data",
}

// An edit of any column of any table is found, with its kind and position.
func TestTamperedColumns(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		ids := sealed(t, o, 12)
		// check makes an edit, looks at the report and takes the edit back.
		check := func(kind sqlaudit.Kind, seq int64, do, undo string, args ...any) {
			t.Helper()
			require.Equal(t, int64(1), o.exec(t, do, args...), do)
			report := o.verify(t)
			require.NotNil(t, report.Fault, do)
			require.Equal(t, kind, report.Fault.Kind, do)
			require.Equal(t, seq, report.Fault.Seq, do)
			require.ErrorIs(t, report.Err(), sqlaudit.ErrTampered)
			o.exec(t, undo, args...)
			require.NoError(t, o.verify(t).Err(), undo)
		}
		for i, column := range eventTexts {
			seq := int64(i%12 + 1)
			for _, edit := range []string{"%s || 'x'", "' ' || %s"} {
				check(sqlaudit.KindContent, seq,
					fmt.Sprintf("UPDATE audit_events SET %s = "+edit+" WHERE id = $1", column, column),
					fmt.Sprintf("UPDATE audit_events SET %s = (SELECT e.%s FROM audit_copy AS e WHERE e.id = $1) WHERE id = $1", column, column),
					keep(t, o, ids[seq-1]))
			}
		}
		restore := "UPDATE audit_events SET at = (SELECT e.at FROM audit_copy AS e WHERE e.id = $1), " +
			"truncated = (SELECT e.truncated FROM audit_copy AS e WHERE e.id = $1) WHERE id = $1"
		check(sqlaudit.KindContent, 5, "UPDATE audit_events SET truncated = NOT truncated WHERE id = $1", restore, keep(t, o, ids[4]))
		check(sqlaudit.KindContent, 6, "UPDATE audit_events SET at = '2020-01-01T00:00:00.000000Z' WHERE id = $1", restore, keep(t, o, ids[5]))
		check(sqlaudit.KindMissing, 3, "UPDATE audit_events SET id = 'other' WHERE id = '"+ids[2]+"'",
			"UPDATE audit_events SET id = '"+ids[2]+"' WHERE id = 'other'")
		if o.dialect == sqldb.DialectSQLite {
			check(sqlaudit.KindContent, 6, "UPDATE audit_events SET at = REPLACE(at, 'Z', '1Z') WHERE id = $1", restore, keep(t, o, ids[5]))
			check(sqlaudit.KindContent, 6, "UPDATE audit_events SET at = 'soon' WHERE id = $1", restore, keep(t, o, ids[5]))
			check(sqlaudit.KindContent, 7, "UPDATE audit_events SET reason = CAST(reason AS BLOB) WHERE id = $1",
				"UPDATE audit_events SET reason = 'because' WHERE id = $1", keep(t, o, ids[6]))
			check(sqlaudit.KindContent, 8, "UPDATE audit_events SET pos = 1000 WHERE id = $1",
				"UPDATE audit_events SET pos = 8 WHERE id = $1", keep(t, o, ids[7]))
		}
		for column, kind := range map[string]sqlaudit.Kind{
			"event_id": sqlaudit.KindMissing, "key_id": sqlaudit.KindUnknownKey, "prev": sqlaudit.KindLink,
			"hash": sqlaudit.KindContent, "chain": sqlaudit.KindGap,
		} {
			check(kind, 4, fmt.Sprintf("UPDATE audit_chain SET %s = %s || 'x' WHERE seq = 4", column, column),
				fmt.Sprintf("UPDATE audit_chain SET %s = SUBSTR(%s, 1, LENGTH(%s) - 1) WHERE seq = 4", column, column, column))
		}
		check(sqlaudit.KindGap, 4, "UPDATE audit_chain SET seq = 400 WHERE seq = 4", "UPDATE audit_chain SET seq = 4 WHERE seq = 400")
		check(sqlaudit.KindTail, 12, "UPDATE audit_chain SET seq = 400 WHERE seq = 12", "UPDATE audit_chain SET seq = 12 WHERE seq = 400")
		for column, kind := range map[string]sqlaudit.Kind{"hash": sqlaudit.KindHead, "mac": sqlaudit.KindHead, "key_id": sqlaudit.KindUnknownKey} {
			check(kind, 12, fmt.Sprintf("UPDATE audit_heads SET %s = %s || 'x'", column, column),
				fmt.Sprintf("UPDATE audit_heads SET %s = SUBSTR(%s, 1, LENGTH(%s) - 1)", column, column, column))
			base := map[string]sqlaudit.Kind{"hash": sqlaudit.KindAnchor, "mac": sqlaudit.KindAnchor, "key_id": sqlaudit.KindUnknownKey}[column]
			check(base, 0, fmt.Sprintf("UPDATE audit_heads SET base_%s = base_%s || 'x'", column, column),
				fmt.Sprintf("UPDATE audit_heads SET base_%s = SUBSTR(base_%s, 1, LENGTH(base_%s) - 1)", column, column, column))
		}
		check(sqlaudit.KindHead, 9, "UPDATE audit_heads SET seq = 9", "UPDATE audit_heads SET seq = 12")
		check(sqlaudit.KindHead, 15, "UPDATE audit_heads SET seq = 15", "UPDATE audit_heads SET seq = 12")
		check(sqlaudit.KindAnchor, 2, "UPDATE audit_heads SET base_seq = 2", "UPDATE audit_heads SET base_seq = 0")
		check(sqlaudit.KindHead, 1, "UPDATE audit_heads SET chain = 'x'", "UPDATE audit_heads SET chain = ''")
		for _, column := range []string{"hash", "key_id"} {
			check(sqlaudit.KindCheckpoint, 12, fmt.Sprintf("UPDATE audit_checkpoints SET %s = %s || 'x'", column, column),
				fmt.Sprintf("UPDATE audit_checkpoints SET %s = SUBSTR(%s, 1, LENGTH(%s) - 1)", column, column, column))
		}
		check(sqlaudit.KindCheckpoint, 12, "UPDATE audit_checkpoints SET signature = 'A' || signature",
			"UPDATE audit_checkpoints SET signature = SUBSTR(signature, 2)")
		check(sqlaudit.KindCheckpoint, 11, "UPDATE audit_checkpoints SET seq = 11", "UPDATE audit_checkpoints SET seq = 12")
	})
}

// keep puts a copy of an event aside, for the way back, and returns its id.
func keep(t testing.TB, o *opened, id string) string {
	t.Helper()
	_, err := o.db.Exec(ctx, "CREATE TABLE IF NOT EXISTS audit_copy AS SELECT * FROM audit_events")
	require.NoError(t, err)
	return id
}

// Rows that are removed, swapped or added.
func TestTamperedRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(t *testing.T, o *opened, ids []string)
		kind sqlaudit.Kind
		seq  int64
	}{
		"event deleted": {func(t *testing.T, o *opened, ids []string) {
			o.exec(t, "DELETE FROM audit_events WHERE id = $1", ids[4])
		}, sqlaudit.KindMissing, 5},
		"link deleted": {func(t *testing.T, o *opened, _ []string) {
			o.exec(t, "DELETE FROM audit_chain WHERE seq = 5")
		}, sqlaudit.KindGap, 5},
		"both deleted": {func(t *testing.T, o *opened, ids []string) {
			o.exec(t, "DELETE FROM audit_events WHERE id = $1", ids[4])
			o.exec(t, "DELETE FROM audit_chain WHERE seq = 5")
		}, sqlaudit.KindGap, 5},
		"first deleted": {func(t *testing.T, o *opened, ids []string) {
			o.exec(t, "DELETE FROM audit_events WHERE id = $1", ids[0])
			o.exec(t, "DELETE FROM audit_chain WHERE seq = 1")
		}, sqlaudit.KindGap, 1},
		"deleted and closed up": {func(t *testing.T, o *opened, _ []string) {
			o.exec(t, "DELETE FROM audit_chain WHERE seq = 5")
			for seq := 6; seq <= 12; seq++ {
				o.exec(t, "UPDATE audit_chain SET seq = seq - 1 WHERE seq = $1", int64(seq))
			}
		}, sqlaudit.KindLink, 5},
		"events swapped": {func(t *testing.T, o *opened, ids []string) {
			o.exec(t, "UPDATE audit_events SET id = 'x' WHERE id = $1", ids[2])
			o.exec(t, "UPDATE audit_events SET id = $1 WHERE id = $2", ids[2], ids[3])
			o.exec(t, "UPDATE audit_events SET id = $1 WHERE id = 'x'", ids[3])
		}, sqlaudit.KindContent, 3},
		"links swapped": {func(t *testing.T, o *opened, _ []string) {
			o.exec(t, "UPDATE audit_chain SET seq = 100 WHERE seq = 3")
			o.exec(t, "UPDATE audit_chain SET seq = 3 WHERE seq = 4")
			o.exec(t, "UPDATE audit_chain SET seq = 4 WHERE seq = 100")
		}, sqlaudit.KindLink, 3},
		"inserted": {func(t *testing.T, o *opened, ids []string) {
			require.NoError(t, o.store.Write(ctx, []audit.Event{{ID: "forged", At: epoch, Action: "forged"}}))
			for seq := 12; seq >= 5; seq-- {
				o.exec(t, "UPDATE audit_chain SET seq = seq + 1 WHERE seq = $1", int64(seq))
			}
			o.exec(t, `INSERT INTO audit_chain (chain, seq, event_id, key_id, prev, hash)
				SELECT chain, 5, 'forged', key_id, hash, 'forged' FROM audit_chain WHERE seq = 4`)
		}, sqlaudit.KindContent, 5},
		"duplicated": {func(t *testing.T, o *opened, ids []string) {
			o.exec(t, "UPDATE audit_chain SET event_id = 'x' WHERE seq = 6")
			o.exec(t, "UPDATE audit_chain SET event_id = 'y' WHERE seq = 5")
			o.exec(t, "UPDATE audit_chain SET event_id = $1 WHERE seq = 6", ids[4])
		}, sqlaudit.KindMissing, 5},
		"tail cut": {func(t *testing.T, o *opened, ids []string) {
			o.exec(t, "DELETE FROM audit_events WHERE id IN (SELECT event_id FROM audit_chain WHERE seq > 9)")
			o.exec(t, "DELETE FROM audit_chain WHERE seq > 9")
		}, sqlaudit.KindTail, 10},
		"head deleted": {func(t *testing.T, o *opened, _ []string) {
			o.exec(t, "DELETE FROM audit_heads")
		}, sqlaudit.KindHead, 1},
		"everything deleted": {func(t *testing.T, o *opened, _ []string) {
			for _, table := range []string{"audit_events", "audit_chain", "audit_heads"} {
				o.exec(t, "DELETE FROM "+table)
			}
		}, sqlaudit.KindTail, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, o *opened) {
				c.do(t, o, sealed(t, o, 12))
				report := o.verify(t)
				require.NotNil(t, report.Fault)
				require.Equal(t, c.kind, report.Fault.Kind)
				require.Equal(t, c.seq, report.Fault.Seq)
				require.Contains(t, report.Fault.Error(), string(c.kind))
				require.Equal(t, max(c.seq-1, 0), report.To)
			})
		})
	}
}

// A tail that is cut together with its head, put back as it was, needs a checkpoint.
func TestTruncationWithOldHead(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		var outside []sqlaudit.Checkpoint
		o.log(t, 5)
		o.seal(t)
		o.exec(t, "CREATE TABLE old_head AS SELECT * FROM audit_heads")
		o.log(t, 5)
		keepOutside := func(_ context.Context, c sqlaudit.Checkpoint) error {
			outside = append(outside, c)
			return nil
		}
		o.seal(t, signed, func(cfg *sqlaudit.SealerConfig) { cfg.OnCheckpoint = keepOutside })
		require.Len(t, outside, 1)
		o.exec(t, "DELETE FROM audit_events WHERE id IN (SELECT event_id FROM audit_chain WHERE seq > 5)")
		o.exec(t, "DELETE FROM audit_chain WHERE seq > 5")
		o.exec(t, "DELETE FROM audit_heads")
		o.exec(t, "INSERT INTO audit_heads SELECT * FROM old_head")
		o.exec(t, "DELETE FROM audit_checkpoints")
		require.NoError(t, o.verify(t).Err(), "inside the database nothing is left that could tell")
		fault := o.verify(t, sqlaudit.VerifyOptions{Checkpoints: outside}).Fault
		require.NotNil(t, fault)
		require.Equal(t, sqlaudit.KindTail, fault.Kind)
		require.Equal(t, int64(6), fault.Seq)
		// The chain grows over the cut: the old checkpoint still tells.
		o.log(t, 9)
		o.seal(t)
		require.NoError(t, o.verify(t).Err())
		fault = o.verify(t, sqlaudit.VerifyOptions{Checkpoints: outside}).Fault
		require.NotNil(t, fault)
		require.Equal(t, sqlaudit.KindCheckpoint, fault.Kind)
		require.Equal(t, int64(10), fault.Seq)
	})
}

// Whoever has the key can rewrite the chain, and a checkpoint tells.
func TestRewriteWithTheKey(t *testing.T) {
	t.Parallel()
	o := openFile(t)
	ids := sealed(t, o, 9)
	outside, err := o.store.Checkpoints(ctx, "", 0, 10)
	require.NoError(t, err)
	o.exec(t, "UPDATE audit_events SET reason = 'no reason' WHERE id = $1", ids[3])
	for _, table := range []string{"audit_chain", "audit_heads", "audit_checkpoints"} {
		o.exec(t, "DELETE FROM "+table)
	}
	o.exec(t, "UPDATE audit_sealer SET seen = 0")
	require.Equal(t, int64(9), o.seal(t).Sealed)
	require.NoError(t, o.verify(t).Err())
	fault := o.verify(t, sqlaudit.VerifyOptions{Checkpoints: outside}).Fault
	require.NotNil(t, fault)
	require.Equal(t, sqlaudit.KindCheckpoint, fault.Kind)
	require.Equal(t, int64(9), fault.Seq)
}

// A sealer does not go on from an end that was tampered with.
func TestSealerRefusesATamperedHead(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]string{
		"moved":   "UPDATE audit_heads SET seq = 5",
		"forged":  "UPDATE audit_heads SET hash = prev_hash FROM (SELECT prev AS prev_hash FROM audit_chain WHERE seq = 3) AS c",
		"deleted": "DELETE FROM audit_heads",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, o *opened) {
				sealed(t, o, 8)
				o.exec(t, do)
				o.log(t, 1)
				_, err := o.sealer(t).Once(ctx)
				require.ErrorIs(t, err, sqlaudit.ErrTampered)
				require.Equal(t, 8, o.count(t, "audit_chain"))
			})
		})
	}
}

func TestCheckpoints(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		failing := fmt.Errorf("no network")
		var got []sqlaudit.Checkpoint
		hand := func(cfg *sqlaudit.SealerConfig) {
			cfg.OnCheckpoint = func(_ context.Context, c sqlaudit.Checkpoint) error {
				if failing != nil {
					return failing
				}
				got = append(got, c)
				return nil
			}
		}
		o.log(t, 3)
		_, err := o.sealer(t, signed, hand).Once(ctx)
		require.ErrorIs(t, err, failing)
		require.Zero(t, o.count(t, "audit_checkpoints"))
		failing = nil
		require.Len(t, o.seal(t, signed, hand).Checkpoints, 1, "it is handed over at the next pass")
		require.Empty(t, o.seal(t, signed, hand).Checkpoints)
		o.log(t, 2)
		o.seal(t, signed, hand)
		require.Equal(t, []int64{3, 5}, []int64{got[0].Seq, got[1].Seq})
		stored, err := o.store.Checkpoints(ctx, "", 0, 10)
		require.NoError(t, err)
		require.Equal(t, got, stored)
		public := signingKey().Public().(ed25519.PublicKey)
		require.NoError(t, got[0].Verify(public))
		for _, change := range []func(c *sqlaudit.Checkpoint){
			func(c *sqlaudit.Checkpoint) { c.Chain = "x" }, func(c *sqlaudit.Checkpoint) { c.Seq++ },
			func(c *sqlaudit.Checkpoint) { c.Hash += "x" }, func(c *sqlaudit.Checkpoint) { c.At = c.At.Add(time.Microsecond) },
			func(c *sqlaudit.Checkpoint) { c.KeyID = "x" }, func(c *sqlaudit.Checkpoint) { c.Signature = nil },
		} {
			c := got[0]
			change(&c)
			require.ErrorIs(t, c.Verify(public), sqlaudit.ErrCheckpoint)
		}
		forged := got[0]
		forged.Hash = got[1].Hash
		_, err = o.store.Verify(ctx, sqlaudit.VerifyOptions{Checkpoints: []sqlaudit.Checkpoint{forged}})
		require.ErrorIs(t, err, sqlaudit.ErrCheckpoint, "a bad checkpoint is no proof against the chain")
		_, err = o.store.Verify(ctx, sqlaudit.VerifyOptions{From: &forged})
		require.ErrorIs(t, err, sqlaudit.ErrCheckpoint)
		_, err = o.store.Verify(ctx, sqlaudit.VerifyOptions{From: &got[0], Chain: "other"})
		require.ErrorIs(t, err, sqlaudit.ErrCheckpoint)
		report := o.verify(t, sqlaudit.VerifyOptions{Checkpoints: got})
		require.NoError(t, report.Err())
		require.Equal(t, int64(4), report.Checkpoints, "two stored, two given")
	})
}
