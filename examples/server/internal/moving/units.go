package moving

import (
	"math"
	"strings"
	"unicode"

	"github.com/groundwork-go/groundwork/sqldb"
)

// The four conversions round half up; what they get is bounded by the API.

func volumeOf(m3 float64) int64 { return int64(math.Round(m3 * 10_000)) }

// weightOf keeps two decimals of a kilogram.
func weightOf(kg float64) int64 { return int64(math.Round(kg*100)) * 10 }

func millimetres(cm float64) int64 { return int64(math.Round(cm * 10)) }

// volumeOfSides turns three lengths in millimetres into 0.0001 m³.
func volumeOfSides(length, width, height int64) int64 {
	const perUnit = 100_000 // mm³ in 0.0001 m³
	return (length*width*height + perUnit/2) / perUnit
}

func cubicMetres(volume int64) float64 { return float64(volume) / 10_000 }
func kilograms(grams int64) float64    { return float64(grams) / 1000 }
func centimetres(mm int64) float64     { return float64(mm) / 10 }

// convert applies f to an optional value.
func convert[T, U any](value *T, f func(T) U) *U {
	if value == nil {
		return nil
	}
	return new(f(*value))
}

// line makes text of one line that every database stores: white space and control characters become
// single spaces, invisible ones and broken UTF-8 go, the ends are trimmed.
func line(text string) string {
	return strings.Join(strings.FieldsFunc(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, sqldb.CleanText(text)), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}

// prose keeps line breaks.
func prose(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, sqldb.CleanText(text)))
}
