package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Shifts and rotates of 4 and 8 bytes. Of a shift, AF is 0 and OF the exclusive or of the two highest bits before or after it, or 0,
// whatever the count; a rotate changes CF and OF alone. What is computed are the two bits at the top of the carries: CF, and
// CF^OF.

func (g *Generator) shift(k int, u *uop.Uop) (result, bool) {
	kind, n := u.Aux, 0
	switch op := u.Op; op {
	case uop.Shl32, uop.Shl64:
		kind, n = uop.ShiftSHL, 4<<(op-uop.Shl32)
	case uop.Shr32, uop.Shr64:
		kind, n = uop.ShiftSHR, 4<<(op-uop.Shr32)
	case uop.Sar32, uop.Sar64:
		kind, n = uop.ShiftSAR, 4<<(op-uop.Sar32)
	case uop.Rol32, uop.Rol64:
		kind, n = uop.ShiftROL, 4<<(op-uop.Rol32)
	case uop.Shift32, uop.Shift64:
		n = 4 << (op - uop.Shift32)
	case uop.ShiftDouble:
		return g.shiftDouble(k, u), true
	default:
		return 0, false
	}
	switch kind {
	case uop.ShiftROL, uop.ShiftROR, uop.ShiftSHL, uop.ShiftSHR, uop.ShiftSAR:
	default:
		return leaves, true
	}
	d, put := g.dst(u.Dst, tmpA, true)
	switch by := int(u.Imm) & (8*n - 1); {
	case !isZero(u.Src):
		if u.Src != uop.RCX || u.Imm != 0 {
			return leaves, true
		}
		g.shiftByCL(k, kind, n, d)
	case by != 0:
		g.shiftBy(k, kind, n, d, by)
	default:
		g.mov(n, d, d)
	}
	put()
	return goesOn, true
}

// shiftBy is a shift by a constant, which is not 0.
func (g *Generator) shiftBy(k int, kind uint32, n int, d arm64.Reg, by int) {
	w, live := 8*n, !g.dead(k)
	switch kind {
	case uop.ShiftSHL:
		if live { // the bit that goes out last, and the one after it, which comes to be the highest
			g.bits(tmpC, d, w-by-1, 2)
			g.lsl(8, rCarries, tmpC, 62)
		}
		g.lsl(n, d, d, by)
	case uop.ShiftSHR:
		if live {
			g.bits(tmpC, d, by-1, 1)
			g.lsr(n, tmpD, d, w-1)
			g.shiftedRight()
		}
		g.lsr(n, d, d, by)
	case uop.ShiftSAR:
		if live {
			g.signedBits(8, tmpC, d, by-1, 1)
			g.Bitmask(arm64.ANDI, 8, rCarries, tmpC, topTwo)
		}
		g.asr(n, d, d, by)
	case uop.ShiftROL:
		g.Extract(arm64.EXTR, n, d, d, d, uint8(w-by))
		if live {
			g.rotatedLeft(n, d)
		}
		return
	case uop.ShiftROR:
		g.Extract(arm64.EXTR, n, d, d, d, uint8(by))
		if live {
			g.rotatedRight(n, d)
		}
		return
	}
	if live {
		g.extended(rResult, d, n)
		g.flags = inRegisters
	}
}

// shiftedRight makes the carries of a shift to the right: CF is tmpC, OF what was the highest bit, in tmpD.
func (g *Generator) shiftedRight() {
	g.Shifted(arm64.EOR, 8, tmpD, tmpD, tmpC, 0)
	g.Shifted(arm64.ORR, 8, tmpC, tmpD, tmpC, 1)
	g.lsl(8, rCarries, tmpC, 62)
}

// rotatedLeft changes CF to the lowest bit of d, and OF to whether the highest differs from it.
func (g *Generator) rotatedLeft(n int, d arm64.Reg) {
	g.lsr(n, tmpC, d, 8*n-1)
	g.insert(tmpC, d, 1, 1)
	g.insert(rCarries, tmpC, 62, 2)
	g.flags = inRegisters
}

// rotatedRight changes CF to the highest bit of d, and OF to whether the one below differs from it.
func (g *Generator) rotatedRight(n int, d arm64.Reg) {
	g.bits(tmpC, d, 8*n-2, 2)
	g.insert(rCarries, tmpC, 62, 2)
	g.flags = inRegisters
}

var shiftsByRegister = map[uint32]arm64.Op{uop.ShiftSHL: arm64.LSL, uop.ShiftSHR: arm64.LSR, uop.ShiftSAR: arm64.ASR, uop.ShiftROR: arm64.ROR}

// shiftByCL is a shift by CL. Where the count is 0 it changes nothing but that 4 bytes clear the upper half.
func (g *Generator) shiftByCL(k int, kind uint32, n int, d arm64.Reg) {
	w, cl, live := 8*n, arm64.Reg(uop.RCX), !g.dead(k)
	zero := g.Label()
	if live {
		if n == 4 {
			g.mov(4, tmpB, d) // d may be RCX
		} else {
			g.mov(8, tmpB, d)
		}
		g.Bitmask(arm64.ANDI, 8, tmpC, cl, uint64(w-1))
		if n == 4 {
			g.mov(4, d, d)
		}
		g.CBZ(8, tmpC, zero)
		g.Imm12(arm64.SUBI, 8, tmpD, tmpC, 1)
	} else {
		tmp := cl
		g.mov(8, tmpC, tmp)
		g.mov(8, tmpB, d)
	}
	// tmpB: what is shifted; tmpC: by how much; tmpD: by one less
	if kind == uop.ShiftROL {
		g.Shifted(arm64.SUB, n, tmpC, arm64.ZR, tmpC, 0)
		g.Three(arm64.ROR, n, d, tmpB, tmpC)
	} else {
		g.Three(shiftsByRegister[kind], n, d, tmpB, tmpC)
	}
	if !live {
		return
	}
	switch kind {
	case uop.ShiftROL:
		g.rotatedLeft(n, d)
	case uop.ShiftROR:
		g.rotatedRight(n, d)
	case uop.ShiftSHL:
		g.Three(arm64.LSL, n, tmpC, tmpB, tmpD)
		g.bits(tmpC, tmpC, w-2, 2)
		g.lsl(8, rCarries, tmpC, 62)
	case uop.ShiftSHR:
		g.Three(arm64.LSR, n, tmpC, tmpB, tmpD)
		g.bits(tmpC, tmpC, 0, 1)
		g.lsr(n, tmpD, tmpB, w-1)
		g.shiftedRight()
	case uop.ShiftSAR:
		g.Three(arm64.ASR, n, tmpC, tmpB, tmpD)
		g.signedBits(8, tmpC, tmpC, 0, 1)
		g.Bitmask(arm64.ANDI, 8, rCarries, tmpC, topTwo)
	}
	if kind != uop.ShiftROL && kind != uop.ShiftROR {
		g.extended(rResult, d, n)
	}
	g.Bind(zero)
	g.flags = inRegisters
}

// shiftDouble is SHLD and SHRD by a constant. OF says whether the highest bit has changed, whatever the count.
func (g *Generator) shiftDouble(k int, u *uop.Uop) result {
	n := int(u.Aux & 0xFF)
	if n != 4 && n != 8 || u.Aux>>9&1 == 0 {
		return leaves
	}
	w := 8 * n
	by := int(u.Imm) & (w - 1)
	if by == 0 {
		return leaves
	}
	s := g.get(u.Src, tmpB)
	d, put := g.dst(u.Dst, tmpA, true)
	out := by - 1 // the bit that goes out last
	if u.Aux>>8&1 != 0 {
		out = w - by
		g.Extract(arm64.EXTR, n, tmpD, d, s, uint8(w-by))
	} else {
		g.Extract(arm64.EXTR, n, tmpD, s, d, uint8(by))
	}
	if !g.dead(k) {
		g.Shifted(arm64.EOR, n, rResult, tmpD, d, 0)
		g.lsr(n, rResult, rResult, w-1) // OF
		g.bits(tmpC, d, out, 1)
		g.Shifted(arm64.EOR, 8, rResult, rResult, tmpC, 0)
		g.Shifted(arm64.ORR, 8, tmpC, rResult, tmpC, 1)
		g.lsl(8, rCarries, tmpC, 62)
		g.extended(rResult, tmpD, n)
		g.flags = inRegisters
	}
	g.mov(n, d, tmpD)
	put()
	return goesOn
}
