// Package softfloat is floating point in software: IEEE 754 arithmetic as x86 processors do it, for SSE and x87 alike,
// the same on every host. Operands of all formats are unpacked into a [Number], which holds any of them exactly; results
// are computed exactly, or with a sticky bit, and rounded once. An [Env] says how, and collects the exceptions.
//
// Facts are from the Intel SDM, edition 081, chapters 4, 8, 10 and 11 of volume 1.
package softfloat

import "math/bits"

// A Number is an unpacked operand or a rounded result.
type Number struct {
	Kind     Kind
	Neg      bool
	Denormal bool   // it was encoded as a denormal
	Exp      int    // finite: the value is M × 2^(Exp-63)
	M        uint64 // finite: bit 63 is set. NaN: the significand, left-aligned, bit 63 set and bit 62 saying quiet
}

// A Kind is what a number is apart from its sign.
type Kind uint8

// Kinds of numbers. The zero Number is a positive zero.
const (
	Zero Kind = iota
	Finite
	Infinite
	QuietNaN
	SignalingNaN
	Unsupported // an x87 encoding that no operation makes (SDM vol. 1, 8.2.2)
)

// IsNaN says whether the number is a NaN, quiet or signaling.
func (n *Number) IsNaN() bool { return n.Kind == QuietNaN || n.Kind == SignalingNaN }

// Indefinite is the NaN that invalid operations give (SDM vol. 1, 4.8.3.7).
var Indefinite = Number{Kind: QuietNaN, Neg: true, M: 3 << 62}

// A Format is the precision of a significand in bits and the range of normal exponents.
type Format struct{ Precision, MinExp, MaxExp int }

// The formats of SSE, and the one of x87 registers.
var (
	Single   = Format{24, -126, 127}
	Double   = Format{53, -1022, 1023}
	Extended = Format{64, -16382, 16383}
)

// Exceptions, at their places in MXCSR and in the x87 status word; the masks stand at the same places of the x87
// control word.
const (
	IE = 1 << iota // invalid operation
	DE             // denormal operand
	ZE             // division by zero
	OE             // overflow
	UE             // underflow
	PE             // precision

	AllExceptions = 1<<iota - 1
	// BeforeResult are the exceptions that are detected before the result is computed (SDM vol. 1, 4.9.2).
	BeforeResult = IE | DE | ZE
)

// A Rounding is the RC field of MXCSR and of the x87 control word (SDM vol. 1, table 4-8).
type Rounding uint8

// The values of RC.
const (
	NearestEven Rounding = iota
	TowardNegative
	TowardPositive
	TowardZero
)

// An Env is what arithmetic depends on, and collects the exceptions that it raises.
type Env struct {
	RC     Rounding
	DAZ    bool  // denormal operands are zeros
	FTZ    bool  // tiny results are zeros, while underflow is masked
	X87    bool  // x87's rules for NaNs
	Masked uint8 // exceptions that do not stop the instruction
	Host   bool  // the host's arithmetic does the same on ordinary operands

	Flags uint8 // exceptions that were raised
	Up    bool  // the last rounding made the magnitude larger
}

// increments says whether rounding adds one to the magnitude. rest is what is cut off, as a fraction of the last place
// × 2^64, its lowest bit being sticky.
func (e *Env) increments(neg, odd bool, rest uint64) bool {
	const half = 1 << 63
	switch e.RC {
	case NearestEven:
		return rest > half || rest == half && odd
	case TowardNegative:
		return neg && rest != 0
	case TowardPositive:
		return !neg && rest != 0
	}
	return false
}

// cut rounds the significand hi:lo, whose bit 127 is set or which is denormalised, to p bits. carry is set where the
// result is 2^64, then m is 2^63.
func (e *Env) cut(neg bool, hi, lo uint64, p int) (m uint64, carry, inexact, up bool) {
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

// Round makes the result (-1)^neg × hi:lo × 2^(exp-127), bit 127 being set, into a number of format f and raises
// overflow, underflow and precision. Where overflow or underflow is not masked, the result has an exponent that the
// format does not have.
func (e *Env) Round(neg bool, exp int, hi, lo uint64, f *Format) Number {
	m, carry, inexact, up := e.cut(neg, hi, lo, f.Precision)
	r := Number{Kind: Finite, Neg: neg, Exp: exp, M: m}
	if carry {
		r.Exp++
	}
	e.Up = up
	switch {
	case r.Exp < f.MinExp: // tiny after rounding
		if e.Masked&UE != 0 {
			return e.underflow(neg, exp, hi, lo, f)
		}
		e.Flags |= UE
	case r.Exp > f.MaxExp:
		e.Flags |= OE
		if e.Masked&OE != 0 {
			e.Flags |= PE
			return e.overflow(neg, f)
		}
	}
	if inexact {
		e.Flags |= PE
	}
	return r
}

// underflow gives the masked response to a tiny result: a denormal or zero.
func (e *Env) underflow(neg bool, exp int, hi, lo uint64, f *Format) Number {
	if e.FTZ {
		e.Flags |= UE | PE
		return Number{Neg: neg}
	}
	hi, lo = shiftRightSticky(hi, lo, f.MinExp-exp)
	// Rounding makes the smallest normal number at most, so that there is no carry.
	m, _, inexact, up := e.cut(neg, hi, lo, f.Precision)
	e.Up = up
	if inexact {
		e.Flags |= UE | PE
	}
	return normalized(neg, f.MinExp, m)
}

// overflow gives the masked response: infinity, or the largest number where rounding does not lead away from zero.
func (e *Env) overflow(neg bool, f *Format) Number {
	if e.RC == NearestEven || e.RC == TowardNegative && neg || e.RC == TowardPositive && !neg {
		e.Up = true
		return Number{Kind: Infinite, Neg: neg}
	}
	e.Up = false
	return Number{Kind: Finite, Neg: neg, Exp: f.MaxExp, M: ^uint64(0) << (64 - f.Precision)}
}

// normalized returns the number (-1)^neg × m × 2^(exp-63).
func normalized(neg bool, exp int, m uint64) Number {
	if m == 0 {
		return Number{Neg: neg}
	}
	s := bits.LeadingZeros64(m)
	return Number{Kind: Finite, Neg: neg, Exp: exp - s, M: m << s}
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
func (e *Env) operand(n Number) Number {
	if n.Denormal && e.DAZ {
		return Number{Neg: n.Neg}
	}
	return n
}

// Denormals raises the denormal-operand exception. It is looked for after invalid operations and division by zero.
func (e *Env) Denormals(a, b Number) {
	if a.Denormal || b.Denormal {
		e.Flags |= DE
	}
}

// nan returns the result of an operation one of whose operands is a NaN (SDM vol. 1, table 4-7).
func (e *Env) nan(a, b Number) Number {
	if a.Kind == SignalingNaN || b.Kind == SignalingNaN {
		e.Flags |= IE
	}
	r := a
	switch {
	case !a.IsNaN():
		r = b
	case !b.IsNaN():
	case !e.X87:
		// SSE: the first operand.
	case a.Kind != b.Kind:
		if a.Kind == SignalingNaN {
			r = b // the quiet one
		}
	case b.M > a.M || b.M == a.M && a.Neg:
		r = b // the larger significand; of equal ones the positive
	}
	r.Kind = QuietNaN
	r.M |= 1 << 62
	return r
}

// Invalid returns the result of an invalid operation.
func (e *Env) Invalid() Number {
	e.Flags |= IE
	return Indefinite
}
