package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// cursorGroups has the one comparison that cannot run in this process: a cursor is made inside
// Collect and read inside Parse, which both do more. So the contestants are the benchmarks of
// package pagination's own tests, which are built once and run once a round.
func cursorGroups() []group {
	const about = "A time and a UUID; BenchmarkCursor in the tests of package pagination, because the exported API cannot isolate it. " +
		"Floor: the same position as JSON with HMAC-SHA256 in base64url, as it is commonly written; it can be read, ours is encrypted as well."
	of := func(name, job string, bar, allocs float64) group {
		return group{
			name: name, about: about, contestants: []contestant{
				{name: "JSON and HMAC"}, {name: "pagination cursor", bar: bar, allocs: allocs},
			},
			rounds: 21,
			race:   func(rounds int) (results, error) { return runBenchmarks(rounds, "json "+job, job) },
		}
	}
	return []group{of("pagination: make a cursor", "encode", 0.5, 3), of("pagination: read a cursor", "decode", 0.2, 1)}
}

func runBenchmarks(rounds int, names ...string) (results, error) {
	folder, err := os.MkdirTemp("", "benchmarks-*")
	if err != nil {
		return results{}, err
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "pagination.test")
	build := exec.Command("go", "test", "-c", "-o", binary, "./pagination")
	build.Dir = filepath.Join("..", "..")
	if text, err := build.CombinedOutput(); err != nil {
		return results{}, fmt.Errorf("build the benchmarks: %w: %s", err, text)
	}
	r := results{times: make([][]float64, len(names)), allocs: make([]float64, len(names))}
	for range rounds {
		for i, name := range names {
			pattern := "^BenchmarkCursor$/^" + strings.ReplaceAll(name, " ", "_") + "$"
			text, err := exec.Command(binary, "-test.run=^$", "-test.bench="+pattern, "-test.benchtime=100ms", "-test.cpu=1").Output()
			if err != nil {
				return results{}, fmt.Errorf("run %s: %w", pattern, err)
			}
			r.times[i] = append(r.times[i], valueOf(string(text), "ns/op"))
			r.allocs[i] = valueOf(string(text), "allocs/op")
		}
	}
	return r, nil
}

// valueOf finds the number in front of a unit in the output of a benchmark.
func valueOf(text, unit string) float64 {
	fields := strings.Fields(text)
	for i := 1; i < len(fields); i++ {
		if fields[i] == unit {
			return must(strconv.ParseFloat(fields[i-1], 64))
		}
	}
	panic("no " + unit + " in " + text)
}
