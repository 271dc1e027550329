package x86

import "math/bits"

// Rounding to an integer, scaling, splitting, remainders.
var x87IntegralHandlers = map[Op]handler{
	opFRNDINT: unary(func(s *x87Step, a number, _ *floatFormat) number {
		if a.kind == finite {
			s.denormals(a, a)
		}
		return s.roundIntegral(a)
	}),
	opFSCALE:  fscale,
	opFXTRACT: fxtract,
	opFPREM:   fprem,
	opFPREM1:  fprem,
}

// fscale is ST(0) × 2^ST(1), ST(1) being truncated (SDM vol. 2, FSCALE, table 3-36).
func fscale(c *CPU, u *Uop) bool {
	s := c.begin()
	r := indefinite
	if c.need(&s, 0) && c.need(&s, 1) {
		r = s.scale(c.value(0), c.value(1))
	}
	if c.commit(u, &s) {
		c.fpu.set(0, s.wrapped(r))
	}
	return true
}

func (s *x87Step) scale(a, b number) number {
	if r, ok := s.special(a, b); !ok {
		return r
	}
	if b.kind == infinite && (a.kind == zero && !b.neg || a.kind == infinite && b.neg) {
		return s.invalid()
	}
	s.denormals(a, b)
	switch {
	case b.kind == infinite && b.neg:
		return number{neg: a.neg}
	case b.kind == infinite:
		return number{kind: infinite, neg: a.neg}
	case a.kind != finite || b.kind == zero:
		return a
	}
	const beyond = 1 << 17 // from any exponent out of any range
	n := beyond
	if b.exp < 17 {
		n = int(b.m >> (63 - max(b.exp, -1)))
	}
	if b.neg {
		n = -n
	}
	return s.roundMassive(a.neg, a.exp+n, a.m)
}

// roundMassive is round for results so far out of range that moving the exponent of an unmasked overflow or underflow
// does not bring them back: then the result is infinity or zero, in every rounding mode (SDM vol. 1, 8.5.4 and 8.5.5).
func (s *x87Step) roundMassive(neg bool, exp int, m uint64) number {
	r := s.round(neg, exp, m, 0, &extended)
	switch unmasked := s.flags &^ s.masked; {
	case unmasked&fpOE != 0 && r.exp-wrapExponent > extended.maxExp:
		s.flags |= fpPE
		s.up = true
		return number{kind: infinite, neg: neg}
	case unmasked&fpUE != 0 && r.exp+wrapExponent < extended.minExp:
		s.flags |= fpPE
		s.up = false
		return number{neg: neg}
	}
	return r
}

// fxtract puts the exponent of ST(0) into it and pushes the significand.
func fxtract(c *CPU, u *Uop) bool {
	s := c.begin()
	exponent, significand := indefinite, indefinite
	if c.need(&s, 0) && c.room(&s) {
		a := c.value(0)
		switch a.kind {
		case zero:
			s.flags |= fpZE
			exponent, significand = number{kind: infinite, neg: true}, a
		case infinite:
			exponent, significand = number{kind: infinite}, a
		case finite:
			s.denormals(a, a)
			exponent = integerNumber(int64(a.exp))
			significand = number{kind: finite, neg: a.neg, m: a.m}
		default:
			exponent, _ = s.special(a, a)
			significand = exponent
		}
	}
	if c.commit(u, &s) {
		c.fpu.set(0, pack80(exponent))
		c.fpu.push(pack80(significand))
	}
	return true
}

// fprem is FPREM, which truncates the quotient, and FPREM1, which rounds it to nearest. Where the exponents differ by
// 64 or more it reduces by a part only, which C2 says; else C0, C3 and C1 are the quotient's bits 2 to 0.
func fprem(c *CPU, u *Uop) bool {
	s := c.begin()
	r := indefinite
	kept := c.fpu.sw & (x87C3 | x87C0) // where there is no quotient
	codes := kept
	if c.need(&s, 0) && c.need(&s, 1) {
		a, b := c.value(0), c.value(1)
		switch special, ok := s.special(a, b); {
		case !ok:
			r = special
		case a.kind == infinite || b.kind == zero:
			s.invalid()
		default:
			r, codes = s.remainder(a, b, u.Op == opFPREM1)
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
func (s *x87Step) remainder(a, b number, nearest bool) (r number, codes uint16) {
	s.denormals(a, b)
	switch {
	case a.kind == zero:
		return a, 0
	case b.kind == infinite:
		return a, 0
	case a.exp-b.exp < -1:
		return s.round(a.neg, a.exp, a.m, 0, &extended), 0
	}
	d := a.exp - b.exp
	if d >= 64 {
		// Silicon takes 32 to 63 bits off, as many as make the rest of the difference a multiple of 32.
		n := d&31 | 32
		rem, _ := divideShifted(a.m, b.m, n)
		return s.exact(a.neg, a.exp-n, rem), x87C2
	}
	rem, quo, exp := a.m, uint64(0), a.exp // where d is -1, the quotient is 0 and a the rest
	if d >= 0 {
		rem, quo = divideShifted(a.m, b.m, d)
		exp = b.exp
	}
	neg := a.neg
	if nearest {
		// Up where the rest is more than half of b, or half and the quotient odd.
		half, odd := b.m>>1, quo&1 != 0
		if d < 0 {
			half = b.m
		}
		// b's lowest bit is lost in half; equality needs it to be zero.
		tie := rem == half && (d < 0 || b.m&1 == 0)
		if rem > half || tie && odd {
			rem, quo, neg = b.m-rem, quo+1, !neg
			if d < 0 {
				rem += b.m // 2b - a, at the exponent of a
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
		return number{neg: a.neg}, codes
	}
	return s.exact(neg, exp, rem), codes
}

// exact returns ±m × 2^(exp-63).
func (s *x87Step) exact(neg bool, exp int, m uint64) number {
	if m == 0 {
		return number{neg: neg}
	}
	return s.roundAny(neg, exp, m, 0, &extended)
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
