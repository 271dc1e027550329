package mem

import (
	"bytes"

	"github.com/tacit-vm/tacit/physical"
)

// Differ returns the first frame, private ones before shared ones, in which two memories of one size hold something else, or
// of which one of them alone says that it is [Memory.Backed]; false where there is none.
func Differ(a, b *Memory) (Frame, bool) {
	for p := range physical.Plane(physical.Planes) {
		x, y := &a.plane[p], &b.plane[p]
		for at, end := uint64(0), a.size>>PageShift; at < end; {
			first, n := x.backed.nextRun(at, end)
			other, m := y.backed.nextRun(at, end)
			if n == 0 && m == 0 {
				break
			}
			if first != other || n != m {
				return FrameOf(p, firstOf(first, n, other, m)<<PageShift), true
			}
			for page := first; page < first+n; page++ {
				from, to := page<<PageShift, (page+1)<<PageShift
				if !bytes.Equal(x.mapping[from:to], y.mapping[from:to]) {
					return FrameOf(p, from), true
				}
			}
			at = first + n
		}
	}
	return 0, false
}

// firstOf returns the first page that is in one of two runs alone; they are not the same.
func firstOf(first, n, other, m uint64) uint64 {
	switch {
	case n == 0:
		return other
	case m == 0:
		return first
	case first != other:
		return min(first, other)
	}
	return first + min(n, m)
}
