package amd64

import (
	"encoding/binary"
	"fmt"
)

// An Assembler collects instructions. Its zero value is ready; Start gives the address of the first byte, which matters
// to [Relative] operands alone.
type Assembler struct {
	Bytes  []byte
	Start  uint64
	labels []int // where each is, -1 if nowhere yet
	uses   []use
	named  uint32 // registers, by their numbers
}

// Unname forgets which instructions have had r as operand; Named says whether any has since, other than in an address.
func (a *Assembler) Unname(r Reg)     { a.named &^= 1 << r }
func (a *Assembler) Named(r Reg) bool { return a.named>>r&1 != 0 }

func (a *Assembler) name(r Reg, o Operand) {
	if r < 16 {
		a.named |= 1 << r
	}
	if !o.memory {
		a.named |= 1 << o.base
	}
}

// Reset makes a ready to assemble other code, at start.
func (a *Assembler) Reset(start uint64) {
	a.Bytes, a.labels, a.uses, a.Start = a.Bytes[:0], a.labels[:0], a.uses[:0], start
}

func (a *Assembler) bytes(b ...byte) { a.Bytes = append(a.Bytes, b...) }
func (a *Assembler) word32(v uint32) { a.Bytes = binary.LittleEndian.AppendUint32(a.Bytes, v) }
func (a *Assembler) word64(v uint64) { a.Bytes = binary.LittleEndian.AppendUint64(a.Bytes, v) }

// RegRM assembles an instruction of a register and an operand of size bytes, in the order of the row. For instructions
// on XMM registers size counts only where the operand is a general-purpose register.
func (a *Assembler) RegRM(op Op, size int, reg Reg, o Operand) {
	a.instruction(op, size, reg, o, 0)
}

// RM assembles an instruction of one operand, or of one and a count that is 1 or in CL.
func (a *Assembler) RM(op Op, size int, o Operand) { a.instruction(op, size, none, o, 0) }

// Imm assembles an instruction of an operand and an immediate, of which as many bytes count as the row says.
func (a *Assembler) Imm(op Op, size int, o Operand, imm int32) {
	a.instruction(op, size, none, o, imm)
}

// RegRMImm is RegRM with an immediate.
func (a *Assembler) RegRMImm(op Op, size int, reg Reg, o Operand, imm int32) {
	a.instruction(op, size, reg, o, imm)
}

func (a *Assembler) instruction(op Op, size int, reg Reg, o Operand, imm int32) {
	e := &encodings[op]
	a.name(reg, o)
	if e.sizes != 0 && int(e.sizes)&size == 0 || e.alone() != (reg == none) {
		panic(fmt.Sprintf("BUG: %s does not have these operands of %d bytes", e.name, size))
	}
	if e.alone() {
		reg = Reg(e.digit)
	}
	code := e.code
	if size == 1 && e.sizes == all {
		code &^= 1
	}
	if size == 2 && e.sizes != 0 {
		a.bytes(0x66)
	}
	if e.prefix != 0 {
		a.bytes(e.prefix)
	}
	a.rex(e, size, reg, o)
	switch e.escape {
	case 1:
		a.bytes(0x0F)
	case 2:
		a.bytes(0x0F, 0x38)
	case 3:
		a.bytes(0x0F, 0x3A)
	}
	a.bytes(code)
	n := 0
	switch e.imm {
	case imm8:
		n = 1
	case immOp:
		n = min(size, 4)
	}
	a.modRM(reg, o, n)
	switch n {
	case 1:
		a.bytes(byte(imm))
	case 2:
		a.bytes(byte(imm), byte(imm>>8))
	case 4:
		a.word32(uint32(imm))
	}
}

// alone says that rm is the only register, or place in memory, that the instruction has.
func (e *encoding) alone() bool { return e.form == rm || e.form == xmmDigit }

// rex emits a REX prefix where one is needed: for 64 bits, for registers from R8, and for the low bytes of RSP to RDI.
func (a *Assembler) rex(e *encoding, size int, reg Reg, o Operand) {
	rex := byte(0)
	if size == 8 && e.sizes&b64 != 0 && e.sizes != b64 || e.form == regRM && e.sizes == b64 {
		rex = 0x48
	}
	low := func(r Reg) bool { return r >= RSP && r <= RDI }
	if e.form <= rm {
		if size == 1 && e.form != rm && low(reg) || (size == 1 || e.narrow == b8) && !o.memory && low(o.base) {
			rex |= 0x40
		}
	}
	if reg != none && reg >= R8 {
		rex |= 0x44
	}
	if o.index != none && o.index >= R8 {
		rex |= 0x42
	}
	if o.base != none && o.base >= R8 {
		rex |= 0x41
	}
	if rex != 0 {
		a.bytes(rex)
	}
}

// modRM emits ModRM, SIB and displacement; after bytes of the instruction follow.
func (a *Assembler) modRM(reg Reg, o Operand, after int) {
	r := byte(reg&7) << 3
	switch {
	case !o.memory:
		a.bytes(0xC0 | r | byte(o.base&7))
	case o.relative:
		a.bytes(r | 5)
		next := a.Start + uint64(len(a.Bytes)+4+after)
		d := int64(o.target - next)
		if d != int64(int32(d)) {
			panic("BUG: a relative operand is too far away")
		}
		a.word32(uint32(d))
	case o.base == none: // always with 32 bits of displacement
		a.bytes(r|4, o.sib(5))
		a.word32(uint32(o.disp))
	default:
		b := byte(o.base & 7)
		needSIB := o.index != none || b == 4
		if needSIB {
			b = 4
		}
		mod := byte(0x80)
		switch {
		case o.disp == 0 && o.base&7 != 5:
			mod = 0
		case o.disp == int32(int8(o.disp)):
			mod = 0x40
		}
		a.bytes(mod | r | b)
		if needSIB {
			a.bytes(o.sib(byte(o.base & 7)))
		}
		switch mod {
		case 0x40:
			a.bytes(byte(o.disp))
		case 0x80:
			a.word32(uint32(o.disp))
		}
	}
}

func (o Operand) sib(base byte) byte {
	index := byte(4) // none
	if o.index != none {
		if o.index == RSP {
			panic("BUG: RSP cannot be an index")
		}
		index = byte(o.index & 7)
	}
	return o.scale<<6 | index<<3 | base
}

// Truncate takes back everything after the first n bytes. No label may have been bound there.
func (a *Assembler) Truncate(n int) {
	a.Bytes = a.Bytes[:n]
	for len(a.uses) > 0 && a.uses[len(a.uses)-1].at >= n {
		a.uses = a.uses[:len(a.uses)-1]
	}
}
