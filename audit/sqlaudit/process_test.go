package sqlaudit_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
)

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
			o.exec(t, createThings)
			waited, committed := runAndKill(t, dsn)
			o.db = openDSN(t, dsn)
			o.store = newStore(t, sqlaudit.Config{DB: o.db, Keys: keyring(t, "k1")})
			stored := storedIDs(t, o)
			require.Greater(t, len(waited), 100)
			require.Greater(t, len(committed), 10)
			acknowledged := append(waited, committed...)
			for _, id := range acknowledged {
				require.True(t, stored[id], "acknowledged and lost: %s", id)
			}
			for _, id := range committed {
				require.Equal(t, 1, o.count(t, "things WHERE id = '"+id+"'"), "committed and lost: %s", id)
			}
			require.Zero(t, o.count(t, "things AS s WHERE NOT EXISTS (SELECT 1 FROM audit_events AS e WHERE e.id = s.id)"))
			require.Zero(t, o.count(t, `audit_events AS e WHERE e.action = 'thing.create'
				AND NOT EXISTS (SELECT 1 FROM things AS s WHERE s.id = e.id)`), "an entry without its change")
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

// createThings makes the table that the transactions of the tests with processes change.
const createThings = `CREATE TABLE things (id TEXT PRIMARY KEY)`

// createThing is a transaction with a change and its entry, which have the same id.
func createThing(db sqldb.TxDB, trail *audit.Logger, after error) (id string, err error) {
	id = uuid7.New(time.Now())
	return id, db.InTx(ctx, func(tx sqldb.DB) error {
		if _, err := tx.Exec(ctx, `INSERT INTO things (id) VALUES ($1)`, id); err != nil {
			return err
		}
		if err := trail.LogTo(ctx, sqlaudit.On(tx), audit.Event{ID: id, Action: "thing.create"}); err != nil {
			return err
		}
		return after
	})
}

const (
	crashDSN  = "GROUNDWORK_CRASH_DSN"
	secondDSN = "GROUNDWORK_SECOND_DSN"
)

// process prepares a test of this binary to run as a process of its own.
func process(test, variable, dsn string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v=false")
	cmd.Env = append(os.Environ(), variable+"="+dsn)
	return cmd
}

// runAndKill runs TestCrashHelper in a process of its own, kills it under load and returns the ids
// that it has acknowledged on its standard output: of events that were waited for, and of
// transactions that committed.
func runAndKill(t *testing.T, dsn string) (waited, committed []string) {
	t.Helper()
	cmd := process("TestCrashHelper", crashDSN, dsn)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var text strings.Builder
	buf := make([]byte, 4096)
	for strings.Count(text.String(), "waited ") < 500 || strings.Count(text.String(), "committed ") < 50 {
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
	for _, line := range lines[:len(lines)-1] { // the last line may be cut
		switch what, id, _ := strings.Cut(line, " "); what {
		case "waited":
			waited = append(waited, id)
		case "committed":
			committed = append(committed, id)
		}
	}
	return waited, committed
}

// TestCrashHelper is the process that gets killed.
func TestCrashHelper(t *testing.T) {
	dsn := os.Getenv(crashDSN)
	if dsn == "" {
		t.Skip("runs as a process of its own")
	}
	db := openDSN(t, dsn)
	async, err := audit.NewAsync(audit.AsyncConfig{Sink: sqlaudit.On(db), Buffer: 64, Batch: 16})
	require.NoError(t, err)
	trail := newTrail(t, async)
	lines := make(chan string)
	for range 15 {
		go func() {
			for {
				_ = trail.Log(ctx, audit.Event{Action: "not.waited.for"})
			}
		}()
	}
	for range 16 {
		go func() {
			for {
				e, err := trail.Prepare(ctx, audit.Event{Action: "waited.for"})
				if err == nil && async.LogWait(ctx, e) == nil {
					lines <- "waited " + e.ID
				}
			}
		}()
	}
	for range 4 {
		go func() {
			for {
				if id, err := createThing(db, trail, nil); err == nil {
					lines <- "committed " + id
				}
			}
		}()
	}
	for line := range lines {
		_, _ = os.Stdout.WriteString(line + "\n")
	}
}

// Two processes write and seal one trail at the same time: one chain without fork or gap, and
// exactly the entries whose transactions committed.
func TestTwoProcessesShareATrail(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(t testing.TB) string{"sqlite": testdb.SQLitePath, "pgx": testdb.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := url(t)
			o := &opened{db: openDSN(t, dsn)}
			createTables(t, o.db)
			o.exec(t, createThings)
			o.store = newStore(t, sqlaudit.Config{DB: o.db, Keys: keyring(t, "k1")})
			other := process("TestSecondProcess", secondDSN, dsn)
			other.Stderr = os.Stderr
			begin, err := other.StdinPipe()
			require.NoError(t, err)
			out, err := other.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, other.Start())
			_, err = out.Read(make([]byte, 1)) // it is ready
			require.NoError(t, err)
			require.NoError(t, begin.Close())
			writeAndSeal(t, o)
			rest, err := io.ReadAll(out)
			require.NoError(t, err)
			require.NoError(t, other.Wait(), string(rest))
			o.seal(t)
			report := o.verify(t)
			require.NoError(t, report.Err())
			require.Equal(t, int64(2*committedThings), report.To, "the sequence has no gap")
			require.Equal(t, int64(2*committedThings), report.Events)
			require.Zero(t, report.Unsealed)
			require.Equal(t, 2*committedThings, o.count(t, "things AS s JOIN audit_events AS e ON e.id = s.id"))
			require.Equal(t, 2*committedThings, o.count(t, "audit_events"))
		})
	}
}

// TestSecondProcess is the other process.
func TestSecondProcess(t *testing.T) {
	dsn := os.Getenv(secondDSN)
	if dsn == "" {
		t.Skip("runs as a process of its own")
	}
	o := &opened{db: openDSN(t, dsn)}
	o.store = newStore(t, sqlaudit.Config{DB: o.db, Keys: keyring(t, "k1")})
	_, err := os.Stdout.WriteString("ready\n")
	require.NoError(t, err)
	_, err = io.ReadAll(os.Stdin) // both begin when it is closed
	require.NoError(t, err)
	writeAndSeal(t, o)
}

// committedThings is how many transactions of writeAndSeal commit; a third as many roll back.
const committedThings = 60

// writeAndSeal runs transactions from four goroutines and seals beside them.
func writeAndSeal(t *testing.T, o *opened) {
	t.Helper()
	trail, undo := newTrail(t, o.store), errors.New("undo")
	var writers, sealer sync.WaitGroup
	stop := make(chan struct{})
	sealer.Go(func() {
		s, err := sqlaudit.NewSealer(sqlaudit.SealerConfig{Store: o.store, Batch: 5})
		for err == nil {
			select {
			case <-stop:
				return
			default:
				_, err = s.Once(ctx)
			}
		}
		t.Errorf("seal: %v", err)
	})
	for range 4 {
		writers.Go(func() {
			for i := range committedThings / 3 {
				var after error
				if i%4 == 3 {
					after = undo
				}
				if _, err := createThing(o.db, trail, after); !errors.Is(err, after) {
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	sealer.Wait()
}
