package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Multiplications: CF and OF say whether the upper half is needed; SF, ZF and PF are the lower half's, AF is 0. Divisions.

const rDX = arm64.Reg(uop.RDX)

func (g *Generator) multiply(k int, u *uop.Uop) (result, bool) {
	switch op := u.Op; op {
	case uop.Imul32, uop.Imul64:
		n := 4 << (op - uop.Imul32)
		b, ok := g.src(u, tmpB)
		if !ok {
			return leaves, true
		}
		d, put := g.dst(u.Dst, tmpA, true)
		if n == 4 {
			g.Four(arm64.SMADDL, 8, tmpC, d, b, arm64.ZR)
			g.mov(4, d, tmpC)
		} else {
			if !g.dead(k) {
				g.Three(arm64.SMULH, 8, tmpC, d, b)
			}
			g.Four(arm64.MADD, 8, d, d, b, arm64.ZR)
		}
		put()
		g.product(k, n, true, d)
	case uop.Mul64:
		b := g.get(u.Src, tmpB)
		g.wideProduct(false, b)
		g.product(k, 8, false, acc)
	case uop.MulWide:
		if u.Aux != 4 && u.Aux != 8 || u.Dst > 1 {
			return leaves, true
		}
		n, sign, b := int(u.Aux), u.Dst == 1, g.get(u.Src, tmpB)
		if n == 8 {
			g.wideProduct(sign, b)
			g.product(k, 8, sign, acc)
			break
		}
		m := arm64.UMADDL
		if sign {
			m = arm64.SMADDL
		}
		g.Four(m, 8, tmpC, acc, b, arm64.ZR)
		g.mov(4, acc, tmpC)
		g.lsr(8, rDX, tmpC, 32)
		g.product(k, 4, sign, acc)
	case uop.Mulx64:
		b := g.get(u.Src, tmpB)
		g.Three(arm64.UMULH, 8, tmpC, rDX, b)
		g.Four(arm64.MADD, 8, tmpD, rDX, b, arm64.ZR)
		g.set(uint8(u.Aux), tmpD)
		g.set(u.Dst, tmpC)
	case uop.Div:
		return g.divide(k, u), true
	default:
		return 0, false
	}
	return goesOn, true
}

// wideProduct makes RDX:RAX = RAX * b, and leaves the upper half in tmpC, too.
func (g *Generator) wideProduct(sign bool, b arm64.Reg) {
	high := arm64.UMULH
	if sign {
		high = arm64.SMULH
	}
	g.Three(high, 8, tmpC, acc, b)
	g.Four(arm64.MADD, 8, acc, acc, b, arm64.ZR)
	g.mov(8, rDX, tmpC)
}

// product makes the flags of a product whose lower n bytes are in lo: all of it is in tmpC for 4 bytes, the upper half for 8.
func (g *Generator) product(k, n int, sign bool, lo arm64.Reg) {
	if g.dead(k) {
		return
	}
	g.extended(rResult, lo, n)
	switch { // what the upper half, or all, is where it is not needed
	case n == 4 && sign:
		g.Shifted(arm64.SUBS, 8, arm64.ZR, tmpC, rResult, 0)
	case n == 4:
		g.lsr(8, tmpC, tmpC, 32)
		g.test(tmpC)
	case sign:
		g.asr(8, tmpD, lo, 63)
		g.Shifted(arm64.SUBS, 8, arm64.ZR, tmpC, tmpD, 0)
	default:
		g.test(tmpC)
	}
	g.Select(arm64.CSINC, 8, tmpC, arm64.ZR, arm64.ZR, arm64.EQ)
	g.lsl(8, rCarries, tmpC, 63) // CF, and OF, so that CF^OF is 0
	g.flags = inRegisters
}

// divide is DIV and IDIV of 4 bytes, and of 8 where the dividend is no longer than that. The divisor is neither 0 nor, with
// a sign, -1, so that nothing overflows; everything else may raise #DE. The flags are undefined, and stay.
func (g *Generator) divide(k int, u *uop.Uop) result {
	if u.Aux != 4 && u.Aux != 8 || u.Dst > 1 {
		return leaves
	}
	n, sign, out := int(u.Aux), u.Dst == 1, g.leaveAt(k)
	b := g.get(u.Src, tmpB)
	g.flags = g.flags.lost()
	op := arm64.UDIV
	if sign {
		op = arm64.SDIV
		g.asr(n, tmpC, acc, 8*n-1)
		g.Shifted(arm64.SUBS, n, arm64.ZR, tmpC, rDX, 0)
		g.Bcc(arm64.NE, out)
		g.mov(n, tmpC, b)
		g.Imm12(arm64.ADDI, n, tmpC, tmpC, 1)
		g.compareConst(n, tmpC, 1)
		g.Bcc(arm64.LS, out)
	} else {
		g.CBNZ(n, rDX, out)
		if b == arm64.ZR {
			return leaves
		}
		g.CBZ(n, b, out)
	}
	g.Three(op, n, tmpC, acc, b)
	g.Four(arm64.MSUB, n, rDX, tmpC, b, acc)
	g.mov(n, acc, tmpC)
	return goesOn
}
