package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Decoding of what ends a block: branches, and instructions after which the state is looked at anew.

// jcc emits a conditional jump to rel bytes after the instruction.
func (d *decoder) jcc(cc uint8, rel int64) {
	target := int64(d.pos) + rel
	d.emit(uop.Uop{Op: uop.Jo + uop.Op(cc), Aux: d.linkTo(target), Imm: target, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero})
}

// branch emits JMP or CALL to rel bytes after the instruction. Near branches have 64 bits in 64-bit mode, whatever
// prefixes say: 66 is ignored by Intel's processors, as here, and obeyed by AMD's.
func (d *decoder) branch(op uop.Op, rel int64) {
	target := int64(d.pos) + rel
	d.emit(uop.Uop{Op: op, Aux: d.linkTo(target), Imm: target, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero})
	d.end = true
}

func (d *decoder) ret(extra int64) {
	d.emit(uop.Uop{Op: uop.Ret, Imm: extra, Src: uop.Zero, Base: uop.Zero, Index: uop.Zero, Seg: uop.StackSeg, Aux: uop.NoLink})
	d.end = true
}

// group5 decodes FF: INC, DEC, CALL, far CALL, JMP, far JMP, PUSH.
func (d *decoder) group5() {
	kind := d.reg & 7
	if kind > 1 && d.lock {
		d.undefined()
		return
	}
	switch kind {
	case 0, 1:
		d.incDec(d.operandSize())
	case 2, 4:
		op := uop.CallReg
		if kind == 4 {
			op = uop.JmpReg
		}
		d.emit(uop.Uop{Op: op, Src: d.loadRM(8), Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero, Aux: uop.NoLink})
		d.end = true
	case 3, 5:
		if d.isReg() {
			d.undefined()
			return
		}
		d.control(d.at(uop.Uop{Op: uop.JmpFar, Dst: uint8(d.operandSize()), Aux: uint32(bitOf(kind == 3))}))
	case 6:
		n := int(d.stackSize())
		d.pushPopSlot(true, 0, d.loadRM(n))
	default:
		d.undefined()
	}
}

// control emits an operation of the table that sets CPU.target, and the exit after it.
func (d *decoder) control(u uop.Uop) {
	d.emit(u)
	d.emit(uop.Uop{Op: uop.Goto, Src: uop.Zero, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero, Aux: uop.NoLink})
	d.end = true
}

// last emits an operation after which the block ends, and its successor is looked up.
func (d *decoder) last(u uop.Uop) {
	d.emit(u)
	d.emit(uop.Uop{Op: uop.End, Src: uop.Zero, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero, Aux: uop.NoLink, Imm: int64(d.pos)})
	d.end = true
}

// privileged raises #GP outside CPL 0.
func (d *decoder) privileged() { d.emit(uop.Uop{Op: uop.CheckCPL0}) }

// sensitive emits an instruction that the platform may intercept. It ends the block.
func (d *decoder) sensitive(kind uop.InstructionKind, native uop.Uop) {
	if d.intercepts.Has(kind) {
		native.Aux = uint32(kind) | uint32(native.Op)<<8
		native.Op = uop.Intercept
	}
	d.last(native)
}

func (d *decoder) retFar(extra int64) {
	d.control(uop.Uop{Op: uop.RetFar, Aux: uint32(d.operandSize()), Imm: extra})
}

// loop is LOOPNE, LOOPE, LOOP or JRCXZ.
func (d *decoder) loop(op uint8) {
	rel := int64(int8(d.imm8()))
	d.control(uop.Uop{Op: uop.Loop, Aux: uint32(op & 3), Src: bitOf(d.addr32), Imm: int64(d.pos) + rel})
}
