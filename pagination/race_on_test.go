//go:build race

package pagination_test

// raceEnabled is true under -race, where sync.Pool drops values at random, so that allocations
// mean nothing, and SQLite is many times slower.
const raceEnabled = true
