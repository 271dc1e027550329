package x86

import "math"

// Floating-point comparisons.
var floatCompareHandlers = map[Op]handler{
	opCMPPS:   cmpps,
	opCMPPD:   cmppd,
	opCMPSS:   cmpss,
	opCMPSD:   cmpsd,
	opCOMISS:  compareSingle,
	opCOMISD:  compareDouble,
	opUCOMISS: compareSingle,
	opUCOMISD: compareDouble,
}

// predicate says whether a and b are in the relation imm[2:0] (SDM vol. 2, CMPPD, table 3-1): EQ, LT, LE, UNORD and
// their opposites. LT, LE and their opposites signal quiet NaNs.
func (e *floatEnv) predicate(a, b number, imm uint8) bool {
	o := e.compare(a, b, imm&3 == 1 || imm&3 == 2)
	var holds bool
	switch imm & 3 {
	case 0:
		holds = o == equal
	case 1:
		holds = o == less
	case 2:
		holds = o == less || o == equal
	case 3:
		holds = o == unordered
	}
	return holds != (imm&4 != 0)
}

func cmpps(c *CPU, u *Uop) bool {
	d, s := c.xmm(u)
	e := c.sseEnv()
	var r XMM
	for i := range 4 {
		if e.predicate(unpack32(d.dword(i)), unpack32(s.dword(i)), uint8(u.Imm)) {
			r.setDword(i, 0xFFFFFFFF)
		}
	}
	if !c.settle(&e) {
		return false
	}
	*d = r
	return true
}

func cmppd(c *CPU, u *Uop) bool {
	d, s := c.xmm(u)
	e := c.sseEnv()
	var r XMM
	for i := range r {
		r[i] = allOnes(e.predicate(unpack64(d[i]), unpack64(s[i]), uint8(u.Imm)))
	}
	if !c.settle(&e) {
		return false
	}
	*d = r
	return true
}

func cmpss(c *CPU, u *Uop) bool {
	d, s := c.xmm(u)
	e := c.sseEnv()
	r := allOnes(e.predicate(unpack32(d.dword(0)), unpack32(s.dword(0)), uint8(u.Imm)))
	if !c.settle(&e) {
		return false
	}
	d.setDword(0, uint32(r))
	return true
}

func cmpsd(c *CPU, u *Uop) bool {
	d, s := c.xmm(u)
	e := c.sseEnv()
	r := allOnes(e.predicate(unpack64(d[0]), unpack64(s[0]), uint8(u.Imm)))
	if !c.settle(&e) {
		return false
	}
	d[0] = r
	return true
}

// compareSingle and compareDouble are COMIS and UCOMIS, which does not signal quiet NaNs. The host compares where it
// raises nothing.
func compareSingle(c *CPU, u *Uop) bool {
	d, s := c.xmm(u)
	a, b := uint32(d[0]), uint32(s[0])
	if normal32(a) && normal32(b) {
		c.flags.set(hostOrdering(math.Float32frombits(a), math.Float32frombits(b)))
		return true
	}
	return c.compareFlags(unpack32(a), unpack32(b), u.Op == opCOMISS)
}

func compareDouble(c *CPU, u *Uop) bool {
	d, s := c.xmm(u)
	a, b := d[0], s[0]
	if normal64(a) && normal64(b) {
		c.flags.set(hostOrdering(math.Float64frombits(a), math.Float64frombits(b)))
		return true
	}
	return c.compareFlags(unpack64(a), unpack64(b), u.Op == opCOMISD)
}

// hostOrdering is orderingFlags of two numbers that are not NaNs.
func hostOrdering[T float32 | float64](a, b T) uint64 {
	switch {
	case a < b:
		return FlagCF
	case a == b:
		return FlagZF
	}
	return 0
}

// compareFlags puts the result into ZF, PF and CF and clears the other flags.
func (c *CPU) compareFlags(a, b number, signal bool) bool {
	e := c.sseEnv()
	o := e.compare(a, b, signal)
	if !c.settle(&e) {
		return false
	}
	c.flags.set(orderingFlags[o])
	return true
}

// orderingFlags is the result of a comparison in EFLAGS (SDM vol. 2, COMISD and FCOMI).
var orderingFlags = [...]uint64{less: FlagCF, equal: FlagZF, greaterThan: 0, unordered: FlagZF | FlagPF | FlagCF}
