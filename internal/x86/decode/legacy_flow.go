package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Branches and the stack outside 64-bit mode. With flat segments and operands of 32 bits they are made of the operations of
// 64-bit mode; else functions of the table look at segments and wrap offsets.

// simple says that offsets are linear addresses, and operands and the stack pointer have 32 bits.
func (d *decoder) simple() bool { return d.mode&ModeFlat != 0 && d.operandSize() == 4 }

// nearJump emits JMP or Jcc to rel bytes after the instruction.
func (d *decoder) nearJump(cc uint8, rel int64) {
	target := int64(d.pos) + rel
	// An exit within the page cannot wrap.
	if at := target + d.offset; d.simple() && at >= 0 && at < pageSize {
		if cc == uop.Always {
			d.branch(uop.Jmp, rel)
		} else {
			d.jcc(cc, rel)
		}
		return
	}
	d.control(uop.Uop{Op: uop.NearJump, Src: cc, Aux: uint32(d.operandSize()), Imm: rel})
}

// reserve emits addrTmp = ESP-4, and pushed, after the store, ESP = addrTmp.
func (d *decoder) reserve() {
	d.emit(uop.Uop{Op: uop.Lea32, Dst: addrTmp, Base: uop.RSP, Index: uop.Zero, Seg: uop.Zero, Disp: -4})
}

func (d *decoder) pushed() { d.move(uop.Mov32, uop.RSP, addrTmp) }

// pushNext emits the push of the next instruction's offset.
func (d *decoder) pushNext() {
	d.emit(uop.Uop{Op: uop.Lea32, Dst: uop.Tmp0, Base: uop.BlkRIP, Index: uop.Zero, Seg: uop.Zero, Disp: int64(d.pos)})
	d.reserve()
	d.emit(uop.Uop{Op: uop.Store32, Src: uop.Tmp0, Base: addrTmp, Index: uop.Zero, Seg: uop.Zero})
	d.pushed()
}

func (d *decoder) nearCall(rel int64) {
	if !d.simple() {
		d.control(uop.Uop{Op: uop.NearCall, Aux: uint32(d.operandSize()), Imm: rel})
		return
	}
	d.pushNext()
	d.nearJump(uop.Always, rel)
}

func (d *decoder) nearRet(extra int64) {
	if !d.simple() {
		d.control(uop.Uop{Op: uop.NearRet, Aux: uint32(d.operandSize()), Imm: extra})
		return
	}
	d.popTo(4+extra, uop.Load32)
	d.emit(uop.Uop{Op: uop.JmpReg, Src: uop.Tmp0, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero, Aux: uop.NoLink})
	d.end = true
}

// popTo emits the load of Tmp0 from the stack, of which n bytes go.
func (d *decoder) popTo(n int64, load uop.Op) {
	d.emit(uop.Uop{Op: uop.Lea32, Dst: addrTmp, Base: uop.RSP, Index: uop.Zero, Seg: uop.Zero})
	d.emit(uop.Uop{Op: load, Dst: uop.Tmp0, Src: uop.Zero, Base: addrTmp, Index: uop.Zero, Seg: uop.Zero})
	d.emit(uop.Uop{Op: uop.Lea32, Dst: uop.RSP, Base: addrTmp, Index: uop.Zero, Seg: uop.Zero, Disp: n})
}

// legacyPushPop is pushPopSlot outside 64-bit mode; what is pushed is R[src]+imm.
func (d *decoder) legacyPushPop(push bool, dst, src uint8, imm int64) {
	n := uint32(d.operandSize())
	switch {
	case !d.simple() && push:
		d.emit(uop.Uop{Op: uop.PushValue, Src: src, Imm: imm, Aux: n})
	case !d.simple():
		d.emit(uop.Uop{Op: uop.PopValue, Dst: dst, Aux: n})
	case push:
		d.reserve()
		d.emit(uop.Uop{Op: uop.Store32, Src: src, Imm: imm, Base: addrTmp, Index: uop.Zero, Seg: uop.Zero})
		d.pushed()
	default:
		d.popTo(4, uop.Load32)
		d.move(uop.Mov32, dst, uop.Tmp0)
	}
}

// legacyPopRM is POP to the ModRM operand. An address that uses ESP is computed with the value after the pop (SDM vol.
// 2, POP).
func (d *decoder) legacyPopRM() {
	n := d.operandSize()
	switch {
	case d.reg != 0:
		d.undefined()
	case d.isReg():
		d.legacyPushPop(false, d.rm, 0, 0)
	default:
		if d.baseSP {
			d.emit(uop.Uop{Op: uop.Lea32, Dst: addrTmp, Base: addrTmp, Index: uop.Zero, Seg: uop.Zero, Disp: int64(n)})
		}
		d.emit(uop.Uop{Op: uop.PopOffset, Src: d.segment, Aux: uint32(n)})
	}
}

// pushLegacySegment is PUSH of a segment register. Of four bytes of the stack the upper two are left as they are, as on all
// recent processors (SDM vol. 2, PUSH).
func (d *decoder) pushLegacySegment(segment uint8) {
	d.emit(uop.Uop{Op: uop.MovSeg, Dst: uop.Tmp0, Aux: uint32(segment)})
	if d.simple() {
		d.reserve()
		d.emit(uop.Uop{Op: uop.Store16, Src: uop.Tmp0, Base: addrTmp, Index: uop.Zero, Seg: uop.Zero})
		d.pushed()
		return
	}
	d.emit(uop.Uop{Op: uop.PushSegment, Src: uop.Tmp0, Aux: uint32(d.operandSize())})
}

func (d *decoder) popLegacySegment(segment uint8) {
	d.last(uop.Uop{Op: uop.PopSeg, Dst: uint8(d.operandSize()), Aux: uint32(segment)})
}

func (d *decoder) legacyEnter() {
	size := d.imm16()
	d.emit(uop.Uop{Op: uop.Enter, Imm: int64(size), Aux: uint32(d.imm8() & 31), Src: uint8(d.operandSize())})
}

// farImmediate is JMP or CALL (call is 1) to a pointer in the instruction.
func (d *decoder) farImmediate(call uint8) {
	var offset uint32
	n := d.operandSize()
	if n == 2 {
		offset = uint32(d.imm16())
	} else {
		offset = d.imm32()
	}
	d.control(uop.Uop{Op: uop.FarImmediate, Src: call, Aux: uint32(n), Imm: int64(d.imm16())<<32 | int64(offset)})
}

// countJump is LOOPNE, LOOPE, LOOP or JCXZ: the low bits of the opcode are in Dst.
func (d *decoder) countJump(op uint8) {
	rel := int64(int8(d.imm8()))
	d.control(uop.Uop{Op: uop.CountJump, Dst: op & 3, Src: d.addressForm(), Aux: uint32(d.operandSize()), Imm: rel})
}

// legacyGroup5 decodes FF.
func (d *decoder) legacyGroup5() {
	n := d.operandSize()
	if d.lock && d.reg > 1 {
		d.undefined()
		return
	}
	switch d.reg {
	case 2, 4:
		src := d.loadRM(n)
		call := d.reg == 2
		if !d.simple() {
			d.control(uop.Uop{Op: uop.NearIndirect, Src: src, Dst: bitOf(call), Aux: uint32(n)})
			return
		}
		d.move(uop.Mov32, uop.Tmp1, src)
		if call {
			d.pushNext()
		}
		d.emit(uop.Uop{Op: uop.JmpReg, Src: uop.Tmp1, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero, Aux: uop.NoLink})
		d.end = true
	case 6:
		d.legacyPushPop(true, 0, d.loadRM(n), 0)
	default:
		d.group5() // INC, DEC, far CALL and JMP, and what is undefined
	}
}

// legacyIOString decodes INS and OUTS.
func (d *decoder) legacyIOString(op uint8) {
	d.operandIn(uop.SegDS)
	u := uop.Uop{Op: uop.IO, Dst: uint8(d.byteOr(op)), Seg: uop.Zero, Index: d.segment, Scale: uop.IOString | uop.IOLegacy}
	if op < 0x6E {
		u.Scale |= uop.IOIn
	}
	if d.rep != 0 {
		u.Scale |= uop.IORep
	}
	if d.addressForm() == uop.Address16 {
		u.Scale |= uop.IOAddr16
	} else {
		u.Scale |= uop.IOAddr32
	}
	if d.intercepts.Has(uop.InsnIO) {
		u.Aux = uint32(uop.InsnIO) | uint32(u.Op)<<8
		u.Op = uop.Intercept
	}
	d.control(u)
}
