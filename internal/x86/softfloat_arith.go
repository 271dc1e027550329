package x86

import (
	"math"
	"math/bits"
)

// The operations take operands as they were unpacked and return results of format f.

// special handles operands that are NaNs or x87 encodings that are not supported; ok is false where it gave the result.
func (e *floatEnv) special(a, b number) (r number, ok bool) {
	if a.kind == unsupported || b.kind == unsupported {
		return e.invalid(), false
	}
	if a.isNaN() || b.isNaN() {
		return e.nan(a, b), false
	}
	return r, true
}

func (e *floatEnv) sub(a, b number, f *floatFormat) number {
	if !b.isNaN() {
		b.neg = !b.neg
	}
	return e.add(a, b, f)
}

func (e *floatEnv) add(a, b number, f *floatFormat) number {
	a, b = e.operand(a), e.operand(b)
	if r, ok := e.special(a, b); !ok {
		return r
	}
	if a.kind == infinite && b.kind == infinite && a.neg != b.neg {
		return e.invalid()
	}
	e.denormals(a, b)
	switch {
	case a.kind == infinite:
		return a
	case b.kind == infinite:
		return b
	case a.kind == zero && b.kind == zero:
		if a.neg != b.neg {
			return e.zeroDifference()
		}
		return a
	case a.kind == zero:
		return e.round(b.neg, b.exp, b.m, 0, f)
	case b.kind == zero:
		return e.round(a.neg, a.exp, a.m, 0, f)
	}
	if a.exp < b.exp || a.exp == b.exp && a.m < b.m {
		a, b = b, a
	}
	hi, lo := shiftRightSticky(b.m, 0, a.exp-b.exp)
	if a.neg == b.neg {
		sum, carry := bits.Add64(a.m, hi, 0)
		exp := a.exp
		if carry != 0 {
			sum, lo = shiftRightSticky(sum, lo, 1)
			sum |= 1 << 63
			exp++
		}
		return e.round(a.neg, exp, sum, lo, f)
	}
	lo, borrow := bits.Sub64(0, lo, 0)
	hi, _ = bits.Sub64(a.m, hi, borrow)
	if hi|lo == 0 {
		return e.zeroDifference()
	}
	return e.roundAny(a.neg, a.exp, hi, lo, f)
}

// zeroDifference is x - x: a positive zero, except when rounding toward negative.
func (e *floatEnv) zeroDifference() number { return number{neg: e.rc == towardNegative} }

// roundAny is round for a significand that is not zero and need not be normalised.
func (e *floatEnv) roundAny(neg bool, exp int, hi, lo uint64, f *floatFormat) number {
	if hi == 0 {
		hi, lo, exp = lo, 0, exp-64
	}
	if s := bits.LeadingZeros64(hi); s != 0 {
		hi, lo, exp = hi<<s|lo>>(64-s), lo<<s, exp-s
	}
	return e.round(neg, exp, hi, lo, f)
}

func (e *floatEnv) mul(a, b number, f *floatFormat) number {
	a, b = e.operand(a), e.operand(b)
	if r, ok := e.special(a, b); !ok {
		return r
	}
	if a.kind == infinite && b.kind == zero || a.kind == zero && b.kind == infinite {
		return e.invalid()
	}
	e.denormals(a, b)
	neg := a.neg != b.neg
	switch {
	case a.kind == infinite || b.kind == infinite:
		return number{kind: infinite, neg: neg}
	case a.kind == zero || b.kind == zero:
		return number{neg: neg}
	}
	hi, lo := bits.Mul64(a.m, b.m)
	return e.roundAny(neg, a.exp+b.exp+1, hi, lo, f)
}

func (e *floatEnv) div(a, b number, f *floatFormat) number {
	a, b = e.operand(a), e.operand(b)
	if r, ok := e.special(a, b); !ok {
		return r
	}
	neg := a.neg != b.neg
	switch {
	case a.kind == b.kind && a.kind != finite: // 0/0, ∞/∞
		return e.invalid()
	case a.kind == finite && b.kind == zero:
		e.flags |= fpZE
		return number{kind: infinite, neg: neg}
	}
	e.denormals(a, b)
	switch {
	case a.kind == infinite:
		return number{kind: infinite, neg: neg}
	case a.kind == zero || b.kind == infinite:
		return number{neg: neg}
	}
	hi, lo, exp := divideSignificands(a, b)
	return e.round(neg, exp, hi, lo, f)
}

// divideSignificands divides significands: hi:lo has bit 127 set and a sticky lowest bit.
func divideSignificands(a, b number) (hi, lo uint64, exp int) {
	exp = a.exp - b.exp
	n, n0 := a.m>>1, a.m<<63
	if a.m < b.m {
		n, n0, exp = a.m, 0, exp-1
	}
	hi, rem := bits.Div64(n, n0, b.m)
	lo, rem = bits.Div64(rem, 0, b.m)
	if rem != 0 {
		lo |= 1
	}
	return hi, lo, exp
}

func (e *floatEnv) sqrt(a number, f *floatFormat) number {
	a = e.operand(a)
	if r, ok := e.special(a, a); !ok {
		return r
	}
	if a.neg && a.kind != zero {
		return e.invalid()
	}
	e.denormals(a, a)
	if a.kind != finite {
		return a
	}
	hi, lo, exp := rootSignificand(a)
	return e.round(false, exp, hi, lo, f)
}

// rootSignificand takes the square root of a significand. hi is the root's floor; lo tells the rest from zero and from
// one half, which it never is.
func rootSignificand(a number) (hi, lo uint64, exp int) {
	n1, n0 := a.m, uint64(0) // the radicand, so that the root has 64 bits
	exp = a.exp >> 1
	if a.exp&1 == 0 {
		n1, n0 = a.m>>1, a.m<<63
	}
	// One step of Newton's method from an estimate of 52 bits is within one of the floor.
	s := ^uint64(0)
	if r := math.Sqrt(float64(n1)) * (1 << 32); r < 1<<64 {
		s = uint64(r)
	}
	if n1 < s {
		q, _ := bits.Div64(n1, n0, s)
		sum, carry := bits.Add64(s, q, 0)
		s = sum>>1 | carry<<63
	}
	for {
		p1, p0 := bits.Mul64(s, s)
		r0, borrow := bits.Sub64(n0, p0, 0)
		r1, borrow := bits.Sub64(n1, p1, borrow)
		switch {
		case borrow != 0:
			s--
		case r1 > s>>63 || r1 == s>>63 && r0 > s<<1: // the rest is more than 2s
			s++
		case r1 != 0 || r0 > s:
			return s, 3 << 62, exp
		case r0 != 0:
			return s, 1, exp
		default:
			return s, 0, exp
		}
	}
}
