package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// What a kernel does often with the flags and registers of the system. What raises an exception, or lets in an interrupt
// that waits, is left to the interpreter.

// Bits of RFLAGS: those that are not arithmetic flags, and the one that is always set.
const (
	flagOne = 1 << 1
	flagIF  = 1 << 9
	flagDF  = 1 << 10
)

func (g *Generator) system(k int, u *uop.Uop) (result, bool) {
	switch u.Op {
	case uop.MovSeg:
		if u.Aux >= hostcode.Segments {
			return leaves, true
		}
		d, put := g.dst(u.Dst, tmpA, false)
		g.load(arm64.LDRH, d, g.layout.Selectors+int32(u.Aux)*hostcode.SegmentSize)
		put()
	case uop.CheckCPL0:
		g.supervisor(k)
	case uop.Cli:
		g.supervisor(k) // the interpreter looks at IOPL
		g.changeRest(arm64.BIC, flagIF)
	case uop.Sti:
		g.supervisor(k)
		g.enableInterrupts(k, u)
	case uop.FlagBit:
		g.flagBit(u)
	case uop.Swapgs:
		g.load(arm64.LDR, tmpA, g.layout.KernelGSBase)
		g.store(arm64.STR, g.get(uop.GSBase, tmpB), g.layout.KernelGSBase, tmpC)
		g.set(uop.GSBase, tmpA)
	case uop.Pushf:
		return g.pushFlags(k, u), true
	case uop.Leave:
		return g.leaveFrame(k, u), true
	default:
		return 0, false
	}
	return goesOn, true
}

// supervisor leaves where the privilege level is not 0.
func (g *Generator) supervisor(k int) {
	g.load(arm64.LDRB, tmpA, g.layout.CPL)
	g.CBNZ(4, tmpA, g.leaveAt(k))
}

// changeRest sets or clears a flag that is not arithmetic.
func (g *Generator) changeRest(op arm64.Op, flag uint64) {
	g.load(arm64.LDR, tmpA, g.layout.Rest)
	g.MovImm(tmpB, flag)
	g.Shifted(op, 8, tmpA, tmpA, tmpB, 0)
	g.store(arm64.STR, tmpA, g.layout.Rest, tmpB)
}

// enableInterrupts sets IF. Where it was clear interrupts stay off for one more instruction, so that the boundary after
// that is noted, and where one is waiting the run loop is to look: that is left to the interpreter. None begins to wait
// while code runs.
func (g *Generator) enableInterrupts(k int, u *uop.Uop) {
	done := g.Label()
	g.load(arm64.LDR, tmpA, g.layout.Rest)
	g.bits(tmpB, tmpA, 9, 1)
	g.CBNZ(4, tmpB, done)
	g.load(arm64.LDRB, tmpB, g.layout.Waiting)
	g.CBNZ(4, tmpB, g.leaveAt(k))
	g.Bitmask(arm64.ORRI, 8, tmpA, tmpA, flagIF)
	g.store(arm64.STR, tmpA, g.layout.Rest, tmpB)
	// End less what is left is the count of instructions at the block's end, if all of it is executed.
	g.load(arm64.LDR, tmpA, g.layout.End)
	g.load(arm64.LDR, tmpB, g.layout.Left)
	g.Shifted(arm64.SUB, 8, tmpA, tmpA, tmpB, 0)
	g.addConst(tmpA, tmpA, int64(u.Ord)+1-int64(g.block.Instructions), tmpB)
	g.store(arm64.STR, tmpA, g.layout.Shadow, tmpB)
	g.store(arm64.STRB, arm64.ZR, g.layout.ShadowSS, tmpB)
	g.Bind(done)
}

// flagBit is CMC, CLC, STC, CLD and STD, by their opcodes.
func (g *Generator) flagBit(u *uop.Uop) {
	switch u.Aux {
	case 0xF5:
		g.Shifted(arm64.ORN, 8, tmpC, arm64.ZR, rCarries, 0)
		g.lsr(8, tmpC, tmpC, carryBit)
		g.setCarry()
	case 0xF8, 0xF9:
		g.MovImm(tmpC, uint64(u.Aux&1))
		g.setCarry()
	case 0xFC:
		g.changeRest(arm64.BIC, flagDF)
	case 0xFD:
		g.changeRest(arm64.ORR, flagDF)
	}
}

// pushFlags is PUSHFQ.
func (g *Generator) pushFlags(k int, u *uop.Uop) result {
	if u.Aux != 8 {
		return leaves
	}
	g.rflags(tmpA)
	g.store(arm64.STR, tmpA, g.layout.Spill, tmpB)
	g.reach(g.address(&below), g.layout.Write, 8, g.leaveAt(k))
	g.load(arm64.LDR, tmpD, g.layout.Spill)
	g.Indexed(arm64.STRX, tmpD, tmpB, tmpC)
	g.Imm12(arm64.SUBI, 8, sp, sp, 8)
	return goesOn
}

// rflags puts RFLAGS into d. It uses tmpB, tmpC and tmpD.
func (g *Generator) rflags(d arm64.Reg) {
	g.load(arm64.LDR, d, g.layout.Rest)
	g.Bitmask(arm64.ORRI, 8, d, d, flagOne)
	put := func(s arm64.Reg, from, to uint8) {
		g.bits(tmpD, s, int(from), 1)
		g.Shifted(arm64.ORR, 8, d, d, tmpD, to)
	}
	put(rCarries, carryBit, 0) // CF
	g.parity()
	g.Bitmask(arm64.EORI, 8, tmpC, tmpC, 1<<7)
	put(tmpC, 7, 2)         // PF
	put(rCarries, afBit, 4) // AF
	g.test(rResult)
	g.Select(arm64.CSINC, 8, tmpC, arm64.ZR, arm64.ZR, arm64.NE)
	put(tmpC, 0, 6) // ZF
	g.Shifted(arm64.EOR, 8, tmpC, rResult, rCarries, 63-sfDelta)
	put(tmpC, 63, 7) // SF
	g.overflow(tmpC)
	put(tmpC, 63, 11) // OF
	g.flags = g.flags.lost()
}

// leaveFrame is LEAVE of 64 bits.
func (g *Generator) leaveFrame(k int, u *uop.Uop) result {
	if u.Aux != 8 {
		return leaves
	}
	const bp = arm64.Reg(uop.RBP)
	g.reach(bp, g.layout.Read, 8, g.leaveAt(k))
	g.Imm12(arm64.ADDI, 8, sp, bp, 8)
	g.Indexed(arm64.LDRX, bp, tmpB, tmpC)
	return goesOn
}
