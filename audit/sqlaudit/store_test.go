package sqlaudit_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/audittest"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/internal/testdb"
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

// counting counts the statements of a transaction.
type counting struct {
	sqldb.DB
	statements int
}

func (c *counting) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	c.statements++
	return c.DB.Exec(ctx, query, args...)
}

func TestEntryCostsOneInsert(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		require.NoError(t, o.db.InTx(ctx, func(tx sqldb.DB) error {
			c := &counting{DB: tx}
			err := o.trail.LogTo(ctx, sqlaudit.On(c), audit.Event{Action: "x"})
			require.Equal(t, 1, c.statements)
			return err
		}))
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

// A killed process loses nothing that LogWait has acknowledged, and a retry after the
// restart makes no second copy.
func TestKilledProcessKeepsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(t testing.TB) string{"sqlite": testdb.SQLitePath, "pgx": testdb.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := url(t)
			o := &opened{db: openDSN(t, dsn)}
			createTables(t, o.db)
			acknowledged := runAndKill(t, dsn)
			o.db = openDSN(t, dsn)
			o.store = newStore(t, sqlaudit.Config{DB: o.db, Keys: keyring(t, "k1")})
			stored := storedIDs(t, o)
			require.Greater(t, len(acknowledged), 100)
			for _, id := range acknowledged {
				require.True(t, stored[id], "acknowledged and lost: %s", id)
			}
			// The restarted process repeats what it has in its journal.
			var again []audit.Event
			for _, id := range acknowledged {
				again = append(again, audit.Event{ID: id, At: epoch, Action: "again"})
			}
			require.NoError(t, o.store.Write(ctx, again))
			require.Zero(t, o.count(t, "audit_events WHERE action = 'again'"))
			o.seal(t, func(cfg *sqlaudit.SealerConfig) { cfg.Batch = 1000 })
			require.NoError(t, o.verify(t).Err())
		})
	}
}

// storedIDs reads them without a limit on their number. That no two are equal is the table's
// unique constraint.
func storedIDs(t *testing.T, o *opened) map[string]bool {
	t.Helper()
	rows, err := o.db.Query(ctx, "SELECT e.id FROM audit_events AS e")
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	stored := map[string]bool{}
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		stored[id] = true
	}
	require.NoError(t, rows.Err())
	return stored
}

const crashDSN = "GROUNDWORK_CRASH_DSN"

// runAndKill runs TestCrashHelper in a process of its own, kills it under load and returns the ids
// that it has written to its standard output.
func runAndKill(t *testing.T, dsn string) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashHelper$", "-test.v=false")
	cmd.Env = append(os.Environ(), crashDSN+"="+dsn)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var text strings.Builder
	buf := make([]byte, 4096)
	for strings.Count(text.String(), "\n") < 500 {
		n, err := out.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			break
		}
	}
	require.NoError(t, cmd.Process.Kill()) // SIGKILL
	for {
		n, err := out.Read(buf) // what was acknowledged in the last moment
		text.Write(buf[:n])
		if err != nil {
			break
		}
	}
	_ = cmd.Wait()
	require.NotContains(t, text.String(), "FAIL")
	lines := strings.Split(text.String(), "\n")
	return lines[:len(lines)-1] // the last line may be cut
}

// TestCrashHelper is the process that gets killed.
func TestCrashHelper(t *testing.T) {
	dsn := os.Getenv(crashDSN)
	if dsn == "" {
		t.Skip("runs as a process of its own")
	}
	async, err := audit.NewAsync(audit.AsyncConfig{Sink: sqlaudit.On(openDSN(t, dsn)), Buffer: 64, Batch: 16})
	require.NoError(t, err)
	trail := newTrail(t, async)
	for range 15 {
		go func() {
			for {
				_ = trail.Log(ctx, audit.Event{Action: "not.waited.for"})
			}
		}()
	}
	lines := make(chan string)
	for range 16 {
		go func() {
			for {
				e, err := trail.Prepare(ctx, audit.Event{Action: "waited.for"})
				if err == nil && async.LogWait(ctx, e) == nil {
					lines <- e.ID
				}
			}
		}()
	}
	for id := range lines {
		_, _ = os.Stdout.WriteString(id + "\n")
	}
}
