package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Decoding of the one-byte opcode map in 64-bit mode (SDM vol. 2, table A-2).

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

// lockable says whether LOCK may stand before a one-byte opcode at all; the ModRM operand must then be memory, which
// d.checkLock sees to.
func lockable(op uint8) bool {
	switch {
	case op < 0x40:
		return op&7 < 2 && op>>3 != uop.ALUCMP || op == 0x0F
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
		d.alu(kind, 1, uop.RAX, uop.Zero, int64(int8(d.imm8())))
	case 5: // eAX, Iz
		n := d.operandSize()
		d.alu(kind, n, uop.RAX, uop.Zero, d.immZ(n))
	default:
		if op == 0x0F {
			d.twoByte()
			return
		}
		d.undefined()
	}
}

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
		u := uop.Uop{Op: uop.Push, Src: uop.Zero, Imm: imm, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero}
		if d.stackSize() == 2 {
			u.Op = uop.Push16
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
		d.aluMem(d.reg&7, n, uop.Zero, imm)
	case 0x84, 0x85: // TEST Eb, Gb; Ev, Gv
		d.modrm()
		n := d.byteOr(op)
		dst := d.loadRM(n)
		if n == 1 {
			d.alu(uop.ALUTEST, 1, dst, d.gpr8(d.reg), 0)
		} else {
			d.alu(uop.ALUTEST, n, dst, d.reg, 0)
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
			d.emit(d.at(uop.Uop{Op: loadOps[sizeLog(n)][0], Dst: d.reg, Src: uop.Zero}))
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
		if reg == uop.SegCS || reg > uop.SegGS {
			d.undefined()
			return
		}
		d.last(uop.Uop{Op: uop.LoadSeg, Src: d.loadRM(2), Aux: uint32(reg)})
	case 0x8F: // POP Ev
		d.modrm()
		d.popRM()
	case 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97: // NOP, PAUSE, XCHG with rAX
		d.exchangeAccumulator(op)
	case 0x98: // CBW, CWDE, CDQE
		d.emit(uop.Uop{Op: uop.Convert, Aux: uint32(d.operandSize())})
	case 0x99: // CWD, CDQ, CQO
		d.emit(uop.Uop{Op: uop.Cwd, Aux: uint32(d.operandSize())})
	case 0x9B:
		d.fwait()
	case 0x9C:
		d.emit(uop.Uop{Op: uop.Pushf, Aux: d.stackSize()})
	case 0x9D:
		d.last(uop.Uop{Op: uop.Popf, Aux: d.stackSize()})
	case 0x9E:
		d.emit(uop.Uop{Op: uop.Sahf})
	case 0x9F:
		d.emit(uop.Uop{Op: uop.Lahf})
	case 0xA0, 0xA1, 0xA2, 0xA3: // MOV with a 64-bit offset
		d.moveOffset(op)
	case 0xA4, 0xA5, 0xA6, 0xA7, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xAF:
		d.stringOp(op)
	case 0xA8: // TEST AL, Ib
		d.alu(uop.ALUTEST, 1, uop.RAX, uop.Zero, int64(int8(d.imm8())))
	case 0xA9:
		n := d.operandSize()
		d.alu(uop.ALUTEST, n, uop.RAX, uop.Zero, d.immZ(n))
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
			d.storeRM(1, uop.Zero, int64(d.imm8()))
		} else {
			imm := d.immZ(n)
			d.storeRM(n, uop.Zero, imm)
		}
	case 0xC8: // ENTER
		size := d.imm16()
		d.emit(uop.Uop{Op: uop.Enter, Imm: int64(size), Aux: uint32(d.imm8() & 31), Src: uint8(d.stackSize())})
	case 0xC9:
		d.emit(uop.Uop{Op: uop.Leave, Aux: d.stackSize()})
	case 0xCA:
		d.control(uop.Uop{Op: uop.RetFar, Aux: uint32(d.operandSize()), Imm: int64(d.imm16())})
	case 0xCB:
		d.control(uop.Uop{Op: uop.RetFar, Aux: uint32(d.operandSize())})
	case 0xCC:
		d.control(uop.Uop{Op: uop.Int, Aux: uop.VectorBP})
	case 0xCD:
		d.control(uop.Uop{Op: uop.Int, Aux: uint32(d.imm8())})
	case 0xCF:
		d.control(uop.Uop{Op: uop.Iret, Aux: uint32(d.operandSize())})
	case 0xD7:
		d.emit(uop.Uop{Op: uop.Xlat, Seg: d.seg, Base: uop.RBX, Index: uop.Zero, Aux: uint32(bitOf(d.addr32))})
	case 0xE0, 0xE1, 0xE2, 0xE3: // LOOPNE, LOOPE, LOOP, JRCXZ
		rel := int64(int8(d.imm8()))
		d.control(uop.Uop{Op: uop.Loop, Aux: uint32(op & 3), Src: bitOf(d.addr32), Imm: int64(d.pos) + rel})
	case 0xE4, 0xE5, 0xE6, 0xE7, 0xEC, 0xED, 0xEE, 0xEF:
		d.io(op)
	case 0xE8:
		rel := int64(int32(d.imm32()))
		d.branch(uop.Call, rel)
	case 0xE9:
		rel := int64(int32(d.imm32()))
		d.branch(uop.Jmp, rel)
	case 0xEB:
		rel := int64(int8(d.imm8()))
		d.branch(uop.Jmp, rel)
	case 0xF1:
		d.control(uop.Uop{Op: uop.Int1})
	case 0xF4:
		d.privileged()
		d.sensitive(uop.InsnHLT, uop.Uop{Op: uop.Hlt})
	case 0xF5, 0xF8, 0xF9, 0xFC, 0xFD: // CMC, CLC, STC, CLD, STD
		d.emit(uop.Uop{Op: uop.FlagBit, Aux: uint32(op)})
	case 0xFA:
		d.emit(uop.Uop{Op: uop.Cli})
	case 0xFB:
		d.last(uop.Uop{Op: uop.Sti})
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
