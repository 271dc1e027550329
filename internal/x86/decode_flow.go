package x86

// Decoding of what ends a block: branches, and instructions after which the state is looked at anew.

// jcc emits a conditional jump to rel bytes after the instruction.
func (d *decoder) jcc(cc uint8, rel int64) {
	target := int64(d.pos) + rel
	d.emit(Uop{Op: OpJo + Op(cc), Aux: d.linkTo(target), Imm: target, Base: Zero, Index: Zero, Seg: Zero})
}

// branch emits JMP or CALL to rel bytes after the instruction. Near branches have 64 bits in 64-bit mode, whatever
// prefixes say: 66 is ignored by Intel's processors, as here, and obeyed by AMD's.
func (d *decoder) branch(op Op, rel int64) {
	target := int64(d.pos) + rel
	d.emit(Uop{Op: op, Aux: d.linkTo(target), Imm: target, Base: Zero, Index: Zero, Seg: Zero})
	d.end = true
}

func (d *decoder) ret(extra int64) {
	d.emit(Uop{Op: OpRet, Imm: extra, Src: Zero, Base: Zero, Index: Zero, Seg: StackSeg, Aux: noLink})
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
		op := OpCallReg
		if kind == 4 {
			op = OpJmpReg
		}
		d.emit(Uop{Op: op, Src: d.loadRM(8), Base: Zero, Index: Zero, Seg: Zero, Aux: noLink})
		d.end = true
	case 3, 5:
		if d.isReg() {
			d.undefined()
			return
		}
		d.control(d.at(Uop{Op: opJmpFar, Dst: uint8(d.operandSize()), Aux: uint32(bitOf(kind == 3))}))
	case 6:
		n := int(d.stackSize())
		d.pushPopSlot(true, 0, d.loadRM(n))
	default:
		d.undefined()
	}
}

// control emits an operation of the table that sets CPU.target, and the exit after it.
func (d *decoder) control(u Uop) {
	d.emit(u)
	d.emit(Uop{Op: OpGoto, Src: Zero, Base: Zero, Index: Zero, Seg: Zero, Aux: noLink})
	d.end = true
}

// last emits an operation after which the block ends, and its successor is looked up.
func (d *decoder) last(u Uop) {
	d.emit(u)
	d.emit(Uop{Op: OpEnd, Src: Zero, Base: Zero, Index: Zero, Seg: Zero, Aux: noLink, Imm: int64(d.pos)})
	d.end = true
}

// privileged raises #GP outside CPL 0.
func (d *decoder) privileged() { d.emit(Uop{Op: opCheckCPL0}) }

// sensitive emits an instruction that the platform may intercept. It ends the block.
func (d *decoder) sensitive(kind InstructionKind, native Uop) {
	if d.intercepts.Has(kind) {
		native.Aux = uint32(kind) | uint32(native.Op)<<8
		native.Op = opIntercept
	}
	d.last(native)
}
