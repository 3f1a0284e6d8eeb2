// Benchmarks compares the packages of this module with what teams would pick instead, in one
// process: rivals and ours take turns, round by round, and each figure is the median of the ratios
// of all rounds, so that a machine that speeds up or slows down changes nothing. Run it from this
// folder:
//
//	go run .              print the tables
//	go run . -write       write RESULTS.md as well
//	go run . auth         only the groups whose name contains the word
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// A contestant is one way to do a job, once per call.
type contestant struct {
	name string
	run  func()
	// bar is the greatest ratio to the floor that ours may have; 0 for rivals.
	bar float64
	// allocs is the greatest number of allocations ours may make; negative for no bar.
	allocs float64
}

// A group is a job with several ways to do it. The first contestant is the floor, ratio 1.
type group struct {
	name        string
	about       string
	contestants []contestant
}

func main() {
	rounds := flag.Int("rounds", 11, "rounds of each group")
	write := flag.Bool("write", false, "write RESULTS.md")
	flag.Parse()
	var report strings.Builder
	out := io.MultiWriter(os.Stdout, &report)
	fmt.Fprintf(out, "# Results\n\nMade by `go run . -write` in this folder with %s on %s/%s, %d processors, %d rounds.\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), *rounds)
	fmt.Fprint(out, "The first row of a table is its floor. Ratios are medians over the rounds, in which all rows took turns.\n")
	for _, g := range groups() {
		if flag.NArg() == 0 || strings.Contains(g.name, flag.Arg(0)) {
			compare(out, g, *rounds)
		}
	}
	if *write {
		if err := os.WriteFile("RESULTS.md", []byte(report.String()), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func groups() []group {
	return slices.Concat(authGroups(), middlewareGroups())
}

// turn is how long a contestant runs in a round.
const turn = 20 * time.Millisecond

func compare(out io.Writer, g group, rounds int) {
	calls := make([]int, len(g.contestants))
	for i, c := range g.contestants {
		calls[i] = calibrate(c.run)
	}
	ratios := make([][]float64, len(g.contestants))
	floors := make([]float64, 0, rounds)
	for range rounds {
		var floor float64
		for i, c := range g.contestants {
			runtime.GC()
			started := time.Now()
			for range calls[i] {
				c.run()
			}
			each := float64(time.Since(started)) / float64(calls[i])
			if i == 0 {
				floor = each
				floors = append(floors, each)
			}
			ratios[i] = append(ratios[i], each/floor)
		}
	}
	fmt.Fprintf(out, "\n## %s\n\n%s\n\n| | ratio | bar | allocations | bar |\n|---|---|---|---|---|\n", g.name, g.about)
	for i, c := range g.contestants {
		ratio, allocs := median(ratios[i]), testing.AllocsPerRun(100, c.run)
		name := c.name
		if i == 0 {
			name += fmt.Sprintf(" (%s)", time.Duration(median(floors)).Round(10*time.Nanosecond))
		}
		fmt.Fprintf(out, "| %s | %s | %s | %.0f | %s |\n", name, figure(ratio), verdict(ratio, c.bar, c.bar > 0), allocs,
			verdict(allocs, c.allocs, c.bar > 0 && c.allocs >= 0))
	}
}

func figure(ratio float64) string {
	if ratio < 0.1 {
		return fmt.Sprintf("%.4f", ratio)
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

// calibrate returns how many calls fill a turn.
func calibrate(run func()) int {
	for calls := 1; ; calls *= 2 {
		started := time.Now()
		for range calls {
			run()
		}
		if spent := time.Since(started); spent > turn/2 || calls > 1<<26 {
			return max(1, int(float64(calls)*float64(turn)/float64(spent)))
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
