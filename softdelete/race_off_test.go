//go:build !race

package softdelete_test

const raceDetector = false
