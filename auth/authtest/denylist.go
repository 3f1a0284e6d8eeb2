package authtest

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/groundwork-go/groundwork/auth"
)

// TestDenylist runs the conformance suite against the deny-lists that open returns. Every call of
// open must give a fresh, empty list whose clock, if it has one, runs with the wall clock.
func TestDenylist(t *testing.T, open func(t *testing.T) auth.Denylist) {
	soon := func() time.Time { return time.Now().Add(time.Hour) }
	for _, c := range []struct {
		name string
		run  func(t *testing.T, d *denylist)
	}{
		{"EmptyDeniesNothing", func(_ *testing.T, d *denylist) {
			d.want(false, "s:1", "j:1")
			d.want(false)
		}},
		{"OneOfSeveralIsEnough", func(_ *testing.T, d *denylist) {
			d.deny(soon(), "s:1")
			d.want(true, "s:1")
			d.want(true, "s:1", "j:9")
			d.want(true, "j:9", "s:1")
			d.want(false, "j:1", "s:2")
		}},
		{"SeveralAtOnce", func(_ *testing.T, d *denylist) {
			d.deny(soon(), "s:1", "s:2", "j:3")
			for _, id := range []string{"s:1", "s:2", "j:3"} {
				d.want(true, id)
			}
			d.deny(soon())
		}},
		{"LaterEndWins", func(_ *testing.T, d *denylist) {
			d.deny(soon(), "s:1")
			d.deny(time.Now().Add(-time.Hour), "s:1")
			d.want(true, "s:1")
			d.deny(soon().Add(time.Hour), "s:1")
			d.want(true, "s:1")
		}},
		{"IDsAreOpaque", func(_ *testing.T, d *denylist) {
			ids := []string{"s:", "s:A", "s:a", "s:a ", "s:ü", "s:%", "s:*", "s:{x}", "s:" + strings.Repeat("x", 1024)}
			for i, id := range ids {
				d.want(false, id)
				d.deny(soon(), id)
				for _, denied := range ids[:i+1] {
					d.want(true, denied)
				}
			}
		}},
		{"InParallel", func(_ *testing.T, d *denylist) {
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					id := "s:" + digits(uint32(i%10))
					d.deny(soon(), id)
					d.want(true, id)
				})
			}
			wg.Wait()
		}},
		{"Isolated", func(t *testing.T, d *denylist) {
			d.deny(soon(), "s:1")
			(&denylist{t, open(t)}).want(false, "s:1")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, &denylist{t, open(t)})
		})
	}
}

type denylist struct {
	t    *testing.T
	list auth.Denylist
}

func (d *denylist) deny(until time.Time, ids ...string) {
	if err := d.list.Deny(d.t.Context(), until, ids...); err != nil {
		d.t.Errorf("Deny(%q): %v", ids, err)
	}
}

func (d *denylist) want(want bool, ids ...string) {
	if got, err := d.list.Denied(d.t.Context(), ids...); err != nil || got != want {
		d.t.Errorf("Denied(%q): %v, %v, want %v", ids, got, err, want)
	}
}
