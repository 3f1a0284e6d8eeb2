package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("x", 5*3600+1800))

// one logs an event on a fresh trail and returns what was stored.
func one(t *testing.T, e audit.Event, change ...func(cfg *audit.Config)) audit.Event {
	t.Helper()
	m := audit.NewMemory(0)
	cfg := audit.Config{Sink: m, Now: func() time.Time { return epoch }}
	for _, f := range change {
		f(&cfg)
	}
	require.NoError(t, logger(t, cfg).Log(t.Context(), e))
	require.Len(t, m.Events(), 1)
	return m.Events()[0]
}

func TestConfigFaultsAreJoined(t *testing.T) {
	t.Parallel()
	_, err := audit.New(audit.Config{Timeout: -1, Limits: audit.Limits{EventBytes: 1, ValueBytes: 1, Depth: -1}})
	var first *audit.ConfigError
	require.ErrorAs(t, err, &first)
	for _, field := range []string{"Sink", "Timeout", "EventBytes", "ValueBytes", "Depth"} {
		require.ErrorContains(t, err, field)
	}
	_, err = audit.NewAsync(audit.AsyncConfig{Buffer: 1, Batch: 2, OnFull: 9, Timeout: -1, RetryBase: -1, RetryCap: -1})
	for _, field := range []string{"Sink", "Batch", "OnFull", "Timeout", "RetryBase", "RetryCap"} {
		require.ErrorContains(t, err, field)
	}
	_, err = audit.NewMulti(audit.MultiConfig{Targets: []audit.Target{{}, {Timeout: -1}}})
	for _, field := range []string{"Targets[0].Name", "Targets[1].Name", "Targets[0].Sink", "Targets[1].Timeout"} {
		require.ErrorContains(t, err, field)
	}
	_, err = audit.NewRedactor(audit.RedactConfig{Names: []string{"--"}, Paths: []string{"x"}, Mode: 7})
	for _, field := range []string{"Names", "Paths", "Mode"} {
		require.ErrorContains(t, err, field)
	}
	_, err = audit.NewRedactor(audit.RedactConfig{Mode: audit.Fingerprint, Key: []byte("short key")})
	require.ErrorContains(t, err, "Key")
	require.NotContains(t, err.Error(), "short key")
}

func TestLogCompletesTheEvent(t *testing.T) {
	t.Parallel()
	m := audit.NewMemory(0)
	trail := logger(t, audit.Config{Sink: m, Now: func() time.Time { return epoch }})
	ctx := audit.WithActor(t.Context(), audit.Actor{Type: audit.ActorUser, ID: "u1", Tenant: "t1"})
	ctx = audit.WithRequest(ctx, audit.Request{ID: "r1", IP: "10.0.0.1"})
	require.NoError(t, trail.Log(ctx, audit.Event{Action: "area.update"}))
	e := m.Events()[0]
	require.Len(t, e.ID, 36)
	require.Equal(t, epoch.UTC().Truncate(time.Microsecond), e.At)
	require.Equal(t, time.UTC, e.At.Location())
	require.Equal(t, "t1", e.Tenant)
	require.Equal(t, "u1", e.Actor.ID)
	require.Equal(t, "r1", e.Request.ID)
	require.Equal(t, audit.Success, e.Outcome)
	require.Equal(t, audit.Normal, e.Class)
	require.Equal(t, audit.ActorAnonymous, one(t, audit.Event{Action: "x"}).Actor.Type)
	require.Equal(t, audit.ActorUser, one(t, audit.Event{Action: "x", Actor: audit.Actor{ID: "u"}}).Actor.Type)
}

func TestInvalidEvents(t *testing.T) {
	t.Parallel()
	m := audit.NewMemory(0)
	trail := logger(t, audit.Config{Sink: m})
	for name, e := range map[string]audit.Event{
		"no action":      {},
		"empty action":   {Action: "\x00"},
		"outcome":        {Action: "x", Outcome: "maybe"},
		"class":          {Action: "x", Class: "urgent"},
		"year":           {Action: "x", At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"long id":        {Action: "x", ID: strings.Repeat("i", 129)},
		"id with return": {Action: "x", ID: "a\nb"},
	} {
		require.ErrorIs(t, trail.Log(t.Context(), audit.Event{Action: "good"}, e), audit.ErrInvalidEvent, name)
	}
	require.Empty(t, m.Events(), "a batch is written whole or not at all")
}

// What the caller does with its values after Log does not reach the record.
func TestCallerCannotChangeTheRecord(t *testing.T) {
	t.Parallel()
	var kept []audit.Event // as they were handed over: a sink may keep them
	keep := audit.SinkFunc(func(_ context.Context, events []audit.Event) error {
		kept = append(kept, events...)
		return nil
	})
	m := audit.NewMemory(0)
	both, err := audit.NewMulti(audit.MultiConfig{Targets: []audit.Target{{Name: "keep", Sink: keep}, {Name: "memory", Sink: m}}})
	require.NoError(t, err)
	trail := logger(t, audit.Config{Sink: both})
	old := json.RawMessage(`"a"`)
	list := []any{"x"}
	thing := map[string]any{"tags": []string{"a"}}
	e := audit.Event{
		Action: "x", Changes: []audit.Change{{Path: "/a", Op: audit.OpRemove, Old: old}}, Data: map[string]any{"list": list},
	}
	require.NoError(t, trail.Log(t.Context(), e))
	require.NoError(t, trail.Change(t.Context(), audit.Event{Action: "y"}, nil, thing))
	text := func() string { return jsonText(t, []any{kept, m.Events()}) }
	before := text()
	old[1], list[0], e.Data["list"], e.Changes[0].Path = 'z', "changed", 1, "/z"
	thing["tags"].([]string)[0] = "changed"
	m.Events()[0].Data["list"].([]any)[0] = "changed through Events"
	require.Equal(t, before, text())
}

// A client that hangs up does not suppress its entry.
func TestCancelledRequestIsLogged(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(audit.WithActor(context.Background(), audit.Actor{ID: "u1"}))
	cancel()
	m := audit.NewMemory(0)
	strict := audit.SinkFunc(func(ctx context.Context, events []audit.Event) error {
		if _, ok := ctx.Deadline(); !ok || ctx.Err() != nil {
			return errors.New("the sink got the caller's context")
		}
		return m.Write(ctx, events)
	})
	require.NoError(t, logger(t, audit.Config{Sink: strict}).Log(ctx, audit.Event{Action: "x"}))
	require.Equal(t, "u1", m.Events()[0].Actor.ID)
}

func TestTimeoutBoundsAHangingSink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := audit.SinkFunc(func(ctx context.Context, _ []audit.Event) error {
			<-ctx.Done()
			return ctx.Err()
		})
		start := time.Now()
		err := logger(t, audit.Config{Sink: hang, Timeout: time.Second}).Log(context.Background(), audit.Event{Action: "x"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
	})
}

// A panic in a sink or a redactor is an error, not the end of the program.
func TestPanics(t *testing.T) {
	t.Parallel()
	t.Run("sink", func(t *testing.T) {
		t.Parallel()
		sink := audit.SinkFunc(func(context.Context, []audit.Event) error { panic("secret") })
		err := logger(t, audit.Config{Sink: sink}).Log(t.Context(), audit.Event{Action: "x"})
		var panicked *audit.PanicError
		require.ErrorAs(t, err, &panicked)
		require.Equal(t, "secret", panicked.Value)
		require.NotContains(t, err.Error(), "secret")
	})
	t.Run("redactor", func(t *testing.T) {
		t.Parallel()
		r, err := audit.NewRedactor(audit.RedactConfig{Match: func(string, any) bool { panic("boom") }})
		require.NoError(t, err)
		m := audit.NewMemory(0)
		var reported error
		trail := logger(t, audit.Config{
			Sink: m, Redactor: r, OnError: func(_ context.Context, _ audit.Event, err error) { reported = err },
		})
		require.NoError(t, trail.Log(t.Context(), audit.Event{
			Action: "x", Data: map[string]any{"a": 1}, Request: audit.Request{Path: "/p?token=abc"},
		}))
		require.NoError(t, trail.Change(t.Context(), audit.Event{Action: "y"}, nil, map[string]int{"a": 1}))
		require.Error(t, reported)
		for _, e := range m.Events() {
			require.True(t, e.Truncated)
			require.Nil(t, e.Data)
			require.Nil(t, e.Changes)
			require.NotContains(t, e.Request.Path, "abc")
		}
		require.Len(t, m.Events(), 2)
	})
	t.Run("marshaler", func(t *testing.T) {
		t.Parallel()
		e := one(t, audit.Event{Action: "x", Data: map[string]any{"a": panicking{}, "b": 1}})
		require.Equal(t, "[unencodable]", e.Data["a"])
		require.Equal(t, json.Number("1"), e.Data["b"])
	})
}

type panicking struct{}

func (panicking) MarshalJSON() ([]byte, error) { panic("in MarshalJSON") }

func TestFailOpen(t *testing.T) {
	t.Parallel()
	down := errors.New("sink is down")
	reported := 0
	sink := audit.SinkFunc(func(context.Context, []audit.Event) error { return down })
	trail := logger(t, audit.Config{
		Sink: sink, FailOpen: true, OnError: func(context.Context, audit.Event, error) { reported++ },
	})
	require.NoError(t, trail.Log(t.Context(), audit.Event{Action: "x"}))
	require.NoError(t, trail.Change(t.Context(), audit.Event{Action: "x"}, nil, map[string]int{"a": 1}))
	require.ErrorIs(t, trail.Log(t.Context(), audit.Event{Action: "x", Class: audit.Critical}), down)
	require.ErrorIs(t, trail.LogTo(t.Context(), sink, audit.Event{Action: "x"}), down, "a transaction must not go on")
	require.Equal(t, 4, reported)
	require.ErrorIs(t, logger(t, audit.Config{Sink: sink}).Log(t.Context(), audit.Event{Action: "x"}), down)
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	m := audit.NewMemory(0)
	trail := logger(t, audit.Config{Sink: m, Policy: func(e audit.Event) audit.Level {
		switch e.Action {
		case "none":
			return audit.LevelNone
		case "metadata":
			return audit.LevelMetadata
		}
		return audit.LevelFull
	}})
	for _, e := range []audit.Event{
		{ID: "1", Action: "none"},
		{ID: "2", Action: "none", Class: audit.Critical},
		{ID: "3", Action: "metadata"},
		{ID: "4", Action: "full"},
	} {
		require.NoError(t, trail.Change(t.Context(), e, nil, map[string]int{"a": 1}))
	}
	events := m.Events()
	require.Equal(t, []string{"2", "3", "4"}, ids(events))
	require.Nil(t, events[0].Changes)
	require.Nil(t, events[1].Changes)
	require.Len(t, events[2].Changes, 1)
}

func TestChange(t *testing.T) {
	t.Parallel()
	type area struct {
		Name string  `json:"name"`
		Size int     `json:"size"`
		Note *string `json:"note"`
	}
	m := audit.NewMemory(0)
	trail := logger(t, audit.Config{Sink: m})
	change := func(before, after any) []audit.Change {
		n := len(m.Events())
		require.NoError(t, trail.Change(t.Context(), audit.Event{Action: "x"}, before, after))
		if events := m.Events(); len(events) > n {
			return events[n].Changes
		}
		return nil
	}
	require.Nil(t, change(area{Name: "a"}, area{Name: "a"}), "nothing changed, nothing is logged")
	require.Nil(t, change(nil, nil))
	require.Equal(t, []audit.Change{{Path: "/size", Op: audit.OpReplace, Old: []byte(`1`), New: []byte(`2`)}},
		change(area{Size: 1}, area{Size: 2}))
	created := change(nil, &area{Name: "a", Size: 1})
	require.Equal(t, []string{"/name", "/note", "/size"}, paths(created))
	require.Equal(t, audit.OpAdd, created[0].Op)
	var none *area
	require.Equal(t, audit.OpRemove, change(&area{Name: "a"}, none)[0].Op)
	require.Equal(t, "", change(1, 2)[0].Path)
	require.ErrorIs(t, trail.Change(t.Context(), audit.Event{Action: "x"}, make(chan int), 1), audit.ErrUnencodable)
}

func paths(changes []audit.Change) []string {
	var list []string
	for _, c := range changes {
		list = append(list, c.Path)
	}
	return list
}

// What has no JSON form, or too much of it, is marked and never a panic.
func TestUnencodableAndHugeValues(t *testing.T) {
	t.Parallel()
	type node struct{ Next *node }
	loop := &node{}
	loop.Next = loop
	type hidden struct{ name string }
	e := one(t, audit.Event{Action: "x", Data: map[string]any{
		"cycle": loop, "nan": math.NaN(), "inf": math.Inf(1), "chan": make(chan int), "func": func() {},
		"raw": json.RawMessage(`{`), "unexported": hidden{"n"}, "good": 1, "complex": complex(1, 2),
	}})
	require.True(t, e.Truncated)
	for _, k := range []string{"cycle", "nan", "inf", "chan", "func", "raw", "complex"} {
		require.Equal(t, "[unencodable]", e.Data[k], k)
	}
	require.Equal(t, map[string]any{}, e.Data["unexported"])
	require.Equal(t, json.Number("1"), e.Data["good"])

	deep := any("leaf")
	for range 100 {
		deep = []any{deep}
	}
	huge := strings.Repeat("é\"\n", 100_000)
	e = one(t, audit.Event{
		Action: "x", Reason: huge, Data: map[string]any{"deep": deep, "huge": huge, "list": strings.Split(huge, "\"")},
		Request: audit.Request{UserAgent: huge},
		Changes: []audit.Change{{Path: "/a", Op: audit.OpAdd, New: json.RawMessage(`}`)}},
	})
	require.True(t, e.Truncated)
	text, err := json.Marshal(e)
	require.NoError(t, err)
	require.Less(t, len(text), 32<<10)
	require.True(t, utf8.ValidString(e.Reason))
	require.Contains(t, string(text), "[truncated]")
	require.Contains(t, e.Data["huge"], "é")
	require.JSONEq(t, `"[unencodable]"`, string(e.Changes[0].New))
}

func TestEventSizeIsBounded(t *testing.T) {
	t.Parallel()
	before, after, data := map[string]string{}, map[string]string{}, map[string]any{}
	for i := range 5000 {
		k := fmt.Sprintf("field%d", i)
		before[k], after[k], data[k] = strings.Repeat("a", 500), strings.Repeat("b", 500), strings.Repeat("c", 500)
	}
	m := audit.NewMemory(0)
	require.NoError(t, logger(t, audit.Config{Sink: m}).Change(t.Context(), audit.Event{Action: "x", Data: data}, before, after))
	text, err := json.Marshal(m.Events()[0])
	require.NoError(t, err)
	require.Less(t, len(text), 66<<10)
	require.True(t, m.Events()[0].Truncated)
}

// Hostile texts are cleaned before any sink sees them.
func TestTextsAreCleaned(t *testing.T) {
	t.Parallel()
	e := one(t, hostile())
	for _, s := range []string{
		e.Tenant, e.Action, e.Reason, e.Actor.Type, e.Actor.ID, e.Actor.Name, e.Actor.OnBehalfOf, e.Actor.Tenant,
		e.Entity.Type, e.Entity.ID, e.Request.ID, e.Request.SessionID, e.Request.IP, e.Request.UserAgent,
		e.Request.Method, e.Request.Path, e.Changes[0].Path,
	} {
		require.True(t, utf8.ValidString(s))
		require.False(t, strings.ContainsAny(s, "\x00\r\n\u2028\u202e\x1b"), "%q", s)
		require.Contains(t, s, "ab  c")
	}
	require.JSONEq(t, `"xy"`, string(e.Changes[0].New))
	text, err := json.Marshal(e)
	require.NoError(t, err)
	require.NotContains(t, strings.ReplaceAll(string(text), `\\u0000`, ""), `\u0000`)
}

// Only trusted proxies are believed.
func TestRequestFrom(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"no proxy", "192.0.2.1:1234", nil, "192.0.2.1"},
		{"spoofed by a stranger", "192.0.2.1:1234", []string{"8.8.8.8"}, "192.0.2.1"},
		{"one proxy", "10.0.0.1:1", []string{"8.8.8.8"}, "8.8.8.8"},
		{"spoofed before the proxy", "10.0.0.1:1", []string{"1.1.1.1, 8.8.8.8"}, "8.8.8.8"},
		{"two proxies", "10.0.0.1:1", []string{"1.1.1.1, 8.8.8.8, 10.0.0.2"}, "8.8.8.8"},
		{"several lines", "10.0.0.1:1", []string{"1.1.1.1", "8.8.8.8"}, "8.8.8.8"},
		{"garbage", "10.0.0.1:1", []string{"8.8.8.8, unknown"}, "10.0.0.1"},
		{"IPv6 with port and zone", "[fe80::1%eth0]:443", nil, "fe80::1"},
		{"IPv6 forwarded with port", "[fd00::1]:443", []string{"[2001:db8::7]:1234"}, "2001:db8::7"},
		{"IPv6 forwarded in brackets", "[fd00::1]:443", []string{"[2001:db8::7%x]"}, "2001:db8::7"},
		{"mapped IPv4", "[::ffff:10.0.0.9]:1", []string{"9.9.9.9:80"}, "9.9.9.9"},
		{"all trusted", "10.0.0.1:1", []string{"10.0.0.3"}, "10.0.0.3"},
		{"no address", "@", []string{"8.8.8.8"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("PATCH", "/areas/1?x=%20y", nil)
			r.RemoteAddr = c.remote
			for _, f := range c.forwarded {
				r.Header.Add("X-Forwarded-For", f)
			}
			r.Header.Set("User-Agent", "curl")
			r.Header.Set("X-Request-Id", "forged")
			require.Equal(t, audit.Request{IP: c.want, UserAgent: "curl", Method: "PATCH", Path: "/areas/1?x=%20y"},
				audit.RequestFrom(r, trusted))
		})
	}
}

// A bulk change is one call with one event per row.
func TestBulkIsOneWrite(t *testing.T) {
	t.Parallel()
	m, calls := audit.NewMemory(0), 0
	sink := audit.SinkFunc(func(ctx context.Context, events []audit.Event) error {
		calls++
		return m.Write(ctx, events)
	})
	var events []audit.Event
	for i := range 100 {
		events = append(events, audit.Event{Action: "area.delete", Entity: audit.Entity{Type: "area", ID: fmt.Sprint(i)}})
	}
	require.NoError(t, logger(t, audit.Config{Sink: m}).LogTo(t.Context(), sink, events...))
	require.Len(t, m.Events(), 100)
	require.Equal(t, 1, calls)
	require.NoError(t, logger(t, audit.Config{Sink: m}).LogTo(t.Context(), sink))
	require.Equal(t, 1, calls)
}
