package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// The register stack: exchange, conditional moves, tags.
var x87StackHandlers = map[uop.Op]handler{
	uop.X87Pending: func(c *CPU, _ *uop.Uop) bool { return c.noPendingMF() },
	uop.FNOP:       func(c *CPU, _ *uop.Uop) bool { c.fpu.fip = c.ip(); return true },
	uop.FXCH:       fxch,
	uop.FCMOV:      fcmov,
	uop.FFREE: func(c *CPU, u *uop.Uop) bool {
		f := &c.fpu
		f.fip = c.ip()
		f.sw &^= x87C1
		f.full &^= 1 << ((f.top + u.Dst) & 7)
		f.pop(u.Imm)
		return true
	},
	uop.FINCSTP: func(c *CPU, _ *uop.Uop) bool { c.rotate(1); return true },
	uop.FDECSTP: func(c *CPU, _ *uop.Uop) bool { c.rotate(7); return true },
}

// noPendingMF raises #MF where an unmasked x87 exception is pending. Waiting instructions begin with it.
func (c *CPU) noPendingMF() bool {
	if c.fpu.sw&x87ES != 0 {
		return c.raiseNoCode(uop.VectorMF)
	}
	return true
}

// rotate moves TOP without touching registers or tags.
func (c *CPU) rotate(n uint8) {
	f := &c.fpu
	f.fip = c.ip()
	f.top = (f.top + n) & 7
	f.sw &^= x87C1
}

// fxch exchanges ST(0) and ST(Src). Masked, an empty one counts as indefinite.
func fxch(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	a, b := *c.fpu.st(0), *c.fpu.st(u.Src)
	if !c.need(&s, 0) {
		a = indefinite80
	}
	if !c.need(&s, u.Src) {
		b = indefinite80
	}
	if c.commit(u, &s) {
		c.fpu.set(0, b)
		c.fpu.set(u.Src, a)
	}
	return true
}

// fcmov moves ST(Src) to ST(0) where condition Scale holds.
func fcmov(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	s.keepC1 = true
	r, move := *c.fpu.st(u.Src), c.flags.holds(uop.Condition(u.Scale))
	if !c.need(&s, 0) || !c.need(&s, u.Src) {
		r, move = indefinite80, true
	}
	if c.commit(u, &s) && move {
		c.fpu.set(0, r)
	}
	return true
}
