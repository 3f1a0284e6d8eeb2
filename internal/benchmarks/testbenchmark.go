package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// testBenchmark is a contestant that cannot run in this process, because it needs what a package
// does not export: a benchmark of the tests in a folder of the repository. The tests are built once
// and run once a round.
type testBenchmark struct{ folder, name string }

func runBenchmarks(rounds int, list ...testBenchmark) (results, error) {
	folder, err := os.MkdirTemp("", "benchmarks-*")
	if err != nil {
		return results{}, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binaries := map[string]string{}
	for _, b := range list {
		if binaries[b.folder] != "" {
			continue
		}
		binaries[b.folder] = filepath.Join(folder, filepath.Base(b.folder)+".test")
		build := exec.Command("go", "test", "-c", "-o", binaries[b.folder], ".")
		build.Dir = filepath.Join("..", "..", b.folder)
		if text, err := build.CombinedOutput(); err != nil {
			return results{}, fmt.Errorf("build the benchmarks: %w: %s", err, text)
		}
	}
	r := results{times: make([][]float64, len(list)), allocs: make([]float64, len(list))}
	for range rounds {
		for i, b := range list {
			pattern := "^" + strings.ReplaceAll(strings.ReplaceAll(b.name, " ", "_"), "/", "$/^") + "$"
			text, err := exec.Command(binaries[b.folder], "-test.run=^$", "-test.bench="+pattern, "-test.benchtime=100ms", "-test.cpu=1").Output()
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
