package x86

import (
	"math"

	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Floating-point comparisons.
var floatCompareHandlers = map[uop.Op]handler{
	uop.CMPPS:   cmpps,
	uop.CMPPD:   cmppd,
	uop.CMPSS:   cmpss,
	uop.CMPSD:   cmpsd,
	uop.COMISS:  compareSingle,
	uop.COMISD:  compareDouble,
	uop.UCOMISS: compareSingle,
	uop.UCOMISD: compareDouble,
}

// predicate says whether a and b are in the relation imm[2:0] (SDM vol. 2, CMPPD, table 3-1): EQ, LT, LE, UNORD and
// their opposites. LT, LE and their opposites signal quiet NaNs.
func predicate(e *softfloat.Env, a, b softfloat.Number, imm uint8) bool {
	o := e.Compare(a, b, imm&3 == 1 || imm&3 == 2)
	var holds bool
	switch imm & 3 {
	case 0:
		holds = o == softfloat.Equal
	case 1:
		holds = o == softfloat.Less
	case 2:
		holds = o == softfloat.Less || o == softfloat.Equal
	case 3:
		holds = o == softfloat.Unordered
	}
	return holds != (imm&4 != 0)
}

func cmpps(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	e := c.sseEnv()
	var r XMM
	for i := range 4 {
		if predicate(&e, softfloat.Unpack32(d.dword(i)), softfloat.Unpack32(s.dword(i)), uint8(u.Imm)) {
			r.setDword(i, 0xFFFFFFFF)
		}
	}
	if !c.settle(&e) {
		return false
	}
	*d = r
	return true
}

func cmppd(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	e := c.sseEnv()
	var r XMM
	for i := range r {
		r[i] = allOnes(predicate(&e, softfloat.Unpack64(d[i]), softfloat.Unpack64(s[i]), uint8(u.Imm)))
	}
	if !c.settle(&e) {
		return false
	}
	*d = r
	return true
}

func cmpss(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	e := c.sseEnv()
	r := allOnes(predicate(&e, softfloat.Unpack32(d.dword(0)), softfloat.Unpack32(s.dword(0)), uint8(u.Imm)))
	if !c.settle(&e) {
		return false
	}
	d.setDword(0, uint32(r))
	return true
}

func cmpsd(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	e := c.sseEnv()
	r := allOnes(predicate(&e, softfloat.Unpack64(d[0]), softfloat.Unpack64(s[0]), uint8(u.Imm)))
	if !c.settle(&e) {
		return false
	}
	d[0] = r
	return true
}

// compareSingle and compareDouble are COMIS and UCOMIS, which does not signal quiet NaNs. The host compares where it
// raises nothing.
func compareSingle(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	a, b := uint32(d[0]), uint32(s[0])
	if softfloat.Normal32(a) && softfloat.Normal32(b) {
		c.flags.set(hostOrdering(math.Float32frombits(a), math.Float32frombits(b)))
		return true
	}
	return c.compareFlags(softfloat.Unpack32(a), softfloat.Unpack32(b), u.Op == uop.COMISS)
}

func compareDouble(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	a, b := d[0], s[0]
	if softfloat.Normal64(a) && softfloat.Normal64(b) {
		c.flags.set(hostOrdering(math.Float64frombits(a), math.Float64frombits(b)))
		return true
	}
	return c.compareFlags(softfloat.Unpack64(a), softfloat.Unpack64(b), u.Op == uop.COMISD)
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
func (c *CPU) compareFlags(a, b softfloat.Number, signal bool) bool {
	e := c.sseEnv()
	o := e.Compare(a, b, signal)
	if !c.settle(&e) {
		return false
	}
	c.flags.set(orderingFlags[o])
	return true
}

// orderingFlags is the result of a comparison in EFLAGS (SDM vol. 2, COMISD and FCOMI).
var orderingFlags = [...]uint64{softfloat.Less: FlagCF, softfloat.Equal: FlagZF, softfloat.GreaterThan: 0, softfloat.Unordered: FlagZF | FlagPF | FlagCF}
