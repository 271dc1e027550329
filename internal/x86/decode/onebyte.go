package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// The one-byte opcode map in 64-bit mode (SDM vol. 2, table A-2).

// An opcodeRow says how opcodes are decoded: those from first to last, each or one in so many.
type opcodeRow struct {
	first, last uint8
	step        uint8 // 0 is 1
	has         opcodeHas
	decode      func(d *decoder, op uint8)
}

// opcodeHas is what goes for an opcode whatever else it is.
type opcodeHas uint8

const (
	modRM opcodeHas = 1 << iota // a ModRM byte follows, which has been read when decode is called
	lock                        // LOCK may stand in front, where the ModRM operand is memory: decode calls checkLock
)

// oneByteRows are the opcodes that there are in 64-bit mode and that are not prefixes; the others raise #UD. The names of
// functions tell operands as the manual does (SDM vol. 2, A.2): E and G are what ModRM's rm and reg name, I is an immediate,
// b a byte, v and z have the operand's size, of which z at most 32 bits are in the instruction.
var oneByteRows = []opcodeRow{
	{0x00, 0x30, 8, modRM | lock, (*decoder).aluEbGb},                                                            // ADD, OR, ADC, SBB, AND, SUB, XOR Eb, Gb
	{0x01, 0x31, 8, modRM | lock, (*decoder).aluEvGv},                                                            // … Ev, Gv
	{0x38, 0x38, 0, modRM, (*decoder).aluEbGb},                                                                   // CMP Eb, Gb
	{0x39, 0x39, 0, modRM, (*decoder).aluEvGv},                                                                   // CMP Ev, Gv
	{0x02, 0x3A, 8, modRM, func(d *decoder, op uint8) { d.aluReg8(op>>3, d.reg, d.loadRM(1), 0) }},               // ADD to CMP Gb, Eb
	{0x03, 0x3B, 8, modRM, (*decoder).aluGvEv},                                                                   // … Gv, Ev
	{0x04, 0x3C, 8, 0, func(d *decoder, op uint8) { d.alu(op>>3, 1, uop.RAX, uop.Zero, int64(int8(d.imm8()))) }}, // … AL, Ib
	{0x05, 0x3D, 8, 0, func(d *decoder, op uint8) { d.aluAccumulator(op >> 3) }},                                 // … eAX, Iz
	{0x0F, 0x0F, 0, lock, func(d *decoder, _ uint8) { d.twoByte() }},

	{0x50, 0x5F, 0, 0, (*decoder).pushPop},                                                        // PUSH, POP of registers
	{0x63, 0x63, 0, modRM, func(d *decoder, _ uint8) { d.extend(min(d.operandSize(), 4), true) }}, // MOVSXD Gv, Ed; with a 16-bit operand, Gw, Ew
	{0x68, 0x68, 0, 0, func(d *decoder, _ uint8) { d.pushImmediate(d.immZ(d.operandSize())) }},
	{0x69, 0x69, 0, modRM, (*decoder).imulImmediate},
	{0x6A, 0x6A, 0, 0, func(d *decoder, _ uint8) { d.pushImmediate(int64(int8(d.imm8()))) }},
	{0x6B, 0x6B, 0, modRM, (*decoder).imulImmediate},
	{0x6C, 0x6F, 0, 0, (*decoder).ioString}, // INS, OUTS
	{0x70, 0x7F, 0, 0, func(d *decoder, op uint8) { rel := int64(int8(d.imm8())); d.jcc(op&15, rel) }},

	{0x80, 0x81, 0, modRM | lock, (*decoder).group1},
	{0x83, 0x83, 0, modRM | lock, (*decoder).group1},
	{0x84, 0x85, 0, modRM, (*decoder).test},
	{0x86, 0x87, 0, modRM | lock, func(d *decoder, op uint8) { d.exchange(d.byteOr(op)) }},
	{0x88, 0x89, 0, modRM, (*decoder).moveEG},
	{0x8A, 0x8B, 0, modRM, (*decoder).moveGE},
	{0x8C, 0x8C, 0, modRM, func(d *decoder, _ uint8) { d.storeSegment() }}, // MOV Ev, Sw
	{0x8D, 0x8D, 0, modRM, func(d *decoder, _ uint8) { d.lea() }},
	{0x8E, 0x8E, 0, modRM, func(d *decoder, _ uint8) { d.loadSegment() }}, // MOV Sw, Ew
	{0x8F, 0x8F, 0, modRM, func(d *decoder, _ uint8) { d.popRM() }},       // POP Ev

	{0x90, 0x97, 0, 0, (*decoder).exchangeAccumulator},                                                               // NOP, PAUSE, XCHG with rAX
	{0x98, 0x98, 0, 0, func(d *decoder, _ uint8) { d.emit(uop.Uop{Op: uop.Convert, Aux: uint32(d.operandSize())}) }}, // CBW, CWDE, CDQE
	{0x99, 0x99, 0, 0, func(d *decoder, _ uint8) { d.emit(uop.Uop{Op: uop.Cwd, Aux: uint32(d.operandSize())}) }},     // CWD, CDQ, CQO
	{0x9B, 0x9B, 0, 0, func(d *decoder, _ uint8) { d.fwait() }},
	{0x9C, 0x9C, 0, 0, func(d *decoder, _ uint8) { d.emit(uop.Uop{Op: uop.Pushf, Aux: d.stackSize()}) }},
	{0x9D, 0x9D, 0, 0, func(d *decoder, _ uint8) { d.last(uop.Uop{Op: uop.Popf, Aux: d.stackSize()}) }},
	{0x9E, 0x9E, 0, 0, func(d *decoder, _ uint8) { d.emit(uop.Uop{Op: uop.Sahf}) }},
	{0x9F, 0x9F, 0, 0, func(d *decoder, _ uint8) { d.emit(uop.Uop{Op: uop.Lahf}) }},

	{0xA0, 0xA3, 0, 0, (*decoder).moveOffset}, // MOV with a 64-bit offset
	{0xA4, 0xA7, 0, 0, (*decoder).stringOp},
	{0xA8, 0xA8, 0, 0, func(d *decoder, _ uint8) { d.alu(uop.ALUTEST, 1, uop.RAX, uop.Zero, int64(int8(d.imm8()))) }},
	{0xA9, 0xA9, 0, 0, func(d *decoder, _ uint8) { d.aluAccumulator(uop.ALUTEST) }},
	{0xAA, 0xAF, 0, 0, (*decoder).stringOp},
	{0xB0, 0xB7, 0, 0, (*decoder).moveImmediate8},
	{0xB8, 0xBF, 0, 0, (*decoder).moveImmediate},

	{0xC0, 0xC1, 0, modRM, (*decoder).shiftGroup},
	{0xC2, 0xC2, 0, 0, func(d *decoder, _ uint8) { d.ret(int64(d.imm16())) }},
	{0xC3, 0xC3, 0, 0, func(d *decoder, _ uint8) { d.ret(0) }},
	{0xC4, 0xC5, 0, 0, (*decoder).vexed},
	{0xC6, 0xC7, 0, modRM, (*decoder).group11},
	{0xC8, 0xC8, 0, 0, func(d *decoder, _ uint8) { d.enter() }},
	{0xC9, 0xC9, 0, 0, func(d *decoder, _ uint8) { d.emit(uop.Uop{Op: uop.Leave, Aux: d.stackSize()}) }},
	{0xCA, 0xCA, 0, 0, func(d *decoder, _ uint8) { d.retFar(int64(d.imm16())) }},
	{0xCB, 0xCB, 0, 0, func(d *decoder, _ uint8) { d.retFar(0) }},
	{0xCC, 0xCC, 0, 0, func(d *decoder, _ uint8) { d.control(uop.Uop{Op: uop.Int, Aux: uop.VectorBP}) }},
	{0xCD, 0xCD, 0, 0, func(d *decoder, _ uint8) { d.control(uop.Uop{Op: uop.Int, Aux: uint32(d.imm8()), Imm: 1}) }},
	{0xCF, 0xCF, 0, 0, func(d *decoder, _ uint8) { d.control(uop.Uop{Op: uop.Iret, Aux: uint32(d.operandSize())}) }},

	{0xD0, 0xD3, 0, modRM, (*decoder).shiftGroup},
	{0xD7, 0xD7, 0, 0, func(d *decoder, _ uint8) {
		d.emit(uop.Uop{Op: uop.Xlat, Seg: d.seg, Base: uop.RBX, Index: uop.Zero, Aux: uint32(bitOf(d.addr32))})
	}},
	{0xD8, 0xDF, 0, 0, (*decoder).x87}, // which looks for #NM before it reads ModRM

	{0xE0, 0xE3, 0, 0, (*decoder).loop}, // LOOPNE, LOOPE, LOOP, JRCXZ
	{0xE4, 0xE7, 0, 0, (*decoder).io},   // IN, OUT
	{0xE8, 0xE8, 0, 0, func(d *decoder, _ uint8) { rel := int64(int32(d.imm32())); d.branch(uop.Call, rel) }},
	{0xE9, 0xE9, 0, 0, func(d *decoder, _ uint8) { rel := int64(int32(d.imm32())); d.branch(uop.Jmp, rel) }},
	{0xEB, 0xEB, 0, 0, func(d *decoder, _ uint8) { rel := int64(int8(d.imm8())); d.branch(uop.Jmp, rel) }},
	{0xEC, 0xEF, 0, 0, (*decoder).io},

	{0xF1, 0xF1, 0, 0, func(d *decoder, _ uint8) { d.control(uop.Uop{Op: uop.Int1}) }},
	{0xF4, 0xF4, 0, 0, func(d *decoder, _ uint8) { d.privileged(); d.sensitive(uop.InsnHLT, uop.Uop{Op: uop.Hlt}) }},
	{0xF5, 0xF5, 0, 0, (*decoder).flagBit}, // CMC
	{0xF6, 0xF7, 0, modRM | lock, func(d *decoder, op uint8) { d.group3(d.byteOr(op)) }},
	{0xF8, 0xF9, 0, 0, (*decoder).flagBit}, // CLC, STC
	{0xFA, 0xFA, 0, 0, func(d *decoder, _ uint8) { d.emit(uop.Uop{Op: uop.Cli}) }},
	{0xFB, 0xFB, 0, 0, func(d *decoder, _ uint8) { d.last(uop.Uop{Op: uop.Sti}) }},
	{0xFC, 0xFD, 0, 0, (*decoder).flagBit}, // CLD, STD
	{0xFE, 0xFE, 0, modRM | lock, func(d *decoder, _ uint8) { d.group4() }},
	{0xFF, 0xFF, 0, modRM | lock, func(d *decoder, _ uint8) { d.group5() }},
}

var oneByte = byOpcode(oneByteRows)

// byOpcode returns the row of each opcode, nil where there is none.
func byOpcode(rows []opcodeRow) (m [256]*opcodeRow) {
	for i := range rows {
		r := &rows[i]
		for op := int(r.first); op <= int(r.last); op += int(max(r.step, 1)) {
			m[op] = r
		}
	}
	return m
}

// opcode decodes the instruction whose first opcode byte is op.
func (d *decoder) opcode(op uint8) {
	if r := oneByte[op]; r != nil {
		d.row(r, op)
		return
	}
	d.undefined()
}

// row decodes the rest of an instruction, of which opcodes have been read.
func (d *decoder) row(r *opcodeRow, op uint8) {
	if d.lock && r.has&lock == 0 {
		d.undefined()
		return
	}
	if r.has&modRM != 0 {
		d.modrm()
	}
	r.decode(d, op)
}
