package x86

// Decoding of arithmetic, logic, shifts, bit tests and multiplications.

// aluOps gives the operation for 32 and 64 bits.
var aluOps = [...][2]Op{
	aluADD: {OpAdd32, OpAdd64}, aluOR: {OpOr32, OpOr64}, aluADC: {OpAdc32, OpAdc64}, aluSBB: {OpSbb32, OpSbb64},
	aluAND: {OpAnd32, OpAnd64}, aluSUB: {OpSub32, OpSub64}, aluXOR: {OpXor32, OpXor64}, aluCMP: {OpCmp32, OpCmp64},
	aluTEST: {OpTest32, OpTest64},
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

// imul emits reg = src * (imm or reg).
func (d *decoder) imul(n int, src uint8, imm int64, three bool) {
	if n == 2 {
		u := Uop{Op: opMul, Dst: d.reg, Src: src, Imm: imm}
		if three {
			u.Aux = 1
		}
		d.emit(u)
		return
	}
	op := OpImul32
	if n == 8 {
		op = OpImul64
	}
	if !three {
		d.move(op, d.reg, src)
		return
	}
	d.move(OpMov64, Tmp1, src)
	d.emit(Uop{Op: op, Dst: Tmp1, Src: Zero, Imm: imm, Base: Zero, Index: Zero, Seg: Zero})
	d.move(moveOps[sizeLog(n)], d.reg, Tmp1)
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
		d.alu(aluTEST, n, d.loadRM(n), Zero, imm)
	case 2, 3:
		if !d.checkLock(false) {
			return
		}
		op := [...]Op{opUnary8, opUnary16, OpNot32, OpNot64}[sizeLog(n)]
		if kind == unaryNEG && n >= 4 {
			op = [...]Op{4: OpNeg32, 8: OpNeg64}[n]
		}
		d.modify(n, func(slot uint8) {
			d.emit(Uop{Op: op, Dst: slot, Aux: uint32(kind), Base: Zero, Index: Zero, Seg: Zero})
		})
	default:
		if d.lock {
			d.undefined()
			return
		}
		src := d.loadRM(n)
		switch {
		case kind == 4 && n == 8:
			d.emit(Uop{Op: OpMul64, Src: src})
		case kind < 6:
			d.emit(Uop{Op: opMulWide, Src: src, Dst: kind & 1, Aux: uint32(n)})
		default:
			d.emit(Uop{Op: opDiv, Src: src, Dst: kind & 1, Aux: uint32(n)})
		}
	}
}

func (d *decoder) incDec(n int) {
	if !d.checkLock(false) {
		return
	}
	kind := unaryINC + d.reg&1
	op := [...]Op{opUnary8, opUnary16, OpInc32, OpInc64}[sizeLog(n)]
	if kind == unaryDEC && n >= 4 {
		op += OpDec32 - OpInc32
	}
	d.modify(n, func(slot uint8) {
		d.emit(Uop{Op: op, Dst: slot, Aux: uint32(kind), Base: Zero, Index: Zero, Seg: Zero})
	})
}

// shiftGroup decodes C0, C1, D0–D3.
func (d *decoder) shiftGroup(op uint8) {
	d.modrm()
	n := d.byteOr(op)
	kind := d.reg & 7
	if kind == 6 {
		kind = shiftSHL
	}
	mask := uint8(31)
	if n == 8 {
		mask = 63
	}
	u := Uop{Op: opShift8 + Op(sizeLog(n)), Aux: uint32(kind), Src: Zero, Base: Zero, Index: Zero, Seg: Zero}
	switch {
	case op < 0xD0:
		u.Imm = int64(d.imm8() & mask)
	case op < 0xD2:
		u.Imm = 1
	default:
		u.Src = RCX
	}
	if u.Src == Zero && n >= 4 && u.Imm != 0 {
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
func hotShift(kind uint8, n int) Op {
	var op Op
	switch kind {
	case shiftSHL:
		op = OpShl32
	case shiftSHR:
		op = OpShr32
	case shiftSAR:
		op = OpSar32
	case shiftROL:
		op = OpRol32
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
	if !d.checkLock(kind == bitTest) {
		return
	}
	n := d.operandSize()
	u := Uop{Op: opBit, Src: index, Imm: imm, Aux: uint32(kind) | uint32(n)<<8, Base: Zero, Index: Zero, Seg: Zero}
	if !d.isReg() && index != Zero {
		seg := d.memory.Seg
		d.emit(d.at(Uop{Op: opBitAddress, Dst: addrTmp, Src: index, Aux: uint32(n) | uint32(bitOf(d.addr32))<<8}))
		d.memory = Uop{Base: addrTmp, Index: Zero, Seg: seg}
	}
	if kind == bitTest {
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
	u := Uop{Op: opShiftDouble, Src: d.reg, Aux: uint32(n) | uint32(bitOf(op < 0xA8))<<8}
	if op&1 == 0 {
		u.Imm = int64(d.imm8())
		u.Aux |= 1 << 9
	}
	d.modify(n, func(slot uint8) {
		u.Dst = slot
		d.emit(u)
	})
}
