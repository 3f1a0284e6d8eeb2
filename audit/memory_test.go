package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/audittest"
)

type memory struct{ *audit.Memory }

func (m memory) Stored(*testing.T) []audit.Event { return m.Events() }

func TestMemorySink(t *testing.T) {
	t.Parallel()
	audittest.TestSink(t, audittest.Options{}, func(*testing.T) audittest.Store { return memory{audit.NewMemory(0)} })
}

// durable is an Async in front of a Memory.
type durable struct {
	audit.Sink
	stored *audit.Memory
}

func (d durable) Stored(*testing.T) []audit.Event { return d.stored.Events() }

func TestAsyncSink(t *testing.T) {
	t.Parallel()
	audittest.TestSink(t, audittest.Options{}, func(t *testing.T) audittest.Store {
		stored := audit.NewMemory(0)
		a, err := audit.NewAsync(audit.AsyncConfig{Sink: stored})
		require.NoError(t, err)
		return durable{a.Durable(), stored}
	})
}

func TestMultiSink(t *testing.T) {
	t.Parallel()
	audittest.TestSink(t, audittest.Options{}, func(t *testing.T) audittest.Store {
		stored := audit.NewMemory(0)
		m, err := audit.NewMulti(audit.MultiConfig{Targets: []audit.Target{
			{Name: "a", Sink: stored}, {Name: "b", Sink: audit.NewMemory(0), BestEffort: true},
		}})
		require.NoError(t, err)
		return durable{m, stored}
	})
}

func TestMemoryKeepsTheLatest(t *testing.T) {
	t.Parallel()
	m := audit.NewMemory(2)
	trail := logger(t, audit.Config{Sink: m})
	for _, id := range []string{"a", "b", "c"} {
		require.NoError(t, trail.Log(t.Context(), audit.Event{ID: id, Action: "x"}))
	}
	require.Equal(t, []string{"b", "c"}, ids(m.Events()))
}

func TestMemoryWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := audit.NewMemory(0)
		trail := logger(t, audit.Config{Sink: m})
		go func() {
			for range 3 {
				<-time.After(time.Second)
				_ = trail.Log(t.Context(), audit.Event{Action: "x"})
			}
		}()
		require.NoError(t, m.Wait(t.Context(), 3))
		require.Len(t, m.Events(), 3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, m.Wait(ctx, 4), context.DeadlineExceeded)
	})
}

// Hostile texts give one line per event, with and without JSON.
func TestSlogStaysOneLine(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(b *bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			require.NoError(t, logger(t, audit.Config{Sink: audit.NewSlog(handler(&b))}).Log(t.Context(), hostile()))
			require.Equal(t, 1, strings.Count(b.String(), "\n"))
			require.NotContains(t, b.String(), "\r")
			require.Contains(t, b.String(), "audit event")
		})
	}
}

func TestSlogIgnoresTheLevel(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	var mu sync.Mutex
	handler := slog.NewJSONHandler(lockedWriter{&mu, &b}, &slog.HandlerOptions{Level: slog.LevelError + 100})
	trail := logger(t, audit.Config{Sink: audit.NewSlog(handler)})
	require.NoError(t, trail.Log(t.Context(), audit.Event{
		Action: "a.b", Outcome: audit.Denied, Data: map[string]any{"k": 1}, Actor: audit.Actor{Type: "user", ID: "u1"},
	}))
	var line map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &line))
	require.Equal(t, "WARN", line["level"])
	require.Equal(t, "u1", line["actor_id"])
	require.Equal(t, `{"k":1}`, line["data"])
	require.NotEmpty(t, line["event_id"])
}

type lockedWriter struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func logger(t testing.TB, cfg audit.Config) *audit.Logger {
	t.Helper()
	trail, err := audit.New(cfg)
	require.NoError(t, err)
	return trail
}

func ids(events []audit.Event) []string {
	var list []string
	for _, e := range events {
		list = append(list, e.ID)
	}
	return list
}

// bad holds everything that breaks a store or a log line.
const bad = "a\x00b\r\nc\xff\xfed\u2028e\u202ef\x1b[31m \\u0000"

// hostile is an event with a bad text in every field.
func hostile() audit.Event {
	return audit.Event{
		Tenant: bad, Action: bad, Reason: bad, Actor: audit.Actor{Type: bad, ID: bad, Name: bad, OnBehalfOf: bad, Tenant: bad},
		Entity:  audit.Entity{Type: bad, ID: bad},
		Request: audit.Request{ID: bad, SessionID: bad, IP: bad, UserAgent: bad, Method: bad, Path: bad},
		Changes: []audit.Change{{Path: "/" + bad, Op: audit.OpAdd, New: json.RawMessage(`"x\u0000y"`)}},
		Data:    map[string]any{bad: bad, "nested": []any{map[string]string{bad: bad}}},
	}
}
