// Package audittest tests implementations of [audit.Sink].
//
//	func TestSink(t *testing.T) {
//		audittest.TestSink(t, audittest.Options{}, func(t *testing.T) audittest.Store {
//			return newStore(t) // fresh and empty; registers its own clean-up
//		})
//	}
//
// Each subtest checks one sentence of the interface's comment. The tests use the standard library
// only. Run them with -race: several write from many goroutines.
package audittest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/groundwork-go/groundwork/audit"
)

// Store is a sink whose events can be read back.
type Store interface {
	audit.Sink
	// Stored returns all events that Write has stored, in any order.
	Stored(t *testing.T) []audit.Event
}

// Options say what a sink does not promise.
type Options struct {
	// Repeats means that the sink cannot recognise an event it has already, like a log file.
	Repeats bool
	// Lossy means that it may store a part of a batch that it refuses.
	Lossy bool
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// TestSink runs the conformance suite against the sinks that open returns. Every call of open must
// give a fresh, empty sink; all of them are used in parallel.
func TestSink(t *testing.T, o Options, open func(t *testing.T) Store) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s Store)
		skip bool
	}{
		{"KeepsEveryField", keepsEveryField, false},
		{"KeepsEmptyFields", keepsEmptyFields, false},
		{"KeepsNumbersExactly", keepsNumbers, false},
		{"KeepsOddTexts", keepsOddTexts, false},
		{"NoEvents", noEvents, false},
		{"ManyInOneCall", manyInOneCall, false},
		{"RepeatedIDIsStoredOnce", repeatedID, o.Repeats},
		{"RepeatedIDInOneCall", repeatedInOneCall, o.Repeats},
		{"RepeatedBatchWithNewEvents", repeatedBatch, o.Repeats},
		{"AllOrNone", allOrNone, o.Lossy},
		{"EventsAreNotChanged", notChanged, false},
		{"InParallel", inParallel, false},
		{"InParallelTheSameEvents", inParallelSame, o.Repeats},
		{"CancelledContext", cancelled, o.Repeats},
		{"SinksAreIsolated", func(t *testing.T, s Store) { isolated(t, s, open(t)) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.skip {
				t.Skip("the options say that the sink does not promise this")
			}
			c.run(t, open(t))
		})
	}
}

func event(n int) audit.Event {
	return audit.Event{
		ID: fmt.Sprintf("00000000-0000-7000-8000-%012d", n), At: epoch.Add(time.Duration(n) * time.Second),
		Actor: audit.Actor{Type: audit.ActorSystem}, Action: "test.write", Outcome: audit.Success, Class: audit.Normal,
	}
}

func full(n int) audit.Event {
	e := event(n)
	e.Tenant, e.Reason, e.Truncated = "tenant", "because", true
	e.Outcome, e.Class = audit.Denied, audit.Critical
	e.Actor = audit.Actor{Type: audit.ActorUser, ID: "u1", Name: "Ann", OnBehalfOf: "u2", Tenant: "home"}
	e.Entity = audit.Entity{Type: "area", ID: "a1"}
	e.Request = audit.Request{
		ID: "r1", SessionID: "s1", IP: "2001:db8::1", UserAgent: "curl/8", Method: "PATCH", Path: "/areas/a1?x=%20",
	}
	e.Changes = []audit.Change{
		{Path: "/name", Op: audit.OpReplace, Old: json.RawMessage(`"a"`), New: json.RawMessage(`null`)},
		{Path: "/a~1b/0", Op: audit.OpAdd, New: json.RawMessage(`{"k":[1,true]}`)},
		{Path: "/gone", Op: audit.OpRemove, Old: json.RawMessage(`""`)},
	}
	e.Data = map[string]any{
		"list": []any{"x", nil, true, json.Number("1.50")}, "map": map[string]any{}, "text": "line\nline <&>",
	}
	return e
}

func write(t *testing.T, s Store, events ...audit.Event) {
	t.Helper()
	if err := s.Write(t.Context(), events); err != nil {
		t.Fatalf("Write: %v", err)
	}
}

// text is what two equal events have in common.
func text(t *testing.T, e audit.Event) string {
	t.Helper()
	if e.At.Location() != time.UTC {
		t.Errorf("event %s has a time outside UTC", e.ID)
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatalf("event %s: %v", e.ID, err)
	}
	return string(b)
}

func expect(t *testing.T, s Store, want ...audit.Event) {
	t.Helper()
	var got, wanted []string
	for _, e := range s.Stored(t) {
		got = append(got, text(t, e))
	}
	for _, e := range want {
		wanted = append(wanted, text(t, e))
	}
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		t.Fatalf("stored %d events:\n%s\nwant %d:\n%s", len(got), strings.Join(got, "\n"), len(wanted), strings.Join(wanted, "\n"))
	}
}

func keepsEveryField(t *testing.T, s Store) {
	write(t, s, full(1))
	expect(t, s, full(1))
}

func keepsEmptyFields(t *testing.T, s Store) {
	write(t, s, event(1))
	expect(t, s, event(1))
	stored := s.Stored(t)[0]
	if stored.Changes != nil || stored.Data != nil {
		t.Error("an event without changes and data got some")
	}
}

func keepsNumbers(t *testing.T, s Store) {
	e := event(1)
	e.Data = map[string]any{
		"big": json.Number("9007199254740993"), "exp": json.Number("1e400"), "zero": json.Number("-0.0"),
		"long": json.Number("0.1000000000000000000000000000000001"),
	}
	e.Changes = []audit.Change{{Path: "/n", Op: audit.OpAdd, New: json.RawMessage(`9223372036854775808`)}}
	write(t, s, e)
	expect(t, s, e)
}

func keepsOddTexts(t *testing.T, s Store) {
	var want []audit.Event
	for i, odd := range []string{
		"'; DROP TABLE audit_events; --", `"quoted" \ back`, "é \U0001F69A عربى", "$1 ? :a @b %s", " ", strings.Repeat("x", 1024),
	} {
		e := event(i + 1)
		e.Reason, e.Entity.ID, e.Request.UserAgent, e.Tenant = odd, odd, odd, odd
		e.Data = map[string]any{odd: odd}
		want = append(want, e)
	}
	write(t, s, want...)
	expect(t, s, want...)
}

func noEvents(t *testing.T, s Store) {
	write(t, s)
	expect(t, s)
}

func manyInOneCall(t *testing.T, s Store) {
	var want []audit.Event
	for i := range 1000 {
		want = append(want, event(i))
	}
	write(t, s, want...)
	expect(t, s, want...)
}

func repeatedID(t *testing.T, s Store) {
	write(t, s, full(1))
	again := full(1)
	again.Reason = "another text must not replace the first"
	write(t, s, again)
	expect(t, s, full(1))
}

func repeatedInOneCall(t *testing.T, s Store) {
	write(t, s, event(1), event(2), event(1))
	expect(t, s, event(1), event(2))
}

func repeatedBatch(t *testing.T, s Store) {
	write(t, s, event(1), event(2))
	write(t, s, event(2), event(3))
	expect(t, s, event(1), event(2), event(3))
}

func allOrNone(t *testing.T, s Store) {
	bad := event(2)
	bad.ID = ""
	err := s.Write(t.Context(), []audit.Event{event(1), bad, event(3)})
	if !errors.Is(err, audit.ErrRejected) {
		t.Fatalf("Write of an event without id: got %v, want ErrRejected", err)
	}
	expect(t, s)
}

func notChanged(t *testing.T, s Store) {
	events := []audit.Event{full(1), full(2)}
	before, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, events...)
	after, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("Write changed the events")
	}
}

func inParallel(t *testing.T, s Store) {
	var group sync.WaitGroup
	var want []audit.Event
	for w := range 8 {
		var batch []audit.Event
		for i := range 20 {
			batch = append(batch, event(w*100+i))
		}
		want = append(want, batch...)
		group.Go(func() {
			for i := range 4 {
				if err := s.Write(t.Context(), batch[i*5:i*5+5]); err != nil {
					t.Errorf("Write: %v", err)
				}
			}
		})
	}
	group.Wait()
	expect(t, s, want...)
}

func inParallelSame(t *testing.T, s Store) {
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 10 {
				if err := s.Write(t.Context(), []audit.Event{event(i)}); err != nil {
					t.Errorf("Write: %v", err)
				}
			}
		})
	}
	group.Wait()
	var want []audit.Event
	for i := range 10 {
		want = append(want, event(i))
	}
	expect(t, s, want...)
}

// cancelled accepts every answer that a caller can go on from: after an error the outcome is
// unknown, and the repetition settles it.
func cancelled(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Write(ctx, []audit.Event{event(1)}); err != nil {
		write(t, s, event(1))
	}
	expect(t, s, event(1))
}

func isolated(t *testing.T, a, b Store) {
	write(t, a, event(1))
	write(t, b, event(1), event(2))
	expect(t, a, event(1))
	expect(t, b, event(1), event(2))
}
