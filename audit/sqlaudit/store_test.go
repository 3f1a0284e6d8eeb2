package sqlaudit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/audittest"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/sqldb"
)

func (o *opened) Write(ctx context.Context, events []audit.Event) error {
	return o.store.Write(ctx, events)
}

func (o *opened) Stored(t *testing.T) []audit.Event { return o.events(t) }

func TestSink(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, tr transport, dsn string) {
		audittest.TestSink(t, audittest.Options{}, func(t *testing.T) audittest.Store { return open(t, tr, dsn) })
	})
}

func TestConfigFaultsAreJoined(t *testing.T) {
	t.Parallel()
	_, err := sqlaudit.New(sqlaudit.Config{PageSize: -1, CheckpointKeys: map[string]sqlaudit.PublicKey{"a": {1}}})
	for _, field := range []string{"DB", "PageSize", "CheckpointKeys"} {
		require.ErrorContains(t, err, field)
	}
	_, err = sqlaudit.NewSealer(sqlaudit.SealerConfig{Interval: -1, Batch: -1, Late: -1, SigningKey: []byte{1}})
	for _, field := range []string{"Store", "Interval", "Batch", "Late", "SigningKey", "SigningKeyID"} {
		require.ErrorContains(t, err, field)
	}
	_, err = sqlaudit.NewKeyring(sqlaudit.Key{}, sqlaudit.Key{ID: "a", Secret: []byte("short secret")}, key("b"), key("b"))
	require.ErrorContains(t, err, "Key.ID")
	require.ErrorContains(t, err, "twice")
	require.NotContains(t, err.Error(), "short secret")
	require.NotContains(t, key("x").String()+key("x").GoString()+key("x").LogValue().String(), "secret of")
	var fault *sqlaudit.ConfigError
	require.ErrorAs(t, err, &fault)
	require.Empty(t, sqlaudit.Schema(0))
}

func TestNoKeys(t *testing.T) {
	t.Parallel()
	store := newStore(t, sqlaudit.Config{DB: openFile(t).db})
	_, err := store.Verify(ctx, sqlaudit.VerifyOptions{})
	require.ErrorIs(t, err, sqlaudit.ErrNoKeys)
	_, err = store.Purge(ctx, sqlaudit.PurgeOptions{Before: epoch})
	require.ErrorIs(t, err, sqlaudit.ErrNoKeys)
	_, err = sqlaudit.NewSealer(sqlaudit.SealerConfig{Store: store})
	require.ErrorContains(t, err, "has no keys")
}

// An entry commits with its change or not at all.
func TestEntryFollowsItsTransaction(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		o.exec(t, `CREATE TABLE things (name TEXT NOT NULL)`)
		change := func(after func() error) error {
			return o.db.InTx(ctx, func(tx sqldb.DB) error {
				if _, err := tx.Exec(ctx, `INSERT INTO things (name) VALUES ('x')`); err != nil {
					return err
				}
				err := o.trail.ChangeTo(ctx, sqlaudit.On(tx), audit.Event{Action: "thing.create"}, nil, map[string]string{"name": "x"})
				if err != nil {
					return err
				}
				return after()
			})
		}
		failed := errors.New("failed")
		require.ErrorIs(t, change(func() error { return failed }), failed)
		require.Zero(t, o.count(t, "audit_events"))
		require.Panics(t, func() { _ = change(func() error { panic("x") }) })
		require.Zero(t, o.count(t, "audit_events"))
		require.NoError(t, change(func() error { return nil }))
		require.Equal(t, 1, o.count(t, "audit_events"))
		require.Equal(t, 1, o.count(t, "things"))
	})
}

// What no table can hold is refused for good, so that nobody tries it for ever.
func TestImpossibleEventsAreRejected(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		for _, e := range []audit.Event{
			{At: epoch, Action: "x"},
			{ID: "a", Action: "x"},
			{ID: "a", At: epoch},
			{ID: "a", Action: "x", At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
			{ID: "a", Action: "x", At: time.Date(9999, 12, 31, 23, 30, 0, 0, time.FixedZone("", -3600))},
			{ID: "a", Action: "x", At: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
			{ID: "a", Action: "x", At: epoch, Data: map[string]any{"a": make(chan int)}},
		} {
			good := audit.Event{ID: "good", At: epoch, Action: "x"}
			require.ErrorIs(t, o.store.Write(ctx, []audit.Event{e}), audit.ErrRejected)
			require.ErrorIs(t, o.store.Write(ctx, []audit.Event{good, e}), audit.ErrRejected)
		}
		require.Zero(t, o.count(t, "audit_events"))
	})
}

// counting is a database that counts what it is asked.
type counting struct {
	sqldb.TxDB
	texts        []string
	args         []int // how many each text came with
	transactions int
}

func (c *counting) note(query string, args []any) {
	c.texts, c.args = append(c.texts, strings.TrimSpace(query)), append(c.args, len(args))
}

// Dialect is that of the database.
func (c *counting) Dialect() sqldb.Dialect { return sqldb.DialectOf(c.TxDB) }

func (c *counting) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	c.note(query, args)
	return c.TxDB.Exec(ctx, query, args...)
}

func (c *counting) Query(ctx context.Context, query string, args ...any) (sqldb.Rows, error) {
	c.note(query, args)
	return c.TxDB.Query(ctx, query, args...)
}

func (c *counting) QueryRow(ctx context.Context, query string, args ...any) sqldb.Row {
	c.note(query, args)
	return c.TxDB.QueryRow(ctx, query, args...)
}

func (c *counting) InTx(ctx context.Context, fn func(tx sqldb.DB) error) error {
	c.transactions++
	return c.TxDB.InTx(ctx, func(tx sqldb.DB) error {
		inner := &counting{TxDB: tx.(sqldb.TxDB)}
		err := fn(inner)
		c.texts = append(c.texts, inner.texts...)
		return err
	})
}

// In a business transaction an entry is one INSERT: no look beforehand, no savepoint, no chain.
func TestEntryCostsOneInsert(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		o.log(t, 3)
		o.seal(t)
		for name, log := range map[string]func(sink audit.Sink) error{
			"log": func(sink audit.Sink) error { return o.trail.LogTo(ctx, sink, audit.Event{Action: "x"}) },
			"change": func(sink audit.Sink) error {
				return o.trail.ChangeTo(ctx, sink, audit.Event{Action: "x"}, map[string]int{"a": 1}, map[string]int{"a": 2})
			},
		} {
			var c *counting
			require.NoError(t, o.db.InTx(ctx, func(tx sqldb.DB) error {
				c = &counting{TxDB: tx.(sqldb.TxDB)}
				return log(sqlaudit.On(c))
			}))
			require.Len(t, c.texts, 1, name)
			require.True(t, strings.HasPrefix(c.texts[0], "INSERT INTO audit_events ("), c.texts[0])
			require.Zero(t, c.transactions, name)
		}
		require.Equal(t, 5, o.count(t, "audit_events"))
	})
}

// A bulk change has one event per row and one batch: one statement on PostgreSQL, one prepared
// statement on SQLite.
func TestBulkIsOneBatch(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		var events []audit.Event
		for i := range 500 {
			events = append(events, audit.Event{Action: "area.delete", Entity: audit.Entity{Type: "area", ID: fmt.Sprint(i)}})
		}
		c := &counting{TxDB: o.db}
		require.NoError(t, o.trail.LogTo(ctx, sqlaudit.On(c), events...))
		require.Equal(t, 500, o.count(t, "audit_events"))
		if o.dialect == sqldb.DialectPostgres {
			require.Len(t, c.texts, 1)
			require.Zero(t, c.transactions)
			return
		}
		slices.Sort(c.texts)
		require.Len(t, slices.Compact(c.texts), 1)
		require.Equal(t, 1, c.transactions)
	})
}

// Hostile texts are stored on every database, also without a Logger before it.
func TestHostileTextsAreStored(t *testing.T) {
	t.Parallel()
	const bad = "a\x00b\r\nc\xff\xfed\u2028 \\u0000"
	onEach(t, func(t *testing.T, o *opened) {
		e := audit.Event{
			Tenant: bad, Action: bad, Reason: bad, Actor: audit.Actor{Type: bad, ID: bad, Name: bad, OnBehalfOf: bad, Tenant: bad},
			Entity:  audit.Entity{Type: bad, ID: bad},
			Request: audit.Request{ID: bad, SessionID: bad, IP: bad, UserAgent: bad, Method: bad, Path: bad},
			Changes: []audit.Change{{Path: "/" + bad, Op: audit.OpAdd, New: []byte(`"x\u0000y"`)}},
			Data:    map[string]any{bad: bad},
		}
		require.NoError(t, o.trail.Log(ctx, e))
		e.ID, e.At, e.Data, e.Changes = "raw", epoch, nil, nil
		require.NoError(t, o.store.Write(ctx, []audit.Event{e}))
		require.Len(t, o.events(t), 2)
		o.seal(t)
		require.NoError(t, o.verify(t).Err())
	})
}

// A time with nanoseconds and another zone verifies after its round trip.
func TestNanosecondsAndZones(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		zone := time.FixedZone("x", -(3*3600 + 1800))
		at := []time.Time{
			time.Date(2026, 1, 1, 0, 0, 0, 999999999, zone), time.Date(1, 1, 2, 0, 0, 0, 1, time.UTC),
			time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 1999, time.UTC),
		}
		for _, t0 := range at {
			require.NoError(t, o.trail.Log(ctx, audit.Event{Action: "x", At: t0}))
		}
		o.seal(t)
		report := o.verify(t)
		require.NoError(t, report.Err())
		require.Equal(t, int64(4), report.Events)
		for _, e := range o.events(t) {
			require.Zero(t, e.At.Nanosecond()%1000)
		}
	})
}

func TestEventsAreInsertOnly(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		o.log(t, 1)
		_, err := o.db.Exec(ctx, `UPDATE audit_events SET reason = 'x'`)
		require.ErrorContains(t, err, "insert-only")
	})
}
