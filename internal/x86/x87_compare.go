package x86

// Comparisons and FXAM.
var x87CompareHandlers = map[Op]handler{
	opFCOM:   func(c *CPU, u *Uop) bool { return c.compareST(u, true, false) },
	opFUCOM:  func(c *CPU, u *Uop) bool { return c.compareST(u, false, false) },
	opFCOMI:  func(c *CPU, u *Uop) bool { return c.compareST(u, true, true) },
	opFUCOMI: func(c *CPU, u *Uop) bool { return c.compareST(u, false, true) },
	opFCOMm:  fcomMemory,
	opFTST:   ftst,
	opFXAM:   fxam,
}

// orderingCodes is the result of a comparison in the status word (SDM vol. 1, table 8-6).
var orderingCodes = [...]uint16{less: x87C0, equal: x87C3, greaterThan: 0, unordered: x87C3 | x87C2 | x87C0}

const x87Codes = x87C3 | x87C2 | x87C0

func (f *x87State) setCodes(codes uint16) { f.sw = f.sw&^x87Codes | codes }

// A comparison gives its result even where an exception is not masked; only the pop is left out then.

// compareST compares ST(0) with ST(Src). Where eflags is set, the result goes to EFLAGS instead of the status word.
func (c *CPU) compareST(u *Uop, signal, eflags bool) bool {
	s := c.begin()
	s.keepC1 = eflags
	o := unordered
	if c.need(&s, 0) && c.need(&s, u.Src) {
		o = s.compare(c.value(0), c.value(u.Src), signal)
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

func fcomMemory(c *CPU, u *Uop) bool {
	s := c.begin()
	o := unordered
	if c.need(&s, 0) {
		o = s.compare(c.value(0), memoryNumber(c.R[Tmp0], u.Src), true)
	}
	ok := c.commit(u, &s)
	c.fpu.setCodes(orderingCodes[o])
	if ok {
		c.fpu.pop(u.Imm)
	}
	return true
}

func ftst(c *CPU, u *Uop) bool {
	s := c.begin()
	o := unordered
	if c.need(&s, 0) {
		o = s.compare(c.value(0), number{}, true)
	}
	c.commit(u, &s)
	c.fpu.setCodes(orderingCodes[o])
	return true
}

// fxam classifies ST(0) (SDM vol. 2, FXAM, table 3-42); C1 is its sign, whatever it is.
func fxam(c *CPU, _ *Uop) bool {
	f := &c.fpu
	f.fip = c.RIP()
	v := *f.st(0)
	var codes uint16
	switch n := unpack80(v); {
	case !f.filled(0):
		codes = x87C3 | x87C0
	case n.kind == unsupported:
	case n.isNaN():
		codes = x87C0
	case n.kind == infinite:
		codes = x87C2 | x87C0
	case n.kind == zero:
		codes = x87C3
	case n.denormal:
		codes = x87C3 | x87C2
	default:
		codes = x87C2
	}
	f.setCodes(codes)
	f.sw &^= x87C1
	if v.se>>15 != 0 {
		f.sw |= x87C1
	}
	return true
}
