//go:build race

package auth_test

// raceEnabled says that the race detector runs, under which sync.Pool drops entries at random.
const raceEnabled = true
