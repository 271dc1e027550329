package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// String instructions that go upward and stay within a page on either side, of what the TLB serves. The host's instruction
// of the same name does the work, with the host's addresses in the registers that it wants them in; short copies and fills
// are done without it, since it takes long to begin. Each ends its block, and commits to nothing before it is known where to
// go on.

// Where things are kept over the look-up of the next block.
const (
	spillSource = 0  // the host's address of the source, or of the only operand
	spillNext   = 8  // indirect's own
	spillTarget = 16 // the host's address of the destination
)

// shortString is how many bytes are copied and filled without the host's string instruction, at most.
const shortString = 128

// A stringOp is a string instruction.
type stringOp struct {
	op             amd64.StringOp
	n              int // bytes an element
	repeat         amd64.Repeat
	source, target bool // it has an operand at RSI; at RDI
	compares       bool // and does not store
}

var stringOps = [...]stringOp{
	uop.StringMOVS: {op: amd64.MOVS, source: true, target: true},
	uop.StringCMPS: {op: amd64.CMPS, source: true, target: true, compares: true},
	uop.StringSTOS: {op: amd64.STOS, target: true},
	uop.StringLODS: {op: amd64.LODS, source: true},
	uop.StringSCAS: {op: amd64.SCAS, target: true, compares: true},
}

func (g *Generator) strings(k int, u *uop.Uop) (result, bool) {
	if u.Op != uop.String {
		return 0, false
	}
	if int(u.Dst) >= len(stringOps) || u.Scale != 0 || !isZero(u.Seg) {
		return leaves, true
	}
	s := stringOps[u.Dst]
	s.n, s.repeat = int(u.Src), amd64.Repeat(u.Aux)
	repeated := s.repeat == amd64.REPE || s.repeat == amd64.REPNE
	if repeated != (u.Aux != 0) || repeated && s.op == amd64.LODS || s.n != 1 && s.n != 2 && s.n != 4 && s.n != 8 {
		return leaves, true
	}
	g.spill()
	g.Imm(amd64.TESTimm, 4, amd64.At(rCPU, g.layout.Rest), flagDF|flagTF) // with TF each element is one instruction
	g.Jcc(amd64.NE, g.leaveAt(k))
	if repeated {
		g.repeats(k, &s)
	}
	if s.source {
		g.element(k, uop.RSI, g.layout.Read, &s, spillSource)
	}
	if s.target {
		tag := g.layout.Write
		if s.compares {
			tag = g.layout.Read
		}
		g.element(k, uop.RDI, tag, &s, spillTarget)
	}
	g.RegRM(amd64.MOV, 8, tmpA, g.slot(uop.BlkRIP))
	g.addImm(amd64.ADDimm, 8, amd64.R(tmpA), int32(u.Off)+int32(u.Len))
	g.indirect(k, u, func(*uop.Uop) {
		switch {
		case s.op == amd64.LODS:
			g.loadString(&s)
		case s.compares:
			g.compareString(&s)
		default:
			g.storeString(&s)
		}
	})
	return ends, true
}

// repeats leaves where the count is one that is not for us, and takes off the allowance what a repeated instruction takes
// longer than others: one for each 8 bytes, or for each comparison. The count of instructions, which is what End is more than
// Left, stays.
func (g *Generator) repeats(k int, s *stringOp) {
	by := amd64.RCX
	g.addImm(amd64.CMPimm, 8, amd64.R(amd64.RCX), pageSize)
	g.Jcc(amd64.A, g.leaveAt(k))
	if s.compares { // of nothing it makes no flags
		g.RegRM(amd64.TEST, 8, amd64.RCX, amd64.R(amd64.RCX))
		g.Jcc(amd64.E, g.leaveAt(k))
	} else if s.n < 8 {
		g.RegRM(amd64.MOV, 4, tmpB, amd64.R(amd64.RCX))
		g.Imm(amd64.SHRimm, 4, amd64.R(tmpB), int32(3-log2(s.n)))
		by = tmpB
	}
	g.RegRM(amd64.SUBto, 8, by, amd64.At(rCPU, g.layout.Left))
	g.RegRM(amd64.SUBto, 8, by, amd64.At(rCPU, g.layout.End))
}

// element puts the host's address of an operand where it is kept.
func (g *Generator) element(k int, slot uint8, tag int32, s *stringOp, spill int32) {
	r, n := hostReg[slot], s.n
	if s.repeat != amd64.Once {
		g.RegRM(amd64.MOV, 4, tmpB, amd64.R(r))
		g.Imm(amd64.ANDimm, 4, amd64.R(tmpB), pageSize-1)
		g.RegRM(amd64.LEA, 8, tmpB, amd64.Indexed(tmpB, amd64.RCX, log2(n), 0))
		g.addImm(amd64.CMPimm, 8, amd64.R(tmpB), pageSize)
		g.Jcc(amd64.A, g.leaveAt(k))
		n = 1
	}
	at := &uop.Uop{Base: slot, Index: uop.Zero, Seg: uop.Zero}
	g.address(at, tmpA)
	g.reach(at, tag, n, g.leaving(k))
	g.RegRM(amd64.MOVto, 8, tmpA, g.kept(spill))
}

func (g *Generator) kept(spill int32) amd64.Operand {
	return amd64.At(rCPU, g.layout.Spill+spill)
}

// What follows is done when it is known where to go on. It may use tmpB, AX and R11, in which nothing lives from one
// instruction to the next.

func (g *Generator) loadString(s *stringOp) {
	g.RegRM(amd64.MOV, 8, tmpB, g.kept(spillSource))
	g.RegRM(amd64.MOV, s.n, hostReg[uop.RAX], amd64.At(tmpB, 0))
	g.RegRM(amd64.LEA, 8, amd64.RSI, amd64.At(amd64.RSI, int32(s.n)))
}

// storeString is MOVS and STOS.
func (g *Generator) storeString(s *stringOp) {
	after := func(r amd64.Reg) amd64.Operand {
		if s.repeat != amd64.Once {
			return amd64.Indexed(r, amd64.RCX, log2(s.n), 0)
		}
		return amd64.At(r, int32(s.n))
	}
	if s.source {
		g.RegRM(amd64.LEA, 8, rAX, after(amd64.RSI))
		g.RegRM(amd64.MOV, 8, amd64.RSI, g.kept(spillSource))
	} else {
		g.RegRM(amd64.MOV, 8, rAX, g.slot(uop.RAX))
	}
	g.RegRM(amd64.LEA, 8, tmpB, after(amd64.RDI))
	g.RegRM(amd64.MOV, 8, amd64.RDI, g.kept(spillTarget))
	if s.repeat != amd64.Once {
		g.storeShort(s)
	} else {
		g.String(s.op, s.n, s.repeat)
	}
	g.RegRM(amd64.MOV, 8, amd64.RDI, amd64.R(tmpB))
	if s.source {
		g.RegRM(amd64.MOV, 8, amd64.RSI, amd64.R(rAX))
	}
}

// storeShort is the repeated host's instruction, or moves of 16 bytes and fewer that do the same: in order, and so not
// where a copy reads what it has written.
func (g *Generator) storeShort(s *stringOp) {
	count, data, done := amd64.R(amd64.RCX), amd64.R11, g.Label()
	long := g.later(func() {
		g.String(s.op, s.n, s.repeat)
		g.Jmp(done)
	})
	g.addImm(amd64.CMPimm, 8, count, shortString/int32(s.n))
	g.Jcc(amd64.A, long)
	if s.source {
		// The distance from source to destination, in bytes, is as long as what is to be copied, or it goes downward.
		g.RegRM(amd64.MOV, 8, data, amd64.R(amd64.RDI))
		g.RegRM(amd64.SUB, 8, data, amd64.R(amd64.RSI))
		g.Imm(amd64.SHRimm, 8, amd64.R(data), int32(log2(s.n)))
		g.RegRM(amd64.CMP, 8, data, count)
		g.Jcc(amd64.B, long)
	} else {
		g.pattern(s.n, data)
	}
	if s.n > 1 {
		g.Imm(amd64.SHLimm, 4, count, int32(log2(s.n)))
	}
	step := func(n int32) {
		if s.source {
			g.RegRM(amd64.LEA, 8, amd64.RSI, amd64.At(amd64.RSI, n))
		}
		g.RegRM(amd64.LEA, 8, amd64.RDI, amd64.At(amd64.RDI, n))
	}
	again, few := g.Label(), g.Label()
	g.Bind(again)
	g.addImm(amd64.SUBimm, 4, count, 16)
	g.Jcc(amd64.B, few)
	if s.source {
		g.RegRM(amd64.MOVDQU, 8, xmm0, amd64.At(amd64.RSI, 0))
	}
	g.RegRM(amd64.MOVDQUto, 8, xmm0, amd64.At(amd64.RDI, 0))
	step(16)
	g.Jmp(again)
	g.Bind(few) // the count's low bits are those of what remains
	for n := 8; n >= s.n; n /= 2 {
		not := g.Label()
		g.Imm(amd64.TESTimm, 4, count, int32(n))
		g.Jcc(amd64.E, not)
		if s.source {
			g.RegRM(amd64.MOV, n, data, amd64.At(amd64.RSI, 0))
		}
		g.RegRM(amd64.MOVto, n, data, amd64.At(amd64.RDI, 0))
		step(int32(n))
		g.Bind(not)
	}
	g.MovImm(amd64.RCX, 0)
	g.Bind(done)
}

// pattern puts what AX has in n bytes into all of data and of xmm0.
func (g *Generator) pattern(n int, data amd64.Reg) {
	g.RegRM(amd64.MOV, 8, data, amd64.R(rAX))
	switch n {
	case 1:
		g.RegRM(amd64.MOVZX8, 4, data, amd64.R(data))
		g.RegRMImm(amd64.IMULimm, 4, data, amd64.R(data), 0x0101_0101)
	case 2:
		g.RegRM(amd64.MOVZX16, 4, data, amd64.R(data))
		g.RegRMImm(amd64.IMULimm, 4, data, amd64.R(data), 0x0001_0001)
	}
	g.RegRM(amd64.MOVD, 8, xmm0, amd64.R(data))
	lower := int32(0x44) // both quadwords are the first
	if n < 8 {
		lower = 0 // all doublewords are
	}
	g.RegRMImm(amd64.PSHUFD, 8, xmm0, amd64.R(xmm0), lower)
	g.RegRM(amd64.MOVDto, 8, xmm0, amd64.R(data))
}

// compareString is CMPS and SCAS. The flags go where indirect will find them.
func (g *Generator) compareString(s *stringOp) {
	g.RegRM(amd64.MOV, 8, rAX, g.slot(uop.RAX))
	if s.source {
		g.RegRM(amd64.MOV, 8, tmpB, amd64.R(amd64.RSI))
		g.RegRM(amd64.MOV, 8, amd64.RSI, g.kept(spillSource))
		g.RegRM(amd64.SUB, 8, tmpB, amd64.R(amd64.RSI))
	}
	g.RegRM(amd64.MOV, 8, amd64.R11, amd64.R(amd64.RDI))
	g.RegRM(amd64.MOV, 8, amd64.RDI, g.kept(spillTarget))
	g.RegRM(amd64.SUB, 8, amd64.R11, amd64.R(amd64.RDI))
	g.String(s.op, s.n, s.repeat)
	g.Lahf()
	g.Set(amd64.O, amd64.R(rAX))
	g.RegRM(amd64.MOVto, 4, rAX, amd64.At(rCPU, g.layout.Flags))
	if s.source {
		g.RegRM(amd64.LEA, 8, amd64.RSI, amd64.Indexed(amd64.RSI, tmpB, 0, 0))
	}
	g.RegRM(amd64.LEA, 8, amd64.RDI, amd64.Indexed(amd64.RDI, amd64.R11, 0, 0))
}

func log2(n int) uint8 { return uint8(n/2 - n/8) }
