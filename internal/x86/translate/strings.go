package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// String instructions that go upward and stay within a page on either side: MOVS, STOS and LODS, repeated or not, of what
// the TLB serves. The host's instruction of the same name does the work, with the host's addresses in the registers that it
// wants them in. Each ends its block, and commits to nothing before it is known where to go on.

// Where things are kept over the look-up of the next block.
const (
	spillSource = 0  // the host's address of the source, or of the only operand
	spillNext   = 8  // indirect's own
	spillTarget = 16 // the host's address of the destination
)

// stringOperand is the memory operand at a register.
func stringOperand(slot uint8) *uop.Uop {
	return &uop.Uop{Base: slot, Index: uop.Zero, Seg: uop.Zero}
}

func (g *Generator) strings(k int, u *uop.Uop) (result, bool) {
	if u.Op != uop.String {
		return 0, false
	}
	n, repeated := int(u.Src), u.Aux != 0
	op, known := map[uint8]amd64.StringOp{uop.StringMOVS: amd64.MOVS, uop.StringSTOS: amd64.STOS, uop.StringLODS: amd64.LODS}[u.Dst]
	if !known || u.Scale != 0 || !isZero(u.Seg) || repeated && u.Dst == uop.StringLODS || n != 1 && n != 2 && n != 4 && n != 8 {
		return leaves, true
	}
	source, target := u.Dst != uop.StringSTOS, u.Dst != uop.StringLODS
	g.spill()
	g.Imm(amd64.TESTimm, 4, amd64.At(rCPU, g.layout.Rest), flagDF|flagTF) // with TF each element is one instruction
	g.Jcc(amd64.NE, g.leaveAt(k))
	if repeated {
		g.addImm(amd64.CMPimm, 8, amd64.R(amd64.RCX), pageSize)
		g.Jcc(amd64.A, g.leaveAt(k))
	}
	if source {
		g.element(k, uop.RSI, g.layout.Read, n, repeated, spillSource)
	}
	if target {
		g.element(k, uop.RDI, g.layout.Write, n, repeated, spillTarget)
	}
	g.RegRM(amd64.MOV, 8, tmpA, g.slot(uop.BlkRIP))
	g.addImm(amd64.ADDimm, 8, amd64.R(tmpA), int32(u.Off)+int32(u.Len))
	g.indirect(k, u, func(*uop.Uop) { g.stringInstruction(op, n, repeated) })
	return ends, true
}

// element puts the host's address of an operand where it is kept.
func (g *Generator) element(k int, slot uint8, tag int32, n int, repeated bool, spill int32) {
	r := hostReg[slot]
	if repeated {
		g.RegRM(amd64.MOV, 4, tmpB, amd64.R(r))
		g.Imm(amd64.ANDimm, 4, amd64.R(tmpB), pageSize-1)
		g.RegRM(amd64.LEA, 8, tmpB, amd64.Indexed(tmpB, amd64.RCX, log2(n), 0))
		g.addImm(amd64.CMPimm, 8, amd64.R(tmpB), pageSize)
		g.Jcc(amd64.A, g.leaveAt(k))
		n = 1
	}
	at := stringOperand(slot)
	g.address(at, tmpA)
	g.reach(at, tag, n, g.leaving(k))
	g.RegRM(amd64.MOVto, 8, tmpA, amd64.At(rCPU, g.layout.Spill+spill))
}

// stringInstruction is what is done when it is known where to go on. It may use tmpB and AX.
func (g *Generator) stringInstruction(op amd64.StringOp, n int, repeated bool) {
	kept := func(spill int32) amd64.Operand { return amd64.At(rCPU, g.layout.Spill+spill) }
	acc := hostReg[uop.RAX]
	if op == amd64.LODS {
		g.RegRM(amd64.MOV, 8, tmpB, kept(spillSource))
		g.RegRM(amd64.MOV, n, acc, amd64.At(tmpB, 0))
		g.RegRM(amd64.LEA, 8, amd64.RSI, amd64.At(amd64.RSI, int32(n)))
		return
	}
	after := func(r amd64.Reg) amd64.Operand {
		if repeated {
			return amd64.Indexed(r, amd64.RCX, log2(n), 0)
		}
		return amd64.At(r, int32(n))
	}
	if op == amd64.MOVS {
		g.RegRM(amd64.LEA, 8, rAX, after(amd64.RSI))
		g.RegRM(amd64.MOV, 8, amd64.RSI, kept(spillSource))
	}
	g.RegRM(amd64.LEA, 8, tmpB, after(amd64.RDI))
	g.RegRM(amd64.MOV, 8, amd64.RDI, kept(spillTarget))
	if op == amd64.STOS {
		g.RegRM(amd64.MOV, 8, rAX, amd64.R(acc))
	}
	g.String(op, n, repeated)
	g.RegRM(amd64.MOV, 8, amd64.RDI, amd64.R(tmpB))
	if op == amd64.MOVS {
		g.RegRM(amd64.MOV, 8, amd64.RSI, amd64.R(rAX))
	}
}

func log2(n int) uint8 { return uint8(n/2 - n/8) }
