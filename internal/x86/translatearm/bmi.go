package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// BMI1 and BMI2, but for PEXT and PDEP.

var shiftsX = map[uint32]arm64.Op{uop.BMISHLX: arm64.LSL, uop.BMISARX: arm64.ASR, uop.BMISHRX: arm64.LSR}

// plainBMI says that u is of BMI, has nothing to do with flags, and is translated.
func plainBMI(u *uop.Uop) bool {
	_, shifts := shiftsX[u.Aux]
	return u.Op == uop.BMI && (shifts || u.Aux == uop.BMIRORX || u.Aux == uop.BMIMULX && u.Scale == 4) && (u.Scale == 4 || u.Scale == 8)
}

func (g *Generator) bmi(k int, u *uop.Uop) result {
	n := int(u.Scale)
	if n != 4 && n != 8 {
		return leaves
	}
	a, b := g.get(u.Src, tmpA), g.get(u.Index, tmpB)
	if plainBMI(u) {
		g.plain(u, n, a, b)
		return goesOn
	}
	// The result goes to tmpD, and CF, where it is not 0, to bit 0 of tmpC.
	carry := true
	switch u.Aux {
	case uop.BMIANDN:
		g.Shifted(arm64.BIC, n, tmpD, a, b, 0)
		carry = false
	case uop.BMIBLSR:
		g.lessOne(n, a)
		g.Shifted(arm64.AND, n, tmpD, a, tmpC, 0)
		g.says(n, a, arm64.EQ)
	case uop.BMIBLSMSK:
		g.lessOne(n, a)
		g.Shifted(arm64.EOR, n, tmpD, a, tmpC, 0)
		g.says(n, a, arm64.EQ)
	case uop.BMIBLSI:
		g.Shifted(arm64.SUB, n, tmpD, arm64.ZR, a, 0)
		g.Shifted(arm64.AND, n, tmpD, tmpD, a, 0)
		g.says(n, a, arm64.NE)
	case uop.BMIBZHI:
		g.bits(tmpC, b, 0, 8)
		g.below(n, a, tmpD)
		g.Select(arm64.CSINC, 8, tmpC, arm64.ZR, arm64.ZR, arm64.LO)
	case uop.BMIBEXTR:
		g.bits(tmpC, b, 0, 8)
		g.Three(arm64.LSR, n, tmpD, a, tmpC)
		g.compareConst(8, tmpC, uint64(8*n))
		g.Select(arm64.CSEL, n, tmpD, tmpD, arm64.ZR, arm64.LO)
		g.bits(tmpC, b, 8, 8)
		g.below(n, tmpD, tmpA)
		g.mov(8, tmpD, tmpA)
		carry = false
	default:
		return leaves
	}
	g.set(u.Dst, tmpD)
	g.flags = inRegisters
	if g.dead(k) {
		return goesOn
	}
	g.logic(n, tmpD)
	if carry { // OF is 0, so that CF^OF is CF
		g.Shifted(arm64.ORR, 8, tmpC, tmpC, tmpC, 1)
		g.lsl(8, rCarries, tmpC, 62)
		g.flags = inRegisters
	}
	return goesOn
}

// plain emits what changes no flag.
func (g *Generator) plain(u *uop.Uop, n int, a, b arm64.Reg) {
	switch u.Aux {
	case uop.BMIMULX:
		g.Four(arm64.UMADDL, 8, tmpC, rDX, a, arm64.ZR)
		g.lsr(8, tmpD, tmpC, 32)
		g.mov(4, tmpC, tmpC)
		g.set(u.Index, tmpC)
	case uop.BMIRORX:
		g.Extract(arm64.EXTR, n, tmpD, a, a, uint8(u.Imm)&uint8(8*n-1))
	default:
		g.Three(shiftsX[u.Aux], n, tmpD, a, b) // which takes the count modulo the size, too
	}
	g.set(u.Dst, tmpD)
}

// lessOne puts a less 1 into tmpC.
func (g *Generator) lessOne(n int, a arm64.Reg) {
	g.MovImm(tmpC, 1)
	g.Shifted(arm64.SUB, n, tmpC, a, tmpC, 0)
}

// says puts into tmpC whether a is 0, or with NE is not.
func (g *Generator) says(n int, a arm64.Reg, c arm64.Condition) {
	g.Shifted(arm64.ANDS, n, arm64.ZR, a, a, 0)
	g.Select(arm64.CSINC, 8, tmpC, arm64.ZR, arm64.ZR, c^1)
}

// below puts the bits of a that are below the one that tmpC tells, which has 8 bits, into d; all of them if there is no such
// bit. Then LO says that there is.
func (g *Generator) below(n int, a, d arm64.Reg) {
	g.MovImm(d, ^uint64(0))
	g.Three(arm64.LSL, n, d, d, tmpC)
	g.Shifted(arm64.BIC, n, d, a, d, 0)
	g.compareConst(8, tmpC, uint64(8*n))
	g.Select(arm64.CSEL, n, d, d, a, arm64.LO)
}
