package x86

// other decodes what is left of the one-byte map.
func (d *decoder) other(op uint8) {
	switch op {
	case 0x63: // MOVSXD Gv, Ed; with a 16-bit operand, Gw, Ew
		d.modrm()
		d.extend(min(d.operandSize(), 4), true)
	case 0x68, 0x6A: // PUSH Iz, Ib
		n := d.operandSize()
		imm := int64(0)
		if op == 0x6A {
			imm = int64(int8(d.imm8()))
		} else {
			imm = d.immZ(n)
		}
		u := Uop{Op: OpPush, Src: Zero, Imm: imm, Base: Zero, Index: Zero, Seg: Zero}
		if d.stackSize() == 2 {
			u.Op = opPush16
		}
		d.emit(u)
	case 0x69, 0x6B: // IMUL Gv, Ev, Iz or Ib
		d.modrm()
		n := d.operandSize()
		src := d.loadRM(n)
		if op == 0x6B {
			d.imul(n, src, int64(int8(d.imm8())), true)
		} else {
			d.imul(n, src, d.immZ(n), true)
		}
	case 0x6C, 0x6D, 0x6E, 0x6F: // INS, OUTS
		d.ioString(op)
	case 0x80, 0x81, 0x83: // group 1
		d.modrm()
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
		d.aluMem(d.reg&7, n, Zero, imm)
	case 0x84, 0x85: // TEST Eb, Gb; Ev, Gv
		d.modrm()
		n := d.byteOr(op)
		dst := d.loadRM(n)
		if n == 1 {
			d.alu(aluTEST, 1, dst, d.gpr8(d.reg), 0)
		} else {
			d.alu(aluTEST, n, dst, d.reg, 0)
		}
	case 0x86, 0x87: // XCHG
		d.modrm()
		d.exchange(d.byteOr(op))
	case 0x88, 0x89: // MOV Eb, Gb; Ev, Gv
		d.modrm()
		if n := d.byteOr(op); n == 1 {
			d.storeRM(1, d.gpr8(d.reg), 0)
		} else {
			d.storeRM(n, d.reg, 0)
		}
	case 0x8A, 0x8B: // MOV Gb, Eb; Gv, Ev
		d.modrm()
		n := d.byteOr(op)
		if n >= 4 && !d.isReg() {
			d.emit(d.at(Uop{Op: loadOps[log2(n)][0], Dst: d.reg, Src: Zero}))
			return
		}
		d.storeReg(n, d.reg, d.loadRM(n), 0)
	case 0x8C: // MOV Ev, Sw
		d.modrm()
		d.storeSegment()
	case 0x8D: // LEA
		d.modrm()
		d.lea()
	case 0x8E: // MOV Sw, Ew
		d.modrm()
		reg := d.reg & 7
		if reg == segCS || reg > segGS {
			d.undefined()
			return
		}
		d.last(Uop{Op: opLoadSeg, Src: d.loadRM(2), Aux: uint32(reg)})
	case 0x8F: // POP Ev
		d.modrm()
		d.popRM()
	case 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97: // NOP, PAUSE, XCHG with rAX
		d.exchangeAccumulator(op)
	case 0x98: // CBW, CWDE, CDQE
		d.emit(Uop{Op: opConvert, Aux: uint32(d.operandSize())})
	case 0x99: // CWD, CDQ, CQO
		d.emit(Uop{Op: opCwd, Aux: uint32(d.operandSize())})
	case 0x9B:
		d.fwait()
	case 0x9C:
		d.emit(Uop{Op: opPushf, Aux: d.stackSize()})
	case 0x9D:
		d.last(Uop{Op: opPopf, Aux: d.stackSize()})
	case 0x9E:
		d.emit(Uop{Op: opSahf})
	case 0x9F:
		d.emit(Uop{Op: opLahf})
	case 0xA0, 0xA1, 0xA2, 0xA3: // MOV with a 64-bit offset
		d.moveOffset(op)
	case 0xA4, 0xA5, 0xA6, 0xA7, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF:
		d.stringOp(op)
	case 0xA8: // TEST AL, Ib
		d.alu(aluTEST, 1, RAX, Zero, int64(int8(d.imm8())))
	case 0xA9:
		n := d.operandSize()
		d.alu(aluTEST, n, RAX, Zero, d.immZ(n))
	case 0xC0, 0xC1, 0xD0, 0xD1, 0xD2, 0xD3:
		d.shiftGroup(op)
	case 0xC2: // RET Iw
		d.ret(int64(d.imm16()))
	case 0xC3:
		d.ret(0)
	case 0xC4, 0xC5:
		d.vexed(op)
	case 0xC6, 0xC7: // MOV Eb, Ib; Ev, Iz
		d.modrm()
		if d.reg&7 != 0 {
			d.undefined()
			return
		}
		n := d.byteOr(op)
		if n == 1 {
			d.storeRM(1, Zero, int64(d.imm8()))
		} else {
			imm := d.immZ(n)
			d.storeRM(n, Zero, imm)
		}
	case 0xC8: // ENTER
		size := d.imm16()
		d.emit(Uop{Op: opEnter, Imm: int64(size), Aux: uint32(d.imm8() & 31), Src: uint8(d.stackSize())})
	case 0xC9:
		d.emit(Uop{Op: opLeave, Aux: d.stackSize()})
	case 0xCA:
		d.control(Uop{Op: opRetFar, Aux: uint32(d.operandSize()), Imm: int64(d.imm16())})
	case 0xCB:
		d.control(Uop{Op: opRetFar, Aux: uint32(d.operandSize())})
	case 0xCC:
		d.control(Uop{Op: opInt, Aux: vectorBP})
	case 0xCD:
		d.control(Uop{Op: opInt, Aux: uint32(d.imm8())})
	case 0xCF:
		d.control(Uop{Op: opIret, Aux: uint32(d.operandSize())})
	case 0xD7:
		d.emit(Uop{Op: opXlat, Seg: d.seg, Base: RBX, Index: Zero, Aux: uint32(bit(d.addr32))})
	case 0xE0, 0xE1, 0xE2, 0xE3: // LOOPNE, LOOPE, LOOP, JRCXZ
		rel := int64(int8(d.imm8()))
		d.control(Uop{Op: opLoop, Aux: uint32(op & 3), Src: bit(d.addr32), Imm: int64(d.pos) + rel})
	case 0xE4, 0xE5, 0xE6, 0xE7, 0xEC, 0xED, 0xEE, 0xEF:
		d.io(op)
	case 0xE8:
		rel := int64(int32(d.imm32()))
		d.branch(OpCall, rel)
	case 0xE9:
		rel := int64(int32(d.imm32()))
		d.branch(OpJmp, rel)
	case 0xEB:
		rel := int64(int8(d.imm8()))
		d.branch(OpJmp, rel)
	case 0xF1:
		d.control(Uop{Op: opInt1})
	case 0xF4:
		d.privileged()
		d.sensitive(InsnHLT, Uop{Op: opHlt})
	case 0xF5, 0xF8, 0xF9, 0xFC, 0xFD: // CMC, CLC, STC, CLD, STD
		d.emit(Uop{Op: opFlagBit, Aux: uint32(op)})
	case 0xFA:
		d.emit(Uop{Op: opCli})
	case 0xFB:
		d.last(Uop{Op: opSti})
	case 0xF6, 0xF7:
		d.modrm()
		d.group3(d.byteOr(op))
	case 0xFE:
		d.modrm()
		if d.reg&7 > 1 {
			d.undefined()
			return
		}
		d.incDec(1)
	case 0xFF:
		d.modrm()
		d.group5()
	default:
		d.undefined()
	}
}

// byteOr returns 1 for an even opcode and the operand size for an odd one.
func (d *decoder) byteOr(op uint8) int {
	if op&1 == 0 {
		return 1
	}
	return d.operandSize()
}

// stackSize is the operand size in bytes of stack operations, which default to 64 bits. REX.W comes before 66.
func (d *decoder) stackSize() uint32 {
	if d.data16 && d.rex&rexW == 0 {
		return 2
	}
	return 8
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

// extend emits MOVZX or MOVSX from n bytes to the operand size.
func (d *decoder) extend(n int, sign bool) {
	to := d.operandSize()
	load, move := extendOps(n, to, sign)
	if to == 2 {
		// A 16-bit destination keeps its upper bits.
		src := d.loadRM(n)
		d.move(move, Tmp1, src)
		d.storeReg(2, d.reg, Tmp1, 0)
		return
	}
	if !d.isReg() {
		d.emit(d.at(Uop{Op: load, Dst: d.reg, Src: Zero}))
		return
	}
	d.move(move, d.reg, d.loadRM(n))
}

// extendOps returns the load and the register move that extend n bytes to the given size.
func extendOps(n, to int, sign bool) (load, move Op) {
	switch {
	case !sign && n == 1:
		return OpLoad8, OpZX8
	case !sign:
		return OpLoad16, OpZX16
	case n == 4 && to == 8:
		return OpLoadS32x64, OpSX32x64
	case n == 4 && to == 4:
		return OpLoad32, OpMov32
	case n == 4:
		return OpLoad16, OpMov32
	case n == 1 && to == 8:
		return OpLoadS8x64, OpSX8x64
	case n == 1:
		return OpLoadS8x32, OpSX8x32
	case to == 8:
		return OpLoadS16x64, OpSX16x64
	}
	return OpLoadS16x32, OpSX16x32
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
	d.move(moveOps[log2(n)], d.reg, Tmp1)
}

// exchange emits XCHG between the ModRM operand and the register.
func (d *decoder) exchange(n int) {
	if !d.checkLock(false) {
		return
	}
	if d.isReg() {
		src := d.loadRM(n) // Tmp0 for a high byte
		d.move(OpMov64, Tmp1, src)
		if n == 1 {
			d.storeRM(1, d.gpr8(d.reg), 0)
		} else {
			d.storeRM(n, d.reg, 0)
		}
		d.storeReg(n, d.reg, Tmp1, 0)
		return
	}
	d.emit(d.at(Uop{Op: loadOps[log2(n)][1], Dst: Tmp0, Src: Zero}))
	src := d.reg
	if n == 1 {
		src = d.gpr8(d.reg)
	}
	d.emit(d.at(Uop{Op: storeOps[log2(n)], Src: src}))
	d.storeReg(n, d.reg, Tmp0, 0)
}

func (d *decoder) exchangeAccumulator(op uint8) {
	reg := op & 7
	if d.rex&rexB != 0 {
		reg |= 8
	}
	if reg == RAX || op == 0x90 && d.rep == 0xF3 {
		return // NOP; with F3 PAUSE, whatever REX says, which has nothing to wait for here
	}
	n := d.operandSize()
	d.move(OpMov64, Tmp1, RAX)
	d.storeReg(n, RAX, reg, 0)
	d.storeReg(n, reg, Tmp1, 0)
}

func (d *decoder) lea() {
	if d.isReg() {
		d.undefined()
		return
	}
	u := d.at(Uop{Dst: d.reg, Src: Zero})
	u.Seg = Zero
	switch d.operandSize() {
	case 8:
		u.Op = OpLea64
		d.emit(u)
	case 4:
		u.Op = OpLea32
		d.emit(u)
	default:
		u.Op, u.Dst = OpLea64, Tmp0
		d.emit(u)
		d.storeReg(2, d.reg, Tmp0, 0)
	}
}

func (d *decoder) storeSegment() {
	if d.reg&7 > segGS {
		d.undefined()
		return
	}
	d.emit(Uop{Op: opMovSeg, Dst: Tmp0, Aux: uint32(d.reg & 7)})
	if d.isReg() {
		d.storeReg(d.operandSize(), d.rm, Tmp0, 0)
		return
	}
	d.storeRM(2, Tmp0, 0)
}

// popRM is POP to the ModRM operand. An address that uses RSP is computed with the value behind the pop (SDM vol. 2, POP).
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
	u := d.at(Uop{Op: opPopMem, Aux: uint32(size)})
	if u.Base == RSP {
		u.Disp += size
	}
	d.emit(u)
}

func (d *decoder) moveOffset(op uint8) {
	var off int64
	if d.addr32 {
		off = int64(d.imm32())
	} else {
		off = int64(d.imm64())
	}
	n := d.byteOr(op)
	u := Uop{Base: Zero, Index: Zero, Seg: d.seg, Disp: off}
	if op >= 0xA2 {
		u.Op, u.Src = storeOps[log2(n)], RAX
		d.emit(u)
		return
	}
	u.Op, u.Dst, u.Src = loadOps[log2(n)][0], Tmp0, Zero
	d.emit(u)
	d.storeReg(n, RAX, Tmp0, 0)
}

func (d *decoder) ret(extra int64) {
	d.emit(Uop{Op: OpRet, Imm: extra, Src: Zero, Base: Zero, Index: Zero, Seg: StackSeg, Aux: noLink})
	d.end = true
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
	u := Uop{Op: opShift8 + Op(log2(n)), Aux: uint32(kind), Src: Zero, Base: Zero, Index: Zero, Seg: Zero}
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
		op := [...]Op{opUnary8, opUnary16, OpNot32, OpNot64}[log2(n)]
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

// unary operations of opUnary8 and opUnary16, with the numbers of group 3 where they are in it.
const (
	unaryNOT = 2
	unaryNEG = 3
	unaryINC = 4
	unaryDEC = 5
)

func (d *decoder) incDec(n int) {
	if !d.checkLock(false) {
		return
	}
	kind := unaryINC + d.reg&1
	op := [...]Op{opUnary8, opUnary16, OpInc32, OpInc64}[log2(n)]
	if kind == unaryDEC && n >= 4 {
		op += OpDec32 - OpInc32
	}
	d.modify(n, func(slot uint8) {
		d.emit(Uop{Op: op, Dst: slot, Aux: uint32(kind), Base: Zero, Index: Zero, Seg: Zero})
	})
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
		d.control(d.at(Uop{Op: opJmpFar, Dst: uint8(d.operandSize()), Aux: uint32(bit(kind == 3))}))
	case 6:
		n := int(d.stackSize())
		d.pushPopSlot(true, 0, d.loadRM(n))
	default:
		d.undefined()
	}
}

// io decodes IN and OUT.
func (d *decoder) io(op uint8) {
	n := d.byteOr(op)
	if n == 8 {
		n = 4
	}
	u := Uop{Op: opIO, Dst: uint8(n), Src: Zero}
	if op < 0xE8 {
		u.Imm = int64(d.imm8())
		u.Scale = ioImm
	}
	if op&2 == 0 {
		u.Scale |= ioIn
	}
	d.sensitive(InsnIO, u)
}

// Flags of opIO, in Uop.Scale.
const (
	ioIn = 1 << iota
	ioImm
	ioString
	ioRep
	ioAddr32
)

// ioString decodes INS and OUTS.
func (d *decoder) ioString(op uint8) {
	n := d.byteOr(op)
	if n == 8 {
		n = 4
	}
	u := Uop{Op: opIO, Dst: uint8(n), Seg: d.seg, Scale: ioString}
	if op < 0x6E {
		u.Scale |= ioIn
	}
	if d.rep != 0 {
		u.Scale |= ioRep
	}
	if d.addr32 {
		u.Scale |= ioAddr32
	}
	if d.intercepts.Has(InsnIO) {
		u.Aux = uint32(InsnIO) | uint32(u.Op)<<8
		u.Op = opIntercept
	}
	d.control(u)
}
