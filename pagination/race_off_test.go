//go:build !race

package pagination_test

const raceEnabled = false
