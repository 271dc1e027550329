package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Moves and logic of XMM slots, which are in memory, quadword by quadword. Everything else on them is left to the interpreter.

// xmm is where a slot's quadword q is.
func (g *Generator) xmm(slot uint8, q int32) int32 {
	return g.layout.X + int32(slot&uop.XMMMask)*16 + q*8
}

func (g *Generator) getXMM(r arm64.Reg, slot uint8, q int32) { g.load(arm64.LDR, r, g.xmm(slot, q)) }
func (g *Generator) putXMM(r arm64.Reg, slot uint8, q int32) {
	g.store(arm64.STR, r, g.xmm(slot, q), tmpD)
}

// quadOps do the same to both quadwords.
var quadOps = map[uop.Op]arm64.Op{
	uop.PAND: arm64.AND, uop.POR: arm64.ORR, uop.PXOR: arm64.EOR, uop.PANDN: arm64.BIC, uop.PADDQ: arm64.ADD, uop.PSUBQ: arm64.SUB,
}

// movesVectors says that u has to do with XMM slots, and neither with flags nor with memory, and is translated.
func movesVectors(u *uop.Uop) bool {
	switch u.Op {
	case uop.MovX, uop.MOVQ, uop.MOVSDLow, uop.MOVHLPS, uop.MOVLHPS, uop.MovXFromR32, uop.MovXFromR64, uop.MovRFromX32, uop.MovRFromX64,
		uop.PUNPCKLQDQ, uop.PUNPCKHQDQ:
		return true
	}
	_, ok := quadOps[u.Op]
	return ok
}

func (g *Generator) vector(k int, u *uop.Uop) (result, bool) {
	switch u.Op {
	case uop.LoadX32, uop.LoadX64:
		n := 4 << (u.Op - uop.LoadX32)
		g.reach(g.address(u), g.layout.Read, n, g.leaveAt(k))
		g.Indexed(map[int]arm64.Op{4: arm64.LDRWX, 8: arm64.LDRX}[n], tmpA, tmpB, tmpC)
		g.putXMM(tmpA, u.Dst, 0)
		g.putXMM(arm64.ZR, u.Dst, 1)
	case uop.StoreX32, uop.StoreX64:
		n := 4 << (u.Op - uop.StoreX32)
		g.reach(g.address(u), g.layout.Write, n, g.leaveAt(k))
		g.getXMM(tmpA, u.Src, 0)
		g.Indexed(storing[n], tmpA, tmpB, tmpC)
	case uop.LoadX128, uop.LoadX128A:
		g.reach16(k, u, g.layout.Read, u.Op == uop.LoadX128A)
		for q := range int32(2) {
			g.Memory(arm64.LDR, tmpA, tmpB, 8*q)
			g.putXMM(tmpA, u.Dst, q)
		}
	case uop.StoreX128, uop.StoreX128A:
		g.reach16(k, u, g.layout.Write, u.Op == uop.StoreX128A)
		for q := range int32(2) {
			g.getXMM(tmpA, u.Src, q)
			g.Memory(arm64.STR, tmpA, tmpB, 8*q)
		}
	case uop.MovX:
		g.copyQuads(u, 0, 1)
	case uop.MOVQ:
		g.copyQuad(u, 0, 0)
		g.putXMM(arm64.ZR, u.Dst, 1)
	case uop.MOVSDLow:
		g.copyQuad(u, 0, 0)
	case uop.MOVHLPS:
		g.copyQuad(u, 0, 1)
	case uop.MOVLHPS, uop.PUNPCKLQDQ:
		g.copyQuad(u, 1, 0)
	case uop.PUNPCKHQDQ:
		g.getXMM(tmpB, u.Src, 1)
		g.getXMM(tmpA, u.Dst, 1)
		g.putXMM(tmpA, u.Dst, 0)
		g.putXMM(tmpB, u.Dst, 1)
	case uop.MovXFromR32, uop.MovXFromR64:
		g.mov(4<<(u.Op-uop.MovXFromR32), tmpA, g.get(u.Src, tmpA))
		g.putXMM(tmpA, u.Dst, 0)
		g.putXMM(arm64.ZR, u.Dst, 1)
	case uop.MovRFromX32, uop.MovRFromX64:
		g.getXMM(tmpA, u.Src, 0)
		g.mov(4<<(u.Op-uop.MovRFromX32), tmpA, tmpA)
		g.set(u.Dst, tmpA)
	default:
		op, ok := quadOps[u.Op]
		if !ok {
			return 0, false
		}
		for q := range int32(2) {
			g.getXMM(tmpA, u.Dst, q)
			g.getXMM(tmpB, u.Src, q)
			if op == arm64.BIC { // it is the destination that is turned
				g.Shifted(op, 8, tmpA, tmpB, tmpA, 0)
			} else {
				g.Shifted(op, 8, tmpA, tmpA, tmpB, 0)
			}
			g.putXMM(tmpA, u.Dst, q)
		}
	}
	return goesOn, true
}

// reach16 puts the host's address of 16 bytes into tmpB. Where they have to be aligned and are not, it leaves.
func (g *Generator) reach16(k int, u *uop.Uop, tag int32, aligned bool) {
	at := g.address(u)
	if aligned {
		g.bits(tmpB, at, 0, 4)
		g.CBNZ(4, tmpB, g.leaveAt(k))
	}
	g.reach(at, tag, 16, g.leaveAt(k))
	g.Shifted(arm64.ADD, 8, tmpB, tmpB, tmpC, 0)
}

// copyQuad makes quadword to of the destination the source's quadword from.
func (g *Generator) copyQuad(u *uop.Uop, to, from int32) {
	g.getXMM(tmpA, u.Src, from)
	g.putXMM(tmpA, u.Dst, to)
}

func (g *Generator) copyQuads(u *uop.Uop, quads ...int32) {
	for _, q := range quads {
		g.copyQuad(u, q, q)
	}
}
