package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Shifts and rotates by a constant; shifts by CL; rotates by CL where nothing looks at the flags that they leave.

var shiftsBy = map[uint32]amd64.Op{
	uop.ShiftROL: amd64.ROLimm, uop.ShiftROR: amd64.RORimm, uop.ShiftSHL: amd64.SHLimm, uop.ShiftSHR: amd64.SHRimm, uop.ShiftSAR: amd64.SARimm,
}

func (g *Generator) shift(k int, u *uop.Uop) (result, bool) {
	switch op := u.Op; op {
	case uop.Shl32, uop.Shl64:
		g.shiftLeft(4<<(op-uop.Shl32), u)
	case uop.Shr32, uop.Shr64:
		g.shiftRight(k, 4<<(op-uop.Shr32), u)
	case uop.Sar32, uop.Sar64:
		g.shiftBy(amd64.SARimm, 4<<(op-uop.Sar32), u)
		g.made(junkAFOF)
	case uop.Rol32, uop.Rol64:
		g.rotate(k, amd64.ROLimm, 4<<(op-uop.Rol32), u)
	case uop.Shift8:
		return g.shiftByte(k, u), true
	case uop.Shift32, uop.Shift64:
		return g.shiftAny(k, 4<<(op-uop.Shift32), u), true
	case uop.ShiftDouble:
		return g.shiftDouble(k, u), true
	default:
		return 0, false
	}
	return goesOn, true
}

func (g *Generator) shiftBy(op amd64.Op, n int, u *uop.Uop) {
	d, put := g.dst(u.Dst, true)
	g.Imm(op, n, amd64.R(d), int32(u.Imm)&int32(8*n-1))
	put()
}

func (g *Generator) shiftLeft(n int, u *uop.Uop) {
	g.shiftBy(amd64.SHLimm, n, u)
	g.made(junkShift)
}

// shiftRight leaves in OF the highest bit of what was shifted, whatever the count. The host does for a count of 1.
func (g *Generator) shiftRight(k, n int, u *uop.Uop) {
	if u.Imm == 1 || g.dead(k) {
		g.shiftBy(amd64.SHRimm, n, u)
		g.made(junkAF)
		return
	}
	d, put := g.dst(u.Dst, true)
	if n == 1 {
		g.RegRM(amd64.MOVZX8, 4, tmpA, amd64.R(d))
	} else {
		g.RegRM(amd64.MOV, n, tmpA, amd64.R(d))
	}
	g.Imm(amd64.SHRimm, n, amd64.R(d), int32(u.Imm)&int32(8*n-1))
	put()
	g.highestBit(n)
}

// rotate changes CF and OF alone: CF is the bit that went round last, OF whether the two highest bits differ, or for a
// rotate to the left the highest and the lowest.
func (g *Generator) rotate(k int, op amd64.Op, n int, u *uop.Uop) {
	if g.dead(k) {
		g.shiftBy(op, n, u)
		g.inAX() // as good as any
		return
	}
	g.spill()
	d, put := g.dst(u.Dst, true)
	g.Imm(op, n, amd64.R(d), int32(u.Imm)&int32(8*n-1))
	put()
	// tmpA: CF; tmpB: CF and OF.
	g.RegRM(amd64.MOV, 8, tmpA, amd64.R(d))
	if op == amd64.ROLimm {
		g.RegRM(amd64.MOV, 8, tmpB, amd64.R(d))
		g.Imm(amd64.ANDimm, 4, amd64.R(tmpA), 1)
		g.Imm(amd64.SHRimm, n, amd64.R(tmpB), int32(8*n-1))
	} else {
		g.RegRM(amd64.MOV, 8, tmpB, amd64.R(d))
		g.Imm(amd64.SHRimm, n, amd64.R(tmpA), int32(8*n-1))
		g.Imm(amd64.SHRimm, n, amd64.R(tmpB), int32(8*n-2))
		g.Imm(amd64.ANDimm, 4, amd64.R(tmpB), 1)
	}
	g.RegRM(amd64.XOR, 4, tmpB, amd64.R(tmpA))
	g.Imm(amd64.SHLimm, 4, amd64.R(tmpA), 8)
	g.RegRM(amd64.OR, 4, tmpB, amd64.R(tmpA))
	g.Imm(amd64.ANDimm, 4, amd64.R(rAX), ^(axCF | axOF))
	g.RegRM(amd64.OR, 4, rAX, amd64.R(tmpB))
}

// shiftByte is shiftAny of 8 bits: by less than 8, or where nothing looks at the flags of a rotate or of a shift by CL.
func (g *Generator) shiftByte(k int, u *uop.Uop) result {
	op, ok := shiftsBy[u.Aux]
	rotates := op == amd64.ROLimm || op == amd64.RORimm
	if !ok || u.Imm < 0 || u.Imm >= 8 || isZero(u.Src) && u.Imm == 0 || (rotates || !isZero(u.Src)) && !g.dead(k) {
		return leaves
	}
	return g.shiftAny(k, 1, u)
}

// shiftAny is a shift by R[Src]+Imm, of which one is zero.
func (g *Generator) shiftAny(k, n int, u *uop.Uop) result {
	op, ok := shiftsBy[u.Aux]
	if !ok {
		return leaves
	}
	if isZero(u.Src) {
		v := *u
		v.Imm &= int64(8*n - 1)
		switch {
		case v.Imm == 0 && n == 4:
			d, put := g.dst(u.Dst, true)
			g.RegRM(amd64.MOV, 4, d, amd64.R(d))
			put()
		case v.Imm == 0:
		case op == amd64.SHLimm:
			g.shiftLeft(n, &v)
		case op == amd64.SHRimm:
			g.shiftRight(k, n, &v)
		case op == amd64.SARimm:
			g.shiftBy(op, n, &v)
			g.made(junkAFOF)
		default:
			g.rotate(k, op, n, &v)
		}
		return goesOn
	}
	if u.Src != uop.RCX || u.Imm != 0 {
		return leaves
	}
	if !g.dead(k) {
		return g.shiftByCL(op, n, u)
	}
	d, put := g.dst(u.Dst, true)
	g.RM(op+amd64.ROLcl-amd64.ROLimm, n, amd64.R(d))
	if n == 4 {
		g.RegRM(amd64.MOV, 4, d, amd64.R(d)) // a count of 0 clears the upper half, too
	}
	put()
	g.inAX() // as good as any
	return goesOn
}

// shiftByCL is a shift by CL whose flags something looks at: those of a shift by a constant, or, if the count is 0, those
// before.
func (g *Generator) shiftByCL(op amd64.Op, n int, u *uop.Uop) result {
	if op == amd64.ROLimm || op == amd64.RORimm {
		return leaves
	}
	g.spill()
	d, put := g.dst(u.Dst, true)
	if n == 4 {
		g.RegRM(amd64.MOV, 4, d, amd64.R(d)) // the upper half is cleared by a count of 0, too
		put()
	}
	zero := g.Label()
	g.Imm(amd64.TESTimm, 1, amd64.R(amd64.RCX), int32(8*n-1))
	g.Jcc(amd64.E, zero)
	if op == amd64.SHRimm {
		g.RegRM(amd64.MOV, n, tmpA, amd64.R(d))
	}
	g.RM(op+amd64.ROLcl-amd64.ROLimm, n, amd64.R(d))
	put()
	switch op {
	case amd64.SHLimm:
		g.made(junkShift)
		g.save()
	case amd64.SARimm:
		g.made(junkAFOF)
		g.save()
	default:
		g.highestBit(n)
	}
	g.Bind(zero)
	g.inAX()
	return goesOn
}

// highestBit makes the flags of a shift to the right: OF is the highest bit of what was shifted, which is in tmpA.
func (g *Generator) highestBit(n int) {
	g.Lahf()
	g.Imm(amd64.ANDimm, 4, amd64.R(rAX), axCF|axPF|axZF|axSF)
	g.Imm(amd64.SHRimm, n, amd64.R(tmpA), int32(8*n-1))
	g.RegRM(amd64.OR, 4, rAX, amd64.R(tmpA))
	g.inAX()
}

// shiftDouble is SHLD and SHRD. OF says whether the highest bit has changed, whatever the count.
func (g *Generator) shiftDouble(k int, u *uop.Uop) result {
	n, imm := int(u.Aux&0xFF), u.Aux>>9&1 != 0
	if n < 4 {
		return leaves
	}
	op := amd64.SHRDimm
	if u.Aux>>8&1 != 0 {
		op = amd64.SHLDimm
	}
	if !g.dead(k) {
		if !imm || u.Imm&int64(8*n-1) == 0 {
			return leaves
		}
		s := g.get(u.Src, rAX) // whose flags are all made anew
		d, put := g.dst(u.Dst, true)
		g.RegRM(amd64.MOV, n, tmpA, amd64.R(d))
		g.RegRMImm(op, n, s, amd64.R(d), int32(u.Imm)&int32(8*n-1))
		g.Lahf()
		put()
		g.Imm(amd64.ANDimm, 4, amd64.R(rAX), axCF|axPF|axZF|axSF)
		g.RegRM(amd64.XOR, n, tmpA, amd64.R(d))
		g.Imm(amd64.SHRimm, n, amd64.R(tmpA), int32(8*n-1))
		g.RegRM(amd64.OR, 4, rAX, amd64.R(tmpA))
		g.inAX()
		return goesOn
	}
	s := g.get(u.Src, tmpA)
	d, put := g.dst(u.Dst, true)
	if imm {
		g.RegRMImm(op, n, s, amd64.R(d), int32(u.Imm)&int32(8*n-1))
	} else {
		g.RegRM(op+amd64.SHLDcl-amd64.SHLDimm, n, s, amd64.R(d))
	}
	if n == 4 {
		g.RegRM(amd64.MOV, 4, d, amd64.R(d))
	}
	put()
	g.inAX() // as good as any
	return goesOn
}
