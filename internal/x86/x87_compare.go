package x86

import (
	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Comparisons and FXAM.
var x87CompareHandlers = map[uop.Op]handler{
	uop.FCOM:   func(c *CPU, u *uop.Uop) bool { return c.compareST(u, true, false) },
	uop.FUCOM:  func(c *CPU, u *uop.Uop) bool { return c.compareST(u, false, false) },
	uop.FCOMI:  func(c *CPU, u *uop.Uop) bool { return c.compareST(u, true, true) },
	uop.FUCOMI: func(c *CPU, u *uop.Uop) bool { return c.compareST(u, false, true) },
	uop.FCOMm:  fcomMemory,
	uop.FTST:   ftst,
	uop.FXAM:   fxam,
}

// orderingCodes is the result of a comparison in the status word (SDM vol. 1, table 8-6).
var orderingCodes = [...]uint16{softfloat.Less: x87C0, softfloat.Equal: x87C3, softfloat.GreaterThan: 0, softfloat.Unordered: x87C3 | x87C2 | x87C0}

const x87Codes = x87C3 | x87C2 | x87C0

func (f *x87State) setCodes(codes uint16) { f.sw = f.sw&^x87Codes | codes }

// A comparison gives its result even where an exception is not masked; only the pop is left out then.

// compareST compares ST(0) with ST(Src). Where eflags is set, the result goes to EFLAGS instead of the status word.
func (c *CPU) compareST(u *uop.Uop, signal, eflags bool) bool {
	s := c.begin()
	s.keepC1 = eflags
	o := softfloat.Unordered
	if c.need(&s, 0) && c.need(&s, u.Src) {
		o = s.Compare(c.value(0), c.value(u.Src), signal)
	}
	ok := c.commit(u, &s)
	if eflags {
		c.flags.set(orderingFlags[o])
	} else {
		c.fpu.setCodes(orderingCodes[o])
	}
	if ok {
		c.fpu.pop(u.Imm)
	}
	return true
}

func fcomMemory(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	o := softfloat.Unordered
	if c.need(&s, 0) {
		o = s.Compare(c.value(0), memoryNumber(c.R[uop.Tmp0], u.Src), true)
	}
	ok := c.commit(u, &s)
	c.fpu.setCodes(orderingCodes[o])
	if ok {
		c.fpu.pop(u.Imm)
	}
	return true
}

func ftst(c *CPU, u *uop.Uop) bool {
	s := c.begin()
	o := softfloat.Unordered
	if c.need(&s, 0) {
		o = s.Compare(c.value(0), softfloat.Number{}, true)
	}
	c.commit(u, &s)
	c.fpu.setCodes(orderingCodes[o])
	return true
}

// fxam classifies ST(0) (SDM vol. 2, FXAM, table 3-42); C1 is its sign, whatever it is.
func fxam(c *CPU, _ *uop.Uop) bool {
	f := &c.fpu
	f.fip = c.ip()
	v := *f.st(0)
	var codes uint16
	switch n := softfloat.Unpack80(v); {
	case !f.filled(0):
		codes = x87C3 | x87C0
	case n.Kind == softfloat.Unsupported:
	case n.IsNaN():
		codes = x87C0
	case n.Kind == softfloat.Infinite:
		codes = x87C2 | x87C0
	case n.Kind == softfloat.Zero:
		codes = x87C3
	case n.Denormal:
		codes = x87C3 | x87C2
	default:
		codes = x87C2
	}
	f.setCodes(codes)
	f.sw &^= x87C1
	if v.SE>>15 != 0 {
		f.sw |= x87C1
	}
	return true
}
