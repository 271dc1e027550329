package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Registers that hold something all the time, and the two that are free.
const (
	rCPU = amd64.R15
	tmpA = amd64.R14
	tmpB = amd64.R13
	rSP  = amd64.R10 // the stack's entry in the TLB
	rAX  = amd64.RAX // flags
)

// pinned says which slots are in registers. RCX and RDX are where instructions want them; of the others those are in
// registers that code uses most.
var pinned = map[uint8]amd64.Reg{
	uop.RAX: amd64.R8, uop.RCX: amd64.RCX, uop.RDX: amd64.RDX, uop.RBX: amd64.RBX, uop.RSP: amd64.RBP, uop.RBP: amd64.R12,
	uop.RSI: amd64.RSI, uop.RDI: amd64.RDI, uop.R8: amd64.R9, uop.Tmp0: amd64.R11,
}

const notPinned amd64.Reg = 0xFE

var hostReg [uop.Slots]amd64.Reg

func init() {
	for i := range hostReg {
		hostReg[i] = notPinned
		if r, ok := pinned[uint8(i)]; ok {
			hostReg[i] = r
		}
	}
}

func isZero(slot uint8) bool { return hostcode.IsZero(slot) }

// slot is where a slot is: a register, or memory.
func (g *Generator) slot(s uint8) amd64.Operand {
	if r := hostReg[s%uop.Slots]; r != notPinned {
		return amd64.R(r)
	}
	return amd64.At(rCPU, g.layout.R+int32(s%uop.Slots)*8)
}

// get returns a register that holds a slot's value: its own, or tmp.
func (g *Generator) get(s uint8, tmp amd64.Reg) amd64.Reg {
	if isZero(s) {
		g.MovImm(tmp, 0)
		return tmp
	}
	if o := g.slot(s); o.IsMemory() {
		g.RegRM(amd64.MOV, 8, tmp, o)
		return tmp
	}
	return hostReg[s%uop.Slots]
}

// dst returns the register in which a slot's new value is to be computed, and what puts it there. With load, the register
// holds the old value. It is tmpB where the slot is in memory.
func (g *Generator) dst(s uint8, load bool) (amd64.Reg, func()) {
	r, put := g.dstIn(s, tmpB)
	if load && r == tmpB {
		g.RegRM(amd64.MOV, 8, tmpB, g.slot(s))
	}
	return r, put
}

// dstIn is dst without the old value, and with another register.
func (g *Generator) dstIn(s uint8, tmp amd64.Reg) (amd64.Reg, func()) {
	o := g.slot(s)
	if !o.IsMemory() {
		return o.Reg(), func() {}
	}
	return tmp, func() { g.RegRM(amd64.MOVto, 8, tmp, o) }
}

// A source is the second operand of an operation: a place, or a constant.
type source struct {
	amd64.Operand
	constant bool
	imm      int32
}

// src is R[Src]+Imm for an operation of n bytes. It is in tmpA where it is a constant of more than 32 bits.
func (g *Generator) src(u *uop.Uop, n int) (source, bool) {
	switch {
	case !isZero(u.Src):
		return source{Operand: g.slot(u.Src)}, u.Imm == 0
	case n == 8 && int64(int32(u.Imm)) != u.Imm:
		g.MovImm(tmpA, uint64(u.Imm))
		return source{Operand: amd64.R(tmpA)}, true
	}
	return source{constant: true, imm: int32(u.Imm)}, true
}

// addImm emits an operation of the arithmetic group with a constant, in the shorter of its two forms.
func (g *Generator) addImm(op amd64.Op, n int, o amd64.Operand, imm int32) {
	if n > 1 && imm == int32(int8(imm)) {
		op += amd64.ADDimm8 - amd64.ADDimm
	}
	g.Imm(op, n, o, imm)
}
