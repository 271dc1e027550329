package softfloat

import (
	"math"
	"math/bits"
)

// The operations take operands as they were unpacked and return results of format f.

// Special handles operands that are NaNs or x87 encodings that are not supported; ok is false where it gave the result.
func (e *Env) Special(a, b Number) (r Number, ok bool) {
	if a.Kind == Unsupported || b.Kind == Unsupported {
		return e.Invalid(), false
	}
	if a.IsNaN() || b.IsNaN() {
		return e.nan(a, b), false
	}
	return r, true
}

// Sub is a - b.
func (e *Env) Sub(a, b Number, f *Format) Number {
	if !b.IsNaN() {
		b.Neg = !b.Neg
	}
	return e.Add(a, b, f)
}

// Add is a + b.
func (e *Env) Add(a, b Number, f *Format) Number {
	a, b = e.operand(a), e.operand(b)
	if r, ok := e.Special(a, b); !ok {
		return r
	}
	if a.Kind == Infinite && b.Kind == Infinite && a.Neg != b.Neg {
		return e.Invalid()
	}
	e.Denormals(a, b)
	switch {
	case a.Kind == Infinite:
		return a
	case b.Kind == Infinite:
		return b
	case a.Kind == Zero && b.Kind == Zero:
		if a.Neg != b.Neg {
			return e.zeroDifference()
		}
		return a
	case a.Kind == Zero:
		return e.Round(b.Neg, b.Exp, b.M, 0, f)
	case b.Kind == Zero:
		return e.Round(a.Neg, a.Exp, a.M, 0, f)
	}
	if a.Exp < b.Exp || a.Exp == b.Exp && a.M < b.M {
		a, b = b, a
	}
	hi, lo := shiftRightSticky(b.M, 0, a.Exp-b.Exp)
	if a.Neg == b.Neg {
		sum, carry := bits.Add64(a.M, hi, 0)
		exp := a.Exp
		if carry != 0 {
			sum, lo = shiftRightSticky(sum, lo, 1)
			sum |= 1 << 63
			exp++
		}
		return e.Round(a.Neg, exp, sum, lo, f)
	}
	lo, borrow := bits.Sub64(0, lo, 0)
	hi, _ = bits.Sub64(a.M, hi, borrow)
	if hi|lo == 0 {
		return e.zeroDifference()
	}
	return e.RoundAny(a.Neg, a.Exp, hi, lo, f)
}

// zeroDifference is x - x: a positive zero, except when rounding toward negative.
func (e *Env) zeroDifference() Number { return Number{Neg: e.RC == TowardNegative} }

// RoundAny is [Env.Round] for a significand that is not zero and need not be normalised.
func (e *Env) RoundAny(neg bool, exp int, hi, lo uint64, f *Format) Number {
	if hi == 0 {
		hi, lo, exp = lo, 0, exp-64
	}
	if s := bits.LeadingZeros64(hi); s != 0 {
		hi, lo, exp = hi<<s|lo>>(64-s), lo<<s, exp-s
	}
	return e.Round(neg, exp, hi, lo, f)
}

// Mul is a × b.
func (e *Env) Mul(a, b Number, f *Format) Number {
	a, b = e.operand(a), e.operand(b)
	if r, ok := e.Special(a, b); !ok {
		return r
	}
	if a.Kind == Infinite && b.Kind == Zero || a.Kind == Zero && b.Kind == Infinite {
		return e.Invalid()
	}
	e.Denormals(a, b)
	neg := a.Neg != b.Neg
	switch {
	case a.Kind == Infinite || b.Kind == Infinite:
		return Number{Kind: Infinite, Neg: neg}
	case a.Kind == Zero || b.Kind == Zero:
		return Number{Neg: neg}
	}
	hi, lo := bits.Mul64(a.M, b.M)
	return e.RoundAny(neg, a.Exp+b.Exp+1, hi, lo, f)
}

// Div is a / b.
func (e *Env) Div(a, b Number, f *Format) Number {
	a, b = e.operand(a), e.operand(b)
	if r, ok := e.Special(a, b); !ok {
		return r
	}
	neg := a.Neg != b.Neg
	switch {
	case a.Kind == b.Kind && a.Kind != Finite: // 0/0, ∞/∞
		return e.Invalid()
	case a.Kind == Finite && b.Kind == Zero:
		e.Flags |= ZE
		return Number{Kind: Infinite, Neg: neg}
	}
	e.Denormals(a, b)
	switch {
	case a.Kind == Infinite:
		return Number{Kind: Infinite, Neg: neg}
	case a.Kind == Zero || b.Kind == Infinite:
		return Number{Neg: neg}
	}
	hi, lo, exp := divideSignificands(a, b)
	return e.Round(neg, exp, hi, lo, f)
}

// divideSignificands divides significands: hi:lo has bit 127 set and a sticky lowest bit.
func divideSignificands(a, b Number) (hi, lo uint64, exp int) {
	exp = a.Exp - b.Exp
	n, n0 := a.M>>1, a.M<<63
	if a.M < b.M {
		n, n0, exp = a.M, 0, exp-1
	}
	hi, rem := bits.Div64(n, n0, b.M)
	lo, rem = bits.Div64(rem, 0, b.M)
	if rem != 0 {
		lo |= 1
	}
	return hi, lo, exp
}

// Sqrt is the square root of a.
func (e *Env) Sqrt(a Number, f *Format) Number {
	a = e.operand(a)
	if r, ok := e.Special(a, a); !ok {
		return r
	}
	if a.Neg && a.Kind != Zero {
		return e.Invalid()
	}
	e.Denormals(a, a)
	if a.Kind != Finite {
		return a
	}
	hi, lo, exp := rootSignificand(a)
	return e.Round(false, exp, hi, lo, f)
}

// rootSignificand takes the square root of a significand. hi is the root's floor; lo tells the rest from zero and from
// one half, which it never is.
func rootSignificand(a Number) (hi, lo uint64, exp int) {
	n1, n0 := a.M, uint64(0) // the radicand, so that the root has 64 bits
	exp = a.Exp >> 1
	if a.Exp&1 == 0 {
		n1, n0 = a.M>>1, a.M<<63
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
