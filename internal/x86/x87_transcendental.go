package x86

import (
	"math/big"

	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Transcendental instructions. Special operands follow the tables of SDM vol. 2, FPATAN, FYL2X and so on.
var x87TranscendentalHandlers = map[uop.Op]handler{
	uop.F2XM1:   unary(f2xm1),
	uop.FYL2X:   intoST1(fyl2x),
	uop.FYL2XP1: intoST1(fyl2xp1),
	uop.FPATAN:  intoST1(fpatan),
	uop.FSIN:    fsin,
	uop.FCOS:    fsin,
	uop.FSINCOS: fsincos,
	uop.FPTAN:   fsincos,
}

// intoST1 makes a handler for ST(1) = f(ST(1), ST(0)) and a pop.
func intoST1(f func(s *x87Step, y, x softfloat.Number) softfloat.Number) handler {
	return func(c *CPU, u *uop.Uop) bool {
		s := c.begin()
		r := softfloat.Indefinite
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
func f2xm1(s *x87Step, a softfloat.Number, _ *softfloat.Format) softfloat.Number {
	if r, ok := s.Special(a, a); !ok {
		return r
	}
	s.Denormals(a, a)
	switch {
	case a.Kind == softfloat.Infinite && a.Neg:
		return softfloat.FromInt(-1)
	case a.Kind != softfloat.Finite:
		return a
	case a.Exp >= 0:
		s.Flags |= softfloat.PE
		if a.Exp == 0 && a.M == 1<<63 && a.Neg {
			a.Exp = -1 // 2^-1 - 1
		}
		return a
	}
	return s.RoundBig(expm1(bigMul(a.Big(), bigLn2)))
}

// fyl2x is y × log2(x).
func fyl2x(s *x87Step, y, x softfloat.Number) softfloat.Number {
	if r, ok := s.Special(y, x); !ok {
		return r
	}
	one := x.Kind == softfloat.Finite && !x.Neg && x.Exp == 0 && x.M == 1<<63
	switch {
	case x.Neg && x.Kind != softfloat.Zero,
		x.Kind == softfloat.Zero && y.Kind == softfloat.Zero,
		one && y.Kind == softfloat.Infinite,
		x.Kind == softfloat.Infinite && y.Kind == softfloat.Zero:
		return s.Invalid()
	case x.Kind == softfloat.Zero && y.Kind == softfloat.Finite:
		s.Flags |= softfloat.ZE
		return softfloat.Number{Kind: softfloat.Infinite, Neg: !y.Neg}
	}
	s.Denormals(y, x)
	below := x.Kind == softfloat.Zero || x.Kind == softfloat.Finite && x.Exp < 0 // the logarithm is negative
	switch {
	case y.Kind == softfloat.Infinite || x.Kind != softfloat.Finite:
		return softfloat.Number{Kind: softfloat.Infinite, Neg: y.Neg != below}
	case y.Kind == softfloat.Zero || one:
		return softfloat.Number{Neg: y.Neg != below}
	case x.M == 1<<63: // a power of two, whose logarithm is exact; silicon calls it inexact
		r := s.Mul(y, softfloat.FromInt(int64(x.Exp)), &softfloat.Extended)
		s.Flags |= softfloat.PE
		if r.Exp < softfloat.Extended.MinExp {
			s.Flags |= softfloat.UE
		}
		return r
	}
	m := softfloat.Number{Kind: softfloat.Finite, M: x.M}
	return s.RoundBig(bigMul(y.Big(), logarithm2(m.Big(), x.Exp)))
}

// fyl2xp1 is y × log2(x+1) for |x| up to 1-√½. Beyond, where the manual leaves the result undefined, it goes on as long
// as the logarithm exists, and then is x.
func fyl2xp1(s *x87Step, y, x softfloat.Number) softfloat.Number {
	if r, ok := s.Special(y, x); !ok {
		return r
	}
	switch {
	case x.Kind == softfloat.Zero && y.Kind == softfloat.Infinite, x.Kind == softfloat.Infinite && (x.Neg || y.Kind == softfloat.Zero):
		return s.Invalid()
	}
	s.Denormals(y, x)
	neg := y.Neg != x.Neg
	switch {
	case y.Kind == softfloat.Infinite, x.Kind == softfloat.Infinite:
		return softfloat.Number{Kind: softfloat.Infinite, Neg: neg}
	case y.Kind == softfloat.Zero, x.Kind == softfloat.Zero:
		return softfloat.Number{Neg: neg}
	case x.Neg && x.Exp >= 0:
		s.Flags |= softfloat.PE
		return x
	}
	v := x.Big()
	if x.Exp >= -2 {
		m := bigAdd(bigOne, v)
		exp := m.MantExp(m) - 1 // m is in [1/2, 1)
		return s.RoundBig(bigMul(y.Big(), logarithm2(bigMul(m, intFloat(2)), exp)))
	}
	ln := logRatio(bigQuo(v, bigAdd(v, intFloat(2))))
	return s.RoundBig(bigMul(y.Big(), bigQuo(ln, bigLn2)))
}

// fpatan is the angle of the point (x, y).
func fpatan(s *x87Step, y, x softfloat.Number) softfloat.Number {
	if r, ok := s.Special(y, x); !ok {
		return r
	}
	s.Denormals(y, x)
	quarters := func(n int64) softfloat.Number { // n × π/4
		v := bigQuo(bigMul(bigPi, intFloat(n)), intFloat(4))
		if y.Neg {
			v.Neg(v)
		}
		return s.RoundBig(v)
	}
	switch {
	case x.Kind == softfloat.Infinite && y.Kind == softfloat.Infinite && x.Neg:
		return quarters(3)
	case x.Kind == softfloat.Infinite && y.Kind == softfloat.Infinite:
		return quarters(1)
	case y.Kind == softfloat.Zero || x.Kind == softfloat.Infinite:
		if x.Neg {
			return quarters(4)
		}
		return softfloat.Number{Neg: y.Neg}
	case x.Kind == softfloat.Zero || y.Kind == softfloat.Infinite:
		return quarters(2)
	}
	a, b := y.Big(), x.Big()
	v := arctan(newFloat().Abs(bigQuo(a, b)))
	if x.Neg {
		v = bigSub(bigPi, v)
	}
	if y.Neg {
		v.Neg(v)
	}
	return s.RoundBig(v)
}

// quadrant reduces an angle by multiples of π/2 and returns the rest, at most π/4, and how many there were, modulo 4.
func quadrant(a softfloat.Number) (rest *big.Float, n int64) {
	v := a.Big()
	half := bigQuo(siliconPi, intFloat(2))
	if a.Exp >= -1 {
		k, _ := bigAdd(newFloat().Abs(bigQuo(v, half)), parseFloat("0.5")).Int(nil)
		if a.Neg {
			k.Neg(k)
		}
		n = new(big.Int).And(k, big.NewInt(3)).Int64()
		v = bigSub(v, newFloat().Mul(new(big.Float).SetPrec(seriesBits).SetInt(k), half))
	}
	return v, n
}

// sinCos returns the sine and the cosine of a finite number below 2^63.
func sinCos(a softfloat.Number) (sin, cos *big.Float) {
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
func (s *x87Step) angle(a softfloat.Number) (r softfloat.Number, outside, ok bool) {
	if r, ok := s.Special(a, a); !ok {
		return r, false, false
	}
	if a.Kind == softfloat.Infinite {
		return s.Invalid(), false, false
	}
	if a.Kind == softfloat.Finite && a.Exp >= 63 {
		return a, true, false
	}
	s.Denormals(a, a)
	return r, false, true
}

func fsin(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	r := softfloat.Indefinite
	var outside bool
	if c.need(&s, 0) {
		a := c.value(0)
		var ok bool
		if r, outside, ok = s.angle(a); ok {
			switch {
			case a.Kind == softfloat.Zero && u.Op == uop.FSIN:
				r = a
			case a.Kind == softfloat.Zero:
				r = softfloat.FromInt(1)
			default:
				sin, cos := sinCos(a)
				if u.Op == uop.FCOS {
					sin = cos
				}
				r = s.RoundBig(sin)
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
func fsincos(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	r, second := softfloat.Indefinite, softfloat.Indefinite
	var outside bool
	if c.need(&s, 0) && c.room(&s) {
		a := c.value(0)
		var ok bool
		r, outside, ok = s.angle(a)
		switch {
		case !ok:
			second = r
		case a.Kind == softfloat.Zero:
			r, second = a, softfloat.FromInt(1)
		case u.Op == uop.FPTAN:
			sin, cos := sinCos(a)
			r, second = s.RoundBig(bigQuo(sin, cos)), softfloat.FromInt(1)
		default:
			sin, cos := sinCos(a)
			second = s.RoundBig(cos)
			r = s.RoundBig(sin)
		}
	}
	if c.commit(u, &s) {
		c.fpu.setRange(outside)
		if !outside {
			c.fpu.set(0, s.wrapped(r))
			c.fpu.push(softfloat.Pack80(second))
		}
	}
	return true
}
