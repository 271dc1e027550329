package x86

import "math/bits"

// Floating point in software: IEEE 754 arithmetic as the processor does it, for SSE and x87 alike. Operands of all
// formats are unpacked into a number, which holds any of them exactly; results are computed exactly, or with a sticky
// bit, and rounded once.

// A number is an unpacked operand or a rounded result.
type number struct {
	kind     numberKind
	neg      bool
	denormal bool   // it was encoded as a denormal
	exp      int    // finite: the value is m × 2^(exp-63)
	m        uint64 // finite: bit 63 is set. NaN: the significand, left-aligned, bit 63 set and bit 62 saying quiet
}

type numberKind uint8

const (
	zero numberKind = iota
	finite
	infinite
	quietNaN
	signalingNaN
	unsupported // an x87 encoding that no operation makes (SDM vol. 1, 8.2.2)
)

func (n *number) isNaN() bool { return n.kind == quietNaN || n.kind == signalingNaN }

// indefinite is the NaN that invalid operations give (SDM vol. 1, 4.8.3.7).
var indefinite = number{kind: quietNaN, neg: true, m: 3 << 62}

// A floatFormat is the precision of a significand in bits and the range of normal exponents.
type floatFormat struct{ precision, minExp, maxExp int }

var (
	single   = floatFormat{24, -126, 127}
	double   = floatFormat{53, -1022, 1023}
	extended = floatFormat{64, -16382, 16383}
)

// Exceptions, at their places in MXCSR and in the x87 status word; the masks stand at the same places of the x87
// control word.
const (
	fpIE = 1 << iota // invalid operation
	fpDE             // denormal operand
	fpZE             // division by zero
	fpOE             // overflow
	fpUE             // underflow
	fpPE             // precision

	fpAll = 1<<iota - 1
	// Exceptions that are detected before the result is computed (SDM vol. 1, 4.9.2).
	fpBefore = fpIE | fpDE | fpZE
)

// A rounding is the RC field of MXCSR and of the x87 control word (SDM vol. 1, table 4-8).
type rounding uint8

const (
	nearestEven rounding = iota
	towardNegative
	towardPositive
	towardZero
)

// A floatEnv is what arithmetic depends on, and collects the exceptions that it raises.
type floatEnv struct {
	rc     rounding
	daz    bool  // denormal operands are zeros
	ftz    bool  // tiny results are zeros, while underflow is masked
	x87    bool  // x87's rules for NaNs
	masked uint8 // exceptions
	host   bool  // the host's arithmetic does the same on ordinary operands

	flags uint8
	up    bool // the last rounding made the magnitude larger
}

// increments says whether rounding adds one to the magnitude. rest is what is cut off, as a fraction of the last place
// × 2^64, its lowest bit being sticky.
func (e *floatEnv) increments(neg, odd bool, rest uint64) bool {
	const half = 1 << 63
	switch e.rc {
	case nearestEven:
		return rest > half || rest == half && odd
	case towardNegative:
		return neg && rest != 0
	case towardPositive:
		return !neg && rest != 0
	}
	return false
}

// cut rounds the significand hi:lo, whose bit 127 is set or which is denormalised, to p bits. carry is set where the
// result is 2^64, then m is 2^63.
func (e *floatEnv) cut(neg bool, hi, lo uint64, p int) (m uint64, carry, inexact, up bool) {
	rest := lo
	if p < 64 {
		rest = hi << p
		if lo != 0 {
			rest |= 1
		}
	}
	unit := uint64(1) << (64 - p)
	m = hi &^ (unit - 1)
	if e.increments(neg, m&unit != 0, rest) {
		up = true
		if m += unit; m == 0 {
			m, carry = 1<<63, true
		}
	}
	return m, carry, rest != 0, up
}

// round makes the result (-1)^neg × hi:lo × 2^(exp-127), bit 127 being set, into a number of format f and raises
// overflow, underflow and precision. Where overflow or underflow is not masked, the result has an exponent that the
// format does not have.
func (e *floatEnv) round(neg bool, exp int, hi, lo uint64, f *floatFormat) number {
	m, carry, inexact, up := e.cut(neg, hi, lo, f.precision)
	r := number{kind: finite, neg: neg, exp: exp, m: m}
	if carry {
		r.exp++
	}
	e.up = up
	switch {
	case r.exp < f.minExp: // tiny after rounding
		if e.masked&fpUE != 0 {
			return e.underflow(neg, exp, hi, lo, f)
		}
		e.flags |= fpUE
	case r.exp > f.maxExp:
		e.flags |= fpOE
		if e.masked&fpOE != 0 {
			e.flags |= fpPE
			return e.overflow(neg, f)
		}
	}
	if inexact {
		e.flags |= fpPE
	}
	return r
}

// underflow gives the masked response to a tiny result: a denormal or zero.
func (e *floatEnv) underflow(neg bool, exp int, hi, lo uint64, f *floatFormat) number {
	if e.ftz {
		e.flags |= fpUE | fpPE
		return number{neg: neg}
	}
	hi, lo = shiftRightSticky(hi, lo, f.minExp-exp)
	// Rounding makes the smallest normal number at most, so that there is no carry.
	m, _, inexact, up := e.cut(neg, hi, lo, f.precision)
	e.up = up
	if inexact {
		e.flags |= fpUE | fpPE
	}
	return normalized(neg, f.minExp, m)
}

// overflow gives the masked response: infinity, or the largest number where rounding does not lead away from zero.
func (e *floatEnv) overflow(neg bool, f *floatFormat) number {
	if e.rc == nearestEven || e.rc == towardNegative && neg || e.rc == towardPositive && !neg {
		e.up = true
		return number{kind: infinite, neg: neg}
	}
	e.up = false
	return number{kind: finite, neg: neg, exp: f.maxExp, m: ^uint64(0) << (64 - f.precision)}
}

// normalized returns the number (-1)^neg × m × 2^(exp-63).
func normalized(neg bool, exp int, m uint64) number {
	if m == 0 {
		return number{neg: neg}
	}
	s := bits.LeadingZeros64(m)
	return number{kind: finite, neg: neg, exp: exp - s, m: m << s}
}

// shiftRightSticky shifts hi:lo right by n; the lowest bit of the result also says whether any bit that is lost was
// set.
func shiftRightSticky(hi, lo uint64, n int) (uint64, uint64) {
	var lost uint64
	switch {
	case n == 0:
		return hi, lo
	case n < 64:
		lost, lo, hi = lo<<(64-n), lo>>n|hi<<(64-n), hi>>n
	case n < 128:
		lost, lo, hi = lo|hi<<(128-n), hi>>(n-64), 0 // where n is 64, hi<<64 is 0
	default:
		lost, lo, hi = lo|hi, 0, 0
	}
	if lost != 0 {
		lo |= 1
	}
	return hi, lo
}

// operand applies DAZ.
func (e *floatEnv) operand(n number) number {
	if n.denormal && e.daz {
		return number{neg: n.neg}
	}
	return n
}

// denormals raises the denormal-operand exception. It is looked for after invalid operations and division by zero.
func (e *floatEnv) denormals(a, b number) {
	if a.denormal || b.denormal {
		e.flags |= fpDE
	}
}

// nan returns the result of an operation one of whose operands is a NaN (SDM vol. 1, table 4-7).
func (e *floatEnv) nan(a, b number) number {
	if a.kind == signalingNaN || b.kind == signalingNaN {
		e.flags |= fpIE
	}
	r := a
	switch {
	case !a.isNaN():
		r = b
	case !b.isNaN():
	case !e.x87:
		// SSE: the first operand.
	case a.kind != b.kind:
		if a.kind == signalingNaN {
			r = b // the quiet one
		}
	case b.m > a.m || b.m == a.m && a.neg:
		r = b // the larger significand; of equal ones the positive
	}
	r.kind = quietNaN
	r.m |= 1 << 62
	return r
}

// invalid returns the result of an invalid operation.
func (e *floatEnv) invalid() number {
	e.flags |= fpIE
	return indefinite
}
