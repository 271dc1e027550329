package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// SYSCALL, and SYSRET to 64-bit code. They go to where the block is known, as a jump does, but at another privilege level:
// by the TLB for fetches there. What raises an exception, lets in an interrupt or a trap, or has to do with alignment is left
// to the interpreter.

// Bits of RFLAGS that are arithmetic flags, in its lowest byte, which has them where LAHF has; and the place of OF.
const (
	lowFlags = (axCF | axPF | axAF | axZF | axSF) >> 8
	placeOF  = 11
	flagAC   = 1 << 18
)

// scratch is one more register that is free where the TLB in use changes, and rSP is to be made anew.
const scratch = rSP

func (g *Generator) systemCall(k int, u *uop.Uop) result {
	if !g.block.Wide {
		return leaves
	}
	q := &g.layout.Quick
	g.spill()
	g.enabled(k)
	g.RegRM(amd64.MOV, 8, tmpB, amd64.At(rCPU, q.FMASK))
	g.RM(amd64.NOT, 8, amd64.R(tmpB))
	g.RegRM(amd64.AND, 8, tmpB, amd64.At(rCPU, g.layout.Rest))
	g.Imm(amd64.TESTimm, 4, amd64.R(tmpB), flagAC)
	g.Jcc(amd64.NE, g.leaveAt(k))
	g.RegRM(amd64.MOV, 8, tmpA, amd64.At(rCPU, q.LSTAR))
	g.indirectBy(k, u, g.fetchAt(q.KernelFetch), func(u *uop.Uop) {
		flags, rest := amd64.At(rCPU, g.layout.Flags), amd64.At(rCPU, g.layout.Rest)
		// RCX and R11: the next instruction, and the flags
		g.RegRM(amd64.MOV, 8, amd64.RCX, g.slot(uop.BlkRIP))
		g.addImm(amd64.ADDimm, 8, amd64.R(amd64.RCX), int32(u.Off)+int32(u.Len))
		g.RegRM(amd64.MOV, 4, rAX, flags)
		g.RegRM(amd64.MOV, 4, scratch, amd64.R(rAX))
		g.Imm(amd64.SHRimm, 4, amd64.R(scratch), 8)
		g.Imm(amd64.ANDimm, 4, amd64.R(scratch), lowFlags)
		g.Imm(amd64.ANDimm, 4, amd64.R(rAX), axOF)
		g.Imm(amd64.SHLimm, 4, amd64.R(rAX), placeOF)
		g.RegRM(amd64.OR, 4, scratch, amd64.R(rAX))
		g.Imm(amd64.ORimm, 4, amd64.R(scratch), flagOne)
		g.RegRM(amd64.OR, 8, scratch, rest)
		g.setSlot(uop.R11, scratch)
		// and without those of FMASK
		g.RegRM(amd64.MOV, 8, tmpB, amd64.At(rCPU, q.FMASK))
		g.packFlags(rAX, tmpB, scratch)
		g.RM(amd64.NOT, 4, amd64.R(rAX))
		g.RegRM(amd64.ANDto, 4, rAX, flags)
		g.RM(amd64.NOT, 8, amd64.R(tmpB))
		g.RegRM(amd64.ANDto, 8, tmpB, rest)
		g.privilege(u, 0, q.STAR+4, 8)
		g.Imm(amd64.ANDimm, 2, amd64.At(rCPU, g.selector(uop.SegCS)), ^3)
		g.useTLB(q.KernelData, q.KernelFetch)
	})
	return ends
}

func (g *Generator) systemReturn(k int, u *uop.Uop) result {
	if !g.block.Wide || u.Aux != 8 {
		return leaves
	}
	q := &g.layout.Quick
	g.spill()
	g.enabled(k)
	g.supervisor(k)
	for _, b := range [...]int32{q.WatchUser, g.layout.Waiting} {
		g.Imm(amd64.CMPimm, 1, amd64.At(rCPU, b), 0)
		g.Jcc(amd64.NE, g.leaveAt(k))
	}
	g.Imm(amd64.TESTimm, 4, g.slot(uop.R11), flagTF|flagAC)
	g.Jcc(amd64.NE, g.leaveAt(k))
	g.RegRM(amd64.MOV, 8, tmpA, amd64.R(amd64.RCX))
	g.indirectBy(k, u, g.fetchAt(q.UserFetch), func(u *uop.Uop) {
		g.RegRM(amd64.MOV, 8, tmpB, g.slot(uop.R11))
		g.packFlags(rAX, tmpB, scratch)
		g.RegRM(amd64.MOVto, 4, rAX, amd64.At(rCPU, g.layout.Flags))
		g.Imm(amd64.ANDimm, 4, amd64.R(tmpB), int32(q.Rest))
		g.RegRM(amd64.MOVto, 8, tmpB, amd64.At(rCPU, g.layout.Rest))
		g.privilege(u, 3, q.STAR+6, -8)
		g.useTLB(q.UserData, q.UserFetch)
	})
	return ends
}

// enabled leaves where EFER.SCE is clear.
func (g *Generator) enabled(k int) {
	g.Imm(amd64.TESTimm, 1, amd64.At(rCPU, g.layout.Quick.EFER), 1)
	g.Jcc(amd64.E, g.leaveAt(k))
}

// packFlags puts the arithmetic flags of RFLAGS in from into to, as they are in AX. It uses tmp.
func (g *Generator) packFlags(to, from, tmp amd64.Reg) {
	g.RegRM(amd64.MOV, 4, tmp, amd64.R(from))
	g.Imm(amd64.SHRimm, 4, amd64.R(tmp), placeOF)
	g.Imm(amd64.ANDimm, 4, amd64.R(tmp), axOF)
	g.RegRM(amd64.MOV, 4, to, amd64.R(from))
	g.Imm(amd64.ANDimm, 4, amd64.R(to), lowFlags)
	g.Imm(amd64.SHLimm, 4, amd64.R(to), 8)
	g.RegRM(amd64.OR, 4, to, amd64.R(tmp))
}

// selector is where a segment register begins.
func (g *Generator) selector(seg int32) int32 { return g.layout.Selectors + seg*segmentSize }

// privilege sets the privilege level with its fixed segments. Their selectors are those in STAR, which has that of CS at
// an offset, or 16 less for user programs; that of SS is so much further. TF is taken as it is now. It uses AX and tmpB.
func (g *Generator) privilege(u *uop.Uop, cpl uint8, star, stack int32) {
	q := &g.layout.Quick
	g.Imm(amd64.MOVimm, 1, amd64.At(rCPU, g.layout.CPL), int32(cpl))
	g.RegRM(amd64.MOVZX16, 4, rAX, amd64.At(rCPU, star))
	if cpl != 0 {
		g.Imm(amd64.ADDimm, 4, amd64.R(rAX), 16)
		g.Imm(amd64.ORimm, 4, amd64.R(rAX), int32(cpl))
	}
	g.RegRM(amd64.LEA, 4, tmpB, amd64.At(rAX, stack))
	g.fixed(uop.SegCS, rAX, q.Code|uint16(cpl)<<5)
	g.fixed(uop.SegSS, tmpB, q.Stack|uint16(cpl)<<5)
	g.countHere(u, tmpB)
	g.RegRM(amd64.MOVto, 8, tmpB, amd64.At(rCPU, q.NewTF))
}

// fixed makes a segment register one that begins at 0 and has no end, with the selector in r.
func (g *Generator) fixed(seg int32, r amd64.Reg, attributes uint16) {
	at := g.selector(seg)
	g.RegRM(amd64.MOVto, 2, r, amd64.At(rCPU, at))
	g.Imm(amd64.MOVimm, 2, amd64.At(rCPU, at+2), int32(attributes))
	g.Imm(amd64.MOVimm, 4, amd64.At(rCPU, at+4), -1)
	g.Imm(amd64.MOVimm, 8, amd64.At(rCPU, at+8), 0)
}

// countHere puts the count of instructions at the boundary after u into r: End less what is left is that at the block's
// end, if all of it is executed.
func (g *Generator) countHere(u *uop.Uop, r amd64.Reg) {
	g.RegRM(amd64.MOV, 8, r, amd64.At(rCPU, g.layout.End))
	g.RegRM(amd64.SUB, 8, r, amd64.At(rCPU, g.layout.Left))
	g.addImm(amd64.ADDimm, 8, amd64.R(r), int32(u.Ord)+1-int32(g.block.Instructions))
}

// fetchAt returns what puts the entry for the address in tmpA into a register, of the TLB for fetches at an offset.
func (g *Generator) fetchAt(array int32) func(amd64.Reg) {
	return func(r amd64.Reg) {
		g.fetchPlace(r)
		g.RegRM(amd64.LEA, 8, r, amd64.Indexed(rCPU, r, 0, array))
	}
}

// useTLB has code use other arrays of the TLB. They are in the processor's state, so that Go's collector need not hear of it.
// An entry of another array must not be tried: rSP gets one of this.
func (g *Generator) useTLB(data, fetch int32) {
	g.RegRM(amd64.LEA, 8, tmpB, amd64.At(rCPU, fetch))
	g.RegRM(amd64.MOVto, 8, tmpB, amd64.At(rCPU, g.layout.Fetch))
	g.RegRM(amd64.LEA, 8, rSP, amd64.At(rCPU, data))
	g.RegRM(amd64.MOVto, 8, rSP, amd64.At(rCPU, g.layout.Data))
}
