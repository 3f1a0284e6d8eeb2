package pricing

import "math/bits"

// MaxLine is where every line, count and sum stops, in pence or in the unit of the count: small
// enough that a JSON reader with floating-point numbers keeps every digit of the total.
const MaxLine = 500_000_000_000_000

func atLeastZero(n int64) int64 { return min(max(n, 0), MaxLine) }

// sum adds, counting negative numbers as zero and stopping at MaxLine.
func sum(numbers ...int64) int64 {
	var total int64
	for _, n := range numbers {
		total = min(total+atLeastZero(n), MaxLine)
	}
	return total
}

// mulDiv is a*b/d rounded half up, for a positive d. Negative factors count as zero; the
// intermediate product has 128 bits and the result stops at MaxLine.
func mulDiv(a, b, d int64) int64 { return scaled(a, b, d, uint64(d)/2) }

// floorDiv is mulDiv without rounding up.
func floorDiv(a, b, d int64) int64 { return scaled(a, b, d, 0) }

func scaled(a, b, d int64, round uint64) int64 {
	high, low := bits.Mul64(uint64(max(a, 0)), uint64(max(b, 0)))
	low, carry := bits.Add64(low, round, 0)
	high += carry
	if high >= uint64(d) {
		return MaxLine
	}
	quotient, _ := bits.Div64(high, low, uint64(d))
	return int64(min(quotient, MaxLine))
}

// started is n divided by size, rounded up.
func started(n, size int64) int64 {
	n = atLeastZero(n)
	return (n + size - 1) / size
}
