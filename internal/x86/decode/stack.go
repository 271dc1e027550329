package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Decoding of pushes and pops.

// stackSize is the operand size in bytes of stack operations, which default to 64 bits. REX.W comes before 66.
func (d *decoder) stackSize() uint32 {
	if d.data16 && d.rex&rexW == 0 {
		return 2
	}
	return 8
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
	u := uop.Uop{Op: uop.Pop, Dst: dst, Src: src, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero}
	switch {
	case push && d.stackSize() == 2:
		u.Op = uop.Push16
	case push:
		u.Op = uop.Push
	case d.stackSize() == 2:
		u.Op = uop.Pop16
	}
	d.emit(u)
}

// popRM is POP to the ModRM operand. An address that uses RSP is computed with the value after the pop (SDM vol. 2,
// POP).
func (d *decoder) popRM() {
	if d.reg&7 != 0 {
		d.undefined()
		return
	}
	if d.isReg() {
		d.pushPopSlot(false, d.rm, d.rm)
		return
	}
	size := int64(d.stackSize())
	u := d.at(uop.Uop{Op: uop.PopMem, Aux: uint32(size)})
	if u.Base == uop.RSP {
		u.Disp += size
	}
	d.emit(u)
}

// pushImmediate is PUSH of an immediate.
func (d *decoder) pushImmediate(imm int64) {
	u := uop.Uop{Op: uop.Push, Src: uop.Zero, Imm: imm, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero}
	if d.stackSize() == 2 {
		u.Op = uop.Push16
	}
	d.emit(u)
}

func (d *decoder) enter() {
	size := d.imm16()
	d.emit(uop.Uop{Op: uop.Enter, Imm: int64(size), Aux: uint32(d.imm8() & 31), Src: uint8(d.stackSize())})
}
