package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Decoding of arithmetic, logic, shifts, bit tests and multiplications.

// aluOps gives the operation for 32 and 64 bits.
var aluOps = [...][2]uop.Op{
	uop.ALUADD: {uop.Add32, uop.Add64}, uop.ALUOR: {uop.Or32, uop.Or64}, uop.ALUADC: {uop.Adc32, uop.Adc64}, uop.ALUSBB: {uop.Sbb32, uop.Sbb64},
	uop.ALUAND: {uop.And32, uop.And64}, uop.ALUSUB: {uop.Sub32, uop.Sub64}, uop.ALUXOR: {uop.Xor32, uop.Xor64}, uop.ALUCMP: {uop.Cmp32, uop.Cmp64},
	uop.ALUTEST: {uop.Test32, uop.Test64},
}

// alu emits dst op= src+imm for an operand of n bytes that is in a slot.
func (d *decoder) alu(kind uint8, n int, dst, src uint8, imm int64) {
	u := uop.Uop{Dst: dst, Src: src, Imm: imm, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero, Aux: uint32(kind)}
	switch {
	case n == 8:
		u.Op = aluOps[kind][1]
	case n == 4:
		u.Op = aluOps[kind][0]
	case n == 2 && kind == uop.ALUCMP:
		u.Op = uop.Cmp16
	case n == 2:
		u.Op = uop.ALU16
	case kind == uop.ALUCMP:
		u.Op = uop.Cmp8
	case kind == uop.ALUTEST:
		u.Op = uop.Test8
	default:
		u.Op = uop.ALU8
	}
	d.emit(u)
}

// aluMem emits the operation with the ModRM operand as destination.
func (d *decoder) aluMem(kind uint8, n int, src uint8, imm int64) {
	compare := kind == uop.ALUCMP || kind == uop.ALUTEST
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
		d.move(uop.GetHigh, uop.Tmp1, h)
		d.alu(kind, 1, uop.Tmp1, src, imm)
		if kind != uop.ALUCMP && kind != uop.ALUTEST {
			d.move(uop.PutHigh, h, uop.Tmp1)
		}
		return
	}
	d.alu(kind, 1, reg, src, imm)
}

// imul emits reg = src * (imm or reg).
func (d *decoder) imul(n int, src uint8, imm int64, three bool) {
	if n == 2 {
		u := uop.Uop{Op: uop.Mul, Dst: d.reg, Src: src, Imm: imm}
		if three {
			u.Aux = 1
		}
		d.emit(u)
		return
	}
	op := uop.Imul32
	if n == 8 {
		op = uop.Imul64
	}
	if !three {
		d.move(op, d.reg, src)
		return
	}
	d.move(uop.Mov64, uop.Tmp1, src)
	d.emit(uop.Uop{Op: op, Dst: uop.Tmp1, Src: uop.Zero, Imm: imm, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero})
	d.move(moveOps[sizeLog(n)], d.reg, uop.Tmp1)
}

// group3 decodes F6 and F7: TEST, NOT, NEG, MUL, IMUL, DIV, IDIV.
func (d *decoder) group3(n int) {
	switch kind := d.reg & 7; kind {
	case 0, 1:
		if d.lock {
			d.undefined()
			return
		}
		var imm int64
		if n == 1 {
			imm = int64(int8(d.imm8()))
		} else {
			imm = d.immZ(n)
		}
		d.alu(uop.ALUTEST, n, d.loadRM(n), uop.Zero, imm)
	case 2, 3:
		if !d.checkLock(false) {
			return
		}
		op := [...]uop.Op{uop.Unary8, uop.Unary16, uop.Not32, uop.Not64}[sizeLog(n)]
		if kind == uop.UnaryNEG && n >= 4 {
			op = [...]uop.Op{4: uop.Neg32, 8: uop.Neg64}[n]
		}
		d.modify(n, func(slot uint8) {
			d.emit(uop.Uop{Op: op, Dst: slot, Aux: uint32(kind), Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero})
		})
	default:
		if d.lock {
			d.undefined()
			return
		}
		src := d.loadRM(n)
		switch {
		case kind == 4 && n == 8:
			d.emit(uop.Uop{Op: uop.Mul64, Src: src})
		case kind < 6:
			d.emit(uop.Uop{Op: uop.MulWide, Src: src, Dst: kind & 1, Aux: uint32(n)})
		default:
			d.emit(uop.Uop{Op: uop.Div, Src: src, Dst: kind & 1, Aux: uint32(n)})
		}
	}
}

func (d *decoder) incDec(n int) {
	if !d.checkLock(false) {
		return
	}
	kind := uop.UnaryINC + d.reg&1
	op := [...]uop.Op{uop.Unary8, uop.Unary16, uop.Inc32, uop.Inc64}[sizeLog(n)]
	if kind == uop.UnaryDEC && n >= 4 {
		op += uop.Dec32 - uop.Inc32
	}
	d.modify(n, func(slot uint8) {
		d.emit(uop.Uop{Op: op, Dst: slot, Aux: uint32(kind), Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero})
	})
}

// shiftGroup decodes C0, C1, D0–D3.
func (d *decoder) shiftGroup(op uint8) {
	n := d.byteOr(op)
	kind := d.reg & 7
	if kind == 6 {
		kind = uop.ShiftSHL
	}
	mask := uint8(31)
	if n == 8 {
		mask = 63
	}
	u := uop.Uop{Op: uop.Shift8 + uop.Op(sizeLog(n)), Aux: uint32(kind), Src: uop.Zero, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero}
	switch {
	case op < 0xD0:
		u.Imm = int64(d.imm8() & mask)
	case op < 0xD2:
		u.Imm = 1
	default:
		u.Src = uop.RCX
	}
	if u.Src == uop.Zero && n >= 4 && u.Imm != 0 {
		if hot := hotShift(kind, n); hot != 0 {
			u.Op = hot
		}
	}
	d.modify(n, func(slot uint8) {
		u.Dst = slot
		d.emit(u)
	})
}

// hotShift returns the switch's operation for a shift by a constant, or 0.
func hotShift(kind uint8, n int) uop.Op {
	var op uop.Op
	switch kind {
	case uop.ShiftSHL:
		op = uop.Shl32
	case uop.ShiftSHR:
		op = uop.Shr32
	case uop.ShiftSAR:
		op = uop.Sar32
	case uop.ShiftROL:
		op = uop.Rol32
	default:
		return 0
	}
	if n == 8 {
		op++
	}
	return op
}

// bitTest emits BT and kin; the bit's number is R[index]+imm. With a register index, memory is addressed as a bit
// string.
func (d *decoder) bitTest(kind, index uint8, imm int64) {
	if !d.checkLock(kind == uop.BitTest) {
		return
	}
	n := d.operandSize()
	u := uop.Uop{Op: uop.Bit, Src: index, Imm: imm, Aux: uint32(kind) | uint32(n)<<8, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero}
	if !d.isReg() && index != uop.Zero {
		seg := d.memory.Seg
		d.emit(d.at(uop.Uop{Op: uop.BitAddress, Dst: addrTmp, Src: index, Aux: uint32(n) | uint32(bitOf(d.addr32))<<8}))
		d.memory = uop.Uop{Base: addrTmp, Index: uop.Zero, Seg: seg}
	}
	if kind == uop.BitTest {
		u.Dst = d.loadRM(n)
		d.emit(u)
		return
	}
	d.modify(n, func(slot uint8) {
		u.Dst = slot
		d.emit(u)
	})
}

func (d *decoder) doubleShift(op uint8) {
	n := d.operandSize()
	u := uop.Uop{Op: uop.ShiftDouble, Src: d.reg, Aux: uint32(n) | uint32(bitOf(op < 0xA8))<<8}
	if op&1 == 0 {
		u.Imm = int64(d.imm8())
		u.Aux |= 1 << 9
	}
	d.modify(n, func(slot uint8) {
		u.Dst = slot
		d.emit(u)
	})
}

// aluEbGb and aluEvGv are operations of the arithmetic group on the ModRM operand and a register.
func (d *decoder) aluEbGb(op uint8) { d.aluMem(op>>3, 1, d.gpr8(d.reg), 0) }
func (d *decoder) aluEvGv(op uint8) { d.aluMem(op>>3, d.operandSize(), d.reg, 0) }

// aluGvEv is an operation of the arithmetic group on a register and the ModRM operand.
func (d *decoder) aluGvEv(op uint8) {
	n := d.operandSize()
	d.alu(op>>3, n, d.reg, d.loadRM(n), 0)
}

// aluAccumulator is an operation on rAX and an immediate.
func (d *decoder) aluAccumulator(kind uint8) {
	n := d.operandSize()
	d.alu(kind, n, uop.RAX, uop.Zero, d.immZ(n))
}

// group1 is the arithmetic group on the ModRM operand and an immediate.
func (d *decoder) group1(op uint8) {
	n := d.operandSize()
	if op == 0x80 {
		n = 1
	}
	var imm int64
	if op == 0x81 {
		imm = d.immZ(n)
	} else {
		imm = int64(int8(d.imm8()))
	}
	d.aluMem(d.reg&7, n, uop.Zero, imm)
}

// test is TEST of the ModRM operand and a register.
func (d *decoder) test(op uint8) {
	n := d.byteOr(op)
	dst, src := d.loadRM(n), d.reg
	if n == 1 {
		src = d.gpr8(d.reg)
	}
	d.alu(uop.ALUTEST, n, dst, src, 0)
}

// imulImmediate is IMUL with three operands.
func (d *decoder) imulImmediate(op uint8) {
	n := d.operandSize()
	src := d.loadRM(n)
	if op == 0x6B {
		d.imul(n, src, int64(int8(d.imm8())), true)
	} else {
		d.imul(n, src, d.immZ(n), true)
	}
}

// group4 is INC and DEC of a byte.
func (d *decoder) group4() {
	if d.reg&7 > 1 {
		d.undefined()
		return
	}
	d.incDec(1)
}

// flagBit is CMC, CLC, STC, CLD or STD.
func (d *decoder) flagBit(op uint8) { d.emit(uop.Uop{Op: uop.FlagBit, Aux: uint32(op)}) }
