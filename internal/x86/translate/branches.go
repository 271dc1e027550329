package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// branch emits what ends a block, and conditional jumps.
func (g *Generator) branch(k int, u *uop.Uop) (result, bool) {
	switch u.Op {
	case uop.End, uop.Jmp:
		g.spill()
		g.toTarget(k, u)
	case uop.Goto: // not reached: what is in front of it has gone by the interpreter, which goes on
	case uop.Call:
		g.spill()
		sp := hostReg[uop.RSP]
		g.RegRM(amd64.LEA, 8, tmpA, amd64.At(sp, -8))
		g.reach(&onStack, g.layout.Write, 8, g.leaving(k))
		if g.block.Linked(u) {
			g.RegRM(amd64.MOV, 8, tmpB, g.slot(uop.BlkRIP))
			g.push(u)
			g.toLink(u)
			break
		}
		g.RegRM(amd64.MOVto, 8, tmpA, amd64.At(rCPU, g.layout.Spill))
		g.target(u)
		g.indirect(k, u, g.pushSpilled)
	case uop.CallReg:
		g.spill()
		sp := hostReg[uop.RSP]
		g.RegRM(amd64.LEA, 8, tmpA, amd64.At(sp, -8))
		g.reach(&onStack, g.layout.Write, 8, g.leaving(k))
		g.RegRM(amd64.MOVto, 8, tmpA, amd64.At(rCPU, g.layout.Spill))
		g.RegRM(amd64.MOV, 8, tmpA, g.slot(u.Src))
		g.indirect(k, u, g.pushSpilled)
	case uop.JmpReg:
		g.spill()
		g.RegRM(amd64.MOV, 8, tmpA, g.slot(u.Src))
		g.indirect(k, u, nil)
	case uop.Ret:
		g.spill()
		sp := hostReg[uop.RSP]
		g.RegRM(amd64.MOV, 8, tmpA, amd64.R(sp))
		g.reach(&onStack, g.layout.Read, 8, g.leaving(k))
		g.RegRM(amd64.MOV, 8, tmpA, amd64.At(tmpA, 0))
		g.indirect(k, u, func(u *uop.Uop) {
			g.RegRM(amd64.LEA, 8, sp, amd64.At(sp, 8+int32(u.Imm)))
		})
	case uop.Jo, uop.Jno, uop.Jb, uop.Jae, uop.Je, uop.Jne, uop.Jbe, uop.Ja, uop.Js, uop.Jns, uop.Jp, uop.Jnp, uop.Jl, uop.Jge, uop.Jle, uop.Jg:
		c := g.condition(uop.Condition(u.Op - uop.Jo))
		if g.block.Again(u) && g.flags.inAX {
			g.Jcc(c, g.top)
			return goesOn, true
		}
		// Where the flags are not in AX yet, they are put there on the way, and not where it is not taken.
		was := g.flags
		g.Jcc(c, g.later(func() {
			g.flags = was
			g.save()
			g.toTarget(k, u)
		}))
		return goesOn, true
	case uop.Syscall:
		return g.systemCall(k, u), true
	case uop.Sysret:
		return g.systemReturn(k, u), true
	default:
		return 0, false
	}
	return ends, true
}

// toTarget goes to block + Imm, where the flags are in AX.
func (g *Generator) toTarget(k int, u *uop.Uop) {
	switch {
	case g.block.Again(u):
		g.Jmp(g.top)
		return
	case g.block.Linked(u):
		g.toLink(u)
		return
	}
	g.target(u)
	g.indirect(k, u, nil)
}

// target puts block + Imm into tmpA.
func (g *Generator) target(u *uop.Uop) {
	g.RegRM(amd64.MOV, 8, tmpA, g.slot(uop.BlkRIP))
	if u.Imm == int64(int32(u.Imm)) {
		g.addImm(amd64.ADDimm, 8, amd64.R(tmpA), int32(u.Imm))
		return
	}
	g.MovImm(tmpB, uint64(u.Imm))
	g.RegRM(amd64.ADD, 8, tmpA, amd64.R(tmpB))
}

// push stores the address after u, which is a call, at the host's address in tmpA. The block's is in tmpB.
func (g *Generator) push(u *uop.Uop) {
	sp := hostReg[uop.RSP]
	g.addImm(amd64.ADDimm, 8, amd64.R(tmpB), int32(u.Off)+int32(u.Len))
	g.RegRM(amd64.MOVto, 8, tmpB, amd64.At(tmpA, 0))
	g.RegRM(amd64.LEA, 8, sp, amd64.At(sp, -8))
}

// pushSpilled is push where the host's address has been spilled and tmpA has to stay.
func (g *Generator) pushSpilled(u *uop.Uop) {
	sp := hostReg[uop.RSP]
	g.RegRM(amd64.MOV, 8, rAX, amd64.At(rCPU, g.layout.Spill))
	g.RegRM(amd64.MOV, 8, tmpB, g.slot(uop.BlkRIP))
	g.addImm(amd64.ADDimm, 8, amd64.R(tmpB), int32(u.Off)+int32(u.Len))
	g.RegRM(amd64.MOVto, 8, tmpB, amd64.At(rAX, 0))
	g.RegRM(amd64.LEA, 8, sp, amd64.At(sp, -8))
}

// indirect goes to the address in tmpA. It does what the processor's look-up does where nothing has to be asked: the
// block at that address is known, its page is in the TLB for fetches, and frame and mode are the block's. Otherwise it
// leaves in front of u. commit is what u does before it goes; it may use tmpB and AX.
func (g *Generator) indirect(k int, u *uop.Uop, commit func(u *uop.Uop)) {
	g.indirectBy(k, u, g.fetchEntry, commit)
}

// indirectBy is indirect with another TLB for fetches: that of the privilege level that u goes to.
func (g *Generator) indirectBy(k int, u *uop.Uop, fetchEntry func(amd64.Reg), commit func(u *uop.Uop)) {
	l := &g.layout
	ax := amd64.At(rCPU, l.Flags)
	out := g.later(func() {
		g.RegRM(amd64.MOV, 4, rAX, ax)
		g.Jmp(g.leaveAt(k))
	})
	g.RegRM(amd64.MOVto, 4, rAX, ax)
	// tmpB: the entry of the jump cache
	factor := uint32(hostcode.JumpFactor)
	g.RegRMImm(amd64.IMULimm, 4, tmpB, amd64.R(tmpA), int32(factor))
	g.Imm(amd64.SHRimm, 4, amd64.R(tmpB), int32(32-l.JumpBits))
	g.Imm(amd64.SHLimm, 4, amd64.R(tmpB), jumpShift)
	g.RegRM(amd64.LEA, 8, tmpB, amd64.Indexed(rCPU, tmpB, 0, l.Jumps))
	g.RegRM(amd64.CMP, 8, tmpA, amd64.At(tmpB, l.JumpRIP))
	g.Jcc(amd64.NE, out)
	// AX: the entry of the TLB
	fetchEntry(rAX)
	g.RegRM(amd64.XOR, 8, tmpA, amd64.At(rAX, l.FetchTag))
	g.Imm(amd64.CMPimm, 8, amd64.R(tmpA), pageSize-1)
	g.Jcc(amd64.A, out)
	// tmpA: the block
	g.RegRM(amd64.MOV, 8, tmpA, amd64.At(tmpB, l.JumpBlock))
	g.RegRM(amd64.MOV, 8, rAX, amd64.At(rAX, l.FetchFrame))
	g.RegRM(amd64.CMP, 8, rAX, amd64.At(tmpA, l.BlockFrame))
	g.Jcc(amd64.NE, out)
	g.RegRM(amd64.MOV, 1, rAX, amd64.At(rCPU, l.Mode))
	g.RegRM(amd64.CMP, 1, rAX, amd64.At(tmpA, l.BlockMode))
	g.Jcc(amd64.NE, out)
	g.RegRM(amd64.MOV, 8, rAX, amd64.At(tmpB, l.JumpRIP))
	if commit != nil {
		g.RegRM(amd64.MOVto, 8, rAX, amd64.At(rCPU, l.Spill+8))
		commit(u)
		g.RegRM(amd64.MOV, 8, rAX, amd64.At(rCPU, l.Spill+8))
	}
	g.RegRM(amd64.MOVto, 8, rAX, g.slot(uop.BlkRIP))
	g.giveBack(u)
	g.RegRM(amd64.MOV, 4, rAX, ax)
	g.RM(amd64.JMPto, 8, amd64.At(tmpA, l.BlockCode))
}
