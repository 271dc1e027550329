package x86

// convert rounds a number to another format. Signaling NaNs become quiet.
func (e *floatEnv) convert(a number, f *floatFormat) number {
	a = e.operand(a)
	if r, ok := e.special(a, a); !ok {
		return r
	}
	e.denormals(a, a)
	if a.kind != finite {
		return a
	}
	return e.round(a.neg, a.exp, a.m, 0, f)
}

// fromInteger rounds an integer to a format.
func (e *floatEnv) fromInteger(v int64, f *floatFormat) number {
	n := integerNumber(v)
	if n.kind == zero {
		return n
	}
	return e.round(n.neg, n.exp, n.m, 0, f)
}

// integral rounds a finite number to an integer; inexact is not raised but returned. The result is a number of the same
// precision, and keeps its sign where it is zero.
func (e *floatEnv) integral(a number) (r number, inexact bool) {
	if a.exp >= 63 {
		return a, false
	}
	cut := 63 - a.exp // number of bits after the point
	hi, lo := shiftRightSticky(a.m, 0, cut)
	if e.increments(a.neg, hi&1 != 0, lo) {
		e.up = true
		hi++ // cannot overflow: cut is at least 1
	}
	return normalized(a.neg, 63, hi), lo != 0
}

// roundIntegral rounds to an integral value in the operand's own format.
func (e *floatEnv) roundIntegral(a number) number {
	a = e.operand(a)
	if r, ok := e.special(a, a); !ok {
		return r
	}
	if a.kind != finite {
		return a
	}
	r, inexact := e.integral(a)
	if inexact {
		e.flags |= fpPE
	}
	return r
}

// toInteger converts to a signed integer of n bits. What does not fit gives the most negative one, and the
// invalid-operation exception (SDM vol. 1, 4.8.3.7, 8.5.1.2, 11.5.2.1).
func (e *floatEnv) toInteger(a number, n int) int64 {
	least := int64(-1) << (n - 1)
	a = e.operand(a)
	if a.kind == zero {
		return 0
	}
	if a.kind != finite {
		e.flags |= fpIE
		return least
	}
	r, inexact := e.integral(a)
	if r.exp >= n-1 && r != (number{kind: finite, neg: true, exp: n - 1, m: 1 << 63}) {
		e.flags |= fpIE
		e.up = false
		return least
	}
	if inexact {
		e.flags |= fpPE
	}
	if r.kind == zero {
		return 0
	}
	v := int64(r.m >> (63 - r.exp))
	if r.neg {
		v = -v
	}
	return v
}

// An ordering is the result of a comparison.
type ordering uint8

const (
	less ordering = iota
	equal
	greaterThan
	unordered
)

// compare orders two numbers. Signaling NaNs raise the invalid-operation exception, quiet ones too where signal is set.
func (e *floatEnv) compare(a, b number, signal bool) ordering {
	a, b = e.operand(a), e.operand(b)
	if a.kind == unsupported || b.kind == unsupported {
		e.flags |= fpIE
		return unordered
	}
	if a.isNaN() || b.isNaN() {
		if signal || a.kind == signalingNaN || b.kind == signalingNaN {
			e.flags |= fpIE
		}
		return unordered
	}
	e.denormals(a, b)
	if a.kind == zero && b.kind == zero {
		return equal
	}
	x, y := a.rank(), b.rank()
	switch {
	case x < y:
		return less
	case x > y:
		return greaterThan
	case a.m == b.m:
		return equal
	case a.m < b.m != a.neg:
		return less
	}
	return greaterThan
}

// rank orders numbers that are not NaNs by sign and exponent.
func (n *number) rank() int {
	const beyond = 1 << 20 // all exponents are smaller
	var r int
	switch n.kind {
	case infinite:
		r = 2 * beyond
	case finite:
		r = beyond + n.exp
	}
	if n.neg {
		return -r
	}
	return r
}
