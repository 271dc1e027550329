package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Loads and stores. An address is looked up in the TLB; where its entry does not serve it, code leaves.

// address puts the address of u's memory operand into r, which may be tmpB. It leaves flags alone, and uses tmpA and tmpB.
func (g *Generator) address(u *uop.Uop, r amd64.Reg) {
	disp, far := int32(u.Disp), u.Disp != int64(int32(u.Disp))
	if far {
		disp = 0
	}
	switch base, index := !isZero(u.Base), !isZero(u.Index); {
	case base && index:
		b := g.get(u.Base, tmpA)
		i := g.get(u.Index, tmpB)
		g.RegRM(amd64.LEA, 8, r, amd64.Indexed(b, i, u.Scale&3, disp))
	case base:
		g.RegRM(amd64.LEA, 8, r, amd64.At(g.get(u.Base, tmpA), disp))
	case index:
		g.RegRM(amd64.LEA, 8, r, amd64.Scaled(g.get(u.Index, tmpB), u.Scale&3, disp))
	default:
		g.MovImm(r, uint64(int64(disp)))
	}
	if far {
		other := tmpA
		if r == tmpA {
			other = tmpB
		}
		g.MovImm(other, uint64(u.Disp))
		g.RegRM(amd64.LEA, 8, r, amd64.Indexed(r, other, 0, 0))
	}
	if !isZero(u.Seg) {
		other := tmpA
		if r == tmpA {
			other = tmpB
		}
		g.RegRM(amd64.LEA, 8, r, amd64.Indexed(r, g.get(u.Seg, other), 0, 0))
	}
}

// reach turns the guest's address in tmpA into the host's, for an access of n bytes whose tag is at offset tag of a TLB
// entry; the entry is in tmpB then. Where the entry does not serve it, it goes to miss, with the exclusive or of address
// and tag in tmpA.
func (g *Generator) reach(tag int32, n int, miss amd64.Label) {
	g.RegRM(amd64.MOV, 4, tmpB, amd64.R(tmpA))
	g.Imm(amd64.SHRimm, 4, amd64.R(tmpB), pageShift-entryShift)
	g.Imm(amd64.ANDimm, 4, amd64.R(tmpB), (1<<g.layout.DataBits-1)<<entryShift)
	g.RegRM(amd64.ADD, 8, tmpB, amd64.At(rCPU, g.layout.Data))
	g.RegRM(amd64.XOR, 8, tmpA, amd64.At(tmpB, tag))
	g.Imm(amd64.CMPimm, 8, amd64.R(tmpA), int32(pageSize-n))
	g.Jcc(amd64.A, miss)
	g.RegRM(amd64.ADD, 8, tmpA, amd64.At(tmpB, g.layout.Page))
}

// memory emits what loads and stores.
func (g *Generator) memory(k int, u *uop.Uop) (result, bool) {
	switch u.Op {
	case uop.Load8:
		g.load(k, u, g.layout.Read, 1, amd64.MOVZX8, 4)
	case uop.Load16:
		g.load(k, u, g.layout.Read, 2, amd64.MOVZX16, 4)
	case uop.Load32:
		g.load(k, u, g.layout.Read, 4, amd64.MOV, 4)
	case uop.Load64:
		g.load(k, u, g.layout.Read, 8, amd64.MOV, 8)
	case uop.LoadS8x32:
		g.load(k, u, g.layout.Read, 1, amd64.MOVSX8, 4)
	case uop.LoadS8x64:
		g.load(k, u, g.layout.Read, 1, amd64.MOVSX8, 8)
	case uop.LoadS16x32:
		g.load(k, u, g.layout.Read, 2, amd64.MOVSX16, 4)
	case uop.LoadS16x64:
		g.load(k, u, g.layout.Read, 2, amd64.MOVSX16, 8)
	case uop.LoadS32x64:
		g.load(k, u, g.layout.Read, 4, amd64.MOVSXD, 8)
	case uop.LoadW8:
		g.load(k, u, g.layout.Write, 1, amd64.MOVZX8, 4)
	case uop.LoadW16:
		g.load(k, u, g.layout.Write, 2, amd64.MOVZX16, 4)
	case uop.LoadW32:
		g.load(k, u, g.layout.Write, 4, amd64.MOV, 4)
	case uop.LoadW64:
		g.load(k, u, g.layout.Write, 8, amd64.MOV, 8)
	case uop.ClflushLine: // no more than a read of a byte
		g.spill()
		g.address(u, tmpA)
		g.reach(g.layout.Read, 1, g.leaveAt(k))
	case uop.Store8, uop.Store16, uop.Store32, uop.Store64:
		if !isZero(u.Src) && u.Imm != 0 {
			return leaves, true
		}
		g.spill()
		g.address(u, tmpA)
		g.store(k, u, 1<<(u.Op-uop.Store8))
	case uop.Push:
		if !isZero(u.Src) && u.Imm != 0 {
			return leaves, true
		}
		g.spill()
		sp := hostReg[uop.RSP]
		g.RegRM(amd64.LEA, 8, tmpA, amd64.At(sp, -8))
		g.store(k, u, 8)
		g.RegRM(amd64.LEA, 8, sp, amd64.At(sp, -8))
	case uop.Pop:
		g.spill()
		sp := hostReg[uop.RSP]
		g.RegRM(amd64.MOV, 8, tmpA, amd64.R(sp))
		g.reach(g.layout.Read, 8, g.leaveAt(k))
		g.RegRM(amd64.LEA, 8, sp, amd64.At(sp, 8))
		d, put := g.dst(u.Dst, false)
		g.RegRM(amd64.MOV, 8, d, amd64.At(tmpA, 0))
		put()
	default:
		return 0, false
	}
	return goesOn, true
}

func (g *Generator) load(k int, u *uop.Uop, tag int32, n int, op amd64.Op, size int) {
	g.spill()
	g.address(u, tmpA)
	g.reach(tag, n, g.leaveAt(k))
	d, put := g.dst(u.Dst, false)
	g.RegRM(op, size, d, amd64.At(tmpA, 0))
	put()
}

// store emits a store of n bytes of R[Src]+Imm to the address in tmpA. Zeros that go where nothing but zeros is are not
// stored if the page is not backed: it stays so.
func (g *Generator) store(k int, u *uop.Uop, n int) {
	done := g.Label()
	zero := isZero(u.Src)
	if zero && u.Imm != 0 {
		g.reach(g.layout.Write, n, g.leaveAt(k))
	} else {
		g.reach(g.layout.Write, n, g.later(func() {
			out := g.leaveAt(k)
			g.Imm(amd64.BTCimm, 8, amd64.R(tmpA), int32(g.layout.Unbacked))
			g.Imm(amd64.CMPimm, 8, amd64.R(tmpA), int32(pageSize-n))
			g.Jcc(amd64.A, out)
			g.RegRM(amd64.ADD, 8, tmpA, amd64.At(tmpB, g.layout.Page))
			if !zero {
				r := g.get(u.Src, tmpB)
				g.RegRM(amd64.TEST, n, r, amd64.R(r))
				g.Jcc(amd64.NE, out)
			}
			g.addImm(amd64.CMPimm, n, amd64.At(tmpA, 0), 0)
			g.Jcc(amd64.NE, out)
			g.Jmp(done)
		}))
	}
	g.leaveAt(k)
	if zero && int64(int32(u.Imm)) == u.Imm {
		g.Imm(amd64.MOVimm, n, amd64.At(tmpA, 0), int32(u.Imm))
	} else if zero && n < 8 {
		g.Imm(amd64.MOVimm, n, amd64.At(tmpA, 0), int32(u.Imm))
	} else if zero {
		g.MovImm(tmpB, uint64(u.Imm))
		g.RegRM(amd64.MOVto, 8, tmpB, amd64.At(tmpA, 0))
	} else {
		g.RegRM(amd64.MOVto, n, g.get(u.Src, tmpB), amd64.At(tmpA, 0))
	}
	g.Bind(done)
}
