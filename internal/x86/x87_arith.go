package x86

import (
	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// The four operations, square root, and the sign.
var x87ArithHandlers = map[uop.Op]handler{
	uop.FARITH:  farith,
	uop.FARITHm: farithMemory,
	uop.FSQRT:   unary(func(s *x87Step, a softfloat.Number, f *softfloat.Format) softfloat.Number { return s.Sqrt(a, f) }),
	uop.FABS:    signOnly(func(se uint16) uint16 { return se &^ (1 << 15) }),
	uop.FCHS:    signOnly(func(se uint16) uint16 { return se ^ 1<<15 }),
}

// Operations in the order of bits 5:3 of ModRM (SDM vol. 2, table A-7). 2 and 3 are comparisons.
const (
	x87Add  = 0
	x87Mul  = 1
	x87Sub  = 4
	x87SubR = 5
	x87Div  = 6
	x87DivR = 7
)

// compute applies operation kind to ST(0), which is a, and the other operand.
func (s *x87Step) compute(kind uint8, a, b softfloat.Number, f *softfloat.Format) softfloat.Number {
	switch kind {
	case x87Add:
		return s.Add(a, b, f)
	case x87Mul:
		return s.Mul(a, b, f)
	case x87Sub:
		return s.Sub(a, b, f)
	case x87SubR:
		return s.Sub(b, a, f)
	case x87Div:
		return s.Div(a, b, f)
	}
	return s.Div(b, a, f)
}

func farith(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	r := softfloat.Indefinite
	if c.need(&s, 0) && c.need(&s, u.Src) {
		r = s.compute(u.Scale, c.value(0), c.value(u.Src), c.fpu.precision())
	}
	if c.commit(u, &s) {
		c.fpu.set(u.Dst, s.wrapped(r))
		c.fpu.pop(u.Imm)
	}
	return true
}

func farithMemory(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	r := softfloat.Indefinite
	if c.need(&s, 0) {
		r = s.compute(u.Dst, c.value(0), memoryNumber(c.R[uop.Tmp0], u.Src), c.fpu.precision())
	}
	if c.commit(u, &s) {
		c.fpu.set(0, s.wrapped(r))
	}
	return true
}

// unary makes a handler for ST(0) = f(ST(0)).
func unary(f func(s *x87Step, a softfloat.Number, format *softfloat.Format) softfloat.Number) handler {
	return func(c *CPU, u *uop.Uop) bool {
		s := c.begin()
		r := softfloat.Indefinite
		if c.need(&s, 0) {
			r = f(&s, c.value(0), c.fpu.precision())
		}
		if c.commit(u, &s) {
			c.fpu.set(0, s.wrapped(r))
		}
		return true
	}
}

// signOnly makes a handler that changes the sign and looks at nothing else.
func signOnly(f func(se uint16) uint16) handler {
	return func(c *CPU, u *uop.Uop) bool {
		s := c.begin()
		v := *c.fpu.st(0)
		v.SE = f(v.SE)
		if !c.need(&s, 0) {
			v = indefinite80
		}
		if c.commit(u, &s) {
			c.fpu.set(0, v)
		}
		return true
	}
}
