//go:build race

package softdelete_test

// raceDetector makes the long tests shorter: SQLite, translated to Go, is some twenty times slower
// under the race detector.
const raceDetector = true
