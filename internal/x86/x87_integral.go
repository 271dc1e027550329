package x86

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Rounding to an integer, scaling, splitting, remainders.
var x87IntegralHandlers = map[uop.Op]handler{
	uop.FRNDINT: unary(func(s *x87Step, a softfloat.Number, _ *softfloat.Format) softfloat.Number {
		if a.Kind == softfloat.Finite {
			s.Denormals(a, a)
		}
		return s.RoundIntegral(a)
	}),
	uop.FSCALE:  fscale,
	uop.FXTRACT: fxtract,
	uop.FPREM:   fprem,
	uop.FPREM1:  fprem,
}

// fscale is ST(0) × 2^ST(1), ST(1) being truncated (SDM vol. 2, FSCALE, table 3-36).
func fscale(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	r := softfloat.Indefinite
	if c.need(&s, 0) && c.need(&s, 1) {
		r = s.scale(c.value(0), c.value(1))
	}
	if c.commit(u, &s) {
		c.fpu.set(0, s.wrapped(r))
	}
	return true
}

func (s *x87Step) scale(a, b softfloat.Number) softfloat.Number {
	if r, ok := s.Special(a, b); !ok {
		return r
	}
	if b.Kind == softfloat.Infinite && (a.Kind == softfloat.Zero && !b.Neg || a.Kind == softfloat.Infinite && b.Neg) {
		return s.Invalid()
	}
	s.Denormals(a, b)
	switch {
	case b.Kind == softfloat.Infinite && b.Neg:
		return softfloat.Number{Neg: a.Neg}
	case b.Kind == softfloat.Infinite:
		return softfloat.Number{Kind: softfloat.Infinite, Neg: a.Neg}
	case a.Kind != softfloat.Finite || b.Kind == softfloat.Zero:
		return a
	}
	const beyond = 1 << 17 // from any exponent out of any range
	n := beyond
	if b.Exp < 17 {
		n = int(b.M >> (63 - max(b.Exp, -1)))
	}
	if b.Neg {
		n = -n
	}
	return s.roundMassive(a.Neg, a.Exp+n, a.M)
}

// roundMassive is round for results so far out of range that moving the exponent of an unmasked overflow or underflow
// does not bring them back: then the result is infinity or zero, in every rounding mode (SDM vol. 1, 8.5.4 and 8.5.5).
func (s *x87Step) roundMassive(neg bool, exp int, m uint64) softfloat.Number {
	r := s.Round(neg, exp, m, 0, &softfloat.Extended)
	switch unmasked := s.Flags &^ s.Masked; {
	case unmasked&softfloat.OE != 0 && r.Exp-wrapExponent > softfloat.Extended.MaxExp:
		s.Flags |= softfloat.PE
		s.Up = true
		return softfloat.Number{Kind: softfloat.Infinite, Neg: neg}
	case unmasked&softfloat.UE != 0 && r.Exp+wrapExponent < softfloat.Extended.MinExp:
		s.Flags |= softfloat.PE
		s.Up = false
		return softfloat.Number{Neg: neg}
	}
	return r
}

// fxtract puts the exponent of ST(0) into it and pushes the significand.
func fxtract(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	exponent, significand := softfloat.Indefinite, softfloat.Indefinite
	if c.need(&s, 0) && c.room(&s) {
		a := c.value(0)
		switch a.Kind {
		case softfloat.Zero:
			s.Flags |= softfloat.ZE
			exponent, significand = softfloat.Number{Kind: softfloat.Infinite, Neg: true}, a
		case softfloat.Infinite:
			exponent, significand = softfloat.Number{Kind: softfloat.Infinite}, a
		case softfloat.Finite:
			s.Denormals(a, a)
			exponent = softfloat.FromInt(int64(a.Exp))
			significand = softfloat.Number{Kind: softfloat.Finite, Neg: a.Neg, M: a.M}
		default:
			exponent, _ = s.Special(a, a)
			significand = exponent
		}
	}
	if c.commit(u, &s) {
		c.fpu.set(0, softfloat.Pack80(exponent))
		c.fpu.push(softfloat.Pack80(significand))
	}
	return true
}

// fprem is FPREM, which truncates the quotient, and FPREM1, which rounds it to nearest. Where the exponents differ by
// 64 or more it reduces by a part only, which C2 says; else C0, C3 and C1 are the quotient's bits 2 to 0.
func fprem(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	r := softfloat.Indefinite
	kept := c.fpu.sw & (x87C3 | x87C0) // where there is no quotient
	codes := kept
	if c.need(&s, 0) && c.need(&s, 1) {
		a, b := c.value(0), c.value(1)
		switch special, ok := s.Special(a, b); {
		case !ok:
			r = special
		case a.Kind == softfloat.Infinite || b.Kind == softfloat.Zero:
			s.Invalid()
		default:
			r, codes = s.remainder(a, b, u.Op == uop.FPREM1)
		}
	}
	if c.commit(u, &s) {
		c.fpu.set(0, s.wrapped(r))
	} else {
		codes = kept
	}
	c.fpu.setCodes(codes &^ x87C1)
	c.fpu.sw |= codes & x87C1
	return true
}

// remainder is for an a that is not infinite and a b that is not zero, neither being a NaN.
func (s *x87Step) remainder(a, b softfloat.Number, nearest bool) (r softfloat.Number, codes uint16) {
	s.Denormals(a, b)
	switch {
	case a.Kind == softfloat.Zero:
		return a, 0
	case b.Kind == softfloat.Infinite:
		return a, 0
	case a.Exp-b.Exp < -1:
		return s.Round(a.Neg, a.Exp, a.M, 0, &softfloat.Extended), 0
	}
	d := a.Exp - b.Exp
	if d >= 64 {
		// Silicon takes 32 to 63 bits off, as many as make the rest of the difference a multiple of 32.
		n := d&31 | 32
		rem, _ := divideShifted(a.M, b.M, n)
		return s.exact(a.Neg, a.Exp-n, rem), x87C2
	}
	rem, quo, exp := a.M, uint64(0), a.Exp // where d is -1, the quotient is 0 and a the rest
	if d >= 0 {
		rem, quo = divideShifted(a.M, b.M, d)
		exp = b.Exp
	}
	neg := a.Neg
	if nearest {
		// Up where the rest is more than half of b, or half and the quotient odd.
		half, odd := b.M>>1, quo&1 != 0
		if d < 0 {
			half = b.M
		}
		// b's lowest bit is lost in half; equality needs it to be zero.
		tie := rem == half && (d < 0 || b.M&1 == 0)
		if rem > half || tie && odd {
			rem, quo, neg = b.M-rem, quo+1, !neg
			if d < 0 {
				rem += b.M // 2b - a, at the exponent of a
			}
		}
	}
	if quo&4 != 0 {
		codes |= x87C0
	}
	if quo&2 != 0 {
		codes |= x87C3
	}
	if quo&1 != 0 {
		codes |= x87C1
	}
	if rem == 0 {
		return softfloat.Number{Neg: a.Neg}, codes
	}
	return s.exact(neg, exp, rem), codes
}

// exact returns ±m × 2^(exp-63).
func (s *x87Step) exact(neg bool, exp int, m uint64) softfloat.Number {
	if m == 0 {
		return softfloat.Number{Neg: neg}
	}
	return s.RoundAny(neg, exp, m, 0, &softfloat.Extended)
}

// divideShifted divides a × 2^n by b, both with bit 63 set and n below 64, and returns the rest and the quotient modulo
// 2^64.
func divideShifted(a, b uint64, n int) (rem, quo uint64) {
	if a >= b {
		a, quo = a-b, 1
	}
	q, rem := bits.Div64(a>>(64-n), a<<n, b) // a>>64 is 0
	return rem, quo<<n | q
}
