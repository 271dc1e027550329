package x86

import "math/big"

// Transcendental instructions. Special operands follow the tables of SDM vol. 2, FPATAN, FYL2X and so on.
var x87TranscendentalHandlers = map[Op]handler{
	opF2XM1:   unary(f2xm1),
	opFYL2X:   intoST1(fyl2x),
	opFYL2XP1: intoST1(fyl2xp1),
	opFPATAN:  intoST1(fpatan),
	opFSIN:    fsin,
	opFCOS:    fsin,
	opFSINCOS: fsincos,
	opFPTAN:   fsincos,
}

// intoST1 makes a handler for ST(1) = f(ST(1), ST(0)) and a pop.
func intoST1(f func(s *x87Step, y, x number) number) handler {
	return func(c *CPU, u *Uop) bool {
		s := c.begin()
		r := indefinite
		if c.need(&s, 0) && c.need(&s, 1) {
			r = f(&s, c.value(1), c.value(0))
		}
		if c.commit(u, &s) {
			c.fpu.set(1, s.wrapped(r))
			c.fpu.pop(1)
		}
		return true
	}
}

// f2xm1 is 2^a - 1 for a from -1 to 1. Beyond, where the manual leaves the result undefined, it is a. Silicon calls
// every result inexact.
func f2xm1(s *x87Step, a number, _ *floatFormat) number {
	if r, ok := s.special(a, a); !ok {
		return r
	}
	s.denormals(a, a)
	switch {
	case a.kind == infinite && a.neg:
		return integerNumber(-1)
	case a.kind != finite:
		return a
	case a.exp >= 0:
		s.flags |= fpPE
		if a.exp == 0 && a.m == 1<<63 && a.neg {
			a.exp = -1 // 2^-1 - 1
		}
		return a
	}
	return s.roundFloat(expm1(bigMul(a.float(), bigLn2)))
}

// fyl2x is y × log2(x).
func fyl2x(s *x87Step, y, x number) number {
	if r, ok := s.special(y, x); !ok {
		return r
	}
	one := x.kind == finite && !x.neg && x.exp == 0 && x.m == 1<<63
	switch {
	case x.neg && x.kind != zero,
		x.kind == zero && y.kind == zero,
		one && y.kind == infinite,
		x.kind == infinite && y.kind == zero:
		return s.invalid()
	case x.kind == zero && y.kind == finite:
		s.flags |= fpZE
		return number{kind: infinite, neg: !y.neg}
	}
	s.denormals(y, x)
	below := x.kind == zero || x.kind == finite && x.exp < 0 // the logarithm is negative
	switch {
	case y.kind == infinite || x.kind != finite:
		return number{kind: infinite, neg: y.neg != below}
	case y.kind == zero || one:
		return number{neg: y.neg != below}
	case x.m == 1<<63: // a power of two, whose logarithm is exact; silicon calls it inexact
		r := s.mul(y, integerNumber(int64(x.exp)), &extended)
		s.flags |= fpPE
		if r.exp < extended.minExp {
			s.flags |= fpUE
		}
		return r
	}
	m := number{kind: finite, m: x.m}
	return s.roundFloat(bigMul(y.float(), logarithm2(m.float(), x.exp)))
}

// fyl2xp1 is y × log2(x+1) for |x| up to 1-√½. Beyond, where the manual leaves the result undefined, it goes on as long
// as the logarithm exists, and then is x.
func fyl2xp1(s *x87Step, y, x number) number {
	if r, ok := s.special(y, x); !ok {
		return r
	}
	switch {
	case x.kind == zero && y.kind == infinite, x.kind == infinite && (x.neg || y.kind == zero):
		return s.invalid()
	}
	s.denormals(y, x)
	neg := y.neg != x.neg
	switch {
	case y.kind == infinite, x.kind == infinite:
		return number{kind: infinite, neg: neg}
	case y.kind == zero, x.kind == zero:
		return number{neg: neg}
	case x.neg && x.exp >= 0:
		s.flags |= fpPE
		return x
	}
	v := x.float()
	if x.exp >= -2 {
		m := bigAdd(bigOne, v)
		exp := m.MantExp(m) - 1 // m is in [1/2, 1)
		return s.roundFloat(bigMul(y.float(), logarithm2(bigMul(m, intFloat(2)), exp)))
	}
	ln := logRatio(bigQuo(v, bigAdd(v, intFloat(2))))
	return s.roundFloat(bigMul(y.float(), bigQuo(ln, bigLn2)))
}

// fpatan is the angle of the point (x, y).
func fpatan(s *x87Step, y, x number) number {
	if r, ok := s.special(y, x); !ok {
		return r
	}
	s.denormals(y, x)
	quarters := func(n int64) number { // n × π/4
		v := bigQuo(bigMul(bigPi, intFloat(n)), intFloat(4))
		if y.neg {
			v.Neg(v)
		}
		return s.roundFloat(v)
	}
	switch {
	case x.kind == infinite && y.kind == infinite && x.neg:
		return quarters(3)
	case x.kind == infinite && y.kind == infinite:
		return quarters(1)
	case y.kind == zero || x.kind == infinite:
		if x.neg {
			return quarters(4)
		}
		return number{neg: y.neg}
	case x.kind == zero || y.kind == infinite:
		return quarters(2)
	}
	a, b := y.float(), x.float()
	v := arctan(newFloat().Abs(bigQuo(a, b)))
	if x.neg {
		v = bigSub(bigPi, v)
	}
	if y.neg {
		v.Neg(v)
	}
	return s.roundFloat(v)
}

// quadrant reduces an angle by multiples of π/2 and returns the rest, at most π/4, and how many there were, modulo 4.
func quadrant(a number) (rest *big.Float, n int64) {
	v := a.float()
	half := bigQuo(siliconPi, intFloat(2))
	if a.exp >= -1 {
		k, _ := bigAdd(newFloat().Abs(bigQuo(v, half)), parseFloat("0.5")).Int(nil)
		if a.neg {
			k.Neg(k)
		}
		n = new(big.Int).And(k, big.NewInt(3)).Int64()
		v = bigSub(v, newFloat().Mul(new(big.Float).SetPrec(seriesBits).SetInt(k), half))
	}
	return v, n
}

// sinCos returns the sine and the cosine of a finite number below 2^63.
func sinCos(a number) (sin, cos *big.Float) {
	t, n := quadrant(a)
	sin, cos = sine(t), cosine(t)
	if n&1 != 0 {
		sin, cos = cos, sin.Neg(sin)
	}
	if n&2 != 0 {
		sin.Neg(sin)
		cos.Neg(cos)
	}
	return sin, cos
}

// angle looks at the operand of a trigonometric instruction: where it is special, ok is false and r the result. Out of
// range, C2 is set and nothing else happens.
func (s *x87Step) angle(a number) (r number, outside, ok bool) {
	if r, ok := s.special(a, a); !ok {
		return r, false, false
	}
	if a.kind == infinite {
		return s.invalid(), false, false
	}
	if a.kind == finite && a.exp >= 63 {
		return a, true, false
	}
	s.denormals(a, a)
	return r, false, true
}

func fsin(c *CPU, u *Uop) bool {
	s := c.begin()
	r := indefinite
	var outside bool
	if c.need(&s, 0) {
		a := c.value(0)
		var ok bool
		if r, outside, ok = s.angle(a); ok {
			switch {
			case a.kind == zero && u.Op == opFSIN:
				r = a
			case a.kind == zero:
				r = integerNumber(1)
			default:
				sin, cos := sinCos(a)
				if u.Op == opFCOS {
					sin = cos
				}
				r = s.roundFloat(sin)
			}
		}
	}
	if c.commit(u, &s) {
		c.fpu.setRange(outside)
		if !outside {
			c.fpu.set(0, s.wrapped(r))
		}
	}
	return true
}

// setRange makes C2 say that an operand was out of range.
func (f *x87State) setRange(outside bool) {
	f.sw &^= x87C2
	if outside {
		f.sw |= x87C2
	}
}

// fsincos is FSINCOS, which replaces ST(0) with its sine and pushes its cosine, and FPTAN, which replaces it with its
// tangent and pushes 1.
func fsincos(c *CPU, u *Uop) bool {
	s := c.begin()
	r, second := indefinite, indefinite
	var outside bool
	if c.need(&s, 0) && c.room(&s) {
		a := c.value(0)
		var ok bool
		r, outside, ok = s.angle(a)
		switch {
		case !ok:
			second = r
		case a.kind == zero:
			r, second = a, integerNumber(1)
		case u.Op == opFPTAN:
			sin, cos := sinCos(a)
			r, second = s.roundFloat(bigQuo(sin, cos)), integerNumber(1)
		default:
			sin, cos := sinCos(a)
			second = s.roundFloat(cos)
			r = s.roundFloat(sin)
		}
	}
	if c.commit(u, &s) {
		c.fpu.setRange(outside)
		if !outside {
			c.fpu.set(0, s.wrapped(r))
			c.fpu.push(pack80(second))
		}
	}
	return true
}
