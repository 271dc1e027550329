package x86

// Decoding of the one-byte opcode map in 64-bit mode (SDM vol. 2, table A-2).

// Operations of the arithmetic group in the order of bits 5:3 of their opcodes (SDM vol. 2, table A-6, group 1).
const (
	aluADD = iota
	aluOR
	aluADC
	aluSBB
	aluAND
	aluSUB
	aluXOR
	aluCMP
	aluTEST // not part of the encoding
)

// aluOps gives the operation for 32 and 64 bits.
var aluOps = [...][2]Op{
	aluADD: {OpAdd32, OpAdd64}, aluOR: {OpOr32, OpOr64}, aluADC: {OpAdc32, OpAdc64}, aluSBB: {OpSbb32, OpSbb64},
	aluAND: {OpAnd32, OpAnd64}, aluSUB: {OpSub32, OpSub64}, aluXOR: {OpXor32, OpXor64}, aluCMP: {OpCmp32, OpCmp64},
	aluTEST: {OpTest32, OpTest64},
}

// opcode decodes the instruction whose first opcode byte is op.
func (d *decoder) opcode(op uint8) {
	if d.lock && !lockable(op) {
		d.undefined()
		return
	}
	switch {
	case op < 0x40:
		d.arithmetic(op)
	case op < 0x60:
		d.pushPop(op)
	case op >= 0x70 && op < 0x80:
		rel := int64(int8(d.imm8()))
		d.jcc(op&15, rel)
	case op >= 0xB0 && op < 0xB8:
		d.moveImmediate8(op)
	case op >= 0xB8 && op < 0xC0:
		d.moveImmediate(op)
	case op >= 0xD8 && op < 0xE0:
		d.x87(op)
	default:
		d.other(op)
	}
}

// lockable says whether LOCK may stand before a one-byte opcode at all; the ModRM operand must then be memory, which d.checkLock sees to.
func lockable(op uint8) bool {
	switch {
	case op < 0x40:
		return op&7 < 2 && op>>3 != aluCMP || op == 0x0F
	case op == 0x80, op == 0x81, op == 0x83, op == 0x86, op == 0x87, op == 0xF6, op == 0xF7, op == 0xFE, op == 0xFF:
		return true
	}
	return false
}

// arithmetic decodes 00–3F: eight operations in six forms each, and the two-byte escape.
func (d *decoder) arithmetic(op uint8) {
	kind := op >> 3
	switch op & 7 {
	case 0: // Eb, Gb
		d.modrm()
		d.aluMem(kind, 1, d.gpr8(d.reg), 0)
	case 1: // Ev, Gv
		d.modrm()
		d.aluMem(kind, d.operandSize(), d.reg, 0)
	case 2: // Gb, Eb
		d.modrm()
		src := d.loadRM(1)
		d.aluReg8(kind, d.reg, src, 0)
	case 3: // Gv, Ev
		d.modrm()
		n := d.operandSize()
		d.alu(kind, n, d.reg, d.loadRM(n), 0)
	case 4: // AL, Ib
		d.alu(kind, 1, RAX, Zero, int64(int8(d.imm8())))
	case 5: // eAX, Iz
		n := d.operandSize()
		d.alu(kind, n, RAX, Zero, d.immZ(n))
	default:
		if op == 0x0F {
			d.twoByte()
			return
		}
		d.undefined()
	}
}

// immZ reads an immediate of up to 32 bits, sign-extended.
func (d *decoder) immZ(n int) int64 {
	if n == 2 {
		return int64(int16(d.imm16()))
	}
	return int64(int32(d.imm32()))
}

// alu emits dst op= src+imm for an operand of n bytes that is in a slot.
func (d *decoder) alu(kind uint8, n int, dst, src uint8, imm int64) {
	u := Uop{Dst: dst, Src: src, Imm: imm, Base: Zero, Index: Zero, Seg: Zero, Aux: uint32(kind)}
	switch {
	case n == 8:
		u.Op = aluOps[kind][1]
	case n == 4:
		u.Op = aluOps[kind][0]
	case n == 2 && kind == aluCMP:
		u.Op = OpCmp16
	case n == 2:
		u.Op = opALU16
	case kind == aluCMP:
		u.Op = OpCmp8
	case kind == aluTEST:
		u.Op = OpTest8
	default:
		u.Op = opALU8
	}
	d.emit(u)
}

// aluMem emits the operation with the ModRM operand as destination.
func (d *decoder) aluMem(kind uint8, n int, src uint8, imm int64) {
	compare := kind == aluCMP || kind == aluTEST
	if !d.checkLock(compare) {
		return
	}
	if compare {
		d.alu(kind, n, d.loadRM(n), src, imm)
		return
	}
	d.modify(n, func(slot uint8) { d.alu(kind, n, slot, src, imm) })
}

// aluReg8 emits the operation on a byte register.
func (d *decoder) aluReg8(kind uint8, reg, src uint8, imm int64) {
	if h, ok := d.high(reg); ok {
		d.move(OpGetHigh, Tmp1, h)
		d.alu(kind, 1, Tmp1, src, imm)
		if kind != aluCMP && kind != aluTEST {
			d.move(OpPutHigh, h, Tmp1)
		}
		return
	}
	d.alu(kind, 1, reg, src, imm)
}

// high says whether reg, as byte register, is AH, CH, DH or BH, and of which register it is a part.
func (d *decoder) high(reg uint8) (uint8, bool) {
	if d.rex == 0 && reg >= 4 && reg < 8 {
		return reg - 4, true
	}
	return reg, false
}

// gpr8 returns a slot that holds byte register reg: the register's own, or Tmp2 where it is a high byte.
func (d *decoder) gpr8(reg uint8) uint8 {
	if h, ok := d.high(reg); ok {
		d.move(OpGetHigh, Tmp2, h)
		return Tmp2
	}
	return reg
}

// move emits an operation with one source and one destination.
func (d *decoder) move(op Op, dst, src uint8) {
	d.emit(Uop{Op: op, Dst: dst, Src: src, Base: Zero, Index: Zero, Seg: Zero})
}

// loadOps gives the zero-extending load of 1<<i bytes, and the one for operands that will be stored to.
var loadOps = [...][2]Op{{OpLoad8, OpLoadW8}, {OpLoad16, OpLoadW16}, {OpLoad32, OpLoadW32}, {OpLoad64, OpLoadW64}}

var storeOps = [...]Op{OpStore8, OpStore16, OpStore32, OpStore64}
var moveOps = [...]Op{OpMov8, OpMov16, OpMov32, OpMov64}

func log2(n int) int {
	switch n {
	case 1:
		return 0
	case 2:
		return 1
	case 4:
		return 2
	}
	return 3
}

// loadRM returns a slot that holds the ModRM operand of n bytes: a register, or Tmp0 after a load.
func (d *decoder) loadRM(n int) uint8 {
	if !d.isReg() {
		d.emit(d.at(Uop{Op: loadOps[log2(n)][0], Dst: Tmp0, Src: Zero}))
		return Tmp0
	}
	if n == 1 {
		if h, ok := d.high(d.rm); ok {
			d.move(OpGetHigh, Tmp0, h)
			return Tmp0
		}
	}
	return d.rm
}

// modify emits what f emits on a slot that stands for the ModRM operand of n bytes, with the load before it and the store behind it.
// f's operations must leave the slot's bits above n bytes as a register's are left.
func (d *decoder) modify(n int, f func(slot uint8)) {
	if !d.isReg() {
		d.emit(d.at(Uop{Op: loadOps[log2(n)][1], Dst: Tmp0, Src: Zero}))
		f(Tmp0)
		d.emit(d.at(Uop{Op: storeOps[log2(n)], Src: Tmp0}))
		return
	}
	if n == 1 {
		if h, ok := d.high(d.rm); ok {
			d.move(OpGetHigh, Tmp0, h)
			f(Tmp0)
			d.move(OpPutHigh, h, Tmp0)
			return
		}
	}
	f(d.rm)
}

// storeRM emits a store of src+imm to the ModRM operand of n bytes.
func (d *decoder) storeRM(n int, src uint8, imm int64) {
	if !d.isReg() {
		d.emit(d.at(Uop{Op: storeOps[log2(n)], Src: src, Imm: imm}))
		return
	}
	d.storeReg(n, d.rm, src, imm)
}

// storeReg emits a move of src+imm to register reg of n bytes.
func (d *decoder) storeReg(n int, reg, src uint8, imm int64) {
	op := moveOps[log2(n)]
	if n == 1 {
		if h, ok := d.high(reg); ok {
			op, reg = OpPutHigh, h
		}
	}
	d.emit(Uop{Op: op, Dst: reg, Src: src, Imm: imm, Base: Zero, Index: Zero, Seg: Zero})
}

// checkLock raises #UD for LOCK with a register operand, or where the instruction does not take it.
func (d *decoder) checkLock(forbidden bool) bool {
	if d.lock && (forbidden || d.isReg()) {
		d.undefined()
		return false
	}
	return true
}

// pushPop decodes 50–5F. 40–4F are REX prefixes and do not get here.
func (d *decoder) pushPop(op uint8) {
	reg := op & 7
	if d.rex&rexB != 0 {
		reg |= 8
	}
	d.pushPopSlot(op < 0x58, reg, reg)
}

func (d *decoder) pushPopSlot(push bool, dst, src uint8) {
	u := Uop{Op: OpPop, Dst: dst, Src: src, Base: Zero, Index: Zero, Seg: Zero}
	switch {
	case push && d.stackSize() == 2:
		u.Op = opPush16
	case push:
		u.Op = OpPush
	case d.stackSize() == 2:
		u.Op = opPop16
	}
	d.emit(u)
}

// jcc emits a conditional jump to rel bytes behind the instruction.
func (d *decoder) jcc(cc uint8, rel int64) {
	target := int64(d.pos) + rel
	d.emit(Uop{Op: OpJo + Op(cc), Aux: d.linkTo(target), Imm: target, Base: Zero, Index: Zero, Seg: Zero})
}

func (d *decoder) moveImmediate8(op uint8) {
	reg := op & 7
	if d.rex&rexB != 0 {
		reg |= 8
	}
	d.storeReg(1, reg, Zero, int64(d.imm8()))
}

func (d *decoder) moveImmediate(op uint8) {
	reg := op & 7
	if d.rex&rexB != 0 {
		reg |= 8
	}
	var imm int64
	n := d.operandSize()
	switch n {
	case 8:
		imm = int64(d.imm64())
	case 4:
		imm = int64(d.imm32())
	default:
		imm = int64(d.imm16())
	}
	d.storeReg(n, reg, Zero, imm)
}

// nearSize is the operand size of near branches and stack operations: 64 bits, since in 64-bit mode nothing else is.
// A 66 prefix before a near branch is ignored by Intel's processors and obeyed by AMD's; it is ignored here.
func (d *decoder) branch(op Op, rel int64) {
	target := int64(d.pos) + rel
	d.emit(Uop{Op: op, Aux: d.linkTo(target), Imm: target, Base: Zero, Index: Zero, Seg: Zero})
	d.end = true
}

// control emits an operation of the table that sets CPU.target, and the exit behind it.
func (d *decoder) control(u Uop) {
	d.emit(u)
	d.emit(Uop{Op: OpGoto, Src: Zero, Base: Zero, Index: Zero, Seg: Zero, Aux: noLink})
	d.end = true
}

// last emits an operation behind which the block ends, and its successor is looked up.
func (d *decoder) last(u Uop) {
	d.emit(u)
	d.emit(Uop{Op: OpEnd, Src: Zero, Base: Zero, Index: Zero, Seg: Zero, Aux: noLink, Imm: int64(d.pos)})
	d.end = true
}
