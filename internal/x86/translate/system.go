package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// What a kernel does often with the flags and registers of the system: PUSHFQ, CLI, STI, CLD, STD, SWAPGS, MOV from a
// segment register, and the question whether it may. What raises an exception, or lets in an interrupt that waits, is left to the
// interpreter.

// Bits of RFLAGS that are not arithmetic flags, and the one that is always set.
const (
	flagOne = 1 << 1
	flagTF  = 1 << 8
	flagIF  = 1 << 9
	flagDF  = 1 << 10
)

func (g *Generator) system(k int, u *uop.Uop) (result, bool) {
	rest := amd64.At(rCPU, g.layout.Rest)
	switch u.Op {
	case uop.MovSeg:
		if u.Aux >= segments {
			return leaves, true
		}
		d, put := g.dst(u.Dst, false)
		g.RegRM(amd64.MOVZX16, 4, d, amd64.At(rCPU, g.layout.Selectors+int32(u.Aux)*segmentSize))
		put()
	case uop.CheckCPL0:
		g.spill()
		g.supervisor(k)
	case uop.Cli:
		g.spill()
		g.supervisor(k) // the interpreter looks at IOPL
		g.Imm(amd64.ANDimm, 4, rest, ^flagIF)
	case uop.Sti:
		g.spill()
		g.supervisor(k)
		g.enableInterrupts(k, u)
	case uop.FlagBit:
		g.spill()
		switch u.Aux {
		case 0xFC:
			g.Imm(amd64.ANDimm, 4, rest, ^flagDF)
		case 0xFD:
			g.Imm(amd64.ORimm, 4, rest, flagDF)
		default:
			g.carryBit(u)
		}
	case uop.Swapgs:
		kept := amd64.At(rCPU, g.layout.KernelGSBase)
		g.RegRM(amd64.MOV, 8, tmpA, kept)
		g.RegRM(amd64.MOV, 8, tmpB, g.slot(uop.GSBase))
		g.RegRM(amd64.MOVto, 8, tmpB, kept)
		g.setSlot(uop.GSBase, tmpA)
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
	g.Imm(amd64.CMPimm, 1, amd64.At(rCPU, g.layout.CPL), 0)
	g.Jcc(amd64.NE, g.leaveAt(k))
}

// enableInterrupts sets IF. Where it was clear interrupts stay off for one more instruction, so that the boundary after
// that is noted, and where one is waiting the run loop is to look: that is left to the interpreter. None begins to wait
// while code runs.
func (g *Generator) enableInterrupts(k int, u *uop.Uop) {
	done := g.Label()
	g.Imm(amd64.TESTimm, 4, amd64.At(rCPU, g.layout.Rest), flagIF)
	g.Jcc(amd64.NE, done)
	g.Imm(amd64.CMPimm, 1, amd64.At(rCPU, g.layout.Waiting), 0)
	g.Jcc(amd64.NE, g.leaveAt(k))
	g.countHere(u, tmpA)
	g.RegRM(amd64.MOVto, 8, tmpA, amd64.At(rCPU, g.layout.Shadow))
	g.Imm(amd64.MOVimm, 1, amd64.At(rCPU, g.layout.ShadowSS), 0)
	g.Imm(amd64.ORimm, 4, amd64.At(rCPU, g.layout.Rest), flagIF)
	g.Bind(done)
}

// carryBit is CMC, CLC and STC.
func (g *Generator) carryBit(u *uop.Uop) {
	op := map[uint32]amd64.Op{0xF5: amd64.BTCimm, 0xF8: amd64.BTRimm, 0xF9: amd64.BTSimm}
	if op, ok := op[u.Aux]; ok {
		g.Imm(op, 4, amd64.R(rAX), 8)
	}
}

// pushFlags is PUSHFQ. The flags go to memory in two parts: there is one register for them.
func (g *Generator) pushFlags(k int, u *uop.Uop) result {
	if u.Aux != 8 {
		return leaves
	}
	g.spill()
	sp := hostReg[uop.RSP]
	g.RegRM(amd64.LEA, 8, tmpA, amd64.At(sp, -8))
	g.reach(&onStack, g.layout.Write, 8, g.leaving(k))
	g.RegRM(amd64.MOV, 4, tmpB, amd64.R(rAX))
	g.Imm(amd64.ANDimm, 4, amd64.R(tmpB), axOF)
	g.Imm(amd64.SHLimm, 4, amd64.R(tmpB), 11)
	g.RegRM(amd64.OR, 8, tmpB, amd64.At(rCPU, g.layout.Rest))
	g.RegRM(amd64.MOVto, 8, tmpB, amd64.At(tmpA, 0))
	g.RegRM(amd64.MOV, 4, tmpB, amd64.R(rAX))
	g.Imm(amd64.SHRimm, 4, amd64.R(tmpB), 8)
	g.Imm(amd64.ANDimm, 4, amd64.R(tmpB), (axCF|axPF|axAF|axZF|axSF)>>8)
	g.Imm(amd64.ORimm, 4, amd64.R(tmpB), flagOne)
	g.RegRM(amd64.ORto, 8, tmpB, amd64.At(tmpA, 0))
	g.RegRM(amd64.LEA, 8, sp, amd64.At(sp, -8))
	return goesOn
}

// leaveFrame is LEAVE of 64 bits.
func (g *Generator) leaveFrame(k int, u *uop.Uop) result {
	if u.Aux != 8 {
		return leaves
	}
	g.spill()
	sp, bp := hostReg[uop.RSP], hostReg[uop.RBP]
	frame := uop.Uop{Base: uop.RBP, Index: uop.Zero, Seg: uop.StackSeg}
	g.address(&frame, tmpA)
	g.reach(&frame, g.layout.Read, 8, g.leaving(k))
	g.RegRM(amd64.LEA, 8, sp, amd64.At(bp, 8))
	g.RegRM(amd64.MOV, 8, bp, amd64.At(tmpA, 0))
	return goesOn
}
