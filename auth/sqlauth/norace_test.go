//go:build !race

package sqlauth_test

// raceEnabled says that the race detector runs, under which sync.Pool drops entries at random.
const raceEnabled = false
