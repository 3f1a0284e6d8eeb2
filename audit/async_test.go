package audit_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
)

func newAsync(t testing.TB, cfg audit.AsyncConfig) *audit.Async {
	t.Helper()
	a, err := audit.NewAsync(cfg)
	require.NoError(t, err)
	return a
}

func prepared(n int, change ...func(e *audit.Event)) audit.Event {
	e := audit.Event{ID: fmt.Sprintf("e%06d", n), At: epoch.UTC(), Action: "x", Outcome: audit.Success, Class: audit.Normal}
	for _, f := range change {
		f(&e)
	}
	return e
}

func critical(e *audit.Event) { e.Class = audit.Critical }

// gate is a sink that waits for a permit per write.
type gate struct {
	audit.Memory
	permits chan error
}

func (g *gate) Write(ctx context.Context, events []audit.Event) error {
	select {
	case err := <-g.permits:
		if err != nil {
			return err
		}
		return g.Memory.Write(ctx, events)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func newGate() *gate { return &gate{permits: make(chan error)} }

func TestAsyncWritesInOrderAndInBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		a := newAsync(t, audit.AsyncConfig{Sink: g, Batch: 10})
		var want []string
		for i := range 25 {
			require.NoError(t, a.Write(t.Context(), []audit.Event{prepared(i)}))
			synctest.Wait()
			want = append(want, prepared(i).ID)
		}
		for _, n := range []int{1, 11, 21, 25} { // the first alone, then full batches
			g.permits <- nil
			synctest.Wait()
			require.Len(t, g.Events(), n)
		}
		require.Equal(t, want, ids(g.Events()))
		require.NoError(t, a.Close(t.Context()))
		require.Equal(t, audit.AsyncStats{Accepted: 25, Written: 25}, a.Stats())
	})
}

// The four answers to a full buffer.
func TestAsyncFullBuffer(t *testing.T) {
	t.Parallel()
	full := func(t *testing.T, onFull audit.Full) (*audit.Async, *gate) {
		g := newGate()
		a := newAsync(t, audit.AsyncConfig{Sink: g, Buffer: 2, OnFull: onFull})
		require.NoError(t, a.Write(t.Context(), []audit.Event{prepared(1)}))
		require.NoError(t, a.Write(t.Context(), []audit.Event{prepared(2)}))
		synctest.Wait()
		return a, g
	}
	drain := func(t *testing.T, a *audit.Async, g *gate) error {
		close(g.permits)
		return a.Close(t.Context())
	}
	t.Run("block ends with the context", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			a, g := full(t, audit.FullBlock)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			require.ErrorIs(t, a.Write(ctx, []audit.Event{prepared(3)}), context.DeadlineExceeded)
			require.Equal(t, time.Second, time.Since(start))
			require.NoError(t, drain(t, a, g))
			require.Len(t, g.Events(), 2)
		})
	})
	t.Run("block goes on when there is room", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			a, g := full(t, audit.FullBlock)
			done := make(chan error)
			go func() { done <- a.Write(t.Context(), []audit.Event{prepared(3)}) }()
			synctest.Wait()
			g.permits <- nil
			require.NoError(t, <-done)
			require.NoError(t, drain(t, a, g))
			require.Len(t, g.Events(), 3)
		})
	})
	t.Run("error returns at once", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			a, g := full(t, audit.FullError)
			start := time.Now()
			require.ErrorIs(t, a.Write(t.Context(), []audit.Event{prepared(3)}), audit.ErrFull)
			require.Zero(t, time.Since(start))
			require.NoError(t, drain(t, a, g))
		})
	})
	t.Run("drop counts", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			a, g := full(t, audit.FullDrop)
			require.NoError(t, a.Write(t.Context(), []audit.Event{prepared(3), prepared(4)}))
			require.ErrorIs(t, a.LogWait(t.Context(), prepared(5)), audit.ErrFull)
			require.Equal(t, int64(3), a.Stats().Dropped)
			var lost *audit.LostError
			require.ErrorAs(t, drain(t, a, g), &lost)
			require.Equal(t, &audit.LostError{Dropped: 3}, lost)
			require.Equal(t, int64(3), lost.Events())
		})
	})
	for _, onFull := range []audit.Full{audit.FullBlock, audit.FullError, audit.FullDrop} {
		t.Run(fmt.Sprintf("critical is written by its caller, policy %d", onFull), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, g := full(t, onFull)
				done := make(chan error)
				go func() { done <- a.Write(t.Context(), []audit.Event{prepared(3, critical)}) }()
				synctest.Wait()
				g.permits <- nil
				g.permits <- nil
				require.NoError(t, <-done)
				require.Equal(t, int64(1), a.Stats().Direct)
				require.NoError(t, drain(t, a, g))
				require.ElementsMatch(t, []string{"e000001", "e000002", "e000003"}, ids(g.Events()))
			})
		})
	}
	t.Run("room is taken even by a cancelled caller", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			m := audit.NewMemory(0)
			a := newAsync(t, audit.AsyncConfig{Sink: m, Buffer: 2})
			require.NoError(t, a.Write(ctx, []audit.Event{prepared(1), prepared(2), prepared(3)}), "larger than the buffer")
			require.NoError(t, a.Close(t.Context()))
			require.Len(t, m.Events(), 3)
		})
	})
}

// A failure before the commit and one after it both end in exactly one copy.
func TestAsyncRetriesStoreOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, calls := audit.NewMemory(0), 0
		sink := audit.SinkFunc(func(ctx context.Context, events []audit.Event) error {
			calls++
			switch calls % 4 {
			case 1:
				return errors.New("before the commit")
			case 2:
				_ = m.Write(ctx, events)
				return errors.New("after the commit")
			case 3:
				panic("in the sink")
			}
			return m.Write(ctx, events)
		})
		a := newAsync(t, audit.AsyncConfig{Sink: sink, OnError: func([]audit.Event, error) { panic("in OnError") }})
		for i := range 5 {
			require.NoError(t, a.LogWait(t.Context(), prepared(i)))
		}
		require.NoError(t, a.Close(t.Context()))
		require.Len(t, m.Events(), 5)
		require.Equal(t, audit.AsyncStats{Accepted: 5, Written: 5, Retries: 15}, a.Stats())
	})
}

func TestAsyncPausesBetweenRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		sink := audit.SinkFunc(func(context.Context, []audit.Event) error {
			if at = append(at, time.Now()); len(at) < 8 {
				return errors.New("down")
			}
			return nil
		})
		a := newAsync(t, audit.AsyncConfig{Sink: sink, RetryBase: time.Second, RetryCap: 8 * time.Second})
		require.NoError(t, a.LogWait(t.Context(), prepared(1)))
		for i, pause := range []time.Duration{1, 2, 4, 8, 8, 8, 8} {
			got := at[i+1].Sub(at[i])
			require.LessOrEqual(t, got, pause*time.Second)
			require.GreaterOrEqual(t, got, pause*time.Second/2)
		}
	})
}

func TestAsyncRejectedEventsDoNotBlockOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, started := audit.NewMemory(0), make(chan struct{})
		sink := audit.SinkFunc(func(ctx context.Context, events []audit.Event) error {
			<-started
			for _, e := range events {
				if e.ID == "e000002" {
					return fmt.Errorf("%w: too odd", audit.ErrRejected)
				}
			}
			return m.Write(ctx, events)
		})
		a := newAsync(t, audit.AsyncConfig{Sink: sink})
		require.NoError(t, a.Write(t.Context(), []audit.Event{prepared(0)}))
		result := make(chan error)
		go func() { result <- a.LogWait(t.Context(), prepared(1), prepared(2), prepared(3)) }()
		synctest.Wait()
		close(started)
		require.ErrorIs(t, <-result, audit.ErrRejected)
		require.Equal(t, []string{"e000000", "e000001", "e000003"}, ids(m.Events()))
		var lost *audit.LostError
		require.ErrorAs(t, a.Close(t.Context()), &lost)
		require.Equal(t, &audit.LostError{Rejected: 1}, lost)
		require.ErrorIs(t, newAsync(t, audit.AsyncConfig{Sink: m}).Write(t.Context(), []audit.Event{{Action: "x"}}), audit.ErrInvalidEvent)
	})
}

// What was accepted while producers ran is stored when Close returns.
func TestAsyncCloseWhileProducersRun(t *testing.T) {
	t.Parallel()
	m := audit.NewMemory(0)
	var calls atomic.Int64
	flaky := audit.SinkFunc(func(ctx context.Context, events []audit.Event) error {
		switch calls.Add(1) % 4 {
		case 0:
			return errors.New("before")
		case 1:
			_ = m.Write(ctx, events)
			return errors.New("after")
		}
		return m.Write(ctx, events)
	})
	a := newAsync(t, audit.AsyncConfig{Sink: flaky, Buffer: 16, RetryBase: time.Microsecond, RetryCap: time.Millisecond})
	var group sync.WaitGroup
	var accepted, acknowledged atomic.Int64
	for w := range 8 {
		group.Go(func() {
			for i := 0; ; i++ {
				e := prepared(w*100000 + i)
				var err error
				if i%10 == 0 {
					if err = a.LogWait(t.Context(), e); err == nil {
						acknowledged.Add(1)
					}
				} else if err = a.Write(t.Context(), []audit.Event{e}); err == nil {
					accepted.Add(1)
				}
				if err != nil {
					if !errors.Is(err, audit.ErrClosed) {
						t.Errorf("got %v", err)
					}
					return
				}
			}
		})
	}
	require.NoError(t, m.Wait(t.Context(), 500))
	require.NoError(t, a.Close(t.Context()))
	group.Wait()
	require.Len(t, m.Events(), int(accepted.Load()+acknowledged.Load()))
	require.ErrorIs(t, a.Write(t.Context(), []audit.Event{prepared(1)}), audit.ErrClosed)
	require.ErrorIs(t, a.LogWait(t.Context(), prepared(1)), audit.ErrClosed)
	require.NoError(t, a.Close(t.Context()), "twice")
}

func TestAsyncCloseReportsTheLoss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dead := audit.SinkFunc(func(context.Context, []audit.Event) error { return errors.New("dead") })
		a := newAsync(t, audit.AsyncConfig{Sink: dead})
		for i := range 250 {
			require.NoError(t, a.Write(t.Context(), []audit.Event{prepared(i)}))
		}
		waiting := make(chan error)
		go func() { waiting <- a.LogWait(context.Background(), prepared(250)) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		var lost *audit.LostError
		require.ErrorAs(t, a.Close(ctx), &lost)
		require.Equal(t, time.Minute, time.Since(start))
		require.Equal(t, &audit.LostError{Pending: 251}, lost)
		require.ErrorIs(t, <-waiting, audit.ErrClosed, "nobody waits for ever")
		require.ErrorAs(t, a.Close(t.Context()), &lost)
		require.ErrorIs(t, a.Flush(t.Context()), audit.ErrClosed)
	})
}

func TestAsyncCloseWithExpiredContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAsync(t, audit.AsyncConfig{Sink: newGate()})
		require.NoError(t, a.Write(t.Context(), []audit.Event{prepared(1), prepared(2)}))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var lost *audit.LostError
		require.ErrorAs(t, a.Close(ctx), &lost)
		require.Equal(t, int64(2), lost.Pending)
		require.Contains(t, lost.Error(), "2 events lost")
	})
}

func TestAsyncFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		a := newAsync(t, audit.AsyncConfig{Sink: g, Batch: 1})
		require.NoError(t, a.Flush(t.Context()))
		require.NoError(t, a.Write(t.Context(), []audit.Event{prepared(1), prepared(2)}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, a.Flush(ctx), context.DeadlineExceeded)
		done := make(chan error)
		go func() { done <- a.Flush(t.Context()) }()
		synctest.Wait()
		require.NoError(t, a.Write(t.Context(), []audit.Event{prepared(3)}))
		g.permits <- nil
		g.permits <- nil
		require.NoError(t, <-done, "it does not wait for what came later")
		close(g.permits)
		require.NoError(t, a.Close(t.Context()))
	})
}

func TestAsyncWaitersShareAWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, calls := audit.NewMemory(0), 0
		sink := audit.SinkFunc(func(ctx context.Context, events []audit.Event) error {
			calls++
			<-time.After(time.Second)
			return m.Write(ctx, events)
		})
		a := newAsync(t, audit.AsyncConfig{Sink: sink})
		trail := logger(t, audit.Config{Sink: a})
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() { require.NoError(t, trail.LogTo(t.Context(), a.Durable(), audit.Event{Action: "x"})) })
		}
		group.Wait()
		require.Len(t, m.Events(), 64)
		require.LessOrEqual(t, calls, 2, "the first may go alone")
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.ErrorIs(t, a.LogWait(ctx, prepared(1)), context.DeadlineExceeded)
		require.NoError(t, a.LogWait(t.Context()))
		require.NoError(t, a.Close(t.Context()))
		require.Len(t, m.Events(), 65, "who stops waiting does not take the event back")
	})
}

func TestMulti(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	failing := audit.SinkFunc(func(context.Context, []audit.Event) error { return down })
	rejecting := audit.SinkFunc(func(context.Context, []audit.Event) error { return audit.ErrRejected })
	good := audit.SinkFunc(func(context.Context, []audit.Event) error { return nil })
	for _, c := range []struct {
		name     string
		targets  []audit.Target
		want     error
		rejected bool
		heard    int
	}{
		{"all good", []audit.Target{{Sink: good}, {Sink: good}}, nil, false, 0},
		{"required fails", []audit.Target{{Sink: failing}, {Sink: good}}, down, false, 1},
		{"best effort fails", []audit.Target{{Sink: failing, BestEffort: true}, {Sink: good}}, nil, false, 1},
		{"one of the best efforts works", []audit.Target{{Sink: failing, BestEffort: true}, {Sink: good, BestEffort: true}}, nil, false, 1},
		{"no best effort works", []audit.Target{{Sink: failing, BestEffort: true}, {Sink: failing, BestEffort: true}}, down, false, 2},
		{"all reject", []audit.Target{{Sink: rejecting}, {Sink: rejecting}}, audit.ErrRejected, true, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			heard := 0
			for i := range c.targets {
				c.targets[i].Name = fmt.Sprint(i)
			}
			m, err := audit.NewMulti(audit.MultiConfig{
				Targets: c.targets, OnError: func(string, []audit.Event, error) { heard++ },
			})
			require.NoError(t, err)
			err = m.Write(t.Context(), []audit.Event{prepared(1)})
			require.ErrorIs(t, err, c.want)
			require.Equal(t, c.rejected, errors.Is(err, audit.ErrRejected))
			require.Equal(t, c.heard, heard)
		})
	}
	m, err := audit.NewMulti(audit.MultiConfig{Targets: []audit.Target{{Name: "a", Sink: rejecting}, {Name: "b", Sink: failing}}})
	require.NoError(t, err)
	err = m.Write(t.Context(), []audit.Event{prepared(1)})
	require.NotErrorIs(t, err, audit.ErrRejected, "the second may succeed later")
	require.ErrorIs(t, err, down)
	require.ErrorContains(t, err, "target a: "+audit.ErrRejected.Error())
}

// A target that hangs and ignores its context delays a write for its timeout and then not at all.
func TestMultiHangingTarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stored := audit.NewMemory(0)
		var last error
		m, err := audit.NewMulti(audit.MultiConfig{
			Targets: []audit.Target{
				{Name: "good", Sink: stored},
				{Name: "hangs", BestEffort: true, Timeout: time.Second, Sink: audit.SinkFunc(func(context.Context, []audit.Event) error {
					<-release
					return nil
				})},
			},
			OnError: func(_ string, _ []audit.Event, err error) { last = err },
		})
		require.NoError(t, err)
		start := time.Now()
		for i := range 64 {
			require.NoError(t, m.Write(t.Context(), []audit.Event{prepared(i)}))
			require.ErrorIs(t, last, context.DeadlineExceeded)
		}
		require.Equal(t, 64*time.Second, time.Since(start))
		require.NoError(t, m.Write(t.Context(), []audit.Event{prepared(64)}))
		require.ErrorIs(t, last, audit.ErrBusy)
		require.Equal(t, 64*time.Second, time.Since(start))
		require.Len(t, stored.Events(), 65)
		close(release)
		synctest.Wait()
		last = nil
		require.NoError(t, m.Write(t.Context(), []audit.Event{prepared(65)}))
		require.NoError(t, last, "it is used again once it is back")
	})
}
