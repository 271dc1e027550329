package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// lineSize is that of a cache line.
const lineSize = 64

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

// A near is what the entry of the TLB in tmpB is for: where it has been used last, and no instruction has had tmpB as operand
// since, the next access by the same register is most likely to the same page.
type near struct{ base, seg uint8 }

// nowhere is where no access is.
var nowhere = near{base: uop.Slots}

// reach turns the guest's address in tmpA, that of u's operand, into the host's, for an access of n bytes whose tag is at
// offset tag of a TLB entry. It returns the register that the entry is in then. Where the entry does not serve the access,
// it goes to miss, with the exclusive or of address and tag in tmpA.
//
// The entry that served the last access is tried first where that is likely to help: if its tag fits, it is the entry,
// since a page has one place. That holds for whatever entry the register has, and it has one always: where code is entered
// again after a micro-operation, enterCode puts one there.
func (g *Generator) reach(u *uop.Uop, tag int32, n int, miss func(entry amd64.Reg) amd64.Label) amd64.Reg {
	entry, this := tmpB, near{u.Base, u.Seg}
	hit := g.near == this && !g.Named(tmpB) && isZero(u.Index)
	if stack := u.Base == uop.RSP && isZero(u.Index) && isZero(u.Seg); stack {
		entry, hit = rSP, true
	}
	out := miss(entry)
	if hit {
		again := g.Label()
		g.compare(entry, tag, n, g.later(func() {
			g.RegRM(amd64.XOR, 8, tmpA, amd64.At(entry, tag)) // the address again
			g.entry(entry)
			g.compare(entry, tag, n, out)
			g.Jmp(again)
		}))
		g.Bind(again)
	} else {
		g.entry(entry)
		g.compare(entry, tag, n, out)
	}
	g.RegRM(amd64.ADD, 8, tmpA, amd64.At(entry, g.layout.Page))
	if entry == tmpB {
		g.near = this
		g.Unname(tmpB)
	}
	return entry
}

// entry finds the entry for the address in tmpA.
func (g *Generator) entry(r amd64.Reg) {
	g.RegRM(amd64.MOV, 4, r, amd64.R(tmpA))
	g.Imm(amd64.SHRimm, 4, amd64.R(r), pageShift-entryShift)
	g.Imm(amd64.ANDimm, 4, amd64.R(r), (1<<g.layout.DataBits-1)<<entryShift)
	g.RegRM(amd64.ADD, 8, r, amd64.At(rCPU, g.layout.Data))
}

// compare goes to miss where an entry's tag does not serve an access of n bytes at the address in tmpA.
func (g *Generator) compare(entry amd64.Reg, tag int32, n int, miss amd64.Label) {
	g.RegRM(amd64.XOR, 8, tmpA, amd64.At(entry, tag))
	g.Imm(amd64.CMPimm, 8, amd64.R(tmpA), int32(pageSize-n))
	g.Jcc(amd64.A, miss)
}

// leaving is the miss of an access that leaves in front of micro-operation k.
func (g *Generator) leaving(k int) func(amd64.Reg) amd64.Label {
	return func(amd64.Reg) amd64.Label { return g.leaveAt(k) }
}

// onStack is a micro-operation whose operand is at the stack pointer.
var onStack = uop.Uop{Base: uop.RSP, Index: uop.Zero, Seg: uop.StackSeg}

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
	case uop.LockedAt: // the interpreter looks at what is in two cache lines, and at what is shared
		if u.Aux > lineSize {
			return leaves, true
		}
		g.spill()
		g.address(u, tmpA)
		g.Imm(amd64.ANDimm, 4, amd64.R(tmpA), lineSize-1)
		g.Imm(amd64.CMPimm, 4, amd64.R(tmpA), int32(lineSize-u.Aux))
		g.Jcc(amd64.A, g.leaveAt(k))
		g.address(u, tmpA)
		entry := g.reach(u, g.layout.Write, int(u.Aux), g.leaving(k))
		g.Imm(amd64.TESTimm, 1, amd64.At(entry, g.layout.Where), 1)
		g.Jcc(amd64.NE, g.leaveAt(k))
	case uop.ClflushLine: // no more than a read of a byte
		g.spill()
		g.address(u, tmpA)
		g.reach(u, g.layout.Read, 1, g.leaving(k))
	case uop.Store8, uop.Store16, uop.Store32, uop.Store64:
		if !isZero(u.Src) && u.Imm != 0 {
			return leaves, true
		}
		g.spill()
		g.address(u, tmpA)
		g.store(k, u, u, 1<<(u.Op-uop.Store8))
	case uop.Push:
		if !isZero(u.Src) && u.Imm != 0 {
			return leaves, true
		}
		g.spill()
		sp := hostReg[uop.RSP]
		g.RegRM(amd64.LEA, 8, tmpA, amd64.At(sp, -8))
		g.store(k, u, &onStack, 8)
		g.RegRM(amd64.LEA, 8, sp, amd64.At(sp, -8))
	case uop.Pop:
		g.spill()
		sp := hostReg[uop.RSP]
		g.RegRM(amd64.MOV, 8, tmpA, amd64.R(sp))
		g.reach(&onStack, g.layout.Read, 8, g.leaving(k))
		g.RegRM(amd64.LEA, 8, sp, amd64.At(sp, 8))
		d, put := g.dstIn(u.Dst, tmpA)
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
	g.reach(u, tag, n, g.leaving(k))
	d, put := g.dstIn(u.Dst, tmpA)
	g.RegRM(op, size, d, amd64.At(tmpA, 0))
	put()
}

// store emits a store of n bytes of R[Src]+Imm to the address in tmpA, which is that of at's operand. Zeros that go where
// nothing but zeros is are not stored if the page is not backed: it stays so.
func (g *Generator) store(k int, u, at *uop.Uop, n int) {
	done := g.Label()
	zero := isZero(u.Src)
	miss := g.leaving(k)
	if !zero || u.Imm == 0 {
		miss = func(entry amd64.Reg) amd64.Label {
			out := g.leaveAt(k)
			return g.later(func() {
				g.Imm(amd64.BTCimm, 8, amd64.R(tmpA), int32(g.layout.Unbacked))
				g.Imm(amd64.CMPimm, 8, amd64.R(tmpA), int32(pageSize-n))
				g.Jcc(amd64.A, out)
				g.RegRM(amd64.ADD, 8, tmpA, amd64.At(entry, g.layout.Page))
				if !zero {
					if o := g.slot(u.Src); o.IsMemory() {
						g.addImm(amd64.CMPimm, n, o, 0)
					} else {
						g.RegRM(amd64.TEST, n, o.Reg(), o)
					}
					g.Jcc(amd64.NE, out)
				}
				g.addImm(amd64.CMPimm, n, amd64.At(tmpA, 0), 0)
				g.Jcc(amd64.NE, out)
				g.Jmp(done)
			})
		}
	}
	g.reach(at, g.layout.Write, n, miss)
	to := amd64.At(tmpA, 0)
	switch o := g.slot(u.Src); {
	case zero && (n < 8 || int64(int32(u.Imm)) == u.Imm):
		g.Imm(amd64.MOVimm, n, to, int32(u.Imm))
	case zero:
		g.MovImm(tmpB, uint64(u.Imm))
		g.RegRM(amd64.MOVto, 8, tmpB, to)
	case o.IsMemory() && n >= 4: // by way of a register that is free, so that tmpB keeps the entry
		g.RegRM(amd64.MOVD, n, xmm0, o)
		g.RegRM(amd64.MOVDto, n, xmm0, to)
	default:
		g.RegRM(amd64.MOVto, n, g.get(u.Src, tmpB), to)
	}
	g.Bind(done)
}
