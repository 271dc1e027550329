package x86

// How operands become slots: what an instruction needs in front of its operation and after it.

// byteOr returns 1 for an even opcode and the operand size for an odd one.
func (d *decoder) byteOr(op uint8) int {
	if op&1 == 0 {
		return 1
	}
	return d.operandSize()
}

// immZ reads an immediate of up to 32 bits, sign-extended.
func (d *decoder) immZ(n int) int64 {
	if n == 2 {
		return int64(int16(d.imm16()))
	}
	return int64(int32(d.imm32()))
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

func sizeLog(n int) int {
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
		d.emit(d.at(Uop{Op: loadOps[sizeLog(n)][0], Dst: Tmp0, Src: Zero}))
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

// modify emits what f emits on a slot that stands for the ModRM operand of n bytes, with the load before it and the
// store after it. f's operations must leave the slot's bits above n bytes as a register's are left.
func (d *decoder) modify(n int, f func(slot uint8)) {
	if !d.isReg() {
		d.emit(d.at(Uop{Op: loadOps[sizeLog(n)][1], Dst: Tmp0, Src: Zero}))
		f(Tmp0)
		d.emit(d.at(Uop{Op: storeOps[sizeLog(n)], Src: Tmp0}))
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
		d.emit(d.at(Uop{Op: storeOps[sizeLog(n)], Src: src, Imm: imm}))
		return
	}
	d.storeReg(n, d.rm, src, imm)
}

// storeReg emits a move of src+imm to register reg of n bytes.
func (d *decoder) storeReg(n int, reg, src uint8, imm int64) {
	op := moveOps[sizeLog(n)]
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

func bitOf(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
