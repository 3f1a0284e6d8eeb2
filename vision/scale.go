package vision

// axis says which source samples make each sample of the result, along one direction. Positions are
// in 1/256 of a source sample: integers, so that every machine computes the same picture.
type axis struct {
	bounds   []int // sample i of the result covers the source from bounds[i] to bounds[i+1]
	flip     bool  // the result is written in the opposite order
	identity bool  // each sample of the result is exactly one of the source
}

// axisSpec describes a direction of a plane.
type axisSpec struct {
	src, dst       int // sides in pixels
	srcSub, dstSub int // pixels per sample: 1 for brightness, 1, 2 or 4 for colour
	flip           bool
}

// newAxis lays the grid of the result over the source. The grid starts at the first pixel of the
// result, so with flip it is counted from the far end of the source: that keeps the colour planes
// aligned when a side is odd.
func newAxis(s axisSpec) axis {
	n := (s.dst + s.dstSub - 1) / s.dstSub
	extent := s.src * 256 / s.srcSub
	b := make([]int, n+1)
	for j := range b {
		pos := int(int64(j*s.dstSub) * int64(s.src) * 256 / int64(s.dst*s.srcSub))
		pos = min(pos, extent)
		if s.flip {
			b[n-j] = extent - pos
		} else {
			b[j] = pos
		}
	}
	a := axis{bounds: b, flip: s.flip, identity: true}
	for i := range n {
		// A last sample may cover less than a whole one of the source: then it is that sample.
		last := i == n-1 && b[n] < n*256
		if b[i] != i*256 || b[i+1] != (i+1)*256 && !last {
			a.identity = false
			break
		}
	}
	return a
}

// boxFilter shrinks one plane by averaging the area under each sample of the result. Rows of the
// source are pushed in order, so a picture need not exist in memory in the plane's form.
type boxFilter struct {
	x, y   axis
	dst    []byte
	stride int
	band   []byte // rows of the result on their way to be columns of dst; nil when they stay rows

	recip []uint64 // 2^32 divided by the length of each x span
	sums  []uint16 // one source row, averaged along x, with 8 fractional bits
	acc   []uint32 // the unfinished row of the result, with 24 fractional bits
	row   int      // rows pushed
	out   int      // rows finished
}

// bandRows is how many rows are turned into columns together: enough to write in runs, few enough to
// stay in the cache.
const bandRows = 32

// newBoxFilter makes a filter that writes to dst, whose rows are stride bytes apart.
func newBoxFilter(x, y axis, dst []byte, stride int) *boxFilter {
	n := len(x.bounds) - 1
	f := &boxFilter{x: x, y: y, dst: dst, stride: stride}
	if x.identity && y.identity {
		return f
	}
	f.recip, f.sums, f.acc = make([]uint64, n), make([]uint16, n), make([]uint32, n)
	for i := range n {
		f.recip[i] = 1 << 32 / uint64(x.bounds[i+1]-x.bounds[i])
	}
	return f
}

// push takes the next row of the source.
func (f *boxFilter) push(src []byte) {
	if f.x.identity && f.y.identity {
		copyRow(f.target(), src, f.x.flip)
		f.row++
		f.finishRow()
		return
	}
	f.average(src)
	top, bottom := f.row*256, (f.row+1)*256
	f.row++
	for f.out+1 < len(f.y.bounds) {
		lo, hi := f.y.bounds[f.out], f.y.bounds[f.out+1]
		from, to := max(lo, top), min(hi, bottom)
		if from < to {
			// Weights are differences of a running total, so that they add up to 2^16 exactly.
			span := uint64(hi - lo)
			weight := uint32(uint64(to-lo)<<16/span - uint64(from-lo)<<16/span)
			for i, s := range f.sums {
				f.acc[i] += uint32(s) * weight
			}
		}
		if hi > bottom {
			return
		}
		f.flush()
	}
}

// average fills sums from one row of the source.
func (f *boxFilter) average(src []byte) {
	if f.x.identity {
		for i := range f.sums {
			f.sums[i] = uint16(src[i]) << 8
		}
		return
	}
	lo := f.x.bounds[0]
	for i, hi := range f.x.bounds[1:] {
		first, last := lo>>8, hi>>8
		var sum uint64
		if first == last {
			sum = uint64(src[first]) * uint64(hi-lo)
		} else {
			for _, v := range src[first+1 : last] {
				sum += uint64(v)
			}
			sum = sum<<8 + uint64(src[first])*uint64(256-lo&255)
			if part := uint64(hi & 255); part != 0 {
				sum += uint64(src[last]) * part
			}
		}
		f.sums[i] = uint16(sum * f.recip[i] >> 24)
		lo = hi
	}
}

// flush writes the finished row.
func (f *boxFilter) flush() {
	row := f.target()
	if f.x.flip {
		for i, a := range f.acc {
			row[len(row)-1-i] = byte((a + 1<<23) >> 24)
		}
	} else {
		for i, a := range f.acc {
			row[i] = byte((a + 1<<23) >> 24)
		}
	}
	clear(f.acc)
	f.finishRow()
}

// place is where the current row stands in the result.
func (f *boxFilter) place() int {
	if f.y.flip {
		return len(f.y.bounds) - 2 - f.out
	}
	return f.out
}

// target is where the current row is written.
func (f *boxFilter) target() []byte {
	w, p := len(f.x.bounds)-1, f.place()
	if f.band != nil {
		p %= bandRows
		return f.band[p*w : (p+1)*w]
	}
	return f.dst[p*f.stride : p*f.stride+w]
}

// finishRow moves on, and empties the band when its last row is there.
func (f *boxFilter) finishRow() {
	p, n := f.place(), len(f.y.bounds)-1
	f.out++
	if f.band == nil {
		return
	}
	start, end := p-p%bandRows, p+1
	if f.y.flip {
		end = min(start+bandRows, n)
	}
	if f.y.flip && p == start || !f.y.flip && (end == n || end%bandRows == 0) {
		f.transposeBand(start, end-start)
	}
}

// transposeBand writes the band's rows as columns of the result, from the given column on.
func (f *boxFilter) transposeBand(column, rows int) {
	w := len(f.x.bounds) - 1
	for x := range w {
		run := f.dst[x*f.stride+column : x*f.stride+column+rows]
		for r := range run {
			run[r] = f.band[r*w+x]
		}
	}
}

func copyRow(dst, src []byte, reverse bool) {
	if !reverse {
		copy(dst, src)
		return
	}
	src = src[:len(dst)]
	for i, v := range src {
		dst[len(dst)-1-i] = v
	}
}
