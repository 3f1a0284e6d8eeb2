package main

// cursorGroups compares what cannot be called from here: a cursor is made inside Collect and read
// inside Parse, which both do more.
func cursorGroups() []group {
	const about = "A time and a UUID; BenchmarkCursor in the tests of package pagination, because the exported API cannot isolate it. " +
		"Floor: the same position as JSON with HMAC-SHA256 in base64url, as it is commonly written; it can be read, ours is encrypted as well. " +
		"gorm-cursor-paginator v2.7.0 writes JSON in base64, which anybody can read and change."
	of := func(name, job string, bar, allocs float64) group {
		return group{
			name: name, about: about, contestants: []contestant{
				{name: "JSON and HMAC"},
				{name: "pagination cursor", bar: bar, allocs: allocs},
				{name: "gorm-cursor-paginator", slower: 1},
			},
			rounds: 21,
			race: func(rounds int) (results, error) {
				return runBenchmarks(rounds,
					testBenchmark{"pagination", "BenchmarkCursor/json " + job},
					testBenchmark{"pagination", "BenchmarkCursor/" + job},
					testBenchmark{"internal/benchmarks", "BenchmarkGormCursor/" + job},
				)
			},
		}
	}
	return []group{of("pagination: make a cursor", "encode", 0.5, 3), of("pagination: read a cursor", "decode", 0.2, 1)}
}
