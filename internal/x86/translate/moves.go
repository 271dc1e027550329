package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// move emits what moves values between registers and does not change flags.
func (g *Generator) move(_ int, u *uop.Uop) (result, bool) {
	switch u.Op {
	case uop.Mov8, uop.Mov16:
		return g.moveLow(u, 1<<(u.Op-uop.Mov8)), true
	case uop.Mov32, uop.Mov64:
		return g.moveWhole(u, 4<<(u.Op-uop.Mov32)), true
	case uop.ZX8:
		g.extend(amd64.MOVZX8, 4, u)
	case uop.ZX16:
		g.extend(amd64.MOVZX16, 4, u)
	case uop.SX8x32:
		g.extend(amd64.MOVSX8, 4, u)
	case uop.SX8x64:
		g.extend(amd64.MOVSX8, 8, u)
	case uop.SX16x32:
		g.extend(amd64.MOVSX16, 4, u)
	case uop.SX16x64:
		g.extend(amd64.MOVSX16, 8, u)
	case uop.SX32x64:
		g.extend(amd64.MOVSXD, 8, u)
	case uop.GetHigh:
		g.spill()
		s := g.get(u.Src, tmpB)
		g.RegRM(amd64.MOV, 4, tmpA, amd64.R(s))
		g.Imm(amd64.SHRimm, 4, amd64.R(tmpA), 8)
		d, put := g.dst(u.Dst, false)
		g.RegRM(amd64.MOVZX8, 4, d, amd64.R(tmpA))
		put()
	case uop.PutHigh:
		return g.putHigh(u), true
	case uop.Lea32, uop.Lea64:
		d, put := g.dst(u.Dst, false)
		g.address(u, d)
		if u.Op == uop.Lea32 {
			g.RegRM(amd64.MOV, 4, d, amd64.R(d))
		}
		put()
	case uop.Convert:
		switch u.Aux {
		case 2:
			g.RegRM(amd64.MOVSX8, 4, tmpA, g.slot(uop.RAX))
			g.RegRM(amd64.MOV, 2, hostReg[uop.RAX], amd64.R(tmpA))
		case 4:
			g.RegRM(amd64.MOVSX16, 4, hostReg[uop.RAX], g.slot(uop.RAX))
		default:
			g.RegRM(amd64.MOVSXD, 8, hostReg[uop.RAX], g.slot(uop.RAX))
		}
	case uop.Bswap:
		if u.Aux != 4 && u.Aux != 8 {
			return leaves, true
		}
		d, put := g.dst(u.Dst, true)
		g.Bswap(int(u.Aux), d)
		put()
	default:
		return 0, false
	}
	return goesOn, true
}

// moveLow changes the lowest n bytes of a slot.
func (g *Generator) moveLow(u *uop.Uop, n int) result {
	s, ok := g.src(u, n)
	if !ok {
		return leaves
	}
	d := g.slot(u.Dst)
	switch {
	case s.constant:
		g.Imm(amd64.MOVimm, n, d, s.imm)
	case s.IsMemory() && d.IsMemory():
		g.RegRM(amd64.MOV, 8, tmpA, s.Operand)
		g.RegRM(amd64.MOVto, n, tmpA, d)
	case s.IsMemory():
		g.RegRM(amd64.MOV, n, d.Reg(), s.Operand)
	default:
		g.RegRM(amd64.MOVto, n, s.Reg(), d)
	}
	return goesOn
}

// moveWhole sets a slot from 4 or 8 bytes.
func (g *Generator) moveWhole(u *uop.Uop, n int) result {
	d := g.slot(u.Dst)
	if isZero(u.Src) {
		v := uint64(u.Imm)
		if n == 4 {
			v = uint64(uint32(v))
		}
		if d.IsMemory() && int64(int32(v)) == int64(v) {
			g.Imm(amd64.MOVimm, 8, d, int32(v))
			return goesOn
		}
		r, put := g.dst(u.Dst, false)
		g.MovImm(r, v)
		put()
		return goesOn
	}
	if u.Imm != 0 {
		return leaves
	}
	s := g.slot(u.Src)
	switch {
	case !d.IsMemory():
		if n == 8 && s.Is(d.Reg()) {
			break
		}
		g.RegRM(amd64.MOV, n, d.Reg(), s)
	case n == 8 && !s.IsMemory():
		g.RegRM(amd64.MOVto, 8, s.Reg(), d)
	default:
		g.RegRM(amd64.MOV, n, tmpA, s)
		g.RegRM(amd64.MOVto, 8, tmpA, d)
	}
	return goesOn
}

// extend sets a slot from a narrower one.
func (g *Generator) extend(op amd64.Op, n int, u *uop.Uop) {
	d, put := g.dst(u.Dst, false)
	g.RegRM(op, n, d, g.slot(u.Src))
	put()
}

// putHigh changes byte 1 of a slot.
func (g *Generator) putHigh(u *uop.Uop) result {
	s, ok := g.src(u, 1)
	if !ok {
		return leaves
	}
	g.spill()
	if s.constant {
		g.MovImm(tmpA, uint64(uint8(s.imm))<<8)
	} else {
		g.RegRM(amd64.MOVZX8, 4, tmpA, s.Operand)
		g.Imm(amd64.SHLimm, 4, amd64.R(tmpA), 8)
	}
	d, put := g.dst(u.Dst, true)
	g.Imm(amd64.ANDimm, 8, amd64.R(d), ^0xFF00)
	g.RegRM(amd64.OR, 8, d, amd64.R(tmpA))
	put()
	return goesOn
}
