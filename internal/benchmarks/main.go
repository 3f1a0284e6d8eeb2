// Benchmarks compares the packages of this module with what teams would pick instead, in one
// process: rivals and ours take turns, round by round, and each figure is the median of the ratios
// of all rounds, so that a machine that speeds up or slows down changes little. Turns are short, so
// that on a busy machine most of them are not interrupted by other work. Run it from this
// folder:
//
//	go run .              print the tables
//	go run . -write       write RESULTS.md as well
//	go run . auth         only the groups whose name contains the word
//
// Groups that need Redis or PostgreSQL read TEST_REDIS_URL and TEST_POSTGRES_URL, and are left out
// with a note when those are not set. They use a key prefix and a database of their own and remove
// them.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// A contestant is one way to do a job.
type contestant struct {
	name string
	run  func()
	// per is how often one call of run does the job; 0 means once.
	per int
	// bar is the greatest ratio to the floor that ours may have; 0 for rivals. The first
	// contestant with a bar is ours.
	bar float64
	// slower is how many times as long as ours a rival must take; 0 for no bar.
	slower float64
	// within is how long one call may take, where the bar is a time; 0 for no bar. It depends on the
	// machine, so it is for times far below the bar.
	within time.Duration
	// allocs is the greatest number of allocations ours may make; negative for no bar.
	allocs float64
}

// A group is a job with several ways to do it. The first contestant is the floor, ratio 1.
type group struct {
	name        string
	about       string
	contestants []contestant
	// open makes the contestants of a group that needs set-up, and gives to after what removes it
	// again, also when something panics. Its error is the note in the place of the table.
	open func(after func(func())) ([]contestant, error)
	// turn is how long a contestant runs in a round, and rounds how many there are. 0 means 2 ms and
	// 201 rounds.
	turn   time.Duration
	rounds int
	// tried says, for a bar that is missed, what was done about it.
	tried string
	// race replaces the race in this process, for contestants that cannot run in it.
	race func(rounds int) (results, error)
}

// results are nanoseconds by contestant and round, and allocations by contestant.
type results struct {
	times  [][]float64
	allocs []float64
}

func main() {
	rounds := flag.Int("rounds", 0, "rounds of every group, instead of its own number")
	write := flag.Bool("write", false, "write RESULTS.md")
	flag.Parse()
	var report strings.Builder
	out := io.MultiWriter(os.Stdout, &report)
	started, before := time.Now(), load()
	fmt.Fprintf(out, "# Results\n\nMade by `go run . -write` in this folder with %s on %s/%s, %d processors.\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Fprint(out, "The first row of a table is its floor. Ratios are medians over the rounds, in which all rows took turns.\n")
	for _, g := range groups() {
		if flag.NArg() == 0 || strings.Contains(g.name, flag.Arg(0)) {
			g.rounds = cmp.Or(*rounds, g.rounds, 201)
			g.turn = cmp.Or(g.turn, 2*time.Millisecond)
			measure(out, g)
		}
	}
	fmt.Fprintf(out, "\nIt took %v. The machine's load average was %s before and %s at the end.\n", time.Since(started).Round(time.Second), before, load())
	if *write {
		if err := os.WriteFile("RESULTS.md", []byte(report.String()), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// load returns the load average of the last minute, which tells how far to trust the figures.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}

func measure(out io.Writer, g group) {
	fmt.Fprintf(out, "\n## %s\n\n%s\n\n", g.name, g.about)
	if g.open != nil {
		var removals []func()
		defer func() {
			for _, remove := range slices.Backward(removals) {
				remove()
			}
		}()
		contestants, err := g.open(func(remove func()) { removals = append(removals, remove) })
		if err != nil {
			fmt.Fprintf(out, "Left out: %v.\n", err)
			return
		}
		g.contestants = contestants
	}
	if g.race == nil {
		g.race = func(int) (results, error) { return compete(g), nil }
	}
	r, err := g.race(g.rounds)
	if err != nil {
		fmt.Fprintf(out, "Left out: %v.\n", err)
		return
	}
	if missed := report(out, g.contestants, r); missed && g.tried != "" {
		fmt.Fprintf(out, "\n%s\n", g.tried)
	}
}

func compete(g group) results {
	calls := make([]int, len(g.contestants))
	for i, c := range g.contestants {
		calls[i] = calibrate(c.run, g.turn)
	}
	r := results{times: make([][]float64, len(g.contestants))}
	for range g.rounds {
		for i, c := range g.contestants {
			runtime.GC()
			started := time.Now()
			for range calls[i] {
				c.run()
			}
			r.times[i] = append(r.times[i], float64(time.Since(started))/float64(calls[i]*max(c.per, 1)))
		}
	}
	for i, c := range g.contestants {
		r.allocs = append(r.allocs, testing.AllocsPerRun(min(100, 10*calls[i]), c.run)/float64(max(c.per, 1)))
	}
	return r
}

// report writes the table and tells whether a bar is missed.
func report(out io.Writer, contestants []contestant, r results) (missed bool) {
	ours := slices.IndexFunc(contestants, func(c contestant) bool { return c.bar > 0 })
	fmt.Fprint(out, "| | ratio | bar | allocations | bar |\n|---|---|---|---|---|\n")
	for i, c := range contestants {
		ratio := median(ratios(r.times[i], r.times[0]))
		name, bar := c.name, verdict(ratio, c.bar, c.bar > 0)
		if i == 0 {
			name += fmt.Sprintf(" (%s)", took(median(r.times[0])))
		}
		if c.slower > 0 {
			bar = handicap(median(ratios(r.times[i], r.times[ours])), c.slower)
		}
		if c.within > 0 {
			bar = limit(median(r.times[i]), c.within)
		}
		allocs := verdict(r.allocs[i], c.allocs, c.bar > 0 && c.allocs >= 0)
		fmt.Fprintf(out, "| %s | %s | %s | %.0f | %s |\n", name, figure(ratio), bar, r.allocs[i], allocs)
		missed = missed || strings.Contains(bar+allocs, "missed")
	}
	return missed
}

func took(nanoseconds float64) string {
	if nanoseconds < 1000 {
		return fmt.Sprintf("%.1fns", nanoseconds)
	}
	return time.Duration(nanoseconds).Round(10 * time.Nanosecond).String()
}

// ratios divides round by round.
func ratios(times, floors []float64) []float64 {
	list := make([]float64, len(times))
	for i := range times {
		list[i] = times[i] / floors[i]
	}
	return list
}

func figure(ratio float64) string {
	switch {
	case ratio < 0.1:
		return fmt.Sprintf("%.4f", ratio)
	case ratio >= 100:
		return fmt.Sprintf("%.0f", ratio)
	}
	return fmt.Sprintf("%.2f", ratio)
}

func verdict(value, bar float64, set bool) string {
	switch {
	case !set:
		return ""
	case value <= bar:
		return fmt.Sprintf("<= %g, met", bar)
	}
	return fmt.Sprintf("<= %g, **missed**", bar)
}

func handicap(value, bar float64) string {
	if value >= bar {
		return fmt.Sprintf("%s x ours, >= %g, met", figure(value), bar)
	}
	return fmt.Sprintf("%s x ours, >= %g, **missed**", figure(value), bar)
}

func limit(nanoseconds float64, bar time.Duration) string {
	if nanoseconds <= float64(bar) {
		return fmt.Sprintf("%s, <= %v, met", took(nanoseconds), bar)
	}
	return fmt.Sprintf("%s, <= %v, **missed**", took(nanoseconds), bar)
}

// calibrate returns how many calls fill a turn. Of three tries the shortest counts: one that other
// work interrupts would make the turns so short that they measure cold caches.
func calibrate(run func(), turn time.Duration) int {
	for calls := 1; ; calls *= 2 {
		shortest := time.Duration(math.MaxInt64)
		for range 3 {
			started := time.Now()
			for range calls {
				run()
			}
			shortest = min(shortest, time.Since(started))
		}
		if shortest > turn/2 || calls > 1<<26 {
			return max(1, int(float64(calls)*float64(turn)/float64(shortest)))
		}
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// must is for set-up that cannot fail once it works.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// check is must for what returns an error alone.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
