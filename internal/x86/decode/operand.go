package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

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
		d.move(uop.GetHigh, uop.Tmp2, h)
		return uop.Tmp2
	}
	return reg
}

// move emits an operation with one source and one destination.
func (d *decoder) move(op uop.Op, dst, src uint8) {
	d.emit(uop.Uop{Op: op, Dst: dst, Src: src, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero})
}

// loadOps gives the zero-extending load of 1<<i bytes, and the one for operands that will be stored to.
var loadOps = [...][2]uop.Op{{uop.Load8, uop.LoadW8}, {uop.Load16, uop.LoadW16}, {uop.Load32, uop.LoadW32}, {uop.Load64, uop.LoadW64}}

var storeOps = [...]uop.Op{uop.Store8, uop.Store16, uop.Store32, uop.Store64}
var moveOps = [...]uop.Op{uop.Mov8, uop.Mov16, uop.Mov32, uop.Mov64}

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
		d.emit(d.at(uop.Uop{Op: loadOps[sizeLog(n)][0], Dst: uop.Tmp0, Src: uop.Zero}))
		return uop.Tmp0
	}
	if n == 1 {
		if h, ok := d.high(d.rm); ok {
			d.move(uop.GetHigh, uop.Tmp0, h)
			return uop.Tmp0
		}
	}
	return d.rm
}

// modify emits what f emits on a slot that stands for the ModRM operand of n bytes, with the load before it and the
// store after it. f's operations must leave the slot's bits above n bytes as a register's are left.
func (d *decoder) modify(n int, f func(slot uint8)) {
	if !d.isReg() {
		d.emit(d.at(uop.Uop{Op: loadOps[sizeLog(n)][1], Dst: uop.Tmp0, Src: uop.Zero}))
		f(uop.Tmp0)
		d.emit(d.at(uop.Uop{Op: storeOps[sizeLog(n)], Src: uop.Tmp0}))
		return
	}
	if n == 1 {
		if h, ok := d.high(d.rm); ok {
			d.move(uop.GetHigh, uop.Tmp0, h)
			f(uop.Tmp0)
			d.move(uop.PutHigh, h, uop.Tmp0)
			return
		}
	}
	f(d.rm)
}

// storeRM emits a store of src+imm to the ModRM operand of n bytes.
func (d *decoder) storeRM(n int, src uint8, imm int64) {
	if !d.isReg() {
		d.emit(d.at(uop.Uop{Op: storeOps[sizeLog(n)], Src: src, Imm: imm}))
		return
	}
	d.storeReg(n, d.rm, src, imm)
}

// storeReg emits a move of src+imm to register reg of n bytes.
func (d *decoder) storeReg(n int, reg, src uint8, imm int64) {
	op := moveOps[sizeLog(n)]
	if n == 1 {
		if h, ok := d.high(reg); ok {
			op, reg = uop.PutHigh, h
		}
	}
	d.emit(uop.Uop{Op: op, Dst: reg, Src: src, Imm: imm, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero})
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
