package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// An extension is a move of some of the lowest bytes, to 4 or 8.
type extension struct {
	bytes, to int
	sign      bool
}

var extensions = map[uop.Op]extension{
	uop.ZX8: {1, 8, false}, uop.ZX16: {2, 8, false},
	uop.SX8x32: {1, 4, true}, uop.SX8x64: {1, 8, true}, uop.SX16x32: {2, 4, true}, uop.SX16x64: {2, 8, true}, uop.SX32x64: {4, 8, true},
}

const acc = arm64.Reg(uop.RAX)

// move emits what moves values between registers and does not change flags, the processor's either.
func (g *Generator) move(_ int, u *uop.Uop) (result, bool) {
	if e, ok := extensions[u.Op]; ok {
		s := g.get(u.Src, tmpA)
		d, put := g.dst(u.Dst, tmpA, false)
		if e.sign {
			g.signedBits(e.to, d, s, 0, 8*e.bytes)
		} else {
			g.bits(d, s, 0, 8*e.bytes)
		}
		put()
		return goesOn, true
	}
	switch u.Op {
	case uop.Mov8, uop.Mov16, uop.Mov32, uop.Mov64:
		return g.moveBytes(u, 1<<(u.Op-uop.Mov8)), true
	case uop.GetHigh:
		s := g.get(u.Src, tmpA)
		d, put := g.dst(u.Dst, tmpA, false)
		g.bits(d, s, 8, 8)
		put()
	case uop.PutHigh:
		s, ok := g.src(u, tmpB)
		if !ok {
			return leaves, true
		}
		d, put := g.dst(u.Dst, tmpA, true)
		g.insert(d, s, 8, 8)
		put()
	case uop.Lea32, uop.Lea64:
		at := g.address(u)
		d, put := g.dst(u.Dst, tmpA, false)
		g.mov(4<<(u.Op-uop.Lea32), d, at)
		put()
	case uop.Convert:
		switch u.Aux {
		case 2:
			g.signedBits(4, tmpA, acc, 0, 8)
			g.insert(acc, tmpA, 0, 16)
		case 4:
			g.signedBits(4, acc, acc, 0, 16)
		default:
			g.signedBits(8, acc, acc, 0, 32)
		}
	case uop.Cwd:
		if u.Aux != 4 && u.Aux != 8 {
			return leaves, true
		}
		g.asr(int(u.Aux), arm64.Reg(uop.RDX), acc, 8*int(u.Aux)-1)
	case uop.Bswap:
		d, put := g.dst(u.Dst, tmpA, true)
		switch u.Aux {
		case 4:
			g.Two(arm64.REV32, 4, d, d)
		case 8:
			g.Two(arm64.REV64, 8, d, d)
		default:
			return leaves, true
		}
		put()
	case uop.Movbe:
		if u.Aux != 2 && u.Aux != 4 && u.Aux != 8 {
			return leaves, true
		}
		s := g.get(u.Src, tmpA)
		d, put := g.dst(u.Dst, tmpA, false)
		g.Two(arm64.REV64, 8, d, s)
		if u.Aux != 8 {
			g.lsr(8, d, d, 64-8*int(u.Aux))
		}
		put()
	default:
		return 0, false
	}
	return goesOn, true
}

// moveBytes changes the lowest n bytes of a slot, or sets all of it from 4 or 8.
func (g *Generator) moveBytes(u *uop.Uop, n int) result {
	if n >= 4 && isZero(u.Src) {
		d, put := g.dst(u.Dst, tmpA, false)
		v := uint64(u.Imm)
		if n == 4 {
			v = uint64(uint32(v))
		}
		g.MovImm(d, v)
		put()
		return goesOn
	}
	s, ok := g.src(u, tmpB)
	if !ok {
		return leaves
	}
	if n == 8 {
		g.set(u.Dst, s)
		return goesOn
	}
	d, put := g.dst(u.Dst, tmpA, n < 4)
	g.write(n, d, s)
	put()
	return goesOn
}
