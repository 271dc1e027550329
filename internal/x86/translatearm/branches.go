package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// branch emits what ends a block, and conditional jumps.
func (g *Generator) branch(k int, u *uop.Uop) (result, bool) {
	switch u.Op {
	case uop.End, uop.Jmp:
		g.toTarget(k, u)
	case uop.Goto: // not reached: what is in front of it has gone by the interpreter, which goes on
	case uop.Call:
		g.pushPlace(k)
		if g.block.Linked(u) {
			g.Shifted(arm64.ADD, 8, tmpB, tmpB, tmpC, 0)
			g.push(u, tmpB)
			g.toLink(u)
			break
		}
		g.spillPlace()
		g.addConst(tmpA, rRIP, u.Imm, tmpB)
		g.indirect(k, u, g.pushSpilled)
	case uop.CallReg:
		g.pushPlace(k)
		g.spillPlace()
		g.mov(8, tmpA, g.get(u.Src, tmpA))
		g.indirect(k, u, g.pushSpilled)
	case uop.JmpReg:
		g.mov(8, tmpA, g.get(u.Src, tmpA))
		g.indirect(k, u, nil)
	case uop.Ret:
		g.reach(g.address(&onStack), g.layout.Read, 8, g.leaveAt(k))
		g.Indexed(arm64.LDRX, tmpA, tmpB, tmpC)
		g.indirect(k, u, func(u *uop.Uop) { g.addConst(sp, sp, 8+u.Imm, tmpC) })
	case uop.Jo, uop.Jno, uop.Jb, uop.Jae, uop.Je, uop.Jne, uop.Jbe, uop.Ja, uop.Js, uop.Jns, uop.Jp, uop.Jnp, uop.Jl, uop.Jge, uop.Jle, uop.Jg:
		c := g.condition(uop.Condition(u.Op - uop.Jo))
		if g.block.Again(u) {
			g.Bcc(c, g.top)
		} else {
			g.Bcc(c, g.later(func() { g.toTarget(k, u) }))
		}
		return goesOn, true
	default:
		return 0, false
	}
	return ends, true
}

// toTarget goes to block + Imm.
func (g *Generator) toTarget(k int, u *uop.Uop) {
	switch {
	case g.block.Again(u):
		g.B(g.top)
	case g.block.Linked(u):
		g.toLink(u)
	default:
		g.addConst(tmpA, rRIP, u.Imm, tmpB)
		g.indirect(k, u, nil)
	}
}

// pushPlace finds where 8 bytes are to be pushed: page in tmpB, offset in tmpC.
func (g *Generator) pushPlace(k int) {
	g.reach(g.address(&below), g.layout.Write, 8, g.leaveAt(k))
}

// spillPlace keeps it over the look-up of the next block.
func (g *Generator) spillPlace() {
	g.Shifted(arm64.ADD, 8, tmpB, tmpB, tmpC, 0)
	g.store(arm64.STR, tmpB, g.layout.Spill, tmpC)
}

// push pushes the address after u, where the host's address is in a register. It uses tmpD.
func (g *Generator) push(u *uop.Uop, at arm64.Reg) {
	g.addConst(tmpD, rRIP, int64(u.Off)+int64(u.Len), tmpD)
	g.Memory(arm64.STR, tmpD, at, 0)
	g.Imm12(arm64.SUBI, 8, sp, sp, 8)
}

func (g *Generator) pushSpilled(u *uop.Uop) {
	g.load(arm64.LDR, tmpC, g.layout.Spill)
	g.push(u, tmpC)
}

// indirect goes to the address in tmpA. It does what the processor's look-up does where nothing has to be asked: the
// block at that address is known, its page is in the TLB for fetches, and frame and mode are the block's. Otherwise it
// leaves in front of u. commit is what u does before it goes; it may use tmpC and tmpD.
func (g *Generator) indirect(k int, u *uop.Uop, commit func(u *uop.Uop)) {
	l, out := &g.layout, g.leaveAt(k)
	// tmpB: the entry of the jump cache
	g.MovImm(tmpB, hostcode.JumpFactor)
	g.Four(arm64.MADD, 4, tmpB, tmpB, tmpA, arm64.ZR)
	g.lsr(4, tmpB, tmpB, int(32-l.JumpBits))
	g.Shifted(arm64.ADD, 8, tmpB, rCPU, tmpB, hostcode.JumpShift)
	g.addConst(tmpB, tmpB, int64(l.Jumps)&^0xFFF, tmpC)
	at := l.Jumps & 0xFFF
	g.Memory(arm64.LDR, tmpC, tmpB, at+l.JumpRIP)
	g.Shifted(arm64.SUBS, 8, arm64.ZR, tmpC, tmpA, 0)
	g.Bcc(arm64.NE, out)
	// tmpC: the entry of the TLB
	g.fetchEntry()
	g.Shifted(arm64.EOR, 8, tmpD, tmpD, tmpA, 0)
	g.compareConst(8, tmpD, pageSize-1)
	g.Bcc(arm64.HI, out)
	// tmpB: the block
	g.Memory(arm64.LDR, tmpB, tmpB, at+l.JumpBlock)
	g.Memory(arm64.LDR, tmpC, tmpC, l.FetchFrame)
	g.Memory(arm64.LDR, tmpD, tmpB, l.BlockFrame)
	g.Shifted(arm64.SUBS, 8, arm64.ZR, tmpC, tmpD, 0)
	g.Bcc(arm64.NE, out)
	g.load(arm64.LDRB, tmpC, l.Mode)
	g.Memory(arm64.LDRB, tmpD, tmpB, l.BlockMode)
	g.Shifted(arm64.SUBS, 4, arm64.ZR, tmpC, tmpD, 0)
	g.Bcc(arm64.NE, out)
	if commit != nil {
		commit(u)
	}
	g.mov(8, rRIP, tmpA)
	g.giveBack(u)
	g.Memory(arm64.LDR, tmpC, tmpB, l.BlockCode)
	g.BR(tmpC)
}
